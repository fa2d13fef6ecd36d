"""Packets of the milter protocol as an MTA sends and reads them, and what they travel on.

Values and forms are those of the protocol's documentation (libmilter, version 6).
"""

import re
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from tests.support.mta_message import Broken

VERSION = 6
CHUNK = 65535

ADD_HEADER, CHANGE_BODY, ADD_RECIPIENT, DELETE_RECIPIENT = 0x1, 0x2, 0x4, 0x8
CHANGE_HEADER, QUARANTINE, CHANGE_FROM, ADD_RECIPIENT_PARAMETERS = 0x10, 0x20, 0x40, 0x80
SET_MACROS = 0x100
ALL_ACTIONS = 0x1FF

NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADERS = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
NO_END_OF_HEADERS, NO_UNKNOWN, NO_DATA = 0x40, 0x100, 0x200
SKIP, REJECTED_RECIPIENTS, LEADING_SPACE = 0x400, 0x800, 0x100000
ALL_PROTOCOL = 0x1FFFFF

# Command: the flag that leaves it out, and the flag that leaves its answer out.
FLAGS = {
    b"C": (NO_CONNECT, 0x1000),
    b"H": (NO_HELO, 0x2000),
    b"M": (NO_MAIL, 0x4000),
    b"R": (NO_RCPT, 0x8000),
    b"T": (NO_DATA, 0x10000),
    b"U": (NO_UNKNOWN, 0x20000),
    b"L": (NO_HEADERS, 0x80),
    b"N": (NO_END_OF_HEADERS, 0x40000),
    b"B": (NO_BODY, 0x80000),
    b"E": (0, 0),
}
# Place of each command in the list of macros that a filter may ask for.
MACRO_STAGES = {b"C": 0, b"H": 1, b"M": 2, b"R": 3, b"T": 4, b"E": 5, b"N": 6}
EDITS = {
    b"h": ADD_HEADER,
    b"i": ADD_HEADER,
    b"m": CHANGE_HEADER,
    b"b": CHANGE_BODY,
    b"+": ADD_RECIPIENT,
    b"2": ADD_RECIPIENT_PARAMETERS,
    b"-": DELETE_RECIPIENT,
    b"e": CHANGE_FROM,
    b"q": QUARANTINE,
}
VERDICTS = {
    b"c": "continue",
    b"a": "accept",
    b"r": "reject",
    b"t": "tempfail",
    b"d": "discard",
    b"s": "skip",
    b"y": "reply",
    b"4": "shutdown",
}
_REPLY = re.compile(rb"([45])[0-5][0-9](?:[ -]|$)")
_ENHANCED = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?: |$)")


def packet(command: bytes, data: bytes = b"") -> bytes:
    """One packet: length of all that follows, command, data."""
    return struct.pack(">I", len(data) + 1) + command + data


class Wire(Protocol):
    """Octets to the filter and back; `receive` gives b'' when the filter hung up."""

    def send(self, octets: bytes) -> None: ...

    def receive(self) -> bytes: ...

    def close(self) -> None: ...


class SocketWire:
    """A filter behind a TCP port of loopback, or behind a Unix socket."""

    def __init__(self, address: int | str, *, timeout: float = 60.0) -> None:
        if isinstance(address, int):
            self.socket = socket.create_connection(("127.0.0.1", address), timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def receive(self) -> bytes:
        return self.socket.recv(65536)

    def half_close(self) -> None:
        """Say that nothing more comes, and go on listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()


class FunctionWire:
    """A machine: octets in, octets out."""

    def __init__(self, machine: Callable[[bytes], bytes]) -> None:
        self._machine = machine
        self._waiting = bytearray()

    def send(self, octets: bytes) -> None:
        self._waiting += self._machine(octets)

    def receive(self) -> bytes:
        waiting = bytes(self._waiting)
        self._waiting.clear()
        return waiting

    def close(self) -> None:
        self._waiting.clear()


def strings(*texts: bytes) -> bytes:
    return b"".join(text + b"\0" for text in texts)


def texts(data: bytes, count: int | None) -> list[bytes]:
    """Strings that each end with NUL, and no more of them than there should be."""
    if not data.endswith(b"\0"):
        raise Broken(f"a string without its NUL: {data[-40:]!r}")
    found = data[:-1].split(b"\0")
    if count is not None and len(found) != count:
        raise Broken(f"{count} strings expected: {data[:80]!r}")
    return found


def reply_text(data: bytes) -> bytes:
    """A reply as libmilter writes it: code, enhanced code of its class, `%` doubled."""
    (text,) = texts(data, 1)
    for line in text.split(b"\r\n"):
        match = _REPLY.match(line)
        if not match:
            raise Broken(f"no 4xx or 5xx reply: {text!r}")
        rest = line[4:]
        if _ENHANCED.match(rest) and rest[:1] != match[1]:
            raise Broken(f"code and enhanced code are of two classes: {text!r}")
    if b"%" in text.replace(b"%%", b"") or b"\n" in text.replace(b"\r\n", b""):
        raise Broken(f"a bare % or LF in a reply: {text!r}")
    return text.replace(b"%%", b"%")


def macro_lists(data: bytes) -> dict[int, tuple[str, ...]]:
    lists = {}
    while data:
        (stage,) = struct.unpack_from(">I", data)
        names, end, data = data[4:].partition(b"\0")
        if not end or stage > 6:
            raise Broken(f"a list of macros that is none: {stage} {names!r}")
        lists[stage] = tuple(names.decode("ascii").split())
    return lists
