"""The text as an eye sees it, with the way back to the text as written.

NFKC per character cluster, invisible characters removed (joiners stay where a script needs them),
look-alike letters of other scripts read as Latin inside Latin-looking words, spaced-out words
joined. Text of one script is left as it is: Cyrillic is not a disguise. Leet spelling is not
undone here; `entities.platforms` does that for names of services only.

Every character of the result knows the original code points it stands for, so that evidence can
always be shown in the message as it came.

Standards: Unicode UAX #15 (NFKC), UTS #39 §4 (confusables; own small table).
Failure: none; every string has a normalised form, in time linear in its length.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from nlp import lexicon

# Default-ignorable code points and bidi controls; U+00AD and U+0640 are native marks of spelling.
_INVISIBLE = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_REMOVED = re.compile(f"[\u00ad\u0640{_INVISIBLE}]+")
_NATIVE_MARKS = "\u00ad\u0640"
_JOINERS = "\u200c\u200d"

# Letters that NFKC leaves alone and that extend nothing are copied in bulk.
_NEEDS_WORK = re.compile(
    "[^\x00-\x7f\u00bf-\u0131\u0410-\u044f\u0621-\u063f\u0641-\u064a\u2013-\u201f\u3001-\u3002"
    "\u3008-\u3011\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3]+"
)
_CLUSTER_LIMIT = 32

_OTHER_SCRIPT = re.compile("[\u0131-\u02af\u0370-\u058f\u13a0-\u13f5\u1d00-\u1d2b\ua730-\ua7ff]")
# Scripts that nobody mixes into a Latin word end it: "加Теlegram", "Теlegram으로".
_TOKEN = re.compile("[^\\W_\u0590-\u109f\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff]+")
# Letters in black circles and squares, which NFKC leaves alone.
_ENCLOSED = re.compile("[\U0001f150-\U0001f169\U0001f170-\U0001f189]")

# RE2 looks for four single characters in a row (2 µs a kB); `re` then finds the whole word.
_MAYBE_SPACED = re2.compile(
    r"(?:^|[^A-Za-z0-9])[A-Za-z0-9][ .\-_*·•|~/+][A-Za-z0-9][ .\-_*·•|~/+][A-Za-z0-9]"
    r"[ .\-_*·•|~/+][A-Za-z0-9]"
)
_SPACED = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z](?P<gap>[ .\-_*·•|~/+])[A-Za-z0-9](?:(?P=gap)[A-Za-z0-9]){2,48}"
    r"(?: ?[.\-_*·•|~] ?[A-Za-z0-9](?:(?P=gap)[A-Za-z0-9]){1,24})?(?![A-Za-z0-9])"
)
_SPACED_GAPS = re.compile(r"[ .\-_*·•|~/+]+")
_MIN_SPACED_LETTERS = 4


def _confusables() -> dict[str, str]:
    table: dict[str, str] = {}
    for script in lexicon.read("confusables").values():
        table.update(zip(script["seen"], script["read"], strict=True))
    return table


_CONFUSABLE = _confusables()
# Small capitals and phonetic letters: Latin themselves, so that a word of them alone is one.
_LATIN_LIKE = frozenset(lexicon.read("confusables")["latin"]["seen"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """`text` keeps case; `folded` is its lower-case twin of the same length.

    `obfuscations` are original spans where two scripts, splitting or invisible characters stood
    inside a Latin word. `starts` and `ends` map each character; both empty means one to one.
    """

    original: str
    text: str
    folded: str
    obfuscations: tuple[tuple[int, int], ...] = ()
    starts: Sequence[int] = field(default=(), repr=False)
    ends: Sequence[int] = field(default=(), repr=False)

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that `text[start:end]` stands for; needs start < end."""
        if not self.starts:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def is_obfuscated(self, start: int, end: int) -> bool:
        """Whether `text[start:end]` touches an obfuscation."""
        if not self.obfuscations:
            return False
        first, last = self.original_span(start, end)
        return any(a < last and first < b for a, b in self.obfuscations)


def normalise(text: str) -> Normalised:
    """The visible form of `text` with its offset map."""
    if text.isascii() and not _MAYBE_SPACED.search(text):
        return Normalised(original=text, text=text, folded=text.lower())
    draft = _Draft(text)
    draft.compose()
    draft.latinise_mixed_words()
    draft.join_spaced_words()
    return Normalised(
        original=text,
        text=draft.text,
        folded=lower(draft.text),
        obfuscations=_merged(draft.obfuscations),
        starts=draft.starts,
        ends=draft.ends,
    )


def lower(text: str) -> str:
    """Lower case that never changes the length (U+0130 would)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


class _Draft:
    """Text under work; an empty map means that no character has moved yet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.obfuscations: list[tuple[int, int]] = []

    def compose(self) -> None:
        original = self.text
        if (
            unicodedata.is_normalized("NFKC", original)
            and not _REMOVED.search(original)
            and not _ENCLOSED.search(original)
        ):
            return
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for run in _NEEDS_WORK.finditer(original):
            first, last = run.span()
            if first > done and _extends(original[first]):
                first -= 1
            pieces.append(original[done:first])
            starts.extend(range(done, first))
            ends.extend(range(done + 1, first + 1))
            done = last
            while first < last:
                removed = _REMOVED.match(original, first)
                if removed and not _is_needed_joiner(original, *removed.span()):
                    self._note_invisible(*removed.span())
                    first = removed.end()
                    continue
                end = _cluster_end(original, first, last)
                composed = _nfkc(original[first:end])
                pieces.append(composed)
                starts.extend([first] * len(composed))
                ends.extend([end] * len(composed))
                first = end
        pieces.append(original[done:])
        starts.extend(range(done, len(original)))
        ends.extend(range(done + 1, len(original) + 1))
        self.text = "".join(pieces)
        self.starts, self.ends = starts, ends

    def _note_invisible(self, start: int, end: int) -> None:
        text = self.text
        if not 0 < start < end < len(text) or text[start] in _NATIVE_MARKS:
            return
        if not (_is_latin_letter(text[start - 1]) and _is_latin_letter(text[end])):
            return
        if not self.obfuscations or self.obfuscations[-1][1] <= start:  # else the word is noted
            self.obfuscations.append(_word_around(text, start, end))

    def latinise_mixed_words(self) -> None:
        text = self.text
        if not _OTHER_SCRIPT.search(text):
            return
        pieces: list[str] = []
        done = 0
        for token in _TOKEN.finditer(text):
            latin = _latinised(token.group())
            if latin is None:
                continue
            pieces += (text[done : token.start()], latin)
            done = token.end()
            self.obfuscations.append(self._original(token.start(), done))
        pieces.append(text[done:])
        self.text = "".join(pieces)

    def join_spaced_words(self) -> None:
        text = self.text
        if not _MAYBE_SPACED.search(text):
            return
        removed: list[tuple[int, int]] = []
        for run in _SPACED.finditer(text):
            letters = sum(char.isalpha() for char in run.group())
            if letters < _MIN_SPACED_LETTERS:
                continue
            self.obfuscations.append(self._original(*run.span()))
            removed += [gap.span() for gap in _SPACED_GAPS.finditer(text, *run.span())]
        if not removed:
            return
        starts = self.starts or range(len(text))
        ends = self.ends or range(1, len(text) + 1)
        pieces: list[str] = []
        new_starts: list[int] = []
        new_ends: list[int] = []
        done = 0
        for first, last in [*removed, (len(text), len(text))]:
            pieces.append(text[done:first])
            new_starts.extend(starts[done:first])
            new_ends.extend(ends[done:first])
            done = last
        self.text = "".join(pieces)
        self.starts, self.ends = new_starts, new_ends

    def _original(self, start: int, end: int) -> tuple[int, int]:
        if not self.starts:
            return start, end
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=8192)
def _nfkc(cluster: str) -> str:
    # A lone mark that composes to nothing would leave a hole in the map: keep what was written.
    if _ENCLOSED.match(cluster):
        return chr(ord("A") + (ord(cluster[0]) - 0x1F150) % 0x20) + cluster[1:]
    return unicodedata.normalize("NFKC", cluster) or cluster


@lru_cache(maxsize=8192)
def _extends(char: str) -> bool:
    """Whether `char` composes with what stands before it: marks, Hangul vowels and finals."""
    return (
        unicodedata.category(char)[0] == "M"
        or "\u1161" <= char <= "\u11ff"
        or char in "\uff9e\uff9f"
    )


def _cluster_end(text: str, start: int, limit: int) -> int:
    end = start + 1
    limit = min(limit, start + _CLUSTER_LIMIT)
    while end < limit and _extends(text[end]) and not _REMOVED.match(text, end):
        end += 1
    return end


def _is_needed_joiner(text: str, start: int, end: int) -> bool:
    """ZWNJ and ZWJ are spelling in Persian and Indic scripts, and glue in emoji."""
    if end - start > 1 or text[start] not in _JOINERS or not 0 < start < len(text) - 1:
        return False
    return text[start - 1] >= "\u0590" and text[end] >= "\u0590"


def _is_latin_letter(char: str) -> bool:
    return char.isalpha() and char < "\u0250"


def _word_around(text: str, left: int, right: int) -> tuple[int, int]:
    """The Latin word around text[left:right], at most 64 characters to either side."""
    first, last = max(0, left - 64), min(len(text), right + 64)
    while left > first and (_is_latin_letter(text[left - 1]) or _REMOVED.match(text, left - 1)):
        left -= 1
    while right < last and (_is_latin_letter(text[right]) or _REMOVED.match(text, right)):
        right += 1
    return left, right


@lru_cache(maxsize=4096)
def _latinised(token: str) -> str | None:
    """`token` in Latin letters if it mixes scripts and looks Latin throughout, else None."""
    if token.isascii() or not 3 <= len(token) <= 64:
        return None
    has_latin = has_other = False
    read: list[str] = []
    for char in token:
        if char in _CONFUSABLE:
            has_other = True
            has_latin = has_latin or char in _LATIN_LIKE
            read.append(_CONFUSABLE[char])
        elif not char.isalpha() or char < "\u0250":
            has_latin = has_latin or ("A" <= char <= "z" and char.isalpha())
            read.append(char)
        else:
            return None
    return "".join(read) if has_latin and has_other else None


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
