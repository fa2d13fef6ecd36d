"""The next hop: sessions over pooled connections, verbatim octets out, verbatim replies back.

Implements `ports.NextHop` and `ports.NextHopSession`. Replies to MAIL, RCPT, DATA and the end of
data are returned as they came (design rule 4); anything else that is not positive is a failure. A
pooled connection that turns out dead before MAIL was answered is replaced by a fresh one; nothing
else is ever tried twice here. Refuses to judge, to filter parameters or to re-quote: the listener
offered only what the next hop announced.

Standards: RFC 5321, RFC 2033 §4.2 (LMTP), RFC 2920 (PIPELINING), Postfix's XFORWARD and XCLIENT.
Failure: `NextHopFailed` with a 451 for the peer.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient
from milter.mail.reply import Reply
from milter.ports import Clock, DataReply, NextHopFailed
from milter.relay.connection import SmtpConnection
from milter.relay.failure import Cause, failed, refused
from milter.relay.options import NextHopOptions
from milter.relay.pool import Pool
from milter.wire.line_ends import dot_stuff
from milter.wire.smtp_client import (
    Fault,
    Stage,
    mail_line,
    rcpt_line,
    xclient_lines,
    xforward_lines,
)

# An idle connection may have died unseen (a firewall forgot it): ask before it gets a mail.
_PROBE_AFTER_SECONDS = 5.0
_KEYWORDS_SECONDS = 60.0
_GONE = frozenset({Cause.LOST.value, Cause.CLOSING.value})


class SmtpNextHop:
    """One next hop with its pool; belongs to one event loop."""

    def __init__(self, options: NextHopOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._pool = Pool(size=options.pool_size, idle_seconds=options.idle_seconds)
        self._keywords: dict[str, str] = {}
        self._keywords_until = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    @property
    def options(self) -> NextHopOptions:
        """How this next hop is reached."""
        return self._options

    @property
    def idle_connections(self) -> int:
        """How many connections wait in the pool."""
        return len(self._pool)

    async def open(self, connection: Connection) -> "SmtpSession":
        """A session for a peer: over an idle connection that answers, or over a new one."""
        smtp = await self._idle()
        if smtp is not None:
            try:
                smtp = await self._identified(smtp, connection)
                return SmtpSession(self, smtp, connection, reused=True)
            except NextHopFailed as failure:
                if failure.cause not in _GONE:
                    raise
        return SmtpSession(self, await self.fresh(connection), connection, reused=False)

    async def fresh(self, connection: Connection) -> SmtpConnection:
        """A new connection that speaks for a peer, past the pool."""
        return await self._identified(await self._connected(), connection)

    async def keywords(self) -> dict[str, str]:
        """What the next hop announces; asked at most once a minute, by one caller for all."""
        if self._clock.monotonic() >= self._keywords_until:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask_keywords())
                self._asking.add_done_callback(_looked_at)
            # Shielded: the caller that goes away must not take the answer from the others.
            await asyncio.shield(self._asking)
        return dict(self._keywords)

    def give_back(self, smtp: SmtpConnection) -> None:
        """Take back a connection that is between transactions."""
        self._pool.give(smtp)

    def keep_none(self) -> None:
        """Close idle connections, and from now on each after its message.

        A server that asks us as its milter keeps, for an idle connection of ours, one of its own to
        us: a front that ends would wait for itself.
        """
        self._pool.close()

    async def aclose(self) -> None:
        """Close idle connections; sessions that are open end as they would."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError, NextHopFailed):
                await self._asking
        self.keep_none()

    async def _idle(self) -> SmtpConnection | None:
        while (smtp := self._pool.take()) is not None:
            idle_seconds = asyncio.get_running_loop().time() - smtp.idle_since
            if idle_seconds < _PROBE_AFTER_SECONDS:
                return smtp
            try:
                smtp.send(Stage.RSET, b"RSET")
                reply = await smtp.answer(Stage.RSET, self._options.timeouts.rset)
            except NextHopFailed:
                continue
            if reply.is_positive:
                return smtp
            smtp.quit()
        return None

    async def _connected(self) -> SmtpConnection:
        smtp = await SmtpConnection.open(self._options)
        self._keywords = smtp.keywords
        self._keywords_until = self._clock.monotonic() + _KEYWORDS_SECONDS
        return smtp

    async def _identified(self, smtp: SmtpConnection, connection: Connection) -> SmtpConnection:
        if not self._options.send_xclient:
            return smtp
        lines = xclient_lines(connection, smtp.keywords.get("XCLIENT", ""))
        if tuple(lines) == smtp.client_identity:
            return smtp
        if not lines:
            # It speaks for somebody else and takes no other name any more.
            smtp.quit()
            smtp = await self._connected()
            lines = xclient_lines(connection, smtp.keywords.get("XCLIENT", ""))
        if lines:
            await smtp.identify(lines)
        return smtp

    async def _ask_keywords(self) -> None:
        try:
            smtp = await self._idle()
            if smtp is None:
                smtp = await self._connected()
            else:
                self._keywords = smtp.keywords
                self._keywords_until = self._clock.monotonic() + _KEYWORDS_SECONDS
            self._pool.give(smtp)
        finally:
            self._asking = None


class SmtpSession:
    """One conversation; used by one task at a time, and given back by `close`."""

    def __init__(
        self, hop: SmtpNextHop, smtp: SmtpConnection, connection: Connection, *, reused: bool
    ) -> None:
        self._hop = hop
        self._smtp = smtp
        self._connection = connection
        self._reused = reused
        self._is_closed = False
        self._in_transaction = False
        self._accepted = 0
        self._timeouts = hop.options.timeouts

    @property
    def keywords(self) -> dict[str, str]:
        """EHLO keywords of this connection."""
        return self._smtp.keywords

    async def mail(self, reverse_path: Path, parameters: Sequence[bytes]) -> Reply:
        """Begin a transaction; XFORWARD goes before it where the next hop takes it."""
        line = mail_line(reverse_path, parameters)
        try:
            reply = await self._mail(line)
        except NextHopFailed as failure:
            if not self._reused or failure.cause not in _GONE:
                raise
            # A pooled connection may die at any time, and nothing was at stake yet.
            self._smtp = await self._hop.fresh(self._connection)
            reply = await self._mail(line)
        self._reused = False
        self._in_transaction = reply.is_positive
        self._accepted = 0
        return reply

    async def _mail(self, line: bytes) -> Reply:
        announced = self._smtp.keywords.get("XFORWARD", "")
        wanted = announced and self._hop.options.send_xforward
        forwards = xforward_lines(self._connection, announced) if wanted else []
        group = [(Stage.XFORWARD, forward) for forward in forwards]
        group.append((Stage.MAIL, line))
        seconds = self._timeouts.command
        if "PIPELINING" in self._smtp.keywords:
            self._smtp.send_group(group)
            # A refused XFORWARD costs the next hop a log line, not us a mail.
            for stage, _ in group[:-1]:
                await self._smtp.answer(stage, seconds)
        else:
            for stage, command in group[:-1]:
                self._smtp.send(stage, command)
                await self._smtp.answer(stage, seconds)
            self._smtp.send(Stage.MAIL, line)
        return await self._smtp.answer(Stage.MAIL, seconds)

    async def rcpt(self, recipient: Recipient) -> Reply:
        """Name one recipient."""
        self._smtp.send(Stage.RCPT, rcpt_line(recipient))
        reply = await self._smtp.answer(Stage.RCPT, self._timeouts.command)
        self._accepted += reply.is_positive
        return reply

    async def data(self, raw: bytes) -> DataReply:
        """Send the message; the reply decides about all accepted recipients."""
        smtp = self._smtp
        smtp.send(Stage.DATA, b"DATA")
        reply = await smtp.answer(Stage.DATA, self._timeouts.command)
        if not reply.is_positive:
            return DataReply(reply=reply, stage=Stage.DATA.value)
        if not self._accepted:
            await self._send_lone_dot()
        lmtp = self._hop.options.lmtp
        refusal = await smtp.send_content(dot_stuff(raw), self._accepted if lmtp else 1)
        self._in_transaction = False
        if refusal is not None:
            return DataReply(reply=refusal, stage=Stage.END_OF_DATA.value)
        answer = await (self._lmtp_replies() if lmtp else self._end_of_data())
        smtp.content_answered()
        return answer

    async def _end_of_data(self) -> DataReply:
        reply = await self._smtp.answer(Stage.END_OF_DATA, self._timeouts.end_of_data)
        return DataReply(reply=reply, stage=Stage.END_OF_DATA.value)

    async def _lmtp_replies(self) -> DataReply:
        """RFC 2033 §4.2: one reply per accepted recipient; the worst class speaks for all."""
        replies: list[Reply] = []
        while len(replies) < self._accepted:
            try:
                reply = await self._smtp.answer(Stage.END_OF_DATA, self._timeouts.end_of_data)
            except NextHopFailed as failure:
                if not replies:
                    raise
                # Those that were answered are known; only the rest must come again.
                replies += [failure.reply] * (self._accepted - len(replies))
            else:
                replies.append(reply)
        worst = max(replies, key=_severity)
        return DataReply(reply=worst, stage=Stage.END_OF_DATA.value, per_recipient=tuple(replies))

    async def _send_lone_dot(self) -> None:
        """End a DATA that the next hop should not have allowed (RFC 2920 §3.1), and fail."""
        lmtp = self._hop.options.lmtp
        await self._smtp.send_content(b"", 0 if lmtp else 1)
        if not lmtp:
            await self._smtp.answer(Stage.END_OF_DATA, self._timeouts.command)
        self._smtp.content_answered()
        raise failed(Stage.DATA, Cause.MALFORMED, detail=Fault.WRONG_CLASS.value)

    async def reset(self) -> None:
        """End the transaction without a message."""
        if not self._in_transaction:
            return
        self._in_transaction = False
        self._smtp.send(Stage.RSET, b"RSET")
        reply = await self._smtp.answer(Stage.RSET, self._timeouts.rset)
        if not reply.is_positive:
            self._smtp.quit()
            raise refused(Stage.RSET, reply)

    async def close(self) -> None:
        """Give the connection back, out of any transaction; never fails."""
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(NextHopFailed):
            await self.reset()
        self._hop.give_back(self._smtp)
        # Whoever uses a closed session finds a lost connection, never somebody else's.
        self._smtp = SmtpConnection(self._hop.options)


def _looked_at(task: asyncio.Task[None]) -> None:
    """A failure that nobody waits for any more is no news for the event loop's log."""
    if not task.cancelled():
        task.exception()


def _severity(reply: Reply) -> int:
    """Transient before permanent: a recipient that may still get the mail must get it."""
    return 2 if reply.is_transient else int(reply.is_permanent)
