"""The linear model: a row of weights for each feature, a column for each thing it can say.

Small whole numbers and one scale a column, so that the file is small and the sums are the same on
every machine. It sums rows and applies the calibration of each column; what the columns mean is
the component's (`nlp.components.model`). Words also count by their kin (`nlp.model.kin`): a second
table of rows, with a scale of its own.

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
_PAGE_WORDS: Final = 60
_FEATURES, _WEIGHTS, _KIN, _HEAD = "features.txt", "weights.npy", "kin.npz", "columns.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One thing the model can say: logit = slope * score + offset, after Platt.

    `weak` and `plain` are the probabilities from which it says so implied or plainly; `kin_scale`
    is what a step of kin weighs in steps of the other features.
    """

    name: str
    scale: float
    bias: float
    slope: float
    offset: float
    weak: float
    plain: float
    kin_scale: float = 0.0

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


def kin_norm(words: int) -> float:
    """What the sum over so many words is divided by: the root, beyond a page's length the mean.

    Whatever tilts each word of a language a little would else add up in long mails.
    """
    return math.sqrt(words) * max(1.0, math.sqrt(words / _PAGE_WORDS))


class LinearModel:
    """Scores of texts given as blocks of features."""

    def __init__(
        self,
        features: dict[str, int],
        weights: "np.ndarray[Any, Any]",
        columns: tuple[Column, ...],
        kin: "np.ndarray[Any, Any] | None" = None,
    ) -> None:
        kin = np.zeros((0, len(columns)), dtype=np.int8) if kin is None else kin
        if weights.shape != (len(features), len(columns)) or kin.shape[1:] != (len(columns),):
            raise ValueError(
                f"{weights.shape} and {kin.shape} weights for {len(features)} by {len(columns)}"
            )
        self.columns = columns
        self.features = features
        self.weights = weights
        self.kin = kin
        self.kin_scales = np.array([column.kin_scale for column in columns])
        self._least = np.array([column.least_total() for column in columns])

    def totals(
        self, blocks: Iterable[Collection[str]], kin: Collection[int] = ()
    ) -> "np.ndarray[Any, Any]":
        """The sum of weights for every column; each block counts by its length, not its size."""
        total = np.zeros(len(self.columns), dtype=np.float64)
        if kin and len(self.kin):
            summed = self.kin[list(kin)].sum(axis=0, dtype=np.int64)
            total += self.kin_scales * summed / kin_norm(len(kin))
        for block in blocks:
            rows = [row for name in block if (row := self.features.get(name)) is not None]
            if rows:
                total += self.weights[rows].sum(axis=0, dtype=np.int64) / math.sqrt(len(rows))
        return total

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
        return LinearModel(self.features, self.weights, columns, self.kin)

    def save(self, folder: Path) -> None:
        """Write the four files."""
        folder.mkdir(parents=True, exist_ok=True)
        ordered = sorted(self.features, key=self.features.__getitem__)
        (folder / _FEATURES).write_text("\n".join(ordered), "utf-8")
        np.save(folder / _WEIGHTS, self.weights, allow_pickle=False)
        np.savez_compressed(folder / _KIN, kin=self.kin)
        head = [
            {name: getattr(column, name) for name in Column.__slots__} for column in self.columns
        ]
        (folder / _HEAD).write_text(json.dumps(head, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read them; never a pickle."""
        names = (folder / _FEATURES).read_text("utf-8").split("\n")
        weights = np.load(folder / _WEIGHTS, allow_pickle=False)
        with np.load(folder / _KIN, allow_pickle=False) as kept:
            kin = kept["kin"]
        columns = json.loads((folder / _HEAD).read_text("utf-8"))
        return cls(
            {name: row for row, name in enumerate(names)},
            weights,
            tuple(Column(**column) for column in columns),
            kin,
        )
