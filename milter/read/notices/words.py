"""Where the member's own words stand in the text of a notice, and what stands beside the name.

A notice is a head (preheader, subject, name, headline, a link to the talk), the member's words and
a foot (rule, links, why it was sent, to whom). Both ends are taken off by what every language has
in common: links of the network, its name, the recipient's name with the headline in parentheses;
wording is asked only where that says nothing. The foot is sought from the end, so that a member
who writes a foot of his own does not hide what he writes below it.

**Failure:** never raises; what cannot be told apart counts as the member's words.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from milter.mail.finding import Source
from milter.mail.reading import Link, PlatformNotice, Segment
from milter.read.notices.persona import without_ornament
from milter.read.notices.platforms import Platform, table

_OF_MEMBER = frozenset({Source.BODY, Source.SIGNATURE})
_MAX_LINES = 4_000
_HEAD_LINES = 16
_MAX_LABEL_CHARS = 60
_MAX_HEADLINE_CHARS = 200
_MAX_PARTS = 8
_MAX_HEADLINES = 6
_SEPARATORS = " ,|·•–—-"
_RULE = re.compile(r"[-_=–—*]{20,}")
# What pads a preheader: joiners, soft hyphens, spaces of no width.
_NOTHING = dict.fromkeys([0x034F, 0x00AD, 0x061C, 0xFEFF, 0x2060, *range(0x200B, 0x2010), 0x2800])
_NO_HEADLINE_ENDS = ("?", "!", ".", "？", "！", "。", ",", "，", ":")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The member's words are `text[start:end]`; organisation and role as the headline claims."""

    start: int
    end: int
    organisation: str = ""
    role: str = ""


def member_words(
    text: str,
    links: Sequence[Link],
    *,
    platform: Platform,
    persona: str,
    subject: str,
    recipients: Iterable[str] = (),
) -> Words:
    """Find them in the decoded text of one part."""
    page = _Page(text, links, platform)
    below = page.foot(tuple(name for name in recipients if len(name) > 2))
    above = page.head(below, persona, subject)
    organisation, role = page.headline(below, persona)
    while above < below and page.is_empty(above):
        above += 1
    while below > above and page.is_empty(below - 1):
        below -= 1
    start = page.starts[above] if above < len(page.lines) else len(text)
    end = page.starts[below - 1] + len(page.lines[below - 1]) if below > above else start
    return Words(start=start, end=end, organisation=organisation, role=role)


def own_text(segments: Iterable[Segment], notice: PlatformNotice) -> str:
    """The member's own words of a notice."""
    first, last = notice.words_start, notice.words_end
    return "\n".join(
        segment.text[max(0, first - segment.base) : max(0, last - segment.base)]
        for segment in segments
        if segment.part == notice.words_part and first < last and segment.source in _OF_MEMBER
    )


def thread_of(texts: Iterable[tuple[str, Sequence[Link]]], platform: Platform) -> str:
    """The network's own id of the talk: what the first link to it says."""
    if platform.thread is None:
        return ""
    for text, links in texts:
        for place in (text, *(link.target for link in links)):
            if found := platform.thread.search(place):
                return found[1].replace("%3D", "=").replace("%3d", "=")
    return ""


def full_name(first: str, texts: Iterable[tuple[str, Sequence[Link]]], platform: Platform) -> str:
    """The whole name of a member of whom the subject gives the first, where the text shows it."""
    for _, links in texts:
        for link in links:
            shown = without_ornament(link.shown[: 2 * _MAX_LABEL_CHARS])
            if _is_whole_of(first, shown) and _leads_to(link.target, platform):
                return shown
    return ""


def _is_whole_of(first: str, shown: str) -> bool:
    """Is it a name of several words, or of several signs, with this one in it?"""
    if len(shown) > _MAX_LABEL_CHARS or any(c.isdigit() or c in "!?:…," for c in shown):
        return False
    words = shown.casefold().split()
    if len(words) == 1:
        # Names of Chinese and Korean signs have no space.
        is_signs = unicodedata.category(first[0]) == "Lo" and len(shown) <= 6
        return is_signs and shown != first and shown.startswith(first) | shown.endswith(first)
    return len(words) <= 5 and first.casefold() in words


class _Page:
    """The lines of a text, and which of them are the network's."""

    def __init__(self, text: str, links: Sequence[Link], platform: Platform) -> None:
        self.lines = text.split("\n", _MAX_LINES)
        self.starts: list[int] = []
        at = 0
        for line in self.lines:
            self.starts.append(at)
            at += len(line) + 1
        self.plain = [" ".join(line.translate(_NOTHING).split()) for line in self.lines]
        self._labels = {
            " ".join(link.shown.split()).casefold()
            for link in links
            if len(link.shown) <= _MAX_LABEL_CHARS and _leads_to(link.target, platform)
        } - {""}
        hosts = "|".join(re.escape(one) for one in sorted(platform.own_domains))
        self._url = re.compile(rf"https?://(?:[\w-]+\.)*(?:{hosts})(?![\w.-]*\w)", re.IGNORECASE)
        self._names = tuple(name.casefold() for name in platform.names)
        self._thread = platform.thread
        followed = (
            n for n in range(len(self.lines) - 1, -1, -1) if self._url.search(self.lines[n])
        )
        self._last_url = next(followed, -1)

    def is_empty(self, number: int) -> bool:
        """Nothing that an eye sees."""
        return not self.plain[number]

    def foot(self, recipients: tuple[str, ...]) -> int:
        """The number of the first line below the member's words."""
        below = len(self.lines)
        named = "|".join(map(re.escape, recipients))
        to_whom = re.compile(rf"(?:{named})\s?[(（]") if named else None
        for number in range(below - 1, -1, -1):
            line = self.plain[number]
            if number < self._last_url and _RULE.fullmatch(line):
                return self._above_actions(number)
            if to_whom is not None and to_whom.search(line):
                below = number
                break
        while below > 0 and self._is_foot(below - 1):
            below -= 1
        return below

    def head(self, below: int, persona: str, subject: str) -> int:
        """The number of the first line of the member's words."""
        seen = [n for n in range(below) if self.plain[n]][:_HEAD_LINES]
        for number in seen:
            if self._thread is not None and self._thread.search(self.lines[number]):
                return number + 1
        for place, number in enumerate(seen):
            # Who signs with the name does so below words of his own.
            is_below_words = not all(self._is_head(one, subject) for one in seen[:place])
            if is_below_words and not self._is_action(number):
                continue
            if persona and _same(self.plain[number], persona):
                after = seen[place + 1 : place + 2]
                is_headline = bool(after) and _headline(self.plain[after[0]]) is not None
                return (after[0] if is_headline else number) + 1
        first = 0
        for number in seen:
            if not self._is_head(number, subject):
                break
            first = number + 1
        return first

    def headline(self, below: int, persona: str) -> tuple[str, str]:
        """Organisation and role of the line below, or behind, the member's name."""
        if not persona:
            return "", ""
        named = re.compile(rf"\W*{re.escape(persona)}(?!\w)", re.IGNORECASE)
        seen = [number for number in range(below) if self.plain[number]]
        found_at = (place for place, number in enumerate(seen) if named.match(self.plain[number]))
        for place in islice(found_at, _MAX_HEADLINES):
            line = self.plain[seen[place]][:_MAX_HEADLINE_CHARS]
            rest = without_ornament(named.sub("", line, count=1)).strip(_SEPARATORS)
            if not rest and place + 1 < len(seen):
                rest = self.plain[seen[place + 1]]
            if found := _headline(rest):
                return found
        return "", ""

    def _is_head(self, number: int, subject: str) -> bool:
        line = self.plain[number]
        return _same(line, subject) or self._is_action(number) or self._names_network(line)

    def _above_actions(self, number: int) -> int:
        while number > 0 and (self.is_empty(number - 1) or self._is_action(number - 1)):
            number -= 1
        return number

    def _is_action(self, number: int) -> bool:
        line = self.plain[number]
        return line.casefold() in self._labels or self._url.search(line) is not None

    def _is_foot(self, number: int) -> bool:
        line = self.plain[number]
        return (
            not line
            or self._is_action(number)
            or self._names_network(line)
            or _RULE.fullmatch(line) is not None
            or all(part.strip().casefold() in self._labels for part in re.split(r"[·|•]", line))
            or table().footers.search(line) is not None
        )

    def _names_network(self, line: str) -> bool:
        folded = line.casefold()
        return any(name in folded for name in self._names)


def _headline(line: str) -> tuple[str, str] | None:
    """Organisation and role that a headline claims."""
    if len(line) > _MAX_HEADLINE_CHARS or line.endswith(_NO_HEADLINE_ENDS):
        return None
    for part in re.split(r"[|·•]", line)[:_MAX_PARTS]:
        for pattern in table().headlines:
            found = pattern.fullmatch(part.strip())
            if found and _is_name(found["org"]):
                return found["org"].strip(" ,"), found["role"].strip(" ,")
    return None


def _is_name(text: str) -> bool:
    """Names of organisations begin with a capital letter or a digit, where there are capitals."""
    return bool(text) and not unicodedata.category(text.strip()[0]).startswith(("Ll", "P"))


def _same(line: str, other: str) -> bool:
    return without_ornament(line).casefold() == " ".join(other.split()).casefold() != ""


def _leads_to(target: str, platform: Platform) -> bool:
    host = target.partition("://")[2].partition("/")[0].partition("?")[0].lower()
    return any(host == one or host.endswith("." + one) for one in platform.own_domains)
