"""A zip archive under the bounds of its carrier: the list of entries, and their content in pieces.

The library reads the whole list of entries at once, so how long it is gets looked at first. Nothing
is written anywhere, and no password is tried.

**Standards:** APPNOTE 6.3.10 §4.3 (records), §4.4.4 (flags), §4.6.9 (Unicode path), Appendix D.
**Failure:** `open_zip` raises ValueError for what is no archive or has too long a list. Entries
that are encrypted, packed beyond all proportion, packed in a rare way or too large are a miss of
the carrier.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from milter.read.carried.carrier import Carrier
from milter.read.decode import decode_charset

MAX_DIRECTORY_OCTETS = 300_000
MAX_FILE_OCTETS = 10_000_000
MAX_RATIO = 250
FREE_OCTETS = 1_000_000
CHUNK_OCTETS = 65_536

_END = b"PK\x05\x06"
_END_OCTETS = 22
_END_64 = b"PK\x06\x07"
_ENCRYPTED, _IS_UTF_8 = 0x1, 0x800
_UNICODE_PATH = b"up"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Zip:
    """An open archive, and the carrier that pays for reading it."""

    archive: zipfile.ZipFile
    carrier: Carrier

    def by_name(self) -> dict[str, zipfile.ZipInfo]:
        """The entries by the names that the library gives them."""
        return {info.filename: info for info in self.archive.infolist()}

    def chunks(self, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        """The content of an entry, as far as bounds allow."""
        is_plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        is_encrypted = info.flag_bits & _ENCRYPTED
        if is_bomb(info.file_size, info.compress_size) or not is_plain or is_encrypted:
            self.carrier.miss()
            return
        if info.file_size > most:
            self.carrier.miss()
            return
        try:
            with self.archive.open(info) as stream:
                while chunk := stream.read(CHUNK_OCTETS):
                    self.carrier.budget.octets -= len(chunk)
                    if self.carrier.budget.octets < 0:
                        self.carrier.miss()
                        return
                    yield chunk
        except _BROKEN:
            self.carrier.miss()


def open_zip(octets: bytes, carrier: Carrier) -> Zip:
    """The archive in these octets, if its list of entries is short enough to be read."""
    if not _has_small_directory(octets):
        raise ValueError("no list of entries, or too long a one")
    try:
        return Zip(zipfile.ZipFile(io.BytesIO(octets)), carrier)
    except _BROKEN as error:
        raise ValueError("no zip archive") from error


def is_bomb(size: int, packed: int) -> bool:
    """Does so little unpack to so much that no honest file would?"""
    return size > FREE_OCTETS and size // max(1, packed) > MAX_RATIO


def shown_name(info: zipfile.ZipInfo) -> str:
    """The name that a program for archives shows.

    Where an entry does not say that its name is UTF-8, the library takes it for code page 437,
    which few writers mean: most mean UTF-8 or what their country wrote before it.
    """
    raw = b"" if info.flag_bits & _IS_UTF_8 else _raw_name(info)
    if not raw:
        return info.filename
    return _unicode_path(info.extra, raw) or decode_charset(raw, "")[0]


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    try:
        return info.filename.encode("cp437")
    except UnicodeEncodeError:
        return b""


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The other name in the extra field, if it belongs to this one."""
    at = 0
    while at + 9 <= len(extra):
        end = at + 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
        if extra[at : at + 2] == _UNICODE_PATH:
            checksum = int.from_bytes(extra[at + 5 : at + 9], "little")
            if checksum == zlib.crc32(raw):
                return extra[at + 9 : end].decode("utf-8", "replace")
        at = end
    return ""


def _has_small_directory(octets: bytes) -> bool:
    """Is the list of entries short?

    Where the list ends is looked for as the library does; ZIP64 is for what is too large anyway.
    """
    at = len(octets) - _END_OCTETS
    if octets[at : at + 4] != _END or octets[-2:] != b"\0\0":
        at = octets.rfind(_END, max(0, at - 65_536))
    if at < 0 or octets[max(0, at - 20) : at].startswith(_END_64):
        return False
    size = int.from_bytes(octets[at + 12 : at + 16], "little")
    return size <= MAX_DIRECTORY_OCTETS
