"""Whether a text is of the kind that the model has learnt from.

A sum of weights says something of any text, also of one that has little in common with all that was
learnt: a kernel patch, a sermon, a language that nobody trained. Such a text shows by its words: of
lures by writers whom the model has not seen, all but a few have at least a certain share of words
that other mails have, and what has less is not for the model to judge. Each language has its own
share, since words have more forms in some.

Sentences of quite another kind (a foreign disclaimer, a pasted log) count for nothing, so that
nobody can silence the model by adding some.
Failure: data that do not fit raise when they are loaded.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nlp.masking import NAMES

_WORDS, _SHARES = "familiar.txt", "familiar.json"
# Any text may hold one odd word, in its subject for one: it says nothing of the others.
_ODD: Final = 1
# So many words of the usual share go to each text, else a few would silence a short one.
_SMOOTHING: Final = 10
_FOREIGN: Final = 0.5
_FEW_WORDS: Final = 3
_DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Share:
    """What share of a text's words is known in a language: usually, and at least."""

    usual: float
    least: float


class Familiar:
    """The words that mails have in common."""

    def __init__(self, words: Collection[str], shares: Mapping[str, Share]) -> None:
        self.words = frozenset(words)
        self.shares = dict(shares)

    def is_foreign(self, words: Collection[str], language: str) -> bool:
        """Whether a sentence is of quite another kind than what was learnt in a language."""
        words = told(words)
        if len(words) < _FEW_WORDS or not self.shares:
            return False
        return self._known(words) < _FOREIGN * self._share(language).usual * len(words)

    def is_known(self, words: Collection[str], language: str) -> bool:
        """Whether the model may judge a text of these words."""
        words = told(words)
        if not self.shares:
            return True
        share = self._share(language)
        return smoothed(self._known(words), len(words), share.usual) >= share.least

    def _known(self, words: Collection[str]) -> int:
        return sum(word in self.words for word in words)

    def _share(self, language: str) -> Share:
        return self.shares.get(language) or self.shares[_DEFAULT]

    def save(self, folder: Path) -> None:
        """Write the two files."""
        (folder / _WORDS).write_text("\n".join(sorted(self.words)), "utf-8")
        shares = {name: [share.usual, share.least] for name, share in sorted(self.shares.items())}
        (folder / _SHARES).write_text(json.dumps(shares, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Familiar":
        """Read them."""
        shares = json.loads((folder / _SHARES).read_text("utf-8"))
        return cls(
            (folder / _WORDS).read_text("utf-8").split("\n"),
            {name: Share(*numbers) for name, numbers in shares.items()},
        )


def told(words: Collection[str]) -> set[str]:
    """The different words of a text, without what is masked."""
    return {word for word in words if word not in NAMES}


def smoothed(known: int, words: int, usual: float) -> float:
    """The share of known words but for an odd one, drawn to the usual one where there are few."""
    return (min(known + _ODD, words) + _SMOOTHING * usual) / (words + _SMOOTHING)
