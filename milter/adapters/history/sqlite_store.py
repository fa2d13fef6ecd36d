"""The embedded store: one SQLite file that all front processes of a machine share.

Write-ahead log, so readers wait for nobody; every batch is one transaction that begins as a writer
(BEGIN IMMEDIATE), so two processes never see half of each other's. `synchronous=NORMAL`: after a
crash of the process nothing acknowledged is lost, after one of the machine at most the last moment.
All work is done in one thread of the process: a slow disk never holds up the event loop.

Refuses to open a file of a newer gateway. Knows nothing of what it keeps.

Failure: `StoreUnavailable` with one word: locked, full, readonly, damaged, or io.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Counts,
    Entry,
    Mark,
    StoreUnavailable,
    TrailRecord,
)
from milter.ports import Unusable

_SCHEMA_VERSION: Final = 1
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
_EXPIRE_STEP: Final = 500
_VACUUM_PAGES: Final = 200
_KEYS_STEP: Final = 1_000
_WORDS: Final = (
    (sqlite3.SQLITE_BUSY, "locked"),
    (sqlite3.SQLITE_LOCKED, "locked"),
    (sqlite3.SQLITE_FULL, "full"),
    (sqlite3.SQLITE_READONLY, "readonly"),
    (sqlite3.SQLITE_CORRUPT, "damaged"),
    (sqlite3.SQLITE_NOTADB, "damaged"),
)

Result = TypeVar("Result")


class SqliteStore:
    """Implements `HistoryStore`; `wait_seconds` is how long a writer waits for another."""

    def __init__(self, path: Path, *, wait_seconds: float = 0.04) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")

    async def read(self, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int) -> Answer:
        """All records of these keys."""
        return await self._run(lambda db: _read(db, dossiers, trails, now))

    async def write(self, batch: Batch, now: int) -> None:
        """Add all of it, or nothing."""
        await self._run(lambda db: _write(db, batch, now))

    async def forget_entries(self, dossier: bytes, event_ids: Sequence[bytes]) -> int:
        """Remove entries."""
        rows = [(dossier, one) for one in event_ids]
        return await self._run(
            lambda db: _deleted(db, "delete from entry where dossier = ? and event_id = ?", rows)
        )

    async def forget_marks(self, trail: bytes, fields: Sequence[bytes]) -> int:
        """Remove marks."""
        rows = [(trail, one) for one in fields]
        return await self._run(
            lambda db: _deleted(db, "delete from mark where trail = ? and field = ?", rows)
        )

    async def dossiers(self) -> AsyncIterator[bytes]:
        """The keys of all dossiers, in order."""
        async for key in self._keys("entry", "dossier"):
            yield key

    async def trails(self) -> AsyncIterator[bytes]:
        """The keys of all trails, in order."""
        async for key in self._keys("mark", "trail"):
            yield key

    async def expire(self, now: int) -> int:
        """Remove a bounded number of what has expired, and give some pages back."""
        return await self._run(lambda db: _expire(db, now))

    async def counts(self) -> Counts:
        """How much is kept."""
        return await self._run(_counts)

    async def close(self) -> None:
        """Finish what was begun; checkpoints the log."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def _keys(self, table: str, column: str) -> AsyncIterator[bytes]:
        last = b""
        while True:
            found = await self._run(partial(_some_keys, table=table, column=column, after=last))
            for key in found:
                yield key
            if len(found) < _KEYS_STEP:
                return
            last = found[-1]

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return work(self._opened())
        except sqlite3.Error as error:
            raise StoreUnavailable(_word(error)) from error
        except OSError as error:
            raise StoreUnavailable("io") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            db = sqlite3.connect(
                self._path,
                timeout=self._wait_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                _prepare(db, self._path)
            except BaseException:
                db.close()
                raise
            self._connection = db
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("pragma auto_vacuum = incremental")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    version = db.execute("pragma user_version").fetchone()[0]
    if version > _SCHEMA_VERSION:
        raise Unusable(f"{path}: written by a newer gateway (schema {version}); upgrade this one")
    if version < _SCHEMA_VERSION:
        db.executescript(
            f"begin immediate; {_SCHEMA} pragma user_version = {_SCHEMA_VERSION}; commit"
        )


def _read(
    db: sqlite3.Connection, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int
) -> Answer:
    return Answer(
        dossiers=tuple(_dossier(db, key, now) for key in dossiers),
        trails=tuple(_trail(db, key, now) for key in trails),
    )


def _dossier(db: sqlite3.Connection, key: bytes, now: int) -> tuple[Entry, ...]:
    rows = db.execute(
        "select event_id, grp, at, expires, value from entry where dossier = ? and expires > ?"
        " order by at, event_id",
        (key, now),
    )
    return tuple(Entry(*row) for row in rows)


def _trail(db: sqlite3.Connection, key: bytes, now: int) -> TrailRecord:
    rows = db.execute(
        "select field, first, last, expires, value from mark where trail = ? and expires > ?"
        " order by first, field",
        (key, now),
    )
    marks = tuple(Mark(*row) for row in rows)
    full = bool(marks) and db.execute("select 1 from full_trail where trail = ?", (key,)).fetchone()
    return TrailRecord(marks=marks, is_full=bool(full))


def _write(db: sqlite3.Connection, batch: Batch, now: int) -> None:
    db.execute("begin immediate")
    try:
        for key, entry in batch.entries:
            if entry.expires > now:
                _add(db, key, entry, now)
        for key, mark in batch.marks:
            if mark.expires > now:
                _mark(db, key, mark, now)
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")


def _add(db: sqlite3.Connection, key: bytes, entry: Entry, now: int) -> None:
    db.execute(
        "insert or ignore into entry values (?, ?, ?, ?, ?, ?)",
        (key, entry.event_id, entry.group, entry.at, entry.expires, entry.value),
    )
    (count,) = db.execute("select count(*) from entry where dossier = ?", (key,)).fetchone()
    if count <= MAX_ENTRIES:
        return
    db.execute("delete from entry where dossier = ? and expires <= ?", (key, now))
    (count,) = db.execute("select count(*) from entry where dossier = ?", (key,)).fetchone()
    for _ in range(count - MAX_ENTRIES):
        # A flood under one name pushes out itself.
        db.execute(
            "delete from entry where dossier = :key and event_id = (select event_id from entry"
            " where dossier = :key and grp = (select grp from entry where dossier = :key"
            " group by grp order by count(*) desc, grp limit 1) order by at, event_id limit 1)",
            {"key": key},
        )


def _mark(db: sqlite3.Connection, key: bytes, mark: Mark, now: int) -> None:
    db.execute("delete from mark where trail = ? and expires <= ?", (key, now))
    (count, known) = db.execute(
        "select count(*), coalesce(sum(field = ?), 0) from mark where trail = ?", (mark.field, key)
    ).fetchone()
    if not count:
        db.execute("delete from full_trail where trail = ?", (key,))
    if not known and count >= MAX_MARKS:
        db.execute("insert or ignore into full_trail values (?)", (key,))
        return
    db.execute(
        "insert into mark values (?, ?, ?, ?, ?, ?) on conflict (trail, field) do update set"
        " value = iif(excluded.first < first, excluded.value, value),"
        " first = min(first, excluded.first), last = max(last, excluded.last),"
        " expires = max(expires, excluded.expires)",
        (key, mark.field, mark.first, mark.last, mark.expires, mark.value),
    )


def _deleted(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[bytes, bytes]]) -> int:
    return sum(db.execute(statement, row).rowcount for row in rows)


def _some_keys(db: sqlite3.Connection, *, table: str, column: str, after: bytes) -> list[bytes]:
    rows = db.execute(
        f"select distinct {column} from {table} where {column} > ?"  # noqa: S608 (names of ours)
        f" order by {column} limit {_KEYS_STEP}",
        (after,),
    )
    return [row[0] for row in rows]


def _expire(db: sqlite3.Connection, now: int) -> int:
    gone = 0
    for table, place, name in (("entry", "dossier", "event_id"), ("mark", "trail", "field")):
        gone += db.execute(
            f"delete from {table} where ({place}, {name}) in"  # noqa: S608 (names of ours)
            f" (select {place}, {name} from {table} where expires <= ? limit {_EXPIRE_STEP})",
            (now,),
        ).rowcount
    if gone:
        with closing(db.execute(f"pragma incremental_vacuum({_VACUUM_PAGES})")) as cursor:
            cursor.fetchall()
    return gone


def _counts(db: sqlite3.Connection) -> Counts:
    dossiers, entries = db.execute("select count(distinct dossier), count(*) from entry").fetchone()
    trails, marks = db.execute("select count(distinct trail), count(*) from mark").fetchone()
    (pages,) = db.execute("pragma page_count").fetchone()
    (size,) = db.execute("pragma page_size").fetchone()
    return Counts(
        dossiers=dossiers, entries=entries, trails=trails, marks=marks, octets=pages * size
    )


def _word(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return next((word for each, word in _WORDS if each == code), "io")
