"""Where text can be put at the top of an HTML document without changing what it is.

Reads tags as a browser without scripts does up to the first content: right after the `<body>` start
tag; if there is none before the first content, right before that content. Comments, declarations,
style, script and title are passed over whole. At whatever programs may read in different ways, or
that never ends, the place is before it: what stands in front of everything cannot be swallowed.
Linear, whatever the input.

**Standards:** WHATWG HTML §13.2.5 (tokenization), §13.2.6.4 (insertion modes before "in body").
**Failure:** None where no place is right: a frame set, which content in front of it would undo.
"""

import re

_SPACE = rb"[\t\n\f\r ]"
# A quote is one only right after the equals sign; one that is never closed leaves the tag open.
_TAG = re.compile(
    rb"<(/?)([a-zA-Z][^\t\n\f\r />]*+)"
    rb"(?:[\t\n\f\r /]++"
    rb"|=?[^\t\n\f\r />=]++(?:S*+=S*+(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r >\"'][^\t\n\f\r >]*+|(?=>))"
    rb"|(?!S*+=))"
    rb")*+>".replace(b"S", _SPACE)
)
_COMMENT = re.compile(rb"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_DECLARATION = re.compile(rb"<[!?][^>]*+>")
_TEXT = re.compile(rb"[\s\xef\xbb\xbf]*+")
_RAW_TEXT = frozenset({b"script", b"style", b"title"})
_HEAD = frozenset({b"html", b"head", b"meta", b"link", b"base", b"basefont", b"bgsound"})
_FRAMES = b"frameset"
_MAX_TAG_BYTES = 16_384


def insertion_offset(octets: bytes, start: int = 0) -> int | None:
    """The offset for new content at the top of the visible document."""
    position = start
    while True:
        spaces = _TEXT.match(octets, position)
        position = spaces.end() if spaces else position
        if octets.startswith((b"<!", b"<?"), position):
            passed = _behind_markup(octets, position)
        else:
            tag = _TAG.match(octets, position, position + _MAX_TAG_BYTES)
            name = tag[2].lower() if tag else b""
            if tag is None:
                passed = None
            elif name == _FRAMES:
                return None
            elif tag[1] or name in _HEAD:
                passed = tag.end()
            elif name == b"body":
                return tag.end()
            else:
                passed = _behind_raw_text(octets, name, tag.end()) if name in _RAW_TEXT else None
        if passed is None:
            return position
        position = passed


def _behind_markup(octets: bytes, position: int) -> int | None:
    """The end of a comment or declaration; None for CDATA, which is one only in XML."""
    if octets.startswith(b"<![CDATA[", position):
        return None
    is_comment = octets.startswith(b"<!--", position)
    match = (_COMMENT if is_comment else _DECLARATION).match(octets, position)
    return match.end() if match else None


def _behind_raw_text(octets: bytes, name: bytes, position: int) -> int | None:
    """The end of an element that holds no markup; None where that is not plain to see."""
    closing = re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])[^>]*+>", re.IGNORECASE)
    match = closing.search(octets, position)
    if match is None:
        return None
    # A script may hold another one in a comment (WHATWG HTML §13.2.5.17).
    return (
        None if b"<!--" in octets[position : match.start()] and name == b"script" else match.end()
    )
