"""Batches that a store did not take, in files, until it takes them again.

Each process appends to segments of its own, locked (flock) as long as it lives; segments whose
writer died are adopted by whoever looks first. A record is its length, a checksum and one batch;
what a killed process left half-written is not a record and ends its segment. Content is sealed
before it comes here. Over its bounds the journal drops its oldest segment, whole.

Nothing is synced: a memory that a power cut loses is a weaker finding, never a lost mail.
Appending and reading are short and done where they are called; `orphans` may read much and may be
called in a thread.

**Failure:** none: what cannot be kept is counted by `dropped`.
"""

import fcntl
import os
import secrets
import struct
import time
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from milter.adapters.history.store import Batch, Entry, Mark

_HEAD: Final = struct.Struct("<II")
_SEGMENTS: Final = 8
_SUFFIX: Final = ".journal"
_LONGEST: Final = 16_000_000


@dataclass(slots=True)
class Segment:
    """A file that this process has locked."""

    path: Path
    descriptor: int
    size: int = 0
    records: int = 0
    # What of it has been taken by the store.
    offset: int = 0
    done: int = 0


class BatchJournal:
    """`most_bytes` and `most_records` bound what this process keeps."""

    def __init__(self, folder: Path, *, most_bytes: int, most_records: int = 200_000) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_records = most_records
        self._segments: deque[Segment] = deque()
        self._is_appending = False
        self._read: Segment | None = None
        self.dropped = 0

    def __len__(self) -> int:
        """How many batches wait."""
        return sum(each.records - each.done for each in self._segments)

    def append(self, batch: Batch) -> bool:
        """Keep a batch; False if that is not possible."""
        told = _encoded(batch)
        octets = _HEAD.pack(len(told), zlib.crc32(told)) + told
        if len(told) > _LONGEST or len(octets) > self._most_bytes:
            return False
        try:
            segment = self._active()
            if os.write(segment.descriptor, octets) != len(octets):
                # A full disk: what stands there half is no record.
                os.ftruncate(segment.descriptor, segment.size)
                return False
        except OSError:
            return False
        segment.size += len(octets)
        segment.records += 1
        self._bound()
        return True

    def oldest(self, most: int) -> list[Batch]:
        """Up to so many of the oldest batches; those of one segment only."""
        while self._segments:
            segment = self._segments[0]
            batches = []
            for batch, _ in _records(segment):
                batches.append(batch)
                if len(batches) == most:
                    break
            if batches:
                self._read = segment
                return batches
            # Nothing more can be read of it.
            self.dropped += segment.records - segment.done
            self._remove()
        return []

    def advance(self, count: int) -> None:
        """The store has so many of what `oldest` gave."""
        if not self._segments or self._segments[0] is not self._read:
            # Dropped meanwhile, for newer ones.
            return
        segment = self._segments[0]
        for _, end in _records(segment):
            if not count:
                break
            segment.offset, segment.done, count = end, segment.done + 1, count - 1
        if segment.done >= segment.records:
            self._remove()

    def orphans(self) -> list[Segment]:
        """What dead processes left, ours from now on; oldest first."""
        with suppress(OSError):
            paths = sorted(self._folder.glob(f"*{_SUFFIX}"))
            return [one for path in paths if (one := _adopted(path)) is not None]
        return []

    def adopt(self, segments: Sequence[Segment]) -> None:
        """Take them in; ours are the younger, and the last is the one that grows."""
        self._segments.extendleft(reversed(segments))
        self._bound()

    def close(self) -> None:
        """Let go; another process may take over."""
        for each in self._segments:
            os.close(each.descriptor)
        self._segments.clear()
        self._is_appending = False

    def _active(self) -> Segment:
        """The segment that grows, a new one where there is none or it is long enough."""
        if self._is_appending and self._segments:
            last = self._segments[-1]
            if last.size < self._most_bytes // _SEGMENTS:
                return last
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}{_SUFFIX}"
        draft = path.with_suffix(".new")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(draft, flags, 0o600)
        # Locked before it has a name that others look for.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(path)
        self._segments.append(Segment(path, descriptor))
        self._is_appending = True
        return self._segments[-1]

    def _bound(self) -> None:
        while self._segments and (
            sum(each.size for each in self._segments) > self._most_bytes
            or len(self) > self._most_records
        ):
            oldest = self._segments[0]
            self.dropped += oldest.records - oldest.done
            self._remove()

    def _remove(self) -> None:
        segment = self._segments.popleft()
        if not self._segments:
            self._is_appending = False
        with suppress(OSError):
            segment.path.unlink()
        os.close(segment.descriptor)


def _adopted(path: Path) -> Segment | None:
    """The segment of a dead process; None where its writer lives, or nothing can be read."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        facts = os.fstat(descriptor)
        segment = Segment(path, descriptor, size=facts.st_size)
        segment.records = sum(1 for _ in _records(segment))
        # Another may have taken and finished it between our look and our lock.
        if facts.st_nlink and segment.records:
            return segment
        path.unlink(missing_ok=True)
    except OSError:
        pass
    os.close(descriptor)
    return None


def _records(segment: Segment) -> Iterator[tuple[Batch, int]]:
    """The sound records after what is done, each with the place where it ends."""
    position = segment.offset
    while position + _HEAD.size <= segment.size:
        length, checksum = _HEAD.unpack(os.pread(segment.descriptor, _HEAD.size, position))
        position += _HEAD.size
        if length > _LONGEST:
            return
        told = os.pread(segment.descriptor, length, position)
        if len(told) != length or zlib.crc32(told) != checksum:
            return
        position += length
        try:
            batch = _decoded(told)
        except msgspec.MsgspecError:
            return
        yield batch, position


_Record = tuple[bytes, bytes, bytes, int, int, int, bytes]
_DECODER: Final = msgspec.msgpack.Decoder(tuple[list[_Record], list[_Record]])


def _encoded(batch: Batch) -> bytes:
    return msgspec.msgpack.encode(
        (
            [
                (key, one.event_id, one.group, one.at, 0, one.expires, one.value)
                for key, one in batch.entries
            ],
            [
                (key, one.field, b"", one.first, one.last, one.expires, one.value)
                for key, one in batch.marks
            ],
        )
    )


def _decoded(octets: bytes) -> Batch:
    entries, marks = _DECODER.decode(octets)
    return Batch(
        entries=tuple(
            (key, Entry(name, group, at, expires, value))
            for key, name, group, at, _, expires, value in entries
        ),
        marks=tuple(
            (key, Mark(name, first, last, expires, value))
            for key, name, _, first, last, expires, value in marks
        ),
    )
