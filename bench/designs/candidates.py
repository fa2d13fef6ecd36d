"""The designs that are compared: how each learns and scores, what it costs, all from one reading."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from bench.designs import cost, embeddings, linear, stack, textcat
from bench.designs.cost import Drawn
from bench.designs.linear import Linear, Unseen
from bench.designs.reading import Fold, MaskedMail, folds_of, read_masked
from bench.designs.table import Row
from nlp.model.kin import KinTable
from nlp.training.corpus import LURE_CLASSES, read_corpus
from nlp.training.examples import MailExample, examples
from nlp.training.kin_fit import fields_of
from nlp.training.points import points
from nlp.training.teacher import known_words, vectors

PIECES: Final = "b. pieces of words, linear"
BLOCKS: Final = "c. words, pieces, concepts, linear"
KIN: Final = "c. the same with kin"
FIELDS: Final = "d. c with fields"
LINEAR: Final = {
    PIECES: Linear(blocks=(False, True, False, False)),
    BLOCKS: Linear(blocks=(True, True, True, False)),
    KIN: Linear(blocks=(True, True, True, False), kin=True),
    FIELDS: Linear(blocks=(True, True, True, True)),
}
TEXTCAT: Final = {"bag": "e. spaCy textcat, bag of words", "ensemble": "e. spaCy textcat, ensemble"}
NETWORK: Final = "f. read in context, network"
POINTS: Final[dict[str, Callable[[], Any]]] = {
    "f. read in context, logistic regression": embeddings.logistic,
    NETWORK: embeddings.Network,
}
SHIPPED: Final = "**g. d and the network of f: ships**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All mails as read, place by place, and what the features stand on."""

    read: list[MailExample]
    masked: list[MaskedMail]
    table: KinTable
    words: "np.ndarray[Any, Any]"

    @property
    def truth(self) -> "np.ndarray[Any, Any]":
        """Lures and scams, as the shipped model learns them."""
        wanted = {*LURE_CLASSES, "SCAM"}
        return np.array([one.mail.mail_class in wanted for one in self.read])

    @property
    def writers(self) -> "np.ndarray[Any, Any]":
        """Who wrote each mail."""
        return np.array([one.mail.writer for one in self.read])

    @property
    def folds(self) -> list[Fold]:
        """By writer."""
        return folds_of([one.mail for one in self.read])

    @property
    def drawn(self) -> Drawn:
        """The mails that costs are measured on."""
        return Drawn.of(
            [one.mail for one in self.read],
            self.masked,
            self.table,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A design that has learnt: its scores for writers left out, its time on drawn mails, its size."""

    name: str
    scores: "np.ndarray[Any, Any]"
    time: Callable[[Drawn], float]
    size: int

    def row(self, drawn: Drawn) -> Row:
        """Timed."""
        return Row(
            name=self.name, scores=self.scores, milliseconds=self.time(drawn), size=self.size
        )


def read(most: int) -> Material:
    """Mails of train and dev at even steps, at most so many; words and vectors are those of all."""
    mails = read_corpus("train", "dev")
    known = known_words(mails)
    words = vectors(known, mails).astype(np.float32)
    table = KinTable(known, fields_of(words))
    drawn = mails[:: -(-len(mails) // most)]
    return Material(
        read=list(examples(drawn, table)), masked=read_masked(drawn), table=table, words=words
    )


def compare(material: Material) -> list[Row]:
    """A row for each design; all have learnt before the first is timed."""
    sums = {
        name: linear.unseen(design, material.read, material.words, material.folds)
        for name, design in LINEAR.items()
    }
    places = points([one.context for one in material.read])
    drawn = material.drawn
    candidates = [
        _rules(material),
        *_linear(sums, drawn),
        *_textcat(material),
        *_points(places, material),
    ]
    scores = stack.together(
        embeddings.Network, places, sums[FIELDS], material.truth, material.writers, material.folds
    )
    rows = {one.name: one.row(drawn) for one in candidates}
    parts = (rows[FIELDS], rows[NETWORK])
    both = Row(
        name=SHIPPED,
        scores=scores,
        milliseconds=sum(part.milliseconds for part in parts),
        size=sum(part.size for part in parts),
    )
    return [*rows.values(), both]


def _rules(material: Material) -> Candidate:
    return Candidate(
        name="a. word lists and grammar alone",
        scores=np.array([one.rules_db for one in material.masked]),
        time=cost.of_rules,
        size=cost.bytes_of_rules(),
    )


def _linear(sums: dict[str, Unseen], drawn: Drawn) -> Iterator[Candidate]:
    for name, design in LINEAR.items():
        model = sums[name].model
        yield Candidate(
            name=name,
            scores=sums[name].scores,
            time=partial(cost.of_linear, design, model),
            size=cost.bytes_of_linear(design, model, drawn),
        )


def _textcat(material: Material) -> Iterator[Candidate]:
    texts = [one.words for one in material.masked]
    for kind, name in TEXTCAT.items():
        scores, nlp = textcat.unseen(kind, texts, material.truth, material.folds)
        yield Candidate(
            name=name,
            scores=scores,
            time=partial(cost.of_textcat, nlp),
            size=len(nlp.to_bytes()),
        )


def _points(places: "np.ndarray[Any, Any]", material: Material) -> Iterator[Candidate]:
    for name, kind in POINTS.items():
        scores, classifier = stack.alone(kind, places, material.truth, material.folds)
        yield Candidate(
            name=name,
            scores=scores,
            time=partial(cost.of_embeddings, classifier),
            size=cost.bytes_of_embeddings(classifier),
        )
