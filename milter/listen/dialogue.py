"""The SMTP dialogue with one peer: commands in, replies out. No sockets, no timers.

Each handler reads downward like a checklist, returns the reply that lets the dialogue go on, and
raises `Refused` for every other reply of our own. MAIL and RCPT are relayed live: the next hop's
reply is ours. The session (`smtp_proxy`) brings lines and content, writes, counts and hangs up.

Standards: RFC 5321 §4.1, §4.5.1 (postmaster), RFC 3207 (STARTTLS), RFC 2920; Postfix XCLIENT and
XFORWARD.
Failure: a fault of ours or of the next hop is 4xx; an exception is the session's to answer (451).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from milter.listen import esmtp
from milter.listen.admission import Reservation
from milter.listen.command_syntax import (
    path_argument,
    require_ascii,
    require_no_argument,
    require_supported,
    split_command,
)
from milter.listen.esmtp import Parameters, verbatim
from milter.listen.extensions import (
    XCLIENT_ATTRIBUTES,
    XFORWARD_ATTRIBUTES,
    described,
    forwarded,
    parse_attributes,
)
from milter.listen.front import Front, close_session, passed_on
from milter.listen.peers import listed
from milter.listen.received import count_received, received_field
from milter.listen.refusal import RefusalReason, Refused, content_refusal
from milter.mail import reply as replies
from milter.mail.address import Path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.reply import OwnReply, Reply
from milter.ports import NextHopFailed, NextHopSession
from milter.wire.smtp_text import Content, ContentProblem

_HTTP_VERBS = frozenset(
    {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"}
)
# Routing that a sender asks for (`a%b@ours`, `b!a@ours`, `"a@b"@ours`): an inner server that trusts
# us would relay it, and we would be the open relay.
_SENDER_ROUTED = re.compile(r'[%!]|"[^"]*@')


class Expect(Enum):
    """What must come from the peer next."""

    COMMAND = "command"
    CONTENT = "content"
    TLS = "tls"
    NOTHING = "nothing"


@dataclass(slots=True, kw_only=True)
class _Opened:
    """The transaction from MAIL to its end of data."""

    transaction_id: str
    connection: Connection
    session: NextHopSession
    envelope: Envelope
    declared_bytes: int
    reservation: Reservation
    recipients: list[Recipient] = field(default_factory=list)
    refused_recipients: int = 0


class Dialogue:
    """State of one connection between commands."""

    def __init__(self, front: Front, connection: Connection, peer_gone: Callable[[], bool]) -> None:
        self._front = front
        self._peer_gone = peer_gone
        self._options = front.options
        self._connection = connection
        # Lists of networks apply to who really connected, whatever XCLIENT says later.
        self._peer_ip = connection.client_ip
        self._greeted = False
        self._announced: Mapping[str, str] = {}
        self._stated: frozenset[str] = frozenset()
        self._xforward: dict[str, str] = {}
        self._opened: _Opened | None = None
        self._mail_refused = False
        self.transaction_id = ""
        self.expects = Expect.COMMAND

    @property
    def connection(self) -> Connection:
        """The peer, or the client that a listed peer speaks for."""
        if self._xforward:
            return forwarded(self._connection, self._xforward)
        return self._connection

    @property
    def in_transaction(self) -> bool:
        """True from an accepted MAIL to the end of data."""
        return self._opened is not None

    def greeting(self) -> Reply:
        """The 220 line."""
        text = f"{self._options.hostname} {self._options.greeting}"
        return OwnReply(code=220, lines=(text.encode("ascii"),))

    async def command(self, line: bytes) -> Reply:
        """The reply to one command line, its LF included; raises Refused."""
        self.expects = Expect.COMMAND
        if self._opened is None:
            self.transaction_id = ""
        verb, argument = split_command(line)
        if verb in _HTTP_VERBS:
            raise Refused(replies.NO_HTTP, RefusalReason.HTTP)
        handler = _HANDLERS.get(verb)
        if handler is None:
            raise Refused(replies.UNKNOWN_COMMAND, RefusalReason.UNKNOWN_COMMAND)
        try:
            return await handler(self, argument)
        except NextHopFailed as failure:
            raise Refused(passed_on(failure.reply), RefusalReason.NEXT_HOP_FAILED) from failure

    async def abandon(self) -> None:
        """End the transaction, if any, without a message."""
        opened, self._opened = self._opened, None
        self._xforward = {}
        self._mail_refused = False
        if opened is not None:
            opened.reservation.release()
            await close_session(opened.session)

    async def tls_started(self) -> None:
        """RFC 3207 §4.2: all that the peer said in the clear is forgotten."""
        await self.abandon()
        self._greeted = False
        self._announced = {}
        self._connection = replace(self._connection, tls=True, helo="")
        self.expects = Expect.COMMAND

    def reserve(self, octets: int) -> bool:
        """Room for so much of the content that is coming in; False if there is none."""
        return self._opened is None or self._opened.reservation.grow_to(octets)

    async def complete(self, content: Content) -> Reply:
        """The reply to the message; from here on the transaction has a task of its own."""
        opened, self._opened = self._opened, None
        self.expects = Expect.COMMAND
        self._xforward = {}
        assert opened is not None
        try:
            transaction = self._transaction(opened, content)
        except BaseException:
            opened.reservation.release()
            await close_session(opened.session)
            raise
        self._front.observer.data_received(transaction)
        return await self._front.deliver(
            transaction, opened.session, opened.reservation, self._peer_gone
        )

    def _transaction(self, opened: _Opened, content: Content) -> Transaction:
        options = self._options
        if content.problem is not None:
            raise content_refusal(content.problem, may_reject=options.may_reject)
        # The one 5xx of our own in every role: a loop ends only if somebody ends it.
        if count_received(content.raw) > options.max_received_fields:
            raise Refused(replies.MAIL_LOOP, RefusalReason.MAIL_LOOP)
        transaction = Transaction(
            transaction_id=opened.transaction_id,
            role=options.role,
            received_at=self._front.clock.now(),
            connection=opened.connection,
            envelope=opened.envelope.for_recipients(tuple(opened.recipients)),
            raw=content.raw,
        )
        if options.role == "mx":
            raw = received_field(transaction, options.hostname) + content.raw
            transaction = replace(transaction, raw=raw)
        return transaction

    async def _ehlo(self, argument: bytes) -> Reply:
        self._hello(argument, "ESMTP")
        await self.abandon()
        try:
            next_hop: Mapping[str, str] = await self._front.gateway.keywords()
        except NextHopFailed:
            next_hop = esmtp.UNKNOWN_NEXT_HOP
        options = self._options
        self._announced = esmtp.announced(next_hop, options.max_message_bytes)
        words = dict(self._announced)
        if options.tls_context is not None and not self._connection.tls:
            words["STARTTLS"] = ""
        # Some clients act on any XCLIENT they see, so only listed peers see it.
        if listed(self._peer_ip, options.xclient_from):
            words["XCLIENT"] = " ".join(XCLIENT_ATTRIBUTES)
        if listed(self._peer_ip, options.xforward_from):
            words["XFORWARD"] = " ".join(XFORWARD_ATTRIBUTES)
        lines = [options.hostname, *(f"{word} {value}".rstrip() for word, value in words.items())]
        return Reply(code=250, lines=tuple(line.encode("ascii") for line in lines))

    async def _helo(self, argument: bytes) -> Reply:
        self._hello(argument, "SMTP")
        await self.abandon()
        self._announced = {}
        return Reply(code=250, lines=(self._options.hostname.encode("ascii"),))

    def _hello(self, argument: bytes, protocol: str) -> None:
        helo = argument.decode("utf-8", "replace")
        if not helo or not helo.isprintable():
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX)
        # What XCLIENT stated of the client outlives the EHLO of the peer that stated it.
        if "HELO" not in self._stated:
            self._connection = replace(self._connection, helo=helo)
        if "PROTO" not in self._stated:
            self._connection = replace(self._connection, protocol=protocol)
        self._greeted = True

    async def _mail(self, argument: bytes) -> Reply:
        self._require_greeted()
        if self._opened is not None:
            raise Refused(replies.NESTED_MAIL, RefusalReason.ORDER)
        self._mail_refused = True
        path, rest = path_argument(argument, b"FROM:", replies.BAD_REVERSE_PATH)
        if path.mailbox is None and not path.is_null:
            raise Refused(replies.BAD_REVERSE_PATH, RefusalReason.SYNTAX)
        parameters = self._parameters(rest, esmtp.MAIL_PARAMETERS)
        smtputf8 = "SMTPUTF8" in parameters
        require_ascii(path, smtputf8)
        declared_bytes = self._declared_bytes(parameters)
        connection = self.connection
        session = await self._front.gateway.open(connection)
        try:
            require_supported(parameters, esmtp.MAIL_PARAMETERS, session.keywords)
            as_given = verbatim(parameters)
            reply = passed_on(await session.mail(path, as_given))
        except BaseException:
            await close_session(session)
            raise
        if not reply.is_positive:
            await close_session(session)
            return reply
        self._mail_refused = False
        self.transaction_id = self._front.new_id()
        self._opened = _Opened(
            transaction_id=self.transaction_id,
            connection=connection,
            session=session,
            envelope=Envelope(reverse_path=path, mail_parameters=as_given, smtputf8=smtputf8),
            declared_bytes=declared_bytes,
            reservation=self._front.admission.reservation(),
        )
        return reply

    async def _rcpt(self, argument: bytes) -> Reply:
        opened = self._require_opened()
        path, rest = path_argument(argument, b"TO:", replies.BAD_FORWARD_PATH)
        if path.is_null:
            raise Refused(replies.BAD_FORWARD_PATH, RefusalReason.SYNTAX)
        parameters = self._parameters(rest, esmtp.RCPT_PARAMETERS)
        require_ascii(path, opened.envelope.smtputf8)
        if not self._may_relay_to(path):
            raise Refused(replies.RELAY_DENIED, RefusalReason.RELAY)
        if len(opened.recipients) >= self._options.max_recipients:
            raise Refused(replies.TOO_MANY_RECIPIENTS, RefusalReason.RECIPIENTS)
        require_supported(parameters, esmtp.RCPT_PARAMETERS, opened.session.keywords)
        recipient = Recipient(path=path, parameters=verbatim(parameters))
        opened.refused_recipients += 1
        reply = passed_on(await opened.session.rcpt(recipient))
        if reply.is_positive:
            opened.refused_recipients -= 1
            opened.recipients.append(recipient)
        return reply

    def _may_relay_to(self, path: Path) -> bool:
        """Design rule 5: never an open relay, whichever way the mail goes."""
        match self._options.role:
            case "mx":
                return self._is_ours(path)
            case "outbound":
                return listed(self._peer_ip, self._options.allow_from)
            case _:
                return True

    def _is_ours(self, path: Path) -> bool:
        if path.mailbox is None:
            return True  # RFC 5321 §4.5.1: Postmaster is always ours.
        sender_routed = path.raw.startswith(b"@") or _SENDER_ROUTED.search(path.mailbox.local_part)
        return path.mailbox.domain in self._options.domains and not sender_routed

    async def _data(self, argument: bytes) -> Reply:
        opened = self._require_opened()
        require_no_argument(argument)
        if not opened.recipients:
            refused = RefusalReason.AFTER_REFUSAL if opened.refused_recipients else None
            raise Refused(replies.NEED_RCPT, refused or RefusalReason.ORDER)
        if not opened.reservation.grow_to(max(opened.declared_bytes, 1)):
            raise Refused(replies.NO_ROOM, RefusalReason.NO_ROOM)
        self.expects = Expect.CONTENT
        return replies.SEND_DATA

    async def _rset(self, argument: bytes) -> Reply:
        require_no_argument(argument)
        await self.abandon()
        return replies.OK

    async def _noop(self, argument: bytes) -> Reply:
        return replies.OK

    async def _help(self, argument: bytes) -> Reply:
        return replies.HELP

    async def _vrfy(self, argument: bytes) -> Reply:
        if not argument:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX)
        return replies.CANNOT_VERIFY

    async def _not_implemented(self, argument: bytes) -> Reply:
        raise Refused(replies.NOT_IMPLEMENTED, RefusalReason.UNKNOWN_COMMAND)

    async def _bdat(self, argument: bytes) -> Reply:
        # What follows is content, and a peer that ignores our EHLO must not have it read as
        # commands: the connection ends here.
        raise Refused(replies.NO_CHUNKING, RefusalReason.BDAT)

    async def _quit(self, argument: bytes) -> Reply:
        require_no_argument(argument)
        await self.abandon()
        self.expects = Expect.NOTHING
        return replies.BYE

    async def _starttls(self, argument: bytes) -> Reply:
        require_no_argument(argument)
        if self._options.tls_context is None:
            raise Refused(replies.NOT_IMPLEMENTED, RefusalReason.UNKNOWN_COMMAND)
        if self._connection.tls:
            raise Refused(replies.WRONG_ORDER, RefusalReason.ORDER)
        self.expects = Expect.TLS
        return replies.READY_FOR_TLS

    async def _xclient(self, argument: bytes) -> Reply:
        if not listed(self._peer_ip, self._options.xclient_from):
            raise Refused(replies.NOT_AUTHORIZED, RefusalReason.EXTENSION_PEER)
        if self._opened is not None:
            raise Refused(replies.WRONG_ORDER, RefusalReason.ORDER)
        try:
            attributes = parse_attributes(argument, XCLIENT_ATTRIBUTES)
            self._connection = described(self._connection, attributes)
        except ValueError:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX) from None
        # The session starts anew with a 220, as if the client itself had just connected.
        self._stated = self._stated.union(attributes)
        self._xforward = {}
        self._greeted = False
        return self.greeting()

    async def _xforward_command(self, argument: bytes) -> Reply:
        if not listed(self._peer_ip, self._options.xforward_from):
            raise Refused(replies.NOT_AUTHORIZED, RefusalReason.EXTENSION_PEER)
        if self._opened is not None:
            raise Refused(replies.WRONG_ORDER, RefusalReason.ORDER)
        try:
            attributes = parse_attributes(argument, XFORWARD_ATTRIBUTES)
            described(self._connection, attributes)
        except ValueError:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX) from None
        self._xforward.update(attributes)
        return replies.OK

    def _require_greeted(self) -> None:
        if self._options.require_tls and not self._connection.tls:
            raise Refused(replies.TLS_REQUIRED, RefusalReason.TLS_REQUIRED)
        if not self._greeted:
            raise Refused(replies.NEED_HELO, RefusalReason.ORDER)

    def _require_opened(self) -> _Opened:
        self._require_greeted()
        if self._opened is None:
            after = RefusalReason.AFTER_REFUSAL if self._mail_refused else RefusalReason.ORDER
            raise Refused(replies.NEED_MAIL, after)
        return self._opened

    def _parameters(self, rest: bytes, known: Mapping[str, str]) -> Parameters:
        try:
            parameters = esmtp.parse_parameters(rest)
        except ValueError:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX) from None
        if any(known.get(keyword) not in self._announced for keyword in parameters):
            raise Refused(replies.UNSUPPORTED_PARAMETER, RefusalReason.PARAMETER)
        body = parameters["BODY"][0].upper() if "BODY" in parameters else b"7BIT"
        if body not in (b"7BIT", b"8BITMIME") or parameters.get("SMTPUTF8", (b"",))[0]:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX)
        return parameters

    def _declared_bytes(self, parameters: Parameters) -> int:
        try:
            declared_bytes = esmtp.declared_size(parameters)
        except ValueError:
            raise Refused(replies.SYNTAX_ERROR, RefusalReason.SYNTAX) from None
        if declared_bytes > self._options.max_message_bytes:
            too_large = ContentProblem.TOO_LARGE
            raise content_refusal(too_large, may_reject=self._options.may_reject)
        return declared_bytes


_HANDLERS: Mapping[bytes, Callable[[Dialogue, bytes], Awaitable[Reply]]] = {
    b"EHLO": Dialogue._ehlo,
    b"HELO": Dialogue._helo,
    b"MAIL": Dialogue._mail,
    b"RCPT": Dialogue._rcpt,
    b"DATA": Dialogue._data,
    b"RSET": Dialogue._rset,
    b"NOOP": Dialogue._noop,
    b"QUIT": Dialogue._quit,
    b"HELP": Dialogue._help,
    b"VRFY": Dialogue._vrfy,
    b"EXPN": Dialogue._not_implemented,
    b"AUTH": Dialogue._not_implemented,
    b"ETRN": Dialogue._not_implemented,
    b"BDAT": Dialogue._bdat,
    b"STARTTLS": Dialogue._starttls,
    b"XCLIENT": Dialogue._xclient,
    b"XFORWARD": Dialogue._xforward_command,
}
