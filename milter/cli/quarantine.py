"""`lurewall quarantine list|show|release|delete`: people and held mail.

JSON lines are a contract (docs/quarantine.md). Every view and act is in the store's audit log under
the login name. Decides nothing itself: act/quarantine.py does.
Exit codes: 0; 1 if a hold was not found, could not be read, was refused (with the next hop's
reply) or is in the wrong state; 2 for wrong usage or configuration.
"""

import asyncio
import getpass
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from milter.act import quarantine
from milter.app.quarantine_access import QuarantineAccess, open_quarantine
from milter.cli.hold_view import as_json, as_line, as_page, header_lines, path_text, preview_lines
from milter.cli.options import FAILED, USAGE, ConfigFile, fail, settings_from
from milter.mail.quarantine import FINAL_STATES, HoldState, QuarantineRecord
from milter.mail.reply import Reply
from milter.mail.visible import visible
from milter.ports import CannotKeep, HoldBusy, HoldDamaged, HoldMissing, Unusable

_REPLY_LONGEST = 500
_SPAN = re.compile(r"(\d{1,5})([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

app = typer.Typer(help="Look at held mail, release it, delete it.", no_args_is_help=True)


class Format(StrEnum):
    """For people or for programs."""

    TABLE = "table"
    JSON = "json"


def parse_since(value: str) -> datetime:
    """A date, a time (ISO 8601, UTC unless it says otherwise) or a span: 30m, 6h, 2d, 1w."""
    span = _SPAN.fullmatch(value)
    if span:
        return datetime.now(UTC) - timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter("a date, a time or a span such as 30m, 6h, 2d, 1w") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Ids = Annotated[list[str], typer.Argument(help="Ids of holds.", show_default=False)]
SomeIds = Annotated[list[str] | None, typer.Argument(help="Ids of holds.", show_default=False)]
Output = Annotated[Format, typer.Option("--format", help="For people or for programs.")]
OfRule = Annotated[
    str | None, typer.Option("--all-of-rule", help="All that is held by this policy row.")
]
Since = Annotated[
    datetime | None,
    typer.Option(parser=parse_since, metavar="WHEN", help="Held since: a date, a time, or 6h, 2d."),
]


@app.command("list")
def list_holds(
    config: ConfigFile = None,
    output: Output = Format.TABLE,
    all_of_rule: OfRule = None,
    since: Since = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was released, deleted or has expired.")
    ] = False,
) -> None:
    """List what is held, oldest first."""

    async def work(access: QuarantineAccess) -> int:
        records, damaged = await quarantine.view_list(
            access.store, by=_who(), at=access.clock.now()
        )
        for record in _selected(records, all_of_rule, since):
            if everything or record.state not in FINAL_STATES:
                print(_json(as_json(record)) if output is Format.JSON else as_line(record))
        for quarantine_id in damaged:
            _complain(quarantine_id, "its files are damaged; see docs/quarantine.md")
        return FAILED if damaged else 0

    _run(config, work)


@app.command()
def show(
    ids: Ids,
    config: ConfigFile = None,
    output: Output = Format.TABLE,
    raw: Annotated[
        bool, typer.Option("--raw", help="The original octets, exactly, on standard output.")
    ] = False,
) -> None:
    """Show record, reasons with evidence, header and text; nothing in it can act."""
    if raw and len(ids) != 1:
        raise typer.BadParameter("takes one id", param_hint="--raw")

    async def show_one(access: QuarantineAccess, quarantine_id: str) -> bool:
        who, now = _who(), access.clock.now()
        if raw:
            octets = await quarantine.view_raw(access.store, quarantine_id, by=who, at=now)
            sys.stdout.buffer.write(octets)
            sys.stdout.buffer.flush()
            return True
        record = await quarantine.view(access.store, quarantine_id, by=who, at=now)
        content = None
        if record.state not in FINAL_STATES:
            content = await access.store.read_raw(quarantine_id)
        if output is Format.TABLE:
            print("\n".join(as_page(record, content)))
        else:
            page = as_json(record)
            if content is not None:
                page |= {"header": header_lines(content), "text": preview_lines(content)}
            print(_json(page))
        return True

    _run(config, lambda access: _each(ids, lambda one: show_one(access, one)))


@app.command()
def release(
    ids: SomeIds = None,
    config: ConfigFile = None,
    output: Output = Format.TABLE,
    all_of_rule: OfRule = None,
    since: Since = None,
    to: Annotated[
        list[str] | None, typer.Option(help="Only to this recipient (may be repeated).")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Send although an earlier release may have been delivered."),
    ] = False,
) -> None:
    """Send held mail to its recipients; done means that the next hop said 250."""
    only = tuple(address.strip("<>").encode() for address in to or ())

    async def release_one(access: QuarantineAccess, quarantine_id: str) -> bool:
        record = await access.store.find(quarantine_id)
        outcome = await quarantine.release(
            access.store,
            quarantine_id,
            access.next_hop_of(record.role),
            by=_who(),
            clock=access.clock,
            only=only,
            again=again,
        )
        _say_released(outcome, output)
        return outcome.reply.is_positive

    async def work(access: QuarantineAccess) -> int:
        chosen = await _chosen(access, ids or [], all_of_rule, since)
        return await _each(chosen, lambda one: release_one(access, one))

    _run(config, work)


@app.command()
def delete(
    ids: SomeIds = None,
    config: ConfigFile = None,
    output: Output = Format.TABLE,
    all_of_rule: OfRule = None,
    since: Since = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase held mail; who and when stays on record."""

    async def delete_one(access: QuarantineAccess, quarantine_id: str) -> bool:
        record = await quarantine.delete(
            access.store, quarantine_id, by=_who(), at=access.clock.now()
        )
        print(_json(as_json(record)) if output is Format.JSON else f"{quarantine_id}: deleted")
        return True

    async def work(access: QuarantineAccess) -> int:
        chosen = await _chosen(access, ids or [], all_of_rule, since)
        if chosen and not yes:
            typer.confirm(f"Erase {len(chosen)} held message(s) for good?", abort=True, err=True)
        return await _each(chosen, lambda one: delete_one(access, one))

    _run(config, work)


def _run(config: Path | None, work: Callable[[QuarantineAccess], Awaitable[int]]) -> None:
    settings = settings_from(config, quiet=True)

    async def opened() -> int:
        async with open_quarantine(settings) as access:
            return await work(access)

    try:
        code = asyncio.run(opened())
    except Unusable as error:
        fail(str(error), USAGE)
    except CannotKeep as error:
        fail(f"the quarantine could not be written: {error}", FAILED)
    if code:
        raise typer.Exit(code)


async def _each(ids: Sequence[str], act: Callable[[str], Awaitable[bool]]) -> int:
    """All of them, whatever becomes of each; the exit code."""
    code = 0
    for quarantine_id in ids:
        try:
            if not await act(quarantine_id):
                code = FAILED
        except HoldMissing:
            code = _complain(quarantine_id, "not found, or its content is erased")
        except HoldBusy:
            code = _complain(quarantine_id, "another process is at work on it; try again")
        except HoldDamaged as error:
            code = _complain(quarantine_id, f"damaged: {error}")
        except quarantine.WrongState as error:
            code = _complain(quarantine_id, f"is {error.record.state}")
        except quarantine.NoSuchRecipient:
            code = _complain(quarantine_id, "no such recipient waits for it")
    return code


async def _chosen(
    access: QuarantineAccess, ids: list[str], rule: str | None, since: datetime | None
) -> list[str]:
    """The ids given, or all that is held and selected by rule and time."""
    if bool(ids) == bool(rule or since):
        fail("give either ids or --all-of-rule and --since", USAGE)
    if ids:
        return list(dict.fromkeys(ids))
    records, damaged = await quarantine.view_list(access.store, by=_who(), at=access.clock.now())
    for quarantine_id in damaged:
        _complain(quarantine_id, "its files are damaged")
    return [
        record.quarantine_id
        for record in _selected(records, rule, since)
        if record.state is HoldState.HELD
    ]


def _selected(
    records: Sequence[QuarantineRecord], rule: str | None, since: datetime | None
) -> list[QuarantineRecord]:
    return [
        record
        for record in records
        if (rule is None or record.rule == rule) and (since is None or record.received_at >= since)
    ]


def _say_released(outcome: quarantine.ReleaseOutcome, output: Format) -> None:
    record, reply = outcome.record, _reply_text(outcome.reply)
    if output is Format.JSON:
        print(_json({**as_json(record), "sent": outcome.sent, "reply": reply}))
        return
    text = f"{record.quarantine_id}: {record.state}"
    if record.state is HoldState.RELEASING:
        text += ", outcome unknown; look at the next hop's log, then release --again or delete"
    elif record.state is HoldState.HELD:
        waiting = ", ".join(visible(path_text(one.path), 80) for one in record.unreleased[:5])
        text += f" for {waiting}"
    elif not outcome.sent:
        text += f" before, by {record.decided_by}"
    print(f"{text}: {reply}", file=sys.stdout if outcome.reply.is_positive else sys.stderr)


def _reply_text(reply: Reply) -> str:
    lines = b" ".join(reply.lines).decode("utf-8", "backslashreplace")
    return visible(f"{reply.code} {lines}", _REPLY_LONGEST)


def _who() -> str:
    """The login name; behind sudo that of the person, not root."""
    return f"cli:{os.environ.get('SUDO_USER') or getpass.getuser()}"


def _json(value: dict[str, Any]) -> str:
    """ASCII only: so no character of a stranger reaches the terminal."""
    return json.dumps(value)


def _complain(quarantine_id: str, what: str) -> int:
    print(f"lurewall: {visible(quarantine_id, 60)}: {what}", file=sys.stderr)
    return FAILED
