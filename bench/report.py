"""docs/benchmarks.md from the results of one run."""

import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.rounds import Result
from bench.systems import System


def write_report(
    path: Path, systems: Sequence[System], missing: Sequence[str], results: Sequence[Result]
) -> None:
    """Write the whole page."""
    path.write_text("\n".join(_lines(systems, missing, results)) + "\n", "utf-8")
    print(f"wrote {path}")


def _lines(
    systems: Sequence[System], missing: Sequence[str], results: Sequence[Result]
) -> Iterator[str]:
    yield from (
        "# Benchmark",
        "",
        "Written by `make bench`; do not edit. Every system gets the same mails in interleaved",
        "rounds, pinned to one core; sender and sink run on the other. *CPU* is the median over the",
        "rounds of the CPU time of the whole process tree for one message, with the least and the",
        "greatest; *a core* is what follows from it; wall rate and latency are the medians of the",
        "rounds and suffer from busy neighbours; memory is the greatest PSS seen.",
        "",
        f"Machine: {os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}.",
        "",
        "| system | version | does | does not |",
        "|---|---|---|---|",
    )
    for system in systems:
        version = system.version.replace("\n", ", ")
        yield f"| {system.name} | {version} | {system.does} | {system.does_not} |"
    if missing:
        yield f"\nNot installed here, left out: {', '.join(missing)}."
    yield from ("", *_ratios(results), "", *_tables(results))
    yield from (
        "",
        "The mix: 60 % newsletters, 20 % plain, 10 % with attachments, 10 % recruiter mail, invented",
        "by `bench/mix.py`, DKIM-signed, to a hundred people. Real mail: equal parts of three sets of ../shared/corpora.",
        "spamd is given the first 60 mails of a turn.",
    )


def _ratios(results: Sequence[Result]) -> Iterator[str]:
    cpu = {(row.load, row.connections, row.system): row.cpu_ms for row in results}
    yield "## Messages a core, Lurewall against the others (8 connections)"
    yield ""
    others = list(dict.fromkeys(row.system for row in results if row.system != "lurewall"))
    yield "| load | " + " | ".join(f"× {name}" for name in others) + " |"
    yield "|---|" + "---|" * len(others)
    for load in dict.fromkeys(row.load for row in results):
        ours = cpu[load, 8, "lurewall"]
        row = " | ".join(
            f"{cpu[load, 8, name] / ours:.2f}" if (load, 8, name) in cpu else "" for name in others
        )
        yield f"| {load} | {row} |"


def _tables(results: Sequence[Result]) -> Iterator[str]:
    for load in dict.fromkeys(row.load for row in results):
        yield f"## {load[0].upper()}{load[1:]}"
        yield ""
        yield "| system | connections | mails × rounds | CPU ms a message | msg/s a core | wall msg/s | p50 ms | p99 ms | PSS MB |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for row in (row for row in results if row.load == load):
            least, most = row.cpu_ms_range
            yield (
                f"| {row.system} | {row.connections} | {row.mails} × {row.rounds} "
                f"| {row.cpu_ms:.2f} ({least:.2f}–{most:.2f}) | {1000 / row.cpu_ms:,.0f} "
                f"| {row.wall_rate:,.0f} | {row.p50_ms:.1f} | {row.p99_ms:.1f} "
                f"| {row.pss_bytes / 1e6:.0f} |"
            )
        yield ""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
