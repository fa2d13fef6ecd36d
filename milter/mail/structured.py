"""Tokens of structured header fields, comments told apart.

One pass, whatever the input: an unclosed comment or quoted string goes to the end of the value.

**Standards:** RFC 5322 §3.2.2 (comments nest), §3.2.4 (quoted strings).
**Failure:** never raises.
"""

import re
from collections.abc import Iterator
from enum import IntEnum

_TOKEN = re.compile(
    r"\"([^\"\\]*+(?:\\.?[^\"\\]*+)*+)\"?+"
    r"|<([^<>]*+)>?+"
    r"|((?:[^\s\",;:()<>=\\]|\\.?)++)"
    r"|(\s++)"
    r"|([,;:=<>)(])",
    re.DOTALL,
)
_IN_COMMENT = re.compile(r"[^()\\]++|\\.?|[()]", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class Kind(IntEnum):
    """What a token is: the first five are the groups of the expression."""

    QUOTED = 1
    ANGLE = 2
    WORD = 3
    SPACE = 4
    MARK = 5
    COMMENT = 6


def tokens(text: str) -> Iterator[tuple[Kind, str]]:
    """Kind and content of each token; quotes, angle brackets and outer parentheses are left off."""
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastindex or 0
        content = match[kind]
        if content == "(" and kind == Kind.MARK:
            content, position = _comment(text, position)
            yield Kind.COMMENT, content
        else:
            yield _KINDS[kind], content


_KINDS = (Kind.SPACE, *Kind)


def unquote(content: str) -> str:
    """Resolve the quoted pairs of a quoted string."""
    return _QUOTED_PAIR.sub(r"\1", content) if "\\" in content else content


def _comment(text: str, position: int) -> tuple[str, int]:
    start = position
    depth = 1
    while match := _IN_COMMENT.match(text, position):
        position = match.end()
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return text[start : position - 1], position
    return text[start:position], position
