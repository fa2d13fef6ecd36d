"""One connection of the SMTP front: lines and content in, replies out, time and hanging up.

aiosmtpd gives the protocol class and its life on the event loop. Command loop, content, TLS and
timers are ours: its own would cancel a delivery when the peer half-closes, share limits between
connections and answer our faults with 500. What a command
means is the `Dialogue`'s.

Standards: RFC 5321 §4.5.3.2 (timeouts), §3.8 (421), RFC 2920 §3.2 (replies in groups), RFC 3207.
Failure: a fault of ours is 451 4.3.0 with the transaction id, reported to the observer; the peer
never sees more.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from milter.listen.dialogue import Dialogue, Expect
from milter.listen.front import Front
from milter.listen.input_buffer import InputBuffer, LineTooLong
from milter.listen.peers import canonical_address, listed
from milter.listen.proxy_header import ProxyHeader, parse_proxy_header
from milter.listen.refusal import ERRORS, RefusalReason, Refused
from milter.mail import reply as replies
from milter.mail.envelope import Connection
from milter.mail.reply import OwnReply, Reply, with_transaction_id
from milter.wire.smtp_text import Content, ContentReader, format_reply

# A peer that pipelines without end must let the others have their turn.
_COMMANDS_PER_TURN = 32
_PROXY_HEADER_BYTES = 4096
_PROXY_SECONDS = 10.0
# How long a closed connection may take to fetch our last reply.
_LINGER_SECONDS = 10.0
_FAREWELL_SECONDS = 1.0


# aiosmtpd names peers at INFO; the mail log is the observer's.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class _PeerGone(Exception):
    """No more will come from the peer, and nobody waits for an answer."""


class SmtpSession(SMTP):
    """The asyncio protocol of one connection; `sessions` holds it while it lives."""

    def __init__(self, front: Front, sessions: set["SmtpSession"]) -> None:
        # The class attribute of the same name is shared by all connections; this one is not.
        self.command_size_limits: dict[str, int] = {}
        super().__init__(None, hostname=front.options.hostname, loop=asyncio.get_running_loop())
        self._front = front
        self._options = front.options
        self._sessions = sessions
        self._input = InputBuffer(front.options.max_command_bytes)
        self._outgoing = bytearray()
        self._wire: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._over_tls = False
        self._errors = 0
        self._commands = 0
        self._draining = False
        self._cut = False

    def __dir__(self) -> list[str]:
        """Nothing: aiosmtpd looks for hooks and commands by name, 0.2 ms for each connection."""
        return []

    @property
    def task(self) -> asyncio.Task[None]:
        """The task that serves the connection."""
        return cast("asyncio.Task[None]", self._handler_coroutine)

    def begin_drain(self) -> None:
        """No new transaction from now on; the one that is open may end."""
        self._draining = True
        self._input.wake()

    def cut(self) -> None:
        """Nothing more from the peer; a message after its final dot still gets its reply."""
        self._cut = True
        self._input.wake()

    def abort(self) -> None:
        """Close at once."""
        if self._wire is not None:
            self._wire.abort()

    # What the event loop calls. aiosmtpd's versions of the first three cancel the handler.

    def connection_lost(self, error: Exception | None) -> None:
        """The peer is gone: reading ends, what is under way does not."""
        self._input.feed_eof()
        self._writable.set()
        asyncio.StreamReaderProtocol.connection_lost(self, error)

    def eof_received(self) -> bool:
        """A half-closed peer still gets its replies, where the transport allows it."""
        self._input.feed_eof()
        return not self._over_tls

    def pause_writing(self) -> None:
        """The peer does not read its replies fast enough."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has read them."""
        self._writable.set()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """No timer of aiosmtpd: each wait for the peer has its own, and processing has none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving."""
        self._wire = cast("asyncio.Transport", transport)
        self._input.attach(self._wire)
        self._sessions.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Octets from the peer."""
        self._input.feed(data)

    # The connection, from beginning to end.

    async def _handle_client(self) -> None:
        connection = self._peer()
        try:
            if not self._front.admission.enter():
                await self._turn_away(connection, RefusalReason.CONNECTIONS)
                return
            try:
                await self._admitted(connection)
            finally:
                self._front.admission.leave()
        except (_PeerGone, ConnectionError):
            pass
        except Exception as error:
            self._front.observer.failed(connection, "", error)
        finally:
            try:
                await self._farewell()
            finally:
                self._sessions.discard(self)
                self._hang_up()

    async def _admitted(self, connection: Connection) -> None:
        if listed(connection.client_ip, self._options.proxy_from):
            connection = await self._behind_proxy(connection)
        if not self._counts_address(connection.client_ip):
            await self._serve(connection)
            return
        admission = self._front.admission
        reason = admission.enter_address(connection.client_ip)
        if reason is not None:
            await self._turn_away(connection, reason)
            return
        try:
            await self._serve(connection)
        finally:
            admission.leave_address(connection.client_ip)

    def _counts_address(self, client_ip: str) -> bool:
        """All mail of an MTA before us comes from one address: that is no crowd."""
        ours = self._options.xclient_from + self._options.xforward_from
        return self._options.role == "mx" and not listed(client_ip, ours)

    async def _serve(self, connection: Connection) -> None:
        dialogue = Dialogue(self._front, connection, self._is_gone)
        observer = self._front.observer
        began = self.loop.time()
        observer.connected(connection)
        try:
            self._send(dialogue.greeting())
            while dialogue.expects is not Expect.NOTHING:
                await self._step(dialogue)
            await self._flush()
        finally:
            try:
                await dialogue.abandon()
            finally:
                observer.disconnected(dialogue.connection, self.loop.time() - began)

    async def _step(self, dialogue: Dialogue) -> None:
        """Whatever must come next from the peer, and the reply to it."""
        try:
            match dialogue.expects:
                case Expect.CONTENT:
                    reply = await dialogue.complete(await self._content(dialogue))
                case Expect.TLS:
                    await self._start_tls()
                    await dialogue.tls_started()
                    return
                case _:
                    reply = await dialogue.command(await self._line(dialogue))
        except Refused as refused:
            reply = self._refusal(dialogue, refused)
        except (_PeerGone, ConnectionError):
            raise
        except Exception as error:
            self._front.observer.failed(dialogue.connection, dialogue.transaction_id, error)
            internal = Refused(replies.INTERNAL_ERROR, RefusalReason.INTERNAL_ERROR)
            reply = self._refusal(dialogue, internal)
        self._send(reply)

    def _refusal(self, dialogue: Dialogue, refused: Refused) -> Reply:
        self._errors += refused.reason in ERRORS
        if self._errors >= self._options.max_errors:
            refused = Refused(replies.TOO_MANY_ERRORS, RefusalReason.TOO_MANY_ERRORS)
        reply = refused.reply
        if isinstance(reply, OwnReply) and dialogue.transaction_id:
            reply = with_transaction_id(reply, dialogue.transaction_id)
        dialogue.expects = Expect.NOTHING if refused.closes else Expect.COMMAND
        self._front.observer.refused(dialogue.connection, refused.reason, reply)
        return reply

    # What comes from the peer.

    async def _line(self, dialogue: Dialogue) -> bytes:
        """The next command line; the time limit is for the whole line (RFC 5321 §4.5.3.2)."""
        deadline = self.loop.time() + self._options.command_seconds
        while True:
            if self._cut or (self._draining and not dialogue.in_transaction):
                raise Refused(replies.SHUTTING_DOWN, RefusalReason.SHUTTING_DOWN)
            try:
                line = self._input.take_line()
            except LineTooLong:
                refusal = Refused(replies.COMMAND_TOO_LONG, RefusalReason.COMMAND_LINE)
                raise refusal from None
            if line is not None:
                await self._let_others()
                return line
            await self._more(deadline)

    async def _content(self, dialogue: Dialogue) -> Content:
        """Everything up to the true end of data, whatever is wrong with it."""
        options = self._options
        reader = ContentReader(
            max_bytes=options.max_message_bytes,
            max_line_bytes=options.max_line_bytes,
            normalise=options.normalises,
        )
        last = self.loop.time() + options.data_seconds
        while True:
            chunk = self._input.take_all()
            if chunk:
                rest = reader.feed(chunk)
                if not dialogue.reserve(reader.kept_bytes):
                    reader.discard()
                if rest is not None:
                    self._input.unread(rest)
                    return reader.content()
            if self._cut:
                raise Refused(replies.SHUTTING_DOWN, RefusalReason.SHUTTING_DOWN)
            await self._more(min(last, self.loop.time() + options.data_block_seconds))

    async def _more(self, deadline: float) -> None:
        """Wait until something has come; all that we have to say is said before."""
        await self._flush()
        if self._input.eof:
            raise _PeerGone
        try:
            async with asyncio.timeout_at(deadline):
                await self._input.wait()
        except TimeoutError:
            raise Refused(replies.TIMED_OUT, RefusalReason.TIMEOUT) from None

    async def _let_others(self) -> None:
        self._commands += 1
        if self._commands % _COMMANDS_PER_TURN == 0:
            await self._flush()
            await asyncio.sleep(0)

    async def _behind_proxy(self, connection: Connection) -> Connection:
        """The client that a listed load balancer speaks for; nobody without its header."""
        deadline = self.loop.time() + _PROXY_SECONDS
        try:
            while (header := self._proxy_header()) is None:
                await self._more(deadline)
        except (ValueError, Refused, _PeerGone):
            reply = replies.NOT_AUTHORIZED
            self._front.observer.refused(connection, RefusalReason.PROXY_HEADER, reply)
            raise _PeerGone from None
        self._input.skip(header.length)
        if header.client is None:
            return connection
        client_ip, client_port = header.client
        return self._connection(client_ip, client_port)

    def _proxy_header(self) -> ProxyHeader | None:
        return parse_proxy_header(self._input.peek(_PROXY_HEADER_BYTES))

    async def _start_tls(self) -> None:
        """RFC 3207: the 220 goes out in the clear, and nothing that came before it counts."""
        await self._flush()
        context, wire = self._options.tls_context, self._wire
        assert context is not None
        assert wire is not None
        # From here to the switch of protocols nothing is awaited: no octet sent in the clear
        # comes between, and what TLS brings together with its last handshake record is kept.
        self._input.clear()
        self._over_tls = True
        try:
            secured: Any = await self.loop.start_tls(wire, self, context, server_side=True)
        except OSError:
            raise _PeerGone from None
        if secured is None:
            raise _PeerGone
        self._wire = secured
        self._input.attach(secured)

    # What goes to the peer.

    def _send(self, reply: Reply) -> None:
        self._outgoing += format_reply(reply)

    async def _flush(self) -> None:
        """Write all replies so far in one go; a peer that does not read them has lost its turn."""
        if not self._outgoing or self._wire is None:
            return
        if self._wire.is_closing():
            # uvloop raises for it, and each 451 for that fault would have been the next fault.
            raise _PeerGone
        self._wire.write(bytes(self._outgoing))
        self._outgoing.clear()
        try:
            async with asyncio.timeout(self._options.command_seconds):
                await self._writable.wait()
        except TimeoutError:
            self.abort()
            raise _PeerGone from None

    async def _turn_away(self, connection: Connection, reason: RefusalReason) -> None:
        self._front.observer.refused(connection, reason, replies.TOO_MANY_CONNECTIONS)
        self._send(replies.TOO_MANY_CONNECTIONS)
        await self._flush()

    def _is_gone(self) -> bool:
        """A peer that ended its side before our reply has hardly stayed to read it."""
        return self._input.eof or self._wire is None or self._wire.is_closing()

    async def _farewell(self) -> None:
        """End our side and read on for a moment, so that the peer gets our last reply.

        Closing on octets that nobody has read resets the connection, and a reset takes from the
        peer what it has not read yet: a 421 that crosses an EHLO would never arrive.
        """
        wire = self._wire
        if wire is None or wire.is_closing() or self._input.eof or not wire.can_write_eof():
            return
        wire.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                while not self._input.eof:
                    self._input.clear()
                    await self._input.wait()

    def _hang_up(self) -> None:
        if self._wire is None:
            return
        unsent = self._wire.get_write_buffer_size()
        self._wire.close()
        if unsent:
            self.loop.call_later(_LINGER_SECONDS, self._wire.abort)

    def _peer(self) -> Connection:
        assert self._wire is not None
        name = self._wire.get_extra_info("peername")
        try:
            return self._connection(canonical_address(name[0]), name[1])
        except (TypeError, IndexError, ValueError):
            # Gone before we looked.
            return self._connection("unknown", 0)

    def _connection(self, client_ip: str, client_port: int) -> Connection:
        return Connection(client_ip=client_ip, client_port=client_port, listener=self._options.name)
