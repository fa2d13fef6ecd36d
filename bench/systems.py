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
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from bench.milter import MilterSender
from bench.processes import Tree, free_port, wait_for
from bench.smtp import Sender

_MX: Final = """
[[listen]]
role = "mx"
port = {port}
"""
_MILTER: Final = """
[[listen]]
role = "milter"
{where}
release_to = "127.0.0.1:{sink_port}"
"""
_VERIFIES: Final = """
[authentication]
verify = "always"
nameservers = ["127.0.0.1:{dns_port}"]
"""
_VERIFIES_NOT: Final = """
[authentication]
verify = "never"
"""
_GATEWAY: Final = """
mode = "enforce"
hostname = "gateway.test"
domains = ["example.org"]
contact = "security@example.org"
inner_hop_trusts_us = true
state_dir = "{folder}/state"
fronts = 1
readers = 2
{listen}
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
{authentication}
{history}
"""
_NO_MEMORY: Final = '[history]\nstore = "none"\n'
_REDIS_MEMORY: Final = """
[history]
store = "redis"
key_file = "{folder}/history.key"
[history.redis]
url = "unix://{folder}/redis.sock"
"""

_RSPAMD: Final = """
.include "$CONFDIR/common.conf"
options {{
    pidfile = "{folder}/rspamd.pid";
    .include "$CONFDIR/options.inc"
    .include(priority=1,duplicate=merge) "{folder}/dns.inc"
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}
{worker}
"""
_RSPAMD_HTTP: Final = 'worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}'
_RSPAMD_MILTER: Final = """worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:{port}"; count = 1; milter = yes; timeout = 120s;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}"""
_VARIANT_LOADS: Final = ("mix", "real mail")


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
    """A running system; `most` bounds how many mails a turn may have, for the very slow.

    `loads` names the only loads that it gets; empty: all of them.
    """

    name: str
    version: str
    does: str
    does_not: str
    tree: Tree
    connect: Callable[[], Awaitable[Link]]
    most: int = 1_000_000
    port: int = 0
    admin_port: int = 0
    loads: tuple[str, ...] = ()


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


def start_lurewall(
    folder: Path, sink_port: int, dns_port: int = 0, *, name: str = "lurewall"
) -> System:
    """The gateway in role mx, enforce mode, in front of the sink; without `dns_port` no results of
    authentication are verified.
    """
    port, admin_port = free_port(), free_port()
    file = _gateway_file(folder, _MX.format(port=port), sink_port, admin_port, dns_port)
    command = [sys.executable, "-m", "milter", "serve", "--config", str(file)]
    verified = "SPF, DKIM, ARC, DMARC (answered by the same stub), " if dns_port else ""
    not_verified = "" if dns_port else "SPF, DKIM, ARC, DMARC, "
    system = _smtp_system(
        name, folder, command, port,
        version=_version(sys.executable, "-m", "milter", "--version"),
        does=f"receives by SMTP, {verified}{_JUDGES}, memory (SQLite), relay to the next hop; one front, two readers",
        does_not=f"{not_verified}{_DOES_NOT}",
    )  # fmt: skip
    system.admin_port = admin_port
    return system


_JUDGES: Final = (
    "MIME, HTML and charsets, attachments and QR codes, language, judgement, banner, quarantine"
)
_DOES_NOT: Final = "DNS lists, Bayes, fuzzy hashes, spam rules"


def _gateway_file(
    folder: Path, listen: str, sink_port: int, admin_port: int, dns_port: int, history: str = ""
) -> Path:
    file = folder / "gateway.toml"
    authentication = _VERIFIES.format(dns_port=dns_port) if dns_port else _VERIFIES_NOT
    file.write_text(
        _GATEWAY.format(
            folder=folder,
            listen=listen,
            sink_port=sink_port,
            admin_port=admin_port,
            authentication=authentication,
            history=history,
        )
    )
    return file


def _lurewall_without_results(folder: Path, sink_port: int, _dns_port: int) -> System:
    system = start_lurewall(folder, sink_port, name="lurewall, no DNS")
    system.loads = _VARIANT_LOADS
    return system


def _lurewall_without_memory(folder: Path, sink_port: int, dns_port: int) -> System:
    return _lurewall_remembering(folder, sink_port, dns_port, "no memory", _NO_MEMORY)


def _lurewall_on_redis(folder: Path, sink_port: int, dns_port: int) -> System | None:
    """The server is a child of the same tree: its time and memory are the gateway's, too."""
    if not (server := shutil.which("redis-server")):
        return None
    (folder / "history.key").write_text("5" * 64 + "\n")
    (folder / "history.key").chmod(0o600)
    options = f"--port 0 --unixsocket {folder}/redis.sock --dir {folder} --save ''"
    return _lurewall_remembering(
        folder, sink_port, dns_port, "Redis", _REDIS_MEMORY.format(folder=folder),
        beside=f"{server} {options} >{folder}/redis.log & ",
    )  # fmt: skip


def _lurewall_remembering(
    folder: Path, sink_port: int, dns_port: int, name: str, history: str, *, beside: str = ""
) -> System:
    port, admin_port = free_port(), free_port()
    file = _gateway_file(folder, _MX.format(port=port), sink_port, admin_port, dns_port, history)
    serve = f"exec {sys.executable} -m milter serve --config {file}"
    system = _smtp_system(
        f"lurewall, {name}", folder, ["sh", "-c", beside + serve], port,
        version=_version(sys.executable, "-m", "milter", "--version"),
        does=f"as lurewall, but for its memory of engagements: {name}",
        does_not=_DOES_NOT,
    )  # fmt: skip
    system.loads = _VARIANT_LOADS
    return system


def _lurewall_milter(folder: Path, sink_port: int, dns_port: int, *, unix: bool) -> System:
    """The gateway as a milter; the MTA is the benchmark's."""
    port = free_port()
    where: int | str = str(folder / "milter.sock") if unix else port
    said = f'socket = "{where}"' if unix else f"port = {port}"
    listen = _MILTER.format(where=said, sink_port=sink_port)
    file = _gateway_file(folder, listen, sink_port, free_port(), dns_port)
    command = [sys.executable, "-m", "milter", "serve", "--config", str(file)]
    return _milter_system(
        f"lurewall milter {'unix' if unix else 'tcp'}",
        Tree(command, output=folder / "output"),
        where,
        version=_version(sys.executable, "-m", "milter", "--version"),
        does=f"takes mail by the milter protocol, SPF, DKIM, ARC, DMARC, {_JUDGES}",
        does_not=_DOES_NOT,
    )


def _milter_system(name: str, tree: Tree, where: int | str, **said: str) -> System:
    async def connect() -> Link:
        return await MilterSender.connect(where)

    system = _ready(name, tree, connect, **said)
    system.loads = _VARIANT_LOADS
    return system


def _ready(
    name: str,
    tree: Tree,
    connect: Callable[[], Awaitable[Link]],
    *,
    version: str,
    does: str,
    does_not: str,
) -> System:
    """The system, once it can be connected to."""

    async def probe() -> None:
        await (await connect()).close()

    wait_for(lambda: asyncio.run(probe()) is None, name)
    return System(
        name=name, version=version, does=does, does_not=does_not, tree=tree, connect=connect
    )


def _smtp_system(name: str, folder: Path, command: list[str], port: int, **said: str) -> System:
    tree = Tree(command, output=folder / "output")

    async def connect() -> Link:
        return await Sender.connect(port)

    system = _ready(name, tree, connect, **said)
    system.port = port
    return system


def _rspamd(folder: Path, _sink_port: int, dns_port: int) -> System | None:
    if not (command := shutil.which("rspamd")):
        return None
    port = free_port()
    tree = _rspamd_tree(folder, command, dns_port, _RSPAMD_HTTP.format(port=port))

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
        does=f"{_RSPAMD_DOES}; asked over HTTP",
        does_not="receive or relay mail itself, Bayes, fuzzy hashes, anything that needs Redis",
        tree=tree,
        connect=connect,
    )


_RSPAMD_DOES: Final = (
    "MIME, HTML, URLs, SPF, DKIM, DMARC, ARC, DNS lists (all answered at once by a stub), "
    "its Lua rules and regular expressions"
)


def _rspamd_tree(folder: Path, command: str, dns_port: int, worker: str) -> Tree:
    (folder / "dns.inc").write_text(f'dns {{ nameserver = ["127.0.0.1:{dns_port}"]; }}\n')
    file = folder / "rspamd.conf"
    file.write_text(_RSPAMD.format(folder=folder, worker=worker))
    return Tree(
        [command, "-f", "-i", "-c", str(file), f"--var=DBDIR={folder}", f"--var=RUNDIR={folder}",
         f"--var=LOGDIR={folder}"],
        output=folder / "output",
    )  # fmt: skip


def _rspamd_milter(folder: Path, _sink_port: int, dns_port: int) -> System | None:
    """rspamd's proxy worker, which scans by itself."""
    if not (command := shutil.which("rspamd")):
        return None
    port = free_port()
    tree = _rspamd_tree(folder, command, dns_port, _RSPAMD_MILTER.format(port=port))
    return _milter_system(
        "rspamd milter", tree, port,
        version=_version(command, "--version"), does=f"{_RSPAMD_DOES}; asked by the milter protocol",
        does_not="Bayes, fuzzy hashes, anything that needs Redis",
    )  # fmt: skip


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
    "lurewall-no-memory": _lurewall_without_memory,
    "lurewall-redis": _lurewall_on_redis,
    "lurewall, no DNS": _lurewall_without_results,
    "lurewall milter unix": partial(_lurewall_milter, unix=True),
    "lurewall milter tcp": partial(_lurewall_milter, unix=False),
    "rspamd": _rspamd,
    "rspamd milter": _rspamd_milter,
    "spamd": _spamd,
}
