"""A store within bounds: a mail never waits for it longer than the budget, whatever it does.

- **Budget.** Who waits gives up in time; the operation itself goes on behind, within the store's
  own timeouts and in a bounded number, so that a connection that takes longer than one budget
  comes up at all.
- **Breakers**, one for reads and one for writes (a full or read-only server still answers): while
  open nobody waits. One attempt for all tells when the store is back: a mail's, or our own where
  no mail comes.
- **Journal.** A batch that the store did not take in time is kept in a file and written later, in
  steps; since adding is idempotent, it does no harm that the store may have taken it after all.

Refuses to wait twice: nothing is tried again on the way of a mail.

**Failure:** `read` raises StoreUnavailable (`open`, `timeout`, or the store's word). `write` raises
it only for what is lost: neither store nor journal took it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

from milter.adapters.history.batch_journal import BatchJournal
from milter.adapters.history.breaker import Breaker, BreakerOptions
from milter.adapters.history.store import Answer, Batch, Counts, HistoryStore, StoreUnavailable
from milter.ports import Clock

READ: Final = "read"
WRITE: Final = "write"
REPLAY: Final = "replay"
_PROBE: Final = b"\0" * 16
_MOST_GARBAGE: Final = 3

Result = TypeVar("Result")


class Watch(Protocol):
    """Hears how the store does; `operation` is read, write or replay.

    Outcomes: ok, timeout (given up), refused (the store said no), open (not even asked).
    """

    def history_answered(self, operation: str, outcome: str, seconds: float) -> None: ...

    def history_breaker(self, operation: str, is_open: bool) -> None: ...

    def history_journal(self, waiting: int, replayed: int, dropped: int) -> None:
        """How many batches wait now; how many were written or lost since the last call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOptions:
    """Seconds and numbers; `late` is how many operations may go on behind."""

    budget: float = 0.05
    replay_budget: float = 0.5
    replay_step: int = 32
    replay_pause: float = 0.02
    late: int = 64
    grace: float = 2.0
    breaker: BreakerOptions = field(default_factory=BreakerOptions)


class GuardedStore:
    """Implements `HistoryStore` over another; made for the path of a mail."""

    def __init__(
        self,
        store: HistoryStore,
        journal: BatchJournal,
        clock: Clock,
        *,
        watch: Watch,
        jitter: Callable[[], float],
        options: GuardOptions = GuardOptions(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._watch = watch
        self._options = options
        self._sleep = sleep
        self._read_breaker = self._breaker(READ, jitter)
        self._write_breaker = self._breaker(WRITE, jitter)
        self._late: set[asyncio.Task[Any]] = set()
        self._mender: asyncio.Task[None] | None = None
        self._adoption: asyncio.Task[None] | None = None
        self._is_adopting = True
        self._is_closed = False
        self._dropped = 0
        self._garbage = 0

    def _breaker(self, operation: str, jitter: Callable[[], float]) -> Breaker:
        return Breaker(
            self._options.breaker,
            jitter=jitter,
            told=lambda is_open: self._watch.history_breaker(operation, is_open),
        )

    # On the way of a mail.

    async def read(self, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int) -> Answer:
        """What the store answers within the budget."""
        if not dossiers and not trails:
            return Answer()
        try:
            return await self._within(
                self._read_breaker,
                READ,
                lambda: self._store.read(dossiers, trails, now),
                self._options.budget,
            )
        finally:
            self._mend()

    async def write(self, batch: Batch, now: int) -> None:
        """To the store within the budget, else into the journal."""
        if not batch:
            return
        try:
            await self._within(
                self._write_breaker,
                WRITE,
                lambda: self._store.write(batch, now),
                self._options.budget,
            )
        except StoreUnavailable as error:
            kept = self._journal.append(batch)
            self._tell(dropped=0 if kept else 1)
            if not kept:
                raise StoreUnavailable(f"{error}, no journal") from error
        except asyncio.CancelledError:
            # Whoever had it written was stopped; the facts are facts.
            self._tell(dropped=0 if self._journal.append(batch) else 1)
            raise
        finally:
            self._mend()

    async def _within(
        self,
        breaker: Breaker,
        operation: str,
        work: Callable[[], Coroutine[Any, Any, Result]],
        budget: float,
    ) -> Result:
        begun = self._clock.monotonic()
        if self._is_closed or not breaker.allows(begun):
            self._watch.history_answered(operation, "open", 0.0)
            raise StoreUnavailable("open")
        task = asyncio.ensure_future(work())
        try:
            await asyncio.wait({task}, timeout=budget)
        except asyncio.CancelledError:
            breaker.abandoned()
            self._leave(task)
            raise
        now = self._clock.monotonic()
        if not task.done() or task.cancelled():
            self._leave(task)
            breaker.failed(now)
            self._watch.history_answered(operation, "timeout", now - begun)
            raise StoreUnavailable("timeout")
        if task.exception() is None:
            breaker.succeeded(now)
            self._watch.history_answered(operation, "ok", now - begun)
        else:
            breaker.failed(now)
            self._watch.history_answered(operation, "refused", now - begun)
        return task.result()

    def _leave(self, task: asyncio.Task[Any]) -> None:
        """Let it go on behind; too many of them are stopped instead."""
        self._late.add(task)
        task.add_done_callback(self._came_late)
        if len(self._late) > self._options.late:
            task.cancel()

    def _came_late(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()

    # Behind.

    def _mend(self) -> None:
        """See to it that somebody looks after the journal and an open breaker."""
        has_work = self._is_adopting or self._read_breaker.is_open or len(self._journal)
        if has_work and not self._is_closed and (self._mender is None or self._mender.done()):
            self._mender = asyncio.ensure_future(self._mending())

    async def _mending(self) -> None:
        while True:
            if self._is_adopting:
                self._is_adopting = False
                self._adoption = asyncio.ensure_future(self._adopt())
                await asyncio.shield(self._adoption)
            if not self._read_breaker.is_open and not self._journal:
                return
            await self._sleep(self._due())
            if self._read_breaker.is_open and self._is_due(self._read_breaker):
                with suppress(StoreUnavailable):
                    await self._probe()
            if self._journal and self._is_due(self._write_breaker):
                await self._replay()

    async def _adopt(self) -> None:
        self._journal.adopt(await asyncio.to_thread(self._journal.orphans))
        self._tell()

    def _due(self) -> float:
        now = self._clock.monotonic()
        waits = [self._read_breaker.wait(now)] if self._read_breaker.is_open else []
        if self._journal:
            waits.append(self._write_breaker.wait(now))
        return max(min(waits), self._options.replay_pause)

    async def _probe(self) -> None:
        await self._within(
            self._read_breaker,
            READ,
            lambda: self._store.read([_PROBE], [], self._now()),
            self._options.budget,
        )

    async def _replay(self) -> None:
        """One step: the oldest batches as one."""
        batches = self._journal.oldest(1 if self._garbage else self._options.replay_step)
        if not batches:
            self._tell()
            return
        together = Batch(
            entries=tuple(chain.from_iterable(one.entries for one in batches)),
            marks=tuple(chain.from_iterable(one.marks for one in batches)),
        )
        try:
            await self._within(
                self._write_breaker,
                REPLAY,
                lambda: self._store.write(together, self._now()),
                self._options.replay_budget,
            )
        except StoreUnavailable as error:
            if str(error) == "garbage":
                await self._not_taken(len(batches))
            return
        self._garbage = 0
        self._journal.advance(len(batches))
        self._tell(replayed=len(batches))

    async def _not_taken(self, count: int) -> None:
        """A batch that a healthy store will never take holds up all others: drop that one."""
        self._garbage += 1
        if count > 1 or self._garbage <= _MOST_GARBAGE:
            return
        with suppress(StoreUnavailable):
            await self._probe()
            self._journal.advance(1)
            self._tell(dropped=1)

    def _is_due(self, breaker: Breaker) -> bool:
        return breaker.wait(self._clock.monotonic()) == 0.0

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _tell(self, *, replayed: int = 0, dropped: int = 0) -> None:
        pushed_out = self._journal.dropped - self._dropped
        self._dropped = self._journal.dropped
        self._watch.history_journal(len(self._journal), replayed, dropped + pushed_out)

    # Not on the way of a mail: no budget, nothing is kept for later.

    async def forget_entries(self, dossier: bytes, event_ids: Sequence[bytes]) -> int:
        """As the store does."""
        return await self._store.forget_entries(dossier, event_ids)

    async def forget_marks(self, trail: bytes, fields: Sequence[bytes]) -> int:
        """As the store does."""
        return await self._store.forget_marks(trail, fields)

    def dossiers(self) -> AsyncIterator[bytes]:
        """As the store does."""
        return self._store.dossiers()

    def trails(self) -> AsyncIterator[bytes]:
        """As the store does."""
        return self._store.trails()

    async def expire(self, now: int) -> int:
        """As the store does; and looks for the journals of dead processes."""
        self._is_adopting = True
        self._mend()
        return await self._store.expire(now)

    async def counts(self) -> Counts:
        """As the store does."""
        return await self._store.counts()

    async def close(self) -> None:
        """Wait for what goes on behind, within the grace; the next process has the journal."""
        self._is_closed = True
        if self._mender is not None:
            self._mender.cancel()
            await asyncio.gather(self._mender, return_exceptions=True)
        if self._adoption is not None:
            # What its thread has locked has to be let go of.
            await asyncio.gather(self._adoption, return_exceptions=True)
        if self._late:
            await asyncio.wait(set(self._late), timeout=self._options.grace)
        for task in tuple(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        self._journal.close()
        await self._store.close()
