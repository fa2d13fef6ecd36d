"""A front that echoes lines: enough to see starts, drains, reloads and deaths from outside.

The configuration is `key=value` lines: `name`, `start` (ok, fail, hang, exit), `drain` (ok, raise,
hang), `ready` (empty or a problem).
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping

from milter.observe.health import Health
from milter.observe.maillog import MailLog, MailLogSettings
from milter.observe.metrics import Metrics


class FakeFront:
    def __init__(
        self, options: dict[str, str], sockets: Mapping[str, socket.socket], name: str
    ) -> None:
        self.metrics = Metrics()
        self.health = Health()
        self.log = MailLog(MailLogSettings(), process=name, stream=sys.stderr.buffer)
        self._options = options
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        match self._options.get("start", "ok"):
            case "fail":
                raise RuntimeError("the next hop has no name")
            case "hang":
                await asyncio.sleep(3600)
            case "exit":
                os._exit(7)
        self.health.report("next_hop", self._options.get("ready", ""))
        for listener in self._sockets.values():
            self._servers.append(await asyncio.start_server(self._serve, sock=listener))

    async def drain(self, grace_seconds: float) -> None:
        for server in self._servers:
            server.close()
        if self._options.get("drain") == "raise":
            raise ValueError("secret content of a mail")
        if self._options.get("drain") == "hang":
            await asyncio.sleep(3600)
        if self._open:
            await asyncio.wait(self._open, timeout=grace_seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.metrics.connections.add("mx")
        writer.write(f"{self._options['name']} {os.getpid()}\n".encode())
        try:
            while line := await reader.readline():
                if line == b"block\n":
                    os.kill(os.getpid(), signal.SIGSTOP)
                writer.write(line)
                await writer.drain()
        except ConnectionError:
            pass  # a peer may hang up with an answer unread
        finally:
            self._open.discard(task)
            writer.close()


def build(
    configuration: bytes, source: str, sockets: Mapping[str, socket.socket], name: str
) -> FakeFront:
    options = dict(line.split("=", 1) for line in configuration.decode().splitlines())
    return FakeFront({"source": source, **options}, sockets, name)
