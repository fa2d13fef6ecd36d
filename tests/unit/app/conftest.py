"""A real supervisor process with fake fronts, and what one sees of it from outside."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[3]


def is_alive(pid: int) -> bool:
    """True if the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait for something that must come."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it never came"
        await asyncio.sleep(0.01)


class Peer:
    """One connection to a front."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.name, self.pid = "", 0

    async def greet(self) -> "Peer":
        name, pid = (await asyncio.wait_for(self.reader.readline(), 30)).decode().split()
        self.name, self.pid = name, int(pid)
        return self

    async def echo(self, text: str) -> str:
        self.writer.write(f"{text}\n".encode())
        return (await asyncio.wait_for(self.reader.readline(), 30)).decode().rstrip()

    def close(self) -> None:
        self.writer.close()

    async def aclose(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class Gateway:
    """The supervisor process."""

    def __init__(self, folder: Path) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.peers: list[Peer] = []
        self._file = folder / "configuration"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def configure(self, **options: Any) -> None:
        options = {"name": "one", "listen": self.port, "admin": self.admin_port} | options
        self._file.write_text("".join(f"{key}={value}\n" for key, value in options.items()))

    def launch(self, **options: Any) -> None:
        self.configure(**options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fake_serve", str(self._file)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    async def start(self, **options: Any) -> None:
        self.launch(**options)
        await until(lambda: self.events("started") or not is_alive(self.pid))
        assert is_alive(self.pid), self.log()

    async def reload(self, **options: Any) -> dict[str, Any]:
        before = len(self.events("reload"))
        self.configure(**options)
        self.signal(signal.SIGHUP)
        await until(lambda: len(self.events("reload")) > before)
        return self.events("reload")[-1]

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    async def exit_code(self) -> int:
        assert self._process is not None
        return await asyncio.wait_for(asyncio.to_thread(self._process.wait), 60)

    def log(self) -> str:
        return self._log.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    async def connect(self, port: int = 0) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port or self.port))
        self.peers.append(peer)
        return await peer.greet()

    async def get(self, path: str, *, token: str = "") -> tuple[int, str]:
        field = f"Authorization: Bearer {token}\r\n" if token else ""
        return await self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n{field}\r\n".encode())

    async def ask(self, octets: bytes) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin_port)
        peer = Peer(reader, writer)
        writer.write(octets)
        answer = (await asyncio.wait_for(reader.read(), 30)).decode()
        await peer.aclose()
        head, _, body = answer.partition("\r\n\r\n")
        return int(head.split()[1]), body

    async def metric(self, name: str) -> float:
        """A sample by its full name with labels; 0 if it is not there."""
        _status, body = await self.get("/metrics")
        rows = dict(line.rsplit(" ", 1) for line in body.splitlines() if line[:1] != "#")
        return float(rows.get(name, 0))


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = Gateway(tmp_path)
    yield gateway
    await asyncio.gather(*(peer.aclose() for peer in gateway.peers))
    if gateway._process is not None:
        fronts = children_of(gateway.pid) if is_alive(gateway.pid) else []
        gateway._process.kill()
        gateway._process.wait()
        await until(lambda: not any(map(is_alive, fronts)))
