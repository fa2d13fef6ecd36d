"""The supervisor: binds the sockets, keeps the fronts alive, reloads, drains. Never touches mail.

A reload is validated whole or refused whole: the new configuration is checked, its sockets bound
and its fronts started before the old generation is told to drain; any failure on the way leaves
the old one in force. Listening sockets that stay are handed on, so no connection is refused.

Failure: at the start ConfigurationError, AddressUnavailable or FrontFailed for the command line;
later everything is logged, counted and mended. If the supervisor is killed, the fronts drain.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from milter.app.admin import AdminServer
from milter.app.fronts import FrontFailed, FrontProcess, Generation
from milter.app.service import ServicePlan
from milter.app.sockets import (
    AddressUnavailable,
    ListenAddress,
    bind_all,
    bound_to,
    close_others,
)
from milter.app.systemd import notify, reloading
from milter.observe.exposition import Ledger, text_exposition
from milter.observe.maillog import MailLog
from milter.observe.metrics import SupervisorMetrics
from milter.observe.table import Family
from milter.settings.load import ConfigurationError

FRONT_BUILDER = "milter.app.build:build_front"


def serve(load: Callable[[], ServicePlan], *, builder: str = FRONT_BUILDER) -> None:
    """Run the gateway until it is told to stop; `load` reads and validates the configuration."""
    asyncio.run(Supervisor(load, builder=builder).run())


class _Stopped(Exception):
    """Told to stop while waiting for something else."""


class Supervisor:
    """The process that `lurewall serve` is."""

    def __init__(self, load: Callable[[], ServicePlan], *, builder: str = FRONT_BUILDER) -> None:
        self._load = load
        self._builder = builder
        self._stop = asyncio.Event()
        self._hasten = asyncio.Event()
        self._reload = asyncio.Event()
        self._sockets: dict[ListenAddress, socket.socket] = {}
        self._generations: list[Generation] = []
        self._drains: set[asyncio.Task[None]] = set()
        self._started_generations = 0
        self._admin: AdminServer | None = None
        self._metrics = SupervisorMetrics()
        self._ledger = Ledger()
        self._log: MailLog

    async def run(self) -> None:
        """Start, serve, and return when all fronts have drained."""
        plan = self._load()
        self._log = MailLog(plan.mail_log, process="supervisor")
        self._sockets = bind_all((*plan.listeners.values(), plan.admin), {})
        self._heed_signals()
        try:
            await self._unless_stopped(self._start_generation(plan))
            await self._serve_admin(plan)
            self._log.started(
                version=plan.version,
                configuration=plan.configuration_hash,
                mode=plan.mode,
                listeners=self._addresses(plan),
            )
            notify("READY=1")
            while True:
                await self._unless_stopped(self._reload.wait())
                self._reload.clear()
                await self._unless_stopped(self._reload_all())
        except _Stopped:
            notify("STOPPING=1")
        finally:
            await self._end()

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where the listeners and `admin` really listen (for port 0)."""
        plan = self._generations[-1].plan
        names = {**plan.listeners, "admin": plan.admin}
        return {name: self._sockets[where].getsockname()[:2] for name, where in names.items()}

    # AdminSource

    async def metrics_text(self) -> bytes:
        """Sum over all fronts, living, draining and dead, and our own."""
        fronts = self._fronts()
        answers = await asyncio.gather(*(front.ask(wants_metrics=True) for front in fronts))
        ready = 0
        for front, answer in zip(fronts, answers, strict=True):
            if answer is None:
                self._metrics.front_stale.add(by=not front.is_ending)
            elif not front.gone.is_set():
                self._ledger.record(front.name, answer.families)
                ready += answer.is_ready
        self._metrics.fronts.set("ready", to=ready)
        self._metrics.fronts.set("not_ready", to=len(fronts) - ready)
        return text_exposition(self._ledger.merged(self._metrics.families()))

    async def liveness(self) -> tuple[str, ...]:
        """Fronts that do not answer."""
        fronts = self._fronts()
        answers = await asyncio.gather(*(front.ask() for front in fronts))
        return tuple(
            f"front {front.name} does not answer"
            for front, answer in zip(fronts, answers, strict=True)
            if answer is None and not front.is_ending
        )

    async def readiness(self) -> tuple[str, ...]:
        """What the fronts in force say, and whether all of them are there."""
        if self._stop.is_set():
            return ("stopping",)
        generation = self._generations[-1]
        fronts = generation.fronts
        reasons = []
        if len(fronts) < generation.plan.fronts:
            missing = generation.plan.fronts - len(fronts)
            reasons.append(f"{missing} of {generation.plan.fronts} fronts are being started again")
        answers = await asyncio.gather(*(front.ask() for front in fronts))
        for front, answer in zip(fronts, answers, strict=True):
            if answer is None:
                reasons.append(f"front {front.name} does not answer")
            elif not answer.is_ready:
                reasons += [f"front {front.name}: {reason}" for reason in answer.reasons]
        return tuple(reasons)

    # FrontObserver

    def front_counted(self, front: str, families: tuple[Family, ...]) -> None:
        """The last counts of a front that ends well."""
        self._ledger.record(front, families)

    def front_failed(self, reason: str) -> None:
        """A front could not be started again."""
        self._log.problem("front", detail=reason, is_fatal=True)

    def front_ended(self, front: str, detail: str, *, was_wanted: bool) -> None:
        """What it had counted stays counted."""
        self._ledger.retire(front)
        if not was_wanted:
            self._metrics.fronts_ended.add()
            self._log.problem("front", detail=f"{front} ended: {detail}", is_fatal=True)

    # The rest is ours alone.

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            # Told twice, we wait no longer for transactions.
            (self._hasten if self._stop.is_set() else self._stop).set()

        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this work; when told to stop, give it up and raise _Stopped."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            raise _Stopped
        task.result()
        if self._stop.is_set():
            raise _Stopped

    async def _start_generation(self, plan: ServicePlan) -> None:
        self._started_generations += 1
        generation = Generation(
            self._started_generations,
            plan,
            {name: self._sockets[where] for name, where in plan.listeners.items()},
            self._builder,
            self,
        )
        await generation.start()
        self._generations.append(generation)

    async def _serve_admin(self, plan: ServicePlan) -> None:
        if self._admin is not None:
            await self._admin.close()
        self._admin = AdminServer(self, plan.admin_token)
        await self._admin.start(self._sockets[plan.admin])

    async def _reload_all(self) -> None:
        notify(reloading())
        held = self._sockets
        try:
            plan = self._load()
            self._sockets = bind_all((*plan.listeners.values(), plan.admin), held)
            await self._start_generation(plan)
        except (ConfigurationError, AddressUnavailable, FrontFailed, OSError) as error:
            self._refuse_reload(error, held)
        except asyncio.CancelledError:
            self._keep_only(held)
            raise
        else:
            self._accept_reload(plan, held)
            await self._serve_admin(plan)
        notify("READY=1")

    def _refuse_reload(self, error: Exception, held: dict[ListenAddress, socket.socket]) -> None:
        self._keep_only(held)
        problems = [str(error)]
        if isinstance(error, ConfigurationError):
            problems = [str(problem) for problem in error.problems if not problem.is_warning]
        for problem in problems:
            self._log.problem("configuration", detail=problem, is_fatal=True)
        self._log.reload(accepted=False, problems=len(problems))
        self._metrics.reloads.add("refused")

    def _accept_reload(self, plan: ServicePlan, held: dict[ListenAddress, socket.socket]) -> None:
        old, new = self._generations[-2:]
        close_others(held, kept=self._sockets)
        if new.plan.mail_log != old.plan.mail_log:
            self._log.close()
            self._log = MailLog(plan.mail_log, process="supervisor")
        self._log.reload(accepted=True, configuration=plan.configuration_hash)
        self._metrics.reloads.add("accepted")
        drain = asyncio.create_task(self._retire(old))
        self._drains.add(drain)
        drain.add_done_callback(self._drains.discard)

    async def _retire(self, generation: Generation) -> None:
        await generation.drain(generation.plan.drain_seconds)
        self._generations.remove(generation)

    def _keep_only(self, held: dict[ListenAddress, socket.socket]) -> None:
        close_others(self._sockets, kept=held)
        self._sockets = held

    async def _end(self) -> None:
        """Drain all generations; told again, kill what is left."""
        for listener in self._sockets.values():
            listener.close()
        drains = [
            asyncio.ensure_future(generation.drain(generation.plan.drain_seconds))
            for generation in self._generations
        ]
        hasten = asyncio.ensure_future(self._hasten_fronts())
        await asyncio.gather(*drains, *self._drains)
        hasten.cancel()
        if self._admin is not None:
            await self._admin.close()
        self._log.stopped(reason="told to stop" if self._stop.is_set() else "failed")
        self._log.close()

    async def _hasten_fronts(self) -> None:
        await self._hasten.wait()
        for generation in self._generations:
            generation.kill()

    def _fronts(self) -> tuple[FrontProcess, ...]:
        return tuple(front for generation in self._generations for front in generation.fronts)

    def _addresses(self, plan: ServicePlan) -> list[str]:
        return [bound_to(self._sockets[address]) for address in plan.listeners.values()]
