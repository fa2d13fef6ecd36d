"""What crosses the border between a front and a reader, as bytes.

A request is a fixed head, the facts (msgpack) and one or two raw messages beside it, unencoded.
A reply is a fixed head and a body. The front trusts nothing in a reply: its length is bounded
before it is awaited, and a body becomes a value only if it fits the dataclass field by field.
Never pickle: a captured reader must not run code in the front.

Failure: `FrameError` for a peer that does not keep to this; the pool kills that reader.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from milter.mail.reading import Facts, IntegrityReport, Reading

MAX_REPLY_BYTES = 8 * 1024 * 1024
MAX_FACTS_BYTES = 1024 * 1024
MAX_RAW_BYTES = 1 << 30


class FrameError(Exception):
    """The bytes are no frame of ours, or not the one that is due."""


class RequestKind(IntEnum):
    """What a reader can be asked for."""

    EXAMINE = 1
    VERIFY = 2


class ReplyStatus(IntEnum):
    """READY is the greeting of a new reader (its id is the process id); then one reply a request.

    The body of FAILED is `ExceptionType at module:line`, never the text of an exception.
    """

    READY = 1
    DONE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """The fixed part of a request; `second_bytes` is 0 but for VERIFY."""

    request_id: int
    kind: RequestKind
    budget_seconds: float
    facts_bytes: int
    first_bytes: int
    second_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply, its body not yet decoded."""

    request_id: int
    status: ReplyStatus
    body: bytes


_REQUEST = struct.Struct(">IBdIII")
_REPLY = struct.Struct(">IBI")
REQUEST_HEAD_BYTES = _REQUEST.size

_encode = msgspec.msgpack.Encoder().encode
_decode_facts = msgspec.msgpack.Decoder(Facts).decode
_decode_reading = msgspec.msgpack.Decoder(Reading).decode
_decode_report = msgspec.msgpack.Decoder(IntegrityReport).decode


def encode_request(
    request_id: int,
    kind: RequestKind,
    facts: Facts,
    raws: tuple[bytes, ...],
    budget_seconds: float,
) -> bytes:
    """Head and facts; the raw messages follow on the wire as they are, in order."""
    encoded = _encode(facts)
    second_bytes = len(raws[1]) if len(raws) > 1 else 0
    head = _REQUEST.pack(request_id, kind, budget_seconds, len(encoded), len(raws[0]), second_bytes)
    return head + encoded


def decode_request_head(octets: bytes) -> RequestHead:
    """The head of a request; raises FrameError."""
    request_id, kind, budget, facts_bytes, first_bytes, second_bytes = _REQUEST.unpack(octets)
    if facts_bytes > MAX_FACTS_BYTES or max(first_bytes, second_bytes) > MAX_RAW_BYTES:
        raise FrameError("request too large")
    try:
        request_kind = RequestKind(kind)
    except ValueError:
        raise FrameError("unknown kind of request") from None
    return RequestHead(
        request_id=request_id,
        kind=request_kind,
        budget_seconds=budget,
        facts_bytes=facts_bytes,
        first_bytes=first_bytes,
        second_bytes=second_bytes,
    )


def encode_reply(request_id: int, status: ReplyStatus, body: bytes) -> bytes:
    """One whole reply; raises FrameError if the front would refuse it for its length."""
    if len(body) > MAX_REPLY_BYTES:
        raise FrameError("reply too large")
    return _REPLY.pack(request_id, status, len(body)) + body


def encode_value(value: Reading | IntegrityReport) -> bytes:
    """The body of a DONE reply."""
    return _encode(value)


def decode_facts(octets: bytes) -> Facts:
    """Raises FrameError."""
    try:
        return _decode_facts(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FrameError("no facts") from None


def decode_reading(octets: bytes) -> Reading:
    """Raises FrameError; every field has the type it should have, its sense is still a claim."""
    try:
        return _decode_reading(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FrameError("no reading") from None


def decode_report(octets: bytes) -> IntegrityReport:
    """Raises FrameError."""
    try:
        return _decode_report(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FrameError("no integrity report") from None


class ReplyStream:
    """Collects octets into replies; holds at most one reply of the greatest length."""

    __slots__ = ("_buffer", "_head")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, ReplyStatus, int] | None = None

    def feed(self, octets: bytes) -> Reply | None:
        """The reply if it is complete, else None; raises FrameError.

        A reader speaks only when asked, so octets beyond one reply are an error too.
        """
        self._buffer += octets
        if self._head is None:
            if len(self._buffer) < _REPLY.size:
                return None
            request_id, status, length = _REPLY.unpack_from(self._buffer)
            if length > MAX_REPLY_BYTES:
                raise FrameError("reply too large")
            try:
                self._head = (request_id, ReplyStatus(status), length)
            except ValueError:
                raise FrameError("unknown status of a reply") from None
        request_id, known_status, length = self._head
        due = _REPLY.size + length
        if len(self._buffer) < due:
            return None
        if len(self._buffer) > due:
            raise FrameError("octets after the reply")
        body = bytes(memoryview(self._buffer)[_REPLY.size :])
        self._buffer = bytearray()
        self._head = None
        return Reply(request_id=request_id, status=known_status, body=body)
