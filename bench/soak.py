"""`make soak`: a long run; memory, file handles and latency over time, as a plot and a table.

`python -m bench.soak [--minutes N] [--rate N]`. The gateway gets the mix (and real mail where it is
beside the project) at a steady rate; every few seconds the whole process tree is measured. Writes
docs/soak.png and docs/soak.md. Exit 1 if a mail got no 250.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import matplotlib

from bench.mix import mix
from bench.processes import CLIENT_CORE
from bench.real import real_mail
from bench.smtp import SinkProtocol
from bench.systems import System, start_lurewall

DOCS: Final = Path(__file__).parents[1] / "docs"
_EVERY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The state at one moment; latencies in ms are those since the sample before."""

    minutes: float
    mails: int
    pss_mb: float
    open_files: int
    p50_ms: float
    p99_ms: float
    cpu_seconds: float


@dataclass(slots=True)
class _Run:
    sent: int = 0
    failed: int = 0
    latencies: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


async def _send(system: System, raws: list[bytes], rate: float, until: float, run: _Run) -> None:
    """One of the kept connections: its share of the rate, whatever the answers take."""
    link = await system.connect()
    number = 0
    while time.monotonic() < until:
        started = time.perf_counter()
        try:
            await link.send(raws[number % len(raws)])
        except RuntimeError:
            run.failed += 1
            link = await system.connect()
        number += 1
        run.sent += 1
        spent = time.perf_counter() - started
        run.latencies.append(spent * 1000)
        await asyncio.sleep(max(0.0, 1 / rate - spent))
    await link.close()


async def _watch(system: System, until: float, run: _Run) -> None:
    started = time.monotonic()
    while time.monotonic() < until:
        await asyncio.sleep(_EVERY_SECONDS)
        seen, run.latencies = sorted(run.latencies), []
        if not seen:
            continue
        run.samples.append(
            Sample(
                minutes=(time.monotonic() - started) / 60,
                mails=run.sent,
                pss_mb=system.tree.pss_bytes() / 1e6,
                open_files=system.tree.open_files(),
                p50_ms=seen[len(seen) // 2],
                p99_ms=seen[int(len(seen) * 0.99)],
                cpu_seconds=system.tree.cpu_seconds(),
            )
        )


async def _soak(minutes: float, rate: float, folder: Path) -> _Run:
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(lambda: SinkProtocol(lambda raw: None), "127.0.0.1", 0)
    port = sink.sockets[0].getsockname()[1]
    system = await asyncio.to_thread(start_lurewall, folder, port)
    raws = [sample.raw for sample in (*mix(400, lambda raw: raw), *real_mail(600))]
    run = _Run()
    connections = 4
    until = time.monotonic() + minutes * 60
    try:
        shares = [raws[first::connections] for first in range(connections)]
        senders = [_send(system, share, rate / connections, until, run) for share in shares]
        await asyncio.gather(*senders, _watch(system, until, run))
    finally:
        system.tree.stop()
    return run


def _plot(samples: list[Sample], path: Path) -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, figsize=(9, 8), sharex=True)
    minutes = [sample.minutes for sample in samples]
    axes[0].plot(minutes, [sample.pss_mb for sample in samples])
    axes[0].set_ylabel("memory (PSS), MB")
    axes[1].plot(minutes, [sample.open_files for sample in samples])
    axes[1].set_ylabel("open files")
    axes[2].plot(minutes, [sample.p50_ms for sample in samples], label="p50")
    axes[2].plot(minutes, [sample.p99_ms for sample in samples], label="p99")
    axes[2].set_ylabel("latency, ms")
    axes[2].set_xlabel("minutes")
    axes[2].legend()
    for axis in axes:
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def _report(run: _Run, rate: float) -> str:
    first, last = run.samples[len(run.samples) // 10], run.samples[-1]
    rows = "\n".join(
        f"| {sample.minutes:.1f} | {sample.mails} | {sample.pss_mb:.0f} | {sample.open_files} "
        f"| {sample.p50_ms:.1f} | {sample.p99_ms:.1f} |"
        for sample in run.samples[:: max(1, len(run.samples) // 12)]
    )
    cpu = last.cpu_seconds / last.mails * 1000
    return f"""# Soak

Written by `make soak`; do not edit. One front and two readers on one core, the mix and real mail at
{rate:.0f} a second over four kept connections, for {last.minutes:.0f} minutes: {last.mails} mails,
{run.failed} not taken, {cpu:.2f} ms of CPU each. Memory from a tenth of the run to its end:
{first.pss_mb:.0f} → {last.pss_mb:.0f} MB (PSS of the whole tree; readers are replaced after a thousand
mails).

![memory, open files and latency over time](soak.png)

| minutes | mails | PSS MB | open files | p50 ms | p99 ms |
|---|---|---|---|---|---|
{rows}
"""


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=100.0, help="mails a second")
    parser.add_argument("--output", type=Path, default=DOCS)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    with tempfile.TemporaryDirectory(prefix="lurewall-soak-") as folder:
        run = asyncio.run(_soak(arguments.minutes, arguments.rate, Path(folder)))
    _plot(run.samples, arguments.output / "soak.png")
    (arguments.output / "soak.md").write_text(_report(run, arguments.rate), "utf-8")
    print(f"{run.sent} mails, {run.failed} not taken; wrote {arguments.output}/soak.md")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
