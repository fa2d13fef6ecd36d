"""The designs that are compared: how each learns and scores, what it costs, all from one reading."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from bench.designs import cost, linear, textcat
from bench.designs.cost import Drawn
from bench.designs.linear import Linear, Unseen
from bench.designs.reading import MaskedMail, Split, read_masked, split_of
from bench.designs.table import Row
from nlp import pipeline
from nlp.model.context import OPEN_FROM, ContextModel, Reading
from nlp.model.fields import FieldTable
from nlp.training.corpus import LURE_CLASSES, read_corpus
from nlp.training.examples import MailExample, examples
from nlp.training.fields_fit import fields_of
from nlp.training.teacher import known_words, vectors

PIECES: Final = "b. pieces of words, linear"
BLOCKS: Final = "c. words, pieces, concepts, linear"
FIELDS: Final = "d. c with fields"
LINEAR: Final = {
    PIECES: Linear(blocks=(False, True, False, False)),
    BLOCKS: Linear(blocks=(True, True, True, False)),
    FIELDS: Linear(blocks=(True, True, True, True)),
}
TEXTCAT: Final = {"bag": "e. spaCy textcat, bag of words", "ensemble": "e. spaCy textcat, ensemble"}
CONTEXT: Final = "f. read in context"
SHIPPED: Final = "**g. d and f: ships**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All mails as read, place by place, and what the features stand on."""

    read: list[MailExample]
    masked: list[MaskedMail]
    table: FieldTable

    @property
    def truth(self) -> "np.ndarray[Any, Any]":
        """Lures and scams, as the shipped model learns them."""
        wanted = {*LURE_CLASSES, "SCAM"}
        return np.array([one.mail.mail_class in wanted for one in self.read])

    @property
    def split(self) -> Split:
        """By writer."""
        return split_of([one.mail for one in self.read])

    @property
    def asked(self) -> list[MailExample]:
        """The mails of the writers left out."""
        return [self.read[place] for place in self.split[1]]

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
    """Mails of train and dev at even steps, at most so many, and all of the writers left out."""
    mails = read_corpus("train", "dev")
    known = known_words(mails)
    table = FieldTable(known, fields_of(vectors(known, mails)))
    learnt, left_out = split_of(mails)
    steps = learnt[:: -(-len(learnt) // most)]
    drawn = [mails[place] for place in sorted([*steps.tolist(), *left_out.tolist()])]
    return Material(read=list(examples(drawn, table)), masked=read_masked(drawn), table=table)


def compare(material: Material) -> list[Row]:
    """A row for each design; all have learnt before the first is timed."""
    sums = {
        name: linear.unseen(design, material.read, material.split)
        for name, design in LINEAR.items()
    }
    drawn = material.drawn
    readings = [_model().read(enumerate(one.context)) for one in material.asked]
    context = _context(material, readings)
    candidates = [_rules(material), *_linear(sums, drawn), *_textcat(material), context]
    rows = {one.name: one.row(drawn) for one in candidates}
    parts = (rows[FIELDS], rows[CONTEXT])
    both = Row(
        name=SHIPPED,
        scores=np.array(list(map(_as_served, sums[FIELDS].scores, readings))),
        milliseconds=sum(part.milliseconds for part in parts),
        size=sum(part.size for part in parts),
    )
    return [*rows.values(), both]


def _as_served(by_words: float, reading: Reading) -> float:
    """Log-odds: of both where the words do not rule it out."""
    if 1 / (1 + np.exp(-by_words)) < OPEN_FROM:
        return by_words
    return _model().log_odds(by_words, reading)


def _model() -> ContextModel:
    model = pipeline.trained().context
    assert model is not None
    return model


def _rules(material: Material) -> Candidate:
    return Candidate(
        name="a. word lists and grammar alone",
        scores=np.array([material.masked[place].rules_db for place in material.split[1]]),
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
        scores, nlp = textcat.unseen(kind, texts, material.truth, material.split)
        yield Candidate(
            name=name,
            scores=scores,
            time=partial(cost.of_textcat, nlp),
            size=len(nlp.to_bytes()),
        )


def _context(material: Material, readings: Sequence[Reading]) -> Candidate:
    model = _model()
    asked = material.asked
    texts = [[*enumerate(one.context)] for one in asked[:: max(1, len(asked) // cost.MAILS)]]
    return Candidate(
        name=CONTEXT,
        scores=np.array([one.log_odds for one in readings]),
        time=lambda _: cost.of_context(model, texts),
        size=cost.bytes_of_context(model),
    )
