"""Why the front said no: a closed list of reasons, and the exception that carries a refusal.

A command handler returns the reply that lets the dialogue go on and raises `Refused` for any other
that is our own; one place writes it, counts it and hangs up where it has to.
"""

from enum import StrEnum

from milter.mail import reply as replies
from milter.mail.reply import Reply
from milter.wire.smtp_text import ContentProblem


class RefusalReason(StrEnum):
    """Closed, so that it can be a metric label."""

    CONNECTIONS = "connections"
    CONNECTIONS_OF_ADDRESS = "connections_of_address"
    CONNECTIONS_OF_NETWORK = "connections_of_network"
    PROXY_HEADER = "proxy_header"
    SHUTTING_DOWN = "shutting_down"
    TIMEOUT = "timeout"
    TOO_MANY_ERRORS = "too_many_errors"
    HTTP = "http"
    BDAT = "bdat"
    COMMAND_LINE = "command_line"
    UNKNOWN_COMMAND = "unknown_command"
    SYNTAX = "syntax"
    ORDER = "order"
    AFTER_REFUSAL = "after_refusal"
    PARAMETER = "parameter"
    EXTENSION_PEER = "extension_peer"
    TLS = "tls"
    TLS_REQUIRED = "tls_required"
    RELAY = "relay"
    RECIPIENTS = "recipients"
    NO_ROOM = "no_room"
    TOO_LARGE = "too_large"
    BARE_LINE_END = "bare_line_end"
    NUL_DOT = "nul_dot"
    LINE_TOO_LONG = "line_too_long"
    MAIL_LOOP = "mail_loop"
    FORGED_FIELDS = "forged_fields"
    NEXT_HOP_FAILED = "next_hop_failed"
    INTERNAL_ERROR = "internal_error"
    MILTER_PROTOCOL = "milter_protocol"


# The peer's own mistakes; everything else says nothing about how the peer behaves. A command that
# was pipelined behind a refused one is no mistake (RFC 2920 §3.1).
ERRORS = frozenset(
    {
        RefusalReason.COMMAND_LINE,
        RefusalReason.UNKNOWN_COMMAND,
        RefusalReason.SYNTAX,
        RefusalReason.ORDER,
        RefusalReason.PARAMETER,
        RefusalReason.EXTENSION_PEER,
        RefusalReason.TLS_REQUIRED,
        RefusalReason.RELAY,
    }
)


class Refused(Exception):
    """A refusal of ours; a 421 closes the connection (RFC 5321 §3.8)."""

    def __init__(self, reply: Reply, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reply = reply
        self.reason = reason

    @property
    def closes(self) -> bool:
        """True where the connection ends with this reply."""
        return self.reply.code == 421


_CONTENT = {
    ContentProblem.DISCARDED: (replies.NO_ROOM, RefusalReason.NO_ROOM),
    ContentProblem.TOO_LARGE: (replies.MESSAGE_TOO_LARGE, RefusalReason.TOO_LARGE),
    ContentProblem.BARE_CR: (replies.BARE_LINE_END, RefusalReason.BARE_LINE_END),
    ContentProblem.BARE_LF: (replies.BARE_LINE_END, RefusalReason.BARE_LINE_END),
    ContentProblem.LINE_TOO_LONG: (replies.LINE_TOO_LONG, RefusalReason.LINE_TOO_LONG),
    ContentProblem.NUL_DOT: (replies.NUL_IN_DOT_LINE, RefusalReason.NUL_DOT),
}


def content_refusal(problem: ContentProblem, *, may_reject: bool) -> Refused:
    """The refusal of a message for its form; 4xx where a 5xx of ours is not allowed (after_queue).

    A mail that was accepted long ago then waits in the queue of the server before us, where its
    operator sees it, and is not bounced by us.
    """
    reply, reason = _CONTENT[problem]
    if reply.is_permanent and not may_reject:
        too_large = reason is RefusalReason.TOO_LARGE
        reply = replies.MESSAGE_TOO_LARGE_NOW if too_large else replies.CONTENT_DEFERRED
    return Refused(reply, reason)
