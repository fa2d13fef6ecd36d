"""What pieces of text become by reading each other: the lower layers of a transformer, in numpy.

BERT's layers, a third of the model's, changed by what they were taught (docs/decisions/0014): the
upper ones know more of what a text is about and less of what it does, and cost twice as much. One
thread, the same numbers for the same text on the same machine.
Failure: none; the point of a text without pieces is the mean of its two ends. Changes that do not
fit raise KeyError or ValueError when the encoder is made; more layers than are read do not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nlp.encoder.pieces import Pieces
from nlp.encoder.weights import WIDTH, Floats, Weights

LAYERS: Final = 4
MAX_PIECES: Final = 160
# How the model was taught to be asked.
_PREFIX: Final = "passage:"
_ROOT_OF_TWO_OVER_PI: Final = 0.7978845608


@dataclass(frozen=True, slots=True)
class _Norm:
    """A layer norm: each row to mean 0 and spread 1, then stretched and moved."""

    stretch: Floats
    move: Floats
    epsilon: float

    def __call__(self, rows: Floats) -> Floats:
        """The rows, changed in place."""
        rows -= rows.mean(axis=1, keepdims=True)
        rows /= np.sqrt((rows * rows).mean(axis=1, keepdims=True) + self.epsilon)
        rows *= self.stretch
        rows += self.move
        return rows


@dataclass(frozen=True, slots=True)
class _Linear:
    """Rows times a matrix, plus a row."""

    matrix: Floats
    added: Floats

    def __call__(self, rows: Floats) -> Floats:
        result: Floats = rows @ self.matrix
        result += self.added
        return result


@dataclass(frozen=True, slots=True)
class _Layer:
    """Attention among the pieces, then a small network for each."""

    heads: int
    asked: _Linear
    answered: _Linear
    after_attention: _Norm
    wide: _Linear
    narrow: _Linear
    after_network: _Norm

    def __call__(self, rows: Floats) -> Floats:
        rows = self.after_attention(rows + self.answered(self._attended(rows)))
        return self.after_network(rows + self.narrow(_gelu(self.wide(rows))))

    def _attended(self, rows: Floats) -> Floats:
        count, width = rows.shape
        size = width // self.heads
        asked = self.asked(rows).reshape(count, 3, self.heads, size).transpose(1, 2, 0, 3)
        query, key, value = asked
        query *= size**-0.5
        shares: Floats = query @ key.transpose(0, 2, 1)
        shares -= shares.max(axis=2, keepdims=True)
        np.exp(shares, out=shares)
        result: Floats = shares @ value
        result /= shares.sum(axis=2, keepdims=True, dtype=np.float32)
        return result.transpose(1, 0, 2).reshape(count, width)


class Encoder:
    """Texts as points: what is done alike in any of a hundred languages is near.

    `changes` is what the layers were taught beyond their own weights: for each matrix NAME two thin
    ones whose product is added (`NAME.down`, `NAME.up`), for each row added or norm another row.
    """

    def __init__(
        self, weights: Weights, changes: Mapping[str, Floats] | None = None, layers: int = LAYERS
    ) -> None:
        self._weights = weights
        self._pieces = Pieces(weights)
        self._asked = self._pieces.cut(_PREFIX)
        self._places = weights.row("emb.pos").reshape(-1, WIDTH)
        self._kind = weights.row("emb.type")[:WIDTH]
        plain = _Taught(weights, None)
        self._norm = plain.norm("emb.ln")
        taught = _Taught(weights, changes)
        self._layers = [taught.layer(f"l{number}") for number in range(layers)]

    def point(self, cut: Sequence[int]) -> Floats:
        """The mean of what the first MAX_PIECES pieces of a text become; 384 numbers."""
        mean: Floats = self.rows_of(self.framed(cut)).mean(axis=0)
        return mean

    def rows_of(self, pieces: Sequence[int]) -> Floats:
        """What each of some pieces, which are framed, becomes."""
        rows = self.embedded(pieces)
        for layer in self._layers:
            rows = layer(rows)
        return rows

    def cut(self, text: str) -> list[int]:
        """The numbers of the pieces of a text's head."""
        return self._pieces.cut(text)

    def framed(self, cut: Sequence[int]) -> list[int]:
        """What is read of pieces: as the model was taught to be asked, with beginning and end."""
        return [self._weights.first, *self._asked, *cut[:MAX_PIECES], self._weights.last]

    def embedded(self, pieces: Sequence[int]) -> Floats:
        """The pieces before they read each other, a row each."""
        table = self._weights.word_rows(pieces)
        return self._norm(table + self._places[: len(pieces)] + self._kind)


def _gelu(rows: Floats) -> Floats:
    """Gaussian error linear unit, its usual approximation; the rows are changed in place."""
    curve: Any = rows * rows
    curve *= 0.044715 * _ROOT_OF_TWO_OVER_PI
    curve += _ROOT_OF_TWO_OVER_PI
    curve *= rows
    np.tanh(curve, out=curve)
    curve += 1
    rows *= 0.5
    rows *= curve
    return rows


@dataclass(frozen=True, slots=True)
class _Taught:
    """The weights with what they were taught beyond, if anything."""

    weights: Weights
    changes: Mapping[str, Floats] | None

    def layer(self, name: str) -> _Layer:
        """All of one layer."""
        return _Layer(
            heads=self.weights.heads,
            asked=self._linear(f"{name}.qkv", WIDTH, f"{name}.q", f"{name}.k", f"{name}.v"),
            answered=self._linear(f"{name}.ao", WIDTH, f"{name}.ao"),
            after_attention=self.norm(f"{name}.aln"),
            wide=self._linear(f"{name}.fi", self.weights.inner, f"{name}.fi"),
            narrow=self._linear(f"{name}.fo", WIDTH, f"{name}.fo"),
            after_network=self.norm(f"{name}.oln"),
        )

    def norm(self, name: str) -> _Norm:
        """One layer norm."""
        return _Norm(
            self._row(f"{name}.w", WIDTH), self._row(f"{name}.b", WIDTH), self.weights.epsilon
        )

    def _linear(self, name: str, rows: int, *parts: str) -> _Linear:
        """One of all parts."""
        matrix, added = self.weights.side_by_side(rows, *parts)
        if self.changes is None:
            return _Linear(matrix, added)
        # Of other sizes they do not multiply or add.
        matrix += self.changes[f"{name}.down"] @ self.changes[f"{name}.up"]
        return _Linear(matrix, self._row(f"{name}.b", matrix.shape[1]))

    def _row(self, name: str, size: int) -> Floats:
        row = self.weights.row(name)[:size] if self.changes is None else self.changes[name]
        if row.shape != (size,):
            raise ValueError(f"{name}: {row.shape}, not {size} numbers")
        return row
