"""A plain store that hangs, refuses, or breaks when a test says so, and who watches it."""

import asyncio
from collections import Counter
from contextlib import suppress

from milter.adapters.history.store import Answer, Batch, StoreUnavailable
from tests.support.plain_store import PlainStore


class TroubledStore(PlainStore):
    """`trouble`: '' none, 'hang' until `release`, else the word of StoreUnavailable."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble = self.write_trouble = ""
        self.error: Exception | None = None
        self.asked: list[str] = []
        self.running = self.most_running = 0
        self._released = asyncio.Event()
        self.is_closed = False

    def release(self) -> None:
        """What hangs goes on."""
        self._released.set()

    async def _meet(self, trouble: str) -> None:
        if self.error is not None:
            raise self.error
        if trouble == "hang":
            self.running += 1
            self.most_running = max(self.running, self.most_running)
            try:
                await self._released.wait()
            finally:
                self.running -= 1
        elif trouble:
            raise StoreUnavailable(trouble)

    async def read(self, dossiers, trails, now) -> Answer:
        self.asked.append("read")
        await self._meet(self.trouble)
        return await super().read(dossiers, trails, now)

    async def write(self, batch: Batch, now: int) -> None:
        self.asked.append("write")
        await self._meet(self.write_trouble or self.trouble)
        await super().write(batch, now)

    async def close(self) -> None:
        self.is_closed = True


class Watcher:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.is_open = {"read": False, "write": False}
        self.waiting = self.replayed = self.dropped = 0

    def history_answered(self, operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.answers[operation, outcome] += 1

    def history_breaker(self, operation: str, is_open: bool) -> None:
        assert self.is_open[operation] is not is_open
        self.is_open[operation] = is_open

    def history_journal(self, waiting: int, replayed: int, dropped: int) -> None:
        self.waiting = waiting
        self.replayed += replayed
        self.dropped += dropped


class Sleeper:
    """In the place of asyncio.sleep: moves the clock, and gives others a turn."""

    def __init__(self, clock) -> None:
        self._clock = clock
        self.is_awake = asyncio.Event()
        self.is_awake.set()

    async def __call__(self, seconds: float) -> None:
        await self.is_awake.wait()
        self._clock.seconds += seconds
        await asyncio.sleep(0)


async def settled(task: asyncio.Task | None) -> None:
    """Until a task has ended by itself."""
    if task is not None:
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(task), 10)
