"""The two ends of the benchmark: a sink that takes everything, a sender, and a relay as the floor.

As lean as Python allows, so that they cost the measured server little: the client's core is not
measured. The floor is a relay that looks at nothing: receive, pass on over a kept connection,
answer. It is no mail server: no limits, no time-outs, no errors but a broken connection.
`python -m bench.smtp LISTEN_PORT NEXT_PORT` runs the floor.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable
from typing import Final

_DOT: Final = b"\r\n.\r\n"
_EHLO: Final = (
    b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 52428800\r\n"
)


class SinkProtocol(asyncio.Protocol):
    """A server that accepts every command and every message."""

    def __init__(self, taken: Callable[[bytes], None]) -> None:
        self._taken = taken
        self._buffer = bytearray()
        self._in_data = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        if self._in_data:
            end = self._buffer.find(_DOT)
            if end < 0:
                return False
            raw = bytes(self._buffer[: end + 2])
            del self._buffer[: end + len(_DOT)]
            self._in_data = False
            self.message(raw)
            return True
        line, found, _rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        del self._buffer[: len(line) + 2]
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._transport.write(_EHLO)
        elif verb == b"DATA":
            self._in_data = True
            self._transport.write(b"354 go\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 ok\r\n")
        return True

    def message(self, raw: bytes) -> None:
        """Take one message and answer."""
        self._taken(raw)
        self._transport.write(b"250 taken\r\n")


def recipient_of(raw: bytes) -> bytes:
    """Whom a message goes to: a hundred people share the mail, the same ones for the same octets."""
    return b"staff%02d@example.org" % (zlib.crc32(raw) % 100)


class Sender:
    """One kept connection to an SMTP server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Sender":
        """Connect and say EHLO."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        sender = cls(reader, writer)
        await sender._reply()
        writer.write(b"EHLO client.test\r\n")
        await sender._reply()
        return sender

    async def send(self, raw: bytes) -> None:
        """One transaction, pipelined; RuntimeError if it is refused."""
        self._writer.write(
            b"MAIL FROM:<sender@letters.example.net>\r\nRCPT TO:<%b>\r\nDATA\r\n"
            % recipient_of(raw)
        )
        for _ in range(3):
            await self._reply()
        stuffed = raw.replace(b"\r\n.", b"\r\n..")
        self._writer.write(stuffed + b".\r\n")
        await self._writer.drain()
        await self._reply()

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _reply(self) -> None:
        while True:
            line = await self._reader.readline()
            if line[:1] not in (b"2", b"3"):
                raise RuntimeError(f"refused: {line!r}")
            if line[3:4] != b"-":
                return


class _FloorProtocol(SinkProtocol):
    """Passes each message on before it answers."""

    def __init__(self, free: "asyncio.Queue[Sender]") -> None:
        super().__init__(lambda raw: None)
        self._free = free
        self._tasks: set[asyncio.Task[None]] = set()

    def message(self, raw: bytes) -> None:
        task = asyncio.create_task(self._relay(raw))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, raw: bytes) -> None:
        sender = await self._free.get()
        await sender.send(raw)
        self._free.put_nowait(sender)
        self._transport.write(b"250 taken\r\n")


async def _floor(port: int, next_port: int) -> None:
    free: asyncio.Queue[Sender] = asyncio.Queue()
    for _ in range(16):
        free.put_nowait(await Sender.connect(next_port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _FloorProtocol(free), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_floor(int(sys.argv[1]), int(sys.argv[2])))
