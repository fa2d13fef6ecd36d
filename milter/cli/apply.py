"""`lurewall apply FILE.eml`: the message as it would leave, byte for byte, on standard output.

For a message that would be held: as it would be released, annotated. The JSON line of the scan
contract goes to standard error. Exit codes: 0, 1 unreadable input, 2 wrong usage.
"""

import asyncio
import json
import sys
from typing import Annotated

import typer

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
    assessment, leaving = asyncio.run(_apply(stored, options))
    sys.stdout.buffer.write(leaving)
    sys.stdout.buffer.flush()
    line = json.dumps(as_json(stored.path, stored.index, assessment), ensure_ascii=False)
    print(line, file=sys.stderr)


async def _apply(stored: Stored, options: FileOptions) -> tuple[Assessment, bytes]:
    async with FileJudge(options) as judge:
        return await judge.apply(stored.raw)
