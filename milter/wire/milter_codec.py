"""Packets of the milter protocol: octets to commands and answers to octets, for either side.

A packet is a length of four octets, a command letter, and its data. The tables below are the whole
vocabulary; what follows upon what is `milter_session`'s. Refuses nothing but a length that cannot
be meant.

Standards: none but the practice of Sendmail 8.14 and later, which Postfix follows: protocol
version 6 (`libmilter/docs`, `include/libmilter/mfdef.h`).
Failure: MilterProtocolError: the connection is closed and the MTA does its default action.
"""

import struct
from collections.abc import Iterator
from enum import Enum, IntFlag
from typing import NamedTuple

VERSION = 6
# What an MTA sends in one piece is a body chunk of 65,535 octets or a header field; Sendmail allows
# a megabyte where that was negotiated.
MAX_PACKET_BYTES = 1_114_112
MAX_CHUNK_BYTES = 65_535

_LENGTH = struct.Struct(">I")
_OPTIONS = struct.Struct(">III")
_INDEX = struct.Struct(">I")


class MilterProtocolError(Exception):
    """The other side does not speak the protocol; the text is for the operator."""


class Command(bytes, Enum):
    """What an MTA sends."""

    NEGOTIATE = b"O"
    MACROS = b"D"
    CONNECT = b"C"
    HELO = b"H"
    MAIL = b"M"
    RCPT = b"R"
    DATA = b"T"
    HEADER = b"L"
    END_OF_HEADER = b"N"
    BODY = b"B"
    END_OF_MESSAGE = b"E"
    ABORT = b"A"
    QUIT = b"Q"
    NEW_CONNECTION = b"K"
    UNKNOWN = b"U"


class Answer(bytes, Enum):
    """What a filter sends."""

    NEGOTIATE = b"O"
    CONTINUE = b"c"
    ACCEPT = b"a"
    DISCARD = b"d"
    TEMPFAIL = b"t"
    REPLY = b"y"
    SKIP = b"s"
    PROGRESS = b"p"
    ADD_FIELD = b"h"
    INSERT_FIELD = b"i"
    CHANGE_FIELD = b"m"
    REPLACE_BODY = b"b"
    DELETE_RECIPIENT = b"-"
    QUARANTINE = b"q"


class Action(IntFlag):
    """What a filter may do to a message."""

    ADD_FIELDS = 0x01
    CHANGE_BODY = 0x02
    ADD_RECIPIENTS = 0x04
    DELETE_RECIPIENTS = 0x08
    CHANGE_FIELDS = 0x10
    QUARANTINE = 0x20
    CHANGE_REVERSE_PATH = 0x40
    ADD_RECIPIENTS_WITH_PARAMETERS = 0x80
    NAME_MACROS = 0x100


class Step(IntFlag):
    """What an MTA leaves out, or does not wait for; offered by the MTA, chosen by the filter."""

    NO_CONNECT = 0x01
    NO_HELO = 0x02
    NO_MAIL = 0x04
    NO_RCPT = 0x08
    NO_BODY = 0x10
    NO_HEADER = 0x20
    NO_END_OF_HEADER = 0x40
    HEADER_UNANSWERED = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    SKIP = 0x400
    REJECTED_RECIPIENTS = 0x800
    CONNECT_UNANSWERED = 0x1000
    HELO_UNANSWERED = 0x2000
    MAIL_UNANSWERED = 0x4000
    RCPT_UNANSWERED = 0x8000
    DATA_UNANSWERED = 0x10000
    UNKNOWN_UNANSWERED = 0x20000
    END_OF_HEADER_UNANSWERED = 0x40000
    BODY_UNANSWERED = 0x80000
    LEADING_SPACE = 0x100000


class Stage(int, Enum):
    """Stages that macros can be asked for."""

    CONNECT = 0
    HELO = 1
    MAIL = 2
    RCPT = 3
    DATA = 4
    END_OF_MESSAGE = 5
    END_OF_HEADER = 6


class Packet(NamedTuple):
    """A command or answer letter and its data."""

    letter: bytes
    data: bytes


class Options(NamedTuple):
    """What one side of a negotiation says; unknown bits are kept."""

    version: int
    actions: int
    steps: int


class PacketReader:
    """Octets in, whole packets out; keeps at most one packet."""

    def __init__(self, max_packet_bytes: int = MAX_PACKET_BYTES) -> None:
        self._buffer = bytearray()
        self._max = max_packet_bytes

    def feed(self, octets: bytes) -> Iterator[Packet]:
        """The packets that are complete now; raises MilterProtocolError at an absurd length."""
        buffer = self._buffer
        buffer += octets
        position = 0
        try:
            while len(buffer) - position >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(buffer, position)
                if not 1 <= length <= self._max:
                    raise MilterProtocolError(f"a packet of {length} octets")
                end = position + _LENGTH.size + length
                if len(buffer) < end:
                    break
                start = position + _LENGTH.size
                position = end
                yield Packet(bytes(buffer[start : start + 1]), bytes(buffer[start + 1 : end]))
        finally:
            del buffer[:position]


def packet(letter: bytes, data: bytes = b"") -> bytes:
    """One packet as octets."""
    return _LENGTH.pack(len(data) + 1) + letter + data


def read_options(data: bytes) -> Options:
    """The data of a negotiation packet (what follows the three numbers is left out)."""
    if len(data) < _OPTIONS.size:
        raise MilterProtocolError("a negotiation packet is cut short")
    return Options(*_OPTIONS.unpack_from(data))


def options_data(options: Options, macros: dict[Stage, bytes] | None = None) -> bytes:
    """The data of a negotiation packet; `macros` names those that are wanted for a stage."""
    wanted = b"".join(
        _INDEX.pack(stage.value) + names + b"\0" for stage, names in (macros or {}).items()
    )
    return _OPTIONS.pack(*options) + wanted


def indexed(index: int, name: bytes, value: bytes) -> bytes:
    """The data of an inserted or changed field."""
    return _INDEX.pack(index) + strings(name, value)


def strings(*values: bytes) -> bytes:
    """Strings as they stand in data, each with its NUL; a NUL in a value would cut it."""
    if any(b"\0" in value for value in values):
        raise MilterProtocolError("a NUL octet in a string")
    return b"".join(value + b"\0" for value in values)


def read_strings(data: bytes) -> list[bytes]:
    """The strings of data; the last may come without its NUL."""
    if not data:
        return []
    return data.removesuffix(b"\0").split(b"\0")
