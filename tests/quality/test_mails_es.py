"""Invented Spanish mails through the language check and the shipped weights: floors, not averages."""

import tomllib
from functools import lru_cache
from pathlib import Path

import pytest

from milter.check.language import check_language
from milter.judge.scoring import score
from milter.judge.weights import WeightTable, parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Finding, Source
from milter.mail.reading import Segment
from milter.mail.verdict import Label, Verdict
from milter.settings.shipped import shipped_text

_MAILS = tomllib.loads((Path(__file__).parent / "mails/es.toml").read_text("utf-8"))["mail"]
_SENDER = {
    "lure": ("SENDER_FREEMAIL",),
    "private": ("SENDER_FREEMAIL",),
    "honest": ("SENDER_OWN_DOMAIN", "AUTH_ALIGNED"),
}
_NOT_TAGGED = {Label.CLEAN, Label.INFO}


@lru_cache(maxsize=1)
def _table() -> WeightTable:
    return parse_weights(shipped_text("weights.toml"))


def _verdict(mail: dict[str, str]) -> Verdict:
    segment = Segment(source=Source.BODY, part="1", text=mail["text"])
    language = check_language(
        segments=(segment,), hidden=(), links=(), file_names=(), names=(), own_domains=()
    )
    facts = tuple(Finding(code=code, check="sender") for code in _SENDER[mail["kind"]])
    sender = CheckOutcome(check="sender", status=CheckStatus.DONE, findings=facts)
    return score((language.outcome, sender), table=_table())


def _missed(half: str) -> list[str]:
    return [
        mail["id"]
        for mail in _MAILS
        if mail["kind"] == "lure" and mail["half"] == half and _verdict(mail).label in _NOT_TAGGED
    ]


@pytest.mark.parametrize(
    "mail", [mail for mail in _MAILS if mail["kind"] != "lure"], ids=lambda mail: mail["id"]
)
def test_spanish_honest_mail_is_never_tagged(mail: dict[str, str]) -> None:
    verdict = _verdict(mail)

    assert verdict.label in _NOT_TAGGED, verdict.findings


@pytest.mark.parametrize(
    ("half", "allowed"), [("first", 1), ("second", 1), ("third", 1), ("fourth", 11)]
)
def test_spanish_lures_are_tagged_but_for_a_few(half: str, allowed: int) -> None:
    assert len(_missed(half)) <= allowed
