"""kill -9 of the gateway, a front, a reader, the inner server: what got a 250 is delivered or held.

A load of senders behaves like mail servers: each sends a message until it hears 250. Meanwhile
processes are killed. In the end every message must be with the inner server or in the quarantine;
duplicates are allowed and counted, a loss is not.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from milter.demo.inner_server import Fault
from tests.support.client import Peer
from tests.support.gateway import Gateway, gateway
from tests.support.inner import inner_server
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("kill")]

HEAD = "From: Desk <desk.one@gmail.com>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{to}>\r\n\r\n"
PLAIN = "Lunch is at noon, the room is the same as last week.\r\n"
LURE = (
    "A partner of ours, whom I cannot name, would like a short paper of six to eight pages. "
    "The honorarium is 2,000 USD per paper, in cash or USDT.\r\n"
    "They value what is not in the press: internal planning and budget drafts.\r\n"
    "Write to me on Signal rather than to your office address, my username is desk.41.\r\n"
    "There is no need to mention this to your employer.\r\n"
)
BIG = PLAIN * 20_000


class InnerProcess:
    """The inner server as a process that can be killed; its folder is what it answered 250 for."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "milter.demo.inner_server", "--port", str(self.port),
             "--folder", str(self.folder)],
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                with Peer(self.port, timeout=2) as peer:
                    assert peer.reply().startswith(b"220")
                return
            except (OSError, AssertionError):
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "InnerProcess":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def recipients(self) -> Counter[str]:
        return Counter(
            recipient
            for path in self.folder.glob("*.json")
            for recipient in json.loads(path.read_text())["recipients"]
        )


class Load(threading.Thread):
    """One sender: each message again and again until it is taken."""

    def __init__(self, number: int, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.port = port
        self.stop = stop
        self.taken: list[str] = []
        self.permanent: list[bytes] = []

    def run(self) -> None:
        bodies = itertools.cycle([PLAIN, LURE, PLAIN, PLAIN, BIG])
        for count in itertools.count():
            if self.stop.is_set():
                return
            to = f"s{self.number}-{count}@example.org"
            raw = (HEAD.format(to=to, subject=f"note {count}") + next(bodies)).encode()
            while not self.sent(to, raw):
                time.sleep(0.1)

    def sent(self, to: str, raw: bytes) -> bool:
        try:
            with Peer(self.port, timeout=30) as peer:
                peer.hello()
                answer = peer.send(raw, to=[to], sender=f"x{self.number}@sender.test")
        except (OSError, AssertionError):
            return False
        if answer.startswith(b"5"):
            self.permanent.append(answer)
        if answer.startswith(b"250"):
            self.taken.append(to)
            return True
        return False


def start_again(running: Gateway) -> None:
    """Like an init system: until the port is free again and the gateway is up."""
    deadline = time.monotonic() + 90
    while True:
        try:
            running.start()
            return
        except AssertionError:
            assert time.monotonic() < deadline, running.output()
            time.sleep(0.3)


def kill_one(target: str, running: Gateway, inner: InnerProcess, chance: random.Random) -> None:
    if target == "inner":
        inner.kill()
        time.sleep(chance.uniform(0.1, 0.5))
        inner.start()
    elif target == "gateway":
        assert running.process is not None
        running.process.kill()
        running.process.wait()
        start_again(running)
    else:
        word = {"front": "milter.app.front_process", "reader": "milter.readers.zygote"}[target]
        pids = running.children(word)
        assert pids, running.output()
        os.kill(chance.choice(pids), signal.SIGKILL)
        if target == "front":
            running.wait_ready()


@pytest.mark.parametrize("target", ["reader", "front", "gateway", "inner"])
def test_nothing_is_lost_under_load(tmp_path, target):
    chance = random.Random(f"kill {target}")
    stop = threading.Event()
    with (
        InnerProcess(tmp_path / "delivered") as inner,
        gateway(tmp_path / "gateway", inner_port=inner.port) as running,
    ):
        senders = [Load(number, running.port, stop) for number in range(6)]
        for sender in senders:
            sender.start()
        for _ in range(5):
            time.sleep(chance.uniform(0.3, 1.2))
            kill_one(target, running, inner, chance)
        time.sleep(0.5)
        stop.set()
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
        running.wait_ready()
        # Recovery of pending holds is the first thing a start does; a clean restart shows all.
        running.stop()
        start_again(running)
        held = Counter(to["address"] for record in running.held() for to in record["recipients"])
        running.stop()
    delivered = inner.recipients()
    taken = [to for sender in senders for to in sender.taken]
    assert [answer for sender in senders for answer in sender.permanent] == []
    assert len(taken) > 20
    assert [to for to in taken if not delivered[to] and not held[to]] == []
    doubled = sum((delivered[to] + held[to]) > 1 for to in taken)
    print(f"{target}: {len(taken)} taken, {sum(held.values())} held, {doubled} doubled")


@pytest.mark.parametrize("stage", ["greeting", "mail", "rcpt", "data", "content", "end_of_data"])
def test_front_killed_while_the_next_hop_is_at(tmp_path, stage):
    with (
        inner_server(faults=[]) as inner,
        gateway(tmp_path / "gateway", inner_port=inner.port) as running,
    ):
        inner.faults.append(Fault(stage=stage, delay_seconds=2.0))
        raw = (HEAD.format(to="k@example.org", subject="k") + PLAIN).encode()
        answers: list[bytes] = []

        def send() -> None:
            try:
                with Peer(running.port, timeout=30) as peer:
                    peer.hello()
                    answers.append(peer.send(raw, to=["k@example.org"]))
            except (OSError, AssertionError):
                answers.append(b"")

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(1.0)
        for pid in running.children("milter.app.front_process"):
            os.kill(pid, signal.SIGKILL)
        sender.join(30)
        assert not answers[0].startswith((b"2", b"5"))
        inner.faults.clear()
        running.wait_ready()
        with Peer(running.port) as peer:
            peer.hello()
            assert peer.send(raw, to=["k@example.org"]).startswith(b"250")
        copies = sum(b"k@example.org" in message.recipients for message in inner.messages)
        assert copies in (1, 2)
