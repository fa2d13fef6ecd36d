"""Main of a front process: gets its configuration, builds a front, runs it until told to drain.

Started by the supervisor as `python -m milter.app.front_process CONTROL_FD SUPERVISOR_PID BUILDER`.
What a front is made of is the builder's matter (`milter.app.build:build_front`).

Failure: a front that cannot start says why over the control channel and exits with 1. The death
of the supervisor means drain: no transaction is cut because somebody else died.
"""

import asyncio
import gc
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
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
from milter.observe.health import Health
from milter.observe.maillog import MailLog
from milter.observe.metrics import Metrics
from milter.readers import confine


class Front(Protocol):
    """What the process main needs of a front."""

    @property
    def metrics(self) -> Metrics:
        """The front's metrics."""
        ...

    @property
    def log(self) -> MailLog:
        """The front's mail log."""
        ...

    @property
    def health(self) -> Health:
        """Whether the front is fit to take mail, and why not."""
        ...

    async def start(self) -> None:
        """Return when mail is taken on all sockets; raise with a text for the operator."""
        ...

    async def drain(self, grace_seconds: float) -> None:
        """Take no more, let transactions finish within the grace, end all that `start` began."""
        ...


# Configuration octets, their source, listening sockets by name, the name of this front.
FrontBuilder = Callable[[bytes, str, Mapping[str, socket.socket], str], Front]


def main(arguments: list[str]) -> int:
    """Run one front to its end."""
    control_descriptor, supervisor_pid, builder_name = arguments
    # A terminal's Ctrl-C is for the supervisor, which then tells us.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    confine.die_with_parent(signal.SIGTERM, int(supervisor_pid))
    # Mail passes through this memory: no core dumps, and no look from a captured reader.
    confine.hide_memory()
    # Libraries that log may quote a mail; what is worth telling goes to the mail log.
    logging.getLogger().addHandler(logging.NullHandler())
    connection = socket.socket(fileno=int(control_descriptor))
    module, _, name = builder_name.partition(":")
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        return runner.run(_run(connection, lambda: getattr(importlib.import_module(module), name)))


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(connection: socket.socket, find_builder: Callable[[], FrontBuilder]) -> int:
    channel = await Channel.over(connection)
    configure = await channel.receive()
    if not isinstance(configure, Configure):
        return 1
    grace: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, _give, grace, configure.drain_seconds
    )
    try:
        front = find_builder()(
            configure.configuration,
            configure.source,
            {name: _listening(fd) for name, fd in configure.sockets.items()},
            configure.front,
        )
        await front.start()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        with suppress(ConnectionError):
            await channel.send(NotStarted(reason=reason[:1000]))
        return 1
    # The loop's own words for an exception would quote it, and it may quote a mail.
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: front.log.problem("internal", error=context.get("exception"))
    )
    # What a front is made of lives as long as it: the collector need not walk it for every mail.
    gc.collect()
    gc.freeze()
    listening = asyncio.create_task(_listen(channel, front, grace, configure.drain_seconds))
    with suppress(ConnectionError):
        await channel.send(Started())
    exit_code = 0
    try:
        await front.drain(await grace)
    except Exception as error:
        front.log.problem("drain", error=error, is_fatal=True)
        exit_code = 1
    with suppress(ConnectionError):
        await channel.send(Farewell(families=front.metrics.families()))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    channel.close()
    return exit_code


async def _listen(
    channel: Channel, front: Front, grace: "asyncio.Future[float]", drain_seconds: float
) -> None:
    """Answer the supervisor until it is gone, which means drain."""
    with suppress(ConnectionError):
        while message := await channel.receive():
            if isinstance(message, Drain):
                _give(grace, message.grace_seconds)
            elif isinstance(message, Ask):
                is_draining = grace.done()
                await channel.send(
                    Answer(
                        number=message.number,
                        is_ready=front.health.is_ready and not is_draining,
                        reasons=("draining",) if is_draining else front.health.reasons,
                        families=front.metrics.families() if message.wants_metrics else (),
                    )
                )
    _give(grace, drain_seconds)


def _give(grace: "asyncio.Future[float]", seconds: float) -> None:
    if not grace.done():
        grace.set_result(seconds)


def _listening(descriptor: int) -> socket.socket:
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    # Readers and whatever else is started must not inherit it.
    os.set_inheritable(descriptor, False)
    return listener


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
