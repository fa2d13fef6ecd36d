"""What the encoder learns from: never the writers left out, each mail once a round."""

import random

import numpy as np
import pytest

from nlp.model.context import KINDS, Blend, ContextModel, Head
from nlp.training import context_fit
from nlp.training.context_fit import LEFT_OUT, fitted
from nlp.training.corpus import CLASSES, LANGUAGES, MarkedText, TrainingMail, read_corpus
from nlp.training.examples import MailExample
from nlp.training.lessons import Lesson, lessons, steps_of


class Cutter:
    """An encoder that cuts by characters."""

    def cut(self, text: str) -> list[int]:
        return [*map(ord, text)]

    def framed(self, cut: list[int]) -> list[int]:
        return [0, *cut, 2]


def example(writer: str, mail_class: str = "LURE_RECRUIT", context: str = "ab") -> MailExample:
    mail = TrainingMail(
        mail_id=f"en-{writer}a-001", language="en", split="train", case="c", mail_class=mail_class,
        sender="freemail", position="cold", subject=MarkedText(text=""), body=MarkedText(text="a"),
    )  # fmt: skip
    return MailExample(
        mail=mail, sentences=(), blocks=(), kin=frozenset(), context=context, screen=(), passed=True
    )


def test_writers_left_out_teach_nothing():
    read = [example("P1"), example("E21", context="cd"), example("G44")]
    assert {"P1", "G44"} <= LEFT_OUT
    learnt = lessons(read, np.full(3, 0.5), Cutter(), random.Random(0))
    assert learnt == [Lesson([0, ord("c"), ord("d"), 2], KINDS.index("lure"))]


def test_of_mails_that_the_words_are_sure_of_some_teach():
    read = [example("E21")] * 1_000
    learnt = lessons(read, np.full(1_000, 0.999), Cutter(), random.Random(0))
    assert 150 < len(learnt) < 250


def test_every_class_has_a_kind():
    read = [example("E21", one) for one in sorted(CLASSES)]
    kinds = {KINDS[one.kind] for one in lessons(read, np.full(7, 0.5), Cutter(), random.Random(0))}
    assert kinds == set(KINDS)


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


def test_the_blend_is_learnt_from_those_left_out(monkeypatch):
    nothing = np.zeros((1, 1), dtype=np.float32)
    taught = ContextModel(
        changes={"l0.ao.b": nothing}, head=Head(nothing, nothing, nothing, nothing),
        blend=Blend(0.0, 1.0, 0.0),
    )  # fmt: skip
    monkeypatch.setattr(
        ContextModel, "score", lambda _, sentences: 3.0 if "good" in sentences[0][1] else -3.0
    )
    # Those of another writer say the reverse: they are not asked.
    read = [example("P1", context=one) for one in ("good", "bad") * 20]
    read += [example("E21", context=one) for one in ("bad", "good") * 40]
    truth = np.array([True, False] * 60)
    found = fitted(taught, read, truth, np.full(120, 0.5))
    assert found.blend.context > 0.5
    assert (found.changes, found.head) == (taught.changes, taught.head)
    with pytest.raises(ValueError, match="sample"):
        fitted(taught, read[40:], truth[40:], np.full(80, 0.5))
    assert context_fit.is_left_out(read).sum() == 40
