"""From a network's notification to the mail that follows it, through the whole pipeline.

The notification is signed and verified for real; history is the one that tests keep in memory.
"""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.app.from_settings import pipeline_options
from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.examine import examine
from milter.mail.address import parse_path
from milter.mail.engagement import Inquiry, PlatformContact
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.verdict import Mode
from milter.pipeline import Pipeline
from milter.ports import Examined, HistoryUnavailable
from milter.read.integrity import verify
from milter.settings import load_settings
from tests.support.notices import AT, TO, Notice, signed, zone
from tests.support.plain_store import PlainStore
from tests.support.zone import FakeResolver

SETTINGS = load_settings(
    b'domains = ["werk.test"]\n[[listen]]\nrole = "mx"\n[next_hop]\nhost = "127.0.0.1"\n',
    source="test",
).settings
OTHER = "other@werk.test"
FOLLOW_UP = (
    "From: Mara Quell <{address}>\r\nTo: Robin Keller <{to}>\r\n"
    "Subject: our talk\r\nMessage-ID: <follow@up.example>\r\n"
    "Date: Mon, 18 Jan 2027 09:00:00 +0000\r\n\r\n"
    "Hello Robin,\r\n\r\nas I wrote on LinkedIn, I would rather go on by WhatsApp: +44 7700 900123."
    "\r\nThe client pays for a short paper, more on what is not public yet.\r\n\r\nMara Quell\r\n"
)


class Clock:
    def __init__(self):
        self.at = AT

    def now(self):
        return self.at

    def monotonic(self):
        return time.monotonic()


class Here:
    """Examines in this process."""

    async def examine(self, raw, facts, deadline):
        return Examined(reading=examine(raw, facts))

    async def verify(self, original, edited, facts, deadline):
        return verify(original, edited, facts)


class Gone:
    async def recall(self, inquiry):
        raise HistoryUnavailable

    async def remember(self, memories):
        pass


class Office:
    """A pipeline with a memory, and a clock that goes on."""

    def __init__(self, history=None):
        self.clock = Clock()
        key = MemoryKey(bytes(range(32)))
        self.history = history or SealedHistory(store=PlainStore(), keys=(key,), clock=self.clock)
        self.pipeline = Pipeline(
            examiner=Here(),
            history=self.history,
            clock=self.clock,
            options=replace(
                pipeline_options(SETTINGS, banner_key=b"k", mode=Mode.ENFORCE), deadline_seconds=60
            ),
            authenticator=Authenticator(
                resolver=FakeResolver(zone("linkedin.com", "mailb.linkedin.com")),
                clock=self.clock,
                options=AuthenticationOptions(authserv_id="us.test"),
            ),
        )

    async def takes(self, raw, *recipients, days=0):
        """The findings by code of a message that comes so many days after the first."""
        self.clock.at = AT + timedelta(days=days)
        paths = [parse_path(f"<{one}>".encode(), smtputf8=False)[0] for one in recipients]
        transaction = Transaction(
            transaction_id="t", role="mx", received_at=self.clock.at, raw=raw,
            connection=Connection(client_ip="203.0.113.1", helo="mx.test"),
            envelope=Envelope(
                reverse_path=paths[0], recipients=tuple(Recipient(path=one) for one in paths)
            ),
        )  # fmt: skip
        verdict = (await self.pipeline.assess(transaction)).verdict
        return {row.finding.code: row.finding for row in verdict.findings}

    async def contacts_of(self, recipient):
        inquiry = Inquiry(recipients=(recipient,))
        (dossier,) = (await self.history.recall(inquiry)).dossiers
        return [one for one in dossier.events if isinstance(one, PlatformContact)]


def follow_up(address="mara.quell.consult@gmail.com", to=TO):
    return FOLLOW_UP.format(address=address, to=to).encode()


async def test_the_follow_up_is_known_by_what_the_notice_said():
    office = Office()
    notice = signed(Notice(headline="Senior Consultant at Northbridge Advisory").raw())
    assert "NOTICE_NOT_GENUINE" not in await office.takes(notice, TO)
    (contact,) = await office.contacts_of(TO)
    assert (contact.persona, contact.organisation) == ("Mara Quell", "Northbridge Advisory")
    found = await office.takes(follow_up(), TO, days=4)
    evidence = found["RELAY_THEN_DIRECT"].evidence[0]
    assert evidence.part == "<1234567890.1.1800000000000@app1.prod.linkedin.com>"
    assert "linkedin" in evidence.text


async def test_a_replay_to_somebody_else_leaves_nothing_that_a_follow_up_could_be_known_by():
    office = Office()
    assert "NOTICE_NOT_GENUINE" in await office.takes(signed(Notice().raw()), OTHER)
    assert await office.contacts_of(OTHER) == []
    assert "RELAY_THEN_DIRECT" not in await office.takes(follow_up(to=OTHER), OTHER, days=4)


@pytest.mark.parametrize(
    "raw",
    [
        Notice().raw(),
        signed(Notice(reply_to="Mara Quell <mara.quell.consult@gmail.com>").raw()),
        b"To: <r.keller@werk.test>\r\n" + signed(Notice(to=OTHER).raw()),
    ],
    ids=["unsigned", "reply-to", "second to"],
)
async def test_what_the_network_does_not_vouch_for_is_no_contact(raw):
    office = Office()
    assert "NOTICE_NOT_GENUINE" in await office.takes(raw, TO)
    assert await office.contacts_of(TO) == []


async def test_a_forged_notice_is_told_though_memory_is_out_of_reach():
    found = await Office(Gone()).takes(Notice().raw(), TO)
    assert "NOTICE_NOT_GENUINE" in found
