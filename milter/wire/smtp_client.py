"""The client's side of SMTP and LMTP without I/O: commands to octets, octets to replies.

`SmtpClient` keeps the first-in first-out list of stages that wait for a reply, so that commands may
be pipelined. Rules: each reply answers the oldest open stage; a reply's text is kept verbatim; any
split of the byte stream gives the same answers; after a `Violation` nothing more is believed.
It refuses to build a command that holds CR, LF or NUL. It knows no time, no sockets, no policy:
`relay.connection` drives it, `relay.next_hop` says what a reply means.

Standards: RFC 5321 §4.2 (replies), RFC 2920 (pipelining), RFC 2033 (LMTP), RFC 3461 §4 (xtext);
XFORWARD and XCLIENT as Postfix documents them.
Failure: the peer's faults are `Violation` values; ValueError is a fault of ours.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient
from milter.mail.reply import Reply

# RFC 5321 §4.5.3.1.5 says 512 octets; real servers write more, nobody writes pages.
MAX_LINE_BYTES = 4096
MAX_LINES = 200
# RFC 5321 §4.5.3.1.4: a command line with its CRLF.
_MAX_COMMAND_BYTES = 512

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_UNSAFE_IN_COMMAND = re.compile(rb"[\r\n\x00]")
_NOT_XCHAR = re.compile(rb"[^!-*,-<>-~]")


class Stage(StrEnum):
    """What a reply answers; the names are those of `NextHopFailed.stage`."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    XCLIENT = "xclient"
    XFORWARD = "xforward"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END_OF_DATA = "end_of_data"
    RSET = "rset"
    QUIT = "quit"


class Fault(StrEnum):
    """Why octets of the peer are no reply to what we said."""

    LINE_TOO_LONG = "line_too_long"
    TOO_MANY_LINES = "too_many_lines"
    NO_REPLY_CODE = "no_reply_code"
    CODES_DIFFER = "codes_differ"
    WRONG_CLASS = "wrong_class"
    UNSOLICITED = "unsolicited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A well-formed reply to a stage; a 421 may come at any time, then `stage` is the next one."""

    stage: Stage | None
    reply: Reply

    @property
    def is_closing(self) -> bool:
        """The peer says that it is about to close the connection (RFC 5321 §3.8)."""
        return self.reply.code == 421


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """The peer broke the protocol; the connection is of no further use."""

    stage: Stage | None
    fault: Fault


class SmtpClient:
    """One conversation: tells which octets to send and what the peer's octets answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._code = b""
        self._lines: list[bytes] = []
        self._broken = False
        self._open: deque[Stage] = deque((Stage.GREETING,))

    @property
    def waits(self) -> bool:
        """True while a stage has no reply yet."""
        return bool(self._open)

    @property
    def has_rest(self) -> bool:
        """True if part of a reply is there: before STARTTLS that is an injection (RFC 3207 §6)."""
        return bool(self._buffer or self._lines)

    def expect(self, stage: Stage, count: int = 1) -> None:
        """Announce `count` replies to a stage, in the order in which octets are sent."""
        self._open.extend((stage,) * count)

    def command(self, stage: Stage, line: bytes) -> bytes:
        """The octets of a command; its reply is expected."""
        if _UNSAFE_IN_COMMAND.search(line):
            raise ValueError("a command is one line")
        self._open.append(stage)
        return line + b"\r\n"

    def receive(self, data: bytes) -> list[Answer | Violation]:
        """What the peer's octets complete; they may end anywhere."""
        answers: list[Answer | Violation] = []
        if self._broken:
            return answers
        self._buffer += data
        start = 0
        while not self._broken:
            end = self._buffer.find(b"\n", max(start, self._searched))
            if end < 0:
                break
            answer = self._take_line(bytes(self._buffer[start:end]))
            start = end + 1
            if answer is not None:
                answers.append(answer)
        del self._buffer[:start]
        self._searched = len(self._buffer)
        if not self._broken and self._searched > MAX_LINE_BYTES:
            answers.append(self._violation(Fault.LINE_TOO_LONG))
        return answers

    def _take_line(self, line: bytes) -> Answer | Violation | None:
        if len(line) > MAX_LINE_BYTES:
            return self._violation(Fault.LINE_TOO_LONG)
        match = _REPLY_LINE.fullmatch(line.removesuffix(b"\r"))
        if match is None:
            return self._violation(Fault.NO_REPLY_CODE)
        code, separator, text = match.groups()
        if self._lines and code != self._code:
            return self._violation(Fault.CODES_DIFFER)
        if len(self._lines) == MAX_LINES:
            return self._violation(Fault.TOO_MANY_LINES)
        self._code = code
        self._lines.append(text or b"")
        if separator == b"-":
            return None
        reply = Reply(code=int(code), lines=tuple(self._lines))
        self._lines.clear()
        return self._answer(reply)

    def _answer(self, reply: Reply) -> Answer | Violation:
        if not self._open:
            # RFC 5321 §3.8: a server that shuts down may send 421 unasked; nothing else is.
            if reply.code == 421:
                return Answer(stage=None, reply=reply)
            return self._violation(Fault.UNSOLICITED)
        stage = self._open[0]
        if reply.is_positive and reply.code // 100 != (3 if stage is Stage.DATA else 2):
            return self._violation(Fault.WRONG_CLASS)
        self._open.popleft()
        return Answer(stage=stage, reply=reply)

    def _violation(self, fault: Fault) -> Violation:
        self._broken = True
        return Violation(stage=self._open[0] if self._open else None, fault=fault)


def parse_keywords(reply: Reply) -> dict[str, str]:
    """EHLO keywords in upper case with their parameters; the first line only greets."""
    keywords: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.decode("ascii", "replace").strip().partition(" ")
        if keyword:
            keywords.setdefault(keyword.upper(), parameters.strip())
    return keywords


def mail_line(reverse_path: Path, parameters: Sequence[bytes]) -> bytes:
    """MAIL with path and parameters as the peer wrote them."""
    return b" ".join((b"MAIL FROM:<" + reverse_path.raw + b">", *parameters))


def rcpt_line(recipient: Recipient) -> bytes:
    """RCPT with path and parameters as the peer wrote them."""
    return b" ".join((b"RCPT TO:<" + recipient.path.raw + b">", *recipient.parameters))


def xtext(value: str) -> bytes:
    """RFC 3461 §4 xtext of the UTF-8 octets."""
    return _NOT_XCHAR.sub(lambda found: b"+%02X" % found.group()[0], value.encode("utf-8"))


def xforward_lines(connection: Connection, announced: str) -> list[bytes]:
    """XFORWARD commands with the announced attributes; what a listed peer forwarded wins."""
    attributes = _client_attributes(connection)
    attributes["PROTO"] = connection.protocol
    attributes["SOURCE"] = "REMOTE"
    attributes.update(connection.xforward)
    return _attribute_lines(b"XFORWARD", attributes, announced)


def xclient_lines(connection: Connection, announced: str) -> list[bytes]:
    """XCLIENT commands with the announced attributes."""
    attributes = _client_attributes(connection)
    # XCLIENT knows two protocols only; ESMTPS, UTF8SMTPA and the like are kinds of ESMTP.
    attributes["PROTO"] = "SMTP" if connection.protocol.upper() == "SMTP" else "ESMTP"
    attributes["LOGIN"] = connection.auth_user
    return _attribute_lines(b"XCLIENT", attributes, announced)


def _client_attributes(connection: Connection) -> dict[str, str]:
    address = connection.client_ip
    return {
        "NAME": "" if connection.client_name == "unknown" else connection.client_name,
        "ADDR": f"IPV6:{address}" if ":" in address else address,
        "PORT": str(connection.client_port) if connection.client_port else "",
        "HELO": connection.helo,
    }


def _attribute_lines(verb: bytes, attributes: Mapping[str, str], announced: str) -> list[bytes]:
    lines: list[bytes] = []
    line = verb
    for name in dict.fromkeys(announced.upper().split()):
        if name not in attributes:
            continue
        value = attributes[name]
        # Postfix refuses decoded values of more than 255 characters.
        encoded = xtext(value) if 0 < len(value) <= 255 else b"[UNAVAILABLE]"
        item = b" " + name.encode("ascii", "replace") + b"=" + encoded
        if line != verb and len(line) + len(item) + 2 > _MAX_COMMAND_BYTES:
            lines.append(line)
            line = verb
        line += item
    return [*lines, line] if line != verb else lines
