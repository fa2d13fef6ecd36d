"""What two gateways leave behind at once: processes of their own that write into one store."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.app.clock import SystemClock
from milter.mail.engagement import Memories
from milter.ports import Clock
from tests.support.redis_server import patient

KEY = bytes(range(32))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the store is: a folder, or a name space of the Redis at `url`."""

    folder: Path
    url: str = ""

    def history(self, clock: Clock) -> SealedHistory:
        """A gateway's own way to it; close its store."""
        if self.url:
            store = RedisStore(patient(url=self.url, name_space=self.folder.name))
        else:
            store = SqliteStore(self.folder / "memory.db", wait_seconds=60)
        return SealedHistory(store=store, keys=(MemoryKey(KEY),), clock=clock)


def gateways(number: int) -> ProcessPoolExecutor:
    """So many processes that wait for something to write; `with` them."""
    return ProcessPoolExecutor(number, mp_context=get_context("spawn"))


def remember(place: Place, memories: Sequence[Memories]) -> None:
    """What one of them does."""
    asyncio.run(_remember(place, memories))


async def _remember(place: Place, memories: Sequence[Memories]) -> None:
    history = place.history(SystemClock())
    try:
        for one in memories:
            await history.store.write(history.batch(one), history.now())
            await asyncio.sleep(0)
    finally:
        await history.store.close()
