"""What a hunt knows of its mail and how far it is: one folder, so that it can be cut short.

`hunt.db` holds the index (every message with its day and place) and the rows that were found;
`app.replay` keeps its memory beside it; `unpacked/` is what .gz files hold. Rows and
progress are written together, and a memory takes what it has already without change: whatever cut a
run short, the next one goes on from the last mark and comes to the same end.

Failure: sqlite3.Error and OSError pass up; the command names them.
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from milter.app.files import date_of
from milter.app.replay import Dated
from milter.cli.sources import Stored, Unreadable, stored_messages
from milter.mail.message import field_value, scan_header
from milter.mail.message_key import message_key

_SCHEMA = """
create table if not exists message (
  key text primary key, at integer not null, path text not null, number integer not null,
  start integer not null, size integer not null
) without rowid;
create index if not exists message_at on message (at, key);
create table if not exists row (position integer primary key, found text not null);
create table if not exists fact (name text primary key, value text not null);
"""
_BATCH = 500
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2200  # a day that no calendar can add a retention to would end the hunt


class HuntState:
    """The folder of one hunt."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._db = sqlite3.connect(folder / "hunt.db", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(_SCHEMA)

    @property
    def total(self) -> int:
        """How many messages there are."""
        (count,) = self._db.execute("select count(*) from message").fetchone()
        return int(count)

    @property
    def position(self) -> int:
        """How many of them are judged."""
        return int(self._fact("position") or 0)

    def belongs_to(self, purpose: str) -> bool:
        """Is this the folder of a hunt with the same sources and options? A new one is."""
        known = self._fact("purpose")
        if known is None:
            self._put("purpose", purpose)
        return known in (None, purpose)

    def index(self, paths: list[str], *, told: Callable[[int], None]) -> list[Unreadable]:
        """Read all sources once, unless that is done; gives what could not be read."""
        if known := self._fact("indexed"):
            return [Unreadable(path=path, reason=reason) for path, reason in json.loads(known)]
        unreadable: list[Unreadable] = []
        self._db.execute("begin")
        for count, found in enumerate(stored_messages(paths)):
            if isinstance(found, Unreadable):
                unreadable.append(found)
                continue
            self._db.execute("insert or ignore into message values (?, ?, ?, ?, ?, ?)", _row(found))
            if count % _BATCH == 0:
                told(count)
        self._put("indexed", json.dumps([(one.path, one.reason) for one in unreadable]))
        self._db.execute("commit")
        return unreadable

    def messages(self) -> Iterator[tuple[Dated, str, int]]:
        """Those not yet judged in the order of their days, each with its file and number in it."""
        position, offset, last = self.position, self.position, (-1, "")
        # Only the first page is counted off: to count off each is quadratic in large mailboxes.
        while rows := self._db.execute(
            "select at, path, number, start, size, key from message where (at, key) > (?, ?)"
            " order by at, key limit ? offset ?",
            (*last, _BATCH, offset),
        ).fetchall():
            for at, octets, number, start, size, key in rows:
                day, path = datetime.fromtimestamp(at, tz=UTC), os.fsdecode(octets)
                raw = self._read(path, start, size)
                yield Dated(position, day, raw), path, number
                position, offset, last = position + 1, 0, (at, key)

    def advance(self, position: int, rows: Iterable[tuple[int, dict[str, Any]]]) -> None:
        """So many messages are judged now, and these were found among them."""
        self._db.execute("begin")
        for place, found in rows:
            text = json.dumps(found)  # in ASCII: names may hold what is no UTF-8
            self._db.execute("insert or replace into row values (?, ?)", (place, text))
        self._put("position", str(position))
        self._db.execute("commit")

    def rows(self) -> list[dict[str, Any]]:
        """All that was found, in the order of days."""
        found = self._db.execute("select found from row order by position")
        return [json.loads(text) for (text,) in found]

    def close(self) -> None:
        """Close the files."""
        self._db.close()

    def _read(self, path: str, start: int, size: int) -> bytes:
        with self._plain(Path(path)).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def _plain(self, path: Path) -> Path:
        """The file, or what it unpacks to, unpacked once."""
        if path.suffix != ".gz":
            return path
        name = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()
        unpacked = self.folder / "unpacked" / name
        if not unpacked.exists():
            unpacked.parent.mkdir(mode=0o700, exist_ok=True)
            draft = unpacked.with_suffix(".draft")
            with gzip.open(path) as packed, draft.open("wb") as file:
                shutil.copyfileobj(packed, file)
            draft.rename(unpacked)
        return unpacked

    def _fact(self, name: str) -> str | None:
        row = self._db.execute("select value from fact where name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _put(self, name: str, value: str) -> None:
        self._db.execute("insert or replace into fact values (?, ?)", (name, value))


def _row(found: Stored) -> tuple[str, int, bytes, int, int, int]:
    """A message under a key of its own: copies of one mail to one person are one."""
    header = scan_header(found.raw)
    fields = {
        name: field_value(found.raw, field)
        for name in (b"date", b"delivered-to")
        if (field := header.first(name)) is not None
    }
    at = date_of(fields.get(b"date", b"")) or _UNDATED
    if not _UNDATED.year <= at.year < _LAST_YEAR:
        at = _UNDATED
    whom = fields.get(b"delivered-to", b"").strip().lower().hex()
    key = f"{message_key(found.raw)}{whom}"
    return (
        key,
        int(at.timestamp()),
        os.fsencode(found.path),
        found.index,
        found.start,
        len(found.raw),
    )
