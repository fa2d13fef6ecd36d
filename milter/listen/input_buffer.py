"""Octets that came from the peer and were not looked at yet.

Takes the place of the stream reader: lines are taken whole or not at all, unread octets go back in
front, and what came before TLS can be thrown away. Bounded: beyond the high-water mark the
transport is paused. Knows neither commands nor time; the session brings both.
"""

import asyncio

_HIGH_WATER = 65_536


class LineTooLong(Exception):
    """A line beyond the limit has ended; its octets are gone."""


class InputBuffer:
    """One reader, fed by the protocol's callbacks."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._octets = bytearray()
        self._searched = 0
        self._skipping_line = False
        self._eof = False
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._news = False

    def attach(self, transport: asyncio.Transport) -> None:
        """Pause and resume this transport from now on."""
        self._resume()
        self._transport = transport

    def clear(self) -> None:
        """Throw away what is there."""
        self._drop(len(self._octets))
        self._skipping_line = False

    @property
    def eof(self) -> bool:
        """True when nothing more will come; what is there can still be taken."""
        return self._eof

    def feed(self, data: bytes) -> None:
        """Octets from the peer."""
        self._octets += data
        if len(self._octets) > _HIGH_WATER and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
        self.wake()

    def feed_eof(self) -> None:
        """The peer sends no more."""
        self._eof = True
        self.wake()

    def wake(self) -> None:
        """Let `wait` return, whatever is there."""
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Until octets, the end or a `wake` come; at once if they did since the last wait."""
        if not self._news:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._news = False

    def take_line(self) -> bytes | None:
        """A line with its LF, or None if there is none yet; raises LineTooLong."""
        end = self._octets.find(b"\n", self._searched)
        if end < 0:
            if len(self._octets) > self._max_line_bytes:
                self._skipping_line = True
            if self._skipping_line:
                self._drop(len(self._octets))
            self._searched = len(self._octets)
            return None
        line = bytes(self._octets[: end + 1])
        self._drop(end + 1)
        if self._skipping_line or len(line) > self._max_line_bytes:
            self._skipping_line = False
            raise LineTooLong
        return line

    def take_all(self) -> bytes:
        """Everything that is there."""
        octets = bytes(self._octets)
        self._drop(len(octets))
        return octets

    def peek(self, length: int) -> bytes:
        """The first octets, left where they are."""
        return bytes(self._octets[:length])

    def skip(self, length: int) -> None:
        """Drop the first octets."""
        self._drop(length)

    def unread(self, octets: bytes) -> None:
        """Put back in front what was taken too much."""
        self._octets[:0] = octets
        self._searched = 0

    def _drop(self, length: int) -> None:
        del self._octets[:length]
        self._searched = 0
        if len(self._octets) <= _HIGH_WATER // 2:
            self._resume()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
