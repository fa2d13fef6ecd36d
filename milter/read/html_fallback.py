"""The text of HTML without a tree: tags are stripped, nothing else is understood.

For documents that the parser may not be given and for text-only mode. Linear whatever the input;
tells no hidden text apart and keeps no quotation marks.

**Failure:** never raises.
"""

import re
from html import unescape

from milter.read.html_guard import MAX_CHARS

_RAW_TEXT = re.compile(r"<(/?)(?:script|style|title|template)\b[^<>]*+>?+", re.IGNORECASE)
_COMMENT_END = "-->"
_BLOCK = re.compile(
    r"</?(?:p|div|br|tr|td|th|li|ul|ol|table|h[1-6]|hr|blockquote|pre|center|body)\b[^<>]*+>?+",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>?+")
_TARGET = re.compile(
    r"(?:href|HREF|Href|action|ACTION|Action)\s{0,8}=\s{0,8}"
    r"(?:\"([^\"<>]{1,4000})|'([^'<>]{1,4000})|([^\s\"'<>]{1,4000}))"
)
_MAX_TARGETS = 1_000


def strip_tags(html: str) -> tuple[str, tuple[str, ...]]:
    """Lines of text and the link targets."""
    html = _without_comments(html[:MAX_CHARS])
    html = "".join(_outside_raw_text(html))
    targets: list[str] = []
    for match in _TARGET.finditer(html):
        targets.append(unescape(match[match.lastindex or 0]).strip())
        if len(targets) >= _MAX_TARGETS:
            break
    text = unescape(_TAG.sub("", _BLOCK.sub("\n", " ".join(html.split()))))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line), tuple(targets)


def _without_comments(html: str) -> str:
    """Cut comments out; an unclosed one stays: rather too much text than too little."""
    pieces = html.split("<!--")
    kept = [pieces[0]]
    for piece in pieces[1:]:
        end = piece.find(_COMMENT_END)
        kept.append(piece if end < 0 else piece[end + len(_COMMENT_END) :])
    return "".join(kept)


def _outside_raw_text(html: str) -> list[str]:
    """What stands outside scripts and style sheets."""
    kept: list[str] = []
    position = 0
    inside = False
    for match in _RAW_TEXT.finditer(html):
        if not inside:
            kept.append(html[position : match.start()])
        inside = not match[1]
        position = match.end()
    if not inside:
        kept.append(html[position:])
    return kept
