"""The milter front: connections of MTAs, and an end in good order.

`wire.milter_session` knows the protocol; here are sockets, time, memory and the life of a message
between its end and our answer. A message is judged in a task of its own; the MTA is told every few
seconds that work goes on. Over TCP each read is acknowledged at once: an MTA that owes us several
small packets and waits for no answer would otherwise stall 40 ms a message (Nagle's algorithm
against delayed acknowledgement).

Refuses to answer a message twice and to hold anything for an MTA that is gone.
Failure: whatever is our own fault is 451 4.3.0. Where the protocol is broken or too old the
connection is closed and the MTA does its default action, which is the operator's choice there.
"""

import asyncio
import re
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, cast

from milter.listen.admission import Admission
from milter.listen.front import new_transaction_id
from milter.listen.gateway import Filter, Observer
from milter.listen.options import MilterOptions
from milter.listen.peers import canonical_address, listed
from milter.listen.refusal import RefusalReason
from milter.mail import reply as replies
from milter.mail.envelope import Connection, Transaction
from milter.mail.handback import Handback
from milter.mail.reply import OwnReply, with_transaction_id
from milter.ports import Clock
from milter.wire.milter_codec import MilterProtocolError
from milter.wire.milter_session import Ended, MilterMessage, MilterSession

_BACKLOG = 512
# The path is the parent's, and of all fronts: from 3.13 on a loop removes it when one front ends.
_SOCKET_STAYS: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
# Sendmail gives up after 5 minutes without progress, Postfix after 300 s (milter_content_timeout).
_PROGRESS_SECONDS = 10.0
# An MTA keeps a connection as long as its own client stays; one that is dead says nothing.
_SILENCE_SECONDS = 3_600.0
# The first words of an MTA come at once.
_NEGOTIATION_SECONDS = 30.0
# For an answer to reach an MTA at the end of a drain.
_LAST_WORDS_SECONDS = 2.0
# What a drain leaves of its grace for a judgement under way: a front that overstays it is killed.
_JUDGEMENT_SECONDS = 15.0
# Fields that claim to be ours are taken away one by one, and Postfix counts to each from the top:
# 500 take it a tenth of a second, 8,000 seven seconds, 80,000 (1 MB) many minutes.
_MOST_CLAIMS = 500
_CLAIM = re.compile(rb"^(?:x-lurewall-|authentication-results:)", re.IGNORECASE | re.MULTILINE)


class MilterConnection(asyncio.Protocol):
    """One connection of an MTA."""

    def __init__(self, listener: "MilterListener") -> None:
        self._listener = listener
        self._reservation = listener.admission.reservation()
        self._judging: asyncio.Task[None] | None = None
        self._client_since: float | None = None
        self._admitted = False
        self._gone = False
        self._ending = False
        self._is_unsent = False
        self._quick: socket.socket | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._session = MilterSession(
            name=listener.options.name,
            may_keep=self._may_keep,
            pass_authenticated=listener.options.pass_authenticated,
        )

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, if the peer may and there is room."""
        self._transport = cast("asyncio.Transport", transport)
        try:
            peer = self._peer()
        except (TypeError, OSError):  # it is gone already
            self._transport.abort()
            return
        self._admitted = self._listener.admit(self, peer)
        if self._admitted:
            self._watch(_NEGOTIATION_SECONDS)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Octets from the MTA."""
        if self._quick is not None:
            self._quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._watch(_SILENCE_SECONDS)
        try:
            for event in self._session.receive(data):
                self._flush()
                self._heed(event)
                if self._gone:
                    return
        except MilterProtocolError as error:
            self._listener.observer.broke_protocol(self._session.connection, str(error))
            self._give_up()
            return
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """The MTA is gone: a judgement under way ends, but holds nothing."""
        self._gone = True
        if self._silence is not None:
            self._silence.cancel()
        self._client_left()
        self._free()
        if self._admitted:
            self._listener.left(self)

    def pause_writing(self) -> None:
        """The MTA reads more slowly than we answer."""
        self._is_unsent = True

    def resume_writing(self) -> None:
        """It has read nearly all."""
        self._is_unsent = False
        self._free()

    # For the listener.

    def end(self) -> None:
        """Close once all that is owed is said: a message that waits gets its answer."""
        self._ending = True
        if self._judging is None:
            self._transport.close()

    def cut(self) -> None:
        """Close, unless a message waits for its answer."""
        if self._judging is None:
            self._transport.abort()

    # The rest is ours.

    def _peer(self) -> str | None:
        """The MTA's address; None for a Unix socket."""
        sock = self._transport.get_extra_info("socket")
        if sock is None or sock.family == socket.AF_UNIX:
            return None
        self._quick = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return canonical_address(self._transport.get_extra_info("peername")[0].partition("%")[0])

    def _may_keep(self, octets: int) -> str:
        if octets == 0:
            self._free()
        if octets > self._listener.options.max_message_bytes:
            reason = RefusalReason.TOO_LARGE
        elif not self._reservation.grow_to(octets):
            reason = RefusalReason.NO_ROOM
        else:
            return ""
        self._reservation.release()
        return reason

    def _free(self) -> None:
        """Give back the room of a message that is over, once its answer is sent."""
        if self._judging is None and (self._gone or not self._is_unsent):
            self._reservation.release()

    def _watch(self, seconds: float) -> None:
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(seconds, self.cut)

    def _flush(self) -> None:
        if output := self._session.take_output():
            self._transport.write(output)

    def _heed(self, event: MilterMessage | Ended) -> None:
        if isinstance(event, MilterMessage):
            loop = asyncio.get_running_loop()
            self._judging = loop.create_task(self._answer(event))
            self._listener.judging.add(self._judging)
            self._judging.add_done_callback(self._listener.judging.discard)
        elif self._judging is not None:
            # Whatever it gave the message up for, an answer would be taken for one to the next.
            self._give_up()
        elif event is Ended.CONNECTED:
            self._client_left()
            self._client_since = self._listener.clock.monotonic()
            self._listener.observer.connected(self._session.connection)
        elif event is Ended.DISCONNECTED:
            self._client_left()
        elif event is Ended.QUIT:
            self._gone = True
            self._transport.close()

    def _give_up(self) -> None:
        """Cut off at once: nothing more is read, nothing is held for a message under way."""
        self._gone = True
        self._transport.abort()

    def _client_left(self) -> None:
        if self._client_since is not None:
            seconds = self._listener.clock.monotonic() - self._client_since
            self._client_since = None
            self._listener.observer.disconnected(self._session.connection, seconds)

    async def _answer(self, message: MilterMessage) -> None:
        """Judge one message and answer it, if the MTA still waits."""
        progress = asyncio.create_task(self._tell_progress())
        transaction = self._listener.transaction(message)
        try:
            handback = await self._listener.judged(
                message, transaction, still_asked=lambda: not self._gone
            )
            if not self._gone and not self._handed_back(handback, transaction):
                return
        finally:
            progress.cancel()
            self._judging = None
            self._free()
        if self._ending:
            self._transport.close()
        self._listener.observer.replied(transaction, handback.reply, peer_gone=self._gone)

    def _handed_back(self, handback: Handback, transaction: Transaction) -> bool:
        """Tell the MTA; where we have no words it is cut off, for it would wait for them."""
        observer = self._listener.observer
        try:
            self._session.hand_back(handback)
        except MilterProtocolError as error:
            observer.broke_protocol(transaction.connection, str(error))
        except Exception as error:
            observer.failed(transaction.connection, transaction.transaction_id, error)
        else:
            self._flush()
            return True
        self._give_up()
        return False

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._session.progress()
            self._flush()


class MilterListener:
    """One milter role on one set of sockets."""

    def __init__(
        self,
        *,
        options: MilterOptions,
        gateway: Filter,
        observer: Observer,
        admission: Admission,
        clock: Clock,
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self.options = options
        self.observer = observer
        self.admission = admission
        self.clock = clock
        self.judging: set[asyncio.Task[None]] = set()
        self._gateway = gateway
        self._new_id = new_id
        self._servers: list[asyncio.Server] = []
        self._connections: set[MilterConnection] = set()
        self._all_left = asyncio.Event()
        self._all_left.set()

    async def start_on(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on bound sockets of a parent, TCP or Unix."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            if sock.family == socket.AF_UNIX:
                server = await loop.create_unix_server(
                    lambda: MilterConnection(self), sock=sock, backlog=_BACKLOG, **_SOCKET_STAYS
                )
            else:
                server = await loop.create_server(
                    lambda: MilterConnection(self), sock=sock, backlog=_BACKLOG
                )
            self._servers.append(server)

    async def drain(self, grace_seconds: float) -> None:
        """End: MTAs may finish their sessions within the grace, messages at their end are answered.

        A connection belongs to one client of the MTA and ends with it; cut before that, the rest
        of the client's mail would meet the MTA's default action.
        """
        for server in self._servers:
            server.close()
        self._servers.clear()
        for_sessions = max(grace_seconds - _JUDGEMENT_SECONDS, grace_seconds / 2)
        try:
            await asyncio.wait_for(self._all_left.wait(), for_sessions)
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.end()
            if self.judging:
                await asyncio.wait(self.judging)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_left.wait(), _LAST_WORDS_SECONDS)
            for connection in tuple(self._connections):
                connection.cut()

    # For connections.

    def admit(self, connection: MilterConnection, peer: str | None) -> bool:
        """Count a connection, if its peer may come and there is room."""
        nobody = Connection(client_ip=peer or "", listener=self.options.name)
        if peer is not None and not listed(peer, self.options.allow_from):
            self.observer.refused(nobody, RefusalReason.EXTENSION_PEER, replies.NOT_AUTHORIZED)
            return False
        if not self.admission.enter():
            self.observer.refused(nobody, RefusalReason.CONNECTIONS, replies.TOO_MANY_CONNECTIONS)
            return False
        self._connections.add(connection)
        self._all_left.clear()
        return True

    def left(self, connection: MilterConnection) -> None:
        """The end of a connection that was admitted."""
        self.admission.leave()
        self._connections.discard(connection)
        if not self._connections:
            self._all_left.set()

    def transaction(self, message: MilterMessage) -> Transaction:
        """The message with an id and a time of its own."""
        return Transaction(
            transaction_id=self._new_id(),
            role="milter",
            received_at=self.clock.now(),
            connection=message.connection,
            envelope=message.envelope,
            raw=message.raw,
            queue_id=message.queue_id,
        )

    async def judged(
        self, message: MilterMessage, transaction: Transaction, *, still_asked: Callable[[], bool]
    ) -> Handback:
        """What the MTA hears; does not raise."""
        if message.unkept:
            return self._without_octets(message, transaction)
        if _claims_too_much(message.raw):
            reply = _with_id(replies.FORGED_FIELDS, transaction)
            self.observer.refused(message.connection, RefusalReason.FORGED_FIELDS, reply)
            return Handback(reply=reply)
        self.observer.data_received(transaction)
        try:
            return await self._gateway.submit(
                transaction, fields_agree=message.fields_agree, still_asked=still_asked
            )
        except Exception as error:
            self.observer.failed(message.connection, transaction.transaction_id, error)
            return Handback(reply=_with_id(replies.INTERNAL_ERROR, transaction))

    def _without_octets(self, message: MilterMessage, transaction: Transaction) -> Handback:
        """A message that was not kept: no room is 4xx, too large is the operator's choice."""
        reason = RefusalReason(message.unkept)
        if reason is RefusalReason.TOO_LARGE and not self.options.defer_too_large:
            self.observer.unjudged(message.connection, reason)
            return Handback(reply=replies.OK)
        too_large = reason is RefusalReason.TOO_LARGE
        reply = replies.MESSAGE_TOO_LARGE_NOW if too_large else replies.NO_ROOM
        self.observer.refused(message.connection, reason, reply)
        return Handback(reply=_with_id(reply, transaction))


def _claims_too_much(raw: bytes) -> bool:
    """True if more fields claim to be ours than an MTA could take away one by one."""
    end = 0 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n")
    if end < _MOST_CLAIMS * len(b"X-Lurewall-:\r\n"):
        return False
    claims = islice(_CLAIM.finditer(raw, 0, end), _MOST_CLAIMS, None)
    return next(claims, None) is not None


def _with_id(reply: OwnReply, transaction: Transaction) -> OwnReply:
    return with_transaction_id(reply, transaction.transaction_id)
