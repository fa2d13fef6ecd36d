"""The text and links of binary PowerPoint files (.ppt, .pps).

All text in the stream, also that of masters and notes, and of slides that a quick save left there.

**Standards:** MS-PPT §2.3 (RecordHeader, CurrentUserAtom), §2.9 (TextCharsAtom, TextBytesAtom),
§2.10 (ExHyperlinkContainer, ExOleObjStg), §2.4-2.5 (HeadersFooters, Comment10Container).
**Failure:** `struct.error` for what is cut off; encrypted files are a miss of the carrier.
"""

import struct
import zlib
from collections.abc import Iterator

from milter.read.carried.blips import pictures_in
from milter.read.carried.carrier import Carrier, with_fragment
from milter.read.carried.compound import MAX_STREAM_OCTETS, Folder

STREAM = "powerpoint document"
_MAX_RECORDS = 300_000
_ENCRYPTED = b"\xdf\xc4\xd1\xf3"
_CONTAINER = 0xF
_TEXT, _TEXT_OF_OCTETS, _STRING = 0x0FA0, 0x0FA8, 0x0FBA
_LINK, _HEADERS, _COMMENT, _OBJECT = 0x0FD7, 0x0FD9, 0x2EE0, 0x1011
_HOLDERS = frozenset({_LINK, _HEADERS, _COMMENT})
_KNOWN = frozenset({_TEXT, _TEXT_OF_OCTETS, _STRING, _OBJECT})
_SHOWN, _TARGET, _FRAGMENT = 0, 1, 3


def read_slides(folder: Folder, carrier: Carrier) -> None:
    """Tell the carrier what slides say, show and lead to."""
    if folder.stream("Current User")[12:16] == _ENCRYPTED:
        carrier.miss()
        return
    for picture in pictures_in(folder.stream("Pictures")):
        carrier.inner(picture, "", "")
    _Slides(folder.stream(STREAM), carrier).read()


class _Slides:
    """One stream being read."""

    def __init__(self, octets: bytes, carrier: Carrier) -> None:
        self.octets = octets
        self.carrier = carrier
        # The outline repeats the text of its slides.
        self.texts: dict[str, None] = {}
        self.within = 0
        self.within_end = 0
        self.link: dict[int, str] = {}

    def read(self) -> None:
        """All records, whatever they stand in."""
        try:
            for start, instance, kind, length in _records(self.octets, self.carrier):
                if start >= self.within_end:
                    self._leave()
                self._take(start, instance, kind, length)
        finally:
            self._leave()
            self.carrier.say("\n".join(self.texts))

    def _take(self, start: int, instance: int, kind: int, length: int) -> None:
        if kind in _HOLDERS:
            self.within, self.within_end = kind, start + length
            return
        if kind not in _KNOWN:
            return
        data = self.octets[start : start + length]
        if kind == _TEXT:
            self._say(data.decode("utf-16-le", "replace"))
        elif kind == _TEXT_OF_OCTETS:
            self._say(data.decode("latin-1"))
        elif kind == _STRING and self.within:
            text = data.decode("utf-16-le", "replace").rstrip("\0")
            if self.within == _LINK:
                self.link[instance] = text
            else:
                self._say(text)
        elif kind == _OBJECT:
            self._open(data, is_packed=instance == 1)

    def _say(self, text: str) -> None:
        self.texts[text.replace("\r", "\n").replace("\x0b", "\n")] = None

    def _leave(self) -> None:
        if target := self.link.get(_TARGET, ""):
            fragment = self.link.get(_FRAGMENT, "")
            self.carrier.link(with_fragment(target, fragment), self.link.get(_SHOWN, ""))
        self.within = 0
        self.link = {}

    def _open(self, data: bytes, *, is_packed: bool) -> None:
        if is_packed:
            try:
                data = zlib.decompressobj().decompress(data[4:], MAX_STREAM_OCTETS)
            except zlib.error:
                self.carrier.miss()
                return
        self.carrier.inner(data, "", "")


def _records(octets: bytes, carrier: Carrier) -> Iterator[tuple[int, int, int, int]]:
    """All records: where the data starts, instance, type, length; what holds others comes first."""
    at = 0
    for _ in range(_MAX_RECORDS):
        if at >= len(octets):
            return
        head, kind, length = struct.unpack_from("<2HI", octets, at)
        at += 8
        yield at, head >> 4, kind, length
        if head & 0xF != _CONTAINER:
            at += length
        if at > len(octets) or not carrier.budget.has_time():
            break
    carrier.miss()
