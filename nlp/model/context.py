"""How like a lure a mail reads in context, beside the words that it is made of.

A sum over words cannot tell who asks whom for what. The encoder (`nlp.encoder`) can, a little: its
point for a mail, weighed here, and the sum of words know more together than either alone. It costs a
hundred times as much, so it is asked only where the words leave it open (`nlp.components.model`).

It reads the same sentences as the words do, as they are spelled, with one and the same letter for
whoever or wherever somebody is, be it recognised or only written with a capital.
Failure: data that do not fit raise when they are loaded.
"""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from nlp.encoder.weights import WIDTH, Floats
from nlp.entities.origins import without_articles
from nlp.intents.concepts import Page
from nlp.masking import NAMES
from nlp.model.features import OTHER_SCRIPT, WHO, is_latin

# By its words alone a mail is open between these: below are hardly any lures of unseen writers, above
# hardly any of their honest mails.
OPEN_FROM, OPEN_TO = 0.05, 0.995
_SURE: Final = 40.0
_HEAD, _WEIGHTS = "context.json", "context.npy"
# What a name is read as, however many words it has.
_SOMEBODY: Final = "X"
_NAME: Final = "\uf000"
_NAMES_RUN: Final = re.compile(rf"{_NAME}(?:[ .,'’-]{{0,2}}(?:(?:of|de|du|von) )?{_NAME})*")
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
class ContextModel:
    """A small network over points, and how much it counts beside the words.

    `hidden` has a column for each of its units, `hidden_bias` and `out` a number; a unit below 0 is
    silent.
    """

    hidden: Floats
    hidden_bias: Floats
    out: Floats
    bias: float
    blend: Blend

    def score(self, point: Floats) -> float:
        """The log-odds that a point is that of a lure."""
        units = np.maximum(point @ self.hidden + self.hidden_bias, 0)
        return float(units @ self.out) + self.bias

    def probability(self, by_words: float, points: Sequence[Floats]) -> float:
        """How likely it is a lure that is one with this probability (not 0 or 1) by its words alone.

        Of the points of a long mail the likest counts: what is asked may stand behind much else.
        """
        blend = self.blend
        words = math.log(by_words / (1 - by_words))
        context = max(map(self.score, points))
        logit = blend.words * words + blend.context * context + blend.offset
        return 1 / (1 + math.exp(-max(-_SURE, min(_SURE, logit))))

    def save(self, folder: Path) -> None:
        """Write the two files."""
        rows = np.vstack([self.hidden, self.hidden_bias, self.out])
        np.save(folder / _WEIGHTS, rows.astype(np.float32))
        head = {"bias": self.bias, "blend": asdict(self.blend)}
        (folder / _HEAD).write_text(json.dumps(head, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ContextModel":
        """Read them."""
        head = json.loads((folder / _HEAD).read_text("utf-8"))
        rows = np.load(folder / _WEIGHTS, allow_pickle=False)
        if len(rows) != WIDTH + 2:
            raise ValueError(f"{_WEIGHTS}: {len(rows) - 2} numbers a point, not {WIDTH}")
        return cls(rows[:-2], rows[-2], rows[-1], head["bias"], Blend(**head["blend"]))


def spelled(page: Page, indices: Iterable[int], common: Container[str]) -> str:
    """These sentences for the encoder."""
    capitals = [first for first, _ in page.capitals]
    pieces: list[str] = []
    for index in indices:
        sentence = page.sentences[index]
        done = sentence.start
        within = slice(bisect_left(capitals, sentence.start), bisect_left(capitals, sentence.end))
        for first, last in page.capitals[within]:
            word = page.text[first:last]
            if done <= first and NAMES.keys().isdisjoint(word) and word not in common:
                pieces += (page.spelled[done:first], _NAME)
                done = last
        pieces += (page.spelled[done : sentence.end], " ")
    text = " ".join("".join(pieces).translate(_SPELLED).split())
    if not text.isascii() and is_latin(text.lower()):
        text = OTHER_SCRIPT.sub(_NAME, text)
    return _NAMES_RUN.sub(_SOMEBODY, without_articles(text, _NAME))
