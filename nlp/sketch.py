"""What lets one text be known again in another: bands of a MinHash, rare words, order of moves.

All is made of the masked newest text, and a word with a capital that is nobody's everyday word is
left out too: who writes, to whom, from where, over which messenger and for how much changes
nothing. Spaced scripts go by their words without function words (Korean by the first two syllables
of each, which leaves particles out), Han and kana by pairs of characters; docs/campaigns.md has the
measurement. Refuses texts of fewer than twelve words: a mail of two lines is like many.

Standards: A. Broder, On the resemblance and containment of documents (1997); band hashing after
Leskovec, Rajaraman, Ullman, Mining of Massive Datasets §3.4.
Failure: none; a text too short or too poor gives an empty answer. Time is linear in the text.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zlib import crc32

import numpy as np

from nlp import lexicon
from nlp.analysis import IntentLabel
from nlp.entities.everyday import FUNCTION, folded_everyday
from nlp.folding import fold
from nlp.intents.decide import Decision
from nlp.masking import NAMES
from nlp.model.features import without_names

BANDS: Final = 32
ROWS: Final = 3
# Pairs of characters survive a rewording less often, and unrelated texts share fewer of them.
WIDE_ROWS: Final = 2
MIN_WORDS: Final = 12
MIN_MOVES: Final = 5
MAX_RARE: Final = 24
_MAX_WORDS: Final = 700
_MIN_SHINGLES: Final = 8
_WIDE_FROM, _HANGUL_FROM, _HANGUL_TO = "\u3040", "\uac00", "\ud7a3"
_TOKEN: Final = re.compile(
    r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+|[\uac00-\ud7a3]+|[\u3040-\u30ff\u3400-\u9fff]"
)
_STEM: Final = 2
_SHORTEST_RARE: Final = 4
_REACH: Final = frozenset({"handle", "link_handle", "phone", "email", "private_email"})
_SAME_MOVE: Final = {IntentLabel.MONEY: "@amount", IntentLabel.OFFPLATFORM: "@reach"}
_AMOUNT: Final = frozenset({"money", "piece_money", "vague_money", "odd_money"})


def own_words(text: str, capitals: Iterable[tuple[int, int]]) -> list[str]:
    """The words of masked text that are nobody's name: Han and kana by character."""
    kept = without_names(text, 0, len(text), capitals, folded_everyday())
    return [_stem(word) for word in _TOKEN.findall(kept)[:_MAX_WORDS]]


def bands_of(words: Sequence[str]) -> tuple[str, ...]:
    """One short hex string a band; none for a text that is too short to be told from others."""
    wide = sum(map(_is_wide, words))
    if len(words) - wide / 2 < MIN_WORDS:
        return ()
    found = shingles(words)
    if len(found) < _MIN_SHINGLES:
        return ()
    rows = WIDE_ROWS if wide * 2 > len(words) else ROWS
    hashes = np.fromiter((crc32(one.encode()) for one in found), dtype=np.uint64, count=len(found))
    factors, terms = _family()
    size = BANDS * rows
    with np.errstate(over="ignore"):
        table = factors[:size, None] * hashes[None, :] + terms[:size, None]
    least = (table >> np.uint64(32)).min(axis=1).astype("<u4").reshape(BANDS, rows)
    return tuple(
        hashlib.blake2b(row.tobytes(), digest_size=6, salt=band.to_bytes(2)).hexdigest()
        for band, row in enumerate(least)
    )


def shingles(words: Sequence[str]) -> set[str]:
    """What two texts are compared by."""
    found = {word for word in words if len(word) > 1 and word not in _function()}
    found.update(a + b for a, b in pairwise(words) if _is_wide(a) and _is_wide(b))
    return found


def rare_words(words: Sequence[str]) -> tuple[str, ...]:
    """What few letters talk of.

    Of very many those are taken that any other text would take, whatever stands beside them.
    """
    found = {one for one in topics(words) if one not in lexicon.common_words()}
    return tuple(sorted(found, key=lambda one: (crc32(one.encode()), one))[:MAX_RARE])


def topics(words: Sequence[str]) -> Iterator[str]:
    """Words long enough to mean something, and pairs of Han characters."""
    yield from (word for word in words if _is_telling(word))
    yield from (a + b for a, b in pairwise(words) if _is_wide(a) and _is_wide(b))


def shape_of(
    text: str,
    body: Sequence[tuple[int, int]],
    sentences: Sequence[int],
    decisions: Iterable[Decision],
) -> str:
    """Labels, and ways to reach and amounts, by the sentence where each comes first.

    `text` is the masked document, `body` the stretches of it that the sender wrote, `sentences`
    where each begins. Within one sentence the order is fixed: languages differ in it.
    """
    places = [
        (at, move)
        for start, end in body
        for at, char in enumerate(text[start:end], start)
        if (move := _move(NAMES.get(char, "")))
    ]
    seen = {move for _, move in places}
    # Where a handle or an amount stands, it tells the place better than the words around it.
    places += [
        (span[0], move)
        for each in decisions
        if (move := _SAME_MOVE.get(each.label, each.label.value)) not in seen
        for span in each.spans
        if any(start <= span[0] < end for start, end in body)
    ]
    first: dict[str, int] = {}
    for at, move in sorted(places):
        first.setdefault(move, bisect_right(sentences, at))
    if len(first) < MIN_MOVES:
        return ""
    return " ".join(sorted(first, key=lambda move: (first[move], move)))


def _move(token: str) -> str:
    if token in _REACH:
        return "@reach"
    return "@amount" if token in _AMOUNT else ""


def _is_wide(word: str) -> bool:
    return len(word) == 1 and word >= _WIDE_FROM and not _HANGUL_FROM <= word <= _HANGUL_TO


def _stem(word: str) -> str:
    return word[:_STEM] if _HANGUL_FROM <= word[0] <= _HANGUL_TO else word


def _is_telling(word: str) -> bool:
    is_hangul = _HANGUL_FROM <= word[0] <= _HANGUL_TO
    return len(word) >= (_STEM if is_hangul else _SHORTEST_RARE)


@lru_cache(maxsize=1)
def _function() -> frozenset[str]:
    return frozenset(map(fold, FUNCTION))


@lru_cache(maxsize=1)
def _family() -> tuple["np.ndarray[tuple[int], np.dtype[np.uint64]]", ...]:
    """Multiply-shift functions with constants of a digest: the same in every version of numpy."""
    octets = hashlib.shake_256(b"lurewall sketch 1").digest(BANDS * max(ROWS, WIDE_ROWS) * 16)
    factors, terms = np.frombuffer(octets, dtype="<u8").astype(np.uint64).reshape(2, -1)
    return factors | np.uint64(1), terms
