"""The body and the attachments in a winmail.dat, as Outlook and Exchange wrap them.

Reads what a person would see and nothing else: the text of the message in any of its three forms,
and the files with their names. A message within is read as another of its kind.

**Standards:** MS-OXTNEF §2.1 (stream, attributes, properties), MS-OXCDATA §2.11.1 (types).
**Failure:** never raises because of content; what cannot be followed is a miss of the carrier.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from milter.read.carried.carrier import Carrier
from milter.read.carried.compressed_rtf import decompressed
from milter.read.decode import decode_charset

_MAX_ATTRIBUTES = 2_000
_MAX_PROPERTIES = 2_000

# Attributes of the stream (§2.1.3.1), by their identifier without the type.
_BODY, _MESSAGE_PROPERTIES = 0x800C, 0x9003
_ATTACH_BEGIN, _ATTACH_TITLE, _ATTACH_DATA, _ATTACH_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
# Properties.
_TEXT, _RTF, _HTML = 0x1000, 0x1009, 0x1013
_DATA, _NAME, _LONG_NAME = 0x3701, 0x3704, 0x3707
_MULTIPLE = 0x1000
_UNICODE = 0x1F
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = frozenset({0x0D, 0x1E, _UNICODE, 0x102})
# An object stands behind the identifier of the interface it is read by.
_INTERFACE_OCTETS = 16


@dataclass(slots=True)
class _File:
    """An attachment, put together from several attributes."""

    name: str = ""
    octets: bytes = b""


def read_tnef(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a TNEF stream says and holds."""
    files: list[_File] = []
    try:
        for identifier, data in _attributes(octets):
            _take(identifier, data, files, carrier)
    except (struct.error, ValueError):
        carrier.miss()
    for file in files:
        carrier.file_name(file.name)
        if file.octets:
            carrier.inner(file.octets, "", file.name)


def _take(identifier: int, data: bytes, files: list[_File], carrier: Carrier) -> None:
    if identifier == _BODY:
        carrier.say(_text(data, 0x1E))
    elif identifier == _MESSAGE_PROPERTIES:
        for name, kind, value in _properties(data):
            if name == _TEXT:
                carrier.say(_text(value, kind))
            elif name == _HTML:
                octets = _text(value, kind).encode() if kind == _UNICODE else value
                carrier.inner(octets, "text/html", "")
            elif name == _RTF:
                carrier.inner(decompressed(value), "text/rtf", "")
    elif identifier == _ATTACH_BEGIN:
        files.append(_File())
    elif not files:
        return
    elif identifier == _ATTACH_TITLE:
        files[-1].name = files[-1].name or _text(data, 0x1E)
    elif identifier == _ATTACH_DATA:
        files[-1].octets = data
    elif identifier == _ATTACH_PROPERTIES:
        for name, kind, value in _properties(data):
            if name in (_NAME, _LONG_NAME):
                files[-1].name = _text(value, kind)
            elif name == _DATA and value:
                files[-1].octets = value[_INTERFACE_OCTETS:] if kind == 0x0D else value


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """All attributes: identifier and data; checksums are not held against anybody."""
    at = 6
    for _ in range(_MAX_ATTRIBUTES):
        if at + 9 > len(octets):
            return
        _, identifier, _, length = struct.unpack_from("<BHHI", octets, at)
        at += 9
        if at + length > len(octets):
            # A stream that was cut off: what there is of it counts.
            yield identifier, octets[at:]
            raise ValueError("attribute beyond the end")
        yield identifier, octets[at : at + length]
        at += length + 2
    raise ValueError("too many attributes")


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """All properties: identifier, type and value; of several values only the first."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(min(count, _MAX_PROPERTIES)):
        kind, name = struct.unpack_from("<HH", data, at)
        at += 4
        if name >= 0x8000:
            at = _after_name(data, at)
        base = kind & ~_MULTIPLE
        if base in _FIXED:
            values = 1
            if kind & _MULTIPLE:
                (values,) = struct.unpack_from("<I", data, at)
                at += 4
            yield name, base, data[at : at + _FIXED[base]]
            at += _FIXED[base] * values
        elif base in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
            for number in range(min(values, _MAX_PROPERTIES)):
                (length,) = struct.unpack_from("<I", data, at)
                if number == 0:
                    yield name, base, data[at + 4 : at + 4 + length]
                at += 4 + _padded(length)
        else:
            raise ValueError("unknown type of property")


def _after_name(data: bytes, at: int) -> int:
    """Behind the name of a named property: a set, then a number or a string."""
    kind, length = struct.unpack_from("<II", data, at + 16)
    return at + 24 + (_padded(length) if kind else 0)


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4


def _text(value: bytes, kind: int) -> str:
    text, _ = decode_charset(value, "utf-16-le" if kind == _UNICODE else "")
    return text.rstrip("\0")
