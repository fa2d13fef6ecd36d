"""Office files that are zip archives of XML: text, links, images and files within.

Word, Excel and PowerPoint (Office Open XML) and OpenDocument text, sheets and slides. Reads every
XML part but those known to hold no text, wherever it stands, and follows the relations of a part
for the targets of its links. Plain zip archives, macros and old binary formats are not looked into.

**Standards:** ECMA-376 parts 1 and 2 (§9.3, relationships), ODF 1.3 parts 2 and 3, APPNOTE 6.3.
**Failure:** never raises because of content; entries that are encrypted, packed beyond all
proportion, too many or too large are a miss of the carrier.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator

from milter.read.carried.carrier import Carrier
from milter.read.carried.office_xml import Refused, Words, read_relations, read_types, read_words

MAX_DIRECTORY_OCTETS = 300_000
MAX_XML_OCTETS = 8_000_000
MAX_FILE_OCTETS = 10_000_000
_MAX_XML_PARTS = 120
_MAX_RATIO = 250
_FREE_OCTETS = 1_000_000
_CHUNK_OCTETS = 65_536

_END = b"PK\x05\x06"
_END_OCTETS = 22
_END_64 = b"PK\x06\x07"
# Parts that hold no words, by declared type: their names are the sender's to choose.
_NO_TEXT = re.compile(
    r"theme|styles|settings|fontTable|numbering|calcChain|presProps|viewProps|slideMaster|slideLayout"
    r"|notesMaster|handoutMaster|customXml|[.-]properties\+xml|sheetMetadata|pivot"
)
_FIRST = re.compile(r"/(?:document|sharedStrings|slide1|workbook)\.xml$")
_TYPES = "[Content_Types].xml"
_NO_FILE = re.compile(
    r"\.(?:xml|rels|vml)$|/$|^mimetype$|^docProps/|^Thumbnails/|^Configurations2/|/printerSettings",
    re.IGNORECASE,
)


def read_package(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what an office file says, shows and leads to."""
    if not _has_small_directory(octets):
        carrier.miss()
        return
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            _Package(archive, carrier).read()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        carrier.miss()


def _has_small_directory(octets: bytes) -> bool:
    """Is the list of entries short? The library reads all of it at once.

    Where the list ends is looked for as the library does; ZIP64 is for what is too large anyway.
    """
    at = len(octets) - _END_OCTETS
    if octets[at : at + 4] != _END or octets[-2:] != b"\0\0":
        at = octets.rfind(_END, max(0, at - 65_536))
    if at < 0 or octets[max(0, at - 20) : at].startswith(_END_64):
        return False
    size = int.from_bytes(octets[at + 12 : at + 16], "little")
    return size <= MAX_DIRECTORY_OCTETS


class _Package:
    """One archive being read."""

    def __init__(self, archive: zipfile.ZipFile, carrier: Carrier) -> None:
        self.archive = archive
        self.carrier = carrier
        self.entries = {info.filename: info for info in archive.infolist()}

    def read(self) -> None:
        """All parts that hold words, then the images and files."""
        is_open_document = self._mimetype().startswith(b"application/vnd.oasis.opendocument")
        if not is_open_document and _TYPES not in self.entries:
            self.carrier.miss()
            return
        for name in self._word_parts(is_open_document):
            self._read_part(name, is_open_document)
        self._read_files()

    def _mimetype(self) -> bytes:
        info = self.entries.get("mimetype")
        return b"".join(self._chunks(info, 200)) if info else b""

    def _word_parts(self, is_open_document: bool) -> list[str]:
        if is_open_document:
            # Headers and footers of OpenDocument stand among its styles.
            return [name for name in ("content.xml", "styles.xml") if name in self.entries]
        types = self._types()
        names = [
            name
            for name in self.entries
            if name.endswith(".xml") and name != _TYPES and not _NO_TEXT.search(types.get(name, ""))
        ]
        names.sort(key=lambda name: (not _FIRST.search(name), len(name), name))
        if len(names) > _MAX_XML_PARTS:
            self.carrier.miss()
        return names[:_MAX_XML_PARTS]

    def _types(self) -> dict[str, str]:
        try:
            return dict(read_types(self._chunks(self.entries[_TYPES], MAX_XML_OCTETS)))
        except Refused:
            self.carrier.miss()
            return {}

    def _read_part(self, name: str, is_open_document: bool) -> None:
        words = Words(is_open_document=is_open_document)
        try:
            for _ in read_words(self._chunks(self.entries[name], MAX_XML_OCTETS), words):
                if not self.carrier.budget.has_time():
                    self.carrier.miss()
                    break
        except Refused:
            self.carrier.miss()
        self.carrier.say(words.text())
        for target, shown in words.targets:
            self.carrier.link(target, shown)
        folder, _, file = name.rpartition("/")
        relations = self.entries.get(posixpath.join(folder, "_rels", f"{file}.rels"))
        if relations is None:
            return
        try:
            for identifier, target in read_relations(self._chunks(relations, MAX_XML_OCTETS)):
                self.carrier.link(target, words.shown.get(identifier, ""))
        except Refused:
            self.carrier.miss()

    def _read_files(self) -> None:
        """Images and embedded files, the smallest first: a code needs few octets."""
        files = [info for name, info in self.entries.items() if not _NO_FILE.search(name)]
        for info in sorted(files, key=lambda info: info.file_size):
            octets = b"".join(self._chunks(info, MAX_FILE_OCTETS))
            if octets:
                self.carrier.inner(octets, "", info.filename)

    def _chunks(self, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        """The content of an entry, as far as bounds allow."""
        packed = max(1, info.compress_size)
        is_bomb = info.file_size > _FREE_OCTETS and info.file_size // packed > _MAX_RATIO
        is_plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        # Encrypted entries have the lowest bit set.
        if is_bomb or not is_plain or info.flag_bits & 1 or info.file_size > most:
            self.carrier.miss()
            return
        try:
            with self.archive.open(info) as stream:
                while chunk := stream.read(_CHUNK_OCTETS):
                    self.carrier.budget.octets -= len(chunk)
                    if self.carrier.budget.octets < 0:
                        self.carrier.miss()
                        return
                    yield chunk
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ):
            self.carrier.miss()
