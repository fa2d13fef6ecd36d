"""Several linear models over one table of features, so that each feature is looked up once.

The trained component asks its models about every sentence and about the whole. Here a text becomes
numbers once (`known`), and all sentences are summed in one sweep. The sums are those of
`LinearModel.totals`.

Failure: none; what no model knows counts nothing.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import numpy as np

from nlp.model.features import piece_features
from nlp.model.linear import LinearModel

_REMEMBERED_WORDS: Final = 20_000


# A text as numbers: its runs of words, pieces, concepts and fields.
Known = tuple[set[int], ...]


def all_of(texts: Sequence[Known]) -> Known:
    """Several texts as one."""
    return tuple(set[int]().union(*blocks) for blocks in zip(*texts, strict=True))


class Bank:
    """The models that read the same text."""

    def __init__(self, *models: LinearModel) -> None:
        self._models = models
        names = dict.fromkeys(chain.from_iterable(model.features for model in models))
        self._numbers = {name: number for number, name in enumerate(names)}
        # The row that each model has for a number, -1 where it has none.
        self._rows = [
            np.array([model.features.get(name, -1) for name in names], dtype=np.intp)
            for model in models
        ]
        # Words come again and again, in a mail and in the next.
        self._pieces = lru_cache(maxsize=_REMEMBERED_WORDS)(self._pieces_of)

    def known(
        self,
        runs: Iterable[str],
        words: Iterable[str],
        concepts: Iterable[str],
        fields: Iterable[str],
    ) -> Known:
        """The numbers of what some model knows of a text."""
        pieces = set[int]().union(*map(self._pieces, words))
        return self._known(runs), pieces, self._known(concepts), self._known(fields)

    def totals(self, place: int, texts: Sequence[Known]) -> "np.ndarray[Any, Any]":
        """The sums of the model at `place`, a row for each text and a column for each of its."""
        model = self._models[place]
        blocks = [block for text in texts for block in text]
        lengths = [len(block) for block in blocks]
        numbers = np.fromiter(chain.from_iterable(blocks), np.intp, sum(lengths))
        rows = self._rows[place][numbers]
        is_known = rows >= 0
        counts = np.bincount(
            np.repeat(np.arange(len(blocks)), lengths)[is_known], minlength=len(blocks)
        )
        sums = _summed(model.weights, rows[is_known], counts)
        sums /= np.sqrt(np.maximum(counts, 1))[:, None]
        totals: np.ndarray[Any, Any] = sums.reshape(len(texts), -1, len(model.columns)).sum(axis=1)
        return totals

    def _known(self, names: Iterable[str]) -> set[int]:
        numbers = self._numbers
        return {number for name in names if (number := numbers.get(name)) is not None}

    def _pieces_of(self, word: str) -> frozenset[int]:
        return frozenset(self._known(piece_features((word,))))


def _summed(
    weights: "np.ndarray[Any, Any]", rows: "np.ndarray[Any, Any]", counts: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    """The sums of so many of the rows each, in their order."""
    sums = np.zeros((len(counts), weights.shape[1]))
    filled = counts > 0
    if len(rows):
        # `reduceat` takes a start for each sum, and knows no empty one.
        starts = (np.cumsum(counts) - counts)[filled]
        sums[filled] = np.add.reduceat(weights[rows], starts, axis=0, dtype=np.int64)
    return sums
