"""Our own text banners, which are no words of the sender.

Cuts them out of the text that goes to language, wherever a reply has quoted them to. A banner is
ours if the marker below it signs its words (`milter.mail.marker`); any other copy is text like
any other. Banners in HTML are left out by `html`.

**Standards:** design rule 12.
**Failure:** never raises.
"""

import re
from collections.abc import Sequence
from itertools import islice

from milter.mail.marker import is_own_banner
from milter.read.text import Run

MAX_OWN_BANNER_CHARS = 2_000
MAX_MARKED_ELEMENTS = 50

_RULE = re.compile(r"[>\s]*={20,}\s*")
_MARKER_LINE = re.compile(r"\[lw:([0-9a-f]{12})\]")


def without_own_banners(text: str, runs: Sequence[Run], banner_key: bytes) -> Sequence[Run]:
    """The runs of a text without our banners, which may stand in quoted text too."""
    if not banner_key or "[lw:" not in text:
        return runs
    cuts = _own_banners(text, banner_key)
    kept: list[Run] = []
    for source, start, end in runs:
        for cut_start, cut_end in cuts:
            if cut_end <= start or cut_start >= end:
                continue
            if cut_start > start:
                kept.append((source, start, cut_start))
            start = min(cut_end, end)
        if start < end:
            kept.append((source, start, end))
    return kept


def _own_banners(text: str, banner_key: bytes) -> list[tuple[int, int]]:
    """Whole lines from the first of two rules to a marker below the second that fits the words."""
    spans: list[tuple[int, int]] = []
    floor = 0
    for marker in islice(_MARKER_LINE.finditer(text), MAX_MARKED_ELEMENTS):
        end = text.find("\n", marker.end()) + 1 or len(text)
        rules = _two_rules_above(text, max(floor, end - MAX_OWN_BANNER_CHARS), marker.start())
        if rules is not None:
            first, words_start, words_end = rules
            if is_own_banner(banner_key, marker[1], text[words_start:words_end]):
                spans.append((first, end))
                floor = end
    return spans


def _two_rules_above(text: str, floor: int, position: int) -> tuple[int, int, int] | None:
    """Start of the upper rule, and where the words between both rules begin and end."""
    line_start = text.rfind("\n", floor, position) + 1 or floor
    words_end = -1
    while floor < line_start:
        line_end = line_start - 1
        line_start = text.rfind("\n", floor, line_end) + 1 or floor
        if _RULE.fullmatch(text, line_start, line_end):
            if words_end >= 0:
                return line_start, line_end, words_end
            words_end = line_start
    return None
