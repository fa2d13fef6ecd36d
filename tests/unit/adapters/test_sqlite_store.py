"""The embedded store when something is wrong with its file, and what it leaves on disk."""

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milter.adapters.history import sqlite_file, sqlite_store
from milter.adapters.history.sqlite_file import word_for
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import Batch, StoreUnavailable
from milter.ports import Unusable
from tests.support.records import (
    DAY,
    NOW,
    dossier_of,
    entries,
    entry,
    everything,
    key,
    mark,
    marks,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history" / "memory.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(path, wait_seconds=0.01)
    yield made
    await made.close()


def _large(count: int, size: int = 3_000) -> Batch:
    """A batch that takes pages."""
    return Batch(
        entries=tuple(
            (key(f"d{number % 50}"), entry(f"{number:05}", value=b"%05d" % number * (size // 5)))
            for number in range(count)
        )
    )


async def _words(store: SqliteStore, tries: int) -> list[str]:
    """What reading everything says, again and again."""
    said = []
    for _ in range(tries):
        try:
            await everything(store)
            said.append("ok")
        except StoreUnavailable as error:
            said.append(str(error))
    return said


def _octets(path: Path) -> bytes:
    return path.read_bytes()


def _put(path: Path, octets: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(octets)


def _writer(store: SqliteStore) -> sqlite3.Connection:
    db = store._writer._db
    assert db is not None
    return db


async def test_only_the_owner_may_read(path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(path)
        await store.write(entries("d", entry("1")), NOW)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert path.parent.stat().st_mode & 0o777 == 0o700
        await store.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"memory.db", "memory.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_writer_that_waits_holds_up_no_read(path: Path) -> None:
    store = SqliteStore(path, wait_seconds=30)
    await store.write(entries("d", entry("1")), NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    writing = asyncio.create_task(store.write(entries("d", entry("2")), NOW))
    await asyncio.sleep(0)
    assert await dossier_of(store, "d") == (entry("1"),)
    assert not writing.done()
    other.execute("rollback")
    other.close()
    await writing
    assert await dossier_of(store, "d") == (entry("1"), entry("2"))
    await store.close()


async def test_locked_by_another_for_too_long(path: Path, store: SqliteStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    for changing in (
        store.write(entries("d", entry("2")), NOW),
        store.forget_entries(key("d"), [key("1")]),
        store.expire(NOW + 90 * DAY),
    ):
        with pytest.raises(StoreUnavailable, match=r"^locked$"):
            await changing
    other.execute("rollback")
    other.close()
    assert await dossier_of(store, "d") == (entry("1"),)
    await store.write(entries("d", entry("2")), NOW)


async def test_a_full_disk_takes_no_half_batch(store: SqliteStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    (pages,) = _writer(store).execute("pragma page_count").fetchone()
    _writer(store).execute(f"pragma max_page_count = {pages + 5}")
    before = await everything(store)
    with pytest.raises(StoreUnavailable, match=r"^full$"):
        await store.write(_large(100), NOW)
    assert await everything(store) == before
    _writer(store).execute("pragma max_page_count = 100000")
    await store.write(_large(100), NOW)
    assert (await store.counts()).entries == 101


async def test_a_file_that_may_not_be_written_is_still_read(store: SqliteStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    _writer(store).execute("pragma query_only = on")
    with pytest.raises(StoreUnavailable, match=r"^readonly$"):
        await store.write(entries("d", entry("2")), NOW)
    assert await dossier_of(store, "d") == (entry("1"),)


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("a file")
    store = SqliteStore(tmp_path / "history" / "memory.db")
    assert await _words(store, 2) == ["io", "io"]
    (tmp_path / "history").unlink()
    assert await _words(store, 1) == ["ok"]
    await store.close()


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENOSPC, ""), "full"),
        (OSError(errno.EACCES, ""), "readonly"),
        (OSError(errno.EROFS, ""), "readonly"),
        (OSError(errno.EIO, ""), "io"),
        (sqlite3.OperationalError(), "io"),
    ],
)
def test_words(error: OSError | sqlite3.Error, word: str) -> None:
    assert word_for(error) == word


async def test_a_file_of_a_newer_gateway_is_refused_and_left_alone(path: Path) -> None:
    running = SqliteStore(path)
    await running.write(entries("d", entry("1")), NOW)
    await running.close()
    db = sqlite3.connect(path)
    db.execute("pragma user_version = 99")
    db.close()
    before = _octets(path)
    with pytest.raises(Unusable, match="newer gateway"):
        SqliteStore(path)
    assert _octets(path) == before


async def test_a_file_that_became_newer_meanwhile(path: Path) -> None:
    store = SqliteStore(path)
    db = sqlite3.connect(path)
    db.execute("pragma user_version = 99")
    db.close()
    assert await _words(store, 2) == ["newer", "newer"]
    await store.close()


async def test_what_is_no_database_is_set_aside_and_a_new_one_begun(path: Path) -> None:
    garbage = b"this is no database " * 1_000
    _put(path, garbage)
    store = SqliteStore(path)
    assert await _words(store, 2) == ["set-aside", "ok"]
    await store.write(entries("d", entry("1")), NOW)
    assert await dossier_of(store, "d") == (entry("1"),)
    (aside,) = path.parent.glob("memory.db.damaged-*")
    assert aside.read_bytes() == garbage
    await store.close()


async def _damaged(path: Path) -> None:
    """A database with one page in the middle overwritten."""
    store = SqliteStore(path)
    await store.write(_large(2_000, size=500), NOW)
    await store.close()
    with path.open("r+b") as file:
        file.seek(sqlite_file.PAGE_BYTES * 60)
        file.write(b"\xff" * sqlite_file.PAGE_BYTES)


async def test_a_damaged_page_is_met_and_the_file_set_aside(path: Path) -> None:
    await _damaged(path)
    store = SqliteStore(path)
    await store.write(marks("t", mark("1")), NOW)
    said = await _words(store, 12)
    assert said[0] == "damaged"
    # The other connections of the process let go in threads of their own.
    assert "set-aside" in said
    assert set(said[said.index("set-aside") + 1 :]) == {"ok"}
    assert (await store.counts()).entries == 0
    assert len(list(path.parent.glob("memory.db.damaged-*"))) == 1
    await store.close()


async def test_a_damaged_file_that_others_have_open_stays(path: Path) -> None:
    await _damaged(path)
    other, store = SqliteStore(path), SqliteStore(path)
    await other.write(marks("t", mark("1")), NOW)
    assert set(await _words(store, 5)) == {"damaged"}
    assert list(path.parent.glob("memory.db.damaged-*")) == []
    (trail,) = (await store.read([], [key("t")], NOW)).trails
    assert trail.marks == (mark("1"),)
    await other.close()
    said = await _words(store, 12)
    assert said[-1] == "ok"
    assert said.count("set-aside") == 1
    await store.close()


async def test_after_closing_it_answers_no_more(path: Path) -> None:
    store = SqliteStore(path)
    await store.write(entries("d", entry("1")), NOW)
    await store.close()
    await store.close()
    assert await _words(store, 1) == ["closed"]
    with pytest.raises(StoreUnavailable, match=r"^closed$"):
        await store.write(entries("d", entry("2")), NOW)


async def test_expiry_goes_in_steps_and_shortens_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(path, wait_seconds=5)
    await store.write(_large(1_200), NOW)
    await store.close()
    full = len(_octets(path))
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_store, "_STEPS", 1)
        first = await _expired(path, NOW + 90 * DAY)
    assert 0 < first < 1_200
    assert first + await _expired(path, NOW + 90 * DAY) == 1_200
    assert len(_octets(path)) < full / 10


async def _expired(path: Path, now: int) -> int:
    """Expiry in a store of its own, which writes its log back when it closes."""
    store = SqliteStore(path, wait_seconds=5)
    try:
        return await store.expire(now)
    finally:
        await store.close()


async def test_what_is_forgotten_is_not_left_in_the_file_or_its_log(
    path: Path, store: SqliteStore
) -> None:
    def found(needle: bytes) -> bool:
        return any(needle in file.read_bytes() for file in path.parent.iterdir())

    told, seen = b"told about a person" * 9, b"seen of a person" * 9
    await store.write(entries("d", entry("1", value=told)), NOW)
    await store.write(marks("t", mark("1", value=seen)), NOW)
    assert found(told)
    assert found(seen)
    await store.forget_entries(key("d"), [key("1")])
    await store.forget_marks(key("t"), [key("1")])
    assert not found(told)
    assert not found(seen)


async def test_a_full_trail_that_is_gone_leaves_nothing(path: Path, store: SqliteStore) -> None:
    crowd = [mark(f"{number}", days=1) for number in range(70)]
    for trail in ("expires", "forgotten"):
        await store.write(marks(trail, *crowd), NOW)
    await store.forget_marks(key("forgotten"), [one.field for one in crowd])
    await store.expire(NOW + DAY)
    db = sqlite3.connect(path)
    assert db.execute("select count(*) from full_trail").fetchone() == (0,)
    db.close()
