"""The MTA's end of a milter connection for the benchmark: lean, and never wrong on purpose.

Speaks version 6 as Postfix does: offers everything, asks for an answer only where the filter owes
one, and waits for the end of each message. Edits are read and dropped.
"""

import asyncio
import struct
from typing import Final

from bench.smtp import recipient_of
from milter.mail.message import scan_header
from milter.wire.milter_codec import (
    MAX_CHUNK_BYTES,
    Command,
    Options,
    PacketReader,
    Step,
    options_data,
    packet,
    read_options,
    strings,
)

_ALL_ACTIONS: Final = 0x1FF
_ALL_STEPS: Final = 0x1FFFFF
_ANSWERS: Final = frozenset({b"c", b"a", b"d", b"t", b"y", b"r"})
_UNANSWERED: Final = {
    Command.CONNECT: Step.CONNECT_UNANSWERED | Step.NO_CONNECT,
    Command.HELO: Step.HELO_UNANSWERED | Step.NO_HELO,
    Command.MAIL: Step.MAIL_UNANSWERED | Step.NO_MAIL,
    Command.RCPT: Step.RCPT_UNANSWERED | Step.NO_RCPT,
    Command.DATA: Step.DATA_UNANSWERED | Step.NO_DATA,
    Command.HEADER: Step.HEADER_UNANSWERED | Step.NO_HEADER,
    Command.END_OF_HEADER: Step.END_OF_HEADER_UNANSWERED | Step.NO_END_OF_HEADER,
    Command.BODY: Step.BODY_UNANSWERED | Step.NO_BODY,
}


class MilterSender:
    """One kept connection to a filter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._packets = PacketReader()
        self._waiting: list[bytes] = []
        self._steps = Step(0)

    @classmethod
    async def connect(cls, where: int | str) -> "MilterSender":
        """Connect to a port or the path of a Unix socket, negotiate, say who the client is."""
        if isinstance(where, str):
            sender = cls(*await asyncio.open_unix_connection(where))
        else:
            sender = cls(*await asyncio.open_connection("127.0.0.1", where))
        offer = options_data(Options(6, _ALL_ACTIONS, _ALL_STEPS))
        sender._writer.write(packet(Command.NEGOTIATE, offer))
        _letter, data = await sender._packet()
        sender._steps = Step(read_options(data).steps)
        macros = strings(b"j", b"mta.test", b"{client_addr}", b"192.0.2.1")
        sender._writer.write(packet(Command.MACROS, Command.CONNECT + macros))
        address = b"out.example.net\0" + b"4" + struct.pack(">H", 2525) + b"192.0.2.1\0"
        await sender._say(Command.CONNECT, address)
        await sender._say(Command.HELO, b"out.example.net\0")
        return sender

    async def send(self, raw: bytes) -> None:
        """One message, and the answer at its end; RuntimeError if there was no judgement (4xx).

        A refusal is a judgement: rspamd refuses what it takes for spam.
        """
        self._writer.write(packet(Command.MACROS, Command.MAIL + strings(b"i", b"4RqX1z0Yh9z1")))
        await self._say(Command.MAIL, strings(b"<sender@letters.example.net>"))
        await self._say(Command.RCPT, strings(b"<%b>" % recipient_of(raw)))
        if not self._steps & Step.NO_DATA:
            await self._say(Command.DATA, b"")
        header = scan_header(raw)
        keeps_space = bool(self._steps & Step.LEADING_SPACE)
        for field in header.fields:
            value = raw[field.value_start : field.end].removesuffix(b"\r\n").replace(b"\r\n", b"\n")
            name = raw[field.start : field.start + len(field.name)]
            await self._say(
                Command.HEADER, strings(name, value if keeps_space else value.lstrip(b" "))
            )
        await self._say(Command.END_OF_HEADER, b"")
        for start in range(header.body_start, len(raw), MAX_CHUNK_BYTES):
            await self._say(Command.BODY, raw[start : start + MAX_CHUNK_BYTES])
        self._writer.write(packet(Command.END_OF_MESSAGE))
        answer = await self._answer()
        if answer[:1] == b"t" or answer.startswith(b"y4"):
            raise RuntimeError(f"deferred: {answer!r}")

    async def close(self) -> None:
        """Hang up."""
        self._writer.write(packet(Command.QUIT))
        self._writer.close()

    async def _say(self, command: Command, data: bytes) -> None:
        self._writer.write(packet(command, data))
        if not self._steps & _UNANSWERED[command]:
            await self._answer()

    async def _answer(self) -> bytes:
        """The packet that ends an answer."""
        while True:
            letter, data = await self._packet()
            if letter in _ANSWERS or letter == b"s":
                return letter + data

    async def _packet(self) -> tuple[bytes, bytes]:
        while not self._waiting:
            octets = await self._reader.read(65_536)
            if not octets:
                raise RuntimeError("the filter hung up")
            self._waiting += [one.letter + one.data for one in self._packets.feed(octets)]
        whole = self._waiting.pop(0)
        return whole[:1], whole[1:]
