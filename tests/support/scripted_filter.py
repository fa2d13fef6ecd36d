"""A milter that says what a test tells it: shows what MTAs do, and that our MTA peer does the same."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.mta_wire import ALL_ACTIONS, LEADING_SPACE, packet

CONTINUE = packet(b"c")
Script = Callable[[bytes, bytes], bytes]


def inserted(index: int, name: bytes, value: bytes) -> bytes:
    return packet(b"i", struct.pack(">I", index) + name + b"\0" + value + b"\0")


def changed(occurrence: int, name: bytes, value: bytes) -> bytes:
    return packet(b"m", struct.pack(">I", occurrence) + name + b"\0" + value + b"\0")


def at_end(*packets: bytes) -> Script:
    """Go on everywhere; at the end of the body these packets."""
    return lambda command, data: b"".join(packets) if command == b"E" else CONTINUE


@dataclass
class ScriptedFilter:
    """The machine of one connection: `script` answers each command but D, O, A, Q and K."""

    script: Script
    protocol: int = LEADING_SPACE
    actions: int = ALL_ACTIONS
    version: int = 6
    more: bytes = b""
    heard: list[tuple[bytes, bytes]] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)

    def receive(self, octets: bytes) -> bytes:
        """Octets of the MTA in, answers out."""
        self._buffer += octets
        out = b""
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            if len(self._buffer) < 4 + length:
                break
            whole = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            out += self._one(whole[:1], whole[1:])
        return out

    def _one(self, command: bytes, data: bytes) -> bytes:
        self.heard.append((command, data))
        if command == b"O":
            options = struct.pack(">III", self.version, self.actions, self.protocol)
            return packet(b"O", options + self.more)
        return b"" if command in b"DAQK" else self.script(command, data)

    def data_of(self, command: bytes) -> list[bytes]:
        return [data for heard, data in self.heard if heard == command]


@contextmanager
def serving(make: Callable[[], ScriptedFilter], path: Path | None = None) -> Iterator[int]:
    """A filter for every connection, on a free port of loopback or at `path`."""
    if path is None:
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        path.chmod(0o777)
        server.listen(64)
        port = 0

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=_talk, args=(connection, make()), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def _talk(connection: socket.socket, machine: ScriptedFilter) -> None:
    with connection, contextlib.suppress(OSError):
        while octets := connection.recv(65536):
            connection.sendall(machine.receive(octets))
