"""Invented Russian and Arabic mails through the language check and the shipped weights: floors."""

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
from nlp.intents.terms import word_list

_LANGUAGES = ("ru", "ar")
_MAILS = [
    mail
    for language in _LANGUAGES
    for mail in tomllib.loads(
        (Path(__file__).parent / f"mails/{language}.toml").read_text("utf-8")
    )["mail"]
]
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


def _lures(reach: str) -> list[dict[str, str]]:
    return [mail for mail in _MAILS if mail["kind"] == "lure" and mail.get("reach", "tag") == reach]


def _missed(language: str, half: str) -> list[str]:
    return [
        mail["id"]
        for mail in _lures("tag")
        if mail["id"].startswith(language)
        and mail["half"] == half
        and _verdict(mail).label in _NOT_TAGGED
    ]


@pytest.mark.parametrize(
    "mail", [mail for mail in _MAILS if mail["kind"] != "lure"], ids=lambda mail: mail["id"]
)
def test_russian_and_arabic_honest_mail_is_never_tagged(mail: dict[str, str]) -> None:
    verdict = _verdict(mail)

    assert verdict.label in _NOT_TAGGED, verdict.findings


@pytest.mark.parametrize("language", _LANGUAGES)
def test_lures_of_the_first_half_are_tagged(language: str) -> None:
    assert _missed(language, "first") == []


@pytest.mark.parametrize("half", ["second", "third"])
@pytest.mark.parametrize("language", _LANGUAGES)
def test_lures_of_the_later_parts_are_tagged_but_for_one(language: str, half: str) -> None:
    assert len(_missed(language, half)) <= 1


@pytest.mark.parametrize("mail", _lures("info"), ids=lambda mail: mail["id"])
def test_lures_without_a_channel_are_shown_at_least(mail: dict[str, str]) -> None:
    verdict = _verdict(mail)

    assert verdict.label is not Label.CLEAN, verdict.findings


@pytest.mark.parametrize("mail", _lures("channel"), ids=lambda mail: mail["id"])
def test_a_bare_request_for_another_channel_is_found(mail: dict[str, str]) -> None:
    codes = {row.finding.code for row in _verdict(mail).findings}

    assert codes & {"OFFPLATFORM", "OFFPLATFORM_NO_HANDLE"}


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_concept_that_english_words_is_worded(language: str) -> None:
    assert word_list(language).concepts == word_list("en").concepts
