"""Compound files: old Office files, Outlook items, and the files embedded in them.

The names of the streams in a folder tell what it is, whatever the file is called. Embedded files
are folders within; what a newer Office file looks like when it is encrypted is one of these, too.
Macros are not looked into.

**Standards:** MS-CFB; MS-OFFCRYPTO §2.3.4.4 (EncryptedPackage); MS-OLEDS §2.3.6 (OLENativeStream).
**Failure:** never raises because of content; what is broken, encrypted or of another program is a
miss of the carrier.
"""

import struct
from collections.abc import Callable

from milter.read.carried import old_sheets, old_slides, old_word, outlook_item
from milter.read.carried.budget import MAX_DEPTH
from milter.read.carried.carrier import Carrier
from milter.read.carried.compound import Folder, open_compound

_READERS: dict[str, Callable[[Folder, Carrier], None]] = {
    old_word.STREAM: old_word.read_word,
    old_slides.STREAM: old_slides.read_slides,
    old_sheets.STREAM: old_sheets.read_sheets,
    old_sheets.OLD_STREAM: old_sheets.read_sheets,
    outlook_item.STREAM: outlook_item.read_item,
}
_MAX_FOLDERS = 300
_WHOLE_FILES = ("package", "contents")
_NATIVE = "\x01ole10native"
_MAX_NAME_OCTETS = 1_000


def read_compound(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a compound file says, shows, holds and leads to."""
    try:
        root = open_compound(octets, carrier)
    except (ValueError, struct.error):
        carrier.miss()
        return
    if not _read_folder(root, carrier):
        carrier.miss()
    waiting = [(folder, 1) for folder in root.folders.values()]
    for _ in range(_MAX_FOLDERS):
        if not waiting:
            return
        folder, depth = waiting.pop(0)
        _read_folder(folder, carrier)
        _read_files(folder, carrier)
        if depth < 2 * MAX_DEPTH:
            waiting += [(inner, depth + 1) for inner in folder.folders.values()]
    carrier.miss()


def _read_folder(folder: Folder, carrier: Carrier) -> bool:
    """Is this a file that can be read?"""
    read = next((read for name, read in _READERS.items() if name in folder.streams), None)
    if read is None:
        return False
    try:
        read(folder, carrier)
    except (ValueError, struct.error):
        carrier.miss()
    return True


def _read_files(folder: Folder, carrier: Carrier) -> None:
    for name in _WHOLE_FILES:
        if octets := folder.stream(name):
            carrier.inner(octets, "", "")
    if native := folder.stream(_NATIVE):
        try:
            name, octets = _unwrapped(native)
        except (ValueError, struct.error):
            carrier.miss()
            return
        carrier.file_name(name)
        carrier.inner(octets, "", name)


def _unwrapped(native: bytes) -> tuple[str, bytes]:
    """The name and the content of a file that was dropped into another."""
    # A size and a number; then the name, where the file came from, and where it was put.
    name_end = native.index(b"\0", 6, 6 + _MAX_NAME_OCTETS)
    path_end = native.index(b"\0", name_end + 1, name_end + 1 + _MAX_NAME_OCTETS)
    (length,) = struct.unpack_from("<I", native, path_end + 5)
    at = path_end + 9 + length
    (size,) = struct.unpack_from("<I", native, at)
    return native[6:name_end].decode("cp1252", "replace"), native[at + 4 : at + 4 + size]
