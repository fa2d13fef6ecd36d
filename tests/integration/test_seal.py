"""What leaves with a banner is sealed, through each front, and foreign verifiers believe the seal."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from milter.authentication.results import parse_results
from milter.authentication.seal import SealKey
from milter.authentication.signatures import verify_arc, verify_dkim
from milter.mail.dns import Question
from milter.mail.message import field_value, scan_header
from tests.support import postfix, sendmail
from tests.support.behind import behind
from tests.support.client import Peer
from tests.support.gateway import Gateway, gateway
from tests.support.inner import copies, inner_server
from tests.support.mails import LURE_TEXT, PLAIN_TEXT, mail
from tests.support.second_opinion import Case, ask_mail_dkim, ask_mailauth
from tests.support.signing import found, pem, record, rsa_key, sign
from tests.support.suites import seal_once
from tests.support.zone import DnsServer, Zone

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("milter")]

AUTHOR, FORWARDER, OURS = rsa_key(2048), rsa_key(2048, 1), rsa_key(2048, 2)
NAMES = {
    "key1._domainkey.signer.example": record(AUTHOR),
    "seal1._domainkey.forwarder.example": record(FORWARDER),
    "ours._domainkey.gate.example": record(OURS),
}
DNS = {Question(name, "TXT"): found(text) for name, text in NAMES.items()}
ZONE = Zone({name: [f"TXT {text.decode()}"] for name, text in NAMES.items()})
DATED = "Date: Wed, 25 Nov 2026 09:03:27 +0000\r\n"
HOP = SealKey(domain="forwarder.example", selector="seal1", private=FORWARDER)
NOW = 1_800_000_000

FRONTS = [
    "mx",
    pytest.param("postfix", marks=[pytest.mark.servers, pytest.mark.skipif(
        bool(postfix.why_not()), reason=postfix.why_not())]),
    pytest.param("sendmail", marks=[pytest.mark.servers, pytest.mark.skipif(
        bool(sendmail.why_not()), reason=sendmail.why_not())]),
]  # fmt: skip


class Place(NamedTuple):
    """Sends a mail to a name of its own and gives what arrives."""

    passed: Callable[[bytes, str], bytes]
    gateway: Gateway


@pytest.fixture(scope="module", params=FRONTS)
def place(request, tmp_path_factory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(f"seal-{request.param}")
    (folder / "ours.pem").write_bytes(pem(OURS))
    (folder / "ours.pem").chmod(0o600)
    arc = (
        '[arc]\ndomain = "gate.example"\n[[arc.keys]]\nselector = "ours"\n'
        f'key_file = "{folder}/ours.pem"\n'
    )
    with ExitStack() as stack:
        dns = stack.enter_context(DnsServer(ZONE))
        told = f'verify = "always"\nnameservers = ["127.0.0.1:{dns.port}"]\n'
        options = {"mode": "annotate", "readers": 1, "authentication": told, "more": arc}
        if request.param != "mx":
            running = stack.enter_context(
                behind(request.param, folder, unix=request.param == "postfix", **options)
            )

            def passed(raw: bytes, name: str) -> bytes:
                assert running.send(raw, f"{name}@example.org").startswith(b"250")
                return running.only(f"{name}@example.org").raw

            yield Place(passed, running.gateway)
            return
        inner = stack.enter_context(inner_server())
        alone = stack.enter_context(gateway(folder, inner_port=inner.port, role="mx", **options))

        def taken(raw: bytes, name: str) -> bytes:
            with Peer(alone.port) as peer:
                peer.hello()
                assert peer.send(raw, to=[f"{name}@example.org"]).startswith(b"250")
            return copies(inner, f"{name}@example.org")[0].raw

        yield Place(taken, alone)


def lure(name: str) -> bytes:
    """A mail that gets a banner, signed by its author."""
    raw = mail(name, LURE_TEXT, header=DATED)
    return sign(raw, AUTHOR, names="from:to:subject:date:message-id")


def test_the_first_seal_verifies_everywhere_and_says_what_was_true(place: Place) -> None:
    arrived = place.passed(lure("first"), "first")
    header = scan_header(arrived)
    assert b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=gate.example;" in arrived
    # The banner broke the author's signature; the seal says that it was good.
    assert [one.result for one in verify_dkim(arrived, header, DNS)] == ["fail"]
    chain = verify_arc(arrived, header, DNS, unix_time=NOW)
    assert (chain.result, chain.reason, chain.sealers) == ("pass", "", ("gate.example",))
    results = {one.method: one.result for one in chain.newest_results}
    assert (results["dkim"], results["arc"]) == ("pass", "none")
    agree(arrived, "pass")


def test_a_chain_that_came_is_continued(place: Place) -> None:
    raw = lure("second")
    for _ in range(2):
        raw = seal_once(raw, HOP, DNS)
    arrived = place.passed(raw, "second")
    chain = verify_arc(arrived, scan_header(arrived), DNS, unix_time=NOW)
    assert (chain.result, chain.reason, chain.instances) == ("pass", "", 3)
    assert chain.sealers == ("forwarder.example", "forwarder.example", "gate.example")
    assert ("arc", "pass") in {(one.method, one.result) for one in chain.newest_results}
    agree(arrived, "pass")


def test_a_chain_that_is_broken_is_closed(place: Place) -> None:
    raw = seal_once(lure("third"), HOP, DNS) + b"added by nobody\r\n"
    arrived = place.passed(raw, "third")
    assert b"ARC-Seal: i=2; a=rsa-sha256; cv=fail; d=gate.example;" in arrived
    chain = verify_arc(arrived, scan_header(arrived), DNS, unix_time=NOW)
    assert (chain.result, chain.is_closed) == ("fail", True)
    agree(arrived, "fail")


def test_what_is_not_edited_keeps_the_author_s_signature_and_gets_no_seal(place: Place) -> None:
    raw = sign(mail("fourth", PLAIN_TEXT, header=DATED), AUTHOR, names="from:to:subject")
    arrived = place.passed(raw, "fourth")
    assert b"ARC-Seal" not in arrived
    assert [one.result for one in verify_dkim(arrived, scan_header(arrived), DNS)] == ["pass"]


def test_a_signature_over_exact_octets_is_seen_as_it_came(place: Place) -> None:
    """No space, two, a tab, a fold: what a filter that guesses the space would break."""
    raw = (
        b"From:Desk <desk.one@gmail.com>\r\nTo:  fifth@example.org\r\nSubject:\tnote\r\n  folded \r\n"
        b"Message-ID: <fifth@sender.test>\r\nDate: Wed, 25 Nov 2026 09:03:27 +0000\r\n\r\n"
        b"Lunch  is at noon. \r\n\r\n"
    )
    signed = sign(raw, AUTHOR, canonical="simple/simple", names="from:to:subject:message-id")
    arrived = place.passed(signed, "fifth")
    field = scan_header(arrived).first(b"authentication-results")
    assert field is not None
    results = parse_results(field_value(arrived, field).decode())
    assert [one.result for one in results if one.method == "dkim"] == ["pass"]
    assert [one.result for one in verify_dkim(arrived, scan_header(arrived), DNS)] == ["pass"]


def test_seals_are_counted(place: Place) -> None:
    metric = "lurewall_arc_seals_total"
    before = {name: place.gateway.metric(metric, outcome=name) for name in ("sealed", "not_edited")}
    place.passed(lure("counted"), "counted")
    place.passed(mail("plain", PLAIN_TEXT, header=DATED), "plain")
    for name, count in before.items():
        assert place.gateway.metric(metric, outcome=name) == count + 1


def agree(raw: bytes, expected: str) -> None:
    """Two foreign verifiers say the same."""
    case = Case(raw=raw, dns=DNS, unix_time=NOW)
    for ask in (ask_mailauth, ask_mail_dkim):
        (opinion,) = ask([case])
        assert opinion.arc == expected, (ask.__name__, opinion)
