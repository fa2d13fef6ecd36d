"""One table from what went wrong with the next hop to what our peer hears.

Always 4xx: whatever is wrong behind us, the peer keeps the mail (design rules 1, 2 and 4). The
texts tell nothing of our insides; whoever sends the reply adds the transaction id.

Standards: RFC 5321 §4.2, RFC 3463 §3.5 (network and routing status).
Failure: this module only builds `NextHopFailed`.
"""

from enum import StrEnum

from milter.mail.reply import Reply, own_reply
from milter.ports import NextHopFailed
from milter.wire.smtp_client import Stage


class Cause(StrEnum):
    """The closed list of `NextHopFailed.cause`; those marked * mean that somebody must look."""

    UNREACHABLE = "unreachable"
    LOST = "lost"
    TIMEOUT = "timeout"
    CLOSING = "closing"
    BUSY = "busy"
    REFUSED = "refused"  # * a 5xx where no message is at stake
    MALFORMED = "malformed"  # * no SMTP server, or a broken one
    TLS = "tls"  # * not offered, or no trust


_TRY_LATER = "Temporary failure, please try again later"

_REPLIES: dict[Cause, Reply] = {
    Cause.UNREACHABLE: own_reply(451, "4.4.1", _TRY_LATER),
    Cause.LOST: own_reply(451, "4.4.2", _TRY_LATER),
    Cause.TIMEOUT: own_reply(451, "4.4.2", _TRY_LATER),
    Cause.CLOSING: own_reply(451, "4.4.2", _TRY_LATER),
    Cause.BUSY: own_reply(451, "4.4.5", _TRY_LATER),
    Cause.REFUSED: own_reply(451, "4.4.0", _TRY_LATER),
    Cause.MALFORMED: own_reply(451, "4.4.0", _TRY_LATER),
    Cause.TLS: own_reply(451, "4.4.0", _TRY_LATER),
}


def failed(
    stage: Stage, cause: Cause, *, detail: str = "", ambiguous: bool = False
) -> NextHopFailed:
    """The exception for a cause at a stage."""
    return NextHopFailed(
        reply=_REPLIES[cause],
        stage=stage.value,
        cause=cause.value,
        detail=detail,
        ambiguous=ambiguous,
    )


def refused(stage: Stage, reply: Reply) -> NextHopFailed:
    """The exception for a 4xx or 5xx at greeting, EHLO, STARTTLS, XCLIENT or RSET."""
    cause = Cause.REFUSED if reply.is_permanent else Cause.BUSY
    return failed(stage, cause, detail=described(reply))


def described(reply: Reply) -> str:
    """A reply of the next hop on one bounded line, for the operator's log."""
    text = b" / ".join(reply.lines).decode("utf-8", "replace")
    return f"{reply.code} {text}"[:300]
