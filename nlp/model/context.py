"""How like a lure a mail reads in context, beside the words that it is made of.

A sum over words cannot tell who asks whom for what. The encoder (`nlp.encoder`), taught to tell lures
from honest mail (`nlp.training.tune`), can: its answer and the sum of words know more together than
either alone. It costs many times as much, so it is asked only where the words leave it open
(`nlp.components.model`).

It reads the same sentences as the words do, as they are spelled, with one and the same letter for
whoever or wherever somebody is, be it recognised or only written with a capital.
Failure: data that do not fit raise when they are loaded, changes of the encoder when it is made.
"""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np

from nlp.encoder.layers import MAX_PIECES, Encoder
from nlp.encoder.weights import WIDTH, Floats, Weights, weights_file
from nlp.entities.origins import without_articles
from nlp.intents.concepts import Page
from nlp.masking import NAMES
from nlp.model.features import OTHER_SCRIPT, WHO, is_latin

# By its words alone a mail is open between these: of other mail of unseen writers the words alone are
# the better judge.
OPEN_FROM, OPEN_TO = 0.2, 0.97
_SURE: Final = 40.0
# What mails are told apart into; the first two are what is to be seen.
KINDS: Final = ("lure", "scam", "hard", "easy", "reported")
TO_SEE: Final = 2
_BLEND, _TAUGHT = "context.json", "context.npz"
_HEAD: Final = "head."
# What a name is read as, however many words it has.
_SOMEBODY: Final = "X"
_NAME: Final = "\uf000"
_NAMES_RUN: Final = re.compile(rf"{_NAME}(?:[ .,'’-]{{0,2}}(?:(?:of|de|du|von) )?{_NAME})*")
_UNMASKED: Final = dict.fromkeys((ord(_NAME), *map(ord, NAMES)))
_START: Final = itemgetter(0)
_SPELLED: Final = {
    ord(token): _NAME if token in WHO else name.replace("_", " ") for token, name in NAMES.items()
}


@dataclass(frozen=True, slots=True)
class Blend:
    """The calibrated log-odds of both together: what those of the words and a score count."""

    words: float
    context: float
    offset: float


@dataclass(frozen=True, slots=True)
class Head:
    """A small network over points: which of the kinds of mail (`KINDS`) a point is like.

    `hidden` has a column for each of its units, `out` one for each kind; a unit below 0 is silent.
    """

    hidden: Floats
    hidden_bias: Floats
    out: Floats
    out_bias: Floats

    def score(self, point: Floats) -> float:
        """The log-odds that a point is that of a lure or a scam."""
        units = np.maximum(point @ self.hidden + self.hidden_bias, 0)
        kinds = units @ self.out + self.out_bias
        return float(np.logaddexp.reduce(kinds[:TO_SEE]) - np.logaddexp.reduce(kinds[TO_SEE:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextModel:
    """What the encoder was taught beyond its weights, and how much its answer counts beside the words.

    The encoder of a process is made at first use, which takes a moment.
    """

    changes: Mapping[str, Floats]
    head: Head
    blend: Blend
    _made: list[Encoder] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def encoder(self) -> Encoder:
        """The one that reads with these changes."""
        if not self._made:
            self._made.append(Encoder(Weights(weights_file()), self.changes))
        return self._made[0]

    def warm(self) -> None:
        """Make the encoder, and have it read."""
        self.score([(0, "Warm.")])

    def score(self, sentences: Iterable[tuple[int, str]]) -> float:
        """The log-odds of some sentences, each with a place of its own; the more telling ones first.

        As many are read as the encoder can at once, in the order of their places: harmless words,
        however many, do not push out what is asked.
        """
        cuts: dict[int, list[int]] = {}
        left = MAX_PIECES
        for place, sentence in sentences:
            cuts[place] = self.encoder.cut(sentence)[:left]
            left -= len(cuts[place])
            if left <= 0:
                break
        return self.head.score(
            self.encoder.point([n for _, cut in sorted(cuts.items()) for n in cut])
        )

    def probability(self, by_words: float, score: float) -> float:
        """How likely it is a lure that is one with this probability (not 0 or 1) by its words alone."""
        blend = self.blend
        words = math.log(by_words / (1 - by_words))
        logit = blend.words * words + blend.context * score + blend.offset
        return 1 / (1 + math.exp(-max(-_SURE, min(_SURE, logit))))

    def save(self, folder: Path) -> None:
        """Write the two files."""
        heads = {f"{_HEAD}{part.name}": getattr(self.head, part.name) for part in fields(Head)}
        arrays = {**self.changes, **heads}
        kept = {name: arrays[name].astype(np.float16) for name in sorted(arrays)}
        np.savez_compressed(folder / _TAUGHT, **kept)
        (folder / _BLEND).write_text(json.dumps(asdict(self.blend), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ContextModel":
        """Read them."""
        blend = Blend(**json.loads((folder / _BLEND).read_text("utf-8")))
        with np.load(folder / _TAUGHT, allow_pickle=False) as kept:
            arrays = {name: kept[name].astype(np.float32) for name in kept.files}
        head = Head(*(arrays.pop(f"{_HEAD}{part.name}") for part in fields(Head)))
        units = len(head.hidden_bias)
        if head.hidden.shape != (WIDTH, units) or head.out.shape != (units, len(KINDS)):
            raise ValueError(f"{_TAUGHT}: a head of another form")
        return cls(changes=arrays, head=head, blend=blend)


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
