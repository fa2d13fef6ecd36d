"""One connection to the next hop: drives `wire.smtp_client` over an asyncio transport.

Knows octets, time and loss; what a reply means for a message is the session's business. A
connection that failed, timed out or was abandoned in the middle of a command is aborted at once and
never used again: a reply that comes later could be taken for the answer to something else.

Standards: RFC 5321 §3.8 and §4.5.3.2, RFC 3207 (STARTTLS).
Failure: `NextHopFailed`; `ambiguous` only if the final dot may have been seen (RFC 5321 §4.2.5).
"""

import asyncio
import ssl
from collections import deque
from functools import cache
from typing import Self, cast

from milter.mail.reply import Reply
from milter.ports import NextHopFailed
from milter.relay.failure import Cause, described, failed, refused
from milter.relay.options import NextHopOptions, TlsPolicy
from milter.wire.smtp_client import (
    Answer,
    Fault,
    SmtpClient,
    Stage,
    Violation,
    parse_keywords,
)

_BLOCK_BYTES = 256 * 1024


class SmtpConnection(asyncio.Protocol):
    """A connection after greeting, EHLO and, by policy, STARTTLS."""

    def __init__(self, options: NextHopOptions) -> None:
        self.keywords: dict[str, str] = {}
        self.client_identity: tuple[bytes, ...] = ()
        self.opened_at = 0.0
        self.idle_since = 0.0
        self._options = options
        self._client = SmtpClient()
        self._answers: deque[Answer | Violation] = deque()
        self._transport: asyncio.Transport | None = None
        self._is_lost = False
        self._is_paused = False
        self._dot_sent = False
        self._waiter: asyncio.Future[None] | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also called with the encrypted transport after STARTTLS."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=2 * _BLOCK_BYTES, low=_BLOCK_BYTES)

    def data_received(self, data: bytes) -> None:
        """Octets of the next hop."""
        answers = self._client.receive(data)
        if answers:
            self._answers.extend(answers)
            self._wake()

    def eof_received(self) -> bool:
        """A server that stops speaking is gone, half-open or not."""
        self._is_lost = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._is_lost = True
        self._wake()

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """The transport wants more."""
        self._is_paused = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the session calls.

    @classmethod
    async def open(cls, options: NextHopOptions) -> Self:
        """Connect, greet, and start TLS where the policy says so."""
        connection = cls(options)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(options.timeouts.connect):
                if options.unix_path:
                    await loop.create_unix_connection(lambda: connection, options.unix_path)
                else:
                    await loop.create_connection(lambda: connection, options.host, options.port)
        except (OSError, TimeoutError) as error:
            raise failed(Stage.CONNECT, Cause.UNREACHABLE, detail=_named(error)) from error
        connection.opened_at = loop.time()
        await connection._positive(Stage.GREETING, options.timeouts.greeting)
        await connection.greet()
        await connection._secure()
        return connection

    async def greet(self) -> None:
        """EHLO or LHLO, and note what the next hop announces."""
        verb = b"LHLO " if self._options.lmtp else b"EHLO "
        self.send(Stage.EHLO, verb + self._options.helo_name.encode("ascii"))
        reply = await self._positive(Stage.EHLO, self._options.timeouts.command)
        self.keywords = parse_keywords(reply)

    async def identify(self, lines: list[bytes]) -> None:
        """Hand on whom we speak for (XCLIENT); the session starts again with a greeting."""
        for line in lines:
            self.send(Stage.XCLIENT, line)
            await self._positive(Stage.XCLIENT, self._options.timeouts.greeting)
        await self.greet()
        self.client_identity = tuple(lines)

    async def _secure(self) -> None:
        options = self._options
        if options.tls is TlsPolicy.NONE:
            return
        if "STARTTLS" not in self.keywords:
            if options.tls is TlsPolicy.VERIFY:
                self.abort()
                raise failed(Stage.STARTTLS, Cause.TLS, detail="not offered")
            return
        self.send(Stage.STARTTLS, b"STARTTLS")
        await self._positive(Stage.STARTTLS, options.timeouts.command)
        # RFC 3207 §6: what came in plain text after the reply could be anybody's.
        if self._answers or self._client.has_rest:
            self.abort()
            raise failed(Stage.STARTTLS, Cause.MALFORMED, detail="text before the handshake")
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._open_transport(Stage.STARTTLS),
                self,
                options.ssl_context or _default_context(options.tls),
                server_hostname=options.tls_name or options.host or None,
                ssl_handshake_timeout=options.timeouts.command,
            )
        except (OSError, ssl.CertificateError) as error:
            self.abort()
            raise failed(Stage.STARTTLS, Cause.TLS, detail=_named(error)) from error
        if transport is None:
            raise failed(Stage.STARTTLS, Cause.LOST)
        self.connection_made(transport)
        # RFC 3207 §4.2: what the server said before the handshake is forgotten.
        await self.greet()

    @property
    def is_usable(self) -> bool:
        """True for a live connection that owes us nothing and said nothing unasked."""
        return not (self._is_lost or self._answers or self._client.waits or self._client.has_rest)

    def send(self, stage: Stage, line: bytes) -> None:
        """Send one command."""
        self._open_transport(stage).write(self._client.command(stage, line))

    def send_group(self, commands: list[tuple[Stage, bytes]]) -> None:
        """Send commands in one go, to a next hop that announced PIPELINING (RFC 2920 §3.1)."""
        octets = b"".join(self._client.command(stage, line) for stage, line in commands)
        self._open_transport(commands[0][0]).write(octets)

    async def answer(self, stage: Stage, seconds: float) -> Reply:
        """The next reply, verbatim; a 421 is a failure, for the peer is gone after it."""
        while not self._answers:
            if self._is_lost:
                self.abort()
                raise failed(stage, Cause.LOST, ambiguous=self._dot_sent)
            await self._wait(stage, seconds)
        answer = self._answers.popleft()
        if isinstance(answer, Violation):
            self.abort()
            raise self._malformed(stage, answer.fault)
        if answer.is_closing:
            self.abort()
            # A 421 at the final dot is a plain no: the next hop says that it did not take the mail.
            raise failed(stage, Cause.CLOSING, detail=described(answer.reply))
        return answer.reply

    async def send_content(self, octets: bytes, replies: int) -> Reply | None:
        """Send content and the final dot, `octets` being dot-stuffed.

        `replies` will follow it. Returns None, or the 4xx or 5xx of a next hop that would not
        wait for the end; then the connection is gone.
        """
        self._client.expect(Stage.END_OF_DATA, replies)
        ending = b".\r\n" if octets.endswith(b"\r\n") or not octets else b"\r\n.\r\n"
        transport = self._open_transport(Stage.DATA)
        if len(octets) > _BLOCK_BYTES:
            view = memoryview(octets)
            for start in range(0, len(octets), _BLOCK_BYTES):
                transport.write(view[start : start + _BLOCK_BYTES])
                while self._is_paused and not self._is_interrupted(transport):
                    await self._wait(Stage.DATA, self._options.timeouts.block)
                if self._is_interrupted(transport):
                    return await self._interruption()
            octets = b""
        elif self._is_interrupted(transport):
            return await self._interruption()
        # From here on the next hop may have the whole message, whatever happens to its reply.
        self._dot_sent = True
        transport.write(octets + ending)
        return None

    def _is_interrupted(self, transport: asyncio.Transport) -> bool:
        # A transport that failed to send closes at once, and says so one turn of the loop later.
        return bool(self._answers) or self._is_lost or transport.is_closing()

    async def _interruption(self) -> Reply:
        reply = await self.answer(Stage.DATA, self._options.timeouts.command)
        self.abort()
        if reply.is_positive:
            raise self._malformed(Stage.DATA, Fault.UNSOLICITED)
        return reply

    def content_answered(self) -> None:
        """All replies to the final dot are there: nothing is ambiguous any more."""
        self._dot_sent = False

    def _malformed(self, stage: Stage, fault: Fault) -> NextHopFailed:
        return failed(stage, Cause.MALFORMED, detail=fault.value, ambiguous=self._dot_sent)

    async def _positive(self, stage: Stage, seconds: float) -> Reply:
        reply = await self.answer(stage, seconds)
        if not reply.is_positive:
            self.abort()
            raise refused(stage, reply)
        return reply

    async def _wait(self, stage: Stage, seconds: float) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._waiter
        except TimeoutError as error:
            self.abort()
            raise failed(stage, Cause.TIMEOUT, ambiguous=self._dot_sent) from error
        except asyncio.CancelledError:
            # The reply that we no longer wait for must not answer the next command.
            self.abort()
            raise
        finally:
            self._waiter = None

    def _open_transport(self, stage: Stage) -> asyncio.Transport:
        if self._transport is None or self._is_lost:
            raise failed(stage, Cause.LOST)
        return self._transport

    def abort(self) -> None:
        """Drop the connection now; unsent octets are lost."""
        self._is_lost = True
        if self._transport is not None:
            self._transport.abort()

    def quit(self) -> None:
        """Say QUIT and close, without waiting for the answer (RFC 5321 §4.1.1.10 allows for it)."""
        if self._transport is not None and not self._is_lost:
            self._is_lost = True
            self._transport.write(b"QUIT\r\n")
            self._transport.close()


@cache
def _default_context(policy: TlsPolicy) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if policy is TlsPolicy.OPPORTUNISTIC:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
