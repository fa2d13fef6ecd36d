"""A gateway that meets the mail first verifies it: real processes, a DNS on loopback."""

import base64
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from milter.authentication.results import parse_results
from milter.mail.dns import Question
from tests.support.client import Peer
from tests.support.gateway import gateway
from tests.support.inner import copies, inner_server
from tests.support.ports import free_port
from tests.support.zone import DnsServer, Zone

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("authentication")]

BEHIND_POSTFIX = free_port()
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
HOSTILE = {
    # name: records, SPF, DMARC
    "mxbomb": (
        {"mxbomb.test": ["TXT v=spf1 mx -all", *(f"MX {n} m{n}.mxbomb.test" for n in range(100))]},
        "permerror", "none",
    ),
    "tree": (
        {
            "tree.test": ["TXT v=spf1 include:a0.tree.test -all"],
            **{
                f"a{n}.tree.test": [
                    "TXT v=spf1 " + " ".join(f"include:a{n + m}.tree.test" for m in range(1, 9))
                ]
                for n in range(40)
            },
        },
        "permerror", "none",
    ),
    "huge": (
        {
            "huge.test": ["TXT v=spf1 " + "ip4:198.51.100.1 " * 3_500 + "-all"],
            "_dmarc.huge.test": ["TXT v=DMARC1; p=reject; rua=mailto:" + "a" * 60_000],
        },
        "permerror", "fail",
    ),
    "ring": (
        {
            "ring.test": ["CNAME ring2.test"], "ring2.test": ["CNAME ring.test"],
            "_dmarc.ring.test": ["CNAME _dmarc.ring2.test"],
            "_dmarc.ring2.test": ["CNAME _dmarc.ring.test"],
        },
        "temperror", "temperror",
    ),
    "thousands": (
        {
            "thousands.test": ["TXT v=spf1 a -all", *(f"A 198.51.{n // 250}.{n % 250}" for n in range(3_000))],
            "_dmarc.thousands.test": ["TXT v=DMARC1; p=none", *["TXT filler"] * 300],
        },
        "temperror", "temperror",
    ),
    "voids": (
        {"voids.test": ["TXT v=spf1 " + " ".join(f"a:v{n}.voids.test" for n in range(10)) + " -all"]},
        "permerror", "none",
    ),
}  # fmt: skip
ZONE = Zone(
    {
        **{name: lines for records, _, _ in HOSTILE.values() for name, lines in records.items()},
        "sender.test": ["TXT v=spf1 ip4:127.0.0.0/8 -all"],
        "_dmarc.sender.test": ["TXT v=DMARC1; p=reject"],
        "s1._domainkey.sender.test": [f"TXT v=DKIM1; k=rsa; p={PUBLIC}"],
        "elsewhere.test": ["TXT v=spf1 ip4:192.0.2.1 -all"],
        "_dmarc.elsewhere.test": ["TXT v=DMARC1; p=quarantine"],
        "broken.test": ["FAIL"],
        "_dmarc.broken.test": ["FAIL"],
        "slow.test": ["SILENT"],
        "_dmarc.slow.test": ["SILENT"],
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A gateway in role mx, and beside it one that Postfix asks."""
    beside = f'[[listen]]\nrole = "before_queue"\nport = {BEHIND_POSTFIX}\n'
    beside += 'xforward_from = ["127.0.0.0/8"]\n'
    with DnsServer(ZONE) as server, inner_server() as inner:
        told = f'nameservers = ["127.0.0.1:{server.port}"]\nseconds = 2.5'
        with gateway(
            tmp_path_factory.mktemp("authentication"), inner_port=inner.port, role="mx",
            mode="annotate", readers=1, authentication=told, more=beside,
        ) as running:  # fmt: skip
            yield running, inner, server


def mail(header_from, name):
    return (
        f"From: A Person <{header_from}>\r\nTo: <{name}@example.org>\r\nSubject: Minutes\r\n"
        f"Date: Sat, 28 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{name}@sender.test>\r\n\r\n"
        "The minutes of the meeting are on the shelf.\r\n"
    ).encode()


def signed(raw, domain="sender.test"):
    return dkim.sign(raw, b"s1", domain.encode(), PEM, include_headers=[b"from", b"subject"]) + raw


def send(place, raw, name, mail_from, client="", *, port=0):
    """What our own field says of the mail as it arrives; nothing where there is none."""
    running, inner, _ = place
    with Peer(port or running.port) as peer:
        peer.hello()
        if client:
            assert (
                peer.say(f"XFORWARD NAME=mx.test ADDR={client} PROTO=ESMTP HELO=mx.test")[0:1]
                == b"2"
            )
        peer.say(f"MAIL FROM:<{mail_from}>")
        assert peer.say(f"RCPT TO:<{name}@example.org>").startswith(b"250")
        assert peer.say("DATA").startswith(b"354")
        reply = peer.say(raw + b".")
    assert reply.startswith(b"250"), reply
    delivered = copies(inner, f"{name}@example.org")[0].raw
    top, _, rest = delivered.partition(b"X-Lurewall-Verdict")
    if not top:
        return {}
    top = top.removesuffix(b"\r\n")
    assert top.startswith(b"Authentication-Results: gateway.test;"), delivered
    assert b"Authentication-Results: gateway.test" not in rest
    value = top.partition(b":")[2].replace(b"\r\n", b"").decode("ascii")
    assert all(len(line) <= 78 for line in top.split(b"\r\n"))
    return {result.method: result for result in parse_results(value)}


def test_spf_dkim_and_dmarc_of_an_honest_mail(place):
    raw = signed(mail("a.person@sender.test", "honest"))
    found = send(place, raw, "honest", "a.person@sender.test")
    assert {name: one.result for name, one in found.items()} == {
        "dkim": "pass", "spf": "pass", "dmarc": "pass", "arc": "none",
    }  # fmt: skip
    assert ("smtp", "mailfrom", "sender.test") in found["spf"].properties
    assert ("header", "from", "sender.test") in found["dmarc"].properties


def test_a_forged_sender_fails_and_the_forged_result_is_gone(place):
    forged = b"Authentication-Results: gateway.test; dmarc=pass header.from=elsewhere.test\r\n"
    found = send(place, forged + mail("x@elsewhere.test", "forged"), "forged", "x@sender.test")
    assert found["spf"].result == "pass"
    assert found["dmarc"].result == "fail"
    assert ("policy", "dmarc", "quarantine") in found["dmarc"].properties


def test_the_null_sender_is_checked_by_its_greeting(place):
    found = send(place, mail("x@sender.test", "null"), "null", "")
    assert found["spf"].result == "none"
    assert ("smtp", "helo", "client.test") in found["spf"].properties


@pytest.mark.parametrize("domain", ["broken.test", "slow.test"])
def test_a_dead_dns_gives_temperror_and_the_mail_flows(place, domain):
    name = domain.partition(".")[0]
    found = send(place, mail(f"x@{domain}", name), name, f"x@{domain}")
    assert (found["spf"].result, found["dmarc"].result) == ("temperror", "temperror")
    [event] = [
        one for one in place[0].events("message") if one["recipients"] == [f"{name}@example.org"]
    ]
    assert event["degraded"] == ["no DNS answer about the author"]
    assert place[0].metric("lurewall_degraded_total", reason="dns") >= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_cost_little_and_have_the_right_class(place, name):
    _, spf, dmarc = HOSTILE[name]
    _, _, server = place
    before, started = sum(server.asked.values()), time.monotonic()
    fields = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=%s.test; s=k%d; h=From; bh=AAAA; b=AAAA\r\n"
        % (name.encode(), number)
        for number in range(50)
    )
    found = send(place, fields + mail(f"x@{name}.test", name), name, f"x@{name}.test")
    assert (found["spf"].result, found["dmarc"].result) == (spf, dmarc)
    assert time.monotonic() - started < 8
    assert sum(server.asked.values()) - before <= 120


def test_behind_postfix_the_client_comes_by_xforward(place):
    forged = "x@elsewhere.test"
    found = send(place, mail(forged, "told"), "told", forged, "192.0.2.1", port=BEHIND_POSTFIX)
    assert [found[name].result for name in ("spf", "dmarc")] == ["pass", "pass"]
    # From our own networks, or where nobody tells the client, there is nothing to verify.
    for name, client in (("inside", "10.0.0.9"), ("untold", "")):
        assert not send(place, mail(forged, name), name, forged, client, port=BEHIND_POSTFIX)


def test_results_are_counted_and_logged_and_the_cache_is_used(place):
    running, _, server = place
    for number in range(2):
        name = f"again{number}"
        send(place, signed(mail("a.person@sender.test", name)), name, "a.person@sender.test")
    assert server.asked[Question("sender.test", "TXT")] == 1
    name = "lurewall_authentication_results_total"
    assert running.metric(name, method="dmarc", result="pass") >= 2
    assert running.metric("lurewall_dns_questions_total", outcome="cached") >= 2
    event = running.events("message")[-1]
    assert event["authentication"] == ["dkim=pass", "spf=pass", "dmarc=pass", "arc=none"]
