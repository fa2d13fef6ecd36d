"""Where text can be put at the top of an HTML document without changing what it is.

Reads tags as a browser does up to the first content: right after the `<body>` start tag; if there
is none before the first content, right before that content. Comments, CDATA, declarations, style,
script, title and the like are passed over whole. Linear, whatever the input.

**Standards:** WHATWG HTML §13.2.5 (tokenization), §13.2.6.4 (insertion modes before "in body").
**Failure:** None where no place is right: a frame set, or a tag or comment that never ends.
"""

import re

_TAG = re.compile(
    rb"<(/?)([a-zA-Z][^\s/>]*+)([^>\"']*+(?:\"[^\"]*+\"[^>\"']*+|'[^']*+'[^>\"']*+)*+)>"
)
_TEXT = re.compile(rb"[\s\xef\xbb\xbf]*+")
_RAW_TEXT = frozenset({b"script", b"style", b"title", b"noscript", b"template", b"textarea"})
_HEAD = frozenset({b"html", b"head", b"meta", b"link", b"base", b"basefont", b"bgsound"})
_MAX_TAG_BYTES = 16_384


def insertion_offset(octets: bytes, start: int = 0) -> int | None:
    """The offset for new content at the top of the visible document."""
    position = start
    lower = b""
    while True:
        spaces = _TEXT.match(octets, position)
        position = spaces.end() if spaces else position
        if position >= len(octets) or octets[position] != 0x3C:
            return min(position, len(octets))
        if octets.startswith(b"<!--", position):
            passed = _behind(octets, b"-->", position + 2)
        elif octets.startswith(b"<![CDATA[", position):
            passed = _behind(octets, b"]]>", position)
        elif octets.startswith((b"<!", b"<?"), position):
            passed = _behind(octets, b">", position)
        else:
            tag = _TAG.match(octets, position, position + _MAX_TAG_BYTES)
            if tag is None:
                # "<" as text is content; a tag without an end leaves no safe place.
                is_tag = octets[position + 1 : position + 2].isalpha()
                return None if is_tag else position
            name = tag[2].lower()
            if name in {b"frameset", b"plaintext"}:
                return None
            if name == b"body" and not tag[1]:
                return tag.end()
            passed = tag.end()
            if not tag[1] and name in _RAW_TEXT:
                lower = lower or octets.lower()
                closing = lower.find(b"</" + name, passed)
                passed = None if closing < 0 else _behind(octets, b">", closing)
            elif not tag[1] and name not in _HEAD:
                return position
        if passed is None:
            return None
        position = passed


def _behind(octets: bytes, mark: bytes, position: int) -> int | None:
    found = octets.find(mark, position)
    return None if found < 0 else found + len(mark)
