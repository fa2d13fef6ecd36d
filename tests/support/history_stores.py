"""Every store behind `ports.History`, opened for a test; the contract suite runs on all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.ports import Clock
from tests.support.plain_store import PlainStore

KEY = MemoryKey(bytes(range(32)))
STORES: dict[str, Callable[[Path], HistoryStore]] = {
    "plain": lambda _folder: PlainStore(),
    "sqlite": lambda folder: SqliteStore(folder / "history" / "memory.db"),
}
EVERY_STORE = tuple(STORES)


@asynccontextmanager
async def opened(name: str, folder: Path, clock: Clock) -> AsyncIterator[SealedHistory]:
    """A history over a new store of that name."""
    store = STORES[name](folder)
    try:
        yield SealedHistory(store=store, keys=(KEY,), clock=clock)
    finally:
        await store.close()
