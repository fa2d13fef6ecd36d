"""The shared store: one Redis for any number of gateways, alone or watched by Sentinels.

A read is one pipeline of GET, a write one pipeline of scripts, each for one key. Records lie as
`redis_records` says, keys live as long as their last record. Speaks by `redis_client` only.

Needs Redis 6.2 or later with `maxmemory-policy noeviction` (or `volatile-ttl`): docs/memory.md.

**Failure:** `StoreUnavailable` with one word of `redis_client`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from milter.adapters.history.redis_client import RedisClient, RedisOptions, Script
from milter.adapters.history.redis_records import (
    ADD_ENTRIES,
    ADD_MARKS,
    REMOVE,
    NotRecords,
    dossier,
    entries_in,
    marks_in,
    packed_entries,
    packed_marks,
    trail,
)
from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Counts,
    Entry,
    Mark,
    StoreUnavailable,
)

_SCAN_STEP: Final = 500
_EXPIRE_SCANS: Final = 4
_ADD_ENTRIES: Final = Script(ADD_ENTRIES)
_ADD_MARKS: Final = Script(ADD_MARKS)
_REMOVE: Final = Script(REMOVE)
Record = TypeVar("Record", Entry, Mark)


class RedisStore:
    """Implements `HistoryStore`."""

    def __init__(self, options: RedisOptions) -> None:
        self._client = RedisClient(options)
        self._prefix = f"{options.name_space}:".encode()
        self._dossiers = self._prefix + b"d:"
        self._trails = self._prefix + b"t:"
        self._cursor = 0

    async def read(self, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int) -> Answer:
        """All records of these keys; one pipeline."""
        keys = [self._dossiers + one for one in dossiers] + [self._trails + one for one in trails]
        found = [_octets(one) for one in await self._client.ask([("GET", key) for key in keys])]
        try:
            return Answer(
                dossiers=tuple(dossier(one, now) for one in found[: len(dossiers)]),
                trails=tuple(trail(one, now) for one in found[len(dossiers) :]),
            )
        except NotRecords as error:
            raise StoreUnavailable("garbage") from error

    async def write(self, batch: Batch, now: int) -> None:
        """Add; each key by one script."""
        await self._client.run(
            [
                *(
                    (
                        _ADD_ENTRIES,
                        (self._dossiers + key, now, MAX_ENTRIES, packed_entries(entries)),
                    )
                    for key, entries in _by_key(batch.entries)
                ),
                *(
                    (_ADD_MARKS, (self._trails + key, now, MAX_MARKS, packed_marks(marks)))
                    for key, marks in _by_key(batch.marks)
                ),
            ]
        )

    async def forget_entries(self, dossier: bytes, event_ids: Sequence[bytes]) -> int:
        """Remove entries."""
        key = self._dossiers + dossier
        return sum(await self._client.run([(_REMOVE, (key, "dossier", 0, *event_ids))]))

    async def forget_marks(self, trail: bytes, fields: Sequence[bytes]) -> int:
        """Remove marks."""
        return sum(await self._client.run([(_REMOVE, (self._trails + trail, "trail", 0, *fields))]))

    async def dossiers(self) -> AsyncIterator[bytes]:
        """The keys of all dossiers."""
        async for key in self._keys(self._dossiers):
            yield key

    async def trails(self) -> AsyncIterator[bytes]:
        """The keys of all trails."""
        async for key in self._keys(self._trails):
            yield key

    async def expire(self, now: int) -> int:
        """Purge the keys of a bounded stretch, each call the next one.

        Whole keys go by themselves; this is for old records beside younger ones.
        """
        gone = 0
        for _ in range(_EXPIRE_SCANS):
            self._cursor, keys = await self._scan(self._cursor, self._prefix)
            gone += sum(
                await self._client.run([(_REMOVE, (key, self._kind(key), now)) for key in keys])
            )
            if not self._cursor:
                break
        return gone

    async def counts(self) -> Counts:
        """Count everything: walks over all keys."""
        dossiers, entries, octets = await self._count(self._dossiers, entries_in)
        trails, marks, others = await self._count(self._trails, marks_in)
        return Counts(
            dossiers=dossiers, entries=entries, trails=trails, marks=marks, octets=octets + others
        )

    async def close(self) -> None:
        """Give back all connections; what is under way ends first, within its timeouts."""
        await self._client.close()

    # Walking over keys: for people and housekeeping, never on the way of a mail.

    async def _keys(self, prefix: bytes) -> AsyncIterator[bytes]:
        # A table that is resized meanwhile gives keys twice.
        seen: set[bytes] = set()
        cursor = 0
        while True:
            cursor, keys = await self._scan(cursor, prefix)
            for key in keys:
                if key not in seen:
                    seen.add(key)
                    yield key[len(prefix) :]
            if not cursor:
                return

    def _kind(self, key: bytes) -> str:
        return "trail" if key.startswith(self._trails) else "dossier"

    async def _scan(self, cursor: int, prefix: bytes) -> tuple[int, list[bytes]]:
        (answer,) = await self._client.ask(
            [("SCAN", cursor, "MATCH", prefix + b"*", "COUNT", _SCAN_STEP, "TYPE", "string")]
        )
        match answer:
            case (int(following), list(keys)):
                return following, keys
        raise StoreUnavailable("garbage")

    async def _count(
        self, prefix: bytes, records: Callable[[bytes], Iterator[object]]
    ) -> tuple[int, int, int]:
        keys = count = octets = 0
        async for chunk in _chunks(self._keys(prefix)):
            names = [prefix + key for key in chunk]
            found = [
                _octets(one) for one in await self._client.ask([("GET", name) for name in names])
            ]
            sizes = await self._client.send([("MEMORY USAGE", name) for name in names])
            keys += sum(map(bool, found))
            count += sum(1 for one in found for _ in records(one))
            octets += sum(size for size in sizes if isinstance(size, int))
        return keys, count, octets


def _octets(answer: object) -> bytes:
    if answer is None:
        return b""
    if not isinstance(answer, bytes):
        raise StoreUnavailable("garbage")
    return answer


def _by_key(records: Iterable[tuple[bytes, Record]]) -> Iterable[tuple[bytes, list[Record]]]:
    found: dict[bytes, list[Record]] = {}
    for key, record in records:
        found.setdefault(key, []).append(record)
    return found.items()


async def _chunks(keys: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    chunk: list[bytes] = []
    async for key in keys:
        chunk.append(key)
        if len(chunk) == _SCAN_STEP:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
