"""What the encoder learns from: never the writers left out, each mail once a round."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from nlp.model.context import KINDS, OPEN_FROM, Blend, ContextModel, Head, Label, MailBlend, Reading
from nlp.training import context_fit
from nlp.training.context_fit import LEFT_OUT, ByWords, fitted
from nlp.training.corpus import CLASSES, LANGUAGES, MarkedText, TrainingMail, read_corpus
from nlp.training.examples import MailExample, SentenceExample
from nlp.training.lessons import Lesson, lessons, steps_of


class Cutter:
    """An encoder that cuts by characters."""

    def cut(self, text: str) -> list[int]:
        return [*map(ord, text)]

    def framed(self, cut: Sequence[int]) -> list[int]:
        return [0, *cut, 2]


def example(
    writer: str,
    mail_class: str = "LURE_RECRUIT",
    context: tuple[str, ...] = ("ab",),
    does: Sequence[set[str]] | None = None,
) -> MailExample:
    """A mail; `does` are the labels of its sentences, if they are marked, of which the first is chat."""
    mail = TrainingMail(
        mail_id=f"en-{writer}a-001", language="en", split="train", case="c", mail_class=mail_class,
        sender="freemail", position="cold", subject=MarkedText(text=""), body=MarkedText(text="a"),
        labels_marked=does is not None,
    )  # fmt: skip
    sentences = (
        SentenceExample(blocks=(), names=frozenset(names)) for names in (set(), *(does or ()))
    )
    return MailExample(
        mail=mail, sentences=() if does is None else tuple(sentences), blocks=(),
        context=context, told=tuple(range(1, len(context) + 1)), screen=(), passed=True,
    )  # fmt: skip


def learnt_of(read: Sequence[MailExample], likely: float = 0.5) -> list[Lesson]:
    names = ("money", "secrecy")
    return lessons(read, np.full(len(read), likely), Cutter(), names, random.Random(0))


def test_writers_left_out_teach_nothing():
    read = [example("P1"), example("E21", context=("cd",)), example("G44")]
    assert {"P1", "G44"} <= LEFT_OUT
    assert learnt_of(read) == [Lesson([0, ord("c"), ord("d"), 2], KINDS.index("lure"))]


def test_what_marked_sentences_do_is_learnt_where_they_stand():
    context = ("ab", "c", "d")
    read = [example("E21", context=context, does=({"secrecy", "money"}, set(), {"trial", "money"}))]
    (lesson,) = learnt_of(read)
    assert [lesson.pieces[one] for one in lesson.sentences] == [[97, 98], [99], [100]]
    assert lesson.labels == [[0, 1], [], [0]]


def test_of_mails_that_the_words_are_sure_of_some_teach_and_all_marked_or_ordinary_ones():
    assert len(learnt_of([example("E21", "BENIGN_EASY")] * 100, likely=0.001)) == 100
    assert 150 < len(learnt_of([example("E21")] * 1_000, likely=0.999)) < 250
    assert len(learnt_of([example("E21", does=(set(),))] * 100, likely=0.999)) == 100


def test_every_class_has_a_kind():
    read = [example("E21", one) for one in sorted(CLASSES)]
    assert {KINDS[one.kind] for one in learnt_of(read)} == set(KINDS)


def test_each_lesson_comes_once_and_no_step_is_too_long():
    chance = random.Random(3)
    learnt_from = [Lesson([place] * chance.randint(2, 162), 0) for place in range(4_000)]
    steps = list(steps_of(learnt_from, chance))
    assert sorted(one.pieces[0] for step in steps for one in step) == [*range(4_000)]
    assert all(step and len(step) * max(len(one.pieces) for one in step) <= 4_096 for step in steps)


def test_those_left_out_are_a_tenth_in_every_language():
    mails = read_corpus("train", "dev")
    left_out = [mail for mail in mails if mail.writer in LEFT_OUT]
    assert {mail.writer for mail in left_out} == LEFT_OUT
    assert 0.07 < len(left_out) / len(mails) < 0.13
    assert {mail.language for mail in left_out} == set(LANGUAGES)


def taught_to_hear(monkeypatch: pytest.MonkeyPatch) -> ContextModel:
    """One that takes "good" for a lure, and hears money in it; it counts nothing yet."""
    nothing = np.zeros((1, 1), dtype=np.float32)
    head = Head(nothing, nothing, nothing, nothing)
    monkeypatch.setattr(ContextModel, "read", _hears)
    return ContextModel(
        changes={"l0.ao.b": nothing}, kinds=head, labels=head,
        blend=MailBlend(1.0, 0.0, (0.0,) * len(KINDS), 0.0),
        columns=(Label("money", Blend(0.0, 1.0, 0.0), 9.0, 9.0),),
    )  # fmt: skip


def _hears(_: ContextModel, sentences: Iterable[tuple[int, str]]) -> Reading:
    scores = {place: 3.0 if "good" in text else -3.0 for place, text in sentences}
    kinds = np.array([max(scores.values()), 0.0, 0.0, 0.0, 0.0])
    return Reading(kinds, {place: np.array([s]) for place, s in scores.items()})


def by_words(read: Sequence[MailExample], likely: float = 0.5) -> ByWords:
    rows = sum(len(one.sentences) for one in read)
    return ByWords(
        np.full(len(read), likely),
        np.random.default_rng(0).uniform(0.2, 0.3, (rows, 1)),
        np.ones(rows),
    )


def test_the_blend_is_learnt_from_those_left_out(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    # Those of another writer say the reverse: they are not asked.
    read = [
        example("P1", context=(one,), does=[{"money"} - {one}]) for one in ("good", "money") * 20
    ]
    read += [example("E21", context=(one,)) for one in ("bad", "good") * 40]
    truth = np.array([True, False] * 60)
    found = fitted(taught, read, truth, by_words(read))
    good, bad = (_hears(found, [(0, one)]) for one in ("good", "bad"))
    assert found.log_odds(0.0, good) - found.log_odds(0.0, bad) > 0.5 * (
        good.log_odds - bad.log_odds
    )
    assert (found.changes, found.kinds, found.labels) == (
        taught.changes,
        taught.kinds,
        taught.labels,
    )
    with pytest.raises(ValueError, match="sample"):
        fitted(taught, read[40:], truth[40:], by_words(read[40:]))
    assert context_fit.is_left_out(read).sum() == 40


def test_ordinary_mail_counts_more_than_other_honest_mail(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    truth = np.array([True, False] * 20)

    def likely(honest: str) -> float:
        read = [example("P1", "LURE_RECRUIT" if one else honest, ("good",)) for one in truth]
        read += [example("P1", context=("good", "bad"), does=({"money"}, set()))]
        found = fitted(taught, read, np.append(truth, True), by_words(read))
        return found.log_odds(0.0, _hears(found, [(0, "good")]))

    assert likely("BENIGN_EASY") < likely("BENIGN_HARD") - 1.0


def test_a_label_is_said_from_where_it_is_right_often_enough(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    read = [
        example("P1", context=("good", "bad"), does=({"money"} if n % 10 else set(), set()))
        for n in range(40)
    ]
    (label,) = fitted(taught, read, np.arange(40) % 2 == 0, by_words(read)).columns
    assert label.name == "money"
    words, good, bad = np.array([-1.0]), np.array([3.0]), np.array([-3.0])
    model = replace(taught, columns=(label,))
    # Nine of ten are right.
    assert [(name, strength) for name, _, strength in model.said(words, good)] == [("money", 2)]
    ((_, probability, _),) = model.said(words, good)
    assert probability == pytest.approx(0.9, abs=0.05)
    assert [*model.said(words, bad)] == []


def test_what_is_right_too_seldom_is_never_said(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    read = [
        example("P1", context=("good", "bad"), does=({"money"} if n % 2 else set(), set()))
        for n in range(40)
    ]
    (label,) = fitted(taught, read, np.arange(40) % 2 == 0, by_words(read)).columns
    model = replace(taught, columns=(label,))
    assert [*model.said(np.array([-1.0]), np.array([3.0]))] == []


def test_a_label_that_few_sentences_have_is_heard_as_all_are(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    money = taught.columns[0]
    taught = replace(taught, columns=(money, replace(money, name="trial")))
    monkeypatch.setattr(ContextModel, "read", lambda one, given: _twice(_hears(one, given)))
    read = [example("P1", context=("good", "bad"), does=({"money"}, set())) for _ in range(40)]
    words = by_words(read)
    words = replace(words, labels=np.repeat(words.labels, 2, axis=1))
    known, rare = fitted(taught, read, np.arange(40) % 2 == 0, words).columns
    assert (known.name, rare.name) == ("money", "trial")
    # Of all that was heard as good, half was money and nothing a trial.
    assert known.plain < 3.0 < rare.weak


def _twice(reading: Reading) -> Reading:
    return Reading(
        reading.kinds, {place: np.repeat(one, 2) for place, one in reading.labels.items()}
    )


def test_of_mail_that_the_words_are_sure_is_none_nothing_is_learnt(monkeypatch):
    taught = taught_to_hear(monkeypatch)
    read = [example("P1", context=(one,), does=(set(),)) for one in ("good", "bad") * 20]
    with pytest.raises(ValueError, match="sample"):
        fitted(taught, read, np.arange(40) % 2 == 0, by_words(read, OPEN_FROM / 2))
