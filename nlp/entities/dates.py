"""Calendar dates as written in the supported languages; ISO 8601 where the reading is clear.

`03/04/2026` has two readings and keeps its own spelling; a date without a year reads `--03-12`.
Relative dates ("next week") are left to those who know when the mail was sent.

Standards: ISO 8601 (`--MM-DD` in its 2000 edition, as RFC 6350 §4.3.1 uses it).
"""

import re

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import Passage

_NUMERIC = re.compile(
    r"(?<![./-])(?:(?P<y1>(?:19|20)\d\d)(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})"
    r"|(?P<d2>\d{1,2})(?P<s2>[-/.])(?P<m2>\d{1,2})(?P=s2)(?P<y2>(?:19|20)\d\d))(?![\d/-]|\.\d)"
)
_EASTERN = re.compile(
    r"(?:(?P<y>(?:19|20)\d\d) ?[年년] ?)?(?P<m>\d{1,2}) ?[月월] ?(?P<d>\d{1,2}) ?[日号號일]"
)
_DAY_BEFORE = re.compile(r"(?<!\d)(?P<d>\d{1,2})(?:st|nd|rd|th|\.|er|º|-го)?\s(?:of\s|de\s|من\s)?$")
_YEAR_AFTER = re.compile(r"\.?,?\s(?:de\s|del\s)?(?P<y>(?:19|20)\d\d)(?!\d)")
_DAY_AFTER = re.compile(
    r"\.?\s(?P<d>\d{1,2})(?:st|nd|rd|th)?(?!\d|[:.]\d)(?:,?\s(?P<y>(?:19|20)\d\d)(?!\d))?"
)
_ABBREVIATED = re.compile(
    r"(?P<d>\d{1,2})[ -](?P<m>jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|janv|févr|avr|juil|déc|mär|okt|dez|ene|abr|ago|dic|fev|set|out)\.?[ -](?P<y>(?:19|20)\d\d)(?!\d)"
)
_ABBREVIATIONS = {
    "jan": 1, "janv": 1, "ene": 1, "feb": 2, "févr": 2, "fev": 2, "mar": 3, "mär": 3, "apr": 4, "avr": 4, "abr": 4, "jun": 6,
    "jul": 7, "juil": 7, "aug": 8, "ago": 8, "sep": 9, "sept": 9, "set": 9, "oct": 10, "okt": 10, "out": 10, "nov": 11, "dec": 12,
    "déc": 12, "dez": 12, "dic": 12,
}  # fmt: skip


def find_dates(passage: Passage) -> list[EntityResult]:
    """DATE entities."""
    folded = passage.folded
    found: list[tuple[int, int, str]] = []
    for match in _matches(passage, _NUMERIC):
        if match["y1"]:
            value = _iso(match["y1"], match["m1"], match["d1"])
        else:
            value = _day_first(match["d2"], match["s2"], match["m2"], match["y2"])
            if value == "ambiguous":
                value = match.group()
        found.append((*match.span(), value))
    for match in _matches(passage, _EASTERN):
        found.append((*match.span(), _iso(match["y"], match["m"], match["d"])))
    for match in _matches(passage, _ABBREVIATED):
        month = str(_ABBREVIATIONS[match["m"]])
        found.append((*match.span(), _iso(match["y"], month, match["d"])))
    for hit in passage.hits("month"):
        before = _DAY_BEFORE.search(folded, max(0, hit.start - 12), hit.start)
        if before:
            year = _YEAR_AFTER.match(folded, hit.end)
            end = year.end() if year else hit.end
            found.append(
                (before.start(), end, _iso(year["y"] if year else None, hit.key, before["d"]))
            )
        elif after := _DAY_AFTER.match(folded, hit.end):
            found.append((hit.start, after.end(), _iso(after["y"], hit.key, after["d"])))
    return [
        passage.entity(EntityType.DATE, start, end, value) for start, end, value in found if value
    ]


def _matches(passage: Passage, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Matches that start where a number starts, without overlaps."""
    found: list[re.Match[str]] = []
    for start in passage.digits:
        if not found or start >= found[-1].end():
            match = pattern.match(passage.folded, start)
            if match:
                found.append(match)
    return found


def _day_first(first: str, separator: str, second: str, year: str) -> str:
    """Dots are day first everywhere; with slashes or hyphens only a number above 12 tells."""
    if separator == "." or int(first) > 12:
        return _iso(year, second, first)
    if int(second) > 12:
        return _iso(year, first, second)
    return _iso(year, first, second) if first == second else "ambiguous"


def _iso(year: str | None, month: str, day: str) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return ""
    return (
        f"{int(year):04d}-{int(month):02d}-{int(day):02d}"
        if year
        else f"--{int(month):02d}-{int(day):02d}"
    )
