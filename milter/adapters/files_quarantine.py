"""Quarantine in a folder of sealed files: the `Quarantine` and `HoldStore` ports.

Runs `HoldFolder` in threads of its own, so that the loop never waits for a disk; concurrent
writes sync side by side and the file system's journal groups them. Decides nothing: releasing,
deleting and expiring are in act/quarantine.py.

**Failure:** CannotKeep where the disk is full or fails (the peer gets 4xx); Unusable at the start
where folder or key cannot be used; HoldMissing, HoldDamaged, HoldBusy as the port says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from milter.adapters.hold_folder import HoldFolder
from milter.mail.quarantine import AuditEntry, Hold, HoldEntry, Mark, QuarantineRecord
from milter.ports import CannotKeep, HoldDamaged, HoldMissing

# More than a transaction can last (limits.data_seconds and all time-outs of the next hop).
PENDING_BOUND = timedelta(hours=2)
_THREADS = 4
_RESERVE_BYTES = 32_000_000

T = TypeVar("T")


class FilesQuarantine:
    """Holds in a folder; several processes share it."""

    def __init__(
        self,
        folder: Path,
        key: bytes,
        *,
        retention: timedelta = timedelta(days=30),
        reserve_bytes: int = _RESERVE_BYTES,
    ) -> None:
        """`key` is the secret of keys.py; `reserve_bytes` of the disk are left for acts."""
        self._folder = HoldFolder(folder, key, retention=retention, reserve_bytes=reserve_bytes)
        self._folder.prepare()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="quarantine")

    def close(self) -> None:
        """Wait for what is being written."""
        self._threads.shutdown()

    async def write_pending(self, holds: Sequence[Hold]) -> tuple[str, ...]:
        """All holds durably, or none and CannotKeep. One whose caller is cancelled is dropped."""
        writing = self._submit(self._folder.write_pending, holds)
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(self._drop_unclaimed)
            raise

    async def commit(self, quarantine_ids: Sequence[str]) -> None:
        """Pending to held. After CannotKeep the holds stay and commit later: a duplicate."""
        await self._run(self._folder.commit, quarantine_ids)

    async def drop(self, quarantine_ids: Sequence[str]) -> None:
        """Remove pending holds. After CannotKeep they stay and commit later: a duplicate."""
        await self._run(self._folder.drop, quarantine_ids)

    async def list_records(self) -> tuple[QuarantineRecord, ...]:
        """All records that can be read, tombstones too, oldest first."""
        return (await self.read_all())[0]

    async def read_all(self) -> tuple[tuple[QuarantineRecord, ...], tuple[str, ...]]:
        """All records, and the ids of those that cannot be read."""
        return await self._run(self._read_all)

    async def recover(self, now: datetime) -> tuple[str, ...]:
        """Clean up after dead processes; returns the pending holds that were committed."""
        return await self._run(self._folder.recover, now, PENDING_BOUND)

    async def entries(self) -> tuple[HoldEntry, ...]:
        """Id, state and marks of all holds, from the names of the files."""
        return await self._run(self._folder.entries)

    async def find(self, quarantine_id: str) -> QuarantineRecord:
        """One record."""
        return await self._run(self._folder.find, quarantine_id)

    async def read_raw(self, quarantine_id: str) -> bytes:
        """The octets as they arrived."""
        return await self._run(self._folder.read_raw, quarantine_id)

    async def read_release(self, quarantine_id: str) -> bytes:
        """The octets that a release sends."""
        return await self._run(self._folder.read_release, quarantine_id)

    @asynccontextmanager
    async def exclusive(self, quarantine_id: str) -> AsyncIterator[QuarantineRecord]:
        """The hold as it is now, locked against all other processes."""
        # Not in a thread: it takes no time, and a cancelled caller cannot leave the lock behind.
        with self._folder.exclusive(quarantine_id) as record:
            yield record

    async def replace(self, record: QuarantineRecord) -> None:
        """Durably put a new record; a cancelled caller keeps its lock until that is done."""
        writing = self._submit(self._folder.replace, record)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise

    async def forget(self, quarantine_id: str) -> None:
        """Remove a tombstone."""
        await self._run(self._folder.forget, quarantine_id)

    async def mark(self, quarantine_ids: Sequence[str], mark: Mark, at: datetime) -> None:
        """Remember what the contact has been told, and when."""
        await self._run(self._folder.mark, quarantine_ids, mark, at)

    async def audit(self, entry: AuditEntry) -> None:
        """Append one JSON line, durably."""
        line = msgspec.json.encode(asdict(entry)) + b"\n"
        await self._run(self._folder.append_audit, line)

    @asynccontextmanager
    async def housekeeping(self) -> AsyncIterator[bool]:
        """True for one process at a time."""
        with self._folder.housekeeping() as ours:
            yield ours

    def _read_all(self) -> tuple[tuple[QuarantineRecord, ...], tuple[str, ...]]:
        records: list[QuarantineRecord] = []
        damaged: list[str] = []
        for entry in self._folder.entries():
            try:
                records.append(self._folder.record_of(entry))
            except HoldMissing:
                continue  # dropped or forgotten since the listing
            except (HoldDamaged, OSError):
                damaged.append(entry.quarantine_id)
        return tuple(records), tuple(damaged)

    def _drop_unclaimed(self, writing: "asyncio.Future[tuple[str, ...]]") -> None:
        if not writing.cancelled() and writing.exception() is None:
            self._threads.submit(self._folder.drop, writing.result())

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        return await self._submit(call, *arguments)

    def _submit(self, call: Callable[..., T], *arguments: object) -> "asyncio.Future[T]":
        def guarded() -> T:
            try:
                return call(*arguments)
            except OSError as error:
                raise CannotKeep(f"{type(error).__name__}: {error.strerror}") from error

        return asyncio.get_running_loop().run_in_executor(self._threads, guarded)
