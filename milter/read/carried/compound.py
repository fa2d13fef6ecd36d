"""Compound files: the folders and streams that old Office files and Outlook items are made of.

A reader of our own: the library for it takes the whole table of sectors before anything is asked
for, in a time that grows with its square, and gives up a file for one fault in it. Here a stream is
read when it is asked for, each of its sectors at most once, and all of them are paid for.

**Standards:** MS-CFB §2.2 (header), §2.3-2.5 (FAT, mini FAT, DIFAT), §2.6 (directory).
**Failure:** `open_compound` raises ValueError for what is no compound file. A stream that is cut
off, goes in circles or is too large is read as far as it goes, and is a miss of the carrier.
"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from milter.read.carried.carrier import Carrier

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_STREAM_OCTETS = 10_000_000
MAX_ENTRIES = 2_000
_MAX_FOLDER_DEPTH = 12

_HEADER_OCTETS = 512
_IN_HEADER = 109
_ENTRY_OCTETS = 128
_LAST_SECTOR = 0xFFFFFFFA
_MINI_SHIFT, _MINI_CUTOFF = 6, 4_096
_FOLDER, _STREAM = 1, 2
_NONE: Sequence[int] = ()


class Place(NamedTuple):
    """Where a stream begins, and how long it says it is."""

    start: int
    size: int


class _Entry(NamedTuple):
    """A row of the directory."""

    name: str
    kind: int
    left: int
    right: int
    child: int
    place: Place


@dataclass(slots=True)
class _Sectors:
    """The octets, the table that chains their sectors, and the small sectors within them."""

    octets: bytes
    shift: int
    carrier: Carrier
    table: Sequence[int] = _NONE
    small_table: Sequence[int] = _NONE
    small: bytes = b""

    def stream(self, place: Place) -> bytes:
        """The content of a stream, as far as it goes."""
        if place.size < _MINI_CUTOFF:
            return self._chained(place, self.small_table, self.small, _MINI_SHIFT, 0)
        return self.large(place)

    def large(self, place: Place) -> bytes:
        """The content of what lies in whole sectors."""
        return self._chained(place, self.table, self.octets, self.shift, 1)

    def _chained(
        self, place: Place, table: Sequence[int], octets: bytes, shift: int, before: int
    ) -> bytes:
        budget = self.carrier.budget
        size = min(place.size, MAX_STREAM_OCTETS, len(octets), max(0, budget.octets))
        pieces: list[bytes] = []
        at = place.start
        # No more steps than the content needs: a circle ends by itself.
        for _ in range((size + (1 << shift) - 1) >> shift):
            if at >= len(table) or not budget.has_time():
                break
            start = (at + before) << shift
            pieces.append(octets[start : start + (1 << shift)])
            at = table[at]
        content = b"".join(pieces)[:size]
        budget.octets -= len(content)
        if len(content) < place.size:
            self.carrier.miss()
        return content


@dataclass(frozen=True, slots=True)
class Folder:
    """A storage: its streams and folders by their names in small letters, as Windows finds them."""

    sectors: _Sectors = field(repr=False)
    streams: dict[str, Place] = field(default_factory=dict)
    folders: dict[str, "Folder"] = field(default_factory=dict)

    def stream(self, name: str) -> bytes:
        """The content of a stream; nothing if there is none of that name."""
        place = self.streams.get(name.lower())
        return self.sectors.stream(place) if place else b""


def open_compound(octets: bytes, carrier: Carrier) -> Folder:
    """The outermost folder of a compound file."""
    if not octets.startswith(MAGIC) or len(octets) < _HEADER_OCTETS:
        raise ValueError("no compound file")
    (shift,) = struct.unpack_from("<H", octets, 30)
    if shift not in (9, 12):
        raise ValueError("sectors of a size that there is not")
    sectors = _Sectors(octets, shift, carrier)
    sectors.table = _fat(octets, shift)
    first, _, _, first_small, small_count = struct.unpack_from("<5I", octets, 48)
    entries = _directory(sectors, first)
    if not entries:
        raise ValueError("no directory")
    size = min(small_count << shift, len(octets))
    sectors.small_table = _numbers(sectors.large(Place(first_small, size)))
    sectors.small = sectors.large(entries[0].place)
    return _tree(sectors, entries)


def _fat(octets: bytes, shift: int) -> Sequence[int]:
    """The table of sectors: which one comes after each."""
    # A sector that is there twice makes no table longer than the file.
    most = (len(octets) >> shift) + 1
    table = array("I")
    next_list, list_count = struct.unpack_from("<2I", octets, 68)
    numbers: Sequence[int] = struct.unpack_from(f"<{_IN_HEADER}I", octets, 76)
    for _ in range(min(list_count, most) + 1):
        for number in numbers:
            if number >= _LAST_SECTOR or len(table) >= most:
                return table
            piece = _numbers(_sector(octets, number, shift))
            if not piece:
                return table
            table.extend(piece)
        *numbers, next_list = _numbers(_sector(octets, next_list, shift)) or (_LAST_SECTOR,) * 2
    return table


def _sector(octets: bytes, number: int, shift: int) -> bytes:
    start = (number + 1) << shift
    return octets[start : start + (1 << shift)]


def _numbers(octets: bytes) -> Sequence[int]:
    count = len(octets) // 4
    return struct.unpack_from(f"<{count}I", octets)


def _directory(sectors: _Sectors, first: int) -> list[_Entry]:
    octets = b""
    at = first
    while at < len(sectors.table) and len(octets) < MAX_ENTRIES * _ENTRY_OCTETS:
        octets += _sector(sectors.octets, at, sectors.shift)
        at = sectors.table[at]
    if at < _LAST_SECTOR:
        sectors.carrier.miss()
    whole = len(octets) // _ENTRY_OCTETS * _ENTRY_OCTETS
    return [_entry(octets, start) for start in range(0, whole, _ENTRY_OCTETS)]


def _entry(octets: bytes, at: int) -> _Entry:
    name_octets, kind, _, left, right, child = struct.unpack_from("<H2B3I", octets, at + 64)
    name = octets[at : at + max(0, min(name_octets, 64) - 2)].decode("utf-16-le", "replace")
    # Of the size, files with small sectors use the lower half only, and may leave junk above it.
    place = Place(*struct.unpack_from("<2I", octets, at + 116))
    return _Entry(name.lower(), kind, left, right, child, place)


def _tree(sectors: _Sectors, entries: list[_Entry]) -> Folder:
    root = Folder(sectors)
    waiting = [(entries[0].child, root, 0)]
    seen: set[int] = set()
    while waiting:
        number, folder, depth = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        waiting += [(entry.left, folder, depth), (entry.right, folder, depth)]
        if entry.kind == _STREAM:
            folder.streams.setdefault(entry.name, entry.place)
        elif entry.kind == _FOLDER:
            if depth >= _MAX_FOLDER_DEPTH:
                sectors.carrier.miss()
                continue
            inner = folder.folders.setdefault(entry.name, Folder(sectors))
            waiting.append((entry.child, inner, depth + 1))
    return root
