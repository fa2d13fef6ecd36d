"""The journal of rule 8 in one append-only file that all fronts of a machine share.

Remembers which recipients got a mail in a transaction that we answered 451, by a keyed hash of
reverse-path, recipient and message key: no address is ever written. Not shared between machines
and not precious: a lost entry means a duplicate.

One record is one line of fixed width: `+` or `-`, the hash, the time of expiry. Whoever writes
holds an exclusive lock on the lock file, ends a torn line of a writer that died, appends, and
syncs. Whoever reads takes whole, well-formed lines only, and notices by size what others appended
and by inode that the file was compacted (written anew, synced, renamed).

Failure: `CannotKeep` from `remember` and `forget`; a look-up that cannot read knows nothing.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from milter.mail.envelope import Envelope, Recipient
from milter.ports import CannotKeep, Clock

KEEP = timedelta(days=5)
MAX_ENTRIES = 20_000
_FILE = "delivered.journal"
_LOCK = "delivered.lock"
_RECORD = re.compile(rb"([+-]) ([0-9a-f]{40}) ([0-9]{12})")
_RECORD_BYTES = 56


class FileJournal:
    """Implements `ports.Journal`; `key` keeps hashes of known addresses from being guessed."""

    def __init__(
        self, folder: Path, *, key: bytes, clock: Clock, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._path = folder / _FILE
        self._lock_path = folder / _LOCK
        self._key = hashlib.sha256(key).digest()
        self._clock = clock
        self._max_entries = max_entries
        self._entries: dict[bytes, int] = {}
        # Held open, so that the inode number of a file that was replaced cannot come back.
        self._file = -1
        self._offset = 0

    @property
    def is_empty(self) -> bool:
        """True if no front of this machine remembers anything; costs one stat."""
        self._refresh()
        if self._entries:
            self._expire()
        return not self._entries

    def was_delivered(self, envelope: Envelope, recipient: Recipient, message_key: str) -> bool:
        """True if this recipient has the message already."""
        self._refresh()
        expires = self._entries.get(self._hash(envelope, recipient, message_key))
        return expires is not None and expires > self._clock.now().timestamp()

    async def remember(
        self, envelope: Envelope, recipients: Sequence[Recipient], message_key: str
    ) -> None:
        """Note who got the message; on disk when this returns."""
        await self._write(b"+", envelope, recipients, message_key)

    async def forget(self, envelope: Envelope, message_key: str) -> None:
        """The retry is done: drop what is known of the envelope's recipients."""
        self._refresh()
        known = [
            recipient
            for recipient in envelope.recipients
            if self._hash(envelope, recipient, message_key) in self._entries
        ]
        await self._write(b"-", envelope, known, message_key)

    def close(self) -> None:
        """Give back the file descriptor."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _hash(self, envelope: Envelope, recipient: Recipient, message_key: str) -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=20)
        for field in (envelope.reverse_path.raw, recipient.path.raw, message_key.encode("ascii")):
            digest.update(len(field).to_bytes(4, "big") + field)
        return digest.hexdigest().encode("ascii")

    async def _write(
        self, sign: bytes, envelope: Envelope, recipients: Sequence[Recipient], message_key: str
    ) -> None:
        if not recipients:
            return
        expires = int((self._clock.now() + KEEP).timestamp())
        records = b"".join(
            _record(sign, self._hash(envelope, recipient, message_key), expires)
            for recipient in dict.fromkeys(recipients)
        )
        try:
            await asyncio.to_thread(self._append, records)
        except OSError as error:
            raise CannotKeep(f"journal: {type(error).__name__}") from error

    # Writing, in a thread and under the lock.

    def _append(self, records: bytes) -> None:
        with _locked(self._lock_path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    records = b"\n" + records
                _write_all(descriptor, records)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if size == 0:
                _sync_folder(self._path.parent)
            if size > 2 * self._max_entries * _RECORD_BYTES:
                self._compact()

    def _compact(self) -> None:
        now = self._clock.now().timestamp()
        entries: dict[bytes, int] = {}
        _replay(self._path.read_bytes(), entries)
        alive = [(key, expires) for key, expires in entries.items() if expires > now]
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            kept = alive[-self._max_entries :]
            _write_all(descriptor, b"".join(_record(b"+", *entry) for entry in kept))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.rename(self._path)
        _sync_folder(self._path.parent)

    # Reading, on the event loop: a stat, and only where others wrote a read.

    def _refresh(self) -> None:
        try:
            known = self._path.stat()
        except OSError:
            return
        try:
            replaced = self._file < 0 or os.fstat(self._file).st_ino != known.st_ino
            if replaced or known.st_size < self._offset:
                self.close()
                self._file = os.open(self._path, os.O_RDONLY)
                self._entries.clear()
                self._offset = 0
            if known.st_size > self._offset:
                grown = os.pread(self._file, known.st_size - self._offset, self._offset)
                # A line without an end is torn, or on its way.
                whole = grown[: grown.rfind(b"\n") + 1]
                _replay(whole, self._entries)
                self._offset += len(whole)
                self._bound()
        except OSError:
            return

    def _expire(self) -> None:
        """Drop what expired; entries stand in the order in which they were made."""
        now = self._clock.now().timestamp()
        while self._entries and self._entries[oldest := next(iter(self._entries))] <= now:
            del self._entries[oldest]

    def _bound(self) -> None:
        surplus = len(self._entries) - self._max_entries
        for key in list(self._entries)[: max(surplus, 0)]:
            del self._entries[key]


def _record(sign: bytes, key: bytes, expires: int) -> bytes:
    return b"%s %s %012d\n" % (sign, key, expires)


def _replay(lines: bytes, entries: dict[bytes, int]) -> None:
    for line in lines.split(b"\n"):
        match = _RECORD.fullmatch(line)
        if match is None:
            continue
        sign, key, expires = match.groups()
        entries.pop(key, None)
        if sign == b"+":
            entries[key] = int(expires)


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
