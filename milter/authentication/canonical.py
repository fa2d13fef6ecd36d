"""The canonical forms of a message: each is made once, however many signatures ask for it.

Works on spans of the scanned header, so one odd line costs nothing but itself. Every step is one
pass in C over the octets that never looks back: white space of any kind takes linear time.

**Standards:** RFC 6376 §3.4.1-§3.4.4 (simple, relaxed), §5.4.2 (fields counted from the bottom).
**Failure:** never raises. Lines that end with LF alone, as in files, count as if they had CRLF.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Literal

from milter.authentication.taglist import without_signature
from milter.mail.message import Header, HeaderField

Mode = Literal["simple", "relaxed"]

_CRLF = b"\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")
# Octets that bytes.split() takes for white space and RFC 6376 does not, in either form.
_ODD_SPACE = re.compile(rb"[\x0b\x0c]|\r(?!\n)")
_WSP_RUN = re.compile(rb"[ \t]+")
_PIECE_OCTETS = 262_144
_CRLF_FROM_END = re.compile(rb"(?:\n\r)*+")
# Two literal spaces first: the search for them runs in C, and most spaces stand alone.
_SPACES = re.compile(rb"  +")


class CanonicalForms:
    """One message in both forms."""

    __slots__ = ("_bodies", "_by_name", "_fields", "_is_clean", "header", "raw")

    def __init__(self, raw: bytes, header: Header) -> None:
        self.raw = raw
        self.header = header
        self._is_clean = raw.count(b"\n") == raw.count(_CRLF)
        self._by_name: dict[bytes, list[int]] = {}
        for number, field in enumerate(header.fields):
            self._by_name.setdefault(field.name, []).append(number)
        self._fields: dict[tuple[int, Mode], bytes] = {}
        self._bodies: dict[Mode, tuple[int, bytes]] = {}

    def body_length(self, mode: Mode) -> int:
        """Octets of the canonical body, which l= counts."""
        return self._body(mode)[0]

    def body_digest(self, mode: Mode) -> bytes:
        """SHA-256 of the whole canonical body."""
        return self._body(mode)[1]

    def numbers(self, name: bytes) -> list[int]:
        """The numbers of all fields of that name (lower case), top first."""
        return self._by_name.get(name, [])

    def field(self, number: int, mode: Mode) -> bytes:
        """A whole field with its final CRLF."""
        made = self._fields.get((number, mode))
        if made is None:
            field = self.header.fields[number]
            made = self._fields[number, mode] = canonical_field(
                self._octets(field.start, field.value_start),
                self._octets(field.value_start, field.end),
                mode,
            )
        return made

    def unsigned_field(self, number: int, mode: Mode) -> bytes:
        """A signature field as it is hashed by itself: no value of b=, no final CRLF."""
        field: HeaderField = self.header.fields[number]
        value = without_signature(self._octets(field.value_start, field.end).removesuffix(_CRLF))
        name = self._octets(field.start, field.value_start)
        return canonical_field(name, value, mode).removesuffix(_CRLF)

    def signed_fields(self, names: tuple[bytes, ...], mode: Mode, *, without: int) -> bytes:
        """The fields that h= names, each name taking the next one from the bottom up.

        `without` is the number of the signature itself, which it cannot cover. A name that is left
        without a field stands for nothing: that none was added (RFC 6376 §5.4).
        """
        left: dict[bytes, list[int]] = {}
        pieces = []
        for name in names:
            numbers = left.get(name)
            if numbers is None:
                numbers = [number for number in self.numbers(name) if number != without]
                left[name] = numbers
            if numbers:
                pieces.append(self.field(numbers.pop(), mode))
        return b"".join(pieces)

    def _octets(self, start: int, end: int) -> bytes:
        octets = self.raw[start:end]
        return octets if self._is_clean else _BARE_LF.sub(_CRLF, octets)

    def _body(self, mode: Mode) -> tuple[int, bytes]:
        """Length and digest, made once."""
        made = self._bodies.get(mode)
        if made is None:
            start = self.header.body_start if self.header.terminated else len(self.raw)
            length, digest = 0, hashlib.sha256()
            for piece in canonical_body(self.raw[start:], mode, is_clean=self._is_clean):
                length += len(piece)
                digest.update(piece)
            made = self._bodies[mode] = length, digest.digest()
        return made


def canonical_field(name: bytes, value: bytes, mode: Mode) -> bytes:
    """One field; `name` includes the colon, the final CRLF is added where it is missing."""
    if mode == "simple":
        whole = name + value
        return whole if whole.endswith(_CRLF) else whole + _CRLF
    bare_name = name[:-1].rstrip(b" \t").lower()
    if _ODD_SPACE.search(value):
        value = _WSP_RUN.sub(b" ", value.replace(_CRLF, b"")).strip(b" ")
    else:
        value = b" ".join(value.split())
    return bare_name + b":" + value + _CRLF


def canonical_body(body: bytes, mode: Mode, *, is_clean: bool = True) -> Iterator[bytes]:
    """The body in pieces: so that a large one is never held twice, nor a thread for long.

    simple: all but empty lines at the end, and an empty body is one CRLF (RFC 6376 §3.4.3).
    relaxed: runs of white space are one space, none ends a line, nothing stays nothing (§3.4.4).
    """
    position = pending = 0
    is_empty = True
    while position < len(body):
        end = body.find(b"\n", position + _PIECE_OCTETS) + 1 or len(body)
        piece = body[position:end]
        if not is_clean:
            piece = _BARE_LF.sub(_CRLF, piece)
        if mode == "relaxed":
            piece = _relaxed(piece)
        if end == len(body) and piece and not piece.endswith(_CRLF):
            piece += _CRLF
        position = end
        kept = _length_before_empty_lines(piece)
        if kept:
            yield _CRLF * pending + piece[:kept]
            pending, is_empty = 0, False
        pending += (len(piece) - kept) // 2
    if not is_empty or mode == "simple":
        yield _CRLF


def _relaxed(piece: bytes) -> bytes:
    """Whole lines, but perhaps for the last, with their white space reduced."""
    if b"\t" in piece:
        piece = piece.replace(b"\t", b" ")
    if b"  " in piece:
        piece = _SPACES.sub(b" ", piece)
    return piece.replace(b" \r\n", _CRLF).removesuffix(b" ")


def _length_before_empty_lines(piece: bytes) -> int:
    """How much is left without the line ends at its end; a bare CR is none."""
    bare = len(piece.rstrip(_CRLF))
    return len(piece) - len(_CRLF_FROM_END.match(piece[bare:][::-1])[0])  # type: ignore[index]
