"""`lurewall apply FILE.eml`: the message as it would leave, byte for byte, on standard output.

For a message that would be held: as it would be released, annotated. The JSON line of the scan
contract goes to standard error, with one key more, `edit`: what became of the banner, and every
span of the original that was not touched, where it stands now, and its hash. Exit codes: 0, 1
unreadable input, 2 wrong usage.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from milter.act.plan import Acted
from milter.app.files import FileJudge, FileOptions
from milter.cli.options import (
    FAILED,
    ConfigFile,
    Memory,
    TrustedIds,
    fail,
    refuse_memory,
    settings_from,
)
from milter.cli.report import as_json
from milter.cli.sources import Stored, Unreadable, stored_messages
from milter.mail.verdict import Mode
from milter.pipeline import Assessment


def apply(
    file: Annotated[str, typer.Argument(help="One message: .eml or -")],
    config: ConfigFile = None,
    mode: Annotated[Mode, typer.Option(help="How far the gateway may go.")] = Mode.ANNOTATE,
    memory: Memory = "none",
    trust_authserv_id: TrustedIds = None,
) -> None:
    """Write the message as it would leave the gateway."""
    refuse_memory(memory)
    stored = next(iter(stored_messages([file])), None)
    if stored is None or isinstance(stored, Unreadable):
        fail(f"{file}: {stored.reason if stored else 'no message'}", FAILED)
    options = FileOptions(
        settings=settings_from(config, quiet=True),
        trusted_authserv_ids=tuple(trust_authserv_id or ()),
        mode=mode,
        readers=1,
    )
    assessment, acted = asyncio.run(_apply(stored, options))
    sys.stdout.buffer.write(acted.raw)
    sys.stdout.buffer.flush()
    record = {**as_json(stored.path, stored.index, assessment), "edit": _edit(acted)}
    print(json.dumps(record, ensure_ascii=False), file=sys.stderr)


def _edit(acted: Acted) -> dict[str, object]:
    return {
        "banner": acted.banner.value,
        "problem": acted.problem,
        "parts": [asdict(part) for part in acted.parts],
        "untouched": [asdict(span) for span in acted.untouched],
    }


async def _apply(stored: Stored, options: FileOptions) -> tuple[Assessment, Acted]:
    async with FileJudge(options) as judge:
        return await judge.apply(stored.raw)
