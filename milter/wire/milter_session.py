"""The filter's side of one milter connection: packets in, whole messages out. No IO.

Negotiates protocol version 6, collects envelope, header and body exactly as the MTA gives them, and
says what the MTA shall hear meanwhile. What becomes of a message is the caller's: he gets a
`MilterMessage` and hands in a `Handback`. Stages that nobody judges are left out, and no answer is
owed for those that only collect, where the MTA can do that: but MAIL, so that a message can be let
through at once, and body chunks, so that the rest of a message that is not judged can be skipped.

Macros are optional: without them the queue id is '' and nobody is authenticated.

Standards: protocol version 6 of Sendmail 8.14 and later and Postfix 2.6 and later; field values
have a line feed at each fold and, where negotiated, keep their leading space.
Failure: MilterProtocolError where the MTA is too old, denies what we need, or sends what cannot
come now: the caller closes the connection and the MTA does its default action.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from milter.mail.address import Path, PathError, parse_path
from milter.mail.envelope import Connection, Envelope, Recipient
from milter.mail.handback import Handback
from milter.mail.reply import Reply
from milter.wire.milter_codec import (
    VERSION,
    Action,
    Answer,
    Command,
    MilterProtocolError,
    Options,
    Packet,
    PacketReader,
    Stage,
    Step,
    options_data,
    packet,
    read_options,
    read_strings,
    strings,
)
from milter.wire.milter_edits import modifications

_NEEDED = Action.ADD_FIELDS | Action.CHANGE_FIELDS | Action.CHANGE_BODY | Action.DELETE_RECIPIENTS
_WANTED = Action.QUARANTINE | Action.NAME_MACROS
_LEFT_OUT = Step.NO_DATA | Step.NO_UNKNOWN
# What only collects needs no answer; an answer to each is a wait of the MTA.
_UNANSWERED = {
    Command.CONNECT: Step.CONNECT_UNANSWERED,
    Command.HELO: Step.HELO_UNANSWERED,
    Command.RCPT: Step.RCPT_UNANSWERED,
    Command.HEADER: Step.HEADER_UNANSWERED,
    Command.END_OF_HEADER: Step.END_OF_HEADER_UNANSWERED,
}
_CHOSEN = Step.SKIP | Step.LEADING_SPACE | _LEFT_OUT
# What our scanner takes for one field: a name of printable ASCII, and white space after each fold.
_NAME = re.compile(rb"[!-9;-~]+")
_NOT_ONE_VALUE = re.compile(rb"\n(?![ \t])|\0")
_ROUTE = re.compile(r"[%!@]")
_MACROS = {
    Stage.CONNECT: b"j {daemon_name}",
    Stage.HELO: b"{tls_version}",
    Stage.MAIL: b"i {auth_authen}",
    Stage.RCPT: b"{rcpt_addr}",
    Stage.END_OF_MESSAGE: b"i",
}


class _State(Enum):
    START = auto()
    READY = auto()
    ENVELOPE = auto()
    HEADER = auto()
    BODY = auto()
    JUDGED = auto()


_OPEN = frozenset({_State.READY, _State.ENVELOPE, _State.HEADER, _State.BODY})
_ANY = _OPEN | {_State.JUDGED}
_COLLECTING = frozenset({_State.ENVELOPE, _State.HEADER})
_STAGES_WITHIN: frozenset[bytes] = frozenset(
    {
        Command.RCPT,
        Command.DATA,
        Command.HEADER,
        Command.END_OF_HEADER,
        Command.BODY,
        Command.END_OF_MESSAGE,
    }
)
# When a command may come; a new MAIL or HELO without an ABORT before it begins anew.
_ALLOWED: dict[Command, frozenset[_State]] = {
    Command.NEGOTIATE: frozenset({_State.START}),
    Command.MACROS: _ANY,
    Command.CONNECT: frozenset({_State.READY}),
    Command.HELO: _OPEN,
    Command.MAIL: _OPEN,
    Command.RCPT: frozenset({_State.ENVELOPE}),
    Command.DATA: frozenset({_State.ENVELOPE}),
    Command.HEADER: _COLLECTING,
    Command.END_OF_HEADER: _COLLECTING,
    Command.BODY: frozenset({_State.BODY}),
    Command.END_OF_MESSAGE: _COLLECTING | {_State.BODY},
    Command.UNKNOWN: _OPEN,
    Command.ABORT: _ANY,
    Command.NEW_CONNECTION: _ANY,
    Command.QUIT: _ANY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MilterMessage:
    """A message at its end, for which the MTA waits.

    `raw` has CRLF line ends as far as the MTA gave them. `fields_agree` is False where our scanner
    sees other fields in the header than the MTA named: then fields cannot be counted off to it.
    `unkept` says why the octets were not kept (the word that `may_keep` gave), then `raw` is b"".
    """

    connection: Connection
    envelope: Envelope
    raw: bytes
    queue_id: str = ""
    fields_agree: bool = True
    unkept: str = ""


class Ended(Enum):
    """What else a caller hears: a message or a connection is over."""

    CONNECTED = auto()
    ABORTED = auto()
    DISCONNECTED = auto()
    QUIT = auto()


Event = MilterMessage | Ended


class MilterSession:
    """One connection of an MTA.

    `may_keep` is told how many octets of a message there are now (0: one is over) and gives '' or a
    word why they are not to be kept. `pass_authenticated`: mail of clients that logged in is not
    looked at.
    """

    def __init__(
        self, *, name: str, may_keep: Callable[[int], str], pass_authenticated: bool = True
    ) -> None:
        self._may_keep = may_keep
        self._pass_authenticated = pass_authenticated
        self._reader = PacketReader()
        self._output = bytearray()
        self._state = _State.START
        self._steps = Step(0)
        self._listener = name
        self._macros: dict[bytes, dict[bytes, bytes]] = {}
        self.connection = Connection(client_ip="", listener=name)
        self._new_message()

    def receive(self, octets: bytes) -> Iterator[Event]:
        """Take octets of the MTA; send `take_output` after each. Raises MilterProtocolError."""
        for one in self._reader.feed(octets):
            event = self._command(one)
            if event is not None:
                yield event

    def take_output(self) -> bytes:
        """What the MTA shall get now."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def progress(self) -> None:
        """Say that the judgement goes on; the MTA's timer begins anew."""
        if self._state is _State.JUDGED:
            self._output += packet(Answer.PROGRESS)

    def hand_back(self, handback: Handback) -> None:
        """Answer the message that `receive` gave last."""
        if self._state is not _State.JUDGED:
            raise MilterProtocolError("no message waits for an answer")
        keeps_space = Step.LEADING_SPACE in self._steps
        for one in modifications(handback, self._words, keeps_space=keeps_space):
            self._output += one
        if not handback.reply.is_positive:
            self._output += packet(Answer.REPLY, strings(_reply_text(handback.reply)))
        else:
            self._output += packet(Answer.DISCARD if handback.discard else Answer.ACCEPT)
        self._end_message()

    def _command(self, one: Packet) -> Event | None:
        try:
            command = Command(one.letter)
        except ValueError:
            raise MilterProtocolError(f"unknown command {one.letter!r}") from None
        if self._state not in _ALLOWED[command]:
            where = self._state.name.lower()
            raise MilterProtocolError(f"{command.name.lower()} cannot come now ({where})")
        return _HANDLERS[command](self, one.data)

    def _negotiate(self, data: bytes) -> None:
        offered = read_options(data)
        if offered.version < VERSION:
            raise MilterProtocolError(
                f"the MTA speaks milter version {offered.version}, {VERSION} is needed "
                "(Postfix: milter_protocol = 6)"
            )
        denied = _NEEDED & ~Action(offered.actions)
        if denied:
            raise MilterProtocolError(f"the MTA does not allow {denied!r}")
        actions = _NEEDED | (_WANTED & Action(offered.actions))
        steps = _CHOSEN
        for step in _UNANSWERED.values():
            steps |= step
        self._steps = steps & Step(offered.steps)
        macros = _MACROS if Action.NAME_MACROS in actions else None
        chosen = Options(VERSION, int(actions), int(self._steps))
        self._output += packet(Answer.NEGOTIATE, options_data(chosen, macros))
        self._state = _State.READY

    def _set_macros(self, data: bytes) -> None:
        pairs = read_strings(data[1:])
        names = (name.strip(b"{}") for name in pairs[::2])
        self._macros.pop(data[:1], None)
        self._macros[data[:1]] = dict(zip(names, pairs[1::2], strict=False))

    def _macro(self, name: bytes) -> str:
        """The newest value of a macro, whichever stage gave it."""
        values = (stage[name] for stage in reversed(self._macros.values()) if name in stage)
        return next(values, b"").decode("utf-8", "replace")

    def _connect(self, data: bytes) -> Event:
        name, _, rest = data.partition(b"\0")
        family, port, address = rest[:1], rest[1:3], rest[3:].rstrip(b"\0")
        is_inet = family in (b"4", b"6")
        ip = address.decode("ascii", "replace") if is_inet else ""
        self.connection = Connection(
            client_ip=ip.lower().removeprefix("ipv6:"),
            client_name=name.decode("ascii", "replace") or "unknown",
            client_port=int.from_bytes(port) if is_inet else 0,
            listener=self._listener,
        )
        self._continue(Command.CONNECT)
        return Ended.CONNECTED

    def _helo(self, data: bytes) -> None:
        helo = data.rstrip(b"\0").decode("utf-8", "replace")
        self.connection = replace(self.connection, helo=helo)
        self._end_message()
        self._continue(Command.HELO)

    def _mail(self, data: bytes) -> None:
        self._new_message()
        address, *parameters = read_strings(data) or [b"<>"]
        self._envelope = Envelope(
            reverse_path=_path(address),
            mail_parameters=tuple(parameters),
            smtputf8=any(one.upper() == b"SMTPUTF8" for one in parameters),
        )
        self.connection = replace(
            self.connection,
            tls=bool(self._macro(b"tls_version")),
            auth_user=self._macro(b"auth_authen"),
        )
        self._state = _State.ENVELOPE
        if self.connection.auth_user and self._pass_authenticated:
            self._output += packet(Answer.ACCEPT)
            self._state = _State.READY
        else:
            self._continue(Command.MAIL)

    def _rcpt(self, data: bytes) -> None:
        address, *parameters = read_strings(data) or [b""]
        path = _path(address)
        words = [address]
        # The mailbox that the MTA has made of the client's words: from a source route or a phrase
        # Postfix takes it, and finds the recipient by no other. Where the words hide a route it is
        # whom the mail is for: the sender is not to choose whose policy counts.
        if known := self._macros.pop(b"R", {}).get(b"rcpt_addr", b""):
            words.append(b"<" + known + b">")
            taken_for, named = _path(known), path.mailbox
            if named is None or (taken_for.mailbox and _ROUTE.search(named.local_part)):
                path = taken_for
        recipient = Recipient(path=path, parameters=tuple(parameters))
        self._recipients.append(recipient)
        self._words.setdefault(recipient, []).extend(words)
        self._continue(Command.RCPT)

    def _header(self, data: bytes) -> None:
        name, _, value = data.partition(b"\0")
        value = value.removesuffix(b"\0").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        separator = b":" if Step.LEADING_SPACE in self._steps else b": "
        # Each is judged alone, for any number of them: our scanner lists no more than it needs.
        if not _NAME.fullmatch(name) or _NOT_ONE_VALUE.search(value):
            self._fields_agree = False
        self._keep(name + separator + value + b"\r\n")
        self._state = _State.HEADER
        self._continue(Command.HEADER)

    def _end_of_header(self, _data: bytes) -> None:
        self._keep(b"\r\n")
        self._state = _State.BODY
        self._continue(Command.END_OF_HEADER)

    def _body(self, data: bytes) -> None:
        self._keep(data)
        if self._unkept and Step.SKIP in self._steps:
            self._output += packet(Answer.SKIP)
        else:
            self._continue(Command.BODY)

    def _end_of_message(self, data: bytes) -> Event | None:
        if self._state is not _State.BODY:
            self._keep(b"\r\n")
        self._keep(data)
        if not self._recipients:
            self._output += packet(Answer.ACCEPT)
            self._end_message()
            return None
        self._state = _State.JUDGED
        raw = bytes(self._raw)
        self._raw.clear()
        return MilterMessage(
            connection=self.connection,
            envelope=self._envelope.for_recipients(tuple(self._recipients)),
            raw=raw,
            queue_id=self._macro(b"i"),
            fields_agree=self._fields_agree,
            unkept=self._unkept,
        )

    def _abort(self, _data: bytes) -> Event:
        self._end_message()
        return Ended.ABORTED

    def _new_connection(self, _data: bytes) -> Event:
        self._end_message()
        self._macros.clear()
        self.connection = Connection(client_ip="", listener=self._listener)
        return Ended.DISCONNECTED

    def _quit(self, _data: bytes) -> Event:
        self._end_message()
        return Ended.QUIT

    def _not_wanted(self, _data: bytes) -> None:
        """Asked to be left out, and sent all the same."""
        self._output += packet(Answer.CONTINUE)

    def _continue(self, command: Command) -> None:
        step = _UNANSWERED.get(command)
        if step is None or step not in self._steps:
            self._output += packet(Answer.CONTINUE)

    def _end_message(self) -> None:
        """Ready for the next; not even macros stay of this one."""
        self._new_message()
        self._macros.pop(Command.MAIL, None)
        self._state = _State.READY

    def _new_message(self) -> None:
        """Nothing is there yet but the macros of MAIL, which come before it."""
        for stage in self._macros.keys() & _STAGES_WITHIN:
            del self._macros[stage]
        self._envelope = Envelope(reverse_path=Path(raw=b""))
        self._recipients: list[Recipient] = []
        self._words: dict[Recipient, list[bytes]] = {}
        self._fields_agree = True
        self._raw = bytearray()
        self._octets = 0
        self._unkept = ""
        self._may_keep(0)

    def _keep(self, piece: bytes) -> None:
        self._octets += len(piece)
        if not self._unkept:
            self._unkept = self._may_keep(self._octets)
        if self._unkept:
            self._raw.clear()
        else:
            self._raw += piece


_HANDLERS: dict[Command, Callable[[MilterSession, bytes], Event | None]] = {
    Command.NEGOTIATE: MilterSession._negotiate,
    Command.MACROS: MilterSession._set_macros,
    Command.CONNECT: MilterSession._connect,
    Command.HELO: MilterSession._helo,
    Command.MAIL: MilterSession._mail,
    Command.RCPT: MilterSession._rcpt,
    Command.DATA: MilterSession._not_wanted,
    Command.HEADER: MilterSession._header,
    Command.END_OF_HEADER: MilterSession._end_of_header,
    Command.BODY: MilterSession._body,
    Command.END_OF_MESSAGE: MilterSession._end_of_message,
    Command.ABORT: MilterSession._abort,
    Command.QUIT: MilterSession._quit,
    Command.NEW_CONNECTION: MilterSession._new_connection,
    Command.UNKNOWN: MilterSession._not_wanted,
}


def _path(argument: bytes) -> Path:
    """The path of MAIL or RCPT; what is none by the grammar keeps its octets and names nobody."""
    bracketed = argument if argument.startswith(b"<") else b"<" + argument + b">"
    try:
        return parse_path(bracketed, smtputf8=True)[0]
    except PathError:
        return Path(raw=argument.removeprefix(b"<").removesuffix(b">"))


def _reply_text(reply: Reply) -> bytes:
    """`550 5.7.1 text`; a percent sign would be a format for the MTA."""
    line = reply.lines[0] if reply.lines else b""
    return b"%d %s" % (reply.code, line.replace(b"%", b"%%"))
