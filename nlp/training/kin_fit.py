"""What kin says of each column, and which words are a field: both from the teacher's space.

Kin is a ridge regression there, folded into a number a word.

A row (sentence or mail) stands in the space where the sum of its words' vectors points. A column is
a direction there, and a word's weight is how far its vector goes that way: so words never seen in
training weigh as those near them. Fields are the space cut into so many parts (k-means), which knows
nothing of classes. Failure: none.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from nlp.model.linear import kin_norm

_RIDGE: Final = 1.0
_FIELDS: Final = 800  # of 200, 800 and 2,500 the best on writers left out


@dataclass(frozen=True, slots=True)
class KinRows:
    """Rows as sums of word vectors, divided as the service divides them."""

    counts: csr_matrix
    vectors: "np.ndarray[Any, Any]"

    @classmethod
    def of(cls, rows: Sequence[Collection[int]], vectors: "np.ndarray[Any, Any]") -> "KinRows":
        """`rows`: the table's rows of the words of each sentence or mail."""
        starts = np.cumsum([0, *map(len, rows)])
        columns = np.array([word for row in rows for word in sorted(row)], dtype=np.int64)
        data = np.repeat([1 / kin_norm(len(row) or 1) for row in rows], [len(row) for row in rows])
        shape = (len(rows), len(vectors))
        return cls(csr_matrix((data, columns, starts), shape=shape), vectors)

    def weights(
        self, truth: "np.ndarray[Any, Any]", picked: "np.ndarray[Any, Any]"
    ) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
        """Weights (words by columns) and biases, learnt from the picked rows."""
        space = self.counts[picked] @ self.vectors
        middle, spread = space.mean(axis=0), space.std(axis=0) + 1e-9
        space = (space - middle) / spread
        target = truth[picked] * 2.0 - 1.0
        target -= target.mean(axis=0)
        gram = space.T @ space + _RIDGE * len(picked) * np.eye(space.shape[1])
        direction = np.linalg.solve(gram, space.T @ target) / spread[:, None]
        return self.vectors @ direction, -middle @ direction


def fields_of(vectors: "np.ndarray[Any, Any]") -> list[int]:
    """The field of each word: those whose vectors point the same way, whatever their language."""
    ways = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)
    means = MiniBatchKMeans(_FIELDS, random_state=0, batch_size=4096, n_init=1, max_iter=30)
    with threadpool_limits(1):  # the same sums in the same order on every machine
        found: list[int] = means.fit(ways.astype(np.float32)).labels_.tolist()
    return found
