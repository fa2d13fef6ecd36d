"""Stop and reload under load: no transaction is cut, no connection refused, nothing lost."""

import re
import signal

import pytest

from milter.demo.inner_server import Fault
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import inner_server
from tests.support.kept import held_mails
from tests.support.mails import lure, mail
from tests.support.steady_load import Load, delivered

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("signals")]


def send(running: Gateway, name: str, raw: bytes) -> bytes:
    with Peer(running.port) as peer:
        peer.hello()
        return peer.send(raw, to=[f"{name}@example.org"])


def test_sigterm_cuts_no_transaction(tmp_path):
    with (
        inner_server() as inner,
        gateway(tmp_path, inner_port=inner.port) as running,
        Peer(running.port) as writing,
        Peer(running.port) as idle,
    ):
        # Slow enough that each sender is in the middle of something when the signal comes.
        inner.faults.append(Fault(stage="end_of_data", delay_seconds=0.1))
        writing.hello()
        idle.hello()
        for command in ("MAIL FROM:<a@sender.test>", "RCPT TO:<late@example.org>", "DATA"):
            writing.say(command)
        with Load(running.port) as load:
            running.signal(signal.SIGTERM)
            assert idle.reply().startswith(b"421 4.3.2 ")
            assert idle.reply() == b""
            # This one still writes: it may end what it began, and begin nothing more.
            assert writing.content(mail("late")).startswith(b"250")
            assert writing.reply().startswith(b"421 4.3.2 ")
            assert running.process is not None
            assert running.process.wait(timeout=60) == 0
        assert [one for sender in load.senders for one in sender.cut] == []
        assert {answer[:3] for _name, answer in load.replies} == {b"250"}
        counts = delivered(inner)
        assert [name for name, _ in load.replies if counts[name] != 1] == []
        assert counts["late"] == 1
        assert running.events("stopped")
        assert running.events("problem") == []


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    with gateway(folder, inner_port=inner.port, mode="enforce") as started:
        yield started


def test_sighup_puts_a_new_configuration_in_force_under_load(running, inner):
    assert send(running, "held", lure("held")).startswith(b"250")
    assert held_mails(running)["held@example.org"] == [lure("held")]
    reloads = running.metric("lurewall_reloads_total", result="accepted")
    text = running.configuration.read_text()
    running.configuration.write_text(text.replace('mode = "enforce"', 'mode = "annotate"'))
    with Load(running.port) as load:
        running.signal(signal.SIGHUP)
        eventually(
            lambda: running.metric("lurewall_reloads_total", result="accepted") == reloads + 1
        )
        load.wait_for_more()
    assert load.failed == []
    # Who was connected to the old front and had begun nothing is told to come again, once.
    for sender in load.senders:
        assert len(sender.told_later) <= 1
        assert all(answer.startswith(b"421 4.3.2 ") for answer in sender.told_later)
    assert {answer[:3] for _name, answer in load.replies} == {b"250"}
    counts = delivered(inner)
    assert [name for name, _ in load.replies if counts[name] != 1] == []
    assert send(running, "tagged", lure("tagged")).startswith(b"250")
    assert delivered(inner)["tagged"] == 1
    assert "tagged@example.org" not in held_mails(running)
    assert running.is_ready()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (r"(?m)^mode = .*", 'mode = "no such mode"'),
        (r"(?m)^mode = .*", 'mode = "observe"\nmisspelt = 1'),
        (r"\[next_hop\]", "[next_hop"),
        (
            r"\[next_hop\]",
            '[arc]\ndomain = "gate.example"\n[[arc.keys]]\nselector = "lw1"\n'
            f'key_file = "{__file__}"\n[next_hop]',
        ),
    ],
    ids=["wrong value", "unknown key", "no TOML", "no key to seal with"],
)
def test_sighup_refuses_a_bad_configuration_whole(running, good, bad):
    text = running.configuration.read_text()
    reloads = {
        result: running.metric("lurewall_reloads_total", result=result)
        for result in ("accepted", "refused")
    }
    assert send(running, "before", lure("before")).startswith(b"250")
    running.configuration.write_text(re.sub(good, lambda _: bad, text, count=1))
    try:
        running.signal(signal.SIGHUP)
        eventually(
            lambda: (
                running.metric("lurewall_reloads_total", result="refused") == reloads["refused"] + 1
            )
        )
    finally:
        running.configuration.write_text(text)
    assert running.metric("lurewall_reloads_total", result="accepted") == reloads["accepted"]
    assert running.events("reload")[-1]["result"] == "refused"
    assert running.events("reload")[-1]["problems"] >= 1
    assert send(running, "after", lure("after")).startswith(b"250")
    # Not a row of the table has changed: the same mail meets the same fate.
    before, after = running.events("message")[-2:]
    assert after["rules"] == before["rules"] != []
    assert running.is_ready()
