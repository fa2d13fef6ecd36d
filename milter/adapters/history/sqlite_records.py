"""What the embedded memory says to SQLite: each function is one step of one connection.

**Failure:** `sqlite3.Error`; a change that fails leaves nothing of itself.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Counts,
    Entry,
    Mark,
    TrailRecord,
)

# A step holds the only right to write for some milliseconds: the others wait that long at most.
EXPIRE_STEP: Final = 100
_VACUUM_PAGES: Final = 50
# Free pages are used again by what comes; only what is free beyond this part is given back.
_FREE_PART: Final = 8
KEYS_STEP: Final = 500


@contextmanager
def _changing(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction that is a writer from its first statement, so that it cannot fail half-way."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        # After some errors SQLite has rolled back itself.
        if db.in_transaction:
            db.execute("rollback")
        raise


def read(
    db: sqlite3.Connection, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int
) -> Answer:
    """All of it as of one moment."""
    db.execute("begin")
    try:
        return Answer(
            dossiers=tuple(_dossier(db, key, now) for key in dossiers),
            trails=tuple(_trail(db, key, now) for key in trails),
        )
    finally:
        if db.in_transaction:
            db.execute("rollback")


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
    full = marks and db.execute("select 1 from full_trail where trail = ?", (key,)).fetchone()
    return TrailRecord(marks=marks, is_full=bool(full))


def write(db: sqlite3.Connection, batch: Batch, now: int) -> None:
    """Add all of it, or nothing."""
    with _changing(db):
        for key, entry in batch.entries:
            if entry.expires > now:
                _add(db, key, entry, now)
        for key, mark in batch.marks:
            if mark.expires > now:
                _mark(db, key, mark, now)


def _add(db: sqlite3.Connection, key: bytes, entry: Entry, now: int) -> None:
    db.execute("delete from entry where dossier = ? and expires <= ?", (key, now))
    added = db.execute(
        "insert or ignore into entry values (?, ?, ?, ?, ?, ?)",
        (key, entry.event_id, entry.group, entry.at, entry.expires, entry.value),
    ).rowcount
    if not added:
        return
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


def forget_entries(db: sqlite3.Connection, dossier: bytes, event_ids: Sequence[bytes]) -> int:
    """Remove, and from the log too."""
    with _changing(db):
        gone = sum(
            db.execute(
                "delete from entry where dossier = ? and event_id = ?", (dossier, one)
            ).rowcount
            for one in event_ids
        )
    _empty_log(db)
    return gone


def forget_marks(db: sqlite3.Connection, trail: bytes, fields: Sequence[bytes]) -> int:
    """Remove, and from the log too."""
    with _changing(db):
        gone = sum(
            db.execute("delete from mark where trail = ? and field = ?", (trail, one)).rowcount
            for one in fields
        )
        _tidy_full(db, trail)
    _empty_log(db)
    return gone


def _empty_log(db: sqlite3.Connection) -> None:
    """As far as nobody reads just now; the log is begun anew soon anyway."""
    with closing(db.execute("pragma wal_checkpoint(truncate)")) as cursor:
        cursor.fetchall()


def _tidy_full(db: sqlite3.Connection, trail: bytes) -> None:
    db.execute(
        "delete from full_trail where trail = :key"
        " and not exists (select 1 from mark where trail = :key)",
        {"key": trail},
    )


def expire(db: sqlite3.Connection, now: int) -> int:
    """Remove at most EXPIRE_STEP records of each kind; how many went."""
    with _changing(db):
        entries = db.execute(
            "delete from entry where (dossier, event_id) in"
            " (select dossier, event_id from entry where expires <= ? limit ?)",
            (now, EXPIRE_STEP),
        ).rowcount
        trails = db.execute(
            "delete from mark where (trail, field) in"
            " (select trail, field from mark where expires <= ? limit ?) returning trail",
            (now, EXPIRE_STEP),
        ).fetchall()
        for (trail,) in set(trails):
            _tidy_full(db, trail)
    return entries + len(trails)


def give_back(db: sqlite3.Connection) -> bool:
    """Shorten the file by some free pages; whether there are more to give."""
    (free,) = db.execute("pragma freelist_count").fetchone()
    (pages,) = db.execute("pragma page_count").fetchone()
    if free * _FREE_PART <= pages:
        return False
    # `execute` would take one step, which is one page.
    db.executescript(f"pragma incremental_vacuum({_VACUUM_PAGES})")
    return True


def some_keys(db: sqlite3.Connection, table: str, column: str, after: bytes) -> list[bytes]:
    """The next keys; hops from one to the next instead of reading all that lies between."""
    rows = db.execute(
        f"with recursive hop(k) as (select min({column}) from {table} where {column} > :after"  # noqa: S608 (names of ours)
        f" union all select (select min({column}) from {table} where {column} > k) from hop"
        " where k is not null) select k from hop where k is not null limit :step",
        {"after": after, "step": KEYS_STEP},
    )
    return [row[0] for row in rows]


def counts(db: sqlite3.Connection) -> Counts:
    """How much is kept; reads all keys."""
    dossiers, entries = db.execute("select count(distinct dossier), count(*) from entry").fetchone()
    trails, marks = db.execute("select count(distinct trail), count(*) from mark").fetchone()
    (pages,) = db.execute("pragma page_count").fetchone()
    (size,) = db.execute("pragma page_size").fetchone()
    return Counts(
        dossiers=dossiers, entries=entries, trails=trails, marks=marks, octets=pages * size
    )
