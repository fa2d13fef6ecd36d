"""The banner as plain text: between two rules, at most 72 columns, East Asian width counted.

The first line is a short rule, the last one the marker `[lw:TOKEN]`. Refuses to encode: `insert`
does, where it knows the charset of the part.

**Standards:** UAX #11 (wide characters take two columns), RFC 3676 §4.1 (no line begins with
`From ` or `>`, none ends in a space).
**Failure:** none; a word longer than a line stands on a line of its own.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from milter.act.banner_texts import KEEPS_WORDS, Wording

WIDTH = 72
# Short enough for a phone: a rule that wraps looks broken.
RULE = "=" * 32

# A break may come at a space, and before a wide character unless it is closing punctuation.
_PIECE = re.compile(
    r"[ ]+|[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uff60][，。、：；！？”’」』）》]*"
    r"|[^ \u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]+"
)


def plain_banner(wording: Wording, sign: Callable[[str], str]) -> str:
    """The text, LF line ends, final line end included; `sign` makes a token for its words."""
    by_word = wording.tag in KEEPS_WORDS
    lines = [*_wrapped(wording.title, by_word=by_word), ""]
    lines += _wrapped(wording.because, by_word=by_word)
    for reason in wording.reasons:
        lines += _wrapped(reason, first="- ", rest="  ", by_word=by_word)
    lines += ["", *_wrapped(wording.advice, by_word=by_word)]
    if wording.tell:
        lines += _wrapped(wording.tell, by_word=by_word)
    if wording.report_url:
        lines += _wrapped(f"{wording.report}: {wording.report_url}", by_word=by_word)
    words = "\n".join(lines)
    return f"{RULE}\n{words}\n{RULE}\n[lw:{sign(words)}]\n"


def columns(text: str) -> int:
    """How many columns a terminal or a fixed-width font gives the text."""
    return len(text) if text.isascii() else sum(map(_character_columns, text))


@lru_cache(maxsize=4096)
def _character_columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _wrapped(text: str, *, first: str = "", rest: str = "", by_word: bool) -> list[str]:
    """Lines of at most WIDTH columns; `first` and `rest` begin the first and the other lines."""
    pieces = re.findall(r"[ ]+|[^ ]+", text) if by_word else _PIECE.findall(text)
    lines: list[str] = []
    line, used, begin = "", 0, first
    for piece in pieces:
        width = columns(piece)
        if line and used + width > WIDTH - len(begin):
            lines.append((begin + line).rstrip(" "))
            line, used, begin = "", 0, rest
        if not line and piece.isspace():
            continue
        line += piece
        used += width
    lines.append((begin + line).rstrip(" "))
    return [" " + each if each.startswith(("From ", ">")) else each for each in lines]
