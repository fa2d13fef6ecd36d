"""What is learnt from rows of features: weights, probabilities for unseen writers, thresholds."""

from dataclasses import replace

import numpy as np
import pytest

from nlp.training.corpus import MarkedText, TrainingMail
from nlp.training.examples import MailExample, SentenceExample
from nlp.training.train import held_out_scores, labels_of, learn, sentence_task, train

WORDS = ("fee", "river", "lamp", "paper")


def example(number: int, mail_class: str = "LURE_RECRUIT") -> MailExample:
    """A mail of one of eight writers: a sentence about money, one of none, another by chance."""
    mail = TrainingMail(
        mail_id=f"en-E{number % 8}a-{number:03d}", language="en", split="train", case="c",
        mail_class=mail_class, sender="freemail", position="cold", subject=MarkedText(text=""),
        body=MarkedText(text="a"),
    )  # fmt: skip
    other = WORDS[1 + number % 3]
    said = (({"fee", other}, {"money"}), ({other}, set()), ({other, f"rare{number}"}, set()))
    blocks = tuple((frozenset(words), *[frozenset[str]()] * 3) for words, _ in said)
    return MailExample(
        mail=mail,
        sentences=tuple(
            SentenceExample(blocks=block, names=frozenset(names))
            for block, (_, names) in zip(blocks, said, strict=True)
        ),
        blocks=blocks[0 if mail_class == "LURE_RECRUIT" else 1],
        context=(), told=(), screen=(), passed=True,
    )  # fmt: skip


MAILS = [example(n, "LURE_RECRUIT" if n % 2 else "BENIGN_HARD") for n in range(80)]


def test_a_label_is_learnt_that_enough_sentences_have():
    assert labels_of(MAILS) == ("money",)
    assert labels_of(MAILS[:39]) == ()


def test_what_money_sounds_like_is_heard_of_unseen_writers_and_in_service():
    model, probabilities = train(sentence_task(MAILS, ("money",)))
    truth = np.array(["money" in row.names for one in MAILS for row in one.sentences])
    assert probabilities.shape == (240, 1)
    assert probabilities[truth].min() > 0.9
    assert probabilities[~truth].max() < 0.1
    (column,) = model.columns
    assert 0.25 <= column.weak <= column.plain <= 1
    nothing = frozenset[str]()
    totals = np.array([model.totals(({word}, nothing, nothing, nothing)) for word in WORDS[:2]])
    assert [(row, name, strength) for row, name, _, strength in model.said(totals)] == [
        (0, "money", 2)
    ]
    # A word that one mail has teaches nothing.
    assert not [word for word in model.features if word.startswith("rare")]


def test_honest_sentences_weigh_more_where_thresholds_are_set():
    task = sentence_task(MAILS[:2], ("money",))
    assert task.weighs is not None
    assert task.weighs.tolist() == [3.0] * 3 + [1.0] * 3


def test_no_writer_is_judged_by_what_was_learnt_from_the_same():
    # Each writer's own word goes with money: it says nothing of the others.
    own = [
        SentenceExample(
            blocks=(frozenset({f"own{n % 8}"}), *[frozenset[str]()] * 3),
            names=frozenset({"money"} if n % 8 < 4 else ()),
        )
        for n in range(80)
    ]
    mails = [replace(one, sentences=(row,)) for one, row in zip(MAILS, own, strict=True)]
    scores = held_out_scores(sentence_task(mails, ("money",)))[:, 0]
    for number in range(8):
        assert len(set(scores[number::8].round(6))) == 1
    assert np.ptp(scores) < 1


def test_all_that_is_learnt_of_words_comes_with_what_unseen_writers_say():
    learnt = learn(MAILS, ("money",))
    assert learnt.by_words.mails.shape == (80,)
    assert learnt.by_words.labels.shape == (240, 1)
    assert len(learnt.by_words.weighs) == 240
    lures = np.array([one.mail.is_lure for one in MAILS])
    assert learnt.by_words.mails[lures].min() > learnt.by_words.mails[~lures].max()
    assert [column.name for column in learnt.whole.columns] == ["lure"]


def test_several_labels_are_learnt_each_by_itself():
    mails = [replace(one, sentences=tuple(map(_with_trial, one.sentences))) for one in MAILS]
    model, probabilities = train(sentence_task(mails, labels_of(mails)))
    assert [column.name for column in model.columns] == ["money", "trial"]
    truth = np.array([[n in row.names for n in ("money", "trial")] for one in mails for row in one.sentences])  # fmt: skip
    assert (probabilities > 0.5).tolist() == truth.tolist()
    assert probabilities == pytest.approx(truth.astype(float), abs=0.2)


def _with_trial(one: SentenceExample) -> SentenceExample:
    return replace(one, names=one.names | {"trial"}) if "lamp" in one.blocks[0] else one
