"""The file of the embedded memory: how it is opened, its tables, what becomes of a broken one.

The file is 0600 in a folder 0700. Every open connection holds a shared lock (flock) on a file
beside it, so that a process can tell whether it is alone.

A damaged file is set aside only where that is safe: by a process that has met the damage, that
holds the lock alone (nobody else writes to a file that then has another name) and to which SQLite's
own check says that the file is not in order. It keeps its octets under `NAME.damaged-TIME` for
whoever wants to recover them, and a new one is begun. Where others still have it open it stays, and
what is readable in it stays readable.

Refuses a file of a newer gateway.

**Failure:** `sqlite3.Error` and `OSError`, put into a word by `word_for`; `StoreUnavailable` with
`newer` or `set-aside`.
"""

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from milter.adapters.history.store import StoreUnavailable

SCHEMA_VERSION: Final = 1
# A dossier's and a trail's records lie side by side in the table itself, in the order of its key.
# Rows are some 400 octets and inner pages hold whole rows: with pages of the usual 4 KiB the tree
# is twice as deep.
PAGE_BYTES: Final = 8_192
_SCHEMA: Final = """
create table if not exists entry (
  dossier blob not null, event_id blob not null, grp blob not null,
  at integer not null, expires integer not null, value blob not null,
  primary key (dossier, event_id)
) without rowid;
create index if not exists entry_expires on entry (expires);
create table if not exists mark (
  trail blob not null, field blob not null,
  first integer not null, last integer not null, expires integer not null, value blob not null,
  primary key (trail, field)
) without rowid;
create index if not exists mark_expires on mark (expires);
create table if not exists full_trail (trail blob primary key) without rowid;
"""
# What the log may keep of a busy hour once it is written back.
_LOG_BYTES: Final = 16 << 20
_DAMAGED: Final = "damaged"
_SQLITE_WORDS: Final = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_PROTOCOL: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_SYSTEM_WORDS: Final = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "readonly",
    errno.EACCES: "readonly",
}


def word_for(error: sqlite3.Error | OSError) -> str:
    """One word for what happened."""
    if isinstance(error, OSError):
        return _SYSTEM_WORDS.get(error.errno or 0, "io")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # Without a code it is the schema that is not what it should be.
    return _SQLITE_WORDS.get(code, _DAMAGED if code == sqlite3.SQLITE_ERROR else "io")


class Connection(sqlite3.Connection):
    """A connection that holds the shared lock until it is closed."""

    lock: int = -1

    def close(self) -> None:
        """Close, then let go of the lock."""
        super().close()
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


class HistoryFile:
    """Opens connections; `wait_seconds` is how long a writer waits for another."""

    def __init__(self, path: Path, *, wait_seconds: float) -> None:
        self.path = path
        self._wait_seconds = wait_seconds
        self._guard = Lock()
        self._suspect = False
        self._was_checked = False
        # What lets go of the other connections of this process once damage was met.
        self.on_suspicion: list[Callable[[], None]] = []

    def opened(self) -> Connection:
        """A connection to a file in order as far as one can see."""
        with self._guard:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(
                self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
            try:
                if self._suspect and not self._was_checked:
                    self._look_into(lock)
                fcntl.flock(lock, fcntl.LOCK_SH)
                return self._connected(lock)
            except BaseException:
                with suppress(OSError):
                    os.close(lock)
                raise

    def suspect(self) -> None:
        """Damage was met: the next one to open looks whether the file can be set aside."""
        self._suspect = True
        for let_go in self.on_suspicion:
            let_go()

    def _connected(self, lock: int) -> Connection:
        self.path.touch(mode=0o600)
        db = self._connect()
        try:
            _prepare(db)
        except BaseException:
            db.close()
            raise
        db.lock = lock
        return db

    def _connect(self) -> Connection:
        return sqlite3.connect(
            self.path,
            timeout=self._wait_seconds,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )

    def _look_into(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self._suspect, self._was_checked = False, True
        if self._is_in_order():
            return
        aside = f"{self.path.name}.damaged-{int(time.time())}"
        for ending in ("-shm", "-wal", ""):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + ending).rename(
                    self.path.with_name(aside + ending)
                )
        raise StoreUnavailable("set-aside")

    def _is_in_order(self) -> bool:
        db = self._connect()
        try:
            return bool(db.execute("pragma quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError as error:
            return word_for(error) != _DAMAGED
        finally:
            db.close()


def _prepare(db: sqlite3.Connection) -> None:
    version = db.execute("pragma user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreUnavailable("newer")
    if version < SCHEMA_VERSION:
        # These write to the file: a reader that opens it would wait for whoever writes.
        db.execute(f"pragma page_size = {PAGE_BYTES}")
        db.execute("pragma auto_vacuum = incremental")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute(f"pragma journal_size_limit = {_LOG_BYTES}")
    # What a person asked to have removed is gone from the free pages too.
    db.execute("pragma secure_delete = on")
    if version < SCHEMA_VERSION:
        _make_tables(db)


def _make_tables(db: sqlite3.Connection) -> None:
    db.execute("begin immediate")
    try:
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute(f"pragma user_version = {SCHEMA_VERSION}")
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
