"""Who speaks to us and what the envelope says: connection, envelope, transaction.

Facts from the peer or the MTA in front of us, never guesses. ESMTP parameters are kept verbatim
(`RET=HDRS`, `ORCPT=rfc822;a+2Bb@example.org`): the next hop sees what the peer wrote.

Standards: RFC 5321 §3.3, RFC 3461 §4 (DSN), RFC 6531 (SMTPUTF8).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from milter.mail.address import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The peer session; client_* may come from XCLIENT, XFORWARD or PROXY of a listed peer.

    `xforward` holds the attributes to pass on to the next hop (name to xtext-decoded value).
    """

    client_ip: str
    client_name: str = "unknown"
    client_port: int = 0
    helo: str = ""
    protocol: str = "ESMTP"
    tls: bool = False
    auth_user: str = ""
    listener: str = ""
    xforward: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One RCPT TO."""

    path: Path
    parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Reverse-path and recipients of one transaction; at least one recipient once DATA begins."""

    reverse_path: Path
    mail_parameters: tuple[bytes, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    smtputf8: bool = False

    def for_recipients(self, recipients: tuple[Recipient, ...]) -> "Envelope":
        """The same envelope for some of its recipients."""
        return replace(self, recipients=recipients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One MAIL up to its end of data: the message as received and all that came with it.

    `raw` has CRLF line ends, no dot-stuffing, no final dot. `role` is mx, before_queue,
    after_queue, milter or file. `queue_id` is the MTA's own name for it, where a milter got one.
    """

    transaction_id: str
    role: str
    received_at: datetime
    connection: Connection
    envelope: Envelope
    raw: bytes
    queue_id: str = ""
