"""The visible form of text, and the way back to what was written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.normalise import Normalised, normalise

# Letters, marks, joiners, disguises and layout in the same string, as an attacker would mix them.
TRICKY = st.text(
    alphabet=st.sampled_from(
        list("aAbWhtsp 12.-_*\n@/") + list("аеорсТΑο") + list("ＷＡ１②ﬁ½…㎏")
        + ["\u200b", "\u200d", "\u00ad", "\u034f", "\u202e", "\ufe0f", "\u0301", "\u0640", "\u200c"]
        + list("微信가각ᄀ가ぱﾊﾟمیخ😀İß")
    ),
    max_size=80,
)  # fmt: skip
ANY_TEXT = st.one_of(TRICKY, st.text(max_size=80))


def original_of(view: Normalised, part: str) -> str:
    start = view.text.index(part)
    first, last = view.original_span(start, start + len(part))
    return view.original[first:last]


@pytest.mark.parametrize(
    ("written", "seen", "is_obfuscated"),
    [
        ("Add me on W h a t s A p p now", "Add me on WhatsApp now", True),
        ("W h a t s . A p p", "WhatsApp", True),
        ("T.e.l.e.g.r.a.m please", "Telegram please", True),
        ("T-e-l-e-g-r-a-m", "Telegram", True),
        ("加W h a t s A p p聊", "加WhatsApp聊", True),
        ("Wha\u200btsApp", "WhatsApp", True),
        ("Wha\u034ftsApp", "WhatsApp", True),
        ("Sig\u202dnal", "Signal", True),
        ("\u0422\u0435legram", "Telegram", True),  # Cyrillic Te
        ("Ѕіgnаl", "Signal", True),
        ("Τelegram", "Telegram", True),  # Greek Tau
        # What is not a disguise
        ("ＷｈａｔｓＡｐｐ", "WhatsApp", False),
        ("１３８００１３８０００", "13800138000", False),
        ("Телеграм и почта", "Телеграм и почта", False),
        ("Καλημέρα", "Καλημέρα", False),
        ("Donau\u00addampf", "Donaudampf", False),
        ("preheader \u034f \u200c \u034f \u200c end", "preheader     end", False),
        ("می\u200cخواهم", "می\u200cخواهم", False),
        ("👩\u200d🔬", "👩\u200d🔬", False),
        ("تيـــليجرام", "تيليجرام", False),
        ("\u200eWhatsApp\u200e", "WhatsApp", False),
        ("e.g. U.S.A. or i.e. a b", "e.g. U.S.A. or i.e. a b", False),
        ("caf\u0065\u0301", "café", False),
        ("ｶﾞｲﾄﾞ", "ガイド", False),
        ("IT-отдел и QRкод", "IT-отдел и QRкод", False),
        ("Elif Yılmaz ilə Əliyev", "Elif Yılmaz ilə Əliyev", False),  # native letters
        ("", "", False),
    ],
)
def test_what_a_reader_sees(written: str, seen: str, is_obfuscated: bool) -> None:
    view = normalise(written)
    assert view.text == seen
    assert bool(view.obfuscations) == is_obfuscated
    assert view.original == written


def test_spans_lead_back_to_the_text_as_written() -> None:
    view = normalise("Reach me on Wha\u200btsApp or T e l e g r a m, ½ day")
    assert original_of(view, "WhatsApp") == "Wha\u200btsApp"
    assert original_of(view, "Telegram") == "T e l e g r a m"
    assert original_of(view, "1⁄2") == "½"
    assert original_of(view, "day") == "day"


def test_obfuscations_are_spans_of_the_original() -> None:
    written = "write on Tеlegram or W.h.a.t.s.A.p.p"
    view = normalise(written)
    assert [written[a:b] for a, b in view.obfuscations] == ["Tеlegram", "W.h.a.t.s.A.p.p"]
    start = view.text.index("Telegram")
    assert view.is_obfuscated(start, start + 8)
    assert not view.is_obfuscated(0, 5)


@given(ANY_TEXT)
def test_every_span_maps_to_text_in_order(written: str) -> None:
    view = normalise(written)
    assert len(view.folded) == len(view.text)
    previous = (0, 0)
    for index in range(len(view.text)):
        first, last = view.original_span(index, index + 1)
        assert 0 <= first < last <= len(written)
        assert first >= previous[0]
        assert last >= previous[1]
        previous = (first, last)
    for first, last in view.obfuscations:
        assert 0 <= first < last <= len(written)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="~/|*_-. +"), max_size=60))
def test_plain_ascii_is_itself(written: str) -> None:
    view = normalise(written)
    assert view.text == written
    assert view.original_span(0, 1) == (0, 1)


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "a.",
        "\u200b",
        "a\u200b",
        "a\u0301",
        "\u0301",
        "аa",
        "а",
        "１",
        "ab-",
        "\u00ad",
        "가",
        "a. b ",
    ],
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    written = unit * (100_000 // len(unit))
    began = time.perf_counter()
    view = normalise(written)
    assert time.perf_counter() - began < 5  # quadratic work would take minutes
    assert len(view.folded) == len(view.text)
