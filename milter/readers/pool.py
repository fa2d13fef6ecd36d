"""The pool of readers in a front: one message per reader, one deadline, one second attempt.

A message waits a bounded time in a bounded queue. If its reader hangs past its share of the
deadline or dies, the reader is killed, a successor forked, and the message goes once more to
another reader, text only, with what is left of the deadline; the next message never notices. What
a reading means is decided elsewhere.

Failure: `ExaminationFailed` (timeout, crash, overload); the policy for *cannot judge* applies.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from milter.mail.reading import Facts, IntegrityReport, Reading
from milter.ports import ExaminationFailed, Examined
from milter.readers.backoff import Backoff
from milter.readers.connection import EndReason, ReaderConnection, ReaderFailure
from milter.readers.frames import RequestKind
from milter.readers.reader import ReaderSetup
from milter.readers.template import ForkRefused, Template


class ReadersUnavailable(Exception):
    """No reader could be started; the text is for the operator."""


class PoolEvents(Protocol):
    """What the pool tells those who count and log."""

    def reader_waited(self, seconds: float) -> None:
        """A message waited so long for its reader."""
        ...

    def reader_ended(self, reason: EndReason, detail: str) -> None:
        """A reader is dead and reaped; `detail` is a signal, or an exception type and place."""
        ...

    def template_ended(self, detail: str) -> None:
        """The zygote died and is started again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Sizes and shares. `queue_share` of the time to the deadline may pass in the queue, then
    `first_share` of what is left in the first attempt."""

    setup: ReaderSetup
    readers: int = 2
    queue_limit: int = 64
    queue_share: float = 0.4
    first_share: float = 0.6
    recycle_after: int = 1000
    start_seconds: float = 60.0


@dataclass(slots=True)
class _Queue:
    """Idle readers and waiting messages; never both."""

    idle: deque[ReaderConnection] = field(default_factory=deque)
    waiting: deque["asyncio.Future[ReaderConnection]"] = field(default_factory=deque)

    def put(self, reader: ReaderConnection) -> None:
        """Hand a free reader to the message that is next, or keep it."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(reader)
                return
        self.idle.append(reader)


class ReaderPool:
    """Implements `ports.Examiner`."""

    def __init__(self, settings: PoolSettings, events: PoolEvents) -> None:
        self._settings = settings
        self._events = events
        self._queue = _Queue()
        self._readers: set[ReaderConnection] = set()
        self._template = Template(settings.setup, self._template_ended)
        self._template_died = asyncio.Event()
        self._slots: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when every reader is warm; raises ReadersUnavailable."""
        self._template.start()
        all_up = [asyncio.Event() for _ in range(self._settings.readers)]
        self._slots = [asyncio.create_task(self._keep_reader(up)) for up in all_up]
        waits = {
            asyncio.create_task(_all(all_up)),
            asyncio.create_task(self._template_died.wait()),
        }
        await asyncio.wait(
            waits,
            timeout=self._settings.start_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for wait in waits:
            wait.cancel()
        if not all(up.is_set() for up in all_up):
            await self.close()
            raise ReadersUnavailable("the readers could not be started")

    async def close(self) -> None:
        """Kill all readers and the zygote, and wait until they are gone."""
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        readers = tuple(self._readers)
        for reader in readers:
            reader.end(EndReason.CLOSED)
        await self._template.close()
        await asyncio.gather(*(reader.reaped for reader in readers))

    @property
    def idle(self) -> int:
        """Readers that wait for a message."""
        return len(self._queue.idle)

    @property
    def busy(self) -> int:
        """Readers at work."""
        return sum(reader.pid > 0 for reader in self._readers) - self.idle

    @property
    def problem(self) -> str:
        """Why no message can be examined just now; '' if one can (for health)."""
        return "" if self.idle + self.busy else "none is up"

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids: the zygote's (0 while there is none), then those of the readers."""
        return (self._template.pid, *(reader.pid for reader in self._readers))

    async def examine(self, raw: bytes, facts: Facts, deadline: float) -> Examined:
        """Examine one message; a reader's failure costs it its attachments, not its judgement."""
        try:
            reading: Reading = await self._first(RequestKind.EXAMINE, (raw,), facts, deadline)
            return Examined(reading=reading)
        except ReaderFailure as failure:
            first = _reason(failure)
        text_only = replace(facts, text_only=True)
        reading = await self._second(RequestKind.EXAMINE, (raw,), text_only, deadline, first)
        return Examined(reading=reading, first_failure=first)

    async def verify(
        self, original: bytes, edited: bytes, facts: Facts, deadline: float
    ) -> IntegrityReport:
        """Re-scan an edited message; never in text-only mode, which would prove less."""
        raws = (original, edited)
        report: IntegrityReport
        try:
            report = await self._first(RequestKind.VERIFY, raws, facts, deadline)
        except ReaderFailure as failure:
            report = await self._second(RequestKind.VERIFY, raws, facts, deadline, _reason(failure))
        return report

    async def _first(
        self, kind: RequestKind, raws: tuple[bytes, ...], facts: Facts, deadline: float
    ) -> Any:
        asked_at = time.monotonic()
        share = (deadline - asked_at) * self._settings.queue_share
        reader = await self._check_out(asked_at + share)
        got_at = time.monotonic()
        self._events.reader_waited(got_at - asked_at)
        until = got_at + (deadline - got_at) * self._settings.first_share
        return await reader.ask(kind, raws, facts, until)

    async def _second(
        self,
        kind: RequestKind,
        raws: tuple[bytes, ...],
        facts: Facts,
        deadline: float,
        first_reason: str,
    ) -> Any:
        try:
            reader = await self._check_out(deadline, is_second=True)
        except ExaminationFailed:
            raise ExaminationFailed(first_reason) from None
        try:
            return await reader.ask(kind, raws, facts, deadline)
        except ReaderFailure as failure:
            raise ExaminationFailed(_reason(failure)) from None

    async def _check_out(self, until: float, *, is_second: bool = False) -> ReaderConnection:
        """A free reader; a message on its second attempt goes before all others."""
        queue = self._queue
        while queue.idle:
            reader = queue.idle.pop()
            if not reader.ended.done():
                return reader
        if len(queue.waiting) >= self._settings.queue_limit and not is_second:
            raise ExaminationFailed("overload")
        waiter: asyncio.Future[ReaderConnection] = asyncio.get_running_loop().create_future()
        if is_second:
            queue.waiting.appendleft(waiter)
        else:
            queue.waiting.append(waiter)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await waiter
        except TimeoutError:
            self._withdraw(waiter)
            raise ExaminationFailed("overload") from None
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise

    def _withdraw(self, waiter: "asyncio.Future[ReaderConnection]") -> None:
        """Leave the queue; a reader that came at the same moment goes to the next."""
        if waiter.done() and not waiter.cancelled():
            self._release(waiter.result())
        elif waiter in self._queue.waiting:
            self._queue.waiting.remove(waiter)

    def _release(self, reader: ReaderConnection) -> None:
        if not reader.ended.done():
            self._queue.put(reader)

    async def _keep_reader(self, up: asyncio.Event) -> None:
        """One slot of the pool: fork a reader, wait for its end, fork the next."""
        backoff = Backoff()
        while True:
            started_at = time.monotonic()
            try:
                reader = await self._fork()
            except (ForkRefused, ReaderFailure):
                await asyncio.sleep(backoff.pause_after(time.monotonic() - started_at))
                continue
            up.set()
            await asyncio.shield(reader.ended)
            if reader in self._queue.idle:
                self._queue.idle.remove(reader)
            self._readers.discard(reader)

    async def _fork(self) -> ReaderConnection:
        connection = await self._template.fork()
        factory = partial(
            ReaderConnection,
            recycle_after=self._settings.recycle_after,
            on_free=self._release,
            on_reaped=self._events.reader_ended,
        )
        loop = asyncio.get_running_loop()
        _transport, reader = await loop.create_unix_connection(factory, sock=connection)
        self._readers.add(reader)
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                await reader.greeted
        except TimeoutError:
            reader.end(EndReason.NOT_STARTED)
            self._readers.discard(reader)
            # A template that hangs while it warms up would hang for every reader.
            self._template.kill()
            raise ReaderFailure(EndReason.NOT_STARTED) from None
        except ReaderFailure:
            self._readers.discard(reader)
            raise
        return reader

    def _template_ended(self, detail: str) -> None:
        self._template_died.set()
        self._events.template_ended(detail)


async def _all(events: list[asyncio.Event]) -> None:
    for event in events:
        await event.wait()


def _reason(failure: ReaderFailure) -> str:
    """The word of the port for what happened to a reader."""
    return "timeout" if failure.reason is EndReason.TIMEOUT else "crash"
