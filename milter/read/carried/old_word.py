"""The text and links of binary Word files (.doc, from Word 97 on).

All text there is: body, notes, headers, footers, comments and text boxes, in the order of the file.
What was deleted under "track changes" is in it, too.

**Standards:** MS-DOC §2.4.1 (text by pieces), §2.5 (FIB), §2.8 (PlcPcd), §2.9 (Clx, Pcd,
FcCompressed); fields as in ECMA-376 part 1 §17.16.
**Failure:** `ValueError` or `struct.error` for what is broken; older and encrypted files are a miss
of the carrier.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from milter.read.carried.blips import pictures_in
from milter.read.carried.carrier import MAX_CHARS, Carrier, with_fragment
from milter.read.carried.compound import Folder

STREAM = "worddocument"
_MARK, _OLDEST = 0xA5EC, 0x00C1
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_CLX_AT = 418
_PROPERTIES, _PIECES = 1, 2
_IS_ONE_OCTET = 0x40000000
_MAX_PIECES = 50_000
_MAX_PROPERTIES = 10_000
_MAX_OPEN_FIELDS = 30

_FIELD_SIGNS = re.compile("([\x13\x14\x15])")
_BEGIN, _SEPARATOR, _END = "\x13", "\x14", "\x15"
_ARGUMENT = re.compile(r"\\([a-zA-Z])|\"([^\"]*+)\"?|([^\s\"]++)")
# Switches of HYPERLINK that have an argument of their own; "l" is what stands behind the "#".
_WITH_ARGUMENT, _FRAGMENT = frozenset("lot"), "l"
_MAX_INSTRUCTION_CHARS = 4_000
# Signs for pictures, notes and the like; the hyphen that is only seen at the end of a line.
_UNSEEN = (*range(7), 8, *range(0x0F, 0x13), *range(0x16, 0x1E), 0x1F)
_AS_SHOWN: dict[int, str | None] = {
    **dict.fromkeys(_UNSEEN),
    **dict.fromkeys(map(ord, "\r\x0b\x0c\x0e"), "\n"),
    ord("\x07"): "\t",
    ord("\x1e"): "-",
}


@dataclass(slots=True)
class _Field:
    """A field that has begun: what it does, and what it shows."""

    instruction: list[str] = field(default_factory=list)
    result: list[str] = field(default_factory=list)
    is_shown: bool = False


def read_word(folder: Folder, carrier: Carrier) -> None:
    """Tell the carrier what a Word file says, shows and leads to."""
    document = folder.stream(STREAM)
    mark, version = struct.unpack_from("<2H", document)
    (flags,) = struct.unpack_from("<H", document, 10)
    if mark != _MARK or version < _OLDEST or flags & _ENCRYPTED:
        carrier.miss()
        return
    table = folder.stream("1Table" if flags & _TABLE_1 else "0Table")
    start, length = struct.unpack_from("<2I", document, _CLX_AT)
    try:
        text = "".join(_pieces(document, table[start : start + length], carrier))
    finally:
        for octets in (document, folder.stream("Data")):
            for picture in pictures_in(octets):
                carrier.inner(picture, "", "")
    carrier.say(_without_fields(text, carrier))


def _pieces(document: bytes, clx: bytes, carrier: Carrier) -> Iterator[str]:
    at = 0
    for _ in range(_MAX_PROPERTIES):
        if clx[at : at + 1] != bytes((_PROPERTIES,)):
            break
        at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
    kind, length = struct.unpack_from("<BI", clx, at)
    at += 5
    if kind != _PIECES or at + length > len(clx):
        raise ValueError("no table of pieces")
    count = (length - 4) // 12
    if count > _MAX_PIECES:
        carrier.miss()
        count = _MAX_PIECES
    positions = struct.unpack_from(f"<{count + 1}I", clx, at)
    rows = at + ((length - 4) // 12 + 1) * 4
    room = MAX_CHARS
    for number in range(count):
        # Text may stand once and be told a thousand times.
        chars = min(positions[number + 1] - positions[number], room + 1)
        if chars <= 0:
            continue
        (place,) = struct.unpack_from("<I", clx, rows + number * 8 + 2)
        width, codec, start = _stored(place)
        octets = document[start : start + chars * width]
        if len(octets) < chars * width:
            carrier.miss()
        yield octets.decode(codec, "replace")
        room -= chars
        if room < 0:
            carrier.miss()
            return


def _stored(place: int) -> tuple[int, str, int]:
    """How wide a character of a piece is, how it is written, and where the first one stands."""
    start = place & (_IS_ONE_OCTET - 1)
    return (1, "cp1252", start // 2) if place & _IS_ONE_OCTET else (2, "utf-16-le", start)


def _without_fields(text: str, carrier: Carrier) -> str:
    """The text as shown; where fields lead is told to the carrier."""
    shown: list[str] = []
    begun: list[_Field] = []

    def put(piece: str) -> None:
        if not begun:
            shown.append(piece)
        else:
            (begun[-1].result if begun[-1].is_shown else begun[-1].instruction).append(piece)

    for piece in _FIELD_SIGNS.split(text):
        if piece == _BEGIN:
            if len(begun) < _MAX_OPEN_FIELDS:
                begun.append(_Field())
        elif piece == _SEPARATOR:
            if begun:
                begun[-1].is_shown = True
        elif piece == _END:
            if begun:
                put(_ended(begun.pop(), carrier))
        else:
            put(piece.translate(_AS_SHOWN))
    while begun:
        unended = begun.pop()
        put("".join((*unended.instruction, *unended.result)))
    return "".join(shown)


def _ended(ended: _Field, carrier: Carrier) -> str:
    shown = "".join(ended.result)
    if target := _target("".join(ended.instruction)[:_MAX_INSTRUCTION_CHARS]):
        carrier.link(target, shown)
    return shown


def _target(instruction: str) -> str:
    """Where a HYPERLINK leads; nothing for other fields, and for links within the file."""
    name, _, rest = instruction.strip().partition(" ")
    if name.upper() != "HYPERLINK":
        return ""
    target = fragment = switch = ""
    for found in _ARGUMENT.finditer(rest):
        argument = found[2] or found[3] or ""
        if found[1]:
            switch = found[1].lower()
        elif switch in _WITH_ARGUMENT:
            fragment = argument if switch == _FRAGMENT else fragment
            switch = ""
        else:
            target = target or argument
    return with_fragment(target, fragment) if target else ""
