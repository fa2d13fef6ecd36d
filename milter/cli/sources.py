"""Messages from files, folders, mbox (also .gz), Maildir and standard input, one by one.

Gives octets as they lie there; an mbox "From " line is cut off, nothing else is touched. Refuses to
follow links out of a folder and to read what is no regular file.

Standards: RFC 4155 (mbox), Maildir (cur, new). Failure: what cannot be read is an `Unreadable` with
a sentence; the rest still comes.
"""

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# RFC 4155: a "From " line after an empty line (or at the start) begins a message.
_MBOX_START = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\n")
_MBOX_NAMES = {".mbox", ".mbx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One message and where it was found; `index` counts within its file.

    `start` is its offset in the file, or in what a .gz unpacks to.
    """

    path: str
    index: int
    raw: bytes
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An input that gave no message."""

    path: str
    reason: str


def stored_messages(paths: list[str]) -> Iterator[Stored | Unreadable]:
    """All messages of all paths, in order."""
    for name in paths:
        if name == "-":
            yield from _split("-", sys.stdin.buffer.read(), is_mbox=None)
            continue
        path = Path(name)
        try:
            if path.is_dir():
                yield from _folder(path)
            else:
                yield from _file(path)
        except OSError as error:
            yield Unreadable(path=name, reason=error.strerror or type(error).__name__)


def _folder(folder: Path) -> Iterator[Stored | Unreadable]:
    if (folder / "cur").is_dir() or (folder / "new").is_dir():
        for name in ("cur", "new"):
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                yield from _files_below(folder / name)
        return
    yield from _files_below(folder)


def _files_below(folder: Path) -> Iterator[Stored | Unreadable]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        try:
            yield from _file(path)
        except OSError as error:
            yield Unreadable(path=str(path), reason=error.strerror or type(error).__name__)


def _file(path: Path) -> Iterator[Stored | Unreadable]:
    octets = path.read_bytes()
    name = path.name
    if name.endswith(".gz"):
        try:
            octets = gzip.decompress(octets)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            yield Unreadable(path=str(path), reason="is no complete gzip file")
            return
        name = name.removesuffix(".gz")
    is_mbox = True if Path(name).suffix.lower() in _MBOX_NAMES else None
    if name.lower().endswith(".eml"):
        is_mbox = False
    yield from _split(str(path), octets, is_mbox=is_mbox)


def _split(path: str, octets: bytes, *, is_mbox: bool | None) -> Iterator[Stored | Unreadable]:
    """Messages of one file; an mbox is known by its name or, unless told, its first line."""
    if not octets.strip():
        yield Unreadable(path=path, reason="is empty")
        return
    if is_mbox is False or (is_mbox is None and not octets.startswith(b"From ")):
        match = _MBOX_START.match(octets)
        start = match.end() if match else 0
        yield Stored(path=path, index=0, raw=octets[start:], start=start)
        return
    starts = list(_MBOX_START.finditer(octets))
    if not starts:
        yield Unreadable(path=path, reason='is no mbox: no line begins with "From "')
        return
    ends = [match.start() for match in starts[1:]] + [len(octets)]
    for index, (match, end) in enumerate(zip(starts, ends, strict=True)):
        raw = _without_separator(octets[match.end() : end])
        yield Stored(path=path, index=index, raw=raw, start=match.end())


def _without_separator(octets: bytes) -> bytes:
    """Without the empty line that separates a message from the next."""
    for ending in (b"\r\n\r\n", b"\n\n"):
        if octets.endswith(ending):
            return octets[: -len(ending) // 2]
    return octets
