"""Replies: what the next hop said, and what we say.

A `Reply` of ours is built by `own_reply`, which cannot give an enhanced status code of another
class than its code. A reply of the next hop keeps its lines verbatim. Below stands all that the
SMTP front ever says of its own accord: nothing of our insides, no word of the peer's.

Standards: RFC 5321 §4.2 (replies), RFC 2034 and RFC 3463 (enhanced status codes).
"""

import re
from dataclasses import dataclass

_ENHANCED = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")
# RFC 5321 §4.5.3.1.5: 512 octets with the code, the space and CRLF.
_MAX_TEXT = 512 - len("250 ") - len("\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Code and text lines; a line is what follows `250-` or `250 `, enhanced code included."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def enhanced(self) -> str:
        """The enhanced status code of the first line, or an empty string."""
        match = _ENHANCED.match(self.lines[0]) if self.lines else None
        return match.group(0).strip().decode("ascii") if match else ""

    @property
    def is_positive(self) -> bool:
        """2xx or 3xx."""
        return 200 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """4xx: try again later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5xx: do not try again."""
        return self.code >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReply(Reply):
    """A reply of ours, built by `own_reply`: the listener adds the transaction id to it."""


def own_reply(code: int, enhanced: str, text: str) -> OwnReply:
    """A reply of ours, one ASCII line of at most 512 octets on the wire (longer text is cut).

    Raises ValueError where code and enhanced code differ in class.
    """
    if not enhanced.startswith(f"{code // 100}."):
        raise ValueError(f"reply {code} cannot carry enhanced status code {enhanced}")
    return OwnReply(code=code, lines=(f"{enhanced} {text}".encode("ascii")[:_MAX_TEXT],))


def with_transaction_id(reply: OwnReply, transaction_id: str) -> OwnReply:
    """The reply with the id, once, by which the help desk finds the transaction in the mail log."""
    suffix = f" ({transaction_id})".encode("ascii")
    if reply.lines[-1].endswith(suffix):
        return reply
    last = reply.lines[-1][: _MAX_TEXT - len(suffix)] + suffix
    return OwnReply(code=reply.code, lines=(*reply.lines[:-1], last))


# 2xx, 3xx: plain replies of the dialogue.
BYE = own_reply(221, "2.0.0", "Bye")
OK = own_reply(250, "2.0.0", "Ok")
HELP = own_reply(214, "2.0.0", "See RFC 5321")
CANNOT_VERIFY = own_reply(252, "2.5.2", "Cannot verify; send the message to find out")
READY_FOR_TLS = own_reply(220, "2.0.0", "Ready to start TLS")
SEND_DATA = Reply(code=354, lines=(b"End data with <CR><LF>.<CR><LF>",))

# 421: the connection ends here.
TOO_MANY_CONNECTIONS = own_reply(421, "4.7.0", "Too many connections, try again later")
TOO_MANY_ERRORS = own_reply(421, "4.7.0", "Too many errors")
NO_HTTP = own_reply(421, "4.7.0", "This is no web server")
NO_CHUNKING = own_reply(421, "4.7.0", "BDAT was not offered")
TIMED_OUT = own_reply(421, "4.4.2", "Timeout exceeded")
SHUTTING_DOWN = own_reply(421, "4.3.2", "Service is shutting down, try again later")

# Other 4xx: try again later.
NO_ROOM = own_reply(452, "4.3.1", "Insufficient system storage, try again later")
TOO_MANY_RECIPIENTS = own_reply(452, "4.5.3", "Too many recipients")
INTERNAL_ERROR = own_reply(451, "4.3.0", "Temporary failure, try again later")
NEXT_HOP_CLOSING = own_reply(451, "4.3.2", "Destination is not accepting messages now")
TLS_NOT_AVAILABLE = own_reply(454, "4.7.0", "TLS not available")
MESSAGE_TOO_LARGE_NOW = own_reply(452, "4.3.4", "Message exceeds the size limit")
CONTENT_DEFERRED = own_reply(451, "4.6.0", "Message cannot be taken in this form")

# 5xx about the command.
UNKNOWN_COMMAND = own_reply(500, "5.5.2", "Command not recognized")
BAD_LINE_END = own_reply(500, "5.5.2", "A command ends with <CR><LF>")
NUL_IN_COMMAND = own_reply(500, "5.5.2", "NUL is not allowed in a command")
COMMAND_TOO_LONG = own_reply(500, "5.5.2", "Command line too long")
NOT_IMPLEMENTED = own_reply(502, "5.5.1", "Command not implemented")
SYNTAX_ERROR = own_reply(501, "5.5.4", "Syntax error in parameters")
BAD_REVERSE_PATH = own_reply(501, "5.1.7", "Bad sender address syntax")
BAD_FORWARD_PATH = own_reply(501, "5.1.3", "Bad recipient address syntax")
UNSUPPORTED_PARAMETER = own_reply(555, "5.5.4", "Parameter not supported")
NEED_HELO = own_reply(503, "5.5.1", "Send EHLO or HELO first")
NEED_MAIL = own_reply(503, "5.5.1", "Need MAIL command")
NEED_RCPT = own_reply(503, "5.5.1", "No valid recipients")
NESTED_MAIL = own_reply(503, "5.5.1", "MAIL was already given")
WRONG_ORDER = own_reply(503, "5.5.1", "Command not allowed now")

# 5xx about policy and content.
TLS_REQUIRED = own_reply(530, "5.7.0", "Must issue a STARTTLS command first")
NOT_AUTHORIZED = own_reply(550, "5.7.0", "Command not allowed from this address")
RELAY_DENIED = own_reply(550, "5.7.1", "Relaying denied")
UTF8_NOT_ASKED_FOR = own_reply(553, "5.6.7", "Address needs SMTPUTF8")
MESSAGE_TOO_LARGE = own_reply(552, "5.3.4", "Message exceeds the size limit")
BARE_LINE_END = own_reply(550, "5.5.2", "Bare CR or LF in message")
NUL_IN_DOT_LINE = own_reply(550, "5.5.2", "NUL beside a lone dot in message")
LINE_TOO_LONG = own_reply(550, "5.5.2", "Line in message too long")
FORGED_FIELDS = own_reply(554, "5.6.0", "Too many header fields of one kind")
MAIL_LOOP = own_reply(554, "5.4.6", "Too many Received fields, possible mail loop")
