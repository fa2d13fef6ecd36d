"""Korean mails through the language stage and the scoring, sender facts as the checks give them.

Floors, not exact scores: what the word list must reach on mails that it was tuned on, and on mails
that were written after it.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from milter.check.language import check_language
from milter.judge.scoring import score
from milter.judge.weights import parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Finding, Source
from milter.mail.reading import Segment
from milter.mail.verdict import Verdict
from milter.settings.shipped import shipped_text

TABLE = parse_weights(shipped_text("weights.toml"))
MAILS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("mails").joinpath("ko.toml").read_text(encoding="utf-8")
)["mail"]
SENDER = {
    "lure": ("SENDER_FREEMAIL",),
    "honest": ("SENDER_OWN_DOMAIN", "AUTH_ALIGNED"),
    "private": ("SENDER_FREEMAIL",),
}


def verdict_on(mail: dict[str, Any]) -> Verdict:
    checked = check_language(
        segments=(Segment(source=Source.BODY, part="1", text=mail["text"].strip()),),
        hidden=(),
        links=(),
        file_names=(),
        names=(),
        own_domains=("example.org",),
    )
    sender = CheckOutcome(
        check="sender",
        status=CheckStatus.DONE,
        findings=tuple(
            Finding(code=code, check="sender", strength=2, evidence=())
            for code in SENDER[mail["kind"]]
        ),
        elapsed_seconds=0.0,
    )
    return score([checked.outcome, sender], table=TABLE)


def is_tagged(verdict: Verdict) -> bool:
    return (
        verdict.score_db >= TABLE.annotate_db and len(verdict.families) >= TABLE.annotate_families
    )


def test_there_are_enough_mails_of_each_kind() -> None:
    for half in ("first", "second"):
        kinds = [mail["kind"] == "lure" for mail in MAILS if mail["half"] == half]
        assert sum(kinds) >= 14
        assert len(kinds) - sum(kinds) >= 14


@pytest.mark.parametrize(
    ("half", "missed_at_most"), [("first", 0), ("second", 1)], ids=["first", "second"]
)
def test_lures_are_tagged(half: str, missed_at_most: int) -> None:
    lures = [mail for mail in MAILS if mail["kind"] == "lure" and mail["half"] == half]
    missed = [mail["id"] for mail in lures if not is_tagged(verdict_on(mail))]
    assert len(missed) <= missed_at_most, missed


@pytest.mark.parametrize(
    "mail", [mail for mail in MAILS if mail["kind"] != "lure"], ids=lambda mail: str(mail["id"])
)
def test_honest_mails_are_not_tagged(mail: dict[str, Any]) -> None:
    verdict = verdict_on(mail)
    assert not is_tagged(verdict), (verdict.score_db, [w.finding.code for w in verdict.findings])
