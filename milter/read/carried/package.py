"""Office files that are zip archives of XML: text, links, images and files within.

Word, Excel and PowerPoint (Office Open XML) and OpenDocument text, sheets and slides. Reads every
XML part but those known to hold no text, wherever it stands, and follows the relations of a part
for the targets of its links. Macros are not looked into.

**Standards:** ECMA-376 parts 1 and 2 (§9.3, relationships), ODF 1.3 parts 2 and 3.
**Failure:** never raises because of content; what `zip_file` refuses, too many parts and broken XML
are a miss of the carrier.
"""

import posixpath
import re

from milter.read.carried.carrier import with_fragment
from milter.read.carried.office_xml import Refused, Words, read_relations, read_types, read_words
from milter.read.carried.zip_file import MAX_FILE_OCTETS, Zip

MAX_XML_OCTETS = 8_000_000
TYPES = "[Content_Types].xml"
_MAX_XML_PARTS = 120
_MAX_MIMETYPE_OCTETS = 200

# Parts that hold no words, by declared type: their names are the sender's to choose.
_NO_TEXT = re.compile(
    r"theme|styles|settings|fontTable|numbering|calcChain|presProps|viewProps|slideMaster|slideLayout"
    r"|notesMaster|handoutMaster|customXml|[.-]properties\+xml|sheetMetadata|pivot"
)
_FIRST = re.compile(r"/(?:document|sharedStrings|slide1|workbook)\.xml$")
_NO_FILE = re.compile(
    r"\.(?:xml|rels|vml)$|/$|^mimetype$|^docProps/|^Thumbnails/|^Configurations2/|/printerSettings",
    re.IGNORECASE,
)


def is_package(opened: Zip) -> bool:
    """Is this archive an office file?"""
    return TYPES in opened.by_name() or _is_open_document(opened)


def read_package(opened: Zip) -> None:
    """Tell the carrier what an office file says, shows and leads to."""
    _Package(opened).read()


def _is_open_document(opened: Zip) -> bool:
    info = opened.by_name().get("mimetype")
    # A plain archive may have a large file of that name.
    if info is None or info.file_size > _MAX_MIMETYPE_OCTETS:
        return False
    mimetype = b"".join(opened.chunks(info, _MAX_MIMETYPE_OCTETS))
    return mimetype.startswith(b"application/vnd.oasis.opendocument")


class _Package:
    """One archive being read."""

    def __init__(self, opened: Zip) -> None:
        self.opened = opened
        self.carrier = opened.carrier
        self.entries = opened.by_name()

    def read(self) -> None:
        """All parts that hold words, then the images and files."""
        is_open_document = _is_open_document(self.opened)
        for name in self._word_parts(is_open_document):
            self._read_part(name, is_open_document)
        self._read_files()

    def _word_parts(self, is_open_document: bool) -> list[str]:
        if is_open_document:
            # Headers and footers of OpenDocument stand among its styles.
            return [name for name in ("content.xml", "styles.xml") if name in self.entries]
        types = self._types()
        names = [
            name
            for name in self.entries
            if name.endswith(".xml") and name != TYPES and not _NO_TEXT.search(types.get(name, ""))
        ]
        names.sort(key=lambda name: (not _FIRST.search(name), len(name), name))
        if len(names) > _MAX_XML_PARTS:
            self.carrier.miss()
        return names[:_MAX_XML_PARTS]

    def _types(self) -> dict[str, str]:
        try:
            return dict(read_types(self.opened.chunks(self.entries[TYPES], MAX_XML_OCTETS)))
        except Refused:
            self.carrier.miss()
            return {}

    def _read_part(self, name: str, is_open_document: bool) -> None:
        words = Words(is_open_document=is_open_document)
        try:
            for _ in read_words(self.opened.chunks(self.entries[name], MAX_XML_OCTETS), words):
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
            for identifier, target in read_relations(self.opened.chunks(relations, MAX_XML_OCTETS)):
                whole = with_fragment(target, words.fragments.get(identifier, ""))
                self.carrier.link(whole, words.shown.get(identifier, ""))
        except Refused:
            self.carrier.miss()

    def _read_files(self) -> None:
        """Images and embedded files, the smallest first: a code needs few octets."""
        files = [info for name, info in self.entries.items() if not _NO_FILE.search(name)]
        for info in sorted(files, key=lambda info: info.file_size):
            octets = b"".join(self.opened.chunks(info, MAX_FILE_OCTETS))
            if octets:
                self.carrier.inner(octets, "", info.filename)
