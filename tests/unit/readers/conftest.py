"""A pool of real reader processes that obey the orders in the messages."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from milter.mail.reading import Facts
from milter.ports import Examined
from milter.readers.pool import PoolSettings, ReaderPool
from milter.readers.reader import ReaderSetup

ROOT = Path(__file__).parents[3]
FAKE = "tests.support.fake_examine"
FACTS = Facts(role="mx", own_domains=("example.org",), banner_key=b"\x00\xffkey")


class RecordedEvents:
    """What the pool reported, in order."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.ends: list[tuple[str, str]] = []
        self.templates: list[str] = []

    def reader_waited(self, seconds: float) -> None:
        self.waits.append(seconds)

    def reader_ended(self, reason: str, detail: str) -> None:
        self.ends.append((str(reason), detail))

    def template_ended(self, detail: str) -> None:
        self.templates.append(detail)


class Bench:
    """A pool with its record and short ways to use it."""

    def __init__(self, pool: ReaderPool, events: RecordedEvents) -> None:
        self.pool = pool
        self.events = events

    async def examine(self, order: str, *, seconds: float = 20.0, size: int = 0) -> Examined:
        raw = order.encode() + b"\r\n" + b"x" * size
        return await self.pool.examine(raw, FACTS, time.monotonic() + seconds)

    async def reader_pid(self) -> int:
        """The process that examines just now (the only one, or the one used last)."""
        return int((await self.examine("ok")).reading.header.subject)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pools = []

    async def start(**sizes: Any) -> Bench:
        setup = ReaderSetup(
            examine=f"{FAKE}:examine",
            verify=f"{FAKE}:verify",
            warm=sizes.pop("warm", f"{FAKE}:warm"),
            memory_bytes=sizes.pop("memory_bytes", 200_000_000),
            user=sizes.pop("user", ""),
        )
        events = RecordedEvents()
        pool = ReaderPool(PoolSettings(**{"readers": 1, "setup": setup, **sizes}), events)
        pools.append(pool)
        await pool.start()
        return Bench(pool, events)

    yield start
    for pool in pools:
        pids = pool.pids
        await pool.close()
        assert not [pid for pid in pids if is_alive(pid)]


def is_alive(pid: int) -> bool:
    """True if the process exists and is no zombie."""
    if pid <= 0:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that must come."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it never came"
        await asyncio.sleep(0.01)


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def proc(pid: int, name: str) -> str:
    """A file of /proc for this process."""
    return Path(f"/proc/{pid}/{name}").read_text()


def targets_of(pid: int) -> dict[str, str]:
    """Where the descriptors of this process lead."""
    return {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
