"""`lurewall explain FILE`: why one stored mail gets its verdict, for a person or as JSON.

Judges as `scan` does, without the network. Exit codes: 0; 1 if the input is no mail or cannot be
read, or the output not written; 2 for wrong usage.
"""

import asyncio
import io
import json
import sys
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from milter.app.files import FileJudge, FileOptions
from milter.cli.explain_html import as_page
from milter.cli.explain_text import render
from milter.cli.explanation import Explanation, explain_assessment, explanation_json
from milter.cli.options import (
    FAILED,
    Clock,
    ClockChoice,
    ConfigFile,
    MailFrom,
    Memory,
    RcptTo,
    TrustedIds,
    fail,
    refuse_memory,
    settings_from,
)
from milter.cli.sources import Stored, Unreadable, stored_messages
from milter.mail.message import scan_header
from milter.pipeline import Assessment
from milter.readers.pool import ReadersUnavailable

_OF_MAIL = {
    *(b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"received", b"return-path"),
    *(b"mime-version", b"content-type", b"reply-to", b"sender", b"delivered-to"),
}
_FILE_COLUMNS = 100


class Shape(StrEnum):
    """How an explanation is written."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"


def explain(
    file: Annotated[str, typer.Argument(help="One message: .eml, mbox (also .gz) or -")],
    config: ConfigFile = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to write it.")] = Shape.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="A file; default: standard output.")
    ] = None,
    index: Annotated[int, typer.Option(min=0, help="Which message of an mbox, from 0.")] = 0,
    memory: Memory = "none",
    trust_authserv_id: TrustedIds = None,
    clock: Clock = ClockChoice.NOW,
    mail_from: MailFrom = None,
    rcpt_to: RcptTo = None,
) -> None:
    """Say why one stored message gets its verdict, with the evidence in its text."""
    refuse_memory(memory)
    options = FileOptions(
        settings=settings_from(config, quiet=True),
        trusted_authserv_ids=tuple(trust_authserv_id or ()),
        by_date_header=clock is ClockChoice.DATE_HEADER,
        mail_from=mail_from,
        rcpt_to=tuple(rcpt_to or ()),
        wants_text=True,
    )
    stored = _chosen(file, index)
    try:
        assessment, explanation = asyncio.run(_explained(stored, options))
    except ReadersUnavailable as error:
        fail(f"no reader process could start: {error}", FAILED)
    try:
        _write(stored, assessment, explanation, shape, output)
    except OSError as error:
        fail(f"cannot write {output or 'standard output'}: {error.strerror}", FAILED)


def _chosen(file: str, index: int) -> Stored:
    if file != "-" and Path(file).is_dir():
        fail(f"{file}: is a folder; explain takes one message, scan takes folders")
    stored = next(islice(stored_messages([file]), index, None), None)
    if stored is None:
        fail(f"{file}: has no message {index} (they count from 0)", FAILED)
    if isinstance(stored, Unreadable):
        fail(f"{file}: {stored.reason}", FAILED)
    if not _OF_MAIL & {field.name for field in scan_header(stored.raw).fields}:
        fail(f"{file}: is no mail: no header field that mail has", FAILED)
    return stored


async def _explained(stored: Stored, options: FileOptions) -> tuple[Assessment, Explanation]:
    async with FileJudge(options) as judge:
        assessment = await judge.assess(stored.raw)
        title = f"{stored.path} [{stored.index}]" if stored.index else stored.path
        return assessment, explain_assessment(title, assessment, judge.told)


def _write(
    stored: Stored,
    assessment: Assessment,
    explanation: Explanation,
    shape: Shape,
    output: Path | None,
) -> None:
    """To the file or to standard output; a terminal view in a file has no colour."""
    if shape is Shape.TEXT and output is None:
        render(explanation, Console(soft_wrap=False, highlight=False))
        return
    if shape is Shape.TEXT:
        page = io.StringIO()
        render(explanation, Console(file=page, width=_FILE_COLUMNS, highlight=False))
        text = page.getvalue()
    elif shape is Shape.HTML:
        text = as_page(explanation)
    else:
        entry = explanation_json(stored.path, stored.index, assessment, explanation)
        text = json.dumps(entry, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    else:
        output.write_text(text, "utf-8", errors="backslashreplace")
