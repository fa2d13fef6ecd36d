"""A real Prometheus scrapes a real gateway: panels have data, and each alert fires and clears.

The shipped rules run at a hundred and fiftieth of their time (tests/support/prometheus.py); every
fault is the real one: a stopped process, a server that hangs up, a folder that cannot be written.
"""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from config.grafana import build as dashboards
from milter.demo.inner_server import Fault, InnerServer
from tests.support import prometheus as support
from tests.support.client import Peer
from tests.support.gateway import Gateway, command_line, descendants, eventually, gateway
from tests.support.inner import inner_server, misbehave
from tests.support.mails import LURE_TEXT, mail
from tests.support.prometheus import Prometheus, hastened, prometheus
from tests.support.zone import DnsServer

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(420),
    pytest.mark.skipif(bool(support.why_not()), reason=support.why_not()),
]

TAGGED_TEXT = "As discussed on LinkedIn, let us go on over WhatsApp: +44 7700 900123.\r\n"
RULES = support.CONFIG / "lurewall.rules.yml"
PATIENCE = 60.0
GROWN_SECONDS = 1.0
HANGS_UP = (
    Fault(stage="greeting", drop=True),
    Fault(stage="mail", drop=True),
    Fault(stage="rset", drop=True),
)


class Watched:
    """A gateway under a mixed load, what stands behind it, and who watches it."""

    def __init__(self, running: Gateway, inner: InnerServer, watcher: Prometheus) -> None:
        self.gateway = running
        self.inner = inner
        self.watcher = watcher
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._load, args=(n,)) for n in range(2)]

    @contextmanager
    def under_load(self) -> Iterator["Watched"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join(30)

    def send(self, name: str, text: str) -> bytes:
        with Peer(self.gateway.port, timeout=20) as peer:
            peer.hello()
            return peer.send(mail(name, text), to=[f"{name}@example.org"])

    def fires(self, alert: str) -> None:
        eventually(lambda: alert in self.watcher.firing(), seconds=PATIENCE)

    def clears(self, alert: str) -> None:
        eventually(lambda: alert not in self.watcher.firing(), seconds=PATIENCE)

    def _load(self, number: int) -> None:
        """Ordinary and tagged mail, about twenty a second, whatever becomes of it."""
        sent = 0
        while not self._ended.wait(0.1):
            sent += 1
            # The gateway may be away, hang up or refuse: that is what is watched.
            with suppress(OSError, AssertionError):
                self.send(
                    f"load{number}-{sent}", TAGGED_TEXT if sent % 10 == 0 else "Lunch at noon.\r\n"
                )


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        inner_server() as inner,
        DnsServer({}) as dns,
        gateway(
            folder / "gateway",
            inner_port=inner.port,
            fronts=2,
            readers=1,
            authentication=f'verify = "always"\nnameservers = ["127.0.0.1:{dns.port}"]',
            more=SHORT_DEADLINE,
        ) as running,
        prometheus(
            folder / "prometheus",
            admin_port=running.admin_port,
            rules=hastened(RULES.read_text()),
        ) as watcher,
        Watched(running, inner, watcher).under_load() as all_of_it,
    ):
        yield all_of_it


SHORT_DEADLINE = """
[judgement]
deadline_seconds = 2.0
"""


def front_pids(running: Gateway) -> list[int]:
    return running.children("front_process")


def reader_pids(running: Gateway) -> list[int]:
    """The readers of all fronts: copies of the zygote, which is the eldest child of its front."""
    found = []
    for front in front_pids(running):
        below = [pid for pid in descendants(front) if "zygote" in command_line(pid)]
        found += sorted(below, key=_started)[1:]
    return found


def _started(pid: int) -> int:
    """When a process began, in ticks since the machine did (proc(5))."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    return sys.maxsize


# What is first tried is a first hold of which the contact cannot be told.


def test_notices_failing(watched: Watched) -> None:
    misbehave(
        watched.inner,
        Fault(stage="rcpt", reply=b"450 4.2.1 not now\r\n", recipient=b"security@example.org"),
    )
    assert watched.send("held", LURE_TEXT).startswith(b"250")
    watched.fires("LurewallNoticesFailing")
    misbehave(watched.inner)
    watched.clears("LurewallNoticesFailing")


def test_held_mail_ageing(watched: Watched) -> None:
    watched.fires("LurewallHeldMailAgeing")
    for hold in watched.gateway.held():
        subprocess.run(
            [sys.executable, "-m", "milter", "quarantine", "delete", hold["id"], "--yes", "--config",
             str(watched.gateway.configuration)],
            check=True, capture_output=True,
        )  # fmt: skip
    watched.clears("LurewallHeldMailAgeing")


def test_next_hop_down_and_fronts_not_ready(watched: Watched) -> None:
    misbehave(watched.inner, *HANGS_UP)
    watched.fires("LurewallNextHopDown")
    watched.fires("LurewallFrontsNotReady")
    misbehave(watched.inner)
    watched.clears("LurewallNextHopDown")
    watched.clears("LurewallFrontsNotReady")


def test_slow(watched: Watched) -> None:
    misbehave(watched.inner, Fault(stage="end_of_data", delay_seconds=0.6))
    watched.fires("LurewallSlow")
    misbehave(watched.inner)
    watched.clears("LurewallSlow")


def test_readers_restarting(watched: Watched) -> None:
    def killed_again() -> bool:
        for pid in reader_pids(watched.gateway):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return "LurewallReadersRestarting" in watched.watcher.firing()

    eventually(killed_again, seconds=PATIENCE)
    watched.clears("LurewallReadersRestarting")


def test_degraded(watched: Watched) -> None:
    first_seen: dict[int, float] = {}

    def hung_again() -> bool:
        for pid in reader_pids(watched.gateway):
            # One that has not even greeted yet would be waited for, as a slow start is.
            grown = time.monotonic() - first_seen.setdefault(pid, time.monotonic()) > GROWN_SECONDS
            with suppress(ProcessLookupError):
                if grown:
                    os.kill(pid, signal.SIGSTOP)
        return "LurewallDegraded" in watched.watcher.firing()

    eventually(hung_again, seconds=PATIENCE)
    watched.clears("LurewallDegraded")


def test_store_down(watched: Watched) -> None:
    folder = watched.gateway.folder / "state" / "quarantine"
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_bytes(b"no folder")
    try:
        assert watched.send("unheld", LURE_TEXT).startswith(b"451")
        watched.fires("LurewallStoreDown")
    finally:
        folder.unlink()
        away.rename(folder)
    watched.clears("LurewallStoreDown")


def test_memory_away(watched: Watched) -> None:
    (file,) = (watched.gateway.folder / "state" / "history").glob("*.db")
    other = sqlite3.connect(file, isolation_level=None)
    with closing(other):
        other.execute("begin immediate")
        watched.fires("LurewallMemoryAway")
        other.execute("rollback")
    watched.clears("LurewallMemoryAway")


def test_quarantine_rate(watched: Watched) -> None:
    for number in range(30):
        assert watched.send(f"campaign{number}", LURE_TEXT).startswith(b"250")
    watched.fires("LurewallQuarantineRate")
    watched.clears("LurewallQuarantineRate")


def test_reload_refused(watched: Watched) -> None:
    good = watched.gateway.configuration.read_text()
    watched.gateway.configuration.write_text(good + "\nno_such_key = 1\n")
    try:
        watched.gateway.signal(signal.SIGHUP)
        watched.fires("LurewallReloadRefused")
    finally:
        watched.gateway.configuration.write_text(good)
    watched.clears("LurewallReloadRefused")


def test_every_query_of_every_panel_returns_series(watched: Watched) -> None:
    assert watched.send("panels", LURE_TEXT).startswith(b"250")
    support.hold_still(1.0)
    empty = []
    for name in dashboards.DASHBOARDS:
        shipped = json.loads((dashboards.FOLDER / f"{name}.json").read_text())
        for panel in shipped["panels"]:
            for target in panel["targets"]:
                query = target["expr"].replace("$instance", ".*")
                samples = watched.watcher.query(query.replace("$__rate_interval", "5m"))
                values = [float(sample["value"][1]) for sample in samples]
                if not any(map(math.isfinite, values)):
                    empty.append((panel["title"], query))
    assert empty == []


def test_down(watched: Watched) -> None:
    assert watched.gateway.stop() == 0
    watched.fires("LurewallDown")
    watched.gateway.start()
    watched.clears("LurewallDown")


def test_integrity_mismatch(tmp_path: Path) -> None:
    with (
        inner_server() as inner,
        gateway(tmp_path / "gateway", inner_port=inner.port, start=False) as running,
    ):
        unproved = Gateway(
            running.folder,
            port=running.port,
            admin_port=running.admin_port,
            command=[sys.executable, "-m", "tests.support.unproved", str(running.configuration)],
        )
        unproved.start()
        running.process = unproved.process
        rules = hastened(RULES.read_text())
        with prometheus(
            tmp_path / "prometheus", admin_port=running.admin_port, rules=rules
        ) as seen:
            watched = Watched(running, inner, seen)
            assert watched.send("unproved", TAGGED_TEXT).startswith(b"250")
            watched.fires("LurewallIntegrityMismatch")
            watched.clears("LurewallIntegrityMismatch")
        assert TAGGED_TEXT.encode() in inner.messages[0].raw
