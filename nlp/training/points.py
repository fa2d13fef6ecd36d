"""The points of mails (`nlp.encoder`), of the first window; what was asked before comes from a file.

A quarter of an hour of two cores for the corpus at first, nothing for what it held already. Failure: none of its own.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from nlp.encoder.layers import LAYERS, MAX_PIECES, encoder

_CACHE: Final = Path(__file__).parents[2] / "build" / f"points-{LAYERS}-{MAX_PIECES}.npz"
_KEEP_EVERY: Final = 2_000
# Each process asks on one thread, or they would wait for each other.
_SINGLE: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def points(texts: Sequence[str]) -> "np.ndarray[Any, Any]":
    """A row for each text, in half precision as it is kept."""
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    known: dict[str, Any] = {}
    if _CACHE.is_file():
        with np.load(_CACHE) as kept:
            known = dict(zip(kept["keys"].tolist(), kept["points"], strict=True))
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        _ask(missing, known)
    return np.array([known[key] for key in keys], dtype=np.float32)


def _ask(missing: dict[str, str], known: dict[str, Any]) -> None:
    """Add the points of these texts."""
    before = {name: os.environ.get(name) for name in _SINGLE}
    os.environ.update(_SINGLE)
    try:
        # Not forked: other threads may hold locks.
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            found = pool.map(_point, missing.values(), chunksize=50)
            for count, (key, point) in enumerate(zip(missing, found, strict=True), start=1):
                known[key] = point
                if count % _KEEP_EVERY == 0 or count == len(missing):
                    _keep(known)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _keep(known: dict[str, Any]) -> None:
    _CACHE.parent.mkdir(exist_ok=True)
    written = _CACHE.with_suffix(".new.npz")
    np.savez(written, keys=np.array(list(known)), points=np.array(list(known.values())))
    written.replace(_CACHE)


def _point(text: str) -> "np.ndarray[Any, Any]":
    return encoder().points(text)[0].astype(np.float16)
