"""Rule 8 over a real inner server: one reply for all, nothing lost, nothing doubled."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from milter.demo.inner_server import Fault, InnerServer
from milter.mail.envelope import Envelope, Recipient, Transaction
from milter.mail.plan import Fate, Group, Outcome, Plan
from milter.mail.quarantine import Hold, QuarantineRecord
from milter.mail.reply import Reply, own_reply
from milter.mail.verdict import Action, Disposition, Label, Verdict
from milter.ports import CannotKeep, NextHopFailed
from milter.relay.delivery import Delivery
from milter.relay.failure import Cause, failed
from milter.relay.next_hop import SmtpNextHop
from milter.wire.smtp_client import Stage
from tests.support.next_hop import CONNECTION, SENDER, recipient

HopTo = Callable[..., SmtpNextHop]
RAW = b"Message-ID: <1@example.org>\r\nSubject: an opening\r\n\r\n.hello\r\n"
TAGGED = b"X-Lurewall-Verdict: lure\r\n" + RAW
A1, A2, B1, H1 = map(recipient, ("a1", "a2", "b1", "h1"))


class MemoryQuarantine:
    """Holds by id with their state; `fails` names the steps that cannot be done."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.steps: list[str] = []
        self.fails: dict[str, BaseException] = {}

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.fails:
            raise self.fails[name]

    async def write_pending(self, holds: Sequence[Hold]) -> tuple[str, ...]:
        self._step("write_pending")
        ids = tuple(f"q{len(self.states) + number}" for number, _ in enumerate(holds))
        self.states.update(dict.fromkeys(ids, "pending"))
        return ids

    async def commit(self, quarantine_ids: Sequence[str]) -> None:
        self._step("commit")
        self.states.update(dict.fromkeys(quarantine_ids, "held"))

    async def drop(self, quarantine_ids: Sequence[str]) -> None:
        self._step("drop")
        for quarantine_id in quarantine_ids:
            del self.states[quarantine_id]

    async def list_records(self) -> tuple[QuarantineRecord, ...]:
        return ()

    def recover(self) -> None:
        """What the next start does after a crash: an unknown fate commits."""
        self.states = dict.fromkeys(self.states, "held")


class MemoryJournal:
    """The journal's contract in a set."""

    def __init__(self) -> None:
        self.entries: set[tuple[bytes, bytes, str]] = set()
        self.fails = False

    @property
    def is_empty(self) -> bool:
        return not self.entries

    def was_delivered(self, envelope: Envelope, recipient: Recipient, message_key: str) -> bool:
        return (envelope.reverse_path.raw, recipient.path.raw, message_key) in self.entries

    async def remember(
        self, envelope: Envelope, recipients: Sequence[Recipient], message_key: str
    ) -> None:
        if self.fails:
            raise CannotKeep
        self.entries |= {(envelope.reverse_path.raw, r.path.raw, message_key) for r in recipients}

    async def forget(self, envelope: Envelope, message_key: str) -> None:
        if self.fails:
            raise CannotKeep
        gone = {(envelope.reverse_path.raw, r.path.raw, message_key) for r in envelope.recipients}
        self.entries -= gone

    @property
    def names(self) -> set[str]:
        """Local parts of those who are remembered."""
        return {address.split(b"@")[0].decode() for _, address, _ in self.entries}


class Gateway:
    """One gateway before one inner server; `attempt` is one transaction of a peer."""

    def __init__(self, server: InnerServer, hop: SmtpNextHop) -> None:
        self.server = server
        self.hop = hop
        self.quarantine = MemoryQuarantine()
        self.journal = MemoryJournal()
        self.delivery = Delivery(next_hop=hop, quarantine=self.quarantine, journal=self.journal)

    async def attempt(self, plan: Plan, *recipients: Recipient, role: str = "mx") -> Outcome:
        session = await self.hop.open(CONNECTION)
        try:
            assert (await session.mail(SENDER, (b"BODY=8BITMIME",))).is_positive
            for one in recipients:
                assert (await session.rcpt(one)).is_positive
            return await self.delivery.deliver(transaction(*recipients, role=role), plan, session)
        finally:
            await session.close()

    @property
    def delivered(self) -> list[tuple[tuple[str, ...], bytes]]:
        """Local parts and content of each message that the inner server keeps."""
        return [
            (tuple(r.split(b"@")[0].decode() for r in message.recipients), message.raw)
            for message in self.server.messages
        ]


def transaction(*recipients: Recipient, raw: bytes = RAW, role: str = "mx") -> Transaction:
    return Transaction(
        transaction_id="T1",
        role=role,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        connection=CONNECTION,
        envelope=Envelope(
            reverse_path=SENDER, mail_parameters=(b"BODY=8BITMIME",), recipients=recipients
        ),
        raw=raw,
    )


def group(action: Action, *recipients: Recipient, raw: bytes = RAW) -> Group:
    return Group(disposition=Disposition(action=action, rule="r", recipients=recipients), raw=raw)


def hold(*recipients: Recipient) -> Hold:
    return Hold(
        transaction_id="T1",
        envelope=Envelope(reverse_path=SENDER, recipients=recipients),
        role="mx",
        raw=RAW,
        release_raw=TAGGED,
        verdict=Verdict(label=Label.LURE, score_db=40.0, probability=0.99),
        rule="r",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        client_ip="192.0.2.7",
        subject="an opening",
        header_from="",
    )


PLAIN = Plan(groups=(group(Action.DELIVER, A1, A2),))
HOLD = Plan(holds=(hold(H1),))
MIXED = Plan(
    groups=(group(Action.DELIVER, A1, A2), group(Action.ANNOTATE, B1, raw=TAGGED)),
    holds=(hold(H1),),
)
ALL = (A1, A2, B1, H1)


def fates(outcome: Outcome) -> dict[str, str]:
    return {r.path.raw.split(b"@")[0].decode(): str(fate) for r, fate in outcome.fates}


# All is well.


async def test_one_group_goes_over_the_live_transaction(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply == Reply(code=250, lines=(b"2.0.0 Ok: queued as 000001",))
        assert (outcome.is_next_hops, outcome.stage) == (True, "end_of_data")
        assert gateway.delivered == [(("a1", "a2"), RAW)]
        assert b"RSET" not in server.commands
        assert gateway.quarantine.steps == []


async def test_a_hold_is_durable_before_250_and_the_next_hop_hears_of_no_message(
    hop_to: HopTo,
) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(HOLD, H1)

        assert outcome.reply == Reply(code=250, lines=(b"2.0.0 Message accepted (T1)",))
        assert outcome.quarantine_ids == ("q0",)
        assert fates(outcome) == {"h1": "held"}
        assert gateway.quarantine.steps == ["write_pending", "commit"]
        assert gateway.quarantine.states == {"q0": "held"}
        assert not server.messages
        assert server.commands[-1] == b"RSET"


async def test_mixed_dispositions_are_split(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(MIXED, *ALL)

        assert outcome.reply == Reply(code=250, lines=(b"2.0.0 Message accepted (T1)",))
        assert not outcome.is_next_hops
        assert fates(outcome) == {
            "a1": "delivered",
            "a2": "delivered",
            "b1": "delivered",
            "h1": "held",
        }
        assert gateway.delivered == [(("a1", "a2"), RAW), (("b1",), TAGGED)]
        assert gateway.quarantine.states == {"q0": "held"}
        assert gateway.journal.is_empty
        assert {message.mail_parameters for message in server.messages} == {(b"BODY=8BITMIME",)}
        assert server.connections == 1


async def test_a_reply_of_ours_is_for_everybody(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(Plan(reply=own_reply(550, "5.7.1", "No")), A1, A2)

        assert outcome.reply == Reply(code=550, lines=(b"5.7.1 No (T1)",))
        assert fates(outcome) == {"a1": "refused", "a2": "refused"}
        assert not server.messages


async def test_after_the_queue_there_is_no_5xx_of_ours(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        plan = Plan(reply=own_reply(550, "5.7.1", "No"))
        outcome = await gateway.attempt(plan, A1, role="after_queue")

        assert outcome.reply.code == 451
        assert fates(outcome) == {"a1": "deferred"}


# The plain case with each failure.


@pytest.mark.parametrize(
    ("fault", "code", "lines", "fate"),
    [
        (Fault(stage="data", reply=b"451 4.3.0 no\r\n"), 451, (b"4.3.0 no",), "deferred"),
        (Fault(stage="data", reply=b"554 5.3.0 no\r\n"), 554, (b"5.3.0 no",), "refused"),
        (
            Fault(stage="end_of_data", reply=b"452-4.2.2 a\r\n452 4.2.2 b\r\n"),
            452,
            (b"4.2.2 a", b"4.2.2 b"),
            "deferred",
        ),
        (Fault(stage="end_of_data", reply=b"550 5.7.1 spam\r\n"), 550, (b"5.7.1 spam",), "refused"),
    ],
)
async def test_what_the_next_hop_says_of_one_group_passes_verbatim(
    hop_to: HopTo, fault: Fault, code: int, lines: tuple[bytes, ...], fate: str
) -> None:
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply == Reply(code=code, lines=lines)
        assert outcome.is_next_hops
        assert fates(outcome) == {"a1": fate, "a2": fate}
        assert gateway.journal.is_empty


async def test_a_lost_final_dot_is_ambiguous_and_remembered_by_nobody(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="end_of_data", drop=True, occurrence=1)]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply.code == 451
        assert outcome.reply.lines[0].startswith(b"4.4.2 ")
        assert outcome.reply.lines[0].endswith(b" (T1)")
        assert (outcome.ambiguous, outcome.cause) == (True, "lost")
        assert gateway.journal.is_empty
        # A duplicate, never a loss.
        await gateway.attempt(PLAIN, A1, A2)
        assert gateway.delivered == [(("a1", "a2"), RAW)] * 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(stage="data", drop=True, occurrence=1),
        Fault(stage="data", reply=b"421 4.4.2 you are slow\r\n", drop=True, occurrence=1),
        Fault(stage="content", drop=True, occurrence=1),
    ],
    ids=["drop", "421", "within the content"],
)
async def test_a_session_lost_before_the_dot_is_replayed_once(hop_to: HopTo, fault: Fault) -> None:
    big = RAW + b"x" * 8_000_000 + b"\r\n"
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        plan = Plan(groups=(group(Action.DELIVER, A1, A2, raw=big),))
        outcome = await gateway.attempt(plan, A1, A2)

        assert outcome.reply.code == 250
        assert gateway.delivered == [(("a1", "a2"), big)]
        assert server.connections == 2
        assert gateway.hop.idle_connections == 1


async def test_a_session_lost_before_data_is_replayed_only_once(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="data", drop=True)]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply.code == 451
        assert not outcome.ambiguous
        assert server.connections == 2


@pytest.mark.parametrize(
    ("words", "code", "delivered"),
    [
        # The rest gets the mail; the bounce names all, which loses nothing.
        (b"550 5.1.1 gone\r\n", 550, [("a1",)]),
        # It all comes again, so nobody gets it now.
        (b"450 4.2.0 busy\r\n", 450, []),
    ],
)
async def test_a_recipient_refused_at_the_replay_counts_by_class(
    hop_to: HopTo, words: bytes, code: int, delivered: list[tuple[str, ...]]
) -> None:
    faults = [
        Fault(stage="data", drop=True, occurrence=1),
        Fault(stage="rcpt", recipient=A2.path.raw, reply=words, occurrence=2),
    ]
    async with InnerServer(faults=faults) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert (outcome.reply.code, outcome.stage) == (code, "rcpt")
        assert [names for names, _ in gateway.delivered] == delivered


# Holds that cannot be kept.


@pytest.mark.parametrize("plan", [HOLD, MIXED], ids=["hold", "mixed"])
async def test_what_cannot_be_kept_is_deferred_before_anybody_gets_it(
    hop_to: HopTo, plan: Plan
) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        gateway.quarantine.fails["write_pending"] = CannotKeep("disk full")
        outcome = await gateway.attempt(plan, *(ALL if plan is MIXED else (H1,)))

        assert outcome.reply.code == 451
        assert outcome.reply.lines[0].startswith(b"4.3.0 ")
        assert (outcome.stage, outcome.cause) == ("quarantine", "cannot_keep")
        assert set(fates(outcome).values()) == {"deferred"}
        assert not server.messages
        assert server.commands[-1] == b"RSET"


async def test_a_commit_that_fails_is_451_and_the_retry_doubles_no_delivery(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        gateway.quarantine.fails["commit"] = CannotKeep("disk full")
        first = await gateway.attempt(MIXED, *ALL)
        # It stays pending: recovery will commit it, beside that of the retry.
        assert gateway.quarantine.states == {"q0": "pending"}
        del gateway.quarantine.fails["commit"]
        second = await gateway.attempt(MIXED, *ALL)

        assert (first.reply.code, second.reply.code) == (451, 250)
        assert len(gateway.delivered) == 2
        assert gateway.quarantine.states["q1"] == "held"


async def test_a_hold_that_cannot_be_dropped_changes_no_reply(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="data", reply=b"451 4.3.0 no\r\n")]) as server:
        gateway = Gateway(server, hop_to(server))
        gateway.quarantine.fails["drop"] = CannotKeep("disk full")
        outcome = await gateway.attempt(MIXED, *ALL)

        assert outcome.reply.code == 451


async def test_a_hold_needs_no_next_hop_any_more(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="rset", drop=True)]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(HOLD, H1)

        assert outcome.reply.code == 250
        assert gateway.quarantine.states == {"q0": "held"}
        assert server.connections == 1


# Mixed dispositions with each failure in the middle: fault, code, delivered, remembered.
# Passage 1 of mail, rcpt and so on is the live transaction, so groups begin at mail 2 and rcpt 5.

SPLITS = [
    (Fault(stage="mail", occurrence=2, reply=b"450 4.3.2 no\r\n"), 451, [], set()),
    (Fault(stage="mail", occurrence=2, reply=b"550 5.7.1 no\r\n"), 550, ["b1"], set()),
    (Fault(stage="mail", occurrence=2, reply=b"421 4.3.2 bye\r\n", drop=True), 451, [], set()),
    (Fault(stage="mail", occurrence=2, drop=True), 451, [], set()),
    (Fault(stage="mail", occurrence=3, reply=b"450 4.3.2 no\r\n"), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="mail", occurrence=3, reply=b"550 5.7.1 no\r\n"), 550, ["a1 a2"], set()),
    (Fault(stage="mail", occurrence=3, drop=True), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="mail", occurrence=3, reply=b"oops\r\n"), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="rcpt", occurrence=6, reply=b"450 4.2.0 no\r\n"), 451, [], set()),
    (Fault(stage="rcpt", occurrence=6, reply=b"550 5.1.1 no\r\n"), 550, ["a1", "b1"], set()),
    (Fault(stage="rcpt", occurrence=6, drop=True), 451, [], set()),
    (Fault(stage="rcpt", occurrence=7, reply=b"450 4.2.0 no\r\n"), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="rcpt", occurrence=7, reply=b"550 5.1.1 no\r\n"), 550, ["a1 a2"], set()),
    (Fault(stage="rcpt", occurrence=7, drop=True), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="data", occurrence=1, reply=b"451 4.3.0 no\r\n"), 451, [], set()),
    (Fault(stage="data", occurrence=1, reply=b"554 5.3.0 no\r\n"), 554, ["b1"], set()),
    (Fault(stage="data", occurrence=2, reply=b"451 4.3.0 no\r\n"), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="data", occurrence=2, reply=b"554 5.3.0 no\r\n"), 554, ["a1 a2"], set()),
    (Fault(stage="data", occurrence=2, drop=True), 451, ["a1 a2"], {"a1", "a2"}),
    (Fault(stage="end_of_data", occurrence=1, reply=b"452 4.3.1 no\r\n"), 451, [], set()),
    (Fault(stage="end_of_data", occurrence=1, reply=b"552 5.3.4 no\r\n"), 552, ["b1"], set()),
    (Fault(stage="end_of_data", occurrence=1, drop=True), 451, ["a1 a2"], set()),
    (
        Fault(stage="end_of_data", occurrence=2, reply=b"452 4.3.1 no\r\n"),
        451,
        ["a1 a2"],
        {"a1", "a2"},
    ),
    (Fault(stage="end_of_data", occurrence=2, reply=b"552 5.3.4 no\r\n"), 552, ["a1 a2"], set()),
    (
        Fault(stage="end_of_data", occurrence=2, reply=b"421 4.3.2 bye\r\n"),
        451,
        ["a1 a2"],
        {"a1", "a2"},
    ),
    (Fault(stage="end_of_data", occurrence=2, drop=True), 451, ["a1 a2", "b1"], {"a1", "a2"}),
]


@pytest.mark.parametrize(
    ("fault", "code", "delivered", "remembered"),
    SPLITS,
    ids=[f"{f.stage} {f.occurrence} {f.reply[:3].decode() or 'drop'}" for f, *_ in SPLITS],
)
async def test_a_failure_in_the_middle_of_a_split(
    hop_to: HopTo, fault: Fault, code: int, delivered: list[str], remembered: set[str]
) -> None:
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(MIXED, *ALL)

        assert outcome.reply.code == code
        assert [" ".join(names) for names, _ in gateway.delivered] == delivered
        # Whatever is not 250: the peer keeps the mail or bounces it, so the holds are gone.
        assert gateway.quarantine.states == {}
        assert gateway.quarantine.steps == ["write_pending", "drop"]
        assert gateway.journal.names == remembered
        assert fates(outcome)["h1"] == ("deferred" if code == 451 else "refused")
        assert outcome.quarantine_ids == ()
        ambiguous = fault.stage == "end_of_data" and fault.drop
        assert outcome.ambiguous == ambiguous

        if code != 451:
            return
        # The peer tries again, and all is well now.
        retry = await gateway.attempt(MIXED, *ALL)
        assert retry.reply.code == 250
        assert gateway.quarantine.states == {"q0": "held"}
        assert retry.duplicates_avoided == len(remembered)
        assert gateway.journal.is_empty
        copies = sorted(name for names, _ in gateway.delivered for name in names)
        doubled = [] if not ambiguous else delivered[-1].split()
        assert copies == sorted(["a1", "a2", "b1", *doubled])


async def test_the_words_of_a_4xx_survive_the_split(hop_to: HopTo) -> None:
    fault = Fault(
        stage="end_of_data", occurrence=2, reply=b"452-4.2.2 full\r\n452 4.2.2 really\r\n"
    )
    async with InnerServer(faults=[fault]) as server:
        outcome = await Gateway(server, hop_to(server)).attempt(MIXED, *ALL)

        assert outcome.reply == Reply(code=451, lines=(b"4.2.2 full", b"4.2.2 really"))
        assert outcome.detail == "452 4.2.2 full / 4.2.2 really"


async def test_a_4xx_counts_more_than_a_5xx_before_it(hop_to: HopTo) -> None:
    faults = [
        Fault(stage="end_of_data", occurrence=1, reply=b"550 5.7.1 no\r\n"),
        Fault(stage="end_of_data", occurrence=2, reply=b"450 4.2.0 busy\r\n"),
    ]
    async with InnerServer(faults=faults) as server:
        outcome = await Gateway(server, hop_to(server)).attempt(MIXED, *ALL)

        assert outcome.reply == Reply(code=451, lines=(b"4.2.0 busy",))
        assert set(fates(outcome).values()) == {"deferred"}


async def test_a_live_session_that_died_during_the_judgement_is_replaced(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="rset", drop=True, occurrence=1)]) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(MIXED, *ALL)

        assert outcome.reply.code == 250
        assert len(gateway.delivered) == 2
        assert server.connections == 2
        assert gateway.hop.idle_connections == 1


async def test_a_next_hop_that_died_during_the_judgement_is_451(hop_to: HopTo) -> None:
    faults = [Fault(stage="rset", drop=True), Fault(stage="greeting", occurrence=2, drop=True)]
    async with InnerServer(faults=faults) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(MIXED, *ALL)

        assert (outcome.reply.code, outcome.stage) == (451, "greeting")
        assert gateway.quarantine.states == {}


# Retries.


async def test_a_retry_after_three_failures_doubles_nothing(hop_to: HopTo) -> None:
    plan = Plan(
        groups=(
            group(Action.DELIVER, A1),
            group(Action.ANNOTATE, A2, raw=TAGGED),
            group(Action.ANNOTATE, B1, raw=TAGGED + b"\r\n"),
        ),
        holds=(hold(H1),),
    )
    faults = [
        Fault(stage="end_of_data", occurrence=2, reply=b"451 4.3.0 a\r\n"),
        Fault(stage="end_of_data", occurrence=3, reply=b"451 4.3.0 b\r\n"),
        Fault(stage="end_of_data", occurrence=5, reply=b"451 4.3.0 c\r\n"),
    ]
    async with InnerServer(faults=faults) as server:
        gateway = Gateway(server, hop_to(server))
        codes = [(await gateway.attempt(plan, *ALL)).reply.code for _ in range(4)]

        assert codes == [451, 451, 451, 250]
        assert sorted(names for names, _ in gateway.delivered) == [("a1",), ("a2",), ("b1",)]
        assert gateway.quarantine.states == {"q0": "held"}
        assert gateway.journal.is_empty


async def test_a_changed_received_field_does_not_hide_a_retry(hop_to: HopTo) -> None:
    fault = Fault(stage="end_of_data", occurrence=2, reply=b"451 4.3.0 no\r\n")
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        session = await gateway.hop.open(CONNECTION)
        await gateway.attempt(MIXED, *ALL)
        await session.mail(SENDER, ())
        for one in ALL:
            await session.rcpt(one)
        again = transaction(*ALL, raw=b"Received: from elsewhere; later\r\n" + RAW)
        outcome = await gateway.delivery.deliver(again, MIXED, session)
        await session.close()

        assert outcome.reply.code == 250
        assert outcome.duplicates_avoided == 2


async def test_another_mail_to_the_same_recipients_is_no_retry(hop_to: HopTo) -> None:
    fault = Fault(stage="end_of_data", occurrence=2, reply=b"451 4.3.0 no\r\n")
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        await gateway.attempt(MIXED, *ALL)
        session = await gateway.hop.open(CONNECTION)
        await session.mail(SENDER, ())
        await session.rcpt(A1)
        other = transaction(A1, raw=RAW.replace(b"hello", b"good-bye"))
        plan = Plan(groups=(group(Action.DELIVER, A1, raw=other.raw),))
        outcome = await gateway.delivery.deliver(other, plan, session)
        await session.close()

        assert outcome.duplicates_avoided == 0
        assert gateway.delivered[-1] == (("a1",), other.raw)
        # The first mail is still on its way.
        assert gateway.journal.names == {"a1", "a2"}


async def test_a_retry_of_what_is_all_delivered_sends_nothing(hop_to: HopTo) -> None:
    fault = Fault(stage="end_of_data", occurrence=2, reply=b"451 4.3.0 no\r\n")
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        await gateway.attempt(MIXED, *ALL)
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply == Reply(code=250, lines=(b"2.0.0 Message accepted (T1)",))
        assert fates(outcome) == {"a1": "delivered_before", "a2": "delivered_before"}
        assert len(gateway.delivered) == 1
        assert gateway.journal.is_empty


async def test_a_journal_that_cannot_write_costs_a_duplicate_and_is_told(hop_to: HopTo) -> None:
    fault = Fault(stage="end_of_data", occurrence=2, reply=b"451 4.3.0 no\r\n")
    async with InnerServer(faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        gateway.journal.fails = True
        first = await gateway.attempt(MIXED, *ALL)
        second = await gateway.attempt(MIXED, *ALL)

        assert (first.reply.code, first.journal_failed) == (451, True)
        assert (second.reply.code, second.journal_failed) == (250, False)


# Crashes: the process dies between two steps.


class Crash(BaseException):
    """Not an Exception: nothing may run after it."""


async def test_a_crash_after_the_pending_write_commits_the_hold(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        gateway.quarantine.fails["commit"] = Crash()
        with pytest.raises(Crash):
            await gateway.attempt(MIXED, *ALL)

        assert gateway.quarantine.states == {"q0": "pending"}
        gateway.quarantine.recover()
        del gateway.quarantine.fails["commit"]
        await gateway.attempt(MIXED, *ALL)

        # Everything is there at least once.
        assert set(gateway.quarantine.states.values()) == {"held"}
        assert {name for names, _ in gateway.delivered for name in names} == {"a1", "a2", "b1"}


async def test_a_bug_in_the_middle_does_not_double_what_was_delivered(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        gateway.quarantine.fails["commit"] = RuntimeError("a bug of ours")
        with pytest.raises(RuntimeError):
            await gateway.attempt(MIXED, *ALL)
        del gateway.quarantine.fails["commit"]
        outcome = await gateway.attempt(MIXED, *ALL)

        assert outcome.duplicates_avoided == 3
        assert len(gateway.delivered) == 2


# LMTP.


@pytest.mark.parametrize(
    ("replies", "code", "remembered"),
    [
        ({}, 250, set()),
        ({A2: b"452 4.2.2 full\r\n"}, 451, {"a1"}),
        ({A2: b"552 5.2.2 full\r\n"}, 552, set()),
        ({A1: b"552 5.2.2 full\r\n", A2: b"451 4.2.0 busy\r\n"}, 451, set()),
        ({A1: b"452 4.2.2 full\r\n", A2: b"452 4.2.2 full\r\n"}, 452, set()),
    ],
)
async def test_lmtp_replies_are_joined_into_one_that_is_true_for_all(
    hop_to: HopTo, replies: dict[Recipient, bytes], code: int, remembered: set[str]
) -> None:
    faults = [
        Fault(stage="end_of_data", recipient=one.path.raw, reply=words, occurrence=1)
        for one, words in replies.items()
    ]
    async with InnerServer(lmtp=True, faults=faults) as server:
        gateway = Gateway(server, hop_to(server))
        outcome = await gateway.attempt(PLAIN, A1, A2)

        assert outcome.reply.code == code
        assert outcome.is_next_hops
        assert gateway.journal.names == remembered
        assert all((fate is Fate.DELIVERED) == (one not in replies) for one, fate in outcome.fates)
        if outcome.reply.is_transient:
            assert (await gateway.attempt(PLAIN, A1, A2)).reply.code == 250
            assert sorted(names for names, _ in gateway.delivered) == [("a1",), ("a2",)]
            assert gateway.journal.is_empty


async def test_lmtp_that_is_lost_after_one_reply_doubles_only_what_is_unknown(
    hop_to: HopTo,
) -> None:
    fault = Fault(stage="end_of_data", occurrence=2, drop=True)
    async with InnerServer(lmtp=True, faults=[fault]) as server:
        gateway = Gateway(server, hop_to(server))
        first = await gateway.attempt(PLAIN, A1, A2)
        second = await gateway.attempt(PLAIN, A1, A2)

        assert (first.reply.code, second.reply.code) == (451, 250)
        assert sorted(names for names, _ in gateway.delivered) == [("a1",), ("a2",), ("a2",)]


# Plans.


async def test_a_plan_that_forgets_a_recipient_is_refused_before_anything_is_done(
    hop_to: HopTo,
) -> None:
    async with InnerServer() as server:
        gateway = Gateway(server, hop_to(server))
        with pytest.raises(ValueError, match="exactly once"):
            await gateway.attempt(PLAIN, A1, A2, B1)

        assert not server.messages


@pytest.mark.parametrize(
    "build",
    [
        Plan,
        lambda: Plan(reply=own_reply(250, "2.0.0", "Ok")),
        lambda: Plan(reply=own_reply(451, "4.3.0", "No"), holds=(hold(H1),)),
        lambda: group(Action.REJECT, A1),
        lambda: group(Action.DELIVER),
    ],
    ids=["empty", "own 250", "reply and hold", "reject group", "nobody"],
)
def test_an_unclear_plan_cannot_be_made(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        build()


@pytest.mark.parametrize(
    "plan",
    [
        Plan(groups=(group(Action.DELIVER, A1), group(Action.ANNOTATE, A1))),
        Plan(groups=(group(Action.DELIVER, A1, B1),)),
        Plan(holds=(hold(B1),)),
    ],
    ids=["twice", "one too many", "somebody else"],
)
def test_a_plan_covers_each_recipient_once(plan: Plan) -> None:
    with pytest.raises(ValueError, match="exactly once"):
        plan.require_cover(transaction(A1).envelope)


def test_the_same_recipient_named_twice_has_two_places() -> None:
    plan = Plan(groups=(group(Action.DELIVER, A1, A1),))

    plan.require_cover(transaction(A1, A1).envelope)
    with pytest.raises(ValueError, match="exactly once"):
        plan.require_cover(transaction(A1).envelope)


def test_a_next_hop_failure_never_carries_a_5xx() -> None:
    failures: list[NextHopFailed] = [failed(Stage.EHLO, cause) for cause in Cause]

    assert {failure.reply.code for failure in failures} == {451}
