"""Compound files made for tests: old Word, PowerPoint and Excel files, and Outlook items.

As small as the standards allow, but whole: other readers of compound files open them. Nothing is a
copy of a real file.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NO_ENTRY = 0xFFFFFFFF
MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
Tree = Mapping[str, Any]


def compound(tree: Tree, *, shift: int = 9) -> bytes:
    """A compound file; values are streams (octets) or folders (mappings)."""
    return _Writer(shift).write(tree)


class _Writer:
    """MS-CFB §2: header, then data, small data, its table, the directory, the table of sectors."""

    def __init__(self, shift: int) -> None:
        self.shift = shift
        self.size = 1 << shift
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.small = b""
        self.small_fat: list[int] = []
        self.rows: list[list[Any]] = []

    def write(self, tree: Tree) -> bytes:
        self.rows.append(["Root Entry", 5, NO_ENTRY, NO_ENTRY, NO_ENTRY, END, 0])
        self.rows[0][4] = self._folder(tree)
        self.rows[0][5:] = self._large(self.small), len(self.small)
        small_fat = struct.pack(f"<{len(self.small_fat)}I", *self.small_fat)
        first_small = self._large(
            small_fat.ljust(-(-len(small_fat) // self.size) * self.size, b"\xff")
        )
        directory = b"".join(map(self._row, self.rows))
        first = self._large(directory)
        per = self.size // 4
        count = 1
        while count * per < len(self.fat) + count:
            count += 1
        assert count <= 109
        numbers = [*range(len(self.fat), len(self.fat) + count)]
        fat = [*self.fat, *[FAT_SECTOR] * count]
        fat += [FREE] * (count * per - len(fat))
        small_count = -(-len(small_fat) // self.size)
        header = MAGIC + bytes(16)
        header += struct.pack("<5H6x", 0x3E, 3 if self.shift == 9 else 4, 0xFFFE, self.shift, 6)
        header += struct.pack("<9I", 0, count, first, 0, 4_096, first_small, small_count, END, 0)
        header += struct.pack("<109I", *numbers, *[FREE] * (109 - count))
        return (
            header.ljust(self.size, b"\0")
            + b"".join(self.sectors)
            + struct.pack(f"<{len(fat)}I", *fat)
        )

    def _folder(self, tree: Tree) -> int:
        """The rows of a folder; each name leads to the next, as a tree without branches."""
        before = NO_ENTRY
        first = NO_ENTRY
        for name in sorted(tree, key=lambda name: (len(name), name.upper())):
            content = tree[name]
            row = [name, 1, NO_ENTRY, NO_ENTRY, NO_ENTRY, 0, 0]
            self.rows.append(row)
            number = len(self.rows) - 1
            if before == NO_ENTRY:
                first = number
            else:
                self.rows[before][3] = number
            before = number
            if isinstance(content, bytes):
                row[1] = 2
                row[5:] = self._stream(content), len(content)
            else:
                row[4] = self._folder(content)
        return first

    def _stream(self, content: bytes) -> int:
        if len(content) >= 4096:
            return self._large(content)
        first = len(self.small_fat)
        count = -(-len(content) // 64)
        if not count:
            return END
        self.small += content.ljust(count * 64, b"\0")
        self.small_fat += [*range(first + 1, first + count), END]
        return first

    def _large(self, content: bytes) -> int:
        if not content:
            return END
        first = len(self.sectors)
        for at in range(0, len(content), self.size):
            self.sectors.append(content[at : at + self.size].ljust(self.size, b"\0"))
        self.fat += [*range(first + 1, len(self.sectors)), END]
        return first

    def _row(self, row: list[Any]) -> bytes:
        name, kind, left, right, child, start, size = row
        encoded = (name + "\0").encode("utf-16-le")
        return (
            encoded.ljust(64, b"\0")
            + struct.pack("<H2B3I", len(encoded), kind, 1, left, right, child)
            + bytes(36)
            + struct.pack("<2I4x", start, size)
        )


def field(instruction: str, shown: str) -> str:
    """A field as it stands in the text of a Word file."""
    return f"\x13{instruction}\x14{shown}\x15"


def word_streams(
    *pieces: str, picture: bytes = b"", flags: int = 0, version: int = 0xC1
) -> dict[str, bytes]:
    """The streams of a Word file; a piece of ASCII is written in single octets."""
    head = bytearray(1_024)
    text = b""
    positions = [0]
    rows = b""
    for piece in pieces:
        place = len(head) + len(text)
        if piece.isascii():
            text += piece.encode()
            place = 2 * place | 0x40000000
        else:
            text += piece.encode("utf-16-le")
        rows += struct.pack("<HIH", 0, place, 0)
        positions.append(positions[-1] + len(piece.encode("utf-16-le")) // 2)
    clx = b"\x01\x02\x00\xff\xff"
    clx += b"\x02" + struct.pack("<I", 4 * len(positions) + len(rows))
    clx += struct.pack(f"<{len(positions)}I", *positions) + rows
    struct.pack_into("<2H", head, 0, 0xA5EC, version)
    struct.pack_into("<H", head, 10, 0x0200 | flags)
    struct.pack_into("<2I", head, 418, 7, len(clx))
    streams = {"WordDocument": bytes(head) + text, "1Table": b"\0" * 7 + clx}
    if picture:
        streams["Data"] = b"\x44" * 68 + blip(picture)
    return streams


def doc(*pieces: str, picture: bytes = b"") -> bytes:
    """A Word file."""
    return compound(word_streams(*pieces, picture=picture))


def blip(picture: bytes) -> bytes:
    """A picture as a record of a drawing."""
    return struct.pack("<2HI", 0x6E00, 0xF01E, 17 + len(picture)) + b"\x11" * 17 + picture


def atom(kind: int, data: bytes, instance: int = 0) -> bytes:
    """A record of PowerPoint."""
    return struct.pack("<2HI", instance << 4, kind, len(data)) + data


def container(kind: int, *records: bytes) -> bytes:
    """A record of PowerPoint that holds others."""
    data = b"".join(records)
    return struct.pack("<2HI", 0xF, kind, len(data)) + data


def slide_link(target: str, shown: str = "", fragment: str = "") -> bytes:
    """A link of PowerPoint."""
    strings = {0: shown, 1: target, 3: fragment}
    return container(
        0x0FD7,
        atom(0x0FD3, b"\1\0\0\0"),
        *[
            atom(0x0FBA, text.encode("utf-16-le"), number)
            for number, text in strings.items()
            if text
        ],
    )


def ppt_streams(*texts: str, links: Sequence[bytes] = (), more: bytes = b"") -> dict[str, bytes]:
    """The streams of a PowerPoint file; ASCII is written in single octets."""
    atoms = [
        atom(0x0FA8, text.encode()) if text.isascii() else atom(0x0FA0, text.encode("utf-16-le"))
        for text in texts
    ]
    slide = container(0x03EE, container(0xF00D, *atoms))
    document = container(0x03E8, container(0x0409, *links))
    return {
        "Current User": struct.pack("<2H2I", 0, 0x0FF6, 20, 20)
        + bytes.fromhex("5fc091e3")
        + bytes(12),
        "PowerPoint Document": document + slide + more,
    }


def ppt(*texts: str, links: Sequence[bytes] = (), picture: bytes = b"") -> bytes:
    """A PowerPoint file."""
    streams = ppt_streams(*texts, links=links)
    return compound(streams | ({"Pictures": blip(picture)} if picture else {}))


def packed_object(octets: bytes) -> bytes:
    """A file embedded in a PowerPoint file."""
    return atom(0x1011, struct.pack("<I", len(octets)) + zlib.compress(octets), 1)


def biff(kind: int, data: bytes) -> bytes:
    """A record of Excel, continued where it is too long for one."""
    first, rest = data[:8_224], data[8_224:]
    octets = struct.pack("<2H", kind, len(first)) + first
    return octets + (biff(0x3C, rest) if rest else b"")


BOF = biff(0x0809, struct.pack("<2H12x", 0x0600, 5))
EOF = biff(0x0A, b"")


def string(text: str, *, short: bool = False) -> bytes:
    """A string of Excel: count, flags, characters."""
    is_narrow = all(ord(char) < 256 for char in text)
    octets = text.encode("latin-1" if is_narrow else "utf-16-le")
    count = len(text.encode("utf-16-le")) // 2
    return struct.pack("<BB" if short else "<HB", count, not is_narrow) + octets


def shared(*texts: str, most: int = 8_224) -> bytes:
    """The table of shared strings; where a record ends within one, the flags are said again."""
    records = [struct.pack("<2I", len(texts), len(texts))]
    for text in texts:
        octets = string(text)
        width = 2 if octets[2] else 1
        if len(records[-1]) + 3 > most:
            records.append(b"")
        head, octets = octets[:3], octets[3:]
        records[-1] += head
        while octets:
            room = (most - len(records[-1])) // width * width
            if room <= 0:
                records.append(head[2:3])
                continue
            records[-1] += octets[:room]
            octets = octets[room:]
    return b"".join(biff(0x3C if at else 0xFC, data) for at, data in enumerate(records))


def sheet_link(
    target: str, *, shown: str = "", fragment: str = "", as_string: bool = False
) -> bytes:
    """A link of Excel."""

    def counted(text: str) -> bytes:
        return struct.pack("<I", len(text) + 1) + (text + "\0").encode("utf-16-le")

    url = (target + "\0").encode("utf-16-le")
    flags = 0x3 | (0x10 if shown else 0) | (0x8 if fragment else 0) | (0x100 if as_string else 0)
    moniker = (
        counted(target)
        if as_string
        else bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", len(url)) + url
    )
    return biff(
        0x01B8,
        bytes(8)
        + bytes.fromhex("d0c9ea79f9bace118c8200aa004ba90b")
        + struct.pack("<2I", 2, flags)
        + (counted(shown) if shown else b"")
        + moniker
        + (counted(fragment) if fragment else b""),
    )


def formula_link(target: str, shown: str) -> bytes:
    """A cell with a call of HYPERLINK."""
    tokens = b"\x17" + string(target, short=True) + b"\x17" + string(shown, short=True)
    tokens += b"\x42\x02\x67\x01"
    return biff(0x06, bytes(20) + struct.pack("<H", len(tokens)) + tokens)


def text_box(text: str) -> bytes:
    """A text box or a comment."""
    head = bytes(10) + struct.pack("<2H4x", len(text), 16)
    return biff(0x01B6, head) + biff(0x3C, string(text)[2:]) + biff(0x3C, bytes(16))


def workbook(*records: bytes) -> bytes:
    """The stream of an Excel file."""
    return BOF + b"".join(records) + EOF


def xls(*records: bytes) -> bytes:
    """An Excel file."""
    return compound({"Workbook": workbook(*records)})


def item_streams(
    subject: str, text: str, *, html: str = "", files: Mapping[str, bytes] | None = None,
    item: Tree | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The streams of an Outlook item; `item` is another one within."""
    streams: dict[str, Any] = {
        "__properties_version1.0": bytes(32),
        "__nameid_version1.0": {"__substg1.0_00020102": b""},
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_1000001F": text.encode("utf-16-le"),
        "__recip_version1.0_#00000000": {"__properties_version1.0": bytes(8)},
    }
    if html:
        streams["__substg1.0_10130102"] = html.encode()
    for number, (name, octets) in enumerate((files or {}).items()):
        streams[f"__attach_version1.0_#{number:08X}"] = {
            "__properties_version1.0": bytes(8),
            "__substg1.0_37010102": octets,
            "__substg1.0_3707001F": name.encode("utf-16-le"),
        }
    if item:
        streams["__attach_version1.0_#000000FF"] = {
            "__properties_version1.0": bytes(8),
            "__substg1.0_3701000D": item,
        }
    return streams


def msg(subject: str, text: str, **more: Any) -> bytes:
    """An Outlook item."""
    return compound(item_streams(subject, text, **more))
