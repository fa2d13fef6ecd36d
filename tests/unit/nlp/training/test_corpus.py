"""The notation of the corpus, and the soundness of what is there."""

import pytest

from nlp.training.check import faults
from nlp.training.corpus import CorpusError, Marked, compile_markup, read_corpus


def test_markup_becomes_offsets():
    marked = compile_markup("a {PAID_REPORT.call/1: pay {money: 5 €} now} {handle: x}", "here")
    assert marked.text == "a pay 5 € now x"
    assert marked.spans == (
        Marked(label="PAID_REPORT", attribute="call", strength=1, start=2, end=13),
        Marked(label="money", start=6, end=9),
        Marked(label="handle", start=14, end=15),
    )
    assert [marked.text[span.start : span.end] for span in marked.spans] == [
        "pay 5 € now",
        "5 €",
        "x",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "{MONEY: open",
        "closed}",
        "{money}",
        "{NO_SUCH: x}",
        "{Money: x}",
        "{MONEY: }",
        "{MONEY/3: x}",
    ],
)
def test_broken_markup_is_told_with_its_place(wrong):
    with pytest.raises(CorpusError, match="here: "):
        compile_markup(wrong, "here")


def test_the_corpus_is_sound():
    mails = read_corpus("train", "dev")
    assert list(faults(mails)) == []


def test_no_case_is_in_two_splits():
    seen = {split: {mail.case for mail in read_corpus(split)} for split in ("train", "dev", "test")}
    assert not seen["train"] & seen["test"]
    assert not seen["dev"] & seen["test"]
    assert not seen["train"] & seen["dev"]
