"""A guarded Redis in trouble: the mail never waits, what was to be written is written afterwards.

Outcomes are asserted, not seconds; the one bound on time is many budgets wide.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from milter.adapters.history.batch_journal import BatchJournal
from milter.adapters.history.breaker import BreakerOptions
from milter.adapters.history.guard import GuardedStore, GuardOptions
from milter.adapters.history.redis_client import RedisOptions
from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.store import Batch, Entry, StoreUnavailable
from milter.app.clock import SystemClock
from tests.support import redis_server
from tests.support.redis_server import RedisServer
from tests.support.slow_proxy import SlowProxy
from tests.support.troubled_store import Watcher

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(redis_server.why_not()), reason=redis_server.why_not() or "-"),
]
# Three times the gateway's own, so that a busy machine is not taken for a slow store.
BUDGET = 0.15
# A mail makes one read and one write; far above both budgets, below what a socket would wait.
GENEROUS = 2.0
NOW = 1_900_000_000


class Case:
    """A guard over a real Redis, and the mails that passed while it was in trouble."""

    def __init__(self, folder: Path, options: RedisOptions) -> None:
        self.watcher = Watcher()
        self.sent = 0
        self.longest = 0.0
        self.guard = GuardedStore(
            RedisStore(options),
            BatchJournal(folder / "journal", most_bytes=1_000_000),
            SystemClock(),
            watch=self.watcher,
            jitter=lambda: 0.5,
            options=GuardOptions(
                budget=BUDGET,
                replay_pause=0.005,
                grace=0.2,
                breaker=BreakerOptions(first_wait=0.1, longest_wait=0.2),
            ),
        )

    async def mail(self) -> str:
        """What a message does: a look-up, then what it leaves behind; the look-up's failure."""
        self.sent += 1
        number, word = self.sent, ""
        began = time.monotonic()
        try:
            await self.guard.read([b"jane"], [], NOW)
        except StoreUnavailable as error:
            word = str(error)
        await self.guard.write(batch(number), NOW)
        self.longest = max(self.longest, time.monotonic() - began)
        return word

    async def mails(self, count: int) -> set[str]:
        """A hundred a second, as they come."""
        coming = []
        for _ in range(count):
            coming.append(asyncio.ensure_future(self.mail()))
            await asyncio.sleep(0.01)
        return set(await asyncio.gather(*coming))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Mail goes on until something is so."""
        for _ in range(1_000):
            if is_so():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.watcher.__dict__)

    async def recovered(self) -> None:
        """Everything that was kept aside has been written, and the store is asked again."""
        await self.until(
            lambda: not self.watcher.waiting and not any(self.watcher.is_open.values())
        )

    async def all_kept(self) -> None:
        answer = await self.guard.read([b"jane"], [], NOW)
        assert len(answer.dossiers[0]) == self.sent <= 256
        assert self.watcher.dropped == 0
        assert self.longest < GENEROUS


def batch(number: int) -> Batch:
    name = b"%d" % number
    return Batch(entries=((b"jane", Entry(name, b"g", NOW, NOW + 86_400, b"sealed " + name)),))


@asynccontextmanager
async def guarded(folder: Path, **options: object) -> AsyncIterator[Case]:
    case = Case(folder, RedisOptions(connect_timeout=2.0, timeout=2.0, **options))
    try:
        await case.mail()  # the first connection is made here
        await case.recovered()
        yield case
    finally:
        await case.guard.close()


@pytest.fixture
def server(tmp_path) -> Iterator[RedisServer]:
    with redis_server.running(tmp_path / "redis") as running:
        yield running


TROUBLES = {
    "paused": SimpleNamespace(
        begin=lambda server: server.pause(), end=lambda server: server.resume(), reads={"timeout", "open"}
    ),
    "read-only": SimpleNamespace(
        begin=lambda server: server.command("REPLICAOF", "127.0.0.1", 1),
        end=lambda server: server.command("REPLICAOF", "NO", "ONE"),
        reads={""},
    ),
    "full": SimpleNamespace(
        begin=lambda server: server.command("CONFIG", "SET", "maxmemory", "1mb"),
        end=lambda server: server.command("CONFIG", "SET", "maxmemory", "0"),
        reads={""},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
async def test_trouble_passes_and_nothing_is_lost(tmp_path, server, name) -> None:
    trouble = TROUBLES[name]
    async with guarded(tmp_path, url=server.url) as case:
        await case.mails(5)
        trouble.begin(server)
        words = await case.mails(40)
        assert words <= trouble.reads | {""}
        assert trouble.reads <= words
        assert case.watcher.is_open["write"]
        assert case.watcher.is_open["read"] is ("" not in trouble.reads)
        assert case.watcher.waiting > 20
        trouble.end(server)
        await case.recovered()
        await case.mails(5)
        await case.all_kept()
        assert case.watcher.replayed > 20


async def test_killed_and_back_with_what_it_had(tmp_path) -> None:
    with redis_server.running(tmp_path / "redis", "appendonly yes", "appendfsync always") as server:
        async with guarded(tmp_path, url=server.url) as case:
            await case.mails(5)
            server.kill()
            words = await case.mails(40)
            assert "open" in words
            assert words <= {"", "open", "lost", "refused"}
            assert case.watcher.is_open == {"read": True, "write": True}
            server.start()
            await case.recovered()
            await case.all_kept()


async def test_back_empty(tmp_path, server) -> None:
    async with guarded(tmp_path, url=server.url) as case:
        await case.mails(5)
        server.kill()
        before = case.sent
        await case.mails(20)
        server.start()
        await case.recovered()
        # What the server forgot is gone; what was written while it was away is there.
        found = (await case.guard.read([b"jane"], [], NOW)).dossiers[0]
        assert {one.event_id for one in found} == {
            b"%d" % number for number in range(before + 1, case.sent + 1)
        }
        assert case.watcher.dropped == 0


async def test_slow_by_a_second(tmp_path, server) -> None:
    async with (
        SlowProxy(server.port) as proxy,
        guarded(tmp_path, url=f"redis://127.0.0.1:{proxy.port}") as case,
    ):
        proxy.delay = 1.0
        words = await case.mails(40)
        assert words == {"timeout", "open"}
        assert case.watcher.is_open == {"read": True, "write": True}
        proxy.delay = 0.0
        await case.recovered()
        await case.all_kept()


async def test_a_connection_that_takes_longer_than_a_budget_comes_up(tmp_path, server) -> None:
    """Far away, but quick enough once connected: made behind, in the time of several mails."""
    async with SlowProxy(server.port) as proxy:
        proxy.delay = 0.1  # each way of each word: hello and question are two round trips
        case = Case(tmp_path, RedisOptions(url=f"redis://127.0.0.1:{proxy.port}"))
        assert await case.mail() == "timeout"
        await case.until(lambda: proxy.connections > 0)
        proxy.delay = 0.01
        await case.recovered()
        assert await case.mail() == ""
        await case.all_kept()
        await case.guard.close()


async def test_failed_over_by_sentinels(tmp_path) -> None:
    with redis_server.group(tmp_path) as watched:
        async with guarded(tmp_path, sentinels=watched.addresses) as case:
            await case.mails(5)
            watched.wait_for_replica()
            old = watched.master_port()
            watched.member(old).kill()
            words = await case.mails(40)
            assert "open" in words
            await asyncio.to_thread(watched.wait_for_another, old)
            await case.recovered()
            await case.mails(5)
            await case.all_kept()


async def test_more_mails_at_once_than_connections(tmp_path, server) -> None:
    async with guarded(tmp_path, url=server.url, connections=2) as case:
        await asyncio.gather(*(case.mail() for _ in range(30)))
        await case.recovered()
        await case.all_kept()
        assert server.command("INFO", "clients")["connected_clients"] <= 2 + 1


async def test_what_a_killed_gateway_kept_aside_is_written_by_the_next(tmp_path, server) -> None:
    dead = RedisOptions(url="redis://127.0.0.1:1")
    first = Case(tmp_path, dead)
    for _ in range(10):
        await first.mail()
    assert first.watcher.waiting == 10
    await first.guard.close()
    async with guarded(tmp_path, url=server.url) as case:
        await case.until(lambda: case.watcher.replayed == 10)
        assert len((await case.guard.read([b"jane"], [], NOW)).dossiers[0]) == 10
