"""How like a lure a mail reads in context, beside the words that it is made of.

A sum over words cannot tell who asks whom for what. The encoder (`nlp.encoder`), taught to tell lures
from honest mail (`nlp.training.tune`), can: its answers and the sum of words know more together than
either alone. It costs many times as much, so mail that the words are sure is honest is not read again
(`nlp.components.model`).

It reads the same sentences as the words do, as they are spelled, with one and the same letter for
whoever or wherever somebody is, be it recognised or only written with a capital.
Failure: data that do not fit raise when they are loaded, changes of the encoder when it is made.
"""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from nlp.encoder.layers import MAX_PIECES, Encoder
from nlp.encoder.weights import WIDTH, Floats, Weights, weights_file
from nlp.entities.origins import without_articles
from nlp.intents.concepts import Page
from nlp.masking import NAMES
from nlp.model.features import OTHER_SCRIPT, WHO, is_latin

# How likely a lure by its words alone a mail is that is read in context: nearly all of those beneath
# are honest, and most mail is beneath.
OPEN_FROM: Final = 0.02
_SURE: Final = 40.0
# What mails are told apart into; the first two are what is to be seen.
KINDS: Final = ("lure", "scam", "hard", "easy", "reported")
TO_SEE: Final = 2
_BLEND, _TAUGHT = "context.json", "context.npz"
_HEADS: Final = ("kinds", "labels")
# What a name is read as, however many words it has.
_SOMEBODY: Final = "X"
_NAME: Final = "\uf000"
_NAMES_RUN: Final = re.compile(rf"{_NAME}(?:[ .,'’-]{{0,2}}(?:(?:of|de|du|von) )?{_NAME})*")
_UNMASKED: Final = dict.fromkeys((ord(_NAME), *map(ord, NAMES)))
_START: Final = itemgetter(0)
_Numbers = TypeVar("_Numbers", float, np.ndarray[Any, Any])
_SPELLED: Final = {
    ord(token): _NAME if token in WHO else name.replace("_", " ") for token, name in NAMES.items()
}


@dataclass(frozen=True, slots=True)
class Blend:
    """The calibrated log-odds of both together: what those of the words and a score count."""

    words: float
    context: float
    offset: float

    def log_odds(self, words: _Numbers, context: _Numbers) -> _Numbers:
        """Of one sentence, or of an array of them."""
        return self.words * words + self.context * context + self.offset


@dataclass(frozen=True, slots=True)
class MailBlend:
    """The calibrated log-odds of a whole mail: what those of its words and in context count, and each kind."""

    words: float
    context: float
    kinds: tuple[float, ...]
    offset: float


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that a sentence can do, heard in its words and in context.

    `weak` and `plain` are the log-odds from which it is said, implied or plainly.
    """

    name: str
    blend: Blend
    weak: float
    plain: float


@dataclass(frozen=True, slots=True)
class Head:
    """A small network over points: what each answers is a number for each thing it can be like.

    `hidden` has a column for each of its units, `out` one for each answer; a unit below 0 is silent.
    """

    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def answers(self, points: Floats) -> Floats:
        """Of one point, or of a row each."""
        units = np.maximum(points @ self.hidden + self.hidden_bias, 0)
        answers: Floats = units @ self.out + self.out_bias
        return answers


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is like, a number for each of KINDS; the log-odds of all labels of each sentence read."""

    kinds: Floats
    labels: Mapping[int, Floats]

    @property
    def log_odds(self) -> float:
        """That it is a lure or a scam, of the kinds alone."""
        kinds = self.kinds
        return float(np.logaddexp.reduce(kinds[:TO_SEE]) - np.logaddexp.reduce(kinds[TO_SEE:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextModel:
    """What the encoder was taught beyond its weights, and how much its answers count beside the words.

    `kinds` are told by the mean of all pieces, `labels` by that of a sentence's. The encoder of a
    process is made at first use, which takes a moment.
    """

    changes: Mapping[str, Floats]
    kinds: Head
    labels: Head
    blend: MailBlend
    columns: tuple[Label, ...]
    _made: list[Encoder] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def encoder(self) -> Encoder:
        """The one that reads with these changes."""
        if not self._made:
            self._made.append(Encoder(Weights(weights_file()), self.changes))
        return self._made[0]

    def warm(self) -> None:
        """Make the encoder, and have it read."""
        self.read([(0, "Warm.")])

    def read(self, sentences: Iterable[tuple[int, str]]) -> Reading:
        """What some sentences say, each with a place of its own; the more telling ones first."""
        pieces, stretches = cut_up(self.encoder, sentences)
        rows = self.encoder.rows_of(pieces)
        points = [rows[stretch].mean(axis=0) for stretch in stretches.values()]
        labels = self.labels.answers(np.array(points)) if points else ()
        kinds = self.kinds.answers(rows.mean(axis=0))
        return Reading(kinds, dict(zip(stretches, labels, strict=True)))

    def log_odds(self, by_words: float, reading: Reading) -> float:
        """That it is a lure or a scam, of a mail with these log-odds by its words alone."""
        blend = self.blend
        kinds = float(reading.kinds @ np.array(blend.kinds))
        return blend.words * by_words + blend.context * reading.log_odds + kinds + blend.offset

    def said(self, by_words: Floats, labels: Floats) -> Iterator[tuple[str, float, int]]:
        """Of a sentence, the log-odds of each label by words and in context: label, probability, strength."""
        for column, words, context in zip(
            self.columns, by_words.tolist(), labels.tolist(), strict=True
        ):
            logit = column.blend.log_odds(words, context)
            if logit >= column.weak:
                yield column.name, probability_of(logit), 1 + (logit >= column.plain)

    def save(self, folder: Path) -> None:
        """Write the two files."""
        heads = {
            f"{name}.{part.name}": getattr(getattr(self, name), part.name)
            for name in _HEADS
            for part in fields(Head)
        }
        arrays = {**self.changes, **heads}
        kept = {name: arrays[name].astype(np.float16) for name in sorted(arrays)}
        np.savez_compressed(folder / _TAUGHT, **kept)
        counts = {"blend": asdict(self.blend), "columns": [asdict(one) for one in self.columns]}
        (folder / _BLEND).write_text(json.dumps(counts, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ContextModel":
        """Read them."""
        counts = json.loads((folder / _BLEND).read_text("utf-8"))
        columns = tuple(
            Label(**{**one, "blend": Blend(**one["blend"])}) for one in counts["columns"]
        )
        with np.load(folder / _TAUGHT, allow_pickle=False) as kept:
            arrays = {name: kept[name].astype(np.float32) for name in kept.files}
        heads = {
            name: Head(*(arrays.pop(f"{name}.{part.name}") for part in fields(Head)))
            for name in _HEADS
        }
        for head, answers in ((heads["kinds"], len(KINDS)), (heads["labels"], len(columns))):
            units = len(head.hidden_bias)
            if head.hidden.shape != (WIDTH, units) or head.out.shape != (units, answers):
                raise ValueError(f"{_TAUGHT}: a head of another form")
        told = counts["blend"]
        blend = MailBlend(**{**told, "kinds": tuple(told["kinds"])})
        if len(blend.kinds) != len(KINDS):
            raise ValueError(f"{_BLEND}: it counts other kinds")
        return cls(changes=arrays, blend=blend, columns=columns, **heads)


def cut_up(
    encoder: Encoder, sentences: Iterable[tuple[int, str]]
) -> tuple[list[int], dict[int, slice]]:
    """The pieces to read of some sentences, framed, and which of them are those of each sentence.

    As many are read as the encoder can at once, in the order of their places: harmless words,
    however many, do not push out what is asked.
    """
    cuts: dict[int, list[int]] = {}
    left = MAX_PIECES
    for place, sentence in sentences:
        cuts[place] = encoder.cut(sentence)[:left]
        left -= len(cuts[place])
        if left <= 0:
            break
    pieces: list[int] = []
    stretches: dict[int, slice] = {}
    first = len(encoder.framed([])) - 1
    for place, cut in sorted(cuts.items()):
        if cut:
            start = first + len(pieces)
            stretches[place] = slice(start, start + len(cut))
            pieces += cut
    return encoder.framed(pieces), stretches


def probability_of(log_odds: float) -> float:
    """Of log-odds."""
    return 1 / (1 + math.exp(-max(-_SURE, min(_SURE, log_odds))))


def spelled(page: Page, indices: Sequence[int], common: Container[str]) -> list[str]:
    """Each of these sentences for the encoder."""
    raw = [_with_names_marked(page, index, common) for index in indices]
    # Of all together: one sentence may hold little else than a name in another script.
    letters = "".join(raw).translate(_UNMASKED)
    of_latin = not letters.isascii() and is_latin(letters.lower())
    return [_read_as(text, of_latin=of_latin) for text in raw]


def _with_names_marked(page: Page, index: int, common: Container[str]) -> str:
    """A sentence as spelled, with a mark for every word that is only a name for its capital."""
    sentence = page.sentences[index]
    pieces: list[str] = []
    done = sentence.start
    capitals = page.capitals
    first_here = bisect_left(capitals, sentence.start, key=_START)
    for first, last in capitals[first_here : bisect_left(capitals, sentence.end, key=_START)]:
        word = page.text[first:last]
        if done <= first and NAMES.keys().isdisjoint(word) and word not in common:
            pieces += (page.spelled[done:first], _NAME)
            done = last
    pieces.append(page.spelled[done : sentence.end])
    return "".join(pieces)


def _read_as(text: str, *, of_latin: bool) -> str:
    """What the encoder reads of it: masks by the names of their kinds, names by one letter."""
    text = " ".join(text.translate(_SPELLED).split())
    if of_latin:
        text = OTHER_SCRIPT.sub(_NAME, text)
    return _NAMES_RUN.sub(_SOMEBODY, without_articles(text, _NAME))
