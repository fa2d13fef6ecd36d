"""The front's end of one reader: asks, listens, gives up, kills.

One request at a time. A reader that is late, gone, or says anything but the reply that is due is
killed at once by its process descriptor, which cannot hit another process that got the same id.
Choosing readers and second attempts are the pool's.

Failure: the future of `ask` ends with `ReaderFailure`.
"""

import asyncio
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, cast

from milter.mail.reading import Facts
from milter.readers.frames import (
    FrameError,
    Reply,
    ReplyStatus,
    ReplyStream,
    RequestKind,
    decode_reading,
    decode_report,
    encode_request,
)

# Up to this size a message goes out in one write; a larger one in pieces, as the reader takes it.
_PIECE_BYTES = 256 * 1024
_PLACE = re.compile(rb"[\w.]{1,80} at [\w.]{1,120}:\d{1,7}")
_DECODERS: dict[RequestKind, Callable[[bytes], Any]] = {
    RequestKind.EXAMINE: decode_reading,
    RequestKind.VERIFY: decode_report,
}


class EndReason(StrEnum):
    """Why a reader was ended; a closed list, used as a metric label."""

    TIMEOUT = "timeout"
    CRASH = "crash"
    EXCEPTION = "exception"
    GARBAGE = "garbage"
    RECYCLED = "recycled"
    NOT_STARTED = "not_started"
    CLOSED = "closed"


class ReaderFailure(Exception):
    """This reader gave no reading; it has been killed."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ReaderConnection(asyncio.Protocol):
    """A reader from its greeting to its end.

    `on_free` is called when it can take a message, `on_reaped` with what the kernel says of its
    death; `ended` is done as soon as it takes no more, so that its successor can be forked.
    """

    def __init__(
        self,
        *,
        recycle_after: int,
        on_free: Callable[["ReaderConnection"], None],
        on_reaped: Callable[[EndReason, str], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[EndReason] = loop.create_future()
        self.reaped: asyncio.Future[None] = loop.create_future()
        self.pid = 0
        self._loop = loop
        self._left = recycle_after
        self._on_free = on_free
        self._on_reaped = on_reaped
        self._stream = ReplyStream()
        self._outgoing: deque[memoryview] = deque()
        self._paused = False
        self._pending: asyncio.Future[Any] | None = None
        self._request_id = 0
        self._kind = RequestKind.EXAMINE
        self._timer: asyncio.TimerHandle | None = None
        self._pid_descriptor = -1
        self._detail = ""

    def ask(
        self, kind: RequestKind, raws: tuple[bytes, ...], facts: Facts, until: float
    ) -> "asyncio.Future[Any]":
        """Send one request; the future gives the decoded value or ReaderFailure.

        Cancelling the future leaves the reader at work: it is free again when it has replied.
        """
        assert self._pending is None
        self._request_id = (self._request_id + 1) & 0xFFFFFFFF
        self._kind = kind
        self._pending = pending = self._loop.create_future()
        if self.ended.done():
            pending.set_exception(ReaderFailure(EndReason.CRASH))
            return pending
        budget_seconds = max(until - time.monotonic(), 0.0)
        self._timer = self._loop.call_later(budget_seconds, self.end, EndReason.TIMEOUT)
        head = encode_request(self._request_id, kind, facts, raws, budget_seconds)
        if sum(map(len, raws)) <= _PIECE_BYTES:
            self._transport.write(b"".join((head, *raws)))
        else:
            self._queue(head, *raws)
            self._send_queued()
        return pending

    def end(self, reason: EndReason) -> None:
        """Kill the process and fail what was asked of it."""
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if self._timer is not None:
            self._timer.cancel()
        if self._pid_descriptor >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pid_descriptor, signal.SIGKILL)
        else:
            self.reaped.set_result(None)
            self._on_reaped(reason, "")
        self._outgoing.clear()
        self._transport.abort()
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(ReaderFailure(reason))
        if not self.greeted.done():
            self.greeted.set_exception(ReaderFailure(reason))
            self.greeted.exception()  # nobody may be waiting any more, which is no error

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Not before the last piece is with the kernel is the next one copied.
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        try:
            reply = self._stream.feed(data)
            if reply is not None:
                self._take(reply)
        except FrameError:
            self.end(EndReason.GARBAGE)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(EndReason.CRASH if self.pid else EndReason.NOT_STARTED)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send_queued()

    # The rest is ours alone.

    def _take(self, reply: Reply) -> None:
        if self.ended.done():
            return
        if self.pid == 0:
            self._take_greeting(reply)
            return
        if self._pending is None or reply.request_id != self._request_id or self._outgoing:
            raise FrameError("a reply that nothing asked for")
        if reply.status is ReplyStatus.FAILED:
            self._detail = reply.body.decode() if _PLACE.fullmatch(reply.body) else ""
            self.end(EndReason.EXCEPTION)
            return
        if reply.status is not ReplyStatus.DONE:
            raise FrameError("a second greeting")
        value = _DECODERS[self._kind](reply.body)
        if self._timer is not None:
            self._timer.cancel()
        pending, self._pending = self._pending, None
        if not pending.done():
            pending.set_result(value)
        self._left -= 1
        if self._left <= 0:
            self.end(EndReason.RECYCLED)
        else:
            self._on_free(self)

    def _take_greeting(self, reply: Reply) -> None:
        # Nothing hostile has reached the reader yet, so its word for its process id is good; and
        # as its parent we alone reap it, so the id cannot have passed to another process.
        if reply.status is not ReplyStatus.READY:
            raise FrameError("no greeting")
        self.pid = reply.request_id
        try:
            self._pid_descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self.end(EndReason.NOT_STARTED)
            return
        self._loop.add_reader(self._pid_descriptor, self._exited)
        if not self.greeted.done():
            self.greeted.set_result(None)
        self._on_free(self)

    def _exited(self) -> None:
        """The process is dead: reap it and say how it died."""
        self._loop.remove_reader(self._pid_descriptor)
        self.end(EndReason.CRASH)
        with suppress(ChildProcessError):
            status = os.waitid(os.P_PIDFD, self._pid_descriptor, os.WEXITED)
            if self.ended.result() is EndReason.CRASH and status is not None:
                killed = status.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
                self._detail = (
                    signal.Signals(status.si_status).name
                    if killed
                    else f"exit code {status.si_status}"
                )
        os.close(self._pid_descriptor)
        self.reaped.set_result(None)
        self._on_reaped(self.ended.result(), self._detail)

    def _queue(self, *octets: bytes) -> None:
        for whole in octets:
            view = memoryview(whole)
            self._outgoing.extend(
                view[at : at + _PIECE_BYTES] for at in range(0, len(whole), _PIECE_BYTES)
            )

    def _send_queued(self) -> None:
        while self._outgoing and not self._paused:
            self._transport.write(self._outgoing.popleft())
