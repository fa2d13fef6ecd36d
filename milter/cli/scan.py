"""`lurewall scan PATH...`: what enforce mode would do with stored mail, and why.

JSON lines in input order are a contract (docs/cli.md). Uses all cores, never the network.
Exit codes: 0; 1 if some input could not be read (named on standard error, the rest is scanned);
2 for wrong usage.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from milter.app.files import FileJudge, FileOptions
from milter.cli.options import (
    FAILED,
    Clock,
    ClockChoice,
    ConfigFile,
    MailFrom,
    Memory,
    RcptTo,
    TrustedIds,
    refuse_memory,
    settings_from,
)
from milter.cli.report import as_json, strictest
from milter.cli.sources import Stored, Unreadable, stored_messages
from milter.pipeline import Assessment

Judged = tuple[Stored, Assessment]


def scan(
    paths: Annotated[list[str], typer.Argument(help=".eml, folder, mbox (also .gz), Maildir or -")],
    config: ConfigFile = None,
    output: Annotated[str, typer.Option("--format", help="table or json")] = "table",
    memory: Memory = "none",
    trust_authserv_id: TrustedIds = None,
    clock: Clock = ClockChoice.NOW,
    mail_from: MailFrom = None,
    rcpt_to: RcptTo = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Reader processes; default: all cores.")
    ] = None,
) -> None:
    """Judge stored messages as enforce mode would, each alone."""
    if output not in ("table", "json"):
        raise typer.BadParameter("must be table or json", param_hint="--format")
    refuse_memory(memory)
    options = FileOptions(
        settings=settings_from(config, quiet=True),
        trusted_authserv_ids=tuple(trust_authserv_id or ()),
        by_date_header=clock is ClockChoice.DATE_HEADER,
        mail_from=mail_from,
        rcpt_to=tuple(rcpt_to or ()),
        readers=jobs or os.cpu_count() or 1,
    )
    unreadable = asyncio.run(_scan(paths, options, output))
    for item in unreadable:
        print(f"lurewall: {item.path}: {item.reason}", file=sys.stderr)
    if unreadable:
        raise typer.Exit(FAILED)


async def _scan(paths: list[str], options: FileOptions, output: str) -> list[Unreadable]:
    unreadable: list[Unreadable] = []
    table = _table() if output == "table" else None
    with progress_bar() as progress:
        task = progress.add_task("scan", total=None)
        async for stored, assessment in _judged(paths, options, unreadable):
            progress.advance(task)
            if table is None:
                line = json.dumps(
                    as_json(stored.path, stored.index, assessment), ensure_ascii=False
                )
                sys.stdout.write(line + "\n")
            else:
                _add_row(table, stored, assessment)
    sys.stdout.flush()
    if table is not None:
        Console().print(table)
    return unreadable


async def _judged(
    paths: list[str], options: FileOptions, unreadable: list[Unreadable]
) -> AsyncIterator[Judged]:
    """In input order, with as many under way as there are readers and a few in wait."""
    waiting: list[tuple[Stored, asyncio.Task[Assessment]]] = []
    async with FileJudge(options) as judge:
        for item in stored_messages(paths):
            if isinstance(item, Unreadable):
                unreadable.append(item)
                continue
            waiting.append((item, asyncio.create_task(judge.assess(item.raw))))
            if len(waiting) >= options.readers * 4:
                stored, task = waiting.pop(0)
                yield stored, await task
        for stored, task in waiting:
            yield stored, await task


def progress_bar() -> Progress:
    """On standard error, so that output stays clean; nothing where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _table() -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("message", "disposition", "label"):
        table.add_column(name, overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("reasons", overflow="fold")
    return table


def _add_row(table: Table, stored: Stored, assessment: Assessment) -> None:
    verdict = assessment.verdict
    name = Path(stored.path).name + (f"[{stored.index}]" if stored.index else "")
    reasons = ", ".join(
        f"{weighed.finding.code} {weighed.weight_db:+.1f}"
        for weighed in verdict.findings
        if weighed.weight_db
    )
    table.add_row(
        name,
        strictest(assessment),
        verdict.label.value,
        f"{verdict.score_db:.1f}",
        "; ".join(filter(None, (reasons, *verdict.degraded))),
    )
