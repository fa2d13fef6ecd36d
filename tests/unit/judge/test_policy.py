"""The policy table: first match wins, modes and roles bound what a row may do."""

from datetime import date

import pytest

from milter.judge.policy import Allow, Policy, Row, enforced
from milter.judge.scoring import score
from milter.judge.weights import parse_weights
from milter.mail.address import parse_path
from milter.mail.envelope import Recipient
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.reading import HeaderFacts, NamedMailbox
from milter.mail.verdict import Action, Mode
from milter.settings.recipients import parse_recipients
from milter.settings.shipped import shipped_text

TABLE = parse_weights(shipped_text("weights.toml"))
TODAY = date(2026, 11, 25)
HEADER = HeaderFacts(
    header_from=(NamedMailbox(display_name="", address="hr@corp.test", domain="corp.test"),)
)
HOLD = ["OFFPLATFORM", "NO_CLIENT", "PAID_REPORT_WRITTEN", "SECRECY", "SENDER_FREEMAIL"]
TAG = ["OFFPLATFORM", "PLATFORM_CLAIM", "SENDER_FREEMAIL"]
INFO = ["SENSITIVE", "NO_CLIENT"]


def verdict_of(codes):
    findings = tuple(Finding(code=code, check="t") for code in codes)
    outcome = CheckOutcome(check="t", status=CheckStatus.DONE, findings=findings)
    return score([outcome], table=TABLE)


def to(address: str) -> Recipient:
    path, _ = parse_path(f"<{address}>".encode(), smtputf8=False)
    return Recipient(path=path)


def row(name="default", recipients=("*",), **kwargs) -> Row:
    matches = parse_recipients(recipients)
    values = {"annotate_from_db": 20.0, "quarantine_from_db": 35.0, **kwargs}
    return Row(name=name, matches=lambda r: r.path in matches, **values)


def decide(codes, *, mode=Mode.ENFORCE, role="mx", rows=(), allow=(), to_whom=("a@org.test",),
           judged=True, **kwargs):  # fmt: skip
    policy = Policy(mode=mode, rows=(*rows, row()), allow=allow, **kwargs)
    recipients = tuple(to(address) for address in to_whom)
    decided = policy.decide(
        verdict_of(codes), HEADER, recipients, role=role, today=TODAY, judged=judged
    )
    placed = [r for disposition in decided for r in disposition.recipients]
    assert sorted(placed, key=recipients.index) == list(recipients)
    return [(d.action, d.rule) for d in decided]


@pytest.mark.parametrize(
    ("codes", "mode", "expected"),
    [
        (HOLD, Mode.ENFORCE, Action.QUARANTINE),
        (HOLD, Mode.ANNOTATE, Action.ANNOTATE),
        (HOLD, Mode.OBSERVE, Action.DELIVER),
        (TAG, Mode.ENFORCE, Action.ANNOTATE),
        (TAG, Mode.OBSERVE, Action.DELIVER),
        (INFO, Mode.ENFORCE, Action.DELIVER),
        ([], Mode.ENFORCE, Action.DELIVER),
    ],
)
def test_mode_bounds_the_action(codes, mode, expected):
    assert decide(codes, mode=mode) == [(expected, "default")]


def test_first_matching_row_wins_per_recipient():
    rows = [
        row("board", ("ceo@org.test",), annotate_from_db=99.0, quarantine_from_db=99.0),
        row("lab", ("lab.org.test",), quarantine_from_db=20.0),
    ]
    decided = decide(
        HOLD, rows=rows, to_whom=("x@lab.org.test", "ceo@org.test", "y@lab.org.test", "z@org.test")
    )
    assert decided == [
        (Action.QUARANTINE, "lab"),
        (Action.DELIVER, "board"),
        (Action.QUARANTINE, "default"),
    ]


def test_at_most_bounds_a_row():
    assert decide(HOLD, rows=[row("mild", at_most=Action.ANNOTATE)]) == [(Action.ANNOTATE, "mild")]


def test_reject_only_where_the_peer_can_hear_it():
    rows = [row("strict", hold_as=Action.REJECT)]
    assert decide(HOLD, rows=rows) == [(Action.REJECT, "strict")]
    assert decide(HOLD, rows=rows, role="after_queue") == [(Action.QUARANTINE, "strict")]


def test_info_banner_is_off_unless_a_row_asks_for_it():
    assert decide(INFO, rows=[row("told", annotate_info=True)]) == [(Action.ANNOTATE, "told")]


def test_cannot_judge_follows_policy():
    assert decide([], judged=False, cannot_judge=Action.DEFER) == [(Action.DEFER, "cannot judge")]
    assert decide([], judged=False) == [(Action.DELIVER, "cannot judge")]


@pytest.mark.parametrize(
    ("codes", "expires", "sender", "allowed"),
    [
        ([*HOLD, "AUTH_ALIGNED"], TODAY, "corp.test", True),
        ([*HOLD, "AUTH_ALIGNED"], TODAY, "hr@corp.test", True),
        ([*HOLD], TODAY, "corp.test", False),
        ([*HOLD, "AUTH_ALIGNED"], date(2026, 11, 24), "corp.test", False),
        ([*HOLD, "AUTH_ALIGNED"], TODAY, "other.test", False),
    ],
)
def test_allow_row_needs_alignment_and_must_not_be_past(codes, expires, sender, allowed):
    allow = Allow(
        name="partner", senders=frozenset({sender}), matches=lambda _: True, expires=expires
    )
    decided = decide(codes, allow=(allow,))
    assert (decided == [(Action.DELIVER, "allow: partner")]) is allowed


def test_enforced_shows_what_enforce_would_do():
    policy = Policy(mode=Mode.OBSERVE, rows=(row(),))
    decided = enforced(policy).decide(
        verdict_of(HOLD), HEADER, (to("a@org.test"),), role="mx", today=TODAY
    )
    assert decided[0].action is Action.QUARANTINE


@pytest.mark.parametrize(
    ("patterns", "inside", "outside"),
    [
        (["org.test"], "a@org.test", "a@sub.org.test"),
        (["@org.test"], "a@org.test", "a@other.test"),
        (["A.B@org.test"], "a.b@ORG.test", "b@org.test"),
        ([r"re:.*-lab@org\.test"], "x-LAB@org.test", "x@org.test"),
        (["*"], "anybody@else.test", None),
    ],
)
def test_recipient_patterns(patterns, inside, outside):
    recipients = parse_recipients(patterns)
    assert to(inside).path in recipients
    assert outside is None or to(outside).path not in recipients
