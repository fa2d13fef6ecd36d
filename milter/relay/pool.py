"""Idle connections to one next hop, the most recently used first.

Keeps only connections that are between transactions; closes them with QUIT after `idle_seconds`,
after `MAX_AGE_SECONDS` of life (so that a changed address or certificate is noticed) and when the
next hop hangs up. Bounds idle connections, never waits for one.

Standards: RFC 5321 §3.8 and §4.5.3.2.
Failure: none; a connection that cannot be used is dropped.
"""

import asyncio
from collections import deque

from milter.relay.connection import SmtpConnection

MAX_AGE_SECONDS = 300.0


class Pool:
    """Idle connections; all calls come from one event loop."""

    def __init__(self, *, size: int, idle_seconds: float) -> None:
        self._size = size
        self._idle_seconds = idle_seconds
        self._idle: deque[SmtpConnection] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> SmtpConnection | None:
        """A connection that looks alive, or None."""
        self._sweep()
        return self._idle.pop() if self._idle else None

    def give(self, connection: SmtpConnection) -> None:
        """Take back a connection that is between transactions."""
        now = asyncio.get_running_loop().time()
        too_old = now - connection.opened_at > MAX_AGE_SECONDS
        if self._is_closed or too_old or not connection.is_usable:
            connection.quit()
            return
        connection.idle_since = now
        self._idle.append(connection)
        if len(self._idle) > self._size:
            self._idle.popleft().quit()
        if self._sweeper is None:
            self._schedule()

    def close(self) -> None:
        """Close all idle connections, and from now on each one that comes back."""
        self._is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._idle:
            self._idle.pop().quit()

    def _sweep(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._idle_seconds
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().quit()
        while self._idle and not self._idle[-1].is_usable:
            self._idle.pop().quit()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(self._idle_seconds, self._swept)

    def _swept(self) -> None:
        self._sweeper = None
        self._sweep()
        if self._idle:
            self._schedule()
