"""Invented mails of every language through the language check and the shipped weights.

Floors, not averages: how many lures of a batch may be missed is what was measured when the floor
was set, and only goes down. The sender's facts are what `check.identity` would give: lures and
private mail come from free mail, honest mail from an own domain that is vouched for. The trained
model has learnt the class of these mails (nlp/training), so this watches for regressions; how well
unseen mail is told is measured on the test split (docs/evaluation.md). What a mail
says of itself in `reach` (info, channel) and in `labels` and `never` is asked for on its own.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from milter.check.language import CHECK, LanguageCheck, check_language
from milter.judge.scoring import score
from milter.judge.weights import WeightTable, parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Finding, Source
from milter.mail.reading import Segment
from milter.mail.verdict import Label, Verdict
from milter.settings.shipped import shipped_text
from nlp.intents.terms import word_list

# Lures that may be missed, by language and batch; "first" batches were tuned on from the start.
MISSED_AT_MOST = {
    ("ar", "first"): 0,
    ("ar", "second"): 1,
    ("ar", "third"): 1,
    ("de", "first"): 1,
    ("de", "second"): 1,
    ("de", "third"): 0,
    ("en", "first"): 16,
    ("es", "first"): 1,
    ("es", "second"): 1,
    ("es", "third"): 1,
    ("es", "fourth"): 10,
    ("ko", "first"): 1,
    ("pt", "first"): 0,
    ("pt", "second"): 2,
    ("pt", "third"): 0,
    ("ru", "first"): 0,
    ("ru", "second"): 1,
    ("ru", "third"): 1,
    ("zh", "first"): 1,
    ("zh", "second"): 1,
    ("zh", "third"): 3,
}
# What the trained model hears plainly and wrongly, known and tolerated: the verdict is clean.
MISHEARD = {"en-h16": {"no_client"}, "en-h17": {"travel_meet"}}
# A vacancy to forward is heard as asking for names. Its verdict is clean, too.
TO_BE_MENDED = {"en-h19"}
_SENDER = {
    "lure": ("SENDER_FREEMAIL",),
    "private": ("SENDER_FREEMAIL",),
    "honest": ("SENDER_OWN_DOMAIN", "AUTH_ALIGNED"),
}
_NOT_TAGGED = {Label.CLEAN, Label.INFO}


def _read() -> Iterator[dict[str, Any]]:
    for path in sorted((Path(__file__).parent / "mails").glob("*.toml")):
        for mail in tomllib.loads(path.read_text("utf-8"))["mail"]:
            yield {"reach": "tag", **mail, "language": path.stem}


MAILS = list(_read())
LURES = [mail for mail in MAILS if mail["kind"] == "lure"]
LANGUAGES = sorted({mail["language"] for mail in MAILS})


def named(mails: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("mail", mails, ids=lambda mail: mail["id"])


@cache
def _table() -> WeightTable:
    return parse_weights(shipped_text("weights.toml"))


def _language(mail: dict[str, Any]) -> LanguageCheck:
    segment = Segment(source=Source.BODY, part="1", text=mail["text"])
    found = check_language(
        segments=(segment,), hidden=(), links=(), file_names=(), names=(), own_domains=()
    )
    assert found.outcome.check == CHECK
    return found


def _verdict(mail: dict[str, Any]) -> Verdict:
    facts = tuple(Finding(code=code, check="sender") for code in _SENDER[mail["kind"]])
    sender = CheckOutcome(check="sender", status=CheckStatus.DONE, findings=facts)
    return score((_language(mail).outcome, sender), table=_table())


@named([mail for mail in MAILS if mail["kind"] != "lure"])
def test_honest_and_private_mail_is_never_tagged(mail):
    verdict = _verdict(mail)
    assert verdict.label in _NOT_TAGGED, verdict.findings


def test_every_batch_has_a_floor():
    batches = {(mail["language"], mail["half"]) for mail in LURES}
    assert batches == MISSED_AT_MOST.keys()


@pytest.mark.parametrize(("language", "half"), MISSED_AT_MOST)
def test_lures_are_tagged_but_for_a_few(language, half):
    missed = [
        mail["id"]
        for mail in LURES
        if (mail["language"], mail["half"], mail["reach"]) == (language, half, "tag")
        and _verdict(mail).label in _NOT_TAGGED
    ]
    assert len(missed) <= MISSED_AT_MOST[language, half], missed


@named([mail for mail in LURES if mail["reach"] == "info"])
def test_lures_without_a_channel_are_shown_at_least(mail):
    verdict = _verdict(mail)
    assert verdict.label is not Label.CLEAN, verdict.findings


@named([mail for mail in LURES if mail["reach"] == "channel"])
def test_a_bare_request_for_another_channel_is_found(mail):
    codes = {row.finding.code for row in _verdict(mail).findings}
    assert codes & {"OFFPLATFORM", "OFFPLATFORM_NO_HANDLE"}


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(
            mail,
            id=mail["id"],
            marks=[
                pytest.mark.xfail(
                    strict=True, reason="hears plainly what is not there: to be mended"
                )
            ]
            if mail["id"] in TO_BE_MENDED
            else [],
        )
        for mail in MAILS
        if "labels" in mail or "never" in mail
    ],
)
def test_labels(mail):
    language = _language(mail)
    found = {intent.label for intent in language.analysis.intents}
    # What the screen lets go has no labels; a lure is never let go.
    if language.screened or mail["kind"] == "lure":
        assert set(mail.get("labels", ())) <= found
    # The trained model may hear a label implied where it is not; plainly it must not.
    plain = {intent.label for intent in language.analysis.intents if intent.strength > 1}
    assert not (plain - MISHEARD.get(mail["id"], set())) & set(mail.get("never", ()))


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_concept_that_english_words_is_worded(language):
    assert word_list("en").concepts <= word_list(language).concepts
