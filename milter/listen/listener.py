"""An SMTP listener: sockets, sessions, and an end in good order.

Starts on host and port or on sockets that were opened before (by a parent process or by systemd).
A drain cuts no message: whatever has had its final dot gets its reply.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

from milter.listen.admission import Admission
from milter.listen.front import Front, new_transaction_id
from milter.listen.gateway import Gateway, Observer
from milter.listen.options import ListenerOptions
from milter.listen.smtp_proxy import SmtpSession
from milter.ports import Clock

_BACKLOG = 512
# After the last reply is written, how long a peer may take to let go.
_GOODBYE_SECONDS = 5.0


class SmtpListener:
    """One role on one set of sockets."""

    def __init__(
        self,
        *,
        options: ListenerOptions,
        gateway: Gateway,
        observer: Observer,
        admission: Admission,
        clock: Clock,
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self._front = Front(
            options=options,
            gateway=gateway,
            observer=observer,
            admission=admission,
            clock=clock,
            new_id=new_id,
        )
        self._servers: list[asyncio.Server] = []
        self._sessions: set[SmtpSession] = set()

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens now."""
        names = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return tuple((name[0], name[1]) for name in names)

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._sessions)

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen on an address; raises OSError where that is not possible."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._session, host, port, backlog=_BACKLOG, reuse_port=reuse_port
        )
        self._servers.append(server)

    async def start_on(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on bound sockets of a parent."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            server = await loop.create_server(self._session, sock=sock, backlog=_BACKLOG)
            self._servers.append(server)

    def reconfigure(self, *, options: ListenerOptions, gateway: Gateway) -> None:
        """Serve new connections by new rules; those that are open keep theirs."""
        self._front = replace(self._front, options=options, gateway=gateway)

    def stop_accepting(self) -> None:
        """Close the listening sockets."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def drain(self, grace_seconds: float) -> None:
        """End: idle peers get 421 at once, open transactions may finish within the grace.

        After it whoever still sends is told 421, too; messages after their final dot are carried
        through, however long that takes.
        """
        self.stop_accepting()
        for session in self._sessions:
            session.begin_drain()
        await self._ended_within(grace_seconds)
        for session in self._sessions:
            session.cut()
        await self._front.deliveries_finished()
        await self._ended_within(_GOODBYE_SECONDS)
        for session in tuple(self._sessions):
            session.abort()
            session.task.cancel()
        await self._ended_within(_GOODBYE_SECONDS)

    async def _ended_within(self, seconds: float) -> None:
        tasks = [session.task for session in self._sessions]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _session(self) -> SmtpSession:
        return SmtpSession(self._front, self._sessions)
