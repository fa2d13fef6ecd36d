"""Release: exact, once, and done only after the next hop's 250."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from milter.act.quarantine import (
    TRANSITIONS,
    NoSuchRecipient,
    ReleaseOutcome,
    WrongState,
    delete,
    moved,
    release,
    view,
    view_list,
    view_raw,
)
from milter.adapters.files_quarantine import FilesQuarantine
from milter.demo.inner_server import Fault, InnerServer
from milter.mail.address import NULL_PATH
from milter.mail.envelope import Envelope
from milter.mail.quarantine import FINAL_STATES, HoldState
from milter.mail.reply import Reply
from milter.ports import CannotKeep, DataReply, HoldBusy, HoldDamaged, HoldMissing, NextHop
from milter.relay.next_hop import SmtpNextHop
from milter.relay.options import NextHopOptions
from tests.support.holds import (
    NOW,
    OK,
    RELEASE_RAW,
    Clock,
    ScriptedHop,
    failure,
    held,
    hold,
    open_store,
    recipient,
)

INA, OLE = b"ina@example.org", b"ole@example.org"
BUSY = Reply(code=451, lines=(b"4.3.0 Try again",))
UNKNOWN = Reply(code=550, lines=(b"5.1.1 Unknown user",))


@pytest.fixture
def store(tmp_path: Path) -> FilesQuarantine:
    return open_store(tmp_path)


@pytest.fixture
async def inner() -> AsyncIterator[InnerServer]:
    async with InnerServer() as server:
        yield server


async def released(
    store: FilesQuarantine, quarantine_id: str, hop: NextHop, **options: Any
) -> ReleaseOutcome:
    return await release(store, quarantine_id, hop, by="cli:ina", clock=Clock(), **options)


async def state_of(store: FilesQuarantine, quarantine_id: str) -> HoldState:
    return (await store.find(quarantine_id)).state


def audited(tmp_path: Path) -> list[tuple[str, str]]:
    lines = (tmp_path / "audit.log").read_text().splitlines()
    return [(entry["act"], entry["detail"]) for entry in map(json.loads, lines)]


async def test_sends_the_release_octets_with_the_original_envelope(
    store: FilesQuarantine, tmp_path: Path
) -> None:
    (quarantine_id,) = await held(store)
    hop = ScriptedHop()
    outcome = await released(store, quarantine_id, hop)
    assert (outcome.reply, outcome.sent) == (OK, True)
    assert outcome.record.state is HoldState.RELEASED
    assert outcome.record == await store.find(quarantine_id)
    assert (outcome.record.decided_by, outcome.record.decided_at) == ("cli:ina", NOW)
    size = b"SIZE=%d" % len(RELEASE_RAW)
    ((reverse_path, parameters, recipients, raw),) = hop.sent
    assert reverse_path == b"mara@consult.example.net"
    assert parameters == (size, b"BODY=8BITMIME", b"RET=HDRS", b"ENVID=QQ314159")
    assert recipients == hold().envelope.recipients
    assert raw == RELEASE_RAW
    assert hop.connections[0].client_ip == "192.0.2.7"
    assert hop.closed == 1
    assert audited(tmp_path) == [("release", ""), ("released", "250")]


async def test_twice_sends_once(store: FilesQuarantine) -> None:
    (quarantine_id,) = await held(store)
    hop = ScriptedHop()
    await released(store, quarantine_id, hop)
    second = await released(store, quarantine_id, hop)
    assert (second.sent, second.reply.code, len(hop.sent)) == (False, 250, 1)


async def test_two_at_once_send_once(store: FilesQuarantine) -> None:
    (quarantine_id,) = await held(store)
    hop = ScriptedHop()
    results = await asyncio.gather(
        *(released(store, quarantine_id, hop) for _ in range(5)), return_exceptions=True
    )
    assert len(hop.sent) == 1
    assert sum(isinstance(one, ReleaseOutcome) and one.sent for one in results) == 1
    for result in results:
        assert isinstance(result, ReleaseOutcome | HoldBusy)


async def test_the_state_says_releasing_while_the_dot_may_be_out(
    store: FilesQuarantine, tmp_path: Path
) -> None:
    (quarantine_id,) = await held(store)
    endings: list[str] = []

    async def look() -> None:
        endings.extend(sorted(path.suffix for path in (tmp_path / "holds").iterdir()))

    await released(store, quarantine_id, ScriptedHop(before_data=look))
    assert endings == [".mail", ".releasing"]


@pytest.mark.parametrize(
    ("hop", "code"),
    [
        (ScriptedHop(opening=failure("connect")), 451),
        (ScriptedHop(mail=BUSY), 451),
        (ScriptedHop(mail=UNKNOWN), 550),
        (ScriptedHop(mail=failure("mail")), 451),
        (ScriptedHop(rcpt={INA: UNKNOWN, OLE: BUSY}), 550),
        (ScriptedHop(data=DataReply(reply=BUSY, stage="data")), 451),
        (ScriptedHop(data=DataReply(reply=UNKNOWN, stage="end_of_data")), 550),
        (ScriptedHop(data=failure("data")), 451),
    ],
    ids=["connect", "mail4", "mail5", "mail-lost", "rcpt", "data", "dot", "data-lost"],
)
async def test_a_refusal_leaves_it_held_with_the_reply(
    store: FilesQuarantine, tmp_path: Path, hop: ScriptedHop, code: int
) -> None:
    (quarantine_id,) = await held(store)
    outcome = await released(store, quarantine_id, hop)
    assert (outcome.reply.code, outcome.sent) == (code, False)
    assert await state_of(store, quarantine_id) is HoldState.HELD
    assert audited(tmp_path)[-1] == ("release_refused", str(code))
    outcome = await released(store, quarantine_id, ScriptedHop())
    assert outcome.record.state is HoldState.RELEASED


async def test_a_lost_connection_at_the_dot_stays_releasing_until_a_person_decides(
    store: FilesQuarantine, tmp_path: Path
) -> None:
    (quarantine_id,) = await held(store)
    outcome = await released(
        store, quarantine_id, ScriptedHop(data=failure("end_of_data", ambiguous=True))
    )
    assert (outcome.reply.code, outcome.sent) == (451, False)
    assert outcome.record.state is HoldState.RELEASING
    assert audited(tmp_path)[-1] == ("release_unknown", "451")
    hop = ScriptedHop()
    outcome = await released(store, quarantine_id, hop)
    assert (outcome.reply.code, hop.sent) == (451, [])
    # A refusal before the data says nothing about the earlier outcome.
    await released(store, quarantine_id, ScriptedHop(mail=BUSY), again=True)
    assert await state_of(store, quarantine_id) is HoldState.RELEASING
    outcome = await released(store, quarantine_id, hop, again=True)
    assert (outcome.record.state, len(hop.sent)) == (HoldState.RELEASED, 1)


async def test_cancelled_at_the_dot_stays_releasing(store: FilesQuarantine) -> None:
    (quarantine_id,) = await held(store)

    async def hang() -> None:
        at_dot.set()
        await asyncio.Event().wait()

    at_dot = asyncio.Event()
    task = asyncio.create_task(released(store, quarantine_id, ScriptedHop(before_data=hang)))
    await at_dot.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await state_of(store, quarantine_id) is HoldState.RELEASING
    assert (await released(store, quarantine_id, ScriptedHop(), again=True)).sent


async def test_who_was_refused_is_still_held(store: FilesQuarantine) -> None:
    (quarantine_id,) = await held(store)
    hop = ScriptedHop(rcpt={INA: UNKNOWN})
    outcome = await released(store, quarantine_id, hop)
    assert (outcome.reply, outcome.sent) == (UNKNOWN, True)
    assert outcome.record.state is HoldState.HELD
    assert [one.path.raw for one in outcome.record.unreleased] == [INA]
    second = ScriptedHop()
    outcome = await released(store, quarantine_id, second)
    assert [one.path.raw for one in second.sent[0][2]] == [INA]
    assert outcome.record.state is HoldState.RELEASED


async def test_lmtp_answers_for_each_recipient(store: FilesQuarantine) -> None:
    (quarantine_id,) = await held(store)
    answer = DataReply(reply=BUSY, stage="end_of_data", per_recipient=(OK, BUSY))
    outcome = await released(store, quarantine_id, ScriptedHop(data=answer))
    assert (outcome.reply, outcome.sent) == (BUSY, True)
    assert outcome.record.released_to == (INA,)
    hop = ScriptedHop()
    await released(store, quarantine_id, hop)
    assert [one.path.raw for one in hop.sent[0][2]] == [OLE]


async def test_only_some_recipients(store: FilesQuarantine) -> None:
    """A release for one recipient of a list does not hit the others."""
    (quarantine_id,) = await held(store)
    hop = ScriptedHop()
    outcome = await released(store, quarantine_id, hop, only=(OLE,))
    assert [one.path.raw for one in hop.sent[0][2]] == [OLE]
    assert (outcome.record.state, outcome.reply) == (HoldState.HELD, OK)
    with pytest.raises(NoSuchRecipient):
        await released(store, quarantine_id, hop, only=(OLE,))
    with pytest.raises(NoSuchRecipient):
        await released(store, quarantine_id, hop, only=(b"nobody@example.org",))
    outcome = await released(store, quarantine_id, hop)
    assert outcome.record.state is HoldState.RELEASED
    assert [one.path.raw for one in hop.sent[1][2]] == [INA]


async def test_nothing_is_sent_where_the_state_cannot_be_kept(
    store: FilesQuarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quarantine_id,) = await held(store)
    hop = ScriptedHop()

    async def full(_: object) -> None:
        raise CannotKeep("full")

    for method in ("replace", "audit"):
        with monkeypatch.context() as patch:
            patch.setattr(store, method, full)
            with pytest.raises(CannotKeep):
                await released(store, quarantine_id, hop)
    assert hop.sent == []
    assert await state_of(store, quarantine_id) is HoldState.HELD


async def test_nothing_is_sent_of_a_damaged_hold(store: FilesQuarantine, tmp_path: Path) -> None:
    (quarantine_id,) = await held(store)
    mail = tmp_path / "holds" / f"{quarantine_id}.mail"
    mail.write_bytes(mail.read_bytes()[:-1] + b"?")
    hop = ScriptedHop()
    with pytest.raises(HoldDamaged):
        await released(store, quarantine_id, hop)
    assert (hop.sent, hop.connections) == ([], [])


async def test_through_a_real_connection(store: FilesQuarantine, inner: InnerServer) -> None:
    raw = b"Subject: =\xc3\xa9\r\n\r\n.\r\n..\r\n.x\r\nno line end"
    envelope = Envelope(
        reverse_path=NULL_PATH,
        mail_parameters=(b"BODY=8BITMIME", b"SMTPUTF8", b"RET=FULL", b"ENVID=a+2Bb"),
        recipients=(
            recipient("jörg@example.org", b"NOTIFY=SUCCESS,DELAY", b"ORCPT=utf-8;j"),
            recipient("ole@example.org", b"NOTIFY=NEVER"),
        ),
        smtputf8=True,
    )
    (quarantine_id,) = await held(store, hold(envelope=envelope, raw=b"x", release_raw=raw))
    hop = SmtpNextHop(NextHopOptions(host=inner.host, port=inner.port), Clock())
    outcome = await released(store, quarantine_id, hop)
    await hop.aclose()
    assert outcome.record.state is HoldState.RELEASED
    (message,) = inner.messages
    assert message.reverse_path == b""
    assert message.mail_parameters == envelope.mail_parameters
    assert message.recipients == tuple(one.path.raw for one in envelope.recipients)
    assert message.rcpt_parameters == tuple(one.parameters for one in envelope.recipients)
    assert message.raw.removesuffix(b"\r\n") == raw


@pytest.mark.parametrize(
    ("fault", "state", "kept"),
    [
        (Fault(stage="rcpt", reply=b"450 4.2.1 busy\r\n"), HoldState.HELD, 0),
        (Fault(stage="end_of_data", reply=b"552 5.2.2 full\r\n"), HoldState.HELD, 0),
        (Fault(stage="data", drop=True), HoldState.HELD, 0),
        (Fault(stage="end_of_data", drop=True), HoldState.RELEASING, 1),
    ],
)
async def test_real_faults(
    store: FilesQuarantine, inner: InnerServer, fault: Fault, state: HoldState, kept: int
) -> None:
    inner.faults.append(fault)
    (quarantine_id,) = await held(store)
    hop = SmtpNextHop(NextHopOptions(host=inner.host, port=inner.port), Clock())
    outcome = await released(store, quarantine_id, hop)
    await hop.aclose()
    assert not outcome.reply.is_positive
    assert await state_of(store, quarantine_id) is state
    assert len(inner.messages) == kept


async def test_delete_erases_and_remembers(store: FilesQuarantine, tmp_path: Path) -> None:
    (quarantine_id,) = await held(store)
    record = await delete(store, quarantine_id, by="cli:ina", at=NOW)
    assert (record.state, record.decided_by) == (HoldState.DELETED, "cli:ina")
    assert await store.find(quarantine_id) == record
    with pytest.raises(HoldMissing):
        await store.read_raw(quarantine_id)
    with pytest.raises(WrongState):
        await delete(store, quarantine_id, by="cli:ole", at=NOW)
    with pytest.raises(WrongState):
        await released(store, quarantine_id, ScriptedHop())
    assert (await store.find(quarantine_id)).decided_by == "cli:ina"
    assert audited(tmp_path)[0] == ("delete", "")


async def test_views_are_audited_before_anything_is_shown(
    store: FilesQuarantine, tmp_path: Path
) -> None:
    (quarantine_id,) = await held(store)
    assert (await view(store, quarantine_id, by="cli:ina", at=NOW)).subject == "Report"
    assert await view_raw(store, quarantine_id, by="cli:ina", at=NOW) == hold().raw
    records, damaged = await view_list(store, by="cli:ina", at=NOW)
    assert (len(records), damaged) == (1, ())
    assert [act for act, _ in audited(tmp_path)] == ["view", "view_raw", "list"]
    assert b"Report" not in (tmp_path / "audit.log").read_bytes()


@pytest.mark.parametrize("old", list(HoldState))
@pytest.mark.parametrize("new", list(HoldState))
async def test_states_change_only_as_the_table_says(
    store: FilesQuarantine, old: HoldState, new: HoldState
) -> None:
    (quarantine_id,) = await held(store)
    record = replace(await store.find(quarantine_id), state=old)
    if new in TRANSITIONS[old]:
        assert moved(record, new, by="x", at=NOW).state is new
    else:
        with pytest.raises(WrongState):
            moved(record, new, by="x", at=NOW)
    assert (TRANSITIONS[old] == frozenset()) == (old in FINAL_STATES)
