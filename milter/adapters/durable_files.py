"""Files that are there whole or not at all, and locks that die with their process.

Drafts are written under another name, synced and renamed; while that lasts the writer has the
lock (flock) on them, so a draft whose lock is free is one whose writer died. Needs a local file
system. Knows nothing of holds.

**Failure:** OSError, with nothing half-written in place.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


class DurableFiles:
    """Writes by way of a folder of drafts on the same file system."""

    def __init__(self, drafts: Path, owner: tuple[int, int] | None = None) -> None:
        self._drafts = drafts
        self._owner = owner

    def write(self, path: Path, fill: Callable[[BinaryIO], object]) -> int:
        """Write, sync, put in place; returns the descriptor, which has the lock on the file.

        The caller syncs the directory, once for all that it puts there.
        """
        draft, descriptor = self._locked_draft(path.name)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                fill(file)
            os.fsync(descriptor)
            draft.rename(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor

    def _locked_draft(self, name: str) -> tuple[Path, int]:
        while True:
            draft = self._drafts / f"{name}.{secrets.token_hex(4)}"
            descriptor = self.open(draft, os.O_WRONLY | os.O_EXCL)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return draft, descriptor
            # Between open and lock another process took it for a dead one's.
            release(descriptor)

    def open(self, path: Path, flags: int) -> int:
        """Open or create a file that only we can read, for the folder's owner if root runs us."""
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._owner is not None:
            os.fchown(descriptor, *self._owner)
        return descriptor

    def append(self, path: Path, line: bytes) -> None:
        """Add one line, whole or not at all, and sync it."""
        descriptor = self.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, size)
                raise disk_full()
            os.fsync(descriptor)
        finally:
            release(descriptor)

    def remove_dead_drafts(self) -> None:
        """Remove what writers left that died."""
        for draft in self._drafts.iterdir():
            with locked(draft) as lock:
                if lock:
                    draft.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[bool | None]:
    """True: locked for the block. False: another has the lock. None: no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        release(descriptor)


def release(descriptor: int) -> None:
    """Unlock and close; closing alone keeps the lock while a forked child has a copy."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Make renames and unlinks in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_full() -> OSError:
    """What the kernel says, for where we stop before it does."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
