"""The trace field that role mx adds, and the count of those that are there.

Standards: RFC 5321 §4.4 (trace), §6.3 (loops), RFC 3848 and RFC 6531 §3.7.3 (`with` keywords).
"""

import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from milter.mail.envelope import Transaction

# Words of the peer go into the field only where they can break neither its syntax nor its line.
_HOST_WORD = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_FOR_PATH = re.compile(r"[!-;=?-~]{1,320}")


def count_received(raw: bytes) -> int:
    """Received fields in the header of a message."""
    if raw.startswith(b"\r\n"):
        return 0
    end = raw.find(b"\r\n\r\n")
    header = (b"\r\n" + (raw if end < 0 else raw[:end])).lower()
    return header.count(b"\r\nreceived:")


def received_field(transaction: Transaction, hostname: str) -> bytes:
    """The field with its line end; `for` only where there is one recipient (RFC 5321 §7.2)."""
    connection, envelope = transaction.connection, transaction.envelope
    helo = _word(connection.helo) or "unknown"
    name = _word(connection.client_name) or "unknown"
    lines = [
        f"Received: from {helo} ({name} [{_literal(connection.client_ip)}])",
        f"\tby {hostname} with {_with(transaction)} id {transaction.transaction_id}",
    ]
    if len(envelope.recipients) == 1:
        path = envelope.recipients[0].path.raw.decode("ascii", "replace")
        if _FOR_PATH.fullmatch(path):
            lines.append(f"\tfor <{path}>")
    lines[-1] += ";"
    lines.append(f"\t{_date(transaction.received_at.replace(microsecond=0))}")
    return "\r\n".join([*lines, ""]).encode("ascii")


def _with(transaction: Transaction) -> str:
    connection = transaction.connection
    base = connection.protocol if connection.protocol in ("SMTP", "ESMTP") else "ESMTP"
    if transaction.envelope.smtputf8:
        base = "UTF8SMTP"
    return base + ("S" if connection.tls and base != "SMTP" else "")


def _word(text: str) -> str:
    return text if _HOST_WORD.fullmatch(text) else ""


# Many mails come in one second, and many from one client.
@lru_cache(maxsize=64)
def _date(second: datetime) -> str:
    return format_datetime(second)


@lru_cache(maxsize=1_024)
def _literal(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return f"IPv6:{parsed}" if isinstance(parsed, IPv6Address) else str(parsed)
