"""Decides whether a mail deserves the full language stage: one pass for cues, one sum.

Cues of `screen.toml` have groups with weights; a group counts once. A mail passes when cues of
different groups of one language reach the threshold close to each other, unless a second look, at all of its
words, finds it quite unlike a lure; and where the second look finds it much like one. It is meant to lose no
lure and to let through few others; it never says what a mail is.

Names of messengers are one cue and names of mail services another, whichever they are; addresses and
capitalised names are no cues, and the second look does not see them.

Disguised words (two scripts in a word, invisible characters, letters spaced out) are undone first;
a cheap look tells whether that is needed at all.
Failure: none; time is linear in the text, which is cut at `MAX_CHARACTERS`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import chain
from operator import or_

import re2

from nlp import lexicon, model
from nlp.analysis import LinkText, TextSegment
from nlp.entities.channel_words import ON_DEVICE
from nlp.folding import fold
from nlp.model.features import MAX_WORDS, screen_features, words_of
from nlp.model.linear import LinearModel
from nlp.normalise import lower, normalise
from nlp.words import PhraseMatcher

MAX_CHARACTERS = 60_000
# Longer texts of lures have cues enough; newsletters are not to pay for the second look.
TRAINED_CHARACTERS = 3_000
MAX_LINKS = 100
# Start, negated end (so that sorting puts the longer of two first), group.
_Hit = tuple[int, int, str]

_ANY = "any"
# Groups of the cues that `platforms.toml` gives. A name that is a word, too, counts where it is written as one.
_BRANDS = {"messenger": "channel", "mail": "channel_weak"}
_AMBIGUOUS, _OF_FIRMS = "?", "!"
_MARKS = frozenset((_AMBIGUOUS, _OF_FIRMS))
_NO_BRANDS = frozenset({"sms", "google_chat", "imessage"})
_WORD = re.compile(r"[^\W\d_]+")
_NO_CAPITALS = "\u0590"
_MARKED_CHARACTERS = 4000
_TOO_SHORT_TO_TELL = 12
_LONG = 60
_SCRIPTS = {
    "zh": re.compile(r"[\u3400-\u9fff]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
}
_READ = frozenset({"subject", "body", "signature", "attachment", "qr", "ics", "vcard"})

# Anything that `normalise` would change and that could hide a cue.
_NEEDS_NORMALISING = re2.compile(
    r"[\x{0300}-\x{036f}\x{034f}\x{00ad}\x{061c}\x{0640}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}"
    r"\x{feff}\x{fe00}-\x{fe0f}\x{ff10}-\x{ff19}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{24b6}-\x{24e9}"
    r"\x{1d400}-\x{1d7ff}]"
    r"|[A-Za-z][\x{0370}-\x{052f}]|[\x{0370}-\x{052f}][A-Za-z]"
    r"|(?:^|[^A-Za-z0-9])[A-Za-z](?:[ .\-_*·•|~/+][A-Za-z0-9]){3}"
)


_HOST = re.compile(r"@[\w.-]+")
# What stands before the name of a service that is a word, too.
_USED = re.compile(
    r"(?:^|[ (])(?:on|over|via|through|by|use|uses|using|has|have|got|install|installed|called|app|my|your"
    r"|sur|par|utilise|utilisez|installé|a|ai|as|avez|maintenant|mon|votre|auf|über|per|mit|bei|mein|nutze|habe"
    r"|por|en|uso|tengo|tiene|mi|su|no|pelo|uso|tenho|tem|meu|seu|в|на|через|по|мой) $",
    re.IGNORECASE,
)

# Among letters of another script a capitalised Latin word is a name.
_AMONG_OTHERS = re.compile(r"[\u0370-\u1fff\u3040-\ud7a3][^A-Za-z]{0,6}$")
_ON_DEVICE = re.compile(ON_DEVICE.pattern, re.IGNORECASE)
_CAPITAL_BEHIND = re.compile(r" [A-ZÀ-ÖØ-Þ]")
_CAPITAL_BEFORE = re.compile(r"(?<![^\W\d_])[A-ZÀ-ÖØ-Þ][^\W\d_]*[ -]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenResult:
    """Whether the mail passes to the full stage, and the groups of cues seen."""

    passed: bool
    cues: tuple[str, ...] = ()


class Screen:
    """Built once; `passes` is then one scan per mail."""

    def __init__(self, *, second_look: bool = True) -> None:
        """`second_look`: whether the trained model is asked where the cues say no."""
        table = lexicon.read("screen")
        self._threshold: int = table["threshold"]
        self._short_threshold: int = table["short_threshold"]
        self._short_characters: int = table["short_characters"]
        self._window: int = table["window"]
        self._weights: dict[str, int] = table["weights"]
        self._marks = {language: frozenset(words) for language, words in table["marks"].items()}
        self._matcher = PhraseMatcher(_cues(table))
        self._trained = _load_trained() if second_look else None

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
            written, text = view.text, view.folded.replace("\u2019", "'")
            is_disguised = bool(view.obfuscations)
        else:
            written, text = text, lower(text).replace("\u2019", "'")
        groups: set[str] = {"disguise"} if is_disguised else set()
        hits: dict[str, list[_Hit]] = {}
        for start, end, (language, group) in self._matcher.find(text):
            if group[-1] in _MARKS:
                if not _counts(group[-1], written, start, end):
                    continue
                group = group[:-1]
            if start and text[start - 1] == "@":
                continue  # the host of an address
            hits.setdefault(language, []).append((start, -end, group))
            groups.add(group)
        is_short = self._is_short(written)
        needed = self._short_threshold if is_short else self._threshold
        if is_disguised:
            needed -= self._weights["disguise"]
        shared = hits.pop(_ANY, [])
        passed = self._is_dense(shared, needed) or any(
            self._is_dense(found + shared, needed) and self._is_written_in(language, text)
            for language, found in hits.items()
        )
        cues = tuple(sorted(groups))
        # A few words and an address are little to go by, and what is disguised is to be read anyway.
        is_settled = passed and (is_short or is_disguised)
        if self._trained is not None and not is_settled and len(text) <= TRAINED_CHARACTERS:
            passed = self._reads_like_one(written, cues, passed)
        return ScreenResult(passed=passed, cues=cues)

    def _is_short(self, written: str) -> bool:
        """Whether there is room for few cues only; the length of names does not count."""
        if len(written) > 2 * self._short_characters:
            return False
        words = _without_identity(written)
        return sum(map(len, words)) + len(words) <= self._short_characters

    def _reads_like_one(self, written: str, cues: Sequence[str], passed: bool) -> bool:
        """The second look: all words, by a small trained model.

        It says which mail passes that the cues did not foresee, and which does not for all its cues.
        """
        assert self._trained is not None
        if "@" in written:
            written = _HOST.sub(" ", written)
        column = self._trained.columns[0]
        total = self._trained.totals(screen_features(_without_identity(written), cues))[0]
        return column.probability(float(total)) >= (column.weak if passed else column.plain)

    def _is_written_in(self, language: str, text: str) -> bool:
        """Whether function words or letters show the language: "hotel" is a word of many."""
        marks = self._marks.get(language)
        if marks is None:
            return bool(_SCRIPTS[language].search(text))
        words = _WORD.findall(text[:_MARKED_CHARACTERS])
        if len(words) < _TOO_SHORT_TO_TELL:
            return True
        needed = 2 if len(words) < _LONG else 4
        return sum(word in marks for word in words) >= needed

    def _is_dense(self, hits: list[_Hit], needed: int) -> bool:
        """Whether some window holds enough different groups."""
        if sum(self._weights[group] for group in {group for _, _, group in hits}) < needed:
            return False
        hits = _outermost(hits)
        counts: dict[str, int] = {}
        total = 0
        first = 0
        for start, _, group in hits:
            counts[group] = counts.get(group, 0) + 1
            if counts[group] == 1:
                total += self._weights[group]
            while hits[first][0] < start - self._window:
                left = hits[first][2]
                counts[left] -= 1
                if counts[left] == 0:
                    total -= self._weights[left]
                first += 1
            if total >= needed:
                return True
        return False


def _counts(mark: str, written: str, start: int, end: int) -> bool:
    """Whether a brand that is a word is written as a brand; a word that firms have in their names, small."""
    if mark == _AMBIGUOUS:
        first = max(0, start - 14)
        return written[start].isupper() and bool(
            _USED.search(written, first, start)
            or _AMONG_OTHERS.search(written, first, start)
            or _ON_DEVICE.match(written, end)
        )
    return not (
        written[start].isupper()
        and (
            _CAPITAL_BEHIND.match(written, end)
            or _CAPITAL_BEFORE.search(written, max(0, start - 24), start)
        )
    )


def _without_identity(written: str) -> list[str]:
    """Folded words without runs of capitalised ones and, among Latin ones, without other scripts."""
    lines = [line for line in map(words_of, written.split("\n")) if line]
    words = fold(lower("\n".join(chain.from_iterable(lines)))).split("\n") if lines else []
    # Every line begins with a capital: that of its first word says nothing.
    is_capital = [
        capital for line in lines for capital in (False, *(word[0].isupper() for word in line[1:]))
    ]
    if True in is_capital:
        beside = map(or_, [False, *is_capital], [*is_capital[1:], False])
        words = [
            word
            for word, capital, near in zip(words, is_capital, beside, strict=False)
            if not (capital and near)
        ]
    words = words[:MAX_WORDS]
    if not written.isascii():
        foreign = sum(word >= _NO_CAPITALS for word in words)
        if 0 < 2 * foreign < len(words):
            words = [word for word in words if word < _NO_CAPITALS]
    return words


def _load_trained() -> LinearModel | None:
    """The screen's own small model; None before it was trained."""
    with as_file(files(model).joinpath("data")) as folder:
        here = folder / "screen"
        return LinearModel.load(here) if here.is_dir() else None


def _outermost(hits: list[_Hit]) -> list[_Hit]:
    """Hits that stand in no longer one: "position paper" is no position and no other paper."""
    kept: list[_Hit] = []
    reached = 0
    for hit in sorted(hits):
        if -hit[1] > reached or (kept and hit[:2] == kept[-1][:2]):
            kept.append(hit)
            reached = max(reached, -hit[1])
    return kept


def _brands() -> Iterator[tuple[str, tuple[str, str]]]:
    for service in lexicon.read("platforms")["service"]:
        group = _BRANDS.get(service["kind"])
        if group is None or service["id"] in _NO_BRANDS:
            continue
        for name in service.get("names", ()):
            yield name, (_ANY, group)
        for name in {name.lower() for name in service.get("common", ())}:
            yield name, (_ANY, group + _AMBIGUOUS)


def _cues(table: dict[str, object]) -> Iterator[tuple[str, tuple[str, str]]]:
    yield from _brands()
    seen: set[tuple[str, str, str]] = set()
    of_firms = frozenset(lexicon.read("screen")["firm_words"])
    for language, groups in table.items():
        if language in ("weights", "marks") or not isinstance(groups, dict):
            continue
        for group, phrases in groups.items():
            for phrase in phrases:
                for spelling in {phrase, _bare(phrase)}:
                    if (spelling, language, group) not in seen:
                        seen.add((spelling, language, group))
                        yield (
                            spelling,
                            (language, group + _OF_FIRMS if spelling in of_firms else group),
                        )


def _bare(phrase: str) -> str:
    """Without accents, hamza and diaeresis: how people type in a hurry."""
    if "\uac00" <= phrase[0] <= "\ud7a3" or phrase[0] >= "\u3040":
        return phrase
    marks = unicodedata.normalize("NFD", phrase)
    bare = "".join(char for char in marks if not unicodedata.combining(char) or char == "\u0306")
    return unicodedata.normalize("NFC", bare)
