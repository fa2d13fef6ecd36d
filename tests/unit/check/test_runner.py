"""A check that raises or hangs becomes a failed outcome; the others are unharmed."""

import asyncio
import time
from datetime import UTC, datetime

from milter.check.runner import Check, run_checks
from milter.check.skeleton import check_skeleton
from milter.mail.address import NULL_PATH, parse_path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.finding import CheckStatus, Finding
from milter.mail.reading import HeaderFacts, Reading
from milter.ports import HistoryUnavailable


class RealClock:
    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return time.monotonic()


FOUND = (Finding(code="NO_CLIENT", check="t"),)


async def run(ask):
    outcomes = await run_checks(
        [Check(name="it", ask=ask), Check(name="other", ask=lambda: FOUND)],
        clock=RealClock(),
        deadline=time.monotonic() + 0.05,
    )
    assert outcomes[1].findings == FOUND
    return outcomes[0]


async def test_findings_come_through():
    async def later():
        return FOUND

    assert (await run(lambda: FOUND)).findings == FOUND
    assert (await run(later)).findings == FOUND


async def test_exception_is_failed_and_names_no_content():
    def broken():
        raise ValueError("content of a mail")

    outcome = await run(broken)
    assert (outcome.status, outcome.reason) == (CheckStatus.FAILED, "raised ValueError")


async def test_timeout_is_failed():
    outcome = await run(lambda: asyncio.sleep(5))
    assert (outcome.status, outcome.reason, outcome.findings) == (CheckStatus.FAILED, "timeout", ())


async def test_missing_history_is_said():
    async def gone():
        raise HistoryUnavailable

    assert (await run(gone)).reason == "history unavailable"


def test_skeleton_near_miss():
    path, _ = parse_path(b"<a@b.test>", smtputf8=False)
    transaction = Transaction(
        transaction_id="t", role="file", received_at=datetime(2026, 1, 1, tzinfo=UTC),
        connection=Connection(client_ip="192.0.2.1"),
        envelope=Envelope(reverse_path=NULL_PATH, recipients=(Recipient(path=path),)), raw=b"",
    )  # fmt: skip
    for subject, count in (("x-lurewall-example", 1), ("re: x-lurewall-example", 0)):
        reading = Reading(size_bytes=0, header=HeaderFacts(subject=subject))
        assert len(check_skeleton(transaction, reading)) == count
