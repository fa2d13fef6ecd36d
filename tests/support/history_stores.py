"""Every store behind `ports.History`, opened for a test; the contract suite runs on all of them."""

import atexit
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.ports import Clock
from tests.support import redis_server
from tests.support.plain_store import PlainStore


@cache
def _server() -> redis_server.RedisServer:
    """One Redis for all tests of this process; each folder has a name space of its own."""
    folder = tempfile.TemporaryDirectory(prefix="redis-")
    server = redis_server.RedisServer(Path(folder.name))
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.kill)
    return server


def _redis_store(folder: Path) -> RedisStore:
    name = sha256(bytes(folder)).hexdigest()[:16]
    return RedisStore(redis_server.patient(url=_server().url, name_space=name))


KEY = MemoryKey(bytes(range(32)))
STORES: dict[str, Callable[[Path], HistoryStore]] = {
    "plain": lambda _folder: PlainStore(),
    "sqlite": lambda folder: SqliteStore(folder / "history" / "memory.db"),
    "redis": _redis_store,
}
_NO_REDIS = pytest.mark.skipif(bool(redis_server.why_not()), reason=redis_server.why_not() or "-")
EVERY_STORE = ("plain", "sqlite", pytest.param("redis", marks=_NO_REDIS))


@asynccontextmanager
async def opened(name: str, folder: Path, clock: Clock) -> AsyncIterator[SealedHistory]:
    """A history over a new store of that name."""
    store = STORES[name](folder)
    try:
        yield SealedHistory(store=store, keys=(KEY,), clock=clock)
    finally:
        await store.close()
