"""An office whose mail goes through the whole pipeline, on days of the test's choice, and is remembered.

In one process: the reader is called as it is, the store is plain, authentication is what a server
in front says of the sender.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from milter.adapters.history.sealed import SealedHistory
from milter.app.from_settings import pipeline_options
from milter.examine import examine
from milter.mail.address import parse_path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.verdict import Mode, Verdict
from milter.pipeline import Pipeline
from milter.ports import Examined
from milter.settings import load_settings
from tests.support.history_stores import KEY
from tests.support.plain_store import PlainStore

_SETTINGS = (
    b'domains = ["org.test"]\n[[listen]]\nrole = "before_queue"\n[next_hop]\nhost = "127.0.0.1"\n'
)
_MARCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class _Days:
    def __init__(self) -> None:
        self.day = 0.0

    def now(self):
        return _MARCH + timedelta(days=self.day)

    def monotonic(self):
        return 1000.0


class _Reader:
    async def examine(self, raw, facts, deadline):
        return Examined(reading=examine(raw, facts))


class Office:
    """`receive` mails in the order of their days; `history` remembers them."""

    def __init__(self, extra: bytes = b"") -> None:
        self._clock = _Days()
        self.store = PlainStore()
        self.history = SealedHistory(store=self.store, keys=(KEY,), clock=self._clock)
        settings = load_settings(_SETTINGS + extra, source="test").settings
        options = pipeline_options(
            settings, banner_key=b"k", mode=Mode.ENFORCE, trusted=("edge.test",)
        )
        self._pipeline = Pipeline(
            examiner=_Reader(), history=self.history, clock=self._clock, options=options
        )
        self._number = 0

    async def receive(
        self, text, *to, sender="anna.k@gmail.com", name="Anna Keller", subject="Your expertise",
        day=0.0, aligned=True, fields="",
    ) -> Verdict:  # fmt: skip
        """One message to some people of org.test."""
        self._clock.day = day
        self._number += 1
        domain = sender.partition("@")[2]
        passed = "pass" if aligned else "none"
        raw = (
            f"Authentication-Results: edge.test; dmarc={passed} header.from={domain}\r\n"
            f"From: {name} <{sender}>\r\nTo: {', '.join(f'{one}@org.test' for one in to)}\r\n"
            f"Subject: {subject}\r\nDate: {format_datetime(self._clock.now())}\r\n"
            f"Message-ID: <m{self._number}@{domain}>\r\n{fields}MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + text.strip().replace("\n", "\r\n") + "\r\n"
        ).encode()  # fmt: skip
        assessment = await self._pipeline.assess(
            Transaction(
                transaction_id=f"t{self._number}",
                role="before_queue",
                received_at=self._clock.now(),
                connection=Connection(client_ip="192.0.2.1"),
                envelope=Envelope(
                    reverse_path=_path(sender),
                    recipients=tuple(Recipient(path=_path(f"{one}@org.test")) for one in to),
                ),
                raw=raw,
            )
        )
        return assessment.verdict


def strengths(verdict: Verdict, *codes: str) -> dict[str, int]:
    """Which of the codes were found, and how plainly."""
    found = {row.finding.code: row.finding.strength for row in verdict.findings}
    return {code: found[code] for code in codes if code in found}


def told(verdict: Verdict, code: str) -> tuple[str, str, str]:
    """Evidence, message-id and note of a finding."""
    finding = next(row.finding for row in verdict.findings if row.finding.code == code)
    return finding.evidence[0].text, finding.evidence[0].part, finding.note


def _path(address):
    return parse_path(f"<{address}>".encode(), smtputf8=False)[0]
