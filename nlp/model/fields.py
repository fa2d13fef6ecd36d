"""Words of all languages in one table, so that words that mean alike can weigh alike.

Each has a field: the some hundred words of all languages that it stands among, by meaning
(`nlp.training.teacher`), whether a mail of the corpus holds it or not. What a mail is about (a garden, a
reactor, a wedding) shows by its fields. Han text counts by pairs of characters; a word that is not in
the table counts as its longest beginning that is, an Arabic one also without its prefixes.

Failure: ValueError where words and fields do not fit; a word that is not in the table has no field.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from nlp.folding import fold

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+")
_ARABIC_PREFIXES: Final = ("وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
_LEAST_ARABIC: Final = 3
_LEAST_HANGUL: Final = 2
_LEAST: Final = 5
_LONGEST: Final = 40
_WORDS, _FIELDS = "fields.txt", "fields.npy"


def table_words(folded: str) -> Iterator[str]:
    """The words that the table may hold, in order."""
    for run in _RUN.findall(folded):
        if "\u3400" <= run[0] <= "\u9fff":
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        elif len(run) > 1:
            yield run


class FieldTable:
    """Known words, and the field of each."""

    def __init__(self, words: Iterable[str], fields: Sequence[int]) -> None:
        self.words = tuple(words)
        self.fields = tuple(fields)
        if len(self.fields) != len(self.words):
            raise ValueError(f"{len(self.fields)} fields for {len(self.words)} words")
        self._rows = {word: row for row, word in enumerate(self.words)}

    def fields_of(self, text: str) -> set[str]:
        """The fields that the words of lower-case text stand in, by their names as features."""
        rows = map(self._row, set(table_words(fold(text))))
        return {f"%{self.fields[row]}" for row in rows if row is not None}

    def _row(self, word: str) -> int | None:
        row = self._rows.get(word)
        if row is not None or "\u3400" <= word[0] <= "\u9fff":
            return row
        if "\u0621" <= word[0] <= "\u064a":
            for prefix in _ARABIC_PREFIXES:
                rest = word.removeprefix(prefix)
                if len(rest) < len(word) and len(rest) >= _LEAST_ARABIC and rest in self._rows:
                    return self._rows[rest]
        least = _LEAST_HANGUL if "\uac00" <= word[0] <= "\ud7a3" else _LEAST
        for end in range(min(len(word) - 1, _LONGEST), least - 1, -1):
            if (row := self._rows.get(word[:end])) is not None:
                return row
        return None

    def save(self, folder: Path) -> None:
        """Write the two files."""
        (folder / _WORDS).write_text("\n".join(self.words), "utf-8")
        np.save(folder / _FIELDS, np.array(self.fields, dtype=np.uint16))

    @classmethod
    def load(cls, folder: Path) -> "FieldTable":
        """Read them."""
        return cls(
            (folder / _WORDS).read_text("utf-8").split("\n"),
            np.load(folder / _FIELDS, allow_pickle=False).tolist(),
        )
