"""Which fields of an incoming header claim to be ours.

One rule for all: the front takes them out, the reader does not believe them, and the proof of an
edit must miss none but them. In doubt a field is a claim: programs behind us read tolerantly.

**Standards:** RFC 8601 §2.2 (authserv-id), §5 (removal), RFC 2045 §5.1 (token), RFC 5322 §3.2.2.
**Failure:** never raises.
"""

import re

RESULTS = b"authentication-results"
OUR_PREFIX = b"x-lurewall-"

_WHERE_ID_BEGINS = 2_000
_ID_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^\s;()"]+)')
_ID_END = re.compile(rb"[^a-z0-9._\x80-\xff-]")
_COMMENT_PIECE = re.compile(rb"\\.|[()]", re.DOTALL)


def is_own_field(name: bytes, value: bytes, own_authserv_id: str) -> bool:
    """X-Lurewall-*, or Authentication-Results under our id; `name` is in lower case."""
    if name == RESULTS:
        own_id = own_authserv_id.lower().rstrip(".").encode("utf-8")
        return bool(own_id) and _claims_id(value, own_id)
    return name.startswith(OUR_PREFIX)


def _claims_id(value: bytes, own_id: bytes) -> bool:
    """True if an Authentication-Results value is under our id, or is too odd to say it is not."""
    window = value[:_WHERE_ID_BEGINS]
    position = _after_comments(window)
    match = _ID_TOKEN.match(window, position) if position >= 0 else None
    if match is None:
        return own_id in value.lower()
    token = match[1] if match[1] is not None else match[2]
    # Programs differ in what ends an id: a NUL for some, and the version may be glued to it.
    claimed = _ID_END.split(re.sub(rb"\\(.)", rb"\1", token).lower(), maxsplit=1)[0]
    return claimed.rstrip(b".") == own_id


def _after_comments(value: bytes) -> int:
    """Offset of the first octet that is neither white space nor comment; -1 if there is none."""
    position = 0
    while True:
        position += len(value) - position - len(value[position:].lstrip())
        if not value.startswith(b"(", position):
            return position if position < len(value) else -1
        depth = 0
        for piece in _COMMENT_PIECE.finditer(value, position):
            depth += {b"(": 1, b")": -1}.get(piece[0], 0)
            if depth == 0:
                position = piece.end()
                break
        else:
            return -1
