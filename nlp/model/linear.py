"""The linear model: a row of weights for each feature, a column for each thing it can say.

Small whole numbers and one scale a column, so that the file is small and the sums are the same on
every machine. It sums rows and applies the calibration of each column; what the columns mean is
the component's (`nlp.components.model`).

Failure: data that do not fit each other raise ValueError when they are loaded.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

BLOCKS: Final = ("words", "pieces", "concepts", "fields")
_FEATURES, _WEIGHTS, _HEAD = "features.txt", "weights.npy", "columns.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One thing the model can say: logit = slope * score + offset, after Platt.

    `weak` and `plain` are the probabilities from which it says so implied or plainly.
    """

    name: str
    scale: float
    bias: float
    slope: float
    offset: float
    weak: float
    plain: float

    def probability(self, total: float) -> float:
        """Calibrated probability for a sum of weights."""
        logit = self.slope * (self.scale * total + self.bias) + self.offset
        return 1.0 / (1.0 + math.exp(-min(max(logit, -40.0), 40.0)))

    def least_total(self) -> float:
        """A sum below which nothing is said, rounded down."""
        if not 0.0 < self.weak < 1.0 or self.slope * self.scale <= 0.0:
            return math.inf if self.weak >= 1.0 else -math.inf
        logit = math.log(self.weak / (1.0 - self.weak))
        return ((logit - self.offset) / self.slope - self.bias) / self.scale - 1e-6

    def strength(self, probability: float) -> int:
        """0 for no, 1 for implied, 2 for plain."""
        return (probability >= self.weak) + (probability >= self.plain)


class LinearModel:
    """Scores of texts given as blocks of features."""

    def __init__(
        self,
        features: dict[str, int],
        weights: "np.ndarray[Any, Any]",
        columns: tuple[Column, ...],
    ) -> None:
        if weights.shape != (len(features), len(columns)):
            raise ValueError(f"{weights.shape} weights for {len(features)} by {len(columns)}")
        self.columns = columns
        self.features = features
        self.weights = weights
        self._steps = np.array([column.slope * column.scale for column in columns])
        self._offsets = np.array([column.slope * column.bias + column.offset for column in columns])
        self._least = np.array([column.least_total() for column in columns])

    def totals(self, blocks: Iterable[Collection[str]]) -> "np.ndarray[Any, Any]":
        """The sum of weights for every column; each block counts by its length, not its size."""
        total = np.zeros(len(self.columns), dtype=np.float64)
        for block in blocks:
            rows = [row for name in block if (row := self.features.get(name)) is not None]
            if rows:
                total += self.weights[rows].sum(axis=0, dtype=np.int64) / math.sqrt(len(rows))
        return total

    def log_odds(self, totals: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Calibrated, of every column for some sums."""
        log_odds: np.ndarray[Any, Any] = totals * self._steps + self._offsets
        return log_odds

    def said(self, totals: "np.ndarray[Any, Any]") -> Iterator[tuple[int, str, float, int]]:
        """Of sums of several texts: text, column, probability and strength of all that is said."""
        # Few of many are: a look at all of them at once leaves those that could be.
        for place, number in np.argwhere(totals >= self._least).tolist():
            column = self.columns[number]
            probability = column.probability(float(totals[place, number]))
            if strength := column.strength(probability):
                yield place, column.name, probability, strength

    def with_columns(self, columns: tuple[Column, ...]) -> "LinearModel":
        """The same weights under other calibration."""
        return LinearModel(self.features, self.weights, columns)

    def save(self, folder: Path) -> None:
        """Write the three files."""
        folder.mkdir(parents=True, exist_ok=True)
        ordered = sorted(self.features, key=self.features.__getitem__)
        (folder / _FEATURES).write_text("\n".join(ordered), "utf-8")
        np.save(folder / _WEIGHTS, self.weights, allow_pickle=False)
        head = [
            {name: getattr(column, name) for name in Column.__slots__} for column in self.columns
        ]
        (folder / _HEAD).write_text(json.dumps(head, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read them; never a pickle."""
        names = (folder / _FEATURES).read_text("utf-8").split("\n")
        weights = np.load(folder / _WEIGHTS, allow_pickle=False)
        columns = json.loads((folder / _HEAD).read_text("utf-8"))
        return cls(
            {name: row for row, name in enumerate(names)},
            weights,
            tuple(Column(**column) for column in columns),
        )
