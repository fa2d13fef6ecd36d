"""The text and links of binary Excel files (.xls, from Excel 97 on).

Shared strings, strings in cells, results of formulas, comments and text boxes, headers, footers and
names of sheets; targets of links and of HYPERLINK formulas. Numbers are no text.

**Standards:** MS-XLS §2.1.4 (records), §2.4 (SST, Continue, Label, String, TxO, HLink, FilePass),
§2.5.198 (formulas); MS-OSHARED §2.3.7 (hyperlinks, monikers).
**Failure:** never raises because of content; what is cut off, older or encrypted is a miss of the
carrier.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from milter.read.carried.biff_strings import Cut, Octets
from milter.read.carried.blips import pictures_in
from milter.read.carried.carrier import MAX_CHARS, Carrier, with_fragment
from milter.read.carried.compound import Folder

STREAM, OLD_STREAM = "workbook", "book"
_MAX_RECORDS = 400_000
_MAX_STRINGS = 50_000
_BOF, _VERSION_8, _FILE_PASS, _CONTINUE = 0x0809, 0x0600, 0x002F, 0x003C
_SHARED, _LINK, _TEXT_BOX, _SHEET, _FORMULA = 0x00FC, 0x01B8, 0x01B6, 0x0085, 0x0006
_DRAWINGS = 0x00EB
# Records with a string, and where in them it stands.
_STRING_AT = {0x0204: 6, 0x00D6: 6, 0x0207: 0, 0x0014: 0, 0x0015: 0}
# A formula that begins with a string, and holds the function HYPERLINK.
_TOKENS_AT, _STRING_TOKEN, _HYPERLINK_CALL = 22, 0x17, b"\x67\x01"

_FLAGS_AT = 28
_HAS_MONIKER, _HAS_FRAGMENT, _HAS_SHOWN, _HAS_FRAME, _IS_STRING = 0x1, 0x8, 0x10, 0x80, 0x100
_URL_MONIKER = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")


class _Record(NamedTuple):
    """A record and what continues it."""

    kind: int
    pieces: list[bytes]


def read_sheets(folder: Folder, carrier: Carrier) -> None:
    """Tell the carrier what sheets say, show and lead to."""
    if STREAM not in folder.streams:
        carrier.miss()
        return
    # Most of the strings stand in one cell each; those of formulas are often the same.
    said: dict[str, None] = {}
    chars = 0
    try:
        for record in _records(folder.stream(STREAM), carrier):
            if record.kind == _FILE_PASS or _is_older(record):
                carrier.miss()
                return
            for text in _texts(record, carrier):
                # A long table does not hide its links: only words come to an end.
                if text not in said and chars <= MAX_CHARS:
                    said[text] = None
                    chars += len(text)
    finally:
        carrier.say("\n".join(said))


def _is_older(record: _Record) -> bool:
    head = record.pieces[0]
    return record.kind == _BOF and int.from_bytes(head[:2], "little") != _VERSION_8


def _records(octets: bytes, carrier: Carrier) -> Iterator[_Record]:
    record: _Record | None = None
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + 4 > len(octets) or not carrier.budget.has_time():
            break
        kind, length = struct.unpack_from("<2H", octets, at)
        data = octets[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == _CONTINUE and record is not None:
            record.pieces.append(data)
            continue
        if record is not None:
            yield record
        record = _Record(kind, [data])
    if record is not None:
        yield record
    # Streams are filled up with nothing.
    if at > len(octets) or octets[at:].strip(b"\0"):
        carrier.miss()


def _texts(record: _Record, carrier: Carrier) -> Iterator[str]:
    """The strings in a record; links and pictures are told to the carrier."""
    kind, pieces = record
    try:
        if kind == _SHARED:
            yield from _shared(Octets(pieces))
        elif kind in _STRING_AT and len(pieces[0]) > _STRING_AT[kind]:
            octets = Octets(pieces)
            octets.take(_STRING_AT[kind])
            yield octets.string(octets.number(2))
        elif kind == _SHEET:
            octets = Octets(pieces)
            octets.take(6)
            yield octets.string(octets.number(1))
        elif kind == _TEXT_BOX and len(pieces) > 1:
            count = int.from_bytes(pieces[0][10:12], "little")
            yield Octets(pieces[1:]).string(count)
        elif kind == _LINK:
            _tell_link(pieces[0], carrier)
        elif kind == _FORMULA:
            _tell_formula(pieces[0], carrier)
        elif kind == _DRAWINGS:
            for picture in pictures_in(b"".join(pieces)):
                carrier.inner(picture, "", "")
    except (Cut, struct.error):
        carrier.miss()


def _shared(octets: Octets) -> Iterator[str]:
    octets.take(4)
    count = octets.number(4)
    for _ in range(min(count, _MAX_STRINGS)):
        yield octets.string(octets.number(2))
    if count > _MAX_STRINGS:
        raise Cut


def _tell_link(data: bytes, carrier: Carrier) -> None:
    octets = Octets([data[_FLAGS_AT:]])
    flags = octets.number(4)
    # The order of the fields is theirs; strings tell their length with the last nought.
    shown = octets.wide(octets.number(4)) if flags & _HAS_SHOWN else ""
    if flags & _HAS_FRAME:
        octets.wide(octets.number(4))
    target = ""
    if flags & _HAS_MONIKER and flags & _IS_STRING:
        target = octets.wide(octets.number(4))
    elif flags & _HAS_MONIKER:
        if octets.take(16) != _URL_MONIKER:
            # A file on somebody's own disk.
            return
        target = octets.take(octets.number(4)).decode("utf-16-le", "replace")
    fragment = ""
    if flags & _HAS_FRAGMENT:
        with suppress(Cut):
            fragment = octets.wide(octets.number(4))
    # What stands behind the first nought is about the moniker itself.
    target, fragment, shown = (part.partition("\0")[0] for part in (target, fragment, shown))
    if target:
        carrier.link(with_fragment(target, fragment), shown)


def _tell_formula(data: bytes, carrier: Carrier) -> None:
    tokens = data[_TOKENS_AT:]
    if tokens[:1] == bytes((_STRING_TOKEN,)) and _HYPERLINK_CALL in tokens:
        octets = Octets([tokens[1:]])
        carrier.link(octets.string(octets.number(1)))
