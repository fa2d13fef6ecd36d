"""What the encoder learns from, and in which steps (`nlp.training.tune`).

The writers of `nlp.training.context_fit` are left out. Of mails that the words alone are sure of, every
fifth is enough: it is the others that the encoder will be asked about. Ordinary mails all teach, since they
are most of what comes and the fewest here, and so do mails whose labels are marked, what their sentences do
beside what kind they are. Failure: none.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from nlp.encoder.layers import Encoder
from nlp.model.context import KINDS, cut_up
from nlp.training.context_fit import is_left_out
from nlp.training.corpus import LURE_CLASSES
from nlp.training.examples import MailExample

_OPEN: Final = (0.01, 0.998)
_SURE_KEPT: Final = 0.2
# Pieces of the mails of one step, with what the shorter ones are filled up by.
_PIECES_A_STEP: Final = 4_096
_MAILS_SORTED: Final = 1_500
_KIND_OF: Final = {
    **dict.fromkeys(LURE_CLASSES, "lure"),
    "SCAM": "scam",
    "BENIGN_HARD": "hard",
    "BENIGN_EASY": "easy",
    "REPORTED": "reported",
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """A mail as numbers of pieces, the place of its kind in KINDS, and what its sentences do.

    `sentences` are stretches of pieces and `labels` what each does, as places among the labels; both
    are empty where labels are not marked.
    """

    pieces: list[int]
    kind: int
    sentences: list[slice] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)


def lessons(
    read: Sequence[MailExample],
    by_words: "np.ndarray[Any, Any]",
    encoder: Encoder,
    names: Sequence[str],
    chance: random.Random,
) -> list[Lesson]:
    """Those of the mails to learn from; `by_words` are held-out probabilities of the words alone."""
    places = {name: place for place, name in enumerate(names)}
    return [
        _lesson(one, encoder, places)
        for one, likely, left_out in zip(read, by_words, is_left_out(read), strict=True)
        if not left_out
        and (
            one.mail.labels_marked
            or one.mail.mail_class == "BENIGN_EASY"
            or _OPEN[0] < likely < _OPEN[1]
            or chance.random() < _SURE_KEPT
        )
    ]


def _lesson(one: MailExample, encoder: Encoder, places: dict[str, int]) -> Lesson:
    """One mail."""
    pieces, stretches = cut_up(encoder, enumerate(one.context))
    kind = KINDS.index(_KIND_OF[one.mail.mail_class])
    if not one.mail.labels_marked:
        return Lesson(pieces, kind)
    return Lesson(
        pieces,
        kind,
        list(stretches.values()),
        [
            sorted(places[name] for name in one.sentences[one.told[place]].names if name in places)
            for place in stretches
        ],
    )


def steps_of(learnt_from: Sequence[Lesson], chance: random.Random) -> Iterator[list[Lesson]]:
    """All of them in chance order, alike ones in length together."""
    mixed = chance.sample(learnt_from, len(learnt_from))
    batches: list[list[Lesson]] = []
    for start in range(0, len(mixed), _MAILS_SORTED):
        batches.append([])
        near = sorted(mixed[start : start + _MAILS_SORTED], key=lambda one: len(one.pieces))
        for one in near:
            if batches[-1] and (len(batches[-1]) + 1) * len(one.pieces) > _PIECES_A_STEP:
                batches.append([])
            batches[-1].append(one)
    chance.shuffle(batches)
    yield from batches
