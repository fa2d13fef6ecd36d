"""Charset labels: how text under them is read, and how words are written so that all read the same.

Receivers read some labels as a superset (gb2312 as gb18030): `python_codec` names that one. Whoever
adds words to a text writes in the label's own repertoire, and only what is read back alike under
both. Refuses to guess: a label that could mean anything but a superset of ASCII, or that has no one
reading, takes no words at all (UTF-7, UTF-32, EBCDIC, HZ, ISO-2022 other than Japanese).

**Standards:** RFC 2046 §4.1.2 (charset), WHATWG Encoding §4.2 (labels read as their superset),
RFC 1468 (ISO-2022-JP begins and ends in ASCII), RFC 2781 §3 (UTF-16 and its byte order mark).
**Failure:** None for a label or words that do not fit.
"""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

# Labels that everybody reads as the superset (WHATWG Encoding §4.2).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "utf_8_sig": "utf-8",
}
_LABELS = {
    "unicode-1-1-utf-7": "utf-7",
    "x-gbk": "gbk",
    "x-sjis": "shift_jis",
    "x-euc-jp": "euc_jp",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso8859-8",
    "ks_c_5601-1987": "euc_kr",
    "ks_c_5601": "euc_kr",
    "cseuckr": "euc_kr",
    "windows-874": "cp874",
    "windows-31j": "cp932",
    "windows-949": "cp949",
    "cp-1252": "cp1252",
    "unicode": "utf-16",
    "_iso-8859-1": "iso8859-1",
    "x-unknown": "",
    "unknown-8bit": "",
    "unknown": "",
    "default": "",
}
# Codecs of the standard library that decode no text, or that a mail has no business with.
_NO_CHARSETS = frozenset(
    {
        "base64", "bz2", "hex", "idna", "mbcs", "oem", "palmos", "punycode", "quopri",
        "raw-unicode-escape", "rot-13", "rot13", "undefined", "unicode-escape", "uu", "zlib",
    }
)  # fmt: skip
_MOST_LABEL = 40

_SUPERSET_OF_ASCII = re.compile(
    r"ascii|utf-8|iso8859-\d+|cp(?:125\d|437|85\d|86\d|874|932|949|950|1125)|koi8-[rtu]|tis-620"
    r"|kz1048|ptcp154|mac-\w+|gb2312|gbk|gb18030|big5|big5hkscs|euc_kr|euc_jp|shift_jis"
)
# A label that no codec is known for is read as some superset of ASCII, unless it sounds like these.
_SOUNDS_OTHERWISE = re.compile(r"utf|ucs|unicode|2022|ebcdic|ibm|cp\d|hz|bocu|scsu|10646")
_WIDE = {"utf-16": "", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be"}
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_STATEFUL = re.compile(r"iso2022_jp\w*")
_ESCAPE, _TO_ASCII = b"\x1b", b"\x1b(B"


@lru_cache(maxsize=256)
def python_codec(label: str) -> str | None:
    """The codec to decode a charset label with, '' for labels that say nothing, None if unknown."""
    name = _own_codec(label)
    return _SUPERSETS.get(name, name) if name else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """How words are written under a label.

    `codec` writes them, `read_as` is what receivers decode with; both are '' where nothing but
    ASCII is safe. `is_wide`: two octets a character (UTF-16). `is_stateful`: ASCII octets are ASCII
    only where the state says so (ISO-2022-JP).
    """

    codec: str
    read_as: str = ""
    is_wide: bool = False
    is_stateful: bool = False

    def encode(self, text: str) -> bytes | None:
        """The octets of `text`; None unless every receiver reads them as `text` again."""
        if text.isascii() and not self.is_wide:
            return text.encode("ascii")
        if not self.codec:
            return None
        try:
            octets = text.encode(self.codec)
            if self.codec == self.read_as == "utf-8":
                return octets
            alike = octets.decode(self.read_as) == text == octets.decode(self.codec)
        except UnicodeError:
            return None
        return octets if alike else None

    def is_sound(self, octets: bytes) -> bool:
        """True if `octets` are text in this charset."""
        try:
            octets.decode(self.read_as)
        except (UnicodeError, LookupError):
            return False
        return True

    def is_initial_after(self, octets: bytes) -> bool:
        """True if ASCII octets behind these are read as ASCII."""
        last = octets.rfind(_ESCAPE) if self.is_stateful else -1
        return last < 0 or octets.startswith(_TO_ASCII, last)


UNLABELLED = Charset(codec="ascii", read_as="ascii")
"""What a text without a label is (RFC 2045 §5.2)."""

_ASCII_ONLY = Charset(codec="")


def writable_charset(label: str, head: bytes = b"") -> Charset | None:
    """How to write under a lower-case label, '' for none; None where words cannot be added.

    `head` is how the text begins: a byte order mark decides what UTF-16 is.
    """
    charset = _charset(label)
    mark = next((codec for mark, codec in _MARKS if head.startswith(mark)), "")
    if charset is None or not charset.is_wide:
        # Browsers believe a byte order mark before any label.
        return None if mark else charset
    codec = charset.codec or mark
    # RFC 2781 §4.3 reads UTF-16 without a mark as big endian, WHATWG as little endian.
    if not codec or (mark and mark != codec):
        return None
    return Charset(codec=codec, read_as=codec, is_wide=True)


@lru_cache(maxsize=256)
def _charset(label: str) -> Charset | None:
    name = _own_codec(label) if label else "ascii"
    if name is None:
        return None if _SOUNDS_OTHERWISE.search(label) else _ASCII_ONLY
    if not name:
        return _ASCII_ONLY
    if name in _WIDE:
        return Charset(codec=_WIDE[name], is_wide=True)
    if _STATEFUL.fullmatch(name):
        return Charset(codec=name, read_as=name, is_stateful=True)
    if not _SUPERSET_OF_ASCII.fullmatch(name):
        return None
    return (
        UNLABELLED if name == "ascii" else Charset(codec=name, read_as=_SUPERSETS.get(name, name))
    )


def _own_codec(label: str) -> str | None:
    """The codec of exactly this label, '' for labels that say nothing, None if unknown."""
    if not label or len(label) > _MOST_LABEL or not label.isascii():
        return None
    alias = _LABELS.get(label, label)
    if not alias:
        return ""
    try:
        name = codecs.lookup(alias).name
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name
