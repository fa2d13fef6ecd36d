"""What pieces of text become by reading each other: the lower layers of a transformer, in numpy.

BERT's layers, two thirds of the model's: the upper ones know more of what a text is about and less
of what it does, and cost a third of the time (docs/decisions/0013). One thread, the same numbers
for the same text on the same machine.
Failure: none; the point of a text without pieces is the mean of its two ends.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from nlp.encoder.pieces import Pieces
from nlp.encoder.weights import WIDTH, Floats, Weights, weights_file

LAYERS: Final = 8
MAX_PIECES: Final = 254
# A long text is read piece by piece, as it would be no use to read all of it at once.
MAX_WINDOWS: Final = 3
# How the model was taught to be asked.
_PREFIX: Final = "passage: "
_ROOT_OF_TWO_OVER_PI: Final = 0.7978845608


@dataclass(frozen=True, slots=True)
class _Norm:
    """A layer norm: each row to mean 0 and spread 1, then stretched and moved."""

    stretch: Floats
    move: Floats
    epsilon: float

    def __call__(self, rows: Floats) -> Floats:
        rows = rows - rows.mean(axis=1, keepdims=True)
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
        shares: Floats = query @ key.transpose(0, 2, 1)
        shares *= size**-0.5
        shares -= shares.max(axis=2, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=2, keepdims=True, dtype=np.float32)
        result: Floats = (shares @ value).transpose(1, 0, 2).reshape(count, width)
        return result


class Encoder:
    """Texts as points: what is done alike in any of a hundred languages is near."""

    def __init__(self, weights: Weights, layers: int = LAYERS) -> None:
        self._weights = weights
        self._pieces = Pieces(weights)
        self._places = weights.row("emb.pos").reshape(-1, WIDTH)
        self._kind = weights.row("emb.type")[:WIDTH]
        self._norm = _norm(weights, "emb.ln")
        self._layers = [_layer(weights, f"l{number}") for number in range(layers)]

    def points(self, text: str) -> list[Floats]:
        """The mean of what the pieces of each window of a text's head become; 384 numbers each."""
        cut = self._pieces.cut(_PREFIX + text)[: MAX_PIECES * MAX_WINDOWS]
        return [
            self._point(cut[start : start + MAX_PIECES])
            for start in range(0, max(1, len(cut)), MAX_PIECES)
        ]

    def _point(self, cut: list[int]) -> Floats:
        pieces = [self._weights.first, *cut, self._weights.last]
        rows = self._norm(
            self._weights.word_rows(pieces) + self._places[: len(pieces)] + self._kind
        )
        for layer in self._layers:
            rows = layer(rows)
        mean: Floats = rows.mean(axis=0)
        return mean


@lru_cache(maxsize=1)
def encoder() -> Encoder:
    """The one of this process, loaded at first use."""
    return Encoder(Weights(weights_file()))


def _gelu(rows: Floats) -> Floats:
    """Gaussian error linear unit, its usual approximation."""
    curve: Any = np.tanh(_ROOT_OF_TWO_OVER_PI * (rows + 0.044715 * rows * rows * rows))
    curve += 1
    curve *= rows
    curve *= 0.5
    result: Floats = curve
    return result


def _norm(weights: Weights, name: str) -> _Norm:
    return _Norm(weights.row(f"{name}.w"), weights.row(f"{name}.b"), weights.epsilon)


def _linear(weights: Weights, rows: int, *names: str) -> _Linear:
    """One of several that read the same: side by side they cost less."""
    matrices = [weights.matrix(f"{name}.w", rows).T for name in names]
    added = [weights.row(f"{name}.b") for name in names]
    return _Linear(np.ascontiguousarray(np.concatenate(matrices, axis=1)), np.concatenate(added))


def _layer(weights: Weights, name: str) -> _Layer:
    return _Layer(
        heads=weights.heads,
        asked=_linear(weights, WIDTH, f"{name}.q", f"{name}.k", f"{name}.v"),
        answered=_linear(weights, WIDTH, f"{name}.ao"),
        after_attention=_norm(weights, f"{name}.aln"),
        wide=_linear(weights, weights.inner, f"{name}.fi"),
        narrow=_linear(weights, WIDTH, f"{name}.fo"),
        after_network=_norm(weights, f"{name}.oln"),
    )
