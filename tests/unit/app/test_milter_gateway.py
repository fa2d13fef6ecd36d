"""What a milter answers for each disposition: edits, recipients that leave, holds, replies."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from milter.adapters.release_tokens import FileReleaseTokens
from milter.app.from_settings import pipeline_options
from milter.app.milter_gateway import MilterGateway
from milter.judge.policy import Row
from milter.mail.address import parse_path
from milter.mail.edit import InsertField, RemoveField, apply_edits
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.handback import RELEASE_FIELD
from milter.mail.plan import Fate
from milter.mail.verdict import Action, Mode
from milter.pipeline import Pipeline
from milter.ports import CannotKeep
from milter.relay.marked_next_hop import MarkedNextHop
from milter.settings import load_settings
from tests.support.holds import Clock, ScriptedHop
from tests.unit.test_pipeline import HOLD, RAW, TAG, Nobody, Readers

SETTINGS = load_settings(
    b'domains = ["org.test"]\n[[listen]]\nrole = "mx"\n[next_hop]\nhost = "127.0.0.1"\n', source="t"
).settings
ONE, TWO, THREE = (
    Recipient(path=parse_path(f"<{name}@org.test>".encode(), smtputf8=False)[0])
    for name in ("one", "two", "three")
)


def row(name: str, *recipients: Recipient, **limits) -> Row:
    defaults = {"annotate_from_db": 20.0, "quarantine_from_db": 35.0}
    return Row(name=name, matches=lambda one: one in recipients, **(defaults | limits))


class Kept:
    """A quarantine that remembers; `fails` raises at that step."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.steps: list[str] = []
        self.holds: tuple = ()

    async def write_pending(self, holds):
        self._do("write")
        self.holds = tuple(holds)
        return tuple(f"q{number}" for number, _ in enumerate(holds))

    async def commit(self, quarantine_ids):
        self._do("commit")

    async def drop(self, quarantine_ids):
        self._do("drop")

    def _do(self, step: str) -> None:
        if self.fails == step:
            raise CannotKeep(step)
        self.steps.append(step)


class Told:
    """What the observation heard."""

    def __init__(self) -> None:
        self.outcomes: list = []
        self.faults: list = []
        self.released: list = []

    def message(self, transaction, assessment, planned, outcome, seconds):
        self.outcomes.append(outcome)

    def fault(self, transaction_id, error):
        self.faults.append(error)

    def released_passed(self, transaction):
        self.released.append(transaction)


def transaction(raw: bytes = RAW, *recipients: Recipient) -> Transaction:
    return Transaction(
        transaction_id="t1",
        role="milter",
        received_at=Clock().now(),
        connection=Connection(client_ip="192.0.2.1"),
        envelope=Envelope(reverse_path=ONE.path, recipients=recipients or (ONE, TWO)),
        raw=raw,
        queue_id="4RqX",
    )


class Desk:
    """A gateway with readers, quarantine and tokens of the test's own."""

    def __init__(self, folder: Path, codes=(), *, rows=(), kept=None, mta=False, readers=None):
        options = pipeline_options(SETTINGS, banner_key=b"k", mode=Mode.ENFORCE)
        policy = replace(options.policy, rows=(*rows, *options.policy.rows))
        self.kept = kept or Kept()
        self.told = Told()
        self.tokens = FileReleaseTokens(folder / "release")
        self.gateway = MilterGateway(
            pipeline=Pipeline(
                examiner=readers or Readers(codes),
                history=Nobody(),
                clock=Clock(),
                options=replace(options, policy=policy),
            ),
            quarantine=self.kept,
            tokens=self.tokens,
            observation=self.told,
            clock=Clock(),
            hold_with_mta=mta,
        )

    async def submit(self, what=None, *, fields_agree=True, asked=True):
        return await self.gateway.submit(
            what or transaction(), fields_agree=fields_agree, still_asked=lambda: asked
        )

    @property
    def fates(self) -> dict:
        return dict(self.told.outcomes[-1].fates)


async def test_clean_mail_gets_its_fields(tmp_path: Path):
    desk = Desk(tmp_path)
    handback = await desk.submit()
    assert {type(edit) for edit in handback.edits} == {InsertField}
    assert handback.raw == apply_edits(RAW, handback.edits)
    assert handback.removed == ()
    assert desk.fates == {ONE: Fate.DELIVERED, TWO: Fate.DELIVERED}


async def test_the_strictest_annotation_is_everybodys(tmp_path: Path):
    desk = Desk(tmp_path, TAG, rows=(row("quiet", ONE, at_most=Action.DELIVER),))
    handback = await desk.submit()
    assert b"[lw:" in handback.raw
    assert handback.removed == ()


async def test_held_recipients_leave_after_the_durable_hold(tmp_path: Path):
    desk = Desk(tmp_path, HOLD, rows=(row("soft", TWO, THREE, at_most=Action.ANNOTATE),))
    handback = await desk.submit(transaction(RAW, ONE, TWO, THREE))
    assert handback.removed == (ONE,)
    assert not handback.discard
    assert b"[lw:" in handback.raw
    assert desk.kept.steps == ["write", "commit"]
    assert [one.envelope.recipients for one in desk.kept.holds] == [(ONE,)]
    assert desk.kept.holds[0].raw == RAW
    assert desk.fates == {ONE: Fate.HELD, TWO: Fate.DELIVERED, THREE: Fate.DELIVERED}


async def test_where_nobody_stays_the_message_is_discarded(tmp_path: Path):
    desk = Desk(tmp_path, HOLD)
    handback = await desk.submit()
    assert handback.discard
    assert handback.removed == ()
    assert handback.edits == ()
    assert desk.told.outcomes[0].quarantine_ids == ("q0",)


async def test_the_same_recipient_twice_is_held_or_stays_as_a_whole(tmp_path: Path):
    desk = Desk(tmp_path, HOLD, rows=(row("soft", TWO, at_most=Action.ANNOTATE),))
    handback = await desk.submit(transaction(RAW, ONE, ONE, TWO))
    assert handback.removed == (ONE, ONE)


@pytest.mark.parametrize("step", ["write", "commit"])
async def test_what_cannot_be_kept_is_deferred(tmp_path: Path, step: str):
    desk = Desk(tmp_path, HOLD, kept=Kept(fails=step))
    handback = await desk.submit()
    assert handback.reply.code == 451
    assert handback.reply.lines[0].endswith(b"(t1)")
    assert set(desk.fates.values()) == {Fate.DEFERRED}


async def test_for_an_mta_that_is_gone_nothing_is_held(tmp_path: Path):
    desk = Desk(tmp_path, HOLD)
    assert (await desk.submit(asked=False)).reply.code == 451
    assert desk.kept.steps == ["write", "drop"]


async def test_the_hold_of_the_mta_is_for_all_and_marked(tmp_path: Path):
    desk = Desk(tmp_path, HOLD, rows=(row("soft", TWO, at_most=Action.ANNOTATE),), mta=True)
    handback = await desk.submit()
    assert handback.hold_reason
    assert b"[lw:" in handback.raw
    assert desk.kept.steps == []
    assert desk.told.outcomes[0].quarantine_ids == ("mta:4RqX",)
    assert desk.fates == {ONE: Fate.HELD, TWO: Fate.HELD}


async def test_the_mta_holds_for_all_and_marked_too_where_only_some_would_refuse(tmp_path: Path):
    rows = (row("hard", ONE, hold_as=Action.REJECT), row("soft", TWO, at_most=Action.DELIVER))
    desk = Desk(tmp_path, HOLD, rows=rows, mta=True)
    handback = await desk.submit()
    assert handback.hold_reason
    assert b"disposition=quarantine" in handback.raw
    assert b"[lw:" in handback.raw


async def test_thousands_of_recipients_are_parted_in_no_time(tmp_path: Path):
    """The loop serves all other mail meanwhile; comparing each with each took seven seconds."""
    many = [
        Recipient(path=parse_path(b"<r%d@org.test>" % number, smtputf8=False)[0])
        for number in range(10_000)
    ]
    held = set(many[::2])
    soft = Row(
        name="soft", matches=lambda one: one not in held, annotate_from_db=20.0,
        quarantine_from_db=35.0, at_most=Action.ANNOTATE,
    )  # fmt: skip
    started = time.process_time()
    handback = await Desk(tmp_path, HOLD, rows=(soft,)).submit(transaction(RAW, *many))
    assert time.process_time() - started < 5
    assert set(handback.removed) == held


async def test_a_rejection_for_all_is_a_reply_and_for_some_a_hold(tmp_path: Path):
    everybody = Desk(tmp_path, HOLD, rows=(row("hard", ONE, TWO, hold_as=Action.REJECT),))
    handback = await everybody.submit()
    assert handback.reply.code == 550
    assert handback.reply.lines[0].endswith(b"(t1)")
    some = Desk(
        tmp_path,
        HOLD,
        rows=(row("hard", ONE, hold_as=Action.REJECT), row("soft", TWO, at_most=Action.ANNOTATE)),
    )
    assert (await some.submit()).removed == (ONE,)


async def test_fields_that_the_mta_counts_otherwise_are_not_counted_off(tmp_path: Path):
    desk = Desk(tmp_path, TAG)
    raw = b"X-Lurewall-Verdict: forged\r\n" + RAW
    whole = await desk.submit(transaction(raw))
    assert any(isinstance(edit, RemoveField) for edit in whole.edits)
    careful = await desk.submit(transaction(raw), fields_agree=False)
    assert {type(edit) for edit in careful.edits} == {InsertField}


async def test_a_banner_that_cannot_go_in_is_not_said_to_be_there(tmp_path: Path):
    handback = await Desk(tmp_path, TAG).submit(fields_agree=False)
    said = {edit.name: edit.value for edit in handback.edits}
    assert said[b"X-Lurewall-Integrity"] == b" body=untouched; banner=integrity"


async def test_our_own_fault_is_451(tmp_path: Path):
    class Broken:
        async def examine(self, raw, facts, deadline):
            raise RuntimeError("bug")

    desk = Desk(tmp_path, readers=Broken())
    assert (await desk.submit()).reply.code == 451
    assert [str(error) for error in desk.told.faults] == ["bug"]


# Release.


async def released(desk: Desk, raw: bytes = RAW) -> bytes:
    """What the MTA gets when a hold is released."""
    hop = ScriptedHop()
    session = await MarkedNextHop(hop, desk.tokens).open(Connection(client_ip=""))
    await session.mail(ONE.path, ())
    await session.rcpt(ONE)
    await session.data(raw)
    await session.close()
    return hop.sent[0][3]


async def test_released_mail_passes_as_it_is_and_once(tmp_path: Path):
    desk = Desk(tmp_path, HOLD)
    marked = await released(desk)
    assert marked.startswith(RELEASE_FIELD)
    # What the MTA puts on top does not matter.
    handback = await desk.submit(transaction(b"Received: from us\r\n" + marked, ONE))
    assert handback.raw == b"Received: from us\r\n" + RAW
    assert handback.raw == apply_edits(b"Received: from us\r\n" + marked, handback.edits)
    assert desk.kept.steps == []
    assert len(desk.told.released) == 1
    again = await desk.submit(transaction(marked, ONE))
    assert again.discard, "a token is good once"


async def test_a_token_is_good_for_its_own_body_only(tmp_path: Path):
    desk = Desk(tmp_path, HOLD)
    marked = await released(desk)
    stolen = marked.replace(b"Hello there", b"Other words")
    assert (await desk.submit(transaction(stolen, ONE))).discard
    assert (await desk.submit(transaction(marked, ONE))).raw == RAW


@pytest.mark.parametrize("token", [b"", b"../../etc/passwd", b"0" * 32, b"zz", b"\xff" * 32])
async def test_a_made_up_token_is_a_forged_field(tmp_path: Path, token: bytes):
    desk = Desk(tmp_path)
    raw = RELEASE_FIELD + b": " + token + b"\r\n" + RAW
    handback = await desk.submit(transaction(raw, ONE))
    assert RELEASE_FIELD not in handback.raw
    assert b"X-Lurewall-Verdict" in handback.raw


async def test_tokens_that_go_while_old_ones_are_removed_stop_no_release(tmp_path: Path):
    """Another front redeems them; a link that leads nowhere looks the same."""
    desk = Desk(tmp_path, HOLD)
    await released(desk)
    (tmp_path / "release" / ("0" * 32)).symlink_to("gone")
    assert (await released(desk)).startswith(RELEASE_FIELD)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
async def test_tokens_of_root_are_those_of_whom_the_state_belongs_to(tmp_path: Path):
    os.chown(tmp_path, 12345, 12345)
    await released(Desk(tmp_path))
    folder = tmp_path / "release"
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {12345}


async def test_without_a_folder_for_tokens_nothing_is_released(tmp_path: Path):
    desk = Desk(tmp_path)
    (tmp_path / "release").write_text("no folder")
    with pytest.raises(Exception, match="data"):
        await released(desk)
