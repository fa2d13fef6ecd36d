"""Zip archives: office files, and plain ones, whose entries are files within a file.

**Standards:** APPNOTE 6.3.10, by `zip_file`.
**Failure:** never raises because of content; what cannot be opened is a miss of the carrier. An
archive without entries says nothing and is read whole.
"""

import zipfile
from collections.abc import Iterator
from functools import partial

from milter.read.carried.carrier import Carrier
from milter.read.carried.entries import Entry, read_entries
from milter.read.carried.package import is_package, read_package
from milter.read.carried.zip_file import Zip, open_zip, shown_name


def read_zip(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what an office file says, or what the files in an archive say."""
    try:
        opened = open_zip(octets, carrier)
    except ValueError:
        carrier.miss()
        return
    with opened.archive:
        if is_package(opened):
            read_package(opened)
        else:
            read_entries(_entries(opened), carrier)


def _entries(opened: Zip) -> Iterator[Entry]:
    for info in opened.archive.infolist():
        # The library's own question for folders fails for an entry without a name.
        if not info.filename.endswith("/"):
            if info.CRC and not info.file_size:
                # Content that is said to be none.
                opened.carrier.miss()
            yield Entry(
                name=shown_name(info),
                size=info.file_size,
                head=partial(_head, opened, info),
                content=partial(_content, opened, info),
            )


def _head(opened: Zip, info: zipfile.ZipInfo) -> bytes:
    return next(opened.chunks(info, info.file_size), b"")


def _content(opened: Zip, info: zipfile.ZipInfo, most: int) -> bytes:
    return b"".join(opened.chunks(info, most))
