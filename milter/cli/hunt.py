"""`lurewall hunt PATH...`: past engagements in mailboxes of years, replayed in date order.

Every message is judged with a memory of what came before it, as a gateway would have judged it
then. Uses all cores, never the network; goes on where it was cut short. The report is JSON, CSV or
one HTML page.
Exit codes: 0; 1 if some input could not be read (named on standard error, the rest is hunted
through); 2 for wrong usage.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from milter.app.files import FileOptions
from milter.app.replay import Replay
from milter.cli.hunt_report import as_csv, as_document, as_page, engagements
from milter.cli.hunt_state import HuntState
from milter.cli.options import FAILED, ConfigFile, TrustedIds, fail, settings_from
from milter.cli.report import as_json
from milter.cli.scan import progress_bar
from milter.mail.verdict import Label
from milter.pipeline import Assessment

_MARK_EVERY = 100
_ODD = "backslashreplace"  # file names may hold what is no UTF-8


def hunt(
    paths: Annotated[list[str], typer.Argument(help=".eml, folder, mbox (also .gz) or Maildir")],
    config: ConfigFile = None,
    state: Annotated[
        Path, typer.Option(help="Folder for index and memory; a cut run goes on from it.")
    ] = Path("lurewall-hunt"),
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write a .json, .csv or .html report; may be given several times."),
    ] = None,
    trust_authserv_id: TrustedIds = None,
    believe_notices: Annotated[
        bool,
        typer.Option(
            help="Take networks' notifications for genuine by their form: for mail without "
            "recorded results of authentication."
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Reader processes; default: all cores.")
    ] = None,
) -> None:
    """Find past engagements in stored mail."""
    reports = report or []
    if "-" in paths:
        fail("hunt reads its mail twice: name files and folders, not standard input")
    for path in reports:
        if path.suffix not in (".json", ".csv", ".html"):
            fail(f"--report {path}: must end in .json, .csv or .html")
    options = FileOptions(
        settings=settings_from(config, quiet=True),
        trusted_authserv_ids=tuple(trust_authserv_id or ()),
        by_date_header=True,
        readers=jobs or os.cpu_count() or 1,
        believes_notices=believe_notices,
    )
    hunted = HuntState(state)
    try:
        purpose = json.dumps([sorted(paths), list(options.trusted_authserv_ids), believe_notices])
        if not hunted.belongs_to(purpose):
            fail(f"--state {state}: is of another hunt; name another folder")
        unreadable = asyncio.run(_hunt(hunted, paths, options))
        _write(hunted, reports)
    finally:
        hunted.close()
    for item in unreadable:
        print(f"lurewall: {item.path}: {item.reason}", file=sys.stderr)
    if unreadable:
        raise typer.Exit(FAILED)


async def _hunt(hunted: HuntState, paths: list[str], options: FileOptions) -> list[Any]:
    with progress_bar() as progress:
        task = progress.add_task("index", total=None)
        unreadable = hunted.index(paths, told=lambda count: progress.update(task, completed=count))
        progress.update(task, total=hunted.total, completed=hunted.position)
        async with Replay(options, hunted.folder) as replay:
            await _replay(hunted, replay, lambda: progress.advance(task))
    return unreadable


async def _replay(hunted: HuntState, replay: Replay, advanced: Any) -> None:
    places: dict[int, tuple[str, int]] = {}

    def messages() -> Any:
        for dated, path, number in hunted.messages():
            places[dated.position] = (path, number)
            yield dated

    found: list[tuple[int, dict[str, Any]]] = []
    position = hunted.position
    async for dated, assessment in replay.judged(messages()):
        path, number = places.pop(dated.position)
        if assessment is not None and _is_of_interest(assessment):
            found.append((dated.position, _row(path, number, dated.at.isoformat(), assessment)))
        position = dated.position + 1
        advanced()
        if position % _MARK_EVERY == 0:
            hunted.advance(position, found)
            found = []
    hunted.advance(position, found)


def _is_of_interest(assessment: Assessment) -> bool:
    """What is marked, or what memory has something to say of."""
    verdict = assessment.verdict
    return verdict.label not in (Label.CLEAN, Label.INFO) or any(
        row.family == "memory" and row.weight_db > 0 for row in verdict.findings
    )


def _row(path: str, number: int, at: str, assessment: Assessment) -> dict[str, Any]:
    reading = assessment.reading
    header = assessment.header
    told = as_json(path, number, assessment)
    return {
        "at": at,
        "path": path,
        "index": number,
        "message_id": told["message_id"],
        "header_from": header.header_from[0].address.lower() if header.header_from else "",
        "name": header.header_from[0].display_name if header.header_from else "",
        "recipients": [
            recipient.path.mailbox.address
            for disposition in assessment.dispositions
            for recipient in disposition.recipients
            if recipient.path.mailbox
        ],
        "subject": header.subject,
        "disposition": told["disposition"],
        "verdict": told["verdict"],
        "findings": [row for row in told["findings"] if row["weight_db"]],
        "handles": sorted(
            {
                one.value
                for one in (reading.analysis.entities if reading and reading.analysis else ())
                if one.type in ("handle", "phone")
            }
        ),
        "degraded": told["degraded"],
    }


def _write(hunted: HuntState, reports: list[Path]) -> None:
    found = engagements(hunted.rows())
    document = as_document(found, messages=hunted.total, judged=hunted.position)
    for path in reports:
        match path.suffix:
            case ".json":
                path.write_text(
                    json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8", _ODD
                )
            case ".csv":
                path.write_text(as_csv(found), "utf-8", _ODD, newline="")
            case _:
                path.write_text(as_page(document), "utf-8", _ODD)
    print(
        f"messages judged: {hunted.position} of {hunted.total}; engagements: {len(found)}; "
        f"messages in them: {sum(len(one['messages']) for one in found)}"
    )
