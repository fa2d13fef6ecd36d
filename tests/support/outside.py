"""The outside world of real gateways: domains that sign and publish, and their name server.

Mails bear today's date, because a real gateway has a real clock.
"""

from datetime import UTC, datetime
from email.utils import format_datetime

from tests.support.mails import mail
from tests.support.notices import Notice, signed, zone
from tests.support.zone import DnsServer

_SIGNED = "From:To:Subject:Date:Message-ID"
_NETWORK = ("linkedin.com", "mailb.linkedin.com")
MARA = "mara.quell.consult@gmail.com"
MARA_WROTE = ("Mara Quell", "We collect assessments on clock drift and would value your view.")
FOLLOW_UP = (
    "As I wrote on LinkedIn, I would rather go on by WhatsApp: +44 7700 900123. It is about the "
    "assessments on clock drift."
)


def name_server(*senders: str) -> DnsServer:
    """Vouches for LinkedIn and the domains of these addresses; `with` it."""
    return DnsServer(zone(*_NETWORK, *(one.rpartition("@")[2] for one in senders)))


def notice(name: str, said: str, to: str) -> bytes:
    """LinkedIn's notification that a member of that name has written."""
    now = datetime.now(UTC)
    return signed(Notice(sender=name, message=said, to=to, date=now).raw(), *_NETWORK)


def direct(sender: str, name: str, text: str, to: str, *, number: int = 0) -> bytes:
    """A mail that this person writes to one of our people."""
    domain = sender.rpartition("@")[2]
    now = datetime.now(UTC)
    raw = (
        f"From: {name} <{sender}>\r\nTo: <{to}>\r\nSubject: our talk\r\n"
        f"Date: {format_datetime(now)}\r\n"
        f"Message-ID: <{now:%H%M%S%f}.{number}.{to}>\r\n\r\n{text}\r\n"
    )
    return signed(raw.encode(), domain, names=_SIGNED)


def mixed(name: str) -> bytes:
    """A notification, which leaves a memory, or an ordinary mail, by turns of the number."""
    return notice(*MARA_WROTE, f"{name}@example.org") if is_notice(name) else mail(name)


def is_notice(name: str) -> bool:
    return int(name.rpartition("-")[2]) % 2 == 0


def shared_memory(key: str, *where: str, budget: float) -> str:
    """`[history]` of a gateway that shares a Redis; `where` are lines of `[history.redis]`."""
    told = "\n".join(where)
    return (
        f'[history]\nstore = "redis"\nkey_file = "{key}"\nbudget_seconds = {budget}\n'
        f"[history.redis]\n{told}\n"
    )
