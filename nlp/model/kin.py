"""Words of all languages in one table, so that words that mean alike can weigh alike.

A word that no mail of the corpus holds still has a weight here, learnt from the words that are near
it in meaning (`nlp.training.teacher`), and a field: the some hundred words of all languages that it
stands among. What a mail is about (a garden, a reactor, a wedding) shows by its fields. Han text
counts by pairs of characters; a word that is not in the table counts as its longest beginning that
is, an Arabic one also without its prefixes.

Failure: ValueError where words and fields do not fit; a word without kin counts nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from nlp.folding import fold

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+")
_ARABIC_PREFIXES: Final = ("وال", "بال", "كال", "فال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
_LEAST_ARABIC: Final = 3
_LEAST_HANGUL: Final = 2
_LEAST: Final = 5
_LONGEST: Final = 40


def kin_words(folded: str) -> Iterator[str]:
    """The words that the table may hold, in order."""
    for run in _RUN.findall(folded):
        if "\u3400" <= run[0] <= "\u9fff":
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        elif len(run) > 1:
            yield run


class KinTable:
    """Rows of known words; `fields` has the field of each row, or nothing."""

    def __init__(self, words: Iterable[str], fields: Sequence[int] = ()) -> None:
        self.words = tuple(words)
        self.fields = tuple(fields)
        if self.fields and len(self.fields) != len(self.words):
            raise ValueError(f"{len(self.fields)} fields for {len(self.words)} words")
        self._rows = {word: row for row, word in enumerate(self.words)}

    def rows(self, text: str) -> set[int]:
        """The rows of the words of lower-case text that have kin."""
        rows = map(self._row, set(kin_words(fold(text))))
        return {row for row in rows if row is not None}

    def fields_of(self, rows: Iterable[int]) -> set[str]:
        """The fields that the words of these rows belong to, by their names as features."""
        fields = self.fields
        return {f"%{fields[row]}" for row in rows} if fields else set()

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
