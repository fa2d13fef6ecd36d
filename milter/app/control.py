"""What supervisor and fronts say to each other: JSON frames over a socket pair.

The channel is the tie between the two: its end means that the other side is gone. Configuration
travels as the validated octets, so that a front never reads another file than the one that was
checked; listening sockets travel as inherited descriptors, here named.

Failure: `receive` gives None at the end of the stream and for octets that are no message of ours;
`send` raises ConnectionError.
"""

import asyncio
import socket
import struct

import msgspec

from milter.observe.table import Family

MAX_FRAME_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """First word to a front: who it is, what it shall run, and on which inherited sockets."""

    front: str
    configuration: bytes
    source: str
    sockets: dict[str, int]
    drain_seconds: float


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How are you? The answer carries the same number."""

    number: int
    wants_metrics: bool = False


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take no more connections, finish what runs, and end."""

    grace_seconds: float


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The front takes mail."""


class NotStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The front cannot start; the reason is for the operator (no mail has been seen yet)."""

    reason: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How the front is; families are empty unless metrics were wanted."""

    number: int
    is_ready: bool
    reasons: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()


class Farewell(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Last word of a front that ends in good order: its final counts."""

    families: tuple[Family, ...]


Message = Configure | Ask | Drain | Started | NotStarted | Answer | Farewell

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Message).decode


class Channel:
    """One end of the control channel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connection: socket.socket) -> "Channel":
        """A channel over one end of a socket pair, which it now owns."""
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        return cls(reader, writer)

    async def receive(self) -> Message | None:
        """The next message, None when there is none any more."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_FRAME_BYTES:
                return None
            message: Message = _decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            return None
        return message

    async def send(self, message: Message) -> None:
        """Send one message, waiting while the other side does not read."""
        octets = _encode(message)
        self._writer.write(_LENGTH.pack(len(octets)) + octets)
        await self._writer.drain()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
