"""Servers in a loop and thread of their own, for tests that are not asynchronous."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from milter.demo.inner_server import Delivered, Fault, InnerServer


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _do(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    asyncio.run_coroutine_threadsafe(work, loop).result(10)


@contextmanager
def inner_server(**options: Any) -> Iterator[InnerServer]:
    """A running inner server; its lists may be read and its faults changed from the test."""
    server = InnerServer(**options)
    with _loop() as loop:
        _do(loop, server.start())
        try:
            yield server
        finally:
            _do(loop, server.stop())


def misbehave(server: InnerServer, *faults: Fault) -> None:
    """Have these faults and no others; their occurrences count from now."""
    server._seen.clear()
    server.faults[:] = faults


def copies(server: InnerServer, recipient: str) -> list[Delivered]:
    """All that a server took for a recipient."""
    return [message for message in server.messages if recipient.encode() in message.recipients]


class Forwarder:
    """A null relay: octets through, nothing looked at; stands in the gateway's place."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while octets := await source.read(65536):
            target.write(octets)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


@contextmanager
def null_relay(target_port: int) -> Iterator[int]:
    """The port of a null relay to `target_port`."""
    relay = Forwarder(target_port)
    with _loop() as loop:
        _do(loop, relay.start())
        yield relay.port
        _do(loop, relay.stop())
