"""Text as pieces of words, the likeliest cut of all (unigram model of SentencePiece, XLM-R's pieces).

The longest text that is cut is bounded, so time is. What no piece covers is one unknown character.
Failure: none.
"""

import re
from functools import lru_cache
from typing import Final

from nlp.encoder.weights import Weights

MAX_CHARACTERS: Final = 4_000
_BLANKS = re.compile(" {2,}")
_WORD_START: Final = "\u2581"
_NEVER: Final = -1e30
# An unknown character costs so much more than the rarest piece.
_UNKNOWN_COSTS: Final = 10.0
# Words that are written with blanks between them are mostly the same few thousand.
_WORDS_KEPT: Final = 20_000
_LONGEST_KEPT: Final = 32


class Pieces:
    """Cuts text."""

    def __init__(self, weights: Weights) -> None:
        pieces, self._scores = weights.pieces()
        self._unknown = weights.unknown
        self._ids = {
            piece: number
            for number, piece in enumerate(pieces)
            if piece and number != weights.unknown
        }
        self._longest = max(map(len, self._ids))
        self._unknown_score = min(self._scores) - _UNKNOWN_COSTS
        self._replacements = weights.replacements()
        self._cut_of_word = lru_cache(maxsize=_WORDS_KEPT)(self._likeliest)

    def cut(self, text: str) -> list[int]:
        """The numbers of the pieces of the head of a text."""
        text = text[:MAX_CHARACTERS].translate(self._replacements)[:MAX_CHARACTERS]
        text = _BLANKS.sub(" ", text)
        numbers: list[int] = []
        # No piece goes beyond a word, so the likeliest cut of a text is that of each of its words.
        for word in text.removeprefix(" ").split(" "):
            cut = self._cut_of_word if len(word) < _LONGEST_KEPT else self._likeliest
            numbers += cut(_WORD_START + word)
        return numbers

    def _likeliest(self, text: str) -> tuple[int, ...]:
        """Viterbi: the best cut up to each place, from the best cuts before it."""
        size = len(text)
        best = [0.0, *[_NEVER] * size]
        came_from = [0] * (size + 1)
        piece_to = [self._unknown] * (size + 1)
        ids, scores, unknown_score = self._ids, self._scores, self._unknown_score
        for start in range(size):
            here = best[start]
            for end in range(start + 1, min(size, start + self._longest) + 1):
                number = ids.get(text[start:end])
                if number is not None and here + scores[number] > best[end]:
                    best[end] = here + scores[number]
                    came_from[end], piece_to[end] = start, number
            if here + unknown_score > best[start + 1]:
                best[start + 1] = here + unknown_score
                came_from[start + 1], piece_to[start + 1] = start, self._unknown
        numbers: list[int] = []
        place = size
        while place:
            numbers.append(piece_to[place])
            place = came_from[place]
        return tuple(reversed(numbers))
