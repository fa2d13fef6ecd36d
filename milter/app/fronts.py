"""Front processes as the supervisor sees them: one process, and a generation of them.

A generation is the set of fronts that run one configuration. It starts whole or not at all, keeps
its fronts alive with growing pauses, and ends by draining. Which generation is in force, and when,
is the supervisor's matter.

Failure: `FrontFailed` while starting; later deaths are reported and mended.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from milter.app.control import (
    Answer,
    Ask,
    Channel,
    Configure,
    Drain,
    Farewell,
    NotStarted,
    Started,
)
from milter.app.service import ServicePlan
from milter.observe.table import Family
from milter.readers.backoff import Backoff

# How long a front may take to answer, and to end after its grace is over.
_ANSWER_SECONDS = 1.0
_MARGIN_SECONDS = 3.0


class FrontFailed(Exception):
    """A front could not be started; the text is for the operator."""


class FrontObserver(Protocol):
    """What becomes known of fronts without asking."""

    def front_counted(self, front: str, families: tuple[Family, ...]) -> None:
        """The final counts of a front that ends."""
        ...

    def front_failed(self, reason: str) -> None:
        """A front could not be started again; the next attempt follows."""
        ...

    def front_ended(self, front: str, detail: str, *, was_wanted: bool) -> None:
        """A front is gone; called once for each that was launched, after its final counts."""
        ...


class FrontProcess:
    """One front process from its start to its end."""

    def __init__(self, name: str, builder: str, observer: FrontObserver) -> None:
        self.name = name
        # Told to end: it may not answer any more, and its death is no accident.
        self.is_ending = False
        self.gone = asyncio.Event()
        self._exited = asyncio.Event()
        self._builder = builder
        self._observer = observer
        self._has_started = False
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._questions = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process id, 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def _detail(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return ""
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    async def start(self, plan: ServicePlan, sockets: Mapping[str, socket.socket]) -> None:
        """Return when the front takes mail; raises FrontFailed, and then nothing is left of it."""
        descriptors = {name: listener.fileno() for name, listener in sockets.items()}
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._launch(theirs.fileno(), descriptors)
        self._watch(self._process)
        self._channel = await Channel.over(ours)
        self._listening = asyncio.create_task(self._listen(self._channel))
        try:
            async with asyncio.timeout(plan.start_seconds):
                await self._channel.send(
                    Configure(
                        front=self.name,
                        configuration=plan.configuration,
                        source=plan.source,
                        sockets=descriptors,
                        drain_seconds=plan.drain_seconds,
                    )
                )
                await self._started
        except TimeoutError:
            await self._abandon()
            raise FrontFailed(f"front {self.name} did not start in time") from None
        except ConnectionError:
            await self._abandon()
            raise FrontFailed(f"front {self.name} died at its start") from None
        except (FrontFailed, asyncio.CancelledError):
            await self._abandon()
            raise

    async def ask(self, *, wants_metrics: bool = False) -> Answer | None:
        """How the front is; None if it does not say so in time."""
        if self._channel is None or self._exited.is_set():
            return None
        self._questions += 1
        number = self._questions
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._channel.send(Ask(number=number, wants_metrics=wants_metrics))
                return await answer
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._answers.pop(number, None)

    async def drain(self, grace_seconds: float) -> None:
        """Return when the process is gone: by itself, or killed when its grace is over."""
        assert self._channel is not None
        self.is_ending = True
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(grace_seconds + _MARGIN_SECONDS):
                await self._channel.send(Drain(grace_seconds=grace_seconds))
                await self._exited.wait()
        self.kill()
        await self.gone.wait()

    def kill(self) -> None:
        """End it now."""
        self.is_ending = True
        if self._process is not None and not self._exited.is_set():
            self._process.kill()

    async def _abandon(self) -> None:
        self.kill()
        await self.gone.wait()

    def _launch(self, control: int, descriptors: Mapping[str, int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [
                sys.executable,
                "-P",
                "-m",
                "milter.app.front_process",
                str(control),
                str(os.getpid()),
                self._builder,
            ],
            pass_fds=(control, *descriptors.values()),
            stdin=subprocess.DEVNULL,
            # Signals of a terminal are for the supervisor alone.
            start_new_session=True,
        )

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        loop = asyncio.get_running_loop()
        descriptor = os.pidfd_open(process.pid)

        def exited() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            process.wait()
            self._exited.set()

        loop.add_reader(descriptor, exited)

    async def _listen(self, channel: Channel) -> None:
        while message := await channel.receive():
            match message:
                case Started():
                    self._has_started = True
                    self._settle(None)
                case NotStarted(reason=reason):
                    self._settle(FrontFailed(f"front {self.name}: {reason}"))
                case Answer(number=number):
                    answer = self._answers.pop(number, None)
                    if answer is not None and not answer.done():
                        answer.set_result(message)
                case Farewell(families=families):
                    self._observer.front_counted(self.name, families)
                case _:
                    break
        self._settle(FrontFailed(f"front {self.name} died at its start"))
        channel.close()
        # A front that no longer listens cannot be told to end.
        try:
            async with asyncio.timeout(_MARGIN_SECONDS):
                await self._exited.wait()
        except TimeoutError:
            assert self._process is not None
            self._process.kill()
            await self._exited.wait()
        # Who waits for the start is told of its failure; an end is told of what had begun.
        was_wanted = self.is_ending or not self._has_started
        self._observer.front_ended(self.name, self._detail, was_wanted=was_wanted)
        self.gone.set()

    def _settle(self, failure: FrontFailed | None) -> None:
        if self._started.done():
            return
        if failure is None:
            self._started.set_result(None)
        else:
            self._started.set_exception(failure)


class Generation:
    """All fronts of one configuration."""

    def __init__(
        self,
        number: int,
        plan: ServicePlan,
        sockets: Mapping[str, socket.socket],
        builder: str,
        observer: FrontObserver,
    ) -> None:
        self.number = number
        self.plan = plan
        self._sockets = sockets
        self._builder = builder
        self._observer = observer
        self._fronts: dict[int, FrontProcess] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._is_draining = False

    @property
    def fronts(self) -> tuple[FrontProcess, ...]:
        """The fronts that have started and live."""
        return tuple(self._fronts.values())

    async def start(self) -> None:
        """Return when all fronts take mail; raises FrontFailed, and then none is left."""
        starts = [
            asyncio.create_task(self._start_front(slot, life=0)) for slot in range(self.plan.fronts)
        ]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            for front in self.fronts:
                front.kill()
                await front.gone.wait()
            raise
        self._keepers = [asyncio.create_task(self._keep(slot)) for slot in self._fronts]

    async def drain(self, grace_seconds: float) -> None:
        """Let every front finish its transactions; return when all are gone."""
        self._is_draining = True
        await asyncio.gather(*(front.drain(grace_seconds) for front in self.fronts))
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    def kill(self) -> None:
        """End all fronts now."""
        self._is_draining = True
        for front in self.fronts:
            front.kill()

    async def _start_front(self, slot: int, life: int) -> None:
        name = f"{self.number}.{slot}" + (f".{life}" if life else "")
        front = FrontProcess(name, self._builder, self._observer)
        await front.start(self.plan, self._sockets)
        self._fronts[slot] = front

    async def _keep(self, slot: int) -> None:
        """Start the front of this slot again whenever it has died."""
        backoff = Backoff()
        life = 0
        while True:
            started_at = time.monotonic()
            front = self._fronts[slot]
            await front.gone.wait()
            del self._fronts[slot]
            while slot not in self._fronts:
                if self._is_draining:
                    return
                await asyncio.sleep(backoff.pause_after(time.monotonic() - started_at))
                started_at = time.monotonic()
                life += 1
                try:
                    await self._start_front(slot, life)
                except FrontFailed as failure:
                    self._observer.front_failed(str(failure))
