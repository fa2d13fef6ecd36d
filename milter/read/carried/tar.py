"""Tar archives: the files in them, in the forms that GNU tar, BSD tar and Python write.

Read in place, by offsets that only grow: the library follows sizes that lead backwards. Links,
folders and devices are passed over; sparse files are a miss.

**Standards:** POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar
(long names, base-256 sizes).
**Failure:** never raises because of content; what is cut off or broken is a miss of the carrier.
"""

import re
from collections.abc import Iterator

from milter.read.carried.carrier import Carrier
from milter.read.carried.entries import Entry, read_entries
from milter.read.decode import decode_charset

_BLOCK = 512
_MAX_HEADERS = 2_000
_MAX_NAME_OCTETS = 4_096
_FILES, _LONG_NAME, _EXTENDED, _SPARSE = b"0\x007", b"L", b"x", b"S"
_PATH = re.compile(rb"(?:^|\n)\d{1,6} path=([^\n]{1,4000})\n")


def read_tar(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what the files in an archive are called, and what they say."""
    read_entries(_entries(octets, carrier), carrier)


def _entries(octets: bytes, carrier: Carrier) -> Iterator[Entry]:
    at = 0
    long_name = b""
    for _ in range(_MAX_HEADERS):
        header = octets[at : at + _BLOCK]
        if not header.strip(b"\0"):
            # Two empty blocks are the end; an archive that only stops was cut off between files.
            return
        size = _number(header[124:136])
        if len(header) < _BLOCK or size is None or _number(header[148:156]) != _checksum(header):
            break
        start, end = at + _BLOCK, at + _BLOCK + size
        kind = header[156:157]
        if end > len(octets):
            carrier.miss()
        if kind == _LONG_NAME:
            long_name = octets[start : min(end, start + _MAX_NAME_OCTETS)].rstrip(b"\0")
        elif kind == _EXTENDED:
            path = _PATH.search(octets[start : min(end, start + 2 * _MAX_NAME_OCTETS)])
            long_name = path[1] if path else long_name
        else:
            if kind in _FILES:
                yield _entry(long_name or _name(header), octets[start:end])
            elif kind == _SPARSE:
                carrier.miss()
            long_name = b""
        at = start + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    carrier.miss()


def _entry(name: bytes, octets: bytes) -> Entry:
    return Entry(
        name=decode_charset(name, "")[0],
        size=len(octets),
        head=lambda: octets,
        content=lambda most: octets[:most],
    )


def _name(header: bytes) -> bytes:
    prefix = header[345:500] if header[257:263] == b"ustar\0" else b""
    parts = (prefix.partition(b"\0")[0], header[:100].partition(b"\0")[0])
    return b"/".join(part for part in parts if part)


def _number(field: bytes) -> int | None:
    """A number in octal digits, or in base 256."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    # Python would take signs and underscores, too.
    return int(digits, 8) if not digits.strip(b"01234567") else None


def _checksum(header: bytes) -> int:
    return sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")
