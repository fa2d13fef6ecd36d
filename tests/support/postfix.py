"""Real Postfix instances of a test's own: own folders, own ports, started and stopped by the test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

POSTFIX = shutil.which("postfix", path=os.environ.get("PATH", "") + ":/usr/sbin") or ""
_DAEMONS = "/usr/lib/postfix/sbin"
_START_SECONDS = 20.0


def why_not() -> str:
    """Why Postfix cannot be started here, or ''."""
    if not POSTFIX:
        return "the Debian package postfix is not installed"
    if os.geteuid() != 0:
        return "Postfix can be started by root only"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running Postfix: where it listens and what it logged."""

    port: int
    folder: Path

    def run(self, command: str, *arguments: str, content: bytes = b"") -> bytes:
        """A command of Postfix (sendmail, postsuper, mailq) with this instance's configuration."""
        program = shutil.which(command, path="/usr/sbin:/usr/bin") or command
        done = subprocess.run(
            [program, *arguments], input=content, check=True, capture_output=True, timeout=60,
            env={"MAIL_CONFIG": str(self.folder / "etc"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
        return done.stdout

    def on_hold(self) -> list[str]:
        """Queue ids of messages that wait for a person."""
        return [path.name for path in (self.folder / "spool" / "hold").rglob("*") if path.is_file()]

    def log(self) -> str:
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def queue(self) -> int:
        """How many messages wait to go on; those on hold are not among them."""
        folders = ("incoming", "active", "deferred", "maildrop")
        spool = self.folder / "spool"
        return sum(1 for name in folders for path in (spool / name).rglob("*") if path.is_file())

    def wait_empty(self, seconds: float = 60.0) -> None:
        """Until every accepted message has gone on."""
        deadline = time.monotonic() + seconds
        while self.queue():
            assert time.monotonic() < deadline, self.log()[-4000:]
            time.sleep(0.05)


@contextmanager
def postfix(
    name: str,
    *,
    settings: dict[str, str] | None = None,
    smtpd: dict[str, str] | None = None,
    port: int = 0,
    chroot: bool = False,
) -> Iterator[Instance]:
    """A Postfix with main.cf `settings` and `-o` options of its one smtpd.

    `chroot`: what talks to filters sees its queue directory only, as Debian has it.

    Its folder is not below pytest's, which only its owner may enter: Postfix gives up root.
    """
    with tempfile.TemporaryDirectory(prefix="lurewall-postfix-") as above:
        Path(above).chmod(0o755)
        with _running(
            Path(above) / name, settings or {}, smtpd or {}, port or free_port(), chroot
        ) as instance:
            yield instance


@contextmanager
def _running(
    folder: Path, settings: dict[str, str], smtpd: dict[str, str], port: int, chroot: bool
) -> Iterator[Instance]:
    _write(folder, port, settings, smtpd, chroot)
    command = [POSTFIX, "-c", str(folder / "etc")]
    subprocess.run([*command, "start"], check=True, capture_output=True, timeout=60)
    instance = Instance(port=port, folder=folder)
    try:
        _wait_for(port, instance)
        yield instance
    finally:
        subprocess.run([*command, "abort"], check=False, capture_output=True, timeout=60)


def _wait_for(port: int, instance: Instance) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                if probe.recv(4).startswith(b"220"):
                    return
        except OSError:
            pass
        assert time.monotonic() < deadline, instance.log()[-4000:]
        time.sleep(0.05)


def _write(
    folder: Path, port: int, settings: dict[str, str], smtpd: dict[str, str], chroot: bool
) -> None:
    etc, spool, data = folder / "etc", folder / "spool", folder / "data"
    for path in (etc, spool, data):
        path.mkdir(parents=True, exist_ok=True)
    owner = pwd.getpwnam("postfix")
    os.chown(data, owner.pw_uid, owner.pw_gid)
    main = {
        "compatibility_level": "3.6",
        "queue_directory": str(spool),
        "data_directory": str(data),
        "command_directory": "/usr/sbin",
        "daemon_directory": _DAEMONS,
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "maillog_file": str(folder / "maillog"),
        "maillog_file_prefixes": str(folder),
        "myhostname": f"{folder.name}.test",
        "mydestination": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "alias_maps": "",
        "local_recipient_maps": "",
        "smtpd_recipient_restrictions": "permit_mynetworks,reject",
        "smtpd_relay_restrictions": "permit_mynetworks,reject",
        "smtpd_peername_lookup": "no",
        "smtp_host_lookup": "native",
        "smtp_tls_security_level": "none",
        "disable_dns_lookups": "yes",
        "message_size_limit": "60000000",
        "mailbox_size_limit": "0",
        "smtpd_recipient_limit": "2000",
        "smtp_destination_recipient_limit": "2000",
        "default_destination_recipient_limit": "2000",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_timeout": "60s",
        "minimal_backoff_time": "2s",
        "maximal_backoff_time": "4s",
        "queue_run_delay": "2s",
        **settings,
    }
    (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
    options = "".join(f"\n  -o {key}={value}" for key, value in smtpd.items())
    jail = "y" if chroot else "n"
    services = [
        f"127.0.0.1:{port} inet n - {jail} - 100 smtpd{options}",
        "pickup unix n - n 60 1 pickup",
        f"cleanup unix n - {jail} - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "local unix - n n - - local",
        "virtual unix - n n - - virtual",
        "lmtp unix - - n - - lmtp",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ]
    (etc / "master.cf").write_text("\n".join(services) + "\n")
