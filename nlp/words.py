"""Many phrases found in one pass over folded text, with word borders that fit the script.

A phrase matches between borders: Latin, Greek, Cyrillic letters digits and the low line must not continue on
either side, Arabic letters not on the right (prefixes such as "bi-" are written together). Chinese,
Japanese, Korean and Thai need no border. A trailing `*` opens the right side: "телеграм*".

It knows words, not meaning: who asks decides what a hit is worth.
Failure: none; time is linear in text plus hits.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import ahocorasick_rs

Payload = TypeVar("Payload")

_SPACED_SCRIPTS_END = "\u0590"
_ARABIC = ("\u0600", "\u06ff")
_OPEN, _SPACED, _JOINED_LEFT = range(3)


class PhraseMatcher(Generic[Payload]):
    """Built once from (phrase, payload); the same phrase may carry several payloads."""

    def __init__(self, entries: Iterable[tuple[str, Payload]]) -> None:
        table: dict[tuple[str, bool], list[Payload]] = {}
        for phrase, payload in entries:
            open_right = phrase.endswith("*")
            table.setdefault((phrase.removesuffix("*"), open_right), []).append(payload)
        self._rules = [
            (_edge(phrase[0]), _OPEN if open_right else _edge(phrase[-1]), tuple(payloads))
            for (phrase, open_right), payloads in table.items()
        ]
        self._automaton = ahocorasick_rs.AhoCorasick([phrase for phrase, _ in table])

    def find(self, folded: str) -> Iterator[tuple[int, int, Payload]]:
        """All hits as (start, end, payload), overlapping ones too; a line break counts as space."""
        text = folded.replace("\n", " ")
        size = len(text)
        rules = self._rules
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            left, right, payloads = rules[index]
            # Written out, not called: this loop is the price of every mail.
            if left == _SPACED and start:
                before = text[start - 1]
                if before < _SPACED_SCRIPTS_END and (before.isalnum() or before == "_"):
                    continue
            if right and end < size:
                after = text[end]
                if after < _SPACED_SCRIPTS_END:
                    if right == _SPACED and (after.isalnum() or after == "_"):
                        continue
                elif right == _JOINED_LEFT and after.isalpha() and after <= _ARABIC[1]:
                    continue
            for payload in payloads:
                yield start, end, payload


def _edge(char: str) -> int:
    if not char.isalnum():
        return _OPEN
    if char < _SPACED_SCRIPTS_END:
        return _SPACED
    return _JOINED_LEFT if _ARABIC[0] <= char <= _ARABIC[1] else _OPEN
