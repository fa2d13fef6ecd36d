"""What a mail says, made safe to repeat in a banner: one short line that becomes no live link.

The sender chose this text, so nothing of it acts: no control, bidi or invisible characters, no
length to push the advice away, and no address, link or number that a mail program would make
clickable. It stays readable, because the recipient is to recognise it. Escaping for HTML is the
renderer's.

**Failure:** none; what has no visible character gives ''.
"""

import re
import unicodedata

LONGEST = 60
CUT = "..."
"""Stands for what was left out."""

_WINDOW = 400
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_SCHEME = re.compile(r"(?i)\bhttp(?=s?:)")
_COLON = re.compile(r":(?=//)")
# Between digits a full stop is a number's. Ideographic ones count as dots in host names (UTS #46),
# but end sentences between ideographs.
_DOT = re.compile(
    r"(?<=\w)[.\uff0e](?=[^\W\d])|(?<=[^\W\d])[.\uff0e](?=\w)"
    r"|(?<=[0-9A-Za-z])[\u3002\uff61](?=[0-9A-Za-z])"
)
_AT = re.compile(r"(?<=[\w.+-])[@\uff20](?=\w)")
_NUMBER = re.compile(r"\d(?:[ \t()/.\u2010-\u2015-]{0,3}\d){6,}")


def shown(text: str) -> str:
    """The text as a banner may repeat it, at most sixty characters."""
    visible = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text[:_WINDOW])
        if character.isspace() or unicodedata.category(character) not in _DROPPED
    )
    line = defanged(" ".join(visible.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - len(CUT)].rstrip() + CUT


def defanged(line: str) -> str:
    """The line with links, addresses and telephone numbers broken up by brackets."""
    line = _SCHEME.sub("hxxp", line)
    line = _COLON.sub("[:]", line)
    line = _DOT.sub("[.]", line)
    line = _AT.sub("[at]", line)
    return _NUMBER.sub(_broken_number, line)


def _broken_number(match: re.Match[str]) -> str:
    """Set the last four digits apart: no client dials it, everybody can read it."""
    number = match[0]
    digits = [index for index, character in enumerate(number) if character.isdigit()]
    cut = digits[-4]
    return f"{number[:cut].rstrip(' -')}[-]{number[cut:]}"
