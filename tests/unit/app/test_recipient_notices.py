"""When recipients of protected mail are told, how often, and what becomes of a notice that fails."""

import asyncio
from dataclasses import replace

import pytest

from milter.act.plan import ActOptions, act_on
from milter.act.recipient_notice import NoticeSender
from milter.app.recipient_notices import RecipientNotices
from milter.mail.address import NULL_PATH
from milter.mail.edit import BannerOutcome
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.plan import Fate, Group, Outcome, Plan
from milter.mail.reading import HeaderFacts, Protection, Reading
from milter.mail.reply import OK, Reply
from milter.mail.verdict import Action, Disposition, Label, Mode, Verdict
from milter.pipeline import Assessment, Planned
from milter.ports import DataReply
from tests.support.holds import NOW, Clock, ScriptedHop, failure, recipient
from tests.unit.act.by_hand import TEXTS

ONE, TWO, THREE = (recipient(f"{name}@example.org") for name in ("one", "two", "three"))
RAW = b"From: mara@example.net\r\nSubject: x\r\nContent-Type: multipart/signed\r\n\r\nbody\r\n"
OPTIONS = ActOptions(mode=Mode.ANNOTATE, texts=TEXTS, banner_key=b"key")
TRANSIENT = Reply(code=451, lines=(b"4.3.0 Later",))
REFUSED = Reply(code=550, lines=(b"5.7.1 No",))


class Seen:
    """What the observation is told."""

    def __init__(self) -> None:
        self.sent = 0
        self.failed: list[str] = []
        self.faults: list[Exception] = []
        self.heard = asyncio.Event()

    def recipient_notice_sent(self) -> None:
        self.sent += 1
        self.heard.set()

    def recipient_notice_failed(self, transaction_id: str, reason: str) -> None:
        self.failed.append(reason)
        self.heard.set()

    def fault(self, transaction_id: str, error: Exception) -> None:
        self.faults.append(error)


def disposition(action: Action, language: str, *recipients: Recipient) -> Disposition:
    return Disposition(action=action, rule="r", recipients=recipients, banner_language=language)


def finished(
    *dispositions: Disposition,
    fates: dict[Recipient, Fate] | None = None,
    protection: Protection = Protection.SIGNED,
    options: ActOptions = OPTIONS,
) -> tuple[Transaction, Assessment, Planned, Outcome]:
    """A transaction as the gateway has it when the reply is known."""
    recipients = tuple(one for each in dispositions for one in each.recipients)
    transaction = Transaction(
        transaction_id="t1",
        role="mx",
        received_at=NOW,
        connection=Connection(client_ip="192.0.2.1"),
        envelope=Envelope(reverse_path=NULL_PATH, recipients=recipients),
        raw=RAW,
    )
    reading = Reading(size_bytes=len(RAW), header=HeaderFacts(subject="x"), protection=protection)
    verdict = Verdict(label=Label.LURE, score_db=25, probability=0.1)
    acted = tuple(
        (
            each,
            act_on(
                RAW,
                reading=reading,
                verdict=verdict,
                disposition=each,
                transaction_id="t1",
                reasons=(),
                options=options,
            ),
        )
        for each in dispositions
    )
    assessment = Assessment(
        reading=reading,
        verdict=verdict,
        dispositions=dispositions,
        intended=Action.ANNOTATE,
        deadline=0.0,
    )
    group = Group(disposition=disposition(Action.DELIVER, "en", *recipients), raw=RAW)
    planned = Planned(plan=Plan(groups=(group,)), acted=acted)
    given = fates or {}
    outcome = Outcome(
        reply=OK,
        is_next_hops=True,
        stage="done",
        fates=tuple((one, given.get(one, Fate.DELIVERED)) for one in recipients),
    )
    return transaction, assessment, planned, outcome


class Desk:
    """Notices with a next hop of the test's own."""

    def __init__(self, hop: ScriptedHop | None = None, *, options: ActOptions = OPTIONS) -> None:
        self.hop = hop or ScriptedHop()
        self.seen = Seen()
        self.notices = RecipientNotices(
            next_hop=self.hop,
            options=options,
            sender=NoticeSender(hostname="gw.example.org"),
            observation=self.seen,  # type: ignore[arg-type]
            clock=Clock(),
            pauses_seconds=(0.01, 0.01),
        )

    async def told(self, event: tuple[Transaction, Assessment, Planned, Outcome]) -> None:
        self.notices.start()
        self.notices.after(*event)
        async with asyncio.timeout(5):
            await self.seen.heard.wait()
        await self.notices.drain(5)

    async def silent(self, event: tuple[Transaction, Assessment, Planned, Outcome]) -> bool:
        self.notices.start()
        self.notices.after(*event)
        await self.notices.drain(5)
        return not self.hop.connections and not self.seen.failed and not self.seen.faults

    @property
    def told_recipients(self) -> list[list[bytes]]:
        return [[one.path.raw for one in recipients] for _, _, recipients, _ in self.hop.sent]


ANNOTATED = disposition(Action.ANNOTATE, "en", ONE, TWO)


@pytest.mark.parametrize(
    "protection", [Protection.SIGNED, Protection.ENCRYPTED, Protection.INLINE_PGP]
)
async def test_recipients_of_protected_mail_are_told_once(protection: Protection) -> None:
    desk = Desk()
    await desk.told(finished(ANNOTATED, protection=protection))
    assert desk.told_recipients == [[b"one@example.org", b"two@example.org"]]
    ((reverse_path, parameters, _recipients, raw),) = desk.hop.sent
    assert (reverse_path, parameters) == (b"", ())
    assert b"Auto-Submitted: auto-generated" in raw
    assert desk.seen.sent == 1


@pytest.mark.parametrize("outcome", BannerOutcome)
async def test_a_banner_that_is_missing_is_made_up_for(outcome: BannerOutcome) -> None:
    transaction, assessment, planned, fates = finished(ANNOTATED)
    ((given, acted),) = planned.acted
    changed = replace(acted, rendered=replace(acted.rendered, banner=outcome))
    desk = Desk()
    nobody = await desk.silent(
        (transaction, assessment, replace(planned, acted=((given, changed),)), fates)
    )
    stands = outcome.is_edit or outcome in ("already_there", "not_wanted", "not_examined")
    assert nobody is stands


async def test_a_forwarded_mail_as_a_whole_is_protected_too() -> None:
    desk = Desk()
    event = finished(ANNOTATED, protection=Protection.NONE)
    assert event[2].acted[0][1].banner is BannerOutcome.NO_SITE
    await desk.told(event)
    assert desk.seen.sent == 1


async def test_each_group_is_told_in_its_language() -> None:
    desk = Desk()
    french = disposition(Action.ANNOTATE, "fr", THREE)
    event = finished(ANNOTATED, french)
    desk.notices.start()
    desk.notices.after(*event)
    await desk.notices.drain(5)
    assert desk.told_recipients == [
        [b"one@example.org", b"two@example.org"],
        [b"three@example.org"],
    ]
    assert b"Content-Language: fr" in desk.hop.sent[1][3]


@pytest.mark.parametrize("fate", [Fate.DEFERRED, Fate.REFUSED, Fate.HELD, Fate.DELIVERED_BEFORE])
async def test_only_who_got_the_mail_now_is_told(fate: Fate) -> None:
    desk = Desk()
    await desk.told(finished(ANNOTATED, fates={TWO: fate}))
    assert desk.told_recipients == [[b"one@example.org"]]
    nobody = Desk()
    assert await nobody.silent(finished(ANNOTATED, fates={ONE: fate, TWO: fate}))


async def test_no_notice_where_no_banner_was_due() -> None:
    delivered = disposition(Action.DELIVER, "en", ONE)
    held = disposition(Action.QUARANTINE, "en", ONE)
    assert await Desk().silent(finished(delivered))
    assert await Desk().silent(finished(held))
    observing = replace(OPTIONS, mode=Mode.OBSERVE)
    assert await Desk(options=observing).silent(finished(ANNOTATED, options=observing))
    unwanted = replace(OPTIONS, banner=False)
    assert await Desk(options=unwanted).silent(finished(ANNOTATED, options=unwanted))


async def test_one_that_is_refused_leaves_the_others_theirs() -> None:
    desk = Desk(ScriptedHop(rcpt={b"one@example.org": REFUSED}))
    await desk.told(finished(ANNOTATED))
    assert desk.told_recipients == [[b"two@example.org"]]


@pytest.mark.parametrize(
    ("hop", "attempts", "reason"),
    [
        (ScriptedHop(opening=failure("connect")), 3, "connect: lost"),
        (ScriptedHop(mail=TRANSIENT), 3, "mail: 451"),
        (ScriptedHop(data=DataReply(reply=TRANSIENT, stage="end_of_data")), 3, "data: 451"),
        (ScriptedHop(mail=REFUSED), 1, "mail: 550"),
        (
            ScriptedHop(rcpt={b"one@example.org": REFUSED, b"two@example.org": REFUSED}),
            1,
            "rcpt: 550",
        ),
        # The notice may have been taken: another one would double it.
        (ScriptedHop(data=failure("end_of_data", ambiguous=True)), 1, "end_of_data: lost"),
    ],
)
async def test_a_notice_that_fails_is_tried_again_where_that_doubles_nothing(
    hop: ScriptedHop, attempts: int, reason: str
) -> None:
    desk = Desk(hop)
    await desk.told(finished(ANNOTATED))
    assert len(hop.connections) == attempts
    assert desk.seen.failed == [reason]
    assert desk.seen.sent == 0


async def test_a_next_hop_that_hangs_holds_up_nothing_and_the_queue_has_an_end() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    desk = Desk(ScriptedHop(before_data=never))
    desk.notices.start()
    for _ in range(250):
        desk.notices.after(*finished(ANNOTATED))
        await asyncio.sleep(0)
    await desk.notices.drain(0.05)
    assert set(desk.seen.failed) == {"queue full", "stopped"}
    assert desk.seen.failed.count("stopped") == 200 + 1
    assert len(desk.seen.failed) == 250


async def test_a_drain_sends_what_waits() -> None:
    desk = Desk()
    for _ in range(5):
        desk.notices.after(*finished(ANNOTATED))
    desk.notices.start()
    await desk.notices.drain(5)
    assert desk.seen.sent == 5


async def test_a_fault_of_ours_costs_the_notice_only() -> None:
    desk = Desk()
    transaction, assessment, planned, outcome = finished(ANNOTATED)
    broken = replace(OPTIONS, texts=None)  # type: ignore[arg-type]
    desk.notices._options = broken
    desk.notices.after(transaction, assessment, planned, outcome)
    assert len(desk.seen.faults) == 1
