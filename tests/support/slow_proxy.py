"""A TCP proxy that a test makes slow, or stop: stands between a gateway and its store."""

import asyncio
from contextlib import suppress


class SlowProxy:
    """Hands everything on, `delay` seconds after it came; `async with` it."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self.delay = 0.0
        self.connections = 0

    async def __aenter__(self) -> "SlowProxy":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            there, thither = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._hand_on(reader, thither), self._hand_on(there, writer))
        finally:
            self._tasks.discard(task)

    async def _hand_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while octets := await source.read(65_536):
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    sink.write(octets)
                    await sink.drain()
        finally:
            sink.close()
