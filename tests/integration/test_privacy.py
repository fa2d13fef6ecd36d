"""No word of a mail is written anywhere but to the next hop and, encrypted, to the quarantine.

Mails carry a marker in every place that a person fills in. Everything is made to go wrong while
they pass; then all that the gateway wrote or said is searched.
"""

import itertools
import os
import re
import signal
import threading

import pytest

from milter.demo.inner_server import Fault
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import copies, inner_server, misbehave
from tests.support.kept import held_mails
from tests.support.mails import LURE_TEXT, PLAIN_TEXT

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("privacy")]

MARKER = "zanderfilet"
# As it stands, and as it would look in encodings that a careless writer might use.
TRACES = [
    MARKER.encode(),
    MARKER.encode().hex().encode(),
    b"emFuZGVyZmlsZX",  # base64
    MARKER.encode("utf-16-le"),
]
# Before MAIL the next hop knows no mail that it could quote: its words then are the operator's.
STAGES = ("mail", "rcpt", "data", "content", "end_of_data")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("privacy")
    with gateway(
        folder,
        inner_port=inner.port,
        readers=1,
        next_hop="idle_seconds = 0.05",
        more="[judgement]\ndeadline_seconds = 2.0",
    ) as started:
        yield started


@pytest.fixture
def name():
    return f"p{next(_numbers)}"


def marked_mail(
    name: str, text: str = PLAIN_TEXT, *, sender: str = "<desk.one@gmail.com>"
) -> bytes:
    """A mail with the marker wherever a person writes."""
    return (
        f'From: "{MARKER} the name" {sender}\r\n'
        f"To: {MARKER} the recipient <someone@example.org>\r\n"
        f"Subject: about {MARKER}\r\n"
        f"Message-ID: <{name}@sender.test>\r\n"
        f"Comments: {MARKER}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"preamble {MARKER}\r\n--b\r\nContent-Type: text/plain; charset=x-{MARKER}\r\n\r\n"
        f"Hello {MARKER}.\r\n{text}\r\n"
        f"--b\r\nContent-Type: text/html\r\n\r\n<p title='{MARKER}'>{MARKER}</p>\r\n"
        f'--b\r\nContent-Type: application/pdf; name="{MARKER}.pdf"\r\n'
        f'Content-Disposition: attachment; filename="{MARKER}.pdf"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{MARKER}\r\n--b--\r\n"
    ).encode()


def send(running: Gateway, name: str, raw: bytes) -> bytes:
    with Peer(running.port) as peer:
        peer.hello()
        return peer.send(raw, to=[f"{name}@example.org"])


def written(running: Gateway) -> dict[str, bytes]:
    """Everything that the gateway has written or shows: files by name, and the admin port."""
    found = {
        str(path.relative_to(running.folder)): path.read_bytes()
        for path in running.folder.rglob("*")
        if path.is_file() and path != running.configuration
    }
    for page in ("/metrics", "/healthz", "/readyz"):
        found[page] = running.get(page)[1].encode()
    assert {"mail.jsonl", "output"} <= found.keys()
    return found


def assert_no_trace(running: Gateway) -> None:
    told = [
        (place, line)
        for place, octets in written(running).items()
        for line in octets.splitlines()
        if any(trace.lower() in line.lower() for trace in TRACES)
    ]
    assert told == []


def test_mail_that_is_delivered_tagged_or_held_leaves_no_trace(running, inner, name):
    assert send(running, name, marked_mail(name)).startswith(b"250")
    assert MARKER.encode() in copies(inner, f"{name}@example.org")[0].raw
    raw = marked_mail(f"{name}-held", LURE_TEXT)
    assert send(running, f"{name}-held", raw).startswith(b"250")
    assert held_mails(running)[f"{name}-held@example.org"] == [raw]
    assert_no_trace(running)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("reply", [b"450 4.7.1 ", b"550 5.7.1 ", b"421 4.7.1 ", b""])
def test_a_next_hop_that_quotes_the_mail_is_not_quoted_in_the_log(
    running, inner, name, stage, reply
):
    words = reply + f"I dislike {MARKER}\r\n".encode()
    misbehave(inner, Fault(stage=stage, reply=words, drop=not reply.startswith((b"4", b"5"))))
    try:
        send(running, name, marked_mail(name))
    finally:
        misbehave(inner)
    assert_no_trace(running)


def test_readers_that_hang_or_die_say_nothing_of_the_mail(running, inner, name):
    template, reader = sorted(running.children("milter.readers.zygote"))
    for number in (signal.SIGSTOP, signal.SIGSEGV, signal.SIGABRT):
        os.kill(reader, signal.SIGSTOP)
        sending = threading.Thread(target=send, args=(running, name, marked_mail(name)))
        sending.start()
        eventually(lambda: running.metric("lurewall_readers", state="busy") == 1)
        if number is not signal.SIGSTOP:
            os.kill(reader, number)
            os.kill(reader, signal.SIGCONT)
        sending.join(30)
        assert not sending.is_alive()
        eventually(lambda: len(running.children("milter.readers.zygote")) == 2)
        (reader,) = (pid for pid in running.children("milter.readers.zygote") if pid != template)
    assert len(copies(inner, f"{name}@example.org")) == 3
    assert_no_trace(running)


def test_a_broken_disk_is_451_and_tells_nothing(running, inner, name):
    folder = running.folder / "state" / "quarantine"
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_text("a file in the folder's place")
    try:
        answer = send(running, name, marked_mail(name, LURE_TEXT))
    finally:
        folder.unlink()
        away.rename(folder)
    assert answer.startswith(b"451 4.3.0 ")
    assert_tells_nothing(answer)
    assert copies(inner, f"{name}@example.org") == []
    assert_no_trace(running)


def assert_tells_nothing(answer: bytes) -> None:
    """A reply of ours: one line, no place in a program, no path, no word of the mail."""
    assert re.fullmatch(rb"[245]\d\d [245]\.\d+\.\d+ [\w ,.;:<>()'-]+\r\n", answer)
    for word in (b"Traceback", b"Error", b".py", b"/", MARKER.encode(), b"Exception"):
        assert word not in answer


def test_commands_with_words_of_people_leave_no_trace(running):
    for line in (
        f"EHLO {MARKER}",
        f"HELO {MARKER} {MARKER}",
        f"{MARKER} {MARKER}",
        f"MAIL FROM:<{MARKER}",
        f"MAIL FROM:<a@sender.test> X-{MARKER}={MARKER}",
        f"VRFY {MARKER}",
        f"NOOP {MARKER}",
        f"AUTH PLAIN {MARKER}",
    ):
        with Peer(running.port) as peer:
            peer.hello()
            answer = peer.say(line)
            assert MARKER.encode() not in answer
    assert_no_trace(running)


@pytest.mark.parametrize(
    "sender",
    [
        MARKER,
        f"<{MARKER}>",
        f"{MARKER} and more words",
        f"<{MARKER} with words@gmail.com>",
        f"({MARKER}) <>",
        f"undisclosed: {MARKER};",
    ],
)
def test_a_from_field_without_an_address_is_no_address(running, name, sender):
    # The log may show addresses here; a name in an address's place is none.
    assert send(running, name, marked_mail(name, sender=sender)).startswith(b"250")
    assert_no_trace(running)


def test_where_the_configuration_hides_addresses_the_log_has_none(inner, tmp_path):
    with gateway(tmp_path, inner_port=inner.port, start=False) as running:
        text = running.configuration.read_text()
        running.configuration.write_text(text.replace('"full"', '"hash"'))
        running.start()
        address = f"{MARKER}@{MARKER}.test"
        for name, words in (("plain", PLAIN_TEXT), ("held", LURE_TEXT)):
            with Peer(running.port) as peer:
                peer.hello()
                raw = marked_mail(name, words, sender=f"<{address}>")
                assert peer.send(raw, to=[address], sender=address).startswith(b"250")
        assert len(running.events("message")) == 2
        assert_no_trace(running)


def test_the_gateway_prints_nothing_at_all(running):
    # Last: whatever went wrong above, there is no trace of a stack on any stream.
    assert "Traceback" not in (running.folder / "output").read_text()
    faults = [event for event in running.events("problem") if event["kind"] == "fault"]
    assert all(re.fullmatch(r"\w+ at [\w.]+:\d+", event["error"]) for event in faults)
