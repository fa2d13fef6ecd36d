"""Which words are a field: a public model's space of words, cut into so many parts (k-means).

It knows nothing of classes. Failure: none.
"""

from typing import Any, Final

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

_FIELDS: Final = 800  # of 200, 800 and 2,500 the best on writers left out


def fields_of(vectors: "np.ndarray[Any, Any]") -> list[int]:
    """The field of each word: those whose vectors point the same way, whatever their language."""
    ways = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)
    means = MiniBatchKMeans(_FIELDS, random_state=0, batch_size=4096, n_init=1, max_iter=30)
    with threadpool_limits(1):  # the same sums in the same order on every machine
        found: list[int] = means.fit(ways.astype(np.float32)).labels_.tolist()
    return found
