"""The MTA's side of the milter protocol for tests: speaks version 6, obeys the filter, and checks it.

Written from the protocol's documentation, with no code of the front that it tests. `Mta` walks a
filter through a connection over any `Wire`: a socket, or a function for a machine without input and
output. What the filter may not do (an edit before the end of the body, an action that was not
agreed, an answer that nobody waits for, octets that no MTA could use) raises `Broken`.
"""

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.mta_message import Broken, Manner, MtaMessage
from tests.support.mta_wire import (
    ALL_ACTIONS,
    ALL_PROTOCOL,
    CHUNK,
    EDITS,
    FLAGS,
    LEADING_SPACE,
    MACRO_STAGES,
    SET_MACROS,
    SKIP,
    VERDICTS,
    VERSION,
    Wire,
    macro_lists,
    packet,
    reply_text,
    strings,
    texts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message and its envelope as the MTA got them."""

    raw: bytes
    recipients: tuple[bytes, ...]
    reverse_path: bytes = b"sender@example.com"
    mail_parameters: tuple[bytes, ...] = ()
    rcpt_parameters: tuple[bytes, ...] = ()
    queue_id: bytes = b"4RqX1z0Yh9z1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the filter said to a command: the verdict, a reply's text, edits and progress before."""

    verdict: str
    text: bytes = b""
    edits: tuple[tuple[bytes, bytes], ...] = ()
    progress: int = 0

    @property
    def code(self) -> bytes:
        """The reply code that the peer of the MTA gets for it, or b''."""
        return {"reject": b"550", "tempfail": b"451", "reply": self.text[:3]}.get(self.verdict, b"")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a message: `fate` is accept, reject, tempfail, reply or discard."""

    fate: str
    stage: str
    reply: bytes = b""
    refused: dict[bytes, Answer] = field(default_factory=dict)
    reverse_path: bytes = b""
    recipients: tuple[bytes, ...] = ()
    raw: bytes = b""
    held: bytes | None = None
    progress: int = 0
    message: MtaMessage | None = None


_CONTINUE = Answer(verdict="continue")


@dataclass
class Mta:
    """One connection to a filter. `split` cuts what is sent into pieces of that many octets."""

    wire: Wire
    version: int = VERSION
    actions: int = ALL_ACTIONS
    protocol: int = ALL_PROTOCOL
    split: int = 0
    own: tuple[bytes, ...] = ()
    manner: Manner = "postfix"
    macros: dict[str, bytes] = field(
        default_factory=lambda: {"j": b"mta.example.org", "{daemon_name}": b"mta"}
    )
    send_macros: bool = True
    chunk: int = CHUNK
    agreed_version: int = 0
    agreed_actions: int = 0
    agreed: int = 0
    asked_macros: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _buffer: bytearray = field(default_factory=bytearray)

    # Octets.

    def raw(self, octets: bytes) -> None:
        """Send octets as they are, in pieces if so wished."""
        step = self.split or max(len(octets), 1)
        for start in range(0, len(octets), step):
            self.wire.send(octets[start : start + step])

    def receive(self) -> tuple[bytes, bytes]:
        """The next packet of the filter; ConnectionError if it hung up."""
        while True:
            if len(self._buffer) >= 4:
                (length,) = struct.unpack_from(">I", self._buffer)
                if not 1 <= length <= CHUNK + 1:
                    raise Broken(f"a packet of {length} octets")
                if len(self._buffer) >= 4 + length:
                    whole = bytes(self._buffer[4 : 4 + length])
                    del self._buffer[: 4 + length]
                    return whole[:1], whole[1:]
            octets = self.wire.receive()
            if not octets:
                raise ConnectionError("the filter hung up")
            self._buffer += octets

    def nothing_waits(self) -> None:
        """Assert that the filter said no more than it was asked (in what has arrived)."""
        if self._buffer:
            raise Broken(f"octets that nobody waits for: {bytes(self._buffer[:40])!r}")

    # Negotiation and macros.

    def negotiate(self) -> None:
        """Offer; keep what the filter took, which may be no more than the offer."""
        self.raw(packet(b"O", struct.pack(">III", self.version, self.actions, self.protocol)))
        command, data = self.receive()
        if command != b"O" or len(data) < 12:
            raise Broken(f"no answer to the offer: {command!r} {data!r}")
        self.agreed_version, self.agreed_actions, self.agreed = struct.unpack_from(">III", data)
        if self.agreed_version > self.version:
            raise Broken(f"version {self.agreed_version} was not offered")
        if self.agreed_actions & ~self.actions or self.agreed & ~self.protocol:
            raise Broken(f"taken but not offered: {self.agreed_actions:x} {self.agreed:x}")
        self.asked_macros = macro_lists(data[12:])
        if self.asked_macros and not self.agreed_actions & SET_MACROS:
            raise Broken("macros asked for without the right to")

    def define(self, command: bytes, **more: bytes) -> None:
        """Macros of a command: all that we know, or those of them that were asked for."""
        if not self.send_macros:
            return
        known = {**self.macros, **{_macro_name(key): value for key, value in more.items()}}
        asked = self.asked_macros.get(MACRO_STAGES[command])
        if asked is not None:
            known = {name: value for name, value in known.items() if _in(name, asked)}
        items = b"".join(name.encode() + b"\0" + value + b"\0" for name, value in known.items())
        self.raw(packet(b"D", command + items))

    # Commands.

    def command(self, command: bytes, data: bytes = b"") -> Answer:
        """Send a command if the filter wants it, and give its answer if it owes one."""
        left_out, unanswered = FLAGS[command]
        if self.agreed & left_out:
            return _CONTINUE
        self.raw(packet(command, data))
        if self.agreed & unanswered:
            return _CONTINUE
        return self.answer(command)

    def answer(self, command: bytes) -> Answer:
        """Read to the end of an answer."""
        edits, progress = [], 0
        while True:
            kind, data = self.receive()
            if kind == b"p":
                progress += 1
            elif kind in EDITS:
                self._check_edit(command, kind)
                edits.append((kind, data))
            elif kind in VERDICTS:
                text = reply_text(data) if kind == b"y" else b""
                if kind == b"s" and (command != b"B" or not self.agreed & SKIP):
                    raise Broken("skip where it is not allowed")
                return Answer(
                    verdict=VERDICTS[kind], text=text, edits=tuple(edits), progress=progress
                )
            else:
                raise Broken(f"unknown answer {kind!r} {data[:40]!r}")

    def _check_edit(self, command: bytes, kind: bytes) -> None:
        if command != b"E":
            raise Broken(f"edit {kind!r} before the end of the body")
        if not self.agreed_actions & EDITS[kind]:
            raise Broken(f"edit {kind!r} that was not agreed")

    def connect(
        self, name: bytes = b"client.example.com", address: bytes = b"192.0.2.7",
        port: int = 40000, family: bytes = b"4",
    ) -> Answer:  # fmt: skip
        """Families: 4, 6 (Sendmail writes IPv6: before the address), L (a path), U (nothing)."""
        self.define(b"C")
        where = b"" if family == b"U" else struct.pack(">H", port) + address + b"\0"
        return self.command(b"C", name + b"\0" + family + where)

    def helo(self, name: bytes = b"client.example.com") -> Answer:
        self.define(b"H")
        return self.command(b"H", name + b"\0")

    def mail(self, reverse_path: bytes, *parameters: bytes, **macros: bytes) -> Answer:
        self.define(b"M", mail_addr=reverse_path, **macros)
        return self.command(b"M", strings(b"<" + reverse_path + b">", *parameters))

    def rcpt(self, recipient: bytes, *parameters: bytes) -> Answer:
        self.define(b"R", rcpt_addr=resolved(recipient))
        return self.command(b"R", strings(b"<" + recipient + b">", *parameters))

    def abort(self) -> None:
        """The transaction is over, the connection is not."""
        self.raw(packet(b"A"))

    def quit(self) -> None:
        self.raw(packet(b"Q"))
        self.wire.close()

    def next_connection(self) -> None:
        """The SMTP connection is over; the filter gets the next one on this wire (version 6)."""
        self.raw(packet(b"K"))

    def start(self) -> "Mta":
        """Negotiate, connect and say hello, all of which must go on."""
        self.negotiate()
        assert self.connect().verdict == "continue"
        assert self.helo().verdict == "continue"
        return self

    # A whole message.

    def deliver(self, mail: Mail) -> Outcome:
        """One transaction, as an MTA does it: what becomes of the message."""
        outcome = self._transaction(mail)
        self.nothing_waits()
        return outcome

    def _transaction(self, mail: Mail) -> Outcome:
        answer = self.mail(mail.reverse_path, *mail.mail_parameters)
        if answer.verdict != "continue":
            return self._over(answer, "mail", mail, mail.recipients)
        taken, refused = [], {}
        for recipient in mail.recipients:
            answer = self.rcpt(recipient, *mail.rcpt_parameters)
            if answer.code:
                refused[recipient] = answer
            elif answer.verdict != "continue":
                return self._over(answer, "rcpt", mail, mail.recipients, refused)
            else:
                taken.append(recipient)
        if not taken:
            self.abort()
            return Outcome(fate="reject", stage="rcpt", refused=refused)
        return self._content(mail, tuple(taken), refused)

    def _content(
        self, mail: Mail, taken: tuple[bytes, ...], refused: dict[bytes, Answer]
    ) -> Outcome:
        message = MtaMessage.of(
            mail.raw, own=self.own, leading_space=bool(self.agreed & LEADING_SPACE),
            manner=self.manner,
        )  # fmt: skip
        steps: list[tuple[str, Callable[[], Answer]]] = [("data", lambda: self._data(mail))]
        for one in list(message.fields):
            value = message.shown(one.rest)
            steps.append(("header", lambda n=one.name, v=value: self.command(b"L", strings(n, v))))  # type: ignore[misc]
        steps.append(("end_of_headers", lambda: self._end_of_headers(mail)))
        steps.append(("body", lambda: self._body(message.body)))
        for stage, step in steps:
            answer = step()
            if answer.verdict not in ("continue", "skip"):
                return self._over(answer, stage, mail, taken, refused)
        self.define(b"E", i=mail.queue_id)
        answer = self.command(b"E")
        if answer.verdict not in ("continue", "accept"):
            return self._over(answer, "end_of_body", mail, taken, refused)
        return _applied(answer, mail, taken, refused, message)

    def _data(self, mail: Mail) -> Answer:
        self.define(b"T", i=mail.queue_id)
        return self.command(b"T")

    def _end_of_headers(self, mail: Mail) -> Answer:
        self.define(b"N", i=mail.queue_id)
        return self.command(b"N")

    def _body(self, body: bytes) -> Answer:
        answer = _CONTINUE
        for start in range(0, len(body), self.chunk):
            answer = self.command(b"B", body[start : start + self.chunk])
            if answer.verdict != "continue":
                break
        return answer

    def _over(
        self, answer: Answer, stage: str, mail: Mail, taken: Sequence[bytes],
        refused: dict[bytes, Answer] | None = None,
    ) -> Outcome:  # fmt: skip
        """The filter decided; before the end of the body an accepted message goes on unchanged."""
        if stage != "end_of_body" and answer.verdict != "accept":
            self.abort()
        accepted = answer.verdict == "accept"
        return Outcome(
            fate=answer.verdict,
            stage=stage,
            reply=answer.text,
            refused=refused or {},
            reverse_path=mail.reverse_path if accepted else b"",
            recipients=tuple(taken) if accepted else (),
            raw=mail.raw if accepted else b"",
            progress=answer.progress,
        )


def _applied(
    answer: Answer, mail: Mail, taken: tuple[bytes, ...], refused: dict[bytes, Answer],
    message: MtaMessage,
) -> Outcome:  # fmt: skip
    """Do the edits in their order; all chunks of a new body together are the body."""
    outcome = Outcome(
        fate="accept", stage="end_of_body", refused=refused, reverse_path=mail.reverse_path,
        recipients=taken, progress=answer.progress, message=message,
    )  # fmt: skip
    body: list[bytes] = []
    for kind, data in answer.edits:
        if kind == b"b":
            body.append(data)
        elif kind in (b"i", b"m"):
            (number,) = struct.unpack_from(">I", data)
            name, value = texts(data[4:], 2)
            (message.insert if kind == b"i" else message.change)(number, name, value)
        elif kind == b"h":
            message.add(*texts(data, 2))
        elif kind == b"q":
            (outcome.held,) = texts(data, 1)
        else:
            _envelope_edit(outcome, taken, message.manner, kind, data)
    if body:
        message.body = b"".join(body)
        if re.search(rb"(?<!\r)\n", message.body):
            raise Broken("bare LF in a body that was given with CRLF")
    outcome.raw = message.raw()
    if not outcome.recipients:
        # Nobody is left: both MTAs drop the message, and say 250.
        outcome.fate = "discard"
    return outcome


def _envelope_edit(
    outcome: Outcome, taken: tuple[bytes, ...], manner: Manner, kind: bytes, data: bytes
) -> None:
    address, *_ = texts(data, None)
    path = address.strip().removeprefix(b"<").removesuffix(b">")
    if kind == b"e":
        outcome.reverse_path = path
    elif kind == b"-":
        if path not in {*taken, *map(resolved, taken)}:
            raise Broken(f"{path!r} is no recipient that could be deleted")
        # Postfix compares with what it resolved, and resolves no route and no phrase for it.
        wanted = resolved(path) if manner == "sendmail" else path
        outcome.recipients = tuple(one for one in outcome.recipients if resolved(one) != wanted)
    elif path not in outcome.recipients:
        outcome.recipients = (*outcome.recipients, path)


def resolved(recipient: bytes) -> bytes:
    """The mailbox that an MTA delivers to: without source route, and without a phrase before it."""
    if recipient.startswith(b"@"):
        return recipient.partition(b":")[2]
    return recipient.rpartition(b"<")[2].removesuffix(b">")


def _macro_name(key: str) -> str:
    return key if len(key) == 1 else "{" + key + "}"


def _in(name: str, asked: Iterable[str]) -> bool:
    return name.strip("{}") in {one.strip("{}") for one in asked}
