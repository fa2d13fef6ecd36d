"""Decoding of header values: encoded-words, raw UTF-8, raw 8-bit.

Whatever is no proper encoded-word stays as it stands. Refuses `email.header` (it raises, and
treats neighbouring words wrongly).

**Standards:** RFC 2047 §2, §6.2 (white space between encoded-words), RFC 2231 §5 (language tag),
RFC 6532 (UTF-8 in header fields).
**Failure:** never raises.
"""

import binascii
import re

from milter.mail.charsets import python_codec
from milter.read.decode import decode_charset

MAX_VALUE_BYTES = 64_000

_WORD = re.compile(
    r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z0-9-]{1,20})?\?([bBqQ])\?([^?\r\n]*+)\?=([ \t\r\n]*+)"
)
_Q_ESCAPE = re.compile(r"=(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BASE64_WORD = re.compile(r"[A-Za-z0-9+/]*+={0,3}")


def decode_value(octets: bytes) -> str:
    """The text of an unfolded header value, bounded, without control characters."""
    octets = octets[:MAX_VALUE_BYTES]
    text = octets.decode("ascii") if octets.isascii() else decode_charset(octets, "")[0]
    text = decode_words(text)
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def decode_words(text: str) -> str:
    """Replace the encoded-words in a text."""
    if "=?" not in text:
        return text
    pieces: list[str] = []
    run: list[bytes] = []
    run_charset = between = ""
    position = 0
    for match in _WORD.finditer(text):
        charset = match[1].lower()
        octets = _word_octets(match[2], match[3])
        if octets is None or python_codec(charset) is None:
            continue
        adjacent = bool(run) and match.start() == position
        if not adjacent:
            if run:
                pieces.append(decode_charset(b"".join(run), run_charset)[0])
                pieces.append(between)
                run.clear()
            pieces.append(text[position : match.start()])
        elif charset != run_charset:
            pieces.append(decode_charset(b"".join(run), run_charset)[0])
            run.clear()
        # Words of one charset are joined before decoding: a character may be split over two.
        run.append(octets)
        run_charset = charset
        between = match[4]
        position = match.end()
    if run:
        pieces.append(decode_charset(b"".join(run), run_charset)[0])
        pieces.append(between)
    pieces.append(text[position:])
    return "".join(pieces)


def _word_octets(encoding: str, encoded: str) -> bytes | None:
    if not encoded.isascii():
        return None
    if encoding in "bB":
        if not _BASE64_WORD.fullmatch(encoded):
            return None
        digits = encoded.rstrip("=")
        if len(digits) % 4 == 1:
            return None
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    return binascii.a2b_qp(_Q_ESCAPE.sub("=3D", encoded), header=True)
