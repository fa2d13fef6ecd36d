"""`lurewall erase`, `lurewall export`, `lurewall memory …`: people and what is remembered of them.

`export` writes JSON lines, one a record, that name message, day, and what was kept of it. All but
`new-key` is in the audit log, under the login name; a person is named there by a keyed hash.
Exit codes: 0; 1 if the store did not answer; 2 for wrong usage or configuration.
"""

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from milter.app.memory_access import MemoryAccess, make_key, open_memory
from milter.cli.options import FAILED, ConfigFile, fail, settings_from
from milter.mail.engagement import KeptEvent, KeptSighting, Stage
from milter.ports import CannotKeep, HistoryUnavailable, Unusable

app = typer.Typer(help="The memory of engagements: counts, rulings, keys.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="A mail address, of ours or from outside.")]


def erase(address: Address, config: ConfigFile = None) -> None:
    """Erase all that is remembered of a person, as recipient or as sender."""

    def told(count: int) -> None:
        if sys.stderr.isatty():
            print(f"\rerased {count} ...", end="", file=sys.stderr)

    async def work(access: MemoryAccess) -> None:
        count = await access.erase(_checked(address), told)
        print(f"erased {count} records")

    _run(config, work)


def export(address: Address, config: ConfigFile = None) -> None:
    """Write all that is remembered of a person as JSON lines."""

    async def work(access: MemoryAccess) -> None:
        async for kept in access.export(_checked(address)):
            print(json.dumps(_as_json(kept), ensure_ascii=False, default=_plain))

    _run(config, work)


@app.command()
def counts(config: ConfigFile = None) -> None:
    """How much is remembered; takes long on a large store."""

    async def work(access: MemoryAccess) -> None:
        print(json.dumps(asdict(await access.counts())))

    _run(config, work)


@app.command()
def rule(
    persona: Annotated[str, typer.Argument(help="The address of the persona.")],
    recipient: Annotated[str, typer.Option("--for", help="To which of our people.")],
    stage: Annotated[
        str, typer.Option(help="none, approach, move, task, bind: what came so far weighs no more.")
    ] = "none",
    reason: Annotated[str, typer.Option(help="Why; it is kept with the ruling.")] = "",
    config: ConfigFile = None,
) -> None:
    """Decide that an engagement so far was less than it looked."""
    stages = {one.name.lower(): one for one in Stage if one < Stage.ESCALATE}
    if stage not in stages:
        fail(f"--stage {stage}: one of {', '.join(stages)}")

    async def work(access: MemoryAccess) -> None:
        await access.rule(_checked(persona), _checked(recipient), stages[stage], reason)

    _run(config, work)


@app.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist.")],
) -> None:
    """Make a key for the memory, to be copied to every gateway of one store."""
    if file.exists():
        fail(f"{file}: is there already; a key is never overwritten")
    try:
        make_key(file)
    except Unusable as error:
        fail(str(error))


def _run(config: Path | None, work: Callable[[MemoryAccess], Awaitable[None]]) -> None:
    settings = settings_from(config, quiet=True)

    async def run() -> None:
        async with open_memory(settings, getpass.getuser()) as access:
            await work(access)

    try:
        asyncio.run(run())
    except Unusable as error:
        fail(str(error))
    except (HistoryUnavailable, CannotKeep) as error:
        fail(f"the store does not answer: {error}", FAILED)


def _checked(address: str) -> str:
    local, _, domain = address.strip().lower().rpartition("@")
    if not local or not domain or " " in address.strip():
        fail(f"{address!r} is no mail address")
    return f"{local}@{domain}"


def _as_json(kept: KeptEvent | KeptSighting) -> dict[str, Any]:
    if isinstance(kept, KeptSighting):
        return {"record": "sighting", "as": kept.role, **asdict(kept.origin)}
    kind = type(kept.event).__name__.lower()
    owner = "recipient" if kept.in_own_dossier else "persona"
    return {"record": kind, "as": owner, **asdict(kept.event)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
