"""Values with parameters: Content-Type and Content-Disposition.

Takes what senders write: missing quotes, comments, raw 8-bit or encoded-words in file names.

**Standards:** RFC 2045 §5.1, RFC 2183, RFC 2231 §3 and §4 (continuations, charset).
**Failure:** never raises; what cannot be understood is left out.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from milter.read.decode import decode_charset
from milter.read.encoded_words import decode_value, decode_words

MAX_VALUE_BYTES = 8_000
MAX_PARAMETERS = 100

_PARAMETER = re.compile(
    rb";\s*+([^\s=;*\"]++)(\*\d{1,3}\*?|\*)?\s*+=\s*+"
    rb"(?:\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"?+|([^;]*+))",
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(rb"\([^()]*+\)")
_STRAY_BOUNDARY = re.compile(rb"boundary\s*+=\s*+\"?([^\";\s]++)", re.IGNORECASE)
# Parameters in which an unquoted value may hold spaces because people put them there.
_FREE_TEXT = frozenset({b"filename", b"name"})

Parameters = Mapping[str, str]


@lru_cache(maxsize=512)
def parse_parameters(value: bytes) -> tuple[str, Parameters]:
    """The leading token in lower case and the parameters; a name that repeats counts once."""
    value = value[:MAX_VALUE_BYTES]
    head, _, _ = value.partition(b";")
    if b"(" in head:
        head = _COMMENT.sub(b"", head)
    words = head.split(None, 1)
    token = words[0].decode("ascii", "replace").lower() if words else ""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value, len(head) if b"(" not in head else 0)):
        if count >= MAX_PARAMETERS:
            break
        name = match[1].lower()
        octets = _value_octets(name, match[3], match[4])
        key = name.decode("ascii", "replace")
        if match[2] is None:
            plain.setdefault(key, decode_value(octets))
        else:
            number = match[2].strip(b"*")
            pieces.setdefault(key, {}).setdefault(
                int(number or b"0"), (octets, match[2].endswith(b"*"))
            )
    for key, numbered in pieces.items():
        # RFC 2231 wins over a plain twin, which is there for old readers.
        plain[key] = _join(numbered)
    if token.startswith("multipart/") and "boundary" not in plain:
        stray = _STRAY_BOUNDARY.search(value)
        if stray:
            plain["boundary"] = stray[1].decode("latin-1")
    return token, MappingProxyType(plain)


def _value_octets(name: bytes, quoted: bytes | None, unquoted: bytes) -> bytes:
    if quoted is not None:
        return _QUOTED_PAIR.sub(rb"\1", quoted) if b"\\" in quoted else quoted
    if name in _FREE_TEXT:
        return unquoted.strip()
    words = unquoted.split(None, 1)
    return words[0] if words else b""


def _join(numbered: dict[int, tuple[bytes, bool]]) -> str:
    """RFC 2231 §4.1: pieces in the order of their numbers, the first one names the charset."""
    charset = ""
    octets = bytearray()
    for number in sorted(numbered):
        piece, is_extended = numbered[number]
        if is_extended:
            if number == min(numbered) and piece.count(b"'") >= 2:
                label, _, piece = piece.split(b"'", 2)
                charset = label.decode("ascii", "replace").lower()
            piece = unquote_to_bytes(piece)
        octets += piece
    return decode_words(decode_charset(bytes(octets), charset)[0])
