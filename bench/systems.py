"""The systems under measurement: how each is started, spoken to, and what it does with a mail.

Peers run as their Debian packages configure them, but for ports, folders, one worker and the name
server of the benchmark; `does` and `does_not` go into the report. A system whose command is missing
is named and left out.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bench.processes import Tree, free_port, wait_for
from bench.smtp import Sender

_GATEWAY: Final = """
mode = "enforce"
hostname = "gateway.test"
domains = ["example.org"]
contact = "security@example.org"
inner_hop_trusts_us = true
state_dir = "{folder}/state"
fronts = 1
readers = 2
[[listen]]
role = "mx"
port = {port}
[next_hop]
host = "127.0.0.1"
port = {sink_port}
[admin]
port = {admin_port}
[mail_log]
file = "{folder}/mail.jsonl"
[limits]
connections_per_address = 100
[quarantine]
notice_interval_seconds = 86400.0
"""

_RSPAMD: Final = """
.include "$CONFDIR/common.conf"
options {{
    pidfile = "{folder}/rspamd.pid";
    .include "$CONFDIR/options.inc"
    .include(priority=1,duplicate=merge) "{folder}/dns.inc"
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
"""


class Link(Protocol):
    """A way to a system; SMTP keeps its connection, the peers' protocols take one a message."""

    async def send(self, raw: bytes) -> None:
        """Have one message looked at, and wait for the answer."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


@dataclass(slots=True, kw_only=True)
class System:
    """A running system; `most` bounds how many mails a turn may have, for the very slow."""

    name: str
    version: str
    does: str
    does_not: str
    tree: Tree
    connect: Callable[[], Awaitable[Link]]
    most: int = 1_000_000
    port: int = 0
    admin_port: int = 0


def start_all(folder: Path, *, sink_port: int, dns_port: int) -> tuple[list[System], list[str]]:
    """Every system that this machine has, and the names of those it has not."""
    systems, missing = [], []
    for name, starter in _STARTERS.items():
        home = folder / name
        home.mkdir(mode=0o755)
        system = starter(home, sink_port, dns_port)
        if system is None:
            missing.append(name)
        else:
            systems.append(system)
    return systems, missing


def _floor(folder: Path, sink_port: int, _dns_port: int) -> System:
    port = free_port()
    command = [sys.executable, "-m", "bench.smtp", str(port), str(sink_port)]
    return _smtp_system(
        "floor", folder, command, port,
        version="bench/smtp.py", does="passes each message on over SMTP, looks at nothing",
        does_not="everything else: limits, time-outs, refusals, judgement",
    )  # fmt: skip


def start_lurewall(folder: Path, sink_port: int, _dns_port: int = 0) -> System:
    """The gateway in role mx, enforce mode, in front of the sink."""
    port, admin_port = free_port(), free_port()
    file = folder / "gateway.toml"
    file.write_text(
        _GATEWAY.format(folder=folder, port=port, sink_port=sink_port, admin_port=admin_port)
    )
    command = [sys.executable, "-m", "milter", "serve", "--config", str(file)]
    system = _smtp_system(
        "lurewall", folder, command, port,
        version=_version(sys.executable, "-m", "milter", "--version"),
        does="receives by SMTP, MIME, HTML and charsets, attachments and QR codes, language, judgement, "
        "banner, quarantine, relay to the next hop; one front, two readers",
        does_not="SPF, DKIM, DMARC, ARC and DNS lists, Bayes, fuzzy hashes, spam rules",
    )  # fmt: skip
    system.admin_port = admin_port
    return system


def _smtp_system(
    name: str,
    folder: Path,
    command: list[str],
    port: int,
    *,
    version: str,
    does: str,
    does_not: str,
) -> System:
    tree = Tree(command, output=folder / "output")

    async def connect() -> Link:
        return await Sender.connect(port)

    async def probe() -> None:
        await (await connect()).close()

    wait_for(lambda: asyncio.run(probe()) is None, name)
    return System(
        name=name,
        version=version,
        does=does,
        does_not=does_not,
        tree=tree,
        connect=connect,
        port=port,
    )


def _rspamd(folder: Path, _sink_port: int, dns_port: int) -> System | None:
    if not (command := shutil.which("rspamd")):
        return None
    port = free_port()
    (folder / "dns.inc").write_text(f'dns {{ nameserver = ["127.0.0.1:{dns_port}"]; }}\n')
    file = folder / "rspamd.conf"
    file.write_text(_RSPAMD.format(folder=folder, port=port))
    tree = Tree(
        [command, "-f", "-i", "-c", str(file), f"--var=DBDIR={folder}", f"--var=RUNDIR={folder}",
         f"--var=LOGDIR={folder}"],
        output=folder / "output",
    )  # fmt: skip

    async def connect() -> Link:
        return _HttpLink(port)

    async def probe() -> None:
        link = await connect()
        await link.send(b"Subject: a probe\r\n\r\nnothing\r\n")
        await link.close()

    wait_for(lambda: asyncio.run(probe()) is None, "rspamd")
    return System(
        name="rspamd",
        version=_version(command, "--version"),
        does="MIME, HTML, URLs, SPF, DKIM, DMARC, ARC, DNS lists (all answered at once by a stub), "
        "its Lua rules and regular expressions; asked over HTTP",
        does_not="receive or relay mail itself, Bayes, fuzzy hashes, anything that needs Redis",
        tree=tree,
        connect=connect,
    )


def _spamd(folder: Path, _sink_port: int, _dns_port: int) -> System | None:
    if not (command := shutil.which("spamd") or shutil.which("spamd", path="/usr/sbin")):
        return None
    port = free_port()
    tree = Tree(
        [command, "-L", "-x", "-m", "1", "-i", "127.0.0.1", "-p", str(port), "-r",
         str(folder / "pid"), "-H", str(folder), "--max-conn-per-child=1000000"],
        output=folder / "output",
    )  # fmt: skip

    async def connect() -> Link:
        return _SpamcLink(port)

    async def probe() -> None:
        await (await connect()).send(b"Subject: a probe\r\n\r\nnothing\r\n")

    wait_for(lambda: asyncio.run(probe()) is None, "spamd")
    return System(
        name="spamd",
        version=_version(command, "--version").replace("\n", ", "),
        does="MIME, HTML, its rules and regular expressions (local tests only, -L); one child",
        does_not="receive or relay mail itself, network tests, Bayes (untrained)",
        tree=tree,
        connect=connect,
        most=60,
    )


class _HttpLink:
    """rspamd's /checkv2; it closes the connection after each answer."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, raw: bytes) -> None:
        head = (
            "POST /checkv2 HTTP/1.1\r\nHost: localhost\r\nIP: 192.0.2.1\r\n"
            "Helo: out.example.net\r\nFrom: sender@example.net\r\nRcpt: staff@example.org\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n"
        )
        answer = await _exchange(self._port, head.encode() + raw)
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"refused: {answer[:200]!r}")

    async def close(self) -> None:
        return None


class _SpamcLink:
    """spamd's own protocol, which knows one message a connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, raw: bytes) -> None:
        head = f"CHECK SPAMC/1.5\r\nContent-length: {len(raw)}\r\n\r\n"
        answer = await _exchange(self._port, head.encode() + raw, ends=True)
        if b"EX_OK" not in answer:
            raise RuntimeError(f"refused: {answer[:200]!r}")

    async def close(self) -> None:
        return None


async def _exchange(port: int, request: bytes, *, ends: bool = False) -> bytes:
    """All that a server answers on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if ends:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def _version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return "\n".join(lines[:2])


_STARTERS: Final[dict[str, Callable[[Path, int, int], System | None]]] = {
    "floor": _floor,
    "lurewall": start_lurewall,
    "rspamd": _rspamd,
    "spamd": _spamd,
}
