"""Real Postfix before and behind the gateway: what is not annotated arrives byte for byte.

The same mails go twice through outer Postfix, X, inner Postfix, sink: once X is a null relay, once
the gateway. What the sink has must be equal, apart from documented fields of ours and from the
trace fields in which each Postfix names itself, its queue id and the time.
"""

import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from milter.demo.inner_server import Delivered, InnerServer
from tests.support import corpora
from tests.support.client import Peer
from tests.support.gateway import Gateway, gateway
from tests.support.inner import inner_server, null_relay
from tests.support.postfix import Instance, postfix, why_not

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("postfix"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

_OURS = re.compile(rb"\AX-Lurewall-[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", re.IGNORECASE)
_TRACE = re.compile(rb"\AReceived: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
# Postfix must hand on what it got: no missing fields added, no long lines folded.
_TRANSPARENT = {"local_header_rewrite_clients": "", "smtp_line_length_limit": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Outer Postfix, something, inner Postfix, sink."""

    outer: Instance
    inner: Instance
    sink: InnerServer
    gateway: Gateway | None = None

    def settled(self) -> list[Delivered]:
        """All that has arrived, once both queues are empty."""
        self.outer.wait_empty()
        self.inner.wait_empty()
        return list(self.sink.messages)


def chain(stack: ExitStack, folder: Path, *, role: str, with_gateway: bool, **options) -> Chain:
    """Build it; `role` is before_queue (smtpd_proxy_filter) or after_queue (content_filter)."""
    sink = stack.enter_context(inner_server())
    inner = stack.enter_context(
        postfix(
            "inner",
            settings={**_TRANSPARENT, "default_transport": f"smtp:[127.0.0.1]:{sink.port}"},
            smtpd={
                "smtpd_authorized_xforward_hosts": "127.0.0.0/8",
                "smtpd_recipient_restrictions": "check_recipient_access,inline:{unknown@example.org=REJECT,deferred@example.org=DEFER},permit_mynetworks,reject",
            },
        )
    )
    running = None
    if with_gateway:
        running = stack.enter_context(
            gateway(folder / "gateway", inner_port=inner.port, role=role, **options)
        )
        middle = running.port
    else:
        middle = stack.enter_context(null_relay(inner.port))
    settings, smtpd = dict(_TRANSPARENT), {}
    if role == "before_queue":
        smtpd = {
            "smtpd_proxy_filter": f"127.0.0.1:{middle}",
            "smtpd_proxy_timeout": "100s",
        }
    else:
        settings["content_filter"] = f"smtp:[127.0.0.1]:{middle}"
        settings["smtp_send_xforward_command"] = "yes"
    outer = stack.enter_context(postfix("outer", settings=settings, smtpd=smtpd))
    return Chain(outer=outer, inner=inner, sink=sink, gateway=running)


def mixed_mails() -> tuple[list[tuple[str, bytes]], list[str]]:
    """200 real mails with CRLF line ends, and the names of those with bare CR, which go apart."""
    picked: list[tuple[str, bytes]] = list(corpora.torture())[::6]
    for name, count in (
        ("list_mail", 30),
        ("phishing_pot", 30),
        ("spamassassin", 25),
        ("enron", 20),
    ):
        picked += corpora.messages(name, count)
    mails, apart = [], []
    for name, raw in picked:
        raw = re.sub(rb"\AFrom [^\n]*\n", b"", raw).replace(b"\r\n", b"\n")
        if b"\r" in raw or b"\0" in raw:
            apart.append(name)
        else:
            mails.append((name, raw.replace(b"\n", b"\r\n")))
    return mails[:200], apart


def without_trace(raw: bytes) -> bytes:
    """Without the fields that the servers of the chain put on top, ours included."""
    while match := _OURS.match(raw) or _TRACE.match(raw):
        raw = raw[match.end() :]
    return raw


@pytest.mark.corpora
@pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not())
@pytest.mark.parametrize("role", ["before_queue", "after_queue"])
def test_real_mail_arrives_as_through_a_null_relay(tmp_path, role):
    mails, apart = mixed_mails()
    print(f"{len(mails)} mails; with bare CR or NUL, apart: {len(apart)}")
    assert len(mails) == 200
    arrived: dict[bool, dict[bytes, bytes]] = {}
    replies: dict[bool, list[bytes]] = {}
    for with_gateway in (False, True):
        with ExitStack() as stack:
            there = chain(stack, tmp_path / str(with_gateway), role=role,
                          with_gateway=with_gateway, mode="observe")  # fmt: skip
            replies[with_gateway] = []
            with Peer(there.outer.port) as peer:
                peer.hello()
                for number, (_name, raw) in enumerate(mails):
                    answer = peer.send(raw, to=[f"m{number:03d}@example.org"])
                    replies[with_gateway].append(answer[:3])
            arrived[with_gateway] = {
                message.recipients[0]: without_trace(message.raw) for message in there.settled()
            }
    assert replies[True] == replies[False]
    assert arrived[True].keys() == arrived[False].keys()
    different = [
        mails[int(address[1:4])][0]
        for address in arrived[True]
        if arrived[True][address] != arrived[False][address]
    ]
    assert different == []


@pytest.fixture(scope="module", params=["before_queue", "after_queue"])
def running(request, tmp_path_factory):
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(request.param)
        yield chain(stack, folder, role=request.param, with_gateway=True)


def mail(subject: str = "hello", body: str = "A plain mail.\r\n") -> bytes:
    return (
        f"From: A <a@sender.test>\r\nTo: b@example.org\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject}@sender.test>\r\n\r\n{body}"
    ).encode()


LURE = mail(
    "our exchange",
    "Hi, as discussed on LinkedIn, let us continue on WhatsApp: +44 7700 900123.\r\n"
    "I rarely open this inbox.\r\n",
).replace(b"a@sender.test", b"p.renn@gmail.com")


def only(there: Chain, recipient: bytes) -> Delivered:
    found = [message for message in there.settled() if recipient in message.recipients]
    assert len(found) == 1
    return found[0]


def test_lure_arrives_tagged(running):
    with Peer(running.outer.port) as peer:
        peer.hello()
        assert peer.send(LURE, to=["lured@example.org"]).startswith(b"250")
    message = only(running, b"lured@example.org")
    assert re.search(rb"^X-Lurewall-Verdict: lure", message.raw, re.MULTILINE)
    assert b"WhatsApp: +44 7700 900123" in message.raw
    assert b"[lw:" in message.raw


def test_null_sender(running):
    with Peer(running.outer.port) as peer:
        peer.hello()
        assert peer.send(mail("null"), to=["null@example.org"], sender="").startswith(b"250")
    assert only(running, b"null@example.org").reverse_path == b""


def test_dsn_parameters_to_the_letter(running):
    with Peer(running.outer.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test> RET=HDRS ENVID=QQ+2B314159")
        peer.say("RCPT TO:<dsn@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Bob+2BX@Example.ORG")
        assert peer.say("DATA").startswith(b"354")
        assert peer.content(mail("dsn")).startswith(b"250")
    message = only(running, b"dsn@example.org")
    assert {b"RET=HDRS", b"ENVID=QQ+2B314159"} <= set(message.mail_parameters)
    assert {b"NOTIFY=FAILURE,DELAY", b"ORCPT=rfc822;Bob+2BX@Example.ORG"} <= set(
        message.rcpt_parameters[0]
    )


def test_smtputf8_addresses(running):
    with Peer(running.outer.port) as peer:
        peer.hello()
        answer = peer.send(
            mail("utf8"),
            to=["utf8-用户@example.org"],
            sender="пётр@sender.test",
            parameters=" SMTPUTF8",
        )
        assert answer.startswith(b"250")
    message = only(running, "utf8-用户@example.org".encode())
    assert message.reverse_path == "пётр@sender.test".encode()
    assert b"SMTPUTF8" in message.mail_parameters


def test_25_megabytes(running):
    body = (b"x" * 76 + b"\r\n") * (25_000_000 // 78)
    raw = mail("big").partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    with Peer(running.outer.port, timeout=120) as peer:
        peer.hello()
        assert peer.send(raw, to=["big@example.org"]).startswith(b"250")
    assert only(running, b"big@example.org").raw.endswith(body)


def test_500_recipients(running):
    with Peer(running.outer.port) as peer:
        peer.hello()
        to = [f"r{number}@example.org" for number in range(500)]
        assert peer.send(mail("many"), to=to).startswith(b"250")
    got = [a for m in running.settled() for a in m.recipients if a.startswith(b"r") and b"@" in a]
    assert sorted(got) == sorted(address.encode() for address in to)


def test_unknown_recipient_is_refused_at_rcpt(running):
    with Peer(running.gateway.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        assert peer.say("RCPT TO:<unknown@example.org>").startswith(b"554 5.7.1")
        assert peer.say("RCPT TO:<deferred@example.org>").startswith(b"450 4.7.1")
        assert peer.say("RCPT TO:<known@example.org>").startswith(b"250")
        assert peer.say("RSET").startswith(b"250")


def test_swaks_sends_through_it(running):
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{running.outer.port}", "--from", "s@sender.test",
         "--to", "swaks@example.org", "--body", "by swaks"],
        check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert b"by swaks" in only(running, b"swaks@example.org").raw
