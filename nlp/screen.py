"""Decides whether a mail deserves the full language stage: one pass for cues, one sum.

Cues of `screen.toml` have groups with weights; a group counts once. A mail passes when cues of
different groups reach the threshold close to each other. It is meant to lose no lure and to let
through few others; it never says what a mail is.

Disguised words (two scripts in a word, invisible characters, letters spaced out) are undone first;
a cheap look tells whether that is needed at all.
Failure: none; time is linear in the text, which is cut at `MAX_CHARACTERS`.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from nlp import lexicon
from nlp.analysis import LinkText, TextSegment
from nlp.normalise import lower, normalise
from nlp.words import PhraseMatcher

MAX_CHARACTERS = 60_000
MAX_LINKS = 100
_READ = frozenset({"subject", "body", "signature", "attachment", "qr", "ics", "vcard"})

# Anything that `normalise` would change and that could hide a cue.
_NEEDS_NORMALISING = re2.compile(
    r"[\x{0300}-\x{036f}\x{034f}\x{00ad}\x{061c}\x{0640}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}"
    r"\x{feff}\x{fe00}-\x{fe0f}\x{ff10}-\x{ff19}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{24b6}-\x{24e9}"
    r"\x{1d400}-\x{1d7ff}]"
    r"|[A-Za-z][\x{0370}-\x{052f}]|[\x{0370}-\x{052f}][A-Za-z]"
    r"|(?:^|[^A-Za-z0-9])[A-Za-z](?:[ .\-_*·•|~/+][A-Za-z0-9]){3}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenResult:
    """Whether the mail passes to the full stage, and the groups of cues seen."""

    passed: bool
    cues: tuple[str, ...] = ()


class Screen:
    """Built once; `passes` is then one scan per mail."""

    def __init__(self) -> None:
        table = lexicon.read("screen")
        self._threshold: int = table["threshold"]
        self._window: int = table["window"]
        self._weights: dict[str, int] = table["weights"]
        self._matcher = PhraseMatcher(_cues(table))

    def passes(
        self, segments: Sequence[TextSegment], links: Sequence[LinkText] = ()
    ) -> ScreenResult:
        """The decision over subject, newest text, signature, attachments and link targets."""
        text = "\n".join(segment.text for segment in segments if segment.source in _READ)
        if links:
            targets = "\n".join(link.target for link in links[:MAX_LINKS])
            text = f"{text[:MAX_CHARACTERS]}\n{targets}"
        text = text[:MAX_CHARACTERS]
        is_disguised = False
        if _NEEDS_NORMALISING.search(text):
            view = normalise(text)
            text = view.folded
            is_disguised = bool(view.obfuscations)
        else:
            text = lower(text)
        best: dict[str, int] = {}
        hits = []
        for start, _, group in self._matcher.find(text):
            hits.append((start, group))
            best[group] = start
        if is_disguised:
            best["disguise"] = 0
        if sum(self._weights[group] for group in best) < self._threshold:
            return ScreenResult(passed=False, cues=tuple(sorted(best)))
        base = self._weights["disguise"] if is_disguised else 0
        return ScreenResult(passed=self._is_dense(hits, base), cues=tuple(sorted(best)))

    def _is_dense(self, hits: list[tuple[int, str]], base: int) -> bool:
        """Whether some window holds enough different groups."""
        if base >= self._threshold:
            return True
        hits.sort()
        counts: dict[str, int] = {}
        total = base
        first = 0
        for start, group in hits:
            counts[group] = counts.get(group, 0) + 1
            if counts[group] == 1:
                total += self._weights[group]
            while hits[first][0] < start - self._window:
                left = hits[first][1]
                counts[left] -= 1
                if counts[left] == 0:
                    total -= self._weights[left]
                first += 1
            if total >= self._threshold:
                return True
        return False


def _cues(table: dict[str, object]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for language, groups in table.items():
        if language == "weights" or not isinstance(groups, dict):
            continue
        for group, phrases in groups.items():
            for phrase in phrases:
                for spelling in {phrase, _bare(phrase)}:
                    if (spelling, group) not in seen:
                        seen.add((spelling, group))
                        yield spelling, group


def _bare(phrase: str) -> str:
    """Without accents, hamza and diaeresis: how people type in a hurry."""
    if "\uac00" <= phrase[0] <= "\ud7a3" or phrase[0] >= "\u3040":
        return phrase
    marks = unicodedata.normalize("NFD", phrase)
    bare = "".join(char for char in marks if not unicodedata.combining(char) or char == "\u0306")
    return unicodedata.normalize("NFC", bare)
