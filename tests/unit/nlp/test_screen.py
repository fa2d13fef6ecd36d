"""The screen: no lure lost in any language, ordinary mail kept out, hostile input bounded."""

import math
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from nlp import lexicon
from nlp.analysis import LinkText, TextSegment
from nlp.model.linear import Column, LinearModel
from nlp.screen import Screen, ScreenResult

MAILS = tomllib.loads((Path(__file__).parent / "screen_mails.toml").read_text(encoding="utf-8"))
LURES = [
    pytest.param(text, id=f"{language}-{kind}-{index}")
    for kind in ("lures", "later_lures")
    for language, texts in MAILS[kind].items()
    for index, text in enumerate(texts)
]
TABLE = lexicon.read("screen")
LANGUAGES = [
    name
    for name in TABLE
    if isinstance(TABLE[name], dict) and name not in ("weights", "marks", "any")
]


@pytest.fixture(scope="module")
def screen() -> Screen:
    return Screen(second_look=False)


@pytest.fixture(scope="module")
def shipped() -> Screen:
    return Screen()


def judge(screen: Screen, body: str, subject: str = "", signature: str = "") -> ScreenResult:
    segments = [TextSegment(source="subject", part="", text=subject)]
    segments.append(TextSegment(source="body", part="1", text=body))
    if signature:
        segments.append(TextSegment(source="signature", part="1", text=signature))
    return screen.passes(segments)


@pytest.mark.parametrize("text", LURES)
def test_lures_pass(screen: Screen, text: str) -> None:
    assert judge(screen, text).passed


@pytest.mark.parametrize("text", LURES)
def test_the_second_look_keeps_no_lure_out(shipped: Screen, text: str) -> None:
    assert judge(shipped, text).passed


CUES = "Add me on WhatsApp, as discussed on LinkedIn."
MORE = " The library opens on Monday, and the minutes of the meeting are in the folder." * 4
NO_CUES = "The minutes of the meeting are in the folder."


@pytest.mark.parametrize(
    ("likely", "text", "passed"),
    [
        (0.1, CUES + MORE, False),
        (0.5, CUES + MORE, True),
        (0.1, CUES, True),
        (0.5, NO_CUES, False),
        (0.9, NO_CUES, True),
        (0.1, CUES.replace("WhatsApp", "What\u200bsApp") + MORE, True),
        (0.1, CUES + MORE * 30, True),
        (0.9, NO_CUES + MORE * 30, False),
    ],
)
def test_the_second_look_may_pass_and_may_keep_out(likely: float, text: str, passed: bool) -> None:
    column = Column(
        name="screen", scale=1.0, bias=math.log(likely / (1 - likely)),
        slope=1.0, offset=0.0, weak=0.2, plain=0.78,
    )  # fmt: skip
    screen = Screen()
    screen._trained = LinearModel({}, np.zeros((0, 1), dtype=np.int8), (column,))
    assert judge(screen, text).passed is passed


@pytest.mark.parametrize("text", MAILS["ordinary"]["any"])
def test_ordinary_mail_is_kept_out(screen: Screen, text: str) -> None:
    assert not judge(screen, text, subject="Update").passed


def test_every_language_has_enough_lures() -> None:
    assert {"en", "fr", "zh-hans", "zh-hant", "de", "es", "pt", "ru", "ko", "ar"} == set(
        MAILS["lures"]
    )
    assert min(len(texts) for texts in MAILS["lures"].values()) >= 12


@pytest.mark.parametrize(
    "text",
    [
        "Let us go on via W h a t s A p p, it is easier.",
        "Let us go on via Wha\u200btsApp, it is easier.",
        "Let us go on via \u0422elegram, it is easier.",
        "Let us go on via ＷｈａｔｓＡｐｐ, it is easier.",
        "Je pre\u0301fe\u0300re une adresse privée pour l'étude rémunérée.",
    ],
)
def test_disguise_does_not_help(screen: Screen, text: str) -> None:
    assert judge(screen, text).passed


def test_a_disguised_word_adds_weight(screen: Screen) -> None:
    assert "disguise" in judge(screen, "Let us go on via T e l e g r a m").cues


def test_cues_are_gathered_from_subject_body_and_signature(screen: Screen) -> None:
    filler = "The weather has been fine here and the garden grows. " * 8
    assert not judge(screen, filler).passed
    result = judge(
        screen, filler, subject="as discussed on LinkedIn", signature="Telegram @maria_k"
    )
    assert {"channel", "claim"} <= set(result.cues)
    assert judge(screen, "See below.", "as discussed on LinkedIn", "Telegram @maria_k").passed


def test_quoted_text_is_not_read(screen: Screen) -> None:
    quoted = TextSegment(
        source="quoted", part="1", text="add me on WhatsApp, as discussed on LinkedIn"
    )
    body = TextSegment(source="body", part="1", text="No, thank you.")
    assert not screen.passes([body, quoted]).passed


def test_link_targets_are_read(screen: Screen) -> None:
    body = TextSegment(source="body", part="1", text="Reach me here, the brief follows there.")
    link = LinkText(target="https://t.me/maria_k", shown="here", part="1")
    assert screen.passes([body], [link]).passed


def test_far_apart_cues_do_not_add_up(screen: Screen) -> None:
    filler = "The weather has been fine and the garden grows well. " * 40
    assert not judge(screen, f"Please ping me. {filler} Our newsletter is on telegram.").passed


def test_words_of_another_language_do_not_add_up(screen: Screen) -> None:
    # "hotel", "conference", "exclusive", "mission" are French too, but this is English.
    text = (
        "The conference hotel offers an exclusive rate to those on the trade mission next week. "
        * 5
    )
    assert not judge(screen, text).passed


@pytest.mark.parametrize("language", LANGUAGES)
def test_lexicon_is_in_order(language: str) -> None:
    groups = TABLE[language]
    assert set(groups) <= set(TABLE["weights"])
    phrases = [phrase for phrases in groups.values() for phrase in phrases]
    assert len(phrases) == len(set(phrases)), "a phrase counts in one group only"
    assert all(phrase == phrase.lower() and phrase.strip("* ") for phrase in phrases)
    assert all("*" not in phrase[:-1] for phrase in phrases)


def test_no_single_cue_passes_a_mail_of_usual_length() -> None:
    assert max(TABLE["weights"].values()) < TABLE["threshold"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_knows_every_kind_of_cue(language: str) -> None:
    needed = {
        "channel",
        "private_mail",
        "work_mail",
        "reach",
        "claim",
        "offer",
        "task",
        "pay_piece",
        "pay_odd",
    }
    needed |= {
        "client_vague",
        "withheld",
        "travel",
        "secrecy",
        "inside",
        "growth",
        "contacts",
        "job_file",
    }
    assert needed <= set(TABLE[language])


@pytest.mark.parametrize(
    "app", ["WhatsApp", "WeChat", "Telegram", "KakaoTalk", "Viber", "Zalo", "Threema"]
)
@pytest.mark.parametrize(
    "name", ["Emily Campbell", "Zhang Wei", "Нина Соколова", "김지우", "ليلى منصور", "Ndlovu"]
)
def test_brand_and_name_do_not_matter(screen: Screen, app: str, name: str) -> None:
    plain = judge(
        screen, "Hello, this is A B. Please add me on WhatsApp, as discussed on LinkedIn."
    )
    swapped = judge(
        screen, f"Hello, this is {name}. Please add me on {app}, as discussed on LinkedIn."
    )
    assert swapped == plain


@pytest.mark.parametrize(
    "unit", ["whatsapp ", "a", "a ", "微信", "client fee ", "\u200b", "вa", "@", "\n"]
)
def test_hostile_repetition_takes_linear_time(screen: Screen, unit: str) -> None:
    began = time.perf_counter()
    result = judge(screen, unit * (200_000 // len(unit)))
    assert time.perf_counter() - began < 5
    assert isinstance(result.passed, bool)
