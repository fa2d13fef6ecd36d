"""The embedded store: one SQLite file that all front processes of a machine share.

Write-ahead log, so readers wait for nobody; every batch is one transaction that begins as a writer
(BEGIN IMMEDIATE), so two processes never see half of each other's. `synchronous=NORMAL`: after a
crash of the process nothing acknowledged is lost, after one of the machine at most the last moment.

Three threads of the process, each with its own connection: one reads, one writes, one goes through
all of it for the console and for requests of a person. A hop to another thread costs more than the
read itself (docs/memory-size.md says what), but a slow disk never holds up the event loop, and
neither a writer that waits for another process nor a long count holds up a look-up.

Refuses to open a file of a newer gateway. Knows nothing of what it keeps.

**Failure:** `StoreUnavailable` with one word: locked, full, readonly, damaged, set-aside (a damaged
file got another name, a new one is begun: `sqlite_file`), newer, closed, or io. `Unusable` for a
newer file when the store is made.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from milter.adapters.history import sqlite_records as records
from milter.adapters.history.sqlite_file import Connection, HistoryFile, word_for
from milter.adapters.history.store import Answer, Batch, Counts, StoreUnavailable
from milter.ports import Unusable

# So many steps of expiry in one call; what is left goes with the next.
_STEPS: Final = 50

Result = TypeVar("Result")


class _Lane:
    """One thread with one connection; opened at its first work, and again after damage."""

    def __init__(self, file: HistoryFile, name: str) -> None:
        self._file = file
        self._db: Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"history-{name}")
        file.on_suspicion.append(self._let_go)

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            doing = asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        except RuntimeError as error:
            raise StoreUnavailable("closed") from error
        return await doing

    async def close(self) -> None:
        try:
            closing = asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        except RuntimeError:
            return  # closed before
        await closing
        self._thread.shutdown(wait=False)

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            if self._db is None:
                self._db = self._file.opened()
            return work(self._db)
        except (sqlite3.Error, OSError) as error:
            word = word_for(error)
            if word == "damaged":
                self._drop()
                self._file.suspect()
            raise StoreUnavailable(word) from error

    def _let_go(self) -> None:
        with suppress(RuntimeError):  # closed
            self._thread.submit(self._drop)

    def _drop(self) -> None:
        if self._db is not None:
            db, self._db = self._db, None
            db.close()


class SqliteStore:
    """Implements `HistoryStore`.

    `wait_seconds` is how long a writer waits for another, `pause_seconds` what expiry leaves
    between its steps to writers of other processes, who ask again every few milliseconds.
    """

    def __init__(
        self, path: Path, *, wait_seconds: float = 0.04, pause_seconds: float = 0.02
    ) -> None:
        file = HistoryFile(path, wait_seconds=wait_seconds)
        _refuse_newer(file)
        self._pause_seconds = pause_seconds
        self._reader, self._writer, self._walker = (
            _Lane(file, name) for name in ("read", "write", "walk")
        )

    async def read(self, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int) -> Answer:
        """All records of these keys."""
        return await self._reader.run(lambda db: records.read(db, dossiers, trails, now))

    async def write(self, batch: Batch, now: int) -> None:
        """Add all of it, or nothing."""
        await self._writer.run(lambda db: records.write(db, batch, now))

    async def forget_entries(self, dossier: bytes, event_ids: Sequence[bytes]) -> int:
        """Remove entries, in the file and in its log."""
        return await self._writer.run(lambda db: records.forget_entries(db, dossier, event_ids))

    async def forget_marks(self, trail: bytes, fields: Sequence[bytes]) -> int:
        """Remove marks, in the file and in its log."""
        return await self._writer.run(lambda db: records.forget_marks(db, trail, fields))

    async def dossiers(self) -> AsyncIterator[bytes]:
        """The keys of all dossiers, in order."""
        async for key in self._keys("entry", "dossier"):
            yield key

    async def trails(self) -> AsyncIterator[bytes]:
        """The keys of all trails, in order."""
        async for key in self._keys("mark", "trail"):
            yield key

    async def expire(self, now: int) -> int:
        """Remove what has expired, then shorten the file; writes come in between the steps."""
        gone = 0
        for _ in range(_STEPS):
            step = await self._writer.run(lambda db: records.expire(db, now))
            gone += step
            if step < records.EXPIRE_STEP:
                break
            await asyncio.sleep(self._pause_seconds)
        for _ in range(_STEPS):
            if not await self._writer.run(records.give_back):
                break
            await asyncio.sleep(self._pause_seconds)
        return gone

    async def counts(self) -> Counts:
        """How much is kept."""
        return await self._walker.run(records.counts)

    async def close(self) -> None:
        """Finish what was begun; the last one to close writes the log back."""
        for lane in (self._walker, self._reader, self._writer):
            await lane.close()

    async def _keys(self, table: str, column: str) -> AsyncIterator[bytes]:
        after, found = b"", [b""]
        while found:
            found = await self._walker.run(
                lambda db, after=after: records.some_keys(db, table, column, after)  # type: ignore[misc]
            )
            for after in found:
                yield after


def _refuse_newer(file: HistoryFile) -> None:
    """Open once: who starts a gateway shall hear of a newer file; all else may mend itself."""
    try:
        file.opened().close()
    except StoreUnavailable as error:
        if str(error) == "newer":
            raise Unusable(f"{file.path}: written by a newer gateway; upgrade this one") from error
    except (sqlite3.Error, OSError) as error:
        if word_for(error) == "damaged":
            file.suspect()
