"""A gateway under load whose Redis gets into trouble: no mail waits or is lost, memory catches up.

Half of the load are notifications that leave a memory each, half are ordinary mails. What a mail
waited for the store is asserted by the gateway's own histogram, many budgets wide.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from milter.adapters.keys import load_or_create_key
from milter.demo.inner_server import InnerServer
from tests.support import outside, redis_server
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import inner_server
from tests.support.outside import FOLLOW_UP, MARA, MARA_WROTE
from tests.support.redis_server import RedisServer
from tests.support.slow_proxy import SlowProxy
from tests.support.steady_load import Load, delivered

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("memory_away"),
    pytest.mark.skipif(bool(redis_server.why_not()), reason=redis_server.why_not() or "-"),
]
# Some times the gateway's own, so that a busy machine is not taken for a slow store.
BUDGET = 0.2
# The bound of the histogram that no wait may exceed: what a slow store would take.
LONGEST = "1.0"
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A gateway, the store, and the slow way between them."""

    gateway: Gateway
    inner: InnerServer
    redis: RedisServer
    proxy: SlowProxy

    def is_away(self, operation: str) -> bool:
        return self.gateway.metric("lurewall_history_breaker_open", operation=operation) == 1.0

    def is_back(self) -> bool:
        waiting = self.gateway.metric("lurewall_history_journal_records")
        return not waiting and not self.gateway.metric("lurewall_history_breaker_open")

    def send(self, raw: bytes, to: str) -> None:
        with Peer(self.gateway.port) as peer:
            peer.hello()
            assert peer.send(raw, to=[to], sender=MARA).startswith(b"250")

    def findings(self, to: str) -> list[str]:
        """Of the last mail to somebody."""
        events = [one for one in self.gateway.events("message") if one["recipients"] == [to]]
        return events[-1]["findings"]


@contextmanager
def slow_proxy(port: int) -> Iterator[SlowProxy]:
    """The proxy in a loop and thread of its own; its delay may be changed from the test."""
    proxy, loop = SlowProxy(port), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result(10)
        yield proxy
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Iterator[Case]:
    folder: Path = tmp_path_factory.mktemp("away")
    load_or_create_key(folder / "history.key")
    with ExitStack() as stack:
        names = stack.enter_context(outside.name_server(MARA))
        inner = stack.enter_context(inner_server())
        persistent = ("appendonly yes", "appendfsync always")
        redis = stack.enter_context(redis_server.running(folder / "redis", *persistent))
        proxy = stack.enter_context(slow_proxy(redis.port))
        running = stack.enter_context(
            gateway(
                folder,
                inner_port=inner.port,
                mode="annotate",
                role="mx",
                authentication=f'verify = "always"\nnameservers = ["127.0.0.1:{names.port}"]',
                more=outside.shared_memory(
                    str(folder / "history.key"),
                    f'url = "redis://127.0.0.1:{proxy.port}"',
                    budget=BUDGET,
                ),
            )
        )
        yield Case(gateway=running, inner=inner, redis=redis, proxy=proxy)


def restart(case: Case, *, empty: bool = False) -> None:
    if empty:
        shutil.rmtree(case.redis.folder / "appendonlydir")
    case.redis.start()


def slow(case: Case, seconds: float) -> None:
    case.proxy.delay = seconds


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """How it begins and ends; `reads` says whether look-ups fail too."""

    begin: Callable[[Case], object]
    end: Callable[[Case], object]
    reads: bool = True
    forgets: bool = False


TROUBLES = {
    "killed": Trouble(begin=lambda case: case.redis.kill(), end=restart),
    "paused": Trouble(begin=lambda case: case.redis.pause(), end=lambda case: case.redis.resume()),
    "read-only": Trouble(
        begin=lambda case: case.redis.command("REPLICAOF", "127.0.0.1", 1),
        end=lambda case: case.redis.command("REPLICAOF", "NO", "ONE"),
        reads=False,
    ),
    "full": Trouble(
        begin=lambda case: case.redis.command("CONFIG", "SET", "maxmemory", "1mb"),
        end=lambda case: case.redis.command("CONFIG", "SET", "maxmemory", "0"),
        reads=False,
    ),
    "slow by a second": Trouble(
        begin=lambda case: slow(case, 1.0), end=lambda case: slow(case, 0.0)
    ),
    "back empty": Trouble(
        begin=lambda case: case.redis.kill(),
        end=lambda case: restart(case, empty=True),
        forgets=True,
    ),
}


def counted(case: Case) -> dict[str, float]:
    """What the gateway has counted of the memory."""
    return {
        "degraded": case.gateway.metric("lurewall_degraded_total", reason="history"),
        "replayed": case.gateway.metric("lurewall_history_journal_replayed_total"),
    }


def assert_nobody_waited(case: Case) -> None:
    for operation in ("read", "write"):
        name = "lurewall_history_seconds"
        all_of_them = case.gateway.metric(f"{name}_count", operation=operation)
        within = case.gateway.metric(f"{name}_bucket", operation=operation, le=LONGEST)
        assert within == all_of_them > 0


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_mail_flows_and_memory_catches_up(case, trouble):
    case.inner.messages.clear()
    before, kept = counted(case), len(case.redis.content())
    number = next(_numbers)
    to = f"person{number}@example.org"
    # Some 70 mails a second.
    with Load(case.gateway.port, outside.mixed, names=f"t{number}u", senders=6, pause=0.07) as load:
        trouble.begin(case)
        eventually(lambda: case.is_away("write"))
        if trouble.reads:
            eventually(lambda: case.is_away("read"))
        # Learnt while the store is away.
        case.send(outside.notice(*MARA_WROTE, to), to)
        load.wait_for_more()
        assert case.gateway.is_ready()
        assert case.is_away("read") is trouble.reads
        trouble.end(case)
        eventually(case.is_back)
        load.wait_for_more()
    assert load.failed == []
    assert {answer[:3] for _name, answer in load.replies} == {b"250"}
    counts = delivered(case.inner)
    assert [name for name, _answer in load.replies if counts[name] != 1] == []
    after = counted(case)
    assert after["replayed"] > before["replayed"]
    if trouble.reads:
        assert after["degraded"] > before["degraded"]
    assert case.gateway.metric("lurewall_history_journal_dropped_total") == 0
    assert_nobody_waited(case)
    notices = [name for name, _answer in load.replies if outside.is_notice(name)]
    assert len(notices) > 20
    if not trouble.forgets:
        # Every notification has its dossier, whenever it came.
        eventually(lambda: len(case.redis.content()) == kept + len(notices) + 1)
    case.send(outside.direct(MARA, MARA_WROTE[0], FOLLOW_UP, to), to)
    assert "RELAY_THEN_DIRECT" in case.findings(to)
