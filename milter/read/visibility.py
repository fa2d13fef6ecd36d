"""What a style declaration hides from the reader of an HTML mail.

Judges declarations, inline or from a style sheet, not layout: no cascade, no computed sizes. Knows
the ways in which senders hide text: not displayed, no size, no contrast, outside the window.

**Failure:** never raises; what it does not understand counts as visible.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

MAX_STYLE_CHARS = 8_000
MAX_SHEET_CHARS = 200_000
MAX_HIDING_SELECTORS = 20


class Hiding(StrEnum):
    """How far it hides: not, all within, only text of its own, all if the background is white."""

    NONE = ""
    ALL = "all"
    OWN_TEXT = "own_text"
    ON_WHITE = "on_white"


_COMMENT = re.compile(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?")
_SPACE = re.compile(r"[\s\\]++")
_HIDES = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0?(?:\.0\d*)?(?=;|!|$)"
    r"|color:(?:transparent|rgba\([^)]{0,40},0(?:\.0+)?\))|text-indent:-\d{3,}"
    r"|clip:rect\(0|clip-path:inset\((?:100|50)%\))"
)
_FONT_SIZE = re.compile(
    r"(?:^|;)font(?:-size)?:(?:[^;]{0,80} )?(\d{0,4}\.?\d{1,4})(px|pt|em|rem|%|vw)?(?=;|!|$|/)"
)
# The largest size of each unit that nobody can read.
_TINY = {"px": 1.0, "pt": 1.0, "": 1.0, "em": 0.1, "rem": 0.1, "%": 10.0, "vw": 0.1}
_NO_EXTENT = re.compile(r"(?:^|;)(?:max-)?(?:height|width):[01](?:px|pt|em|%)?(?=;|!|$)")
_CLIPPED = re.compile(r"(?:^|;)overflow(?:-[xy])?:hidden")
_POSITIONED = re.compile(r"(?:^|;)position:(?:absolute|fixed)")
_FAR_AWAY = re.compile(r"(?:^|;)(?:left|top|right|margin-left|margin-top):-\d{3,}")
_COLOUR = re.compile(r"(?:^|;)color:([^;!]++)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;!]++)")
_HEX_COLOUR = re.compile(r"#(?:[0-9a-f]{3}){1,2}")
_RGB_COLOUR = re.compile(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,1(?:\.0)?)?\)")
_BRACES = re.compile(r"([{}])")
_SIMPLE_SELECTOR = re.compile(r"[a-zA-Z0-9]*+(?:[.#][a-zA-Z_][\w-]*+)++")
_NAMED_COLOURS = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "black": (0, 0, 0),
}
_NEARLY_WHITE = 0xF0

Colour = tuple[int, int, int]


@lru_cache(maxsize=1_024)
def hiding(style: str) -> Hiding:
    """What an inline style or the body of a rule hides; at most MAX_STYLE_CHARS of it."""
    style = _compact(style)
    if _HIDES.search(style):
        return Hiding.ALL
    if _NO_EXTENT.search(style) and _CLIPPED.search(style):
        return Hiding.ALL
    if _POSITIONED.search(style) and _FAR_AWAY.search(style):
        return Hiding.ALL
    colour, background = _colours(style)
    if colour is not None and colour == background:
        return Hiding.OWN_TEXT
    size = _FONT_SIZE.search(style)
    if size and float(size[1]) <= _TINY[size[2] or ""]:
        # Layout tools set the font of a cell to zero and that of the blocks in it to a real size.
        return Hiding.OWN_TEXT
    if is_nearly_white(colour) and "background" not in style:
        return Hiding.ON_WHITE
    return Hiding.NONE


def sets_background(style: str) -> bool:
    """Does the style put a background of any kind behind the text?"""
    return "background" in style.lower()


def is_nearly_white(colour: Colour | None) -> bool:
    """Can this colour not be told from white?"""
    return colour is not None and min(colour) >= _NEARLY_WHITE


def hiding_selectors(sheet: str) -> tuple[str, ...]:
    """The simple selectors (class, id) that a style sheet hides outside of media queries."""
    found: dict[str, None] = {}
    for selectors, declarations in _rules(_COMMENT.sub("", sheet[:MAX_SHEET_CHARS])):
        if hiding(declarations[:MAX_STYLE_CHARS]) is not Hiding.ALL:
            continue
        for selector in selectors.split(","):
            if _SIMPLE_SELECTOR.fullmatch(selector := selector.strip()):
                found[selector] = None
        if len(found) >= MAX_HIDING_SELECTORS:
            break
    return tuple(found)[:MAX_HIDING_SELECTORS]


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations of the rules on the outermost level."""
    depth = 0
    prelude = ""
    for piece in _BRACES.split(sheet):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(depth - 1, 0)
        elif not depth:
            prelude = piece.rpartition(";")[2].strip()
        elif depth == 1 and not prelude.startswith("@"):
            yield prelude, piece


def _compact(style: str) -> str:
    """Lower case, without comments and white space; a space stays only inside `font` values."""
    if "/*" in style:
        style = _COMMENT.sub("", style)
    style = _SPACE.sub(" ", style.lower())
    for mark in (":", ";", ",", "(", ")", "!"):
        style = style.replace(" " + mark, mark).replace(mark + " ", mark)
    return style.strip()


def _colours(style: str) -> tuple[Colour | None, Colour | None]:
    colour = _COLOUR.search(style)
    if colour is None:
        return None, None
    background = _BACKGROUND.search(style)
    return (
        parse_colour(colour[1]),
        parse_colour(background[1].split(" ", 1)[0]) if background else None,
    )


def parse_colour(value: str) -> Colour | None:
    """The colour that a lower-case value names, None if it names none that we know."""
    if value in _NAMED_COLOURS:
        return _NAMED_COLOURS[value]
    if _HEX_COLOUR.fullmatch(value):
        digits = value[1:] if len(value) == 7 else "".join(digit * 2 for digit in value[1:])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    rgb = _RGB_COLOUR.fullmatch(value)
    return (int(rgb[1]), int(rgb[2]), int(rgb[3])) if rgb else None
