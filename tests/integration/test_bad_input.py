"""Bad input in each role: the right reply or safe delivery, nothing lost, memory bounded.

One gateway listens in all roles. Whatever a peer sends, what got a 250 is at the next hop octet for
octet below our own fields, and what did not is not there.
"""

import itertools
import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.support.certificate import self_signed
from tests.support.client import Peer
from tests.support.gateway import Gateway, gateway
from tests.support.inner import copies, inner_server
from tests.support.mails import mail, without_our_fields
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("bad_input")]

ROLES = ("mx", "before_queue", "after_queue")
# Generous, three times and more of what they need: one message of 50 MB at a time.
FRONT_BYTES = 400_000_000
READER_BYTES = 600_000_000
_numbers = itertools.count()


class Ports(dict[str, int]):
    """Role to port of the running gateway; `tls` is mx with STARTTLS."""

    running: Gateway


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def ports(inner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad_input")
    key, certificate = self_signed(folder)
    ports = Ports({"before_queue": free_port(), "after_queue": free_port(), "tls": free_port()})
    more = "".join(f'[[listen]]\nrole = "{role}"\nport = {ports[role]}\n' for role in ROLES[1:]) + (
        f'[[listen]]\nrole = "mx"\nport = {ports["tls"]}\nrequire_tls = true\n'
        f'tls_key = "{key}"\ntls_certificate = "{certificate}"\n'
    )
    with gateway(folder, inner_port=inner.port, role="mx", more=more) as running:
        ports["mx"] = running.port
        ports.running = running
        yield ports


@pytest.fixture
def name():
    return f"b{next(_numbers)}"


def offer(port: int, name: str, raw: bytes) -> bytes:
    """The final reply to a mail for NAME@example.org; the connection is in step after it."""
    with Peer(port) as peer:
        peer.hello()
        answer = peer.send(raw, to=[f"{name}@example.org"])
        assert peer.say("NOOP").startswith(b"250")
    return answer


def only_copy(inner, name: str) -> bytes:
    """The one mail that arrived, without our own fields on top."""
    (message,) = copies(inner, f"{name}@example.org")
    return without_our_fields(message.raw)


# Content.


def nested_multiparts(name: str, depth: int) -> bytes:
    head = mail(name, "", header="MIME-Version: 1.0\r\n").removesuffix(b"\r\n")
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(depth)
    )
    closed = b"".join(b"\r\n--b%d--\r\n" % level for level in reversed(range(depth)))
    return head + opened + b"\r\nat the bottom\r\n" + closed


def nested_messages(name: str, depth: int) -> bytes:
    head = mail(name, "").removesuffix(b"\r\n")
    return head + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"\r\nat the bottom\r\n"


def many_parts(name: str, count: int) -> bytes:
    head = mail(name, "", header='Content-Type: multipart/mixed; boundary="x"\r\n')
    part = b'--x\r\nContent-Type: text/plain; name="a.txt"\r\n\r\na part\r\n'
    return head + part * count + b"--x--\r\n"


def long_header(name: str, line: str, count: int) -> bytes:
    return mail(name, header=line * count)


CONTENTS = {
    "10 MB field": lambda name: long_header(name, "X-Long: a\r\n" + " word of a field\r\n" * 590_000, 1),
    "10 MB of fields": lambda name: long_header(name, "X-Many: one of many fields\r\n", 360_000),
    "10 MB of addresses": lambda name: long_header(
        name, "Cc: x@a.test,\r\n" + ' "A, B" <y@b.test>,\r\n' * 500_000 + " z@c.test\r\n", 1
    ),
    "encoded words": lambda name: long_header(name, "Subject: " + "=?utf-8?q?=41?=" * 4000 + "\r\n", 30),
    "10,000 parts": lambda name: many_parts(name, 10_000),
    "200 multiparts deep": lambda name: nested_multiparts(name, 200),
    "200 messages deep": lambda name: nested_messages(name, 200),
    "unclosed tags": lambda name: mail(
        name, "<div><b>" * 100_000 + "\r\n", header="Content-Type: text/html\r\n"
    ).replace(b"<div><b><div><b>" * 1000, b"<div><b><div><b>\r\n" * 1000),
    "NULs": lambda name: mail(name, "a\0b\0\0c\r\n\0\r\n", header="X-Nul: \0x\0\r\n"),
    "eight bit": lambda name: mail(name).replace(b"noon", bytes(range(128, 256))),
    "no header": lambda name: b"\r\nonly a body\r\n",
    "no colon": lambda name: b"this is no field\r\nnor is this\r\n\r\nbody\r\n",
    "header only": lambda name: b"Subject: nothing below\r\n",
    "no boundary": lambda name: mail(name, header="Content-Type: multipart/mixed\r\n"),
    "endless boundary": lambda name: mail(
        name, "--\r\n" * 50_000, header='Content-Type: multipart/mixed; boundary=""\r\n'
    ),
    "bad base64": lambda name: mail(
        name, "%%%=\r\n" * 50_000, header="Content-Transfer-Encoding: base64\r\n"
    ),
    "unknown charset": lambda name: mail(name, header="Content-Type: text/plain; charset=x-none\r\n"),
    "dots": lambda name: mail(name, ".\r\n..\r\n...\r\n.a\r\n\r\n.\r\n"),
    "lines at the limit": lambda name: mail(name, ("x" * 65_536 + "\r\n") * 20),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("content", CONTENTS)
def test_odd_content_arrives_as_it_was(ports, inner, name, content, role):
    raw = CONTENTS[content](name)
    assert offer(ports[role], name, raw).startswith(b"250 2.0.0 Ok: queued")
    assert only_copy(inner, name) == raw


def test_a_separator_of_an_mbox_stays_where_it_was(ports, inner, name):
    separator = b"From x@a.test Mon Jan  1 00:00:00 2024\r\n"
    assert offer(ports["before_queue"], name, separator + mail(name)).startswith(b"250")
    arrived = only_copy(inner, name)
    assert arrived.startswith(separator)
    assert without_our_fields(arrived.removeprefix(separator)) == mail(name)


def test_a_mail_of_nothing(ports, inner, name):
    assert offer(ports["before_queue"], name, b"").startswith(b"250")
    assert only_copy(inner, name) in (b"", b"\r\n")


@pytest.mark.parametrize("role", ROLES)
def test_a_line_of_a_megabyte_is_refused(ports, inner, name, role):
    for raw in (
        mail(name, "x" * 1_000_000 + "\r\n"),
        mail(name, header=f"X-Long: {'x' * 10**6}\r\n"),
    ):
        answer = offer(ports[role], name, raw)
        # Mail that was accepted long ago waits where its operator sees it; we do not bounce it.
        assert answer.startswith(b"451 4.6.0 " if role == "after_queue" else b"550 5.5.2 ")
    assert copies(inner, f"{name}@example.org") == []


@pytest.mark.parametrize("role", ROLES)
def test_a_mail_beyond_the_size_limit_is_refused_and_not_kept(ports, inner, name, role):
    raw = mail(name, ("x" * 998 + "\r\n") * 51_000)
    answer = offer(ports[role], name, raw)
    assert answer.startswith(b"452 4.3.4 " if role == "after_queue" else b"552 5.3.4 ")
    assert copies(inner, f"{name}@example.org") == []
    assert ports.running.metric("lurewall_in_flight_bytes") == 0


def test_a_mail_loop_ends(ports, inner, name):
    raw = mail(name, header="Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 51)
    for role in ROLES:
        assert offer(ports[role], name, raw).startswith(b"554 5.4.6 ")
    assert copies(inner, f"{name}@example.org") == []


# Smuggling: an end of data that is none, and a second mail behind it.

FALSE_ENDS = {
    "LF.LF": b"\n.\n",
    "CRLF.LF": b"\r\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CR.CR": b"\r.\r",
    "CRLF.CR": b"\r\n.\r",
    "CR.CRLF": b"\r.\r\n",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "CRLF NUL.NUL CRLF": b"\r\n\0.\0\r\n",
    "CR NUL LF.CRLF": b"\r\0\n.\r\n",
    "CRLF.CR NUL LF": b"\r\n.\r\0\n",
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("end", FALSE_ENDS)
@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
def test_no_second_mail_is_smuggled_in(ports, inner, name, end, role, in_pieces):
    false_end = FALSE_ENDS[end]
    smuggled = (
        f"MAIL FROM:<ceo@example.org>\r\nRCPT TO:<{name}-smuggled@example.org>\r\nDATA\r\n"
        "Subject: smuggled\r\n\r\nspoof\r\n.\r\n"
    ).encode()
    before = mail(name, "text")
    delivered = len(inner.messages)
    with Peer(ports[role]) as peer:
        peer.hello()
        for command in ("MAIL FROM:<a@sender.test>", f"RCPT TO:<{name}@example.org>", "DATA"):
            answer = peer.say(command)
        assert answer.startswith(b"354")
        if in_pieces:
            for octet in false_end:
                peer.raw(before + bytes([octet]))
                before = b""
                time.sleep(0.001)
        else:
            peer.raw(before + false_end)
        peer.raw(smuggled)
        answer = peer.reply()
        assert peer.say("NOOP") == b"250 2.0.0 Ok\r\n"
    assert copies(inner, f"{name}-smuggled@example.org") == []
    text = mail(name, "text") + false_end + smuggled.removesuffix(b".\r\n")
    is_bare = any(octet in false_end.replace(b"\r\n", b"") for octet in b"\r\n")
    is_nul_dot = end.startswith("CRLF NUL.")
    if role != "after_queue" and (is_bare or is_nul_dot):
        assert answer.startswith(b"550 5.5.2 ")
        assert len(inner.messages) == delivered
        return
    # One mail, the smuggled commands are its text, and no other server sees an end in it either.
    assert answer.startswith(b"250 ")
    raw = only_copy(inner, name)
    if not is_bare and not is_nul_dot:
        # A dot with something behind it is stuffed by the peer's rules: the first dot goes.
        assert raw == text.replace(b"\r\n.", b"\r\n")
    expected = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n") == expected.count(b"\n")
    assert b"spoof" in raw


# Commands.


def replies_to(port: int, octets: bytes, *, ehlo: bool = True) -> list[bytes]:
    """All replies to some octets, sent at once with our side closed behind them."""
    with Peer(port) as peer:
        assert peer.reply().startswith(b"220")
        if ehlo:
            assert peer.say("EHLO client.test").startswith(b"250")
        peer.raw(octets)
        peer.socket.shutdown(socket.SHUT_WR)
        return list(iter(peer.reply, b""))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ["GET", "POST", "HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS"])
def test_an_http_request_ends_the_connection(ports, inner, verb, role):
    body = b"EHLO x\r\nMAIL FROM:<http@sender.test>\r\n"
    request = b"%s / HTTP/1.1\r\nHost: mx.test\r\n\r\n%s" % (verb.encode(), body)
    (answer,) = replies_to(ports[role], request, ehlo=False)
    assert answer == b"421 4.7.0 This is no web server\r\n"
    assert [line for line in inner.commands if b"http@sender.test" in line] == []


WRONG_ORDER = [
    (["MAIL FROM:<a@sender.test>"], ["503 5.5.1"], False),
    (["RCPT TO:<b@example.org>"], ["503 5.5.1"], False),
    (["RCPT TO:<b@example.org>"], ["503 5.5.1"], True),
    (["DATA"], ["503 5.5.1"], True),
    (["MAIL FROM:<a@sender.test>", "DATA"], ["250", "503 5.5.1"], True),
    (["MAIL FROM:<a@sender.test>", "MAIL FROM:<c@sender.test>"], ["250", "503 5.5.1"], True),
    (
        ["MAIL FROM:<a@sender.test>", "RCPT TO:<b@example.org>", "RSET", "DATA"],
        ["250", "250", "250", "503 5.5.1"],
        True,
    ),
    (
        ["MAIL FROM:<a@sender.test>", "RCPT TO:<b@example.org>", "EHLO again.test", "DATA"],
        ["250", "250", "250", "503 5.5.1"],
        True,
    ),
    (["DATA now", "RSET now", "QUIT now"], ["503 5.5.1", "501 5.5.4", "501 5.5.4"], True),
]


@pytest.mark.parametrize(("commands", "expected", "ehlo"), WRONG_ORDER)
def test_commands_in_the_wrong_order(ports, commands, expected, ehlo):
    octets = "".join(f"{command}\r\n" for command in commands).encode()
    answers = replies_to(ports["mx"], octets, ehlo=ehlo)
    assert len(answers) == len(expected)
    for answer, start in zip(answers, expected, strict=True):
        assert answer.startswith(start.encode())


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:a@sender.test>",
        b"MAIL FROM:<a@sender.test",
        b"MAIL FROM:<<a@sender.test>>",
        b"MAIL FROM:<a@b@sender.test>",
        b"MAIL FROM:<a>",
        b"MAIL FROM:<@sender.test>",
        b"MAIL FROM:<a@>",
        b"MAIL FROM:<a b@sender.test>",
        b"MAIL FROM:<a@sender..test>",
        b"MAIL FROM:<a@[300.1.2.3]>",
        b'MAIL FROM:<"a@sender.test>',
        b"MAIL FROM:<a@sender.test>\tSIZE=x",
        b"MAIL FROM:<a@sender.test> SIZE=x",
        b"MAIL FROM:<a@sender.test> SIZE=1 SIZE=2",
        b"MAIL FROM:<a@sender.test> =",
        b"MAIL FROM:<\xff@sender.test>",
        b"MAIL FROM:<\xc3\xa9@sender.test>",
        b"MAIL FROM <a@sender.test>",
        b"MAIL",
        b"MAIL TO:<a@sender.test>",
        b"EHLO",
        b"EHLO \x01",
    ],
)
def test_malformed_arguments_are_5xx_and_go_nowhere(ports, inner, line):
    asked = list(inner.commands)
    for role in ROLES:
        (answer,) = replies_to(ports[role], line + b"\r\n")
        assert answer.startswith((b"501 5.", b"553 5.6.7"))
    assert [one for one in inner.commands[len(asked) :] if one.startswith(b"MAIL")] == []


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"NOOP\n", [b"500 5.5.2"]),
        (b"NOOP\rNOOP\r\n", [b"500 5.5.2"]),
        (b"NOOP\0\r\n", [b"500 5.5.2"]),
        (b"\r\n", [b"500 5.5.2"]),
        (b"\0\0\0\r\n", [b"500 5.5.2"]),
        (b"N\xc3\xb6\xc3\xb6p\r\n", [b"500 5.5.2"]),
        (b"NOOP " + b"x" * 100_000 + b"\r\nNOOP\r\n", [b"500 5.5.2", b"250"]),
        (b"x" * 3_000_000 + b"\r\nNOOP\r\n", [b"500 5.5.2", b"250"]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 400 + b"\r\n", [b"500 5.5.2"]),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nNOOP\r\n", [b"500 5.5.2", b"250"]),
        (b"XCLIENT ADDR=192.0.2.1\r\n", [b"550 5.7.0"]),
        (b"AUTH PLAIN AGEAYg==\r\n", [b"502 5.5.1"]),
        (b"STARTTLS\r\n", [b"502 5.5.1"]),
        (b"VRFY a\r\nEXPN a\r\nHELP\r\n", [b"252", b"502", b"214"]),
        (b"BDAT 20 LAST\r\nMAIL FROM:<bdat@sender.test>\r\n", [b"421 4.7.0"]),
        (b"WHAT\r\n" * 30, [b"500 5.5.2"] * 9 + [b"421 4.7.0"]),
    ],
)  # fmt: skip
def test_lines_that_are_no_commands(ports, octets, expected):
    answers = replies_to(ports["mx"], octets)
    assert len(answers) == len(expected)
    for answer, start in zip(answers, expected, strict=True):
        assert answer.startswith(start)


def test_what_was_said_before_tls_does_not_count(ports, inner, name):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with Peer(ports["tls"]) as peer:
        peer.hello()
        assert peer.say("MAIL FROM:<a@sender.test>").startswith(b"530 5.7.0")
        injected = b"EHLO injected.test\r\nMAIL FROM:<injected@sender.test>\r\n"
        peer.raw(b"STARTTLS\r\n" + injected)
        assert peer.reply().startswith(b"220")
        with Peer.over(context.wrap_socket(peer.socket)) as secured:
            assert secured.say("RCPT TO:<b@example.org>").startswith(b"503 5.5.1")
            greeting = secured.say("EHLO client.test")
            assert greeting.startswith(b"250")
            assert b"STARTTLS" not in greeting
            assert secured.send(mail(name), to=[f"{name}@example.org"]).startswith(b"250")
    (message,) = copies(inner, f"{name}@example.org")
    assert b"with ESMTPS" in message.raw.partition(b"\r\n\r\n")[0]
    assert [line for line in inner.commands if b"injected" in line] == []


# Connections that end early, or half.


@pytest.mark.parametrize("role", ROLES)
def test_everything_in_one_write_and_our_side_closed(ports, inner, name, role):
    raw = mail(name)
    octets = (
        f"MAIL FROM:<a@sender.test>\r\nRCPT TO:<{name}@example.org>\r\nDATA\r\n".encode()
        + raw
        + b".\r\nQUIT\r\n"
    )
    answers = replies_to(ports[role], octets)
    assert [answer[:3] for answer in answers] == [b"250", b"250", b"354", b"250", b"221"]
    assert only_copy(inner, name) == raw


@pytest.mark.parametrize("is_half", [True, False], ids=["half-closed", "closed"])
@pytest.mark.parametrize(
    "content", [b"", b"Subject: cut\r\n\r\ntext", b"Subject: cut\r\n\r\ntext\r\n.", b"a\r\n.\r"]
)
def test_a_mail_without_its_end_is_none(ports, inner, name, content, is_half):
    with Peer(ports["mx"]) as peer:
        peer.hello()
        for command in ("MAIL FROM:<a@sender.test>", f"RCPT TO:<{name}@example.org>", "DATA"):
            peer.say(command)
        peer.raw(content)
        if is_half:
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.reply() == b""
    assert offer(ports["mx"], f"{name}-next", mail(name)).startswith(b"250")
    assert copies(inner, f"{name}@example.org") == []


def test_no_front_has_died_and_memory_is_bounded(ports):
    running = ports.running
    (front,) = running.children("milter.app.front_process")
    readers = running.children("milter.readers.zygote")
    assert running.metric("lurewall_fronts_ended_total") == 0
    assert running.metric("lurewall_in_flight_bytes") == 0
    assert peak_bytes(front) < FRONT_BYTES
    assert max(map(peak_bytes, readers)) < READER_BYTES
    # Who closed its side before our reply may not have read it; nothing else was wrong with us.
    assert {event["kind"] for event in running.events("problem")} <= {"peer_gone"}


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no memory")
