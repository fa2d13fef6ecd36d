"""The inner server in a thread of its own, for tests that are not asynchronous."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from milter.demo.inner_server import InnerServer


@contextmanager
def inner_server(**options: Any) -> Iterator[InnerServer]:
    """A running inner server; its lists may be read and its faults changed from the test."""
    server = InnerServer(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class Forwarder:
    """A null relay: octets through, nothing looked at; stands in the gateway's place."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


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
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(relay.start(), loop).result(10)
    yield relay.port
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
