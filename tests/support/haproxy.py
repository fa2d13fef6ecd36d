"""A real HAProxy of a test's own, with the configuration that the documentation tells."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.gateway import Gateway, eventually
from tests.support.ports import free_port

HAPROXY = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin") or ""
TOLD = Path(__file__).parents[2] / "config" / "haproxy.cfg"
_ADDRESSES = ("192.0.2.11:25", "192.0.2.12:25", "192.0.2.13:25")


def why_not() -> str:
    """Why HAProxy cannot be started here, or ''."""
    return "" if HAPROXY else "the Debian package haproxy is not installed"


class Balancer:
    """Where it listens, and what it says of the gateways."""

    def __init__(self, port: int, admin: Path) -> None:
        self.port = port
        self._admin = admin

    def states(self) -> list[str]:
        """UP or DOWN for each gateway, in the order of the file."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(str(self._admin))
            asked.sendall(b"show stat\n")
            with asked.makefile() as answer:
                rows = [line.split(",") for line in answer.read().splitlines()]
        status = rows[0].index("status")
        servers = [row for row in rows if row[0] == "gateways" and row[1] != "BACKEND"]
        return [row[status].partition(" ")[0] for row in servers]

    def wait_until_all_are_up(self) -> None:
        """Until HAProxy has found every gateway ready."""
        eventually(lambda: set(self.states()) == {"UP"})


@contextmanager
def balancer(folder: Path, gateways: Sequence[Gateway]) -> Iterator[Balancer]:
    """`config/haproxy.cfg` with the addresses of these gateways in place of those it names."""
    folder.mkdir(parents=True, exist_ok=True)
    port, admin = free_port(), folder / "admin.sock"
    places = {
        address: f"127.0.0.1:{one.port} port {one.admin_port}"
        for address, one in zip(_ADDRESSES, gateways, strict=True)
    }
    text = TOLD.read_text()
    for told, ours in (
        *places.items(),
        ("bind :25", f"bind 127.0.0.1:{port}"),
        ("/run/haproxy/admin.sock", str(admin)),
    ):
        assert text.count(told) == 1, told
        text = text.replace(told, ours)
    (folder / "haproxy.cfg").write_text(text)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")], stdout=output, stderr=output
        )
    try:
        running = Balancer(port, admin)
        eventually(lambda: admin.exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "output").read_text()
        running.wait_until_all_are_up()
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
