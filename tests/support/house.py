"""A whole gateway in one process, with a memory, a clock and a world that vouches for its senders.

Mail goes through reading, authentication, checks, memory, judgement and policy as in a front; only
sockets and processes are left out. Every sender signs with DKIM and publishes SPF and DMARC, but
for domains that begin with `nobody`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from functools import cache
from itertools import count

import dkim

from milter.adapters.memory import EmptyHistory
from milter.app.from_settings import pipeline_options
from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.demo.senders import signing_key
from milter.examine import examine, verify
from milter.mail.address import parse_path
from milter.mail.dns import Answer, AnswerStatus
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.verdict import Label, Mode
from milter.pipeline import Assessment, Pipeline
from milter.ports import Examined, History
from milter.settings import load_settings
from tests.support.notices import COVERED, Notice

# dkimpy signs with the time of the day: what comes in must not be of its past.
START = datetime(2046, 3, 2, 9, 0, tzinfo=UTC)
US = "r.lefort@example.org"
TAGGED = (Label.LURE, Label.LURE_MALWARE, Label.SCAM)
_CLIENT = "192.0.2.25"
_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
_SETTINGS = """
hostname = "mx.example.org"
domains = ["example.org"]
contact = "security@example.org"
listen = [{ role = "mx", port = 0 }]
next_hop = { host = "localhost" }
"""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A mail of the outside world; `fields` are more header fields, signed if told so."""

    sender: str
    text: str
    name: str = ""
    to: tuple[str, ...] = (US,)
    subject: str = "Hello"
    fields: tuple[tuple[str, str], ...] = ()
    header_to: str = ""
    message_id: str = ""
    signs: bool = True


class WorldClock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def pass_by(self, **spans: float) -> None:
        self.at += timedelta(**spans)


class House:
    """One gateway; several on one `history` and one clock are one house with many doors."""

    _numbers = count(1)

    def __init__(
        self, history: History | None = None, clock: WorldClock | None = None, known: str = ""
    ) -> None:
        self.clock = clock or WorldClock()
        self._pipeline = Pipeline(
            examiner=InProcess(),
            history=history or EmptyHistory(),
            clock=self.clock,
            options=pipeline_options(
                load_settings((_SETTINGS + known).encode(), source="house").settings,
                banner_key=b"k",
                mode=Mode.ENFORCE,
            ),
            authenticator=Authenticator(
                resolver=World(),
                clock=self.clock,
                options=AuthenticationOptions(authserv_id="mx.example.org", verify="always"),
            ),
        )

    async def receive(self, sent: Sent) -> Assessment:
        """What becomes of a mail that comes now."""
        return await self._pipeline.assess(self.transaction(sent))

    async def receive_again(self, transaction: Transaction) -> Assessment:
        """What becomes of a mail as it came, or comes once more."""
        return await self._pipeline.assess(transaction)

    async def receive_notice(
        self, name: str, message: str, *, to: str = US, headline: str = ""
    ) -> Assessment:
        """What becomes of a network's notification that this member has written."""
        return await self._pipeline.assess(self.notice(name, message, to=to, headline=headline))

    def notice(self, name: str, message: str, *, to: str = US, headline: str = "") -> Transaction:
        """The notification as it comes in."""
        notice = Notice(
            sender=name, message=message, to=to, headline=headline, date=self.clock.now()
        )
        raw = self._signed(notice.raw(), "linkedin.com", COVERED.lower().encode().split(b":"))
        return self._arrived(raw, "b@bounce.linkedin.com", (to,))

    def transaction(self, sent: Sent) -> Transaction:
        """The mail as it comes in."""
        return self._arrived(self._raw(sent, next(self._numbers)), sent.sender, sent.to)

    def _arrived(self, raw: bytes, sender: str, to: tuple[str, ...]) -> Transaction:
        number = next(self._numbers)
        paths = [parse_path(f"<{one}>".encode(), smtputf8=True)[0] for one in (sender, *to)]
        return Transaction(
            transaction_id=f"t{number}",
            role="mx",
            received_at=self.clock.now(),
            connection=Connection(client_ip=_CLIENT, helo="out.example.net"),
            envelope=Envelope(
                reverse_path=paths[0], recipients=tuple(Recipient(path=path) for path in paths[1:])
            ),
            raw=raw,
        )

    def _raw(self, sent: Sent, number: int) -> bytes:
        shown = Header(sent.name, "utf-8").encode() + " " if sent.name else ""
        domain = sent.sender.rpartition("@")[2]
        fields = [
            ("From", f"{shown}<{sent.sender}>"),
            ("To", sent.header_to or ", ".join(sent.to)),
            ("Subject", Header(sent.subject, "utf-8").encode()),
            ("Date", f"{self.clock.now():%a, %d %b %Y %H:%M:%S +0000}"),
            ("Message-ID", sent.message_id or f"<{number}@{domain}>"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            *sent.fields,
        ]
        head = "".join(f"{name}: {value}\n" for name, value in fields)
        raw = f"{head}\n{sent.text}\n".encode().replace(b"\n", b"\r\n")
        if domain.startswith("nobody") or not sent.signs:
            return raw
        return self._signed(raw, domain, _SIGNED)

    @staticmethod
    def _signed(raw: bytes, domain: str, fields: list[bytes]) -> bytes:
        field = dkim.sign(raw, b"world", domain.encode(), _key()[0], include_headers=fields)
        return field + raw


class InProcess:
    """The reader's own code, in this process."""

    async def examine(self, raw, facts, deadline):
        return Examined(reading=examine(raw, facts))

    async def verify(self, original, edited, facts, deadline):
        return verify(original, edited, facts)


class World:
    """The DNS: every domain vouches for its mail, but those named nobody."""

    async def ask(self, questions, deadline):
        return {question: _answer(question) for question in questions}


def _answer(question):
    name, kind = question
    if kind != "TXT" or "nobody" in name:
        return Answer(status=AnswerStatus.NO_NAME)
    if name.startswith("_dmarc."):
        text = b"v=DMARC1; p=reject" if name.count(".") == 2 else b""
    elif "._domainkey." in name:
        text = _key()[1].encode() if name.startswith("world.") else b""
    else:
        text = f"v=spf1 ip4:{_CLIENT} -all".encode()
    if not text:
        return Answer(status=AnswerStatus.NO_NAME)
    return Answer(status=AnswerStatus.FOUND, records=(text,))


@cache
def _key() -> tuple[bytes, str]:
    return signing_key(1024)
