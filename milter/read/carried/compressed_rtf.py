"""Rich Text as Outlook compresses it.

**Standards:** MS-OXRTFCP §2.1 (header, dictionary, tokens).
**Failure:** `ValueError` for what is neither form; a broken stream ends where it breaks; check
sums are not looked at.
"""

import struct

MAX_OCTETS = 1_000_000
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_HEADER_OCTETS = 16
_DICTIONARY_OCTETS = 4_096
_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def decompressed(octets: bytes) -> bytes:
    """The Rich Text in a compressed stream, up to a bound."""
    if len(octets) < _HEADER_OCTETS:
        raise ValueError("no header")
    _, size, form, _ = struct.unpack_from("<II4sI", octets)
    body = octets[_HEADER_OCTETS:]
    size = min(size, MAX_OCTETS)
    if form == _PLAIN:
        return body[:size]
    if form != _COMPRESSED:
        raise ValueError("unknown form")
    return _expanded(body, size)


def _expanded(body: bytes, size: int) -> bytes:
    dictionary = bytearray(_START.ljust(_DICTIONARY_OCTETS, b"\0"))
    written = len(_START)
    out = bytearray()
    at = 0
    while at < len(body) and len(out) < size:
        control = body[at]
        at += 1
        for bit in range(8):
            if at >= len(body) or len(out) >= size:
                break
            if not control >> bit & 1:
                piece = body[at : at + 1]
                at += 1
            else:
                if at + 1 >= len(body):
                    return bytes(out)
                token = body[at] << 8 | body[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == written % _DICTIONARY_OCTETS:
                    return bytes(out)
                piece = b""
                for step in range(length):
                    octet = dictionary[(offset + step) % _DICTIONARY_OCTETS]
                    piece += bytes((octet,))
                    dictionary[(written + step) % _DICTIONARY_OCTETS] = octet
            for step, octet in enumerate(piece):
                dictionary[(written + step) % _DICTIONARY_OCTETS] = octet
            written += len(piece)
            out += piece
    return bytes(out)
