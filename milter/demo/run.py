"""`lurewall demo`: the real gateway in enforce mode, a small inner server behind it, sample mail.

Needs no root, no Redis, and no DNS but its own, which vouches for honest senders: everything lies
in a folder of its own that goes away at the end.
Leaves the gateway running until Ctrl-C, unless DEMO_EXIT is set or there is no terminal.
Failure: exit code 1 with the gateway's own words where it does not start or a mail gets lost.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from smtplib import SMTP

from rich.console import Console
from rich.table import Table

from milter.demo.inner_server import InnerServer
from milter.demo.samples import FOLLOW_UP_ID, RECIPIENT, SAMPLES, Sample
from milter.demo.senders import Senders

_START_SECONDS = 90.0

_CONFIGURATION = """
mode = "enforce"
hostname = "lurewall.demo.test"
domains = ["example.org"]
contact = "security@example.org"
contact_name = "the security office"
inner_hop_trusts_us = true
state_dir = "{folder}/state"
drain_seconds = 5.0

[[listen]]
role = "mx"
port = {port}

[next_hop]
host = "127.0.0.1"
port = {inner_port}

[authentication]
nameservers = ["127.0.0.1:{dns_port}"]

[admin]
port = {admin_port}

[mail_log]
file = "{folder}/mail.jsonl"

[quarantine]
notice_interval_seconds = 1.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where everything of this demo is."""

    folder: Path
    port: int
    admin_port: int

    @property
    def configuration(self) -> Path:
        return self.folder / "gateway.toml"


def run_demo() -> int:
    """Run it; gives the exit code."""
    with tempfile.TemporaryDirectory(prefix="lurewall-demo-") as folder:
        try:
            return asyncio.run(_run(Path(folder)))
        except KeyboardInterrupt:
            return 0


async def _run(folder: Path) -> int:
    console = Console()
    inner = InnerServer()
    await inner.start()
    senders = Senders(sample.signed_by for sample in SAMPLES if sample.signed_by)
    name_server, dns_port = await senders.serve()
    place = _Place(folder=folder, port=_port(10025), admin_port=_port(9125))
    place.configuration.write_text(
        _CONFIGURATION.format(
            dns_port=dns_port,
            folder=folder,
            port=place.port,
            inner_port=inner.port,
            admin_port=place.admin_port,
        )
    )
    console.print("starting the gateway (enforce mode, embedded defaults) ...")
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "milter", "serve", "--config", str(place.configuration)
    )
    try:
        if not await _ready(gateway, place):
            console.print("the gateway did not start; its own words stand above")
            return 1
        answers = [
            await asyncio.to_thread(_send, place.port, sample, senders) for sample in SAMPLES
        ]
        lost = await _show(console, place, inner, answers)
        if lost:
            return 1
        if os.environ.get("DEMO_EXIT") or not sys.stdin.isatty():
            return 0
        await _stay(console, place, inner)
        return 0
    finally:
        if gateway.returncode is None:
            gateway.send_signal(signal.SIGTERM)
            await gateway.wait()
        name_server.close()
        await inner.stop()


async def _ready(gateway: asyncio.subprocess.Process, place: _Place) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    while loop.time() < deadline and gateway.returncode is None:
        if await asyncio.to_thread(_is_ready, place.admin_port):
            return True
        await asyncio.sleep(0.1)
    return False


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _send(port: int, sample: Sample, senders: Senders) -> str:
    """Send one mail as its sender's server would; gives the final reply."""
    raw = sample.dated(datetime.now(UTC))
    if sample.signed_by:
        raw = senders.signed(raw, sample.signed_by)
    with SMTP("127.0.0.1", port, local_hostname="out.demo.test", timeout=30) as client:
        client.ehlo()
        client.mail(sample.reverse_path)
        client.rcpt(RECIPIENT)
        code, text = client.data(raw)
        return f"{code} {text.decode('ascii', 'replace')}"


async def _show(
    console: Console, place: _Place, inner: InnerServer, answers: list[str]
) -> list[str]:
    """The table of what became of each mail; gives the names of mails that are nowhere."""
    events = [json.loads(line) for line in (place.folder / "mail.jsonl").read_text().splitlines()]
    messages = [event for event in events if event["event"] == "message"]
    table = Table(header_style="bold", show_lines=True)
    for name in ("sample mail", "reply", "what became of it", "reasons"):
        table.add_column(name, overflow="fold")
    lost = []
    for sample, answer, event in zip(SAMPLES, answers, messages, strict=False):
        fates = event["fates"]
        became = ", ".join(f"{fate} to {count}" for fate, count in fates.items())
        if event["banner"] == "inserted" and "delivered" in fates:
            became += ", with a banner"
        if not {"delivered", "held"} & fates.keys():
            lost.append(sample.name)
        reasons = ", ".join(event["findings"]) or "-"
        table.add_row(
            sample.name,
            answer,
            f"{became}\n{event['label']}, {event['score_db']} dB",
            reasons,
        )
    lost += [sample.name for sample in SAMPLES[len(messages) :]]
    console.print(table)
    _show_memory(console, inner)
    delivered = len(inner.messages)
    console.print(f"the inner server has {delivered} messages (notices of holds among them)")
    return lost


def _show_memory(console: Console, inner: InnerServer) -> None:
    """What the recipient of the follow-up sees: its banner names the earlier message."""
    for message in inner.messages:
        if f"Message-ID: {FOLLOW_UP_ID}".encode() in message.raw:
            text = message.raw.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
            console.print("the follow-up, as its recipient sees it:", style="bold")
            console.print(text.strip(), highlight=False, markup=False, soft_wrap=True)


async def _stay(console: Console, place: _Place, inner: InnerServer) -> None:
    config = place.configuration
    console.print(
        f"""
the gateway goes on running:
  send mail    swaks --server 127.0.0.1:{place.port} --to {RECIPIENT} --from you@example.net
  metrics      http://127.0.0.1:{place.admin_port}/metrics
  held mail    lurewall quarantine list --config {config}
  mail log     {place.folder}/mail.jsonl
  inner server 127.0.0.1:{inner.port}
Ctrl-C ends it.""",
        highlight=False,
        soft_wrap=True,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await stop.wait()


def _port(wanted: int) -> int:
    """The wanted port if it is free, else another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
