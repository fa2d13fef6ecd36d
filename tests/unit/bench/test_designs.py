"""Recall at a false-alarm rate, areas, and the pure parts of the comparison of designs."""

import numpy as np
import pytest

from bench.designs import textcat
from bench.designs.candidates import Material
from bench.designs.linear import Linear
from bench.designs.reading import split_of
from bench.designs.table import Row, area, gap_interval, recall_at, table
from nlp.model.fields import FieldTable
from nlp.training.corpus import MarkedText, TrainingMail
from nlp.training.examples import MailExample


def mail(mail_id: str, language: str = "en", mail_class: str = "LURE_RECRUIT") -> TrainingMail:
    return TrainingMail(
        mail_id=mail_id, language=language, split="train", case=mail_id, mail_class=mail_class,
        sender="freemail", position="cold", subject=MarkedText(text=""), body=MarkedText(text="a"),
    )  # fmt: skip


def test_recall_counts_lures_above_the_honest_mails_allowed():
    honest = [float(value) for value in range(100)]
    lures = [99.5, 98.5, 97.5, 50.0]
    assert recall_at(lures, honest, 0.01) == 0.5
    assert recall_at(lures, honest, 0.02) == 0.75
    assert recall_at(lures, honest, 0.49) == 0.75
    assert recall_at(lures, honest, 0.5) == 1.0


def test_ties_at_the_threshold_are_no_recall():
    assert recall_at([1.0, 1.0], [1.0] * 50 + [0.0] * 50, 0.05) == 0.0


def test_area():
    assert area([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert area([1.0], [1.0]) == 0.5
    assert area([0.0, 3.0], [1.0, 2.0]) == 0.5


def test_a_row_has_every_column():
    classes = ("LURE_RECRUIT", "BENIGN_HARD", "BENIGN_EASY")
    mails = [
        mail("x", language, each)
        for language in ("en", "fr_ca", "zh_hans", "ko")
        for each in classes
    ]
    row = Row(
        name="some design",
        scores=np.arange(12.0),
        milliseconds=1.25,
        size=2_340_000,
    )
    head, rule, line = table([row], mails)
    assert head.count("|") == rule.count("|") == line.count("|")
    # Each language's lure scores below its honest mail, yet above those of the languages before.
    assert "| 0.375 | 0.000 | 0.000 | 0.000 | 0.000 |" in line
    assert line.endswith("| 1.2 | 2.3 MB |")


def test_a_gap_is_drawn_by_writer():
    mails = [mail("x", mail_class=each) for each in ("LURE_EVENT", "BENIGN_HARD") * 20]
    writers = [f"writer {at // 4}" for at in range(40)]
    right, blind = (
        Row(name="", scores=scores, milliseconds=0.0, size=0)
        for scores in (np.array([1.0, 0.0] * 20), np.zeros(40))
    )
    assert gap_interval(right, blind, mails, writers, 0.02) == (1.0, 1.0)
    assert gap_interval(right, right, mails, writers, 0.02) == (0.0, 0.0)
    # Right about half of the writers: which are drawn decides.
    half = Row(
        name="", scores=np.where(np.arange(40) < 20, right.scores, 0.0), milliseconds=0.0, size=0
    )
    low, high = gap_interval(half, blind, mails, writers, 0.02)
    assert 0 < low < 0.5 < high < 1


def test_whole_writers_are_left_out():
    mails = [mail(f"en-{writer}a-{n}") for writer in ("E21", "P1", "K9", "N6") for n in range(3)]
    seen, unseen = split_of(mails)
    assert [mails[at].writer for at in unseen] == ["P1"] * 3 + ["N6"] * 3
    assert sorted([*seen, *unseen]) == [*range(12)]


def example(mail_class: str = "LURE_RECRUIT") -> MailExample:
    blocks = tuple(frozenset({one}) for one in ("pay", "~_pa", "#money", "%7"))
    return MailExample(
        mail=mail("en-A-1", mail_class=mail_class), sentences=(), blocks=blocks,
        context=(), told=(), screen=(), passed=True,
    )  # fmt: skip


def test_a_linear_design_sees_its_blocks_only():
    nothing = frozenset()
    pieces = Linear(blocks=(False, True, False, False)).seen(example())
    assert pieces == (nothing, frozenset({"~_pa"}), nothing, nothing)
    assert Linear(blocks=(True, True, True, True)).seen(example()) == example().blocks


def test_scams_are_learnt_as_lures_and_reports_are_not():
    classes = ("LURE_EVENT", "SCAM", "REPORTED", "BENIGN_EASY")
    material = Material(
        read=[example(name) for name in classes],
        masked=[],
        table=FieldTable((), ()),
    )
    assert material.truth.tolist() == [True, True, False, False]


@pytest.mark.parametrize("kind", [*textcat.MODELS])
def test_a_classifier_learns_the_same_twice(kind):
    texts = ["we pay for notes", "the train leaves at noon"] * 10
    truth = [True, False] * 10
    asked = ("notes we pay", "at noon")
    one, other = (
        [textcat.probability(textcat.trained(kind, texts, truth), text) for text in asked]
        for _ in range(2)
    )
    assert one == other
    assert one[0] > one[1]
