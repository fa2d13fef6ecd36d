"""From octets as transferred to text: transfer encodings and the charset ladder.

Decodes as far as anything can be decoded and says what was wrong. Refuses to guess by statistics:
charset detectors are wrong on short text, so the ladder is declared, UTF-8, windows-1252.

**Standards:** RFC 2045 §6 (transfer encodings), RFC 2046 §4.1.2 (charset), WHATWG Encoding
(labels that are read as their superset).
**Failure:** never raises; a `Defect` tells what could not be decoded as declared.
"""

import binascii
import re

from milter.mail.charsets import python_codec
from milter.mail.reading import Defect

IDENTITY_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})

# An "=" that is neither an escape nor a soft line break, or one that binascii treats in a way of
# its own ("==" swallows an octet, "=" CR drops the rest of the line).
_ODD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
_PADDED_SOFT_BREAK = re.compile(rb"=[ \t]++(?=\r?\n)")
_NOT_BASE64 = bytes(
    octet
    for octet in range(256)
    if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
)
_BASE64_GROUPS = re.compile(rb"[^=]++")
_UU_BEGIN = re.compile(rb"(?m)^begin [0-7]{3,4} [^\r\n]*+\r?\n")
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_.:-]{2,40})")
_META_WINDOW = 2_048

_MULTIBYTE = frozenset(
    {"gb18030", "big5hkscs", "cp949", "johab", "cp932", "euc_jp", "hz", "utf-16", "utf-32"}
    | {"iso2022_jp", "iso2022_kr", "euc_jis_2004", "utf-7", "utf-16-le", "utf-16-be", "utf-8"}
)


def decode_transfer(octets: bytes, encoding: str) -> tuple[bytes, Defect | None]:
    """Undo the transfer encoding (lower case), as far as it goes."""
    if encoding in IDENTITY_ENCODINGS:
        return octets, None
    if encoding == "quoted-printable":
        return _decode_quoted_printable(octets)
    if encoding == "base64":
        return _decode_base64(octets)
    if encoding in {"x-uuencode", "uuencode", "x-uue"}:
        return _decode_uuencode(octets)
    return octets, Defect.UNKNOWN_TRANSFER_ENCODING


def decode_charset(octets: bytes, label: str) -> tuple[str, Defect | None]:
    """Decode text by the ladder; `label` is the declared charset in lower case, '' for none."""
    codec = python_codec(label) if label else ""
    if octets.isascii() and (not codec or codec in {"utf-8", "cp1252"}):
        defect = Defect.UNKNOWN_CHARSET if codec is None else None
        return octets.decode("ascii"), defect
    if codec is None:
        return _without_charset(octets), Defect.UNKNOWN_CHARSET
    if not codec:
        return _without_charset(octets), None
    if label == "us-ascii":
        return _without_charset(octets), Defect.CHARSET_MISMATCH
    try:
        return _clean(octets.decode(codec), codec), None
    except (UnicodeError, ValueError):
        return _undecodable(octets, codec), Defect.CHARSET_MISMATCH


def meta_charset(octets: bytes) -> str:
    """The charset that an HTML document names for itself, '' if none."""
    found = _META_CHARSET.search(octets, 0, _META_WINDOW)
    return found[1].decode("ascii").lower() if found else ""


def lf_lines(text: str) -> str:
    """The text with LF line ends: what all offsets count in."""
    if "\r" not in text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_quoted_printable(octets: bytes) -> tuple[bytes, Defect | None]:
    defect = None
    if _ODD_ESCAPE.search(octets):
        # RFC 2045 §6.7 (3): white space at the end of a line is transport padding.
        octets = _PADDED_SOFT_BREAK.sub(b"=", octets)
        octets, stray = _ODD_ESCAPE.subn(b"=3D", octets)
        defect = Defect.BAD_TRANSFER_ENCODING if stray else None
    return binascii.a2b_qp(octets), defect


def _decode_base64(octets: bytes) -> tuple[bytes, Defect | None]:
    foreign = len(octets.translate(None, _NOT_BASE64)) != len(octets)
    padding = octets.find(b"=")
    if not foreign and (padding < 0 or not octets[padding:].strip(b"= \t\r\n")):
        try:
            return binascii.a2b_base64(octets), None
        except binascii.Error:
            foreign = True
    # Several encoded runs one after the other, or a broken one: each is decoded by itself.
    decoded = b"".join(
        _decode_base64_run(run)
        for run in _BASE64_GROUPS.findall(octets.translate(None, _NOT_BASE64))
    )
    return decoded, Defect.BAD_TRANSFER_ENCODING


def _decode_base64_run(run: bytes) -> bytes:
    digits = b"".join(run.split())
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _decode_uuencode(octets: bytes) -> tuple[bytes, Defect | None]:
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return octets, Defect.BAD_TRANSFER_ENCODING
    decoded: list[bytes] = []
    defect = None
    for line in octets[begin.end() :].splitlines():
        if line == b"end":
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            defect = Defect.BAD_TRANSFER_ENCODING
    return b"".join(decoded), defect


def _without_charset(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return _undecodable(octets, "utf-8")


def _undecodable(octets: bytes, codec: str) -> str:
    """Text of octets that `codec` refuses: damaged if mostly valid, else mislabelled."""
    if codec != "utf-8":
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if codec in _MULTIBYTE:
        try:
            text = _clean(octets.decode(codec, "replace"), codec)
        except (UnicodeError, ValueError):
            text = ""
        damaged = text.count("\ufffd")
        foreign = sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - damaged
        if text and damaged * 4 <= foreign:
            return text
    return octets.decode("cp1252", "replace")


def _clean(text: str, codec: str) -> str:
    """UTF-7 may hold lone surrogates, which nothing behind us can encode."""
    return text.encode("utf-8", "replace").decode("utf-8") if codec == "utf-7" else text
