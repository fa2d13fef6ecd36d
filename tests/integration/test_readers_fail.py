"""Readers that hang or die under a message: it is judged on its text, or goes the way of the policy.

There is one reader, so that the test knows which process has the message. A stopped process stands
for one that hangs; killed while stopped, for one that crashed in the middle of its work. With the
template stopped too there is no successor, and nothing can be judged.
"""

import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest

from milter.demo.inner_server import InnerServer
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import copies, inner_server
from tests.support.kept import held_mails
from tests.support.mails import lure, mail, without_our_fields

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("readers")]

ZYGOTE = "milter.readers.zygote"
BIG = (
    "<table>" + "<tr><td>A cell of a long table of figures</td></tr>\r\n" * 20_000 + "</table>\r\n"
)
WAIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@contextmanager
def small_gateway(inner: InnerServer, folder, cannot_judge: str):
    with gateway(
        folder,
        inner_port=inner.port,
        readers=1,
        more=f'[judgement]\ndeadline_seconds = 2.0\ncannot_judge = "{cannot_judge}"',
    ) as started:
        yield started


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    with small_gateway(inner, tmp_path_factory.mktemp("deliver"), "deliver") as started:
        yield started


def readers(running: Gateway) -> tuple[int, list[int]]:
    """The template and the readers: the template was there first."""
    template, *forked = sorted(running.children(ZYGOTE))
    return template, forked


@contextmanager
def stopped(*pids: int):
    """These processes do nothing until the end of the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue


def send(running: Gateway, name: str, raw: bytes) -> bytes:
    with Peer(running.port, timeout=WAIT_SECONDS) as peer:
        peer.hello()
        return peer.send(raw, to=[f"{name}@example.org"])


class Sending(threading.Thread):
    """A message on its way in the background."""

    def __init__(self, running: Gateway, name: str, raw: bytes) -> None:
        super().__init__(daemon=True)
        self._work = (running, name, raw)
        self._answer = b""
        self.start()

    def run(self) -> None:
        self._answer = send(*self._work)

    def answer(self) -> bytes:
        self.join(WAIT_SECONDS)
        assert not self.is_alive()
        return self._answer


def is_busy(running: Gateway) -> bool:
    return running.metric("lurewall_readers", state="busy") == 1


def logged(running: Gateway, name: str) -> dict:
    """The one line of the mail log about a message to NAME."""
    (event,) = [
        event
        for event in running.events("message")
        if event["recipients"] == [f"{name}@example.org"]
    ]
    return event


def assert_unharmed(running: Gateway, inner: InnerServer, name: str) -> None:
    """The next message is judged in full and arrives as it was."""
    eventually(running.is_ready)
    raw = mail(name)
    assert send(running, name, raw).startswith(b"250")
    (message,) = copies(inner, f"{name}@example.org")
    assert without_our_fields(message.raw) == raw
    event = logged(running, name)
    assert (event["first_failure"], event["degraded"]) == ("", [])


def test_a_reader_that_hangs_costs_a_mail_its_attachments_only(running, inner):
    _template, (reader,) = readers(running)
    ended = running.metric("lurewall_readers_ended_total", reason="timeout")
    with stopped(reader):
        raw = mail("hang")
        assert send(running, "hang", raw).startswith(b"250")
    (message,) = copies(inner, "hang@example.org")
    assert without_our_fields(message.raw) == raw
    event = logged(running, "hang")
    assert (event["first_failure"], event["degraded"]) == ("timeout", ["text only after timeout"])
    assert running.metric("lurewall_readers_ended_total", reason="timeout") == ended + 1
    assert running.metric("lurewall_degraded_total", reason="text_only") >= 1
    assert reader not in running.children(ZYGOTE)
    assert_unharmed(running, inner, "after-hang")


def test_a_reader_that_dies_at_work_costs_a_mail_its_attachments_only(running, inner):
    _template, (reader,) = readers(running)
    raw = mail("crash")
    with stopped(reader):
        sending = Sending(running, "crash", raw)
        eventually(lambda: is_busy(running))
        os.kill(reader, signal.SIGKILL)
        assert sending.answer().startswith(b"250")
    (message,) = copies(inner, "crash@example.org")
    assert without_our_fields(message.raw) == raw
    event = logged(running, "crash")
    assert (event["first_failure"], event["degraded"]) == ("crash", ["text only after crash"])
    assert_unharmed(running, inner, "after-crash")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_in_the_middle_of_a_big_message(running, inner, number):
    name = f"big-{number.name.lower()}"
    _template, (reader,) = readers(running)
    raw = mail(name, BIG, header="Content-Type: text/html\r\n")
    with stopped(reader):
        sending = Sending(running, name, raw)
        eventually(lambda: is_busy(running))
    time.sleep(0.01)
    os.kill(reader, number)
    assert sending.answer().startswith(b"250")
    (message,) = copies(inner, f"{name}@example.org")
    assert without_our_fields(message.raw) == raw
    assert logged(running, name)["first_failure"] == (
        "timeout" if number == signal.SIGSTOP else "crash"
    )
    assert_unharmed(running, inner, f"after-{name}")


@pytest.mark.parametrize("is_killed", [False, True], ids=["hang", "crash"])
def test_a_crash_is_no_way_past_the_judgement(running, inner, is_killed):
    name = f"lure-{is_killed}"
    _template, (reader,) = readers(running)
    with stopped(reader):
        sending = Sending(running, name, lure(name))
        if is_killed:
            eventually(lambda: is_busy(running))
            os.kill(reader, signal.SIGKILL)
        assert sending.answer().startswith(b"250")
    assert copies(inner, f"{name}@example.org") == []
    assert held_mails(running)[f"{name}@example.org"] == [lure(name)]


def test_what_nobody_can_judge_is_delivered_and_marked(running, inner):
    template, (reader,) = readers(running)
    with stopped(template, reader):
        raw = lure("degraded")
        assert send(running, "degraded", raw).startswith(b"250")
    (message,) = copies(inner, "degraded@example.org")
    assert without_our_fields(message.raw) == raw
    assert b"degraded=examination: timeout" in message.raw.partition(b"\r\n\r\n")[0]
    event = logged(running, "degraded")
    assert event["degraded"] == ["examination: timeout"]
    # The deadline is 2 s; the bound leaves room for a machine that is busy.
    assert event["seconds"]["judgement"] < 10.0
    assert running.metric("lurewall_degraded_total", reason="reader_timeout") >= 1
    assert_unharmed(running, inner, "after-degraded")


def test_the_template_dies_and_mail_flows(running, inner):
    template, (reader,) = readers(running)
    os.kill(template, signal.SIGKILL)
    os.kill(reader, signal.SIGKILL)
    for number in range(3):
        name = f"no-template-{number}"
        raw = mail(name)
        assert send(running, name, raw).startswith(b"250")
        (message,) = copies(inner, f"{name}@example.org")
        assert without_our_fields(message.raw) == raw
    eventually(lambda: len(running.children(ZYGOTE)) == 2)
    assert_unharmed(running, inner, "after-template")
    assert running.metric("lurewall_templates_ended_total") == 1


def test_what_nobody_can_judge_waits_where_the_policy_says_so(inner, tmp_path):
    with small_gateway(inner, tmp_path, "defer") as running:
        template, (reader,) = readers(running)
        with stopped(template, reader):
            answer = send(running, "defer", mail("defer"))
        assert answer.startswith(b"451 4.7.1 ")
        assert copies(inner, "defer@example.org") == []
        eventually(running.is_ready)
        assert send(running, "defer", mail("defer")).startswith(b"250")
        assert len(copies(inner, "defer@example.org")) == 1
