"""A small mail server of ours: the end of the line in the demonstration and in tests.

Speaks SMTP or LMTP, keeps each message with its envelope exactly as it came (dots unstuffed,
parameters verbatim), in memory and, if a folder is given, as NNNNNN.eml with NNNNNN.json before it
says 250. `Fault`s make it misbehave at a chosen stage. It is no server for real mail: it refuses
nobody, bounds nothing and forgets nothing.

Standards: RFC 5321, RFC 2033, RFC 2920, RFC 3207; XFORWARD and XCLIENT as Postfix documents them.
Failure: what it does not know is answered 500 or 503.
"""

import argparse
import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_KEYWORDS = (
    "PIPELINING",
    "SIZE 52428800",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
)
_BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong at a stage, each time or only the `occurrence`-th time (from 1).

    Stages: greeting, ehlo, starttls, xforward, xclient, mail, rcpt, data, content (between 354 and
    the dot), end_of_data, rset, quit. `reply` is sent in place of the usual reply, octet by octet;
    then, with `drop`, the connection is cut. `recipient` narrows rcpt, and for LMTP end_of_data, to
    one address. A message is kept unless `reply` is there and not positive; so a bare `drop` at
    end_of_data keeps the message and loses its reply.
    """

    stage: str
    reply: bytes = b""
    drop: bool = False
    delay_seconds: float = 0.0
    occurrence: int | None = None
    recipient: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A message that got 250: paths and parameters as written, content without dot-stuffing."""

    reverse_path: bytes
    mail_parameters: tuple[bytes, ...]
    recipients: tuple[bytes, ...]
    rcpt_parameters: tuple[tuple[bytes, ...], ...]
    raw: bytes
    helo: bytes
    xforward: tuple[tuple[str, str], ...] = ()
    xclient: tuple[tuple[str, str], ...] = ()
    tls: bool = False


@dataclass(slots=True, kw_only=True)
class InnerServer:
    """The server; use `async with InnerServer(...) as server` or `start` and `stop`."""

    host: str = "127.0.0.1"
    port: int = 0
    unix_path: str = ""
    lmtp: bool = False
    keywords: Sequence[str] = DEFAULT_KEYWORDS
    faults: list[Fault] = field(default_factory=list)
    folder: Path | None = None
    tls_context: ssl.SSLContext | None = None
    messages: list[Delivered] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    # Reads that held more than one command: the peer pipelined.
    pipelined_reads: int = 0
    _seen: dict[tuple[str, bytes | None], int] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _stored: int = 0

    async def start(self) -> None:
        """Listen; with port 0 `port` then holds the one that was free."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._stored = sum(1 for _ in self.folder.glob("*.eml"))
        if self.unix_path:
            self._server = await asyncio.start_unix_server(self._serve, self.unix_path)
        else:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
            await self.cut()
            await self._server.wait_closed()
            self._server = None

    async def cut(self) -> None:
        """Cut all open connections, as a crash would."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def __aenter__(self) -> "InnerServer":
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    def fault_at(self, stage: str, address: bytes | None = None) -> Fault | None:
        """Count one passage of a stage; the fault that is due at it, if any."""
        self._seen[stage, None] = self._seen.get((stage, None), 0) + 1
        if address is not None:
            self._seen[stage, address] = self._seen.get((stage, address), 0) + 1
        for fault in self.faults:
            if fault.stage != stage or fault.recipient not in (None, address):
                continue
            if fault.occurrence in (None, self._seen[stage, fault.recipient]):
                return fault
        return None

    def keep(self, message: Delivered) -> None:
        """Store a message; in the folder it is whole or not there."""
        if self.folder is not None:
            self._stored += 1
            target = self.folder / f"{self._stored:06d}.eml"
            target.with_suffix(".json").write_text(_envelope_json(message), encoding="utf-8")
            partial = target.with_suffix(".part")
            partial.write_bytes(message.raw)
            partial.rename(target)
        self.messages.append(message)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await _Dialogue(self, reader, writer).run()
        except (ConnectionError, _Cut, asyncio.CancelledError, ssl.SSLError):
            writer.transport.abort()
        finally:
            self._running.discard(task)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()


class _Cut(Exception):
    """A fault cuts the connection, or the peer is gone."""


class _Dialogue:
    """One connection."""

    def __init__(
        self, server: InnerServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._tls = False
        self._helo = b""
        self._xforward: dict[str, str] = {}
        self._xclient: dict[str, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._reverse_path: bytes | None = None
        self._mail_parameters: tuple[bytes, ...] = ()
        self._recipients: list[bytes] = []
        self._rcpt_parameters: list[tuple[bytes, ...]] = []

    async def run(self) -> None:
        await self._say("greeting", b"220 inner.example.test ready\r\n")
        handlers: dict[bytes, Callable[[bytes], Awaitable[None]]] = {
            b"EHLO": self._ehlo,
            b"LHLO": self._ehlo,
            b"HELO": self._ehlo,
            b"STARTTLS": self._starttls,
            b"XFORWARD": self._take_xforward,
            b"XCLIENT": self._take_xclient,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
        }
        while True:
            line = await self._line()
            self._server.commands.append(line)
            verb = line.split(b" ", 1)[0].upper()
            if verb == b"QUIT":
                await self._say("quit", b"221 2.0.0 Bye\r\n")
                return
            handler = handlers.get(verb)
            if handler is None:
                await self._write(b"500 5.5.2 Unknown command\r\n")
            else:
                await handler(line)

    async def _ehlo(self, line: bytes) -> None:
        self._reset()
        self._helo = line.partition(b" ")[2]
        if (line[:4].upper() == b"LHLO") != self._server.lmtp:
            await self._write(b"500 5.5.1 Wrong protocol\r\n")
            return
        keywords = list(self._server.keywords)
        if self._server.tls_context is not None and not self._tls:
            keywords.append("STARTTLS")
        lines = ["inner.example.test", *keywords]
        text = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        await self._say("ehlo", text.encode("ascii"))

    async def _starttls(self, line: bytes) -> None:
        if self._server.tls_context is None:
            await self._write(b"502 5.5.1 Not here\r\n")
        elif await self._say("starttls", b"220 2.0.0 Go ahead\r\n"):
            await self._writer.start_tls(self._server.tls_context)
            self._tls = True
            self._reset()

    async def _take_xforward(self, line: bytes) -> None:
        if await self._say("xforward", b"250 2.0.0 Ok\r\n"):
            self._xforward.update(_attributes(line))

    async def _take_xclient(self, line: bytes) -> None:
        if await self._say("xclient", b"220 inner.example.test ready again\r\n"):
            self._xclient = _attributes(line)
            self._reset()

    async def _mail(self, line: bytes) -> None:
        if self._reverse_path is not None:
            await self._write(b"503 5.5.1 Nested MAIL\r\n")
        elif await self._say("mail", b"250 2.1.0 Ok\r\n"):
            self._reverse_path, self._mail_parameters = _path_and_parameters(line)

    async def _rcpt(self, line: bytes) -> None:
        address, parameters = _path_and_parameters(line)
        if self._reverse_path is None:
            await self._write(b"503 5.5.1 MAIL first\r\n")
        elif await self._say("rcpt", b"250 2.1.5 Ok\r\n", address):
            self._recipients.append(address)
            self._rcpt_parameters.append(parameters)

    async def _rset(self, line: bytes) -> None:
        if await self._say("rset", b"250 2.0.0 Ok\r\n"):
            self._reset()

    async def _noop(self, line: bytes) -> None:
        await self._write(b"250 2.0.0 Ok\r\n")

    async def _data(self, line: bytes) -> None:
        if not self._recipients:
            # 354 with nobody to deliver to is allowed (RFC 2920 §3.1), and a trap for clients.
            if await self._say("data", b"503 5.5.1 RCPT first\r\n"):
                await self._content()
                await self._write(b"554 5.5.1 No valid recipients\r\n")
            return
        if not await self._say("data", b"354 Go ahead\r\n"):
            return
        fault = self._server.fault_at("content")
        if fault is not None:
            await self._misbehave(fault)
        raw = await self._content()
        if self._server.lmtp:
            for number, address in enumerate(self._recipients):
                await self._finish(raw, slice(number, number + 1), address)
        else:
            await self._finish(raw, slice(None), None)
        self._reset()

    async def _finish(self, raw: bytes, which: slice, address: bytes | None) -> None:
        fault = self._server.fault_at("end_of_data", address)
        if fault is None or not fault.reply or fault.reply.startswith(b"2"):
            self._server.keep(self._delivered(raw, which))
        if fault is None or not await self._misbehave(fault):
            number = len(self._server.messages)
            await self._write(b"250 2.0.0 Ok: queued as %06d\r\n" % number)

    def _delivered(self, raw: bytes, which: slice) -> Delivered:
        assert self._reverse_path is not None
        return Delivered(
            reverse_path=self._reverse_path,
            mail_parameters=self._mail_parameters,
            recipients=tuple(self._recipients[which]),
            rcpt_parameters=tuple(self._rcpt_parameters[which]),
            raw=raw,
            helo=self._helo,
            xforward=tuple(self._xforward.items()),
            xclient=tuple(self._xclient.items()),
            tls=self._tls,
        )

    async def _say(self, stage: str, usual: bytes, address: bytes | None = None) -> bool:
        """Send the reply of a stage; True if it is positive."""
        fault = self._server.fault_at(stage, address)
        if fault is not None and await self._misbehave(fault):
            return fault.reply[:1] in (b"2", b"3")
        await self._write(usual)
        return usual[:1] in (b"2", b"3")

    async def _misbehave(self, fault: Fault) -> bool:
        """Do what a fault says; True if it replaced the reply."""
        await asyncio.sleep(fault.delay_seconds)
        if fault.reply:
            await self._write(fault.reply)
        if fault.drop:
            raise _Cut
        return bool(fault.reply)

    async def _write(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def _fill(self) -> None:
        data = await self._reader.read(_BLOCK_BYTES)
        if not data:
            raise _Cut
        self._buffer += data

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            await self._fill()
            if self._buffer.count(b"\r\n") > 1:
                self._server.pipelined_reads += 1
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    async def _content(self) -> bytes:
        """Everything up to the final dot, unstuffed."""
        # As if the line before were part of it: content may be nothing but the dot.
        self._buffer[:0] = b"\r\n"
        searched = 0
        while (end := self._buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(len(self._buffer) - 4, 0)
            await self._fill()
        stuffed = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 5]
        # RFC 5321 §4.5.2: the first dot of a line goes, whatever follows it.
        return stuffed.replace(b"\r\n.", b"\r\n")[2:]


def _path_and_parameters(line: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    start, end = line.find(b"<"), line.rfind(b">")
    return line[start + 1 : end], tuple(line[end + 1 :].split())


def _attributes(line: bytes) -> dict[str, str]:
    items = (item.partition(b"=") for item in line.split()[1:])
    return {name.decode("ascii").upper(): value.decode("ascii") for name, _, value in items}


def _envelope_json(message: Delivered) -> str:
    def text(octets: bytes) -> str:
        return octets.decode("utf-8", "backslashreplace")

    return json.dumps(
        {
            "reverse_path": text(message.reverse_path),
            "mail_parameters": [text(item) for item in message.mail_parameters],
            "recipients": [text(item) for item in message.recipients],
            "rcpt_parameters": [[text(item) for item in one] for one in message.rcpt_parameters],
        },
        ensure_ascii=False,
    )


async def _run(options: argparse.Namespace) -> None:
    server = InnerServer(
        host=options.host, port=options.port, lmtp=options.lmtp, folder=options.folder
    )
    async with server:
        await asyncio.Event().wait()


def main() -> None:
    """Run as a process of its own: `python -m milter.demo.inner_server --port 10026`."""
    parser = argparse.ArgumentParser(description="A small inner mail server for trying things out.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lmtp", action="store_true")
    parser.add_argument("--folder", type=Path, help="where messages are kept as .eml files")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
