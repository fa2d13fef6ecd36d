"""A real gateway of a test's own: `lurewall serve` in a folder, on free ports, ended by the test."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

START_SECONDS = 90.0

CONFIGURATION = """
mode = "{mode}"
hostname = "gateway.test"
domains = ["example.org"]
contact = "security@example.org"
inner_hop_trusts_us = true
state_dir = "{folder}/state"
drain_seconds = 20.0
fronts = {fronts}
readers = {readers}
{top}
[[listen]]
role = "{role}"
port = {port}
{listen}
[next_hop]
host = "127.0.0.1"
port = {inner_port}
{next_hop}
[authentication]
{authentication}
[limits]
connections_per_address = 500
connections_per_network = 500
{limits}
[admin]
port = {admin_port}
[mail_log]
file = "{folder}/mail.jsonl"
addresses = "full"
[quarantine]
notice_interval_seconds = 3600.0
{more}
"""


class Gateway:
    """A running gateway and what it wrote."""

    def __init__(self, folder: Path, *, port: int, admin_port: int, command: list[str]) -> None:
        self.folder = folder
        self.port = port
        self.admin_port = admin_port
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command

    @property
    def configuration(self) -> Path:
        return self.folder / "gateway.toml"

    def start(self) -> None:
        """Start it and wait until it is ready for mail."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(self._command, stdout=output, stderr=output)
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            assert self.process is not None
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            return bool(self.get("/readyz")[0] == 200)
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, str]:
        """GET of the admin port: status and text."""
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """Sum of all samples of a metric with these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and all(
                f'{key}="{word}"' in head for key, word in labels.items()
            ):
                total += float(value)
        return total

    def output(self) -> str:
        path = self.folder / "output"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def events(self, name: str = "") -> list[dict]:
        """Lines of the mail log, of one event or all."""
        path = self.folder / "mail.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if not name or event["event"] == name]

    def held(self) -> list[dict]:
        """What `lurewall quarantine list` says is held."""
        done = subprocess.run(
            [sys.executable, "-m", "milter", "quarantine", "list", "--format", "json", "--config",
             str(self.configuration)],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def children(self, *words: str) -> list[int]:
        """Pids of all processes below the supervisor whose command line has all `words`."""
        assert self.process is not None
        found = descendants(self.process.pid)
        return [pid for pid in found if all(word in command_line(pid) for word in words)]

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, and the exit code after the drain."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def eventually(condition: Callable[[], object], *, seconds: float = 90.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@contextmanager
def gateway(folder: Path, *, inner_port: int, mode: str = "enforce", role: str = "before_queue",
            fronts: int = 1, readers: int = 2, top: str = "", listen: str = "", next_hop: str = "",
            limits: str = "", authentication: str = 'verify = "never"', more: str = "", start: bool = True) -> Iterator[Gateway]:  # fmt: skip
    """A gateway in front of `inner_port`; the texts are added to the tables of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    if role != "milter":
        listen = f'xforward_from = ["127.0.0.0/8"]\n{listen}'
    port, admin_port = free_port(), free_port()
    configuration = folder / "gateway.toml"
    configuration.write_text(
        CONFIGURATION.format(
            mode=mode, role=role, folder=folder, fronts=fronts, readers=readers, port=port,
            inner_port=inner_port, admin_port=admin_port, top=top, listen=listen,
            next_hop=next_hop, limits=limits, authentication=authentication, more=more,
        )
    )  # fmt: skip
    command = [sys.executable, "-m", "milter", "serve", "--config", str(configuration)]
    running = Gateway(folder, port=port, admin_port=admin_port, command=command)
    try:
        if start:
            running.start()
        yield running
    finally:
        if running.process is not None:
            below = descendants(running.process.pid)
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
                try:
                    running.process.wait(timeout=40)
                except subprocess.TimeoutExpired:
                    running.process.kill()
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
