"""What our own people's mail tells memory."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from milter.check.engagement.outbound import outbound_memories
from milter.check.identity import KnownDomains
from milter.mail.address import parse_path
from milter.mail.engagement import TraitKind
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction

KNOWN = KnownDomains(
    own=frozenset({"example.org"}), free_mail=frozenset({"gmail.com"}), platforms=frozenset(),
    ats=frozenset(), expert_networks=frozenset(), organisations=frozenset(),
)  # fmt: skip


def path(address):
    return parse_path(f"<{address}>".encode(), smtputf8=False)[0]


def outgoing(*to, sender="r.lefort+lists@example.org", fields=""):
    return Transaction(
        transaction_id="t1",
        role="outbound",
        received_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        connection=Connection(client_ip="127.0.0.1"),
        envelope=Envelope(
            reverse_path=path(sender), recipients=tuple(Recipient(path=path(one)) for one in to)
        ),
        raw=f"From: {sender}\r\nDate: x\r\n{fields}\r\nHello\r\n".encode(),
    )


def told(transaction):
    return [
        (each.trait.kind, each.trait.value, each.recipient)
        for each in outbound_memories(transaction, KNOWN).sightings
    ]


def test_who_wrote_to_whom_unprompted():
    assert told(outgoing("a@firm.test", "b@gmail.com")) == [
        (TraitKind.WROTE, "a@firm.test", "r.lefort@example.org"),
        (TraitKind.WROTE, "@firm.test", "r.lefort@example.org"),
        (TraitKind.WROTE, "b@gmail.com", "r.lefort@example.org"),
    ]


@pytest.mark.parametrize("field", ["In-Reply-To: <1@firm.test>", "References: <1@firm.test>"])
def test_an_answer_is_no_first_word(field):
    kinds = {kind for kind, _, _ in told(outgoing("a@firm.test", fields=field + "\r\n"))}
    assert kinds == {TraitKind.ANSWERED}


@pytest.mark.parametrize(
    "field",
    ["Auto-Submitted: auto-replied", "List-Id: <a.example.org>", "X-Autoreply: yes"],
)
def test_what_no_person_wrote_is_not_kept(field):
    assert told(outgoing("a@firm.test", fields=field + "\r\n")) == []


def test_a_person_may_say_that_it_is_not_automatic():
    assert told(outgoing("a@gmail.com", fields="Auto-Submitted: no\r\n"))


def test_mail_within_the_house_and_of_strangers_is_not_kept():
    assert told(outgoing("a@example.org", "b@lab.example.org")) == []
    assert told(outgoing("a@firm.test", sender="x@firm.test")) == []
    bounce = outgoing("a@firm.test")
    null = parse_path(b"<>", smtputf8=False)[0]
    assert told(replace(bounce, envelope=replace(bounce.envelope, reverse_path=null))) == []


def test_the_same_mail_is_remembered_under_one_id():
    one, again = (outbound_memories(outgoing("a@firm.test"), KNOWN) for _ in range(2))
    assert one.sightings[0].origin.event_id == again.sightings[0].origin.event_id
