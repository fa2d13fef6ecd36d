"""One transaction in, one plan out: with readers, history and clock of the test's own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from milter.app.from_settings import pipeline_options
from milter.check.engagement.engagement import EngagementCheck
from milter.judge.policy import Row
from milter.mail.address import parse_path
from milter.mail.edit import BannerOutcome
from milter.mail.engagement import Recollection
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.reading import Facts, HeaderFacts, IntegrityReport, NamedMailbox, Reading
from milter.mail.verdict import Action, Label, Mode
from milter.pipeline import Pipeline
from milter.ports import ExaminationFailed, Examined, HistoryUnavailable
from milter.read.message_reader import read_message
from milter.settings import load_settings

RAW = b"From: x@gmail.com\r\nTo: a@org.test\r\nSubject: s\r\n\r\nHello there.\r\n"
SITES = read_message(RAW, Facts()).edit_sites
TAG = ("OFFPLATFORM", "PLATFORM_CLAIM")
HOLD = ("OFFPLATFORM", "NO_CLIENT", "PAID_REPORT_WRITTEN", "SECRECY")


class FixedClock:
    def now(self):
        return datetime(2026, 11, 25, tzinfo=UTC)

    def monotonic(self):
        return 1000.0


class Readers:
    """Answers with what the test says; keeps the facts it was told."""

    def __init__(self, codes=(), *, fails="", first_failure="", problem="", verify_fails=""):
        self.codes, self.fails, self.first_failure = codes, fails, first_failure
        self.problem, self.verify_fails = problem, verify_fails
        self.facts = None
        self.verified = 0

    async def examine(self, raw, facts, deadline):
        self.facts = facts
        if self.fails:
            raise ExaminationFailed(self.fails)
        outcome = CheckOutcome(
            check="language",
            status=CheckStatus.DONE,
            findings=tuple(Finding(code=code, check="language") for code in self.codes),
        )
        sender = NamedMailbox(display_name="", address="x@gmail.com", domain="gmail.com")
        reading = Reading(
            size_bytes=len(raw), header=HeaderFacts(header_from=(sender,)),
            edit_sites=SITES, outcomes=(outcome,),
        )  # fmt: skip
        return Examined(reading=reading, first_failure=self.first_failure)

    async def verify(self, original, edited, facts, deadline):
        self.verified += 1
        if self.verify_fails:
            raise ExaminationFailed(self.verify_fails)
        return IntegrityReport(problem=self.problem)


class Nobody:
    def __init__(self, *, gone=False):
        self.gone = gone

    async def recall(self, inquiry):
        if self.gone:
            raise HistoryUnavailable
        return Recollection()

    async def remember(self, memories):
        pass


def to(address):
    return Recipient(path=parse_path(f"<{address}>".encode(), smtputf8=False)[0])


def transaction(*addresses, role="mx"):
    recipients = tuple(to(address) for address in addresses or ("a@org.test",))
    return Transaction(
        transaction_id="t1", role=role, received_at=FixedClock().now(),
        connection=Connection(client_ip="192.0.2.1"),
        envelope=Envelope(reverse_path=to("x@gmail.com").path, recipients=recipients), raw=RAW,
    )  # fmt: skip


def settings(extra=""):
    text = 'domains = ["org.test"]\n[[listen]]\nrole = "mx"\n[next_hop]\nhost = "127.0.0.1"\n'
    return load_settings((text + extra).encode(), source="test").settings


async def run(readers, *, mode=Mode.ENFORCE, rows=(), history=None, cannot="deliver", what=None):
    options = pipeline_options(
        settings(f'[judgement]\ncannot_judge = "{cannot}"\n'), banner_key=b"k", mode=mode,
        trusted=("edge.test",),
    )  # fmt: skip
    options = replace(options, policy=replace(options.policy, rows=(*rows, *options.policy.rows)))
    pipeline = Pipeline(
        examiner=readers, history=history or Nobody(), clock=FixedClock(), options=options
    )
    what = what or transaction()
    assessment = await pipeline.assess(what)
    planned = await pipeline.plan(what, assessment)
    planned.plan.require_cover(what.envelope)
    return assessment, planned


async def test_clean_mail_leaves_with_fields_only():
    readers = Readers()
    assessment, planned = await run(readers)
    assert assessment.verdict.label is Label.CLEAN
    assert planned.plan.groups[0].raw.endswith(RAW)
    assert readers.verified == 0


async def test_observe_changes_nothing_and_says_what_it_would_do():
    assessment, planned = await run(Readers(HOLD), mode=Mode.OBSERVE)
    assert planned.plan.groups[0].raw == RAW
    assert assessment.intended is Action.QUARANTINE


async def test_lure_is_annotated_and_the_edit_proved():
    readers = Readers(TAG)
    _, planned = await run(readers)
    assert b"[lw:" in planned.plan.groups[0].raw
    assert readers.verified == 1


@pytest.mark.parametrize(
    "readers", [Readers(TAG, problem="unedited"), Readers(TAG, verify_fails="timeout")]
)
async def test_an_edit_that_is_not_proved_leaves_headers_only(readers):
    _, planned = await run(readers)
    raw = planned.plan.groups[0].raw
    assert raw.endswith(b"\r\n\r\nHello there.\r\n")
    assert b"X-Lurewall-Verdict: lure" in raw
    assert planned.acted[0][1].banner is BannerOutcome.INTEGRITY
    assert planned.acted[0][1].problem


async def test_hold_keeps_the_original_and_the_annotated_octets():
    _, planned = await run(Readers(HOLD))
    hold = planned.plan.holds[0]
    assert hold.raw == RAW
    assert b"[lw:" in hold.release_raw
    assert planned.plan.groups == ()


async def test_dispositions_split_the_message():
    mild = Row(
        name="mild", matches=lambda r: b"m@" in r.path.raw, annotate_from_db=20,
        quarantine_from_db=99,
    )  # fmt: skip
    _, planned = await run(
        Readers(HOLD), rows=(mild,), what=transaction("a@org.test", "m@org.test", "b@org.test")
    )
    assert [r.path.raw for r in planned.plan.holds[0].envelope.recipients] == [
        b"a@org.test",
        b"b@org.test",
    ]
    assert [r.path.raw for r in planned.plan.groups[0].disposition.recipients] == [b"m@org.test"]


async def test_rows_with_the_same_octets_share_a_group():
    row = Row(
        name="other", matches=lambda r: b"m@" in r.path.raw, annotate_from_db=20,
        quarantine_from_db=35,
    )  # fmt: skip
    _, planned = await run(Readers(TAG), rows=(row,), what=transaction("a@org.test", "m@org.test"))
    assert len(planned.plan.groups) == 1
    assert len(planned.plan.groups[0].disposition.recipients) == 2


async def test_reject_for_all_is_a_reply_and_for_some_a_hold():
    strict = Row(
        name="strict", matches=lambda r: b"s@" in r.path.raw, annotate_from_db=20,
        quarantine_from_db=35, hold_as=Action.REJECT, at_most=Action.REJECT,
    )  # fmt: skip
    _, planned = await run(Readers(HOLD), rows=(strict,), what=transaction("s@org.test"))
    assert planned.plan.reply is not None
    assert planned.plan.reply.code == 550
    _, planned = await run(
        Readers(HOLD), rows=(strict,), what=transaction("s@org.test", "a@org.test")
    )
    assert planned.plan.reply is None
    held = [r for hold in planned.plan.holds for r in hold.envelope.recipients]
    assert len(held) == 2
    _, planned = await run(
        Readers(HOLD), rows=(strict,), what=transaction("s@org.test", role="after_queue")
    )
    assert planned.plan.reply is None


@pytest.mark.parametrize(("cannot", "code"), [("deliver", None), ("defer", 451)])
async def test_cannot_judge_follows_policy(cannot, code):
    assessment, planned = await run(Readers(fails="timeout"), cannot=cannot)
    assert assessment.verdict.degraded == ("examination: timeout",)
    assert (planned.plan.reply.code if planned.plan.reply else None) == code
    if code is None:
        assert b"degraded" in planned.plan.groups[0].raw


async def test_text_only_and_missing_history_are_said():
    assessment, _ = await run(Readers(TAG, first_failure="crash"), history=Nobody(gone=True))
    assert "text only after crash" in assessment.verdict.degraded
    assert "engagement: history unavailable" in assessment.verdict.degraded
    assert assessment.verdict.label is Label.LURE


@pytest.mark.parametrize(("role", "trusted"), [("mx", ()), ("before_queue", ("edge.test",))])
async def test_in_role_mx_nobodys_results_are_believed(role, trusted):
    readers = Readers()
    await run(readers, what=transaction(role=role))
    assert readers.facts.trusted_authserv_ids == trusted


class Broken(Nobody):
    async def remember(self, memories):
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")


async def test_a_memory_that_raises_costs_no_mail():
    assessment, planned = await run(Readers(TAG), history=Broken())
    assert "not remembered: raised UnicodeEncodeError" in assessment.verdict.degraded
    assert assessment.verdict.label is Label.LURE
    assert planned.plan.reply is None
    assert planned.plan.groups


async def test_a_fault_in_what_memory_makes_of_a_mail_costs_no_mail(monkeypatch):
    def fault(self, *_):
        raise ZeroDivisionError

    monkeypatch.setattr(EngagementCheck, "memories", fault)
    monkeypatch.setattr(EngagementCheck, "wants_full_reading", property(fault))
    assessment, planned = await run(Readers(TAG))
    assert "not read in full: raised ZeroDivisionError" in assessment.verdict.degraded
    assert "not remembered: raised ZeroDivisionError" in assessment.verdict.degraded
    assert planned.plan.groups
