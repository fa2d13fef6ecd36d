"""Signed mail through a running gateway: delivered as it came, and its recipients are told apart."""

import email
import email.policy

import pytest

from milter.demo.inner_server import Fault
from tests.support.client import Peer
from tests.support.gateway import eventually, gateway
from tests.support.inner import copies, inner_server, misbehave
from tests.support.mails import signed, without_our_fields

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("protected")]

SETTINGS = """
[annotate]
language = "fr"
notice_for_protected = true
[annotate.languages]
"de.example.org" = "de"
"""


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("protected")
    with gateway(folder, inner_port=inner.port, mode="annotate", more=SETTINGS) as started:
        yield started


def send(running, name: str, *recipients: str) -> bytes:
    with Peer(running.port) as peer:
        peer.hello()
        return peer.send(signed(name), to=list(recipients))


def notices(inner, recipient: str) -> list[email.message.EmailMessage]:
    parsed = [
        email.message_from_bytes(one.raw, policy=email.policy.default)
        for one in copies(inner, recipient)
    ]
    return [one for one in parsed if one["Auto-Submitted"]]


def test_each_group_gets_the_mail_untouched_and_one_notice(running, inner) -> None:
    everybody = ["a@example.org", "b@example.org", "c@de.example.org"]
    assert send(running, "all", *everybody).startswith(b"250")
    eventually(
        lambda: running.metric("lurewall_notices_total", kind="protected", outcome="sent") == 2
    )
    for recipient, language in zip(everybody, ("fr", "fr", "de"), strict=True):
        original, notice = copies(inner, recipient)
        assert without_our_fields(original.raw) == signed("all")
        assert b"banner=signed" in original.raw
        assert notice.reverse_path == b""
        (message,) = notices(inner, recipient)
        assert message["Content-Language"] == language
        assert message["In-Reply-To"] == "<all@sender.test>"
        assert "X-Lurewall-Verdict" not in message
    french, german = (
        {
            one
            for notice in copies(inner, of)
            if b"Auto-Submitted" in notice.raw
            for one in notice.recipients
        }
        for of in ("a@example.org", "c@de.example.org")
    )
    assert (french, german) == ({b"a@example.org", b"b@example.org"}, {b"c@de.example.org"})


def test_mail_that_is_not_delivered_causes_no_notice(running, inner) -> None:
    before = running.metric("lurewall_notices_total", kind="protected")
    misbehave(inner, Fault(stage="end_of_data", reply=b"451 4.3.0 later\r\n"))
    assert send(running, "deferred", "d@example.org").startswith(b"451")
    misbehave(inner)
    assert send(running, "deferred", "d@example.org").startswith(b"250")
    eventually(lambda: len(notices(inner, "d@example.org")) == 1)
    assert running.metric("lurewall_notices_total", kind="protected") == before + 1
    assert len(copies(inner, "d@example.org")) == 2


def test_a_notice_that_is_refused_is_counted_and_logged_and_costs_nothing(running, inner) -> None:
    misbehave(inner, Fault(stage="mail", occurrence=2, reply=b"550 5.7.1 no bounces here\r\n"))
    assert send(running, "refused", "e@example.org").startswith(b"250")
    eventually(
        lambda: running.metric("lurewall_notices_total", kind="protected", outcome="failed") == 1
    )
    misbehave(inner)
    assert len(copies(inner, "e@example.org")) == 1
    (problem,) = [one for one in running.events("problem") if one["kind"] == "protected_notice"]
    assert problem["detail"] == "mail: 550"


def test_a_gateway_that_ends_sends_what_waits(running, inner) -> None:
    assert send(running, "last", "f@example.org").startswith(b"250")
    assert running.stop() == 0
    assert len(notices(inner, "f@example.org")) == 1
