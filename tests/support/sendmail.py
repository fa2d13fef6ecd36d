"""Real Sendmail daemons of a test's own: own sendmail.cf, queue and port, started and stopped.

Debian's sendmail conflicts with postfix, so tests/servers/install.sh unpacks it into a folder and
installs nothing. It runs in namespaces of its own, with a host name that has a dot (Sendmail waits a
minute for a better one otherwise), a hosts file, and a /dev/log that is ours: it logs by syslog only.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

HOME = Path(__file__).parents[2] / ".venv" / "servers" / "sendmail"
SENDMAIL = HOME / "usr/libexec/sendmail/sendmail"
_CF = HOME / "usr/share/sendmail/cf"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_NAMESPACES = ["/usr/bin/unshare", "--mount", "--uts"]
# In the folder of a test: everything in /dev that Sendmail needs, and a log.
_ENTER = """set -e
hostname sendmail.test
mount --bind "$0/hosts" /etc/hosts
for node in null zero random urandom; do
  touch "$0/dev/$node"
  mount --bind "/dev/$node" "$0/dev/$node"
done
mount --bind "$0/dev" /dev
exec "$@"
"""


def why_not() -> str:
    """Why Sendmail cannot be started here, or ''."""
    if not SENDMAIL.exists():
        return "Debian's sendmail-bin is not unpacked: run `make servers`"
    if not Path("/usr/bin/m4").exists():
        return "the Debian package m4 is not installed"
    if os.geteuid() != 0:
        return "Sendmail can be started by root only"
    if subprocess.run([*_NAMESPACES, "true"], check=False, capture_output=True).returncode:
        return "namespaces of their own (unshare) are not allowed here"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One INPUT_MAIL_FILTER: where it listens and what Sendmail does without it.

    `default` is T (451), R (550) or '' (mail passes unfiltered).
    """

    socket: str
    default: str = "T"
    timeouts: str = "C:10s;S:10s;R:10s;E:90s"
    name: str = "lurewall"

    def line(self) -> str:
        flag = f", F={self.default}" if self.default else ""
        return f"INPUT_MAIL_FILTER(`{self.name}', `S={self.socket}{flag}, T={self.timeouts}')dnl"


def unix(path: Path) -> str:
    """A Unix socket as Sendmail writes it."""
    return f"unix:{path}"


def inet(port: int) -> str:
    """A port of loopback as Sendmail writes it."""
    return f"inet:{port}@127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running Sendmail."""

    port: int
    folder: Path

    def log(self) -> str:
        """What it told syslog."""
        return (self.folder / "maillog").read_text(errors="replace")

    def queue(self) -> int:
        """How many messages wait to go on; quarantined ones are not among them."""
        return len(list((self.folder / "queue").glob("qf*")))

    def quarantined(self) -> dict[str, str]:
        """Queue ids of messages in quarantine, and the reasons."""
        found = {}
        for path in (self.folder / "queue").glob("hf*"):
            lines = path.read_text(errors="replace").splitlines()
            found[path.name[2:]] = next((line[1:] for line in lines if line[:1] == "q"), "")
        return found

    def release(self, queue_id: str) -> None:
        """Out of quarantine, and on its way."""
        self.run("-qQ", "-Q", f"-qI{queue_id}")
        self.run(f"-qI{queue_id}")

    def run(self, *arguments: str, content: bytes = b"") -> bytes:
        """Sendmail as a command with the daemon's configuration."""
        done = subprocess.run(
            _command(self.folder, *arguments), input=content, check=True, capture_output=True,
            timeout=60, env=_environment(),
        )  # fmt: skip
        return done.stdout

    def wait_empty(self, seconds: float = 60.0) -> None:
        """Until every accepted message has gone on."""
        deadline = time.monotonic() + seconds
        while self.queue():
            assert time.monotonic() < deadline, self.log()[-4000:]
            time.sleep(0.05)


@contextmanager
def sendmail(
    next_hop_port: int, *filters: Filter, lines: Sequence[str] = (), port: int = 0
) -> Iterator[Instance]:
    """A Sendmail that gives all mail to `next_hop_port`; `lines` are added to its sendmail.mc.

    Its folder is not below pytest's: Sendmail looks at who may write to each folder above.
    """
    with tempfile.TemporaryDirectory(prefix="lurewall-sendmail-") as above:
        folder = Path(above)
        folder.chmod(0o755)
        port = port or free_port()
        _write(folder, port, next_hop_port, filters, lines)
        instance = Instance(port=port, folder=folder)
        with _syslog(folder), (folder / "output").open("wb") as output:
            daemon = subprocess.Popen(
                _command(folder, "-bD", "-q1s"),
                stdout=output, stderr=output, env=_environment(), start_new_session=True,
            )  # fmt: skip
            try:
                _wait_for(instance, daemon)
                yield instance
            finally:
                _stop(daemon)


def _command(folder: Path, *arguments: str) -> list[str]:
    program = [str(SENDMAIL), "-C", str(folder / "sendmail.cf"), *arguments]
    return [*_NAMESPACES, "sh", "-c", _ENTER, str(folder), *program]


@contextmanager
def _syslog(folder: Path) -> Iterator[None]:
    """Write all that comes to the folder's /dev/log into its maillog."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(folder / "dev" / "log"))

        def write() -> None:
            with (folder / "maillog").open("ab", buffering=0) as file, contextlib.suppress(OSError):
                while line := log.recv(65536):
                    file.write(line.rstrip(b"\0\n") + b"\n")

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        try:
            yield
        finally:
            log.shutdown(socket.SHUT_RDWR)
            writer.join(10)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}


def _wait_for(instance: Instance, daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        output = (instance.folder / "output").read_text(errors="replace") + instance.log()
        assert daemon.poll() is None, output
        try:
            with socket.create_connection(("127.0.0.1", instance.port), timeout=5) as probe:
                if probe.recv(4).startswith(b"220"):
                    probe.sendall(b"QUIT\r\n")
                    return
        except OSError:
            pass
        assert time.monotonic() < deadline, output
        time.sleep(0.05)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    """The daemon first, then what it left of its session: children at work on a delivery."""
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait(_STOP_SECONDS)
    try:
        os.killpg(daemon.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _write(
    folder: Path, port: int, next_hop_port: int, filters: Sequence[Filter], lines: Sequence[str]
) -> None:
    (folder / "queue").mkdir(mode=0o700)
    (folder / "dev").mkdir()
    (folder / "hosts").write_text("127.0.0.1 localhost sendmail.test\n")
    (folder / "maillog").touch()
    (folder / "aliases").touch()
    (folder / "service.switch").write_text("hosts files\naliases files\n")
    master = _MASTER.format(
        folder=folder, port=port, next_hop_port=next_hop_port,
        filters="\n".join(one.line() for one in filters), lines="\n".join(lines),
    )  # fmt: skip
    (folder / "sendmail.mc").write_text(master)
    made = subprocess.run(
        ["/usr/bin/m4", f"-D_CF_DIR_={_CF}/", str(_CF / "m4/cf.m4"), "sendmail.mc"],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (folder / "sendmail.cf").write_bytes(made.stdout)


# Load must not make it refuse or queue: tests run beside each other. Names are never looked up in
# the DNS. /tmp is writable for all, which Sendmail would not have above a socket without being told.
_MASTER = """divert(0)dnl
VERSIONID(`test')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `sendmail.test')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`ALIAS_FILE', `{folder}/aliases')dnl
define(`HELP_FILE', `')dnl
define(`confCW_FILE', `')dnl
define(`confCT_FILE', `')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/service.switch')dnl
define(`confDEAD_LETTER_DROP', `{folder}/dead.letter')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`confTO_IDENT', `0s')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confTO_QUEUEWARN', `')dnl
define(`confMAX_MESSAGE_SIZE', `60000000')dnl
define(`confMILTER_MACROS_CONNECT', ``j, _, {{daemon_name}}, {{client_addr}}, {{client_name}}'')dnl
define(`confMILTER_MACROS_ENVFROM', ``i, {{auth_type}}, {{auth_authen}}, {{mail_addr}}'')dnl
define(`confMILTER_MACROS_EOM', ``i, {{msg_id}}'')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={port}, Listen=256')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {next_hop_port}')dnl
define(`RELAY_MAILER_LL', `65000')dnl
define(`SMTP_MAILER_MAXRCPTS', `1000')dnl
{filters}
{lines}
MAILER(`local')dnl
MAILER(`smtp')dnl
"""
