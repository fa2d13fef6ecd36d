"""Stored mail of years, judged in the order of its days with a memory of its own.

All cores read ahead; memory is asked and fed strictly in order, so that the verdict on a message
rests on what came before it and on nothing else. What a message leaves behind is added once however
often it is judged, so a replay that was cut short goes on from its last mark. The memory and its
key lie in the folder that is given.

Failure: as of `FileJudge`; a message that cannot be judged is degraded and the rest goes on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.keys import load_or_create_key
from milter.app.files import FileJudge, FileOptions
from milter.app.history import retention
from milter.check.engagement.outbound import outbound_memories
from milter.check.identity import within
from milter.mail.address import parse_path
from milter.mail.engagement import Inquiry, Memories, Recollection
from milter.mail.envelope import Transaction
from milter.mail.message import field_value, scan_header
from milter.pipeline import Assessment
from milter.ports import History
from milter.read.addresses import parse_mailboxes

_DEADLINE_SECONDS = 60.0
_AHEAD_PER_READER = 4


@dataclass(frozen=True, slots=True)
class Dated:
    """A stored message with its day and its place in the order of days."""

    position: int
    at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    position: int
    at: datetime


_PLACE: ContextVar[_Place] = ContextVar("place")


class Replay:
    """An async context; `judged` gives assessments in order, and None for outgoing mail."""

    def __init__(self, options: FileOptions, folder: Path) -> None:
        settings = options.settings
        self._store = SqliteStore(folder / "memory.db")
        history = SealedHistory(
            store=self._store,
            keys=(MemoryKey(load_or_create_key(folder / "memory.key")),),
            clock=_MessageClock(),
            retention=retention(settings),
        )
        self._turns = _Turns()
        self._history = InOrder(history, self._turns)
        judgement = settings.judgement.model_copy(update={"deadline_seconds": _DEADLINE_SECONDS})
        self._options = replace(
            options, settings=settings.model_copy(update={"judgement": judgement})
        )
        self._judge = FileJudge(self._options, history=self._history)

    async def __aenter__(self) -> "Replay":
        await self._judge.__aenter__()
        return self

    async def __aexit__(self, *about: object) -> None:
        await self._judge.__aexit__(None, None, None)
        await self._store.close()

    async def judged(
        self, messages: Iterable[Dated]
    ) -> AsyncIterator[tuple[Dated, Assessment | None]]:
        """All of them, in the order given, which is that of their days."""
        running: deque[tuple[Dated, asyncio.Task[Assessment | None]]] = deque()
        try:
            for number, message in enumerate(messages):
                running.append((message, asyncio.create_task(self._one(number, message))))
                if len(running) > self._options.readers * _AHEAD_PER_READER:
                    first, task = running.popleft()
                    yield first, await task
            while running:
                first, task = running.popleft()
                yield first, await task
        finally:
            for _, task in running:
                task.cancel()

    async def _one(self, number: int, message: Dated) -> Assessment | None:
        _PLACE.set(_Place(number, message.at))
        try:
            transaction = replace(self._judge.transaction(message.raw), received_at=message.at)
            if (outgoing := self._outgoing(transaction)) is not None:
                await self._history.remember(outbound_memories(outgoing, self._judge.told.known))
                return None
            return await self._judge.assess_transaction(transaction)
        finally:
            await self._turns.done(number)

    def _outgoing(self, transaction: Transaction) -> Transaction | None:
        """The mail as one of our own people's, where its author is one."""
        known = self._judge.told.known
        header = scan_header(transaction.raw)
        fields = list(header.named(b"from"))
        authors = parse_mailboxes(field_value(transaction.raw, fields[0]), 2) if fields else ()
        if len(authors) != 1 or not within(authors[0].domain, known.own):
            return None
        path, _ = parse_path(f"<{authors[0].address}>".encode(), smtputf8=True)
        return replace(transaction, envelope=replace(transaction.envelope, reverse_path=path))


class InOrder:
    """Implements `ports.History`: everybody waits for the turn of the message it asks for."""

    def __init__(self, history: History, turns: "_Turns") -> None:
        self._history = history
        self._turns = turns

    async def recall(self, inquiry: Inquiry) -> Recollection:
        """What is known when it is this message's turn."""
        await self._turns.mine()
        return await self._history.recall(inquiry)

    async def remember(self, memories: Memories) -> None:
        """Keep it, when it is this message's turn."""
        if memories:
            await self._turns.mine()
            await self._history.remember(memories)


class _Turns:
    """Messages end in order: the turn passes on when all before are done."""

    def __init__(self) -> None:
        self._turn = 0
        self._done: set[int] = set()
        self._changed = asyncio.Condition()

    async def mine(self) -> None:
        number = _PLACE.get().position
        async with self._changed:
            await self._changed.wait_for(lambda: self._turn >= number)

    async def done(self, number: int) -> None:
        async with self._changed:
            self._done.add(number)
            while self._turn in self._done:
                self._done.remove(self._turn)
                self._turn += 1
            self._changed.notify_all()


class _MessageClock:
    """The day of the message that is judged."""

    def now(self) -> datetime:
        return _PLACE.get().at

    def monotonic(self) -> float:
        return self.now().timestamp()
