"""Which HTML the parser may be given: a tree parser is quadratic in depth and in attributes.

Linear scans over the source, before any parsing. Measured with lexbor: 5,000 nested elements
19 ms, 50,000 1.9 s; 5,000 attributes on one tag 29 ms, 50,000 3.2 s; 750 unclosed formatting
elements before 750 paragraphs give half a million nodes.

**Failure:** never raises; a document over a bound is read by `html_fallback` instead.
"""

import re

MAX_CHARS = 2_000_000
MAX_DEPTH = 2_000
MAX_FORMATTING_PRODUCT = 400_000

# Below these bounds a document can do no harm, whatever stands in it.
_FEW_TAGS = 1_500
_FEW_CHARS = 60_000
_LONG_TAG = 8_000

_TAG_NAME = re.compile(r"<(/?[a-z][^\s/>]{0,20})")
_ATTRIBUTE_BEHIND_TAG = re.compile(r">[^<>]*?=\s*[\"']")
_MANY_ATTRIBUTES = re.compile(
    r"<[a-zA-Z][^\s>/]*+"
    r"(?:[\s/]*+[^\s>/][^\s>/=]*+"
    r"(?:\s*+=\s*+(?:\"[^\"]*+\"?+|'[^']*+'?+|[^\s>\"'][^\s>]*+))?+){2000}"
)
_FORMATTING = frozenset(
    [
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "strike",
        "strong",
        "tt",
        "u",
    ]
)
# Void elements and those that a parser closes by itself build no depth.
# fmt: off
_FLAT = frozenset({
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li",
    "link", "meta", "optgroup", "option", "p", "source", "tbody", "td", "tfoot", "th", "thead",
    "tr", "track", "wbr",
})
# fmt: on


def is_analysable(html: str) -> bool:
    """May this document be parsed into a tree?"""
    if len(html) > MAX_CHARS:
        return False
    tags = html.count("<")
    if tags > _FEW_TAGS and not _is_shallow(_TAG_NAME.findall(html.lower())):
        return False
    return len(html) <= _FEW_CHARS or not _has_many_attributes(html)


def _is_shallow(names: list[str]) -> bool:
    formatting = sum(map(_FORMATTING.__contains__, names))
    if formatting * len(names) <= MAX_FORMATTING_PRODUCT and len(names) <= MAX_DEPTH:
        return True
    # A closing tag counts only for an element of its name that is open: others are ignored by a
    # parser too.
    still_open: dict[str, int] = {}
    depth = formatting = deepest = most_formatting = 0
    for name in names:
        if name[0] != "/":
            if name in _FLAT:
                continue
            step = 1
        else:
            name = name[1:]
            if not still_open.get(name):
                continue
            step = -1
        still_open[name] = still_open.get(name, 0) + step
        depth += step
        deepest = max(deepest, depth)
        if name in _FORMATTING:
            formatting += step
            most_formatting = max(most_formatting, formatting)
    return deepest <= MAX_DEPTH and most_formatting * len(names) <= MAX_FORMATTING_PRODUCT


def _has_many_attributes(html: str) -> bool:
    # Between two ">" stands at most one tag, unless a quoted value holds a ">".
    if max(map(len, html.split(">"))) <= _LONG_TAG and not _ATTRIBUTE_BEHIND_TAG.search(html):
        return False
    return _MANY_ATTRIBUTES.search(html) is not None
