"""What tests of the way to the next hop share."""

from datetime import UTC, datetime

from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient

CONNECTION = Connection(
    client_ip="192.0.2.7", client_name="mail.example.org", helo="mail.example.org"
)
SENDER = Path(raw=b"anna@example.org")


def recipient(name: str) -> Recipient:
    """A recipient of that name at example.net."""
    return Recipient(path=Path(raw=f"{name}@example.net".encode()))


class FixedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_760_000_000 + self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds
