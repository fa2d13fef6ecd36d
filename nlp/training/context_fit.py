"""How much reading in context counts beside the words, for whole mails and for what sentences do.

In service both are asked of mail that somebody else wrote, so the writers that the encoder is never
taught (`nlp.training.tune`) say so: regressions over what is known of a mail or of a sentence. Of a long
mail the head is read here. Failure: ValueError if the corpus has none of their mails.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from nlp.model.context import OPEN_FROM, Blend, ContextModel, Label, MailBlend, Reading
from nlp.training.calibration import ORDINARY_COUNTS, platt, said_from
from nlp.training.examples import MailExample

# A tenth of all mails, every language, some of the first and some of the last who wrote.
LEFT_OUT: Final = frozenset({"P1", "P2", "P3", "P4", "L1", "M1", "J8", "K3", "G44", "N6"})
_LEAST: Final = 1e-9
_LEAST_TOLD: Final = 20
Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class ByWords:
    """Held-out probabilities by words alone: of all mails, and of all sentences whose labels are marked.

    `labels` has a row for each sentence and a column for each label; `weighs` is how much a sentence
    counts where thresholds are set.
    """

    mails: Numbers
    labels: Numbers
    weighs: Numbers


def is_left_out(read: Iterable[MailExample]) -> Numbers:
    """Whether the encoder is never taught with a mail."""
    return np.array([one.mail.writer in LEFT_OUT for one in read])


def fitted(
    context: ContextModel, read: Sequence[MailExample], truth: Numbers, by_words: ByWords
) -> ContextModel:
    """The same with what its answers count beside the words."""
    asked = is_left_out(read) & (by_words.mails >= OPEN_FROM)
    readings = {
        place: context.read(enumerate(read[place].context))
        for place in np.flatnonzero(asked).tolist()
    }
    return replace(
        context,
        blend=_blend(read, readings, truth, by_words.mails),
        columns=tuple(_labels(context, read, readings, by_words)),
    )


def _blend(
    read: Sequence[MailExample],
    readings: Mapping[int, Reading],
    truth: Numbers,
    by_words: Numbers,
) -> MailBlend:
    """Of whole mails."""
    places = list(readings)
    kinds = np.array([readings[place].kinds for place in places])
    context = np.array([readings[place].log_odds for place in places])
    is_easy = [read[place].mail.mail_class == "BENIGN_EASY" for place in places]
    model = LogisticRegression(C=1.0, max_iter=3_000)
    model.fit(
        np.column_stack([_log_odds(by_words[places]), context, kinds]),
        truth[places],
        sample_weight=np.where(is_easy, ORDINARY_COUNTS, 1.0),
    )
    words, of_context, *of_kinds = model.coef_[0].tolist()
    return MailBlend(words, of_context, tuple(of_kinds), float(model.intercept_[0]))


def _labels(
    context: ContextModel,
    read: Sequence[MailExample],
    readings: Mapping[int, Reading],
    by_words: ByWords,
) -> Iterator[Label]:
    """Of sentences, each label by itself where enough of them have it."""
    starts = np.cumsum([0, *(len(one.sentences) for one in read)])
    rows: list[int] = []
    answers: list[Numbers] = []
    does: list[list[bool]] = []
    for place, reading in readings.items():
        one = read[place]
        if one.mail.labels_marked:
            for sentence, labels in reading.labels.items():
                rows.append(int(starts[place]) + one.told[sentence])
                answers.append(labels)
                names = one.sentences[one.told[sentence]].names
                does.append([label.name in names for label in context.columns])
    words, scores, truth = _log_odds(by_words.labels[rows]), np.array(answers), np.array(does)
    weighs = np.repeat(by_words.weighs[rows, None], len(context.columns), axis=1)
    for column, label in enumerate(context.columns):
        # A rare one is heard as all of them are.
        here = column if truth[:, column].sum() >= _LEAST_TOLD else slice(None)
        told = (part[:, here].ravel() for part in (truth, words, scores, weighs))
        yield _label(label.name, *told)


def _label(name: str, truth: Numbers, words: Numbers, scores: Numbers, weighs: Numbers) -> Label:
    """One label, fitted on these sentences."""
    blend = Blend(*platt(truth, words, scores))
    said = said_from(1 / (1 + np.exp(-blend.log_odds(words, scores))), truth, weighs)
    return Label(name, blend, *_log_odds(np.array(said)).tolist())


def _log_odds(probabilities: Numbers) -> Numbers:
    """Of probabilities, those beyond certainty being far."""
    sure = np.clip(probabilities, _LEAST, 1 - _LEAST)
    log_odds: Numbers = np.log(sure / (1 - sure))
    return log_odds
