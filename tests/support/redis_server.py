"""Real Redis servers and Sentinels of a test's own: own folders, loopback ports, started and ended here."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from milter.adapters.history.redis_client import RedisOptions
from tests.support.ports import free_port

REDIS = shutil.which("redis-server") or ""
SERVICE = "lurewall"
_WAIT_SECONDS = 60.0
# Longer than a busy machine may keep an answer back: a test that is not about waiting never times out.
PATIENCE_SECONDS = 60.0


def why_not() -> str:
    """Why Redis cannot be started here, or ''."""
    return "" if REDIS else "the Debian package redis-server is not installed"


def patient(**told: object) -> RedisOptions:
    """A gateway's way to a server, with patience."""
    return RedisOptions(timeout=PATIENCE_SECONDS, connect_timeout=PATIENCE_SECONDS, **told)


class RedisServer:
    """One process; `options` are lines of its configuration."""

    def __init__(self, folder: Path, *options: str, sentinel: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.socket = folder / "redis.sock"
        self._is_sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {folder}",
            f"logfile {folder / 'redis.log'}",
            "protected-mode no",
            *(() if sentinel else (f"unixsocket {self.socket}", 'save ""', "appendonly no")),
            *options,
        ]
        (folder / "redis.conf").write_text("".join(f"{line}\n" for line in lines))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, empty unless it persists, and wait for its answer."""
        mode = ["--sentinel"] if self._is_sentinel else []
        self._process = subprocess.Popen(
            [REDIS, str(self.folder / "redis.conf"), *mode],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers, f"redis on {self.port}")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.exceptions.AuthenticationError:
            return True
        except (redis.exceptions.RedisError, OSError):
            return False

    @contextmanager
    def client(self, **options: object) -> Iterator[redis.Redis]:
        """A plain client of the test's own."""
        client = redis.Redis(
            host="127.0.0.1",
            port=self.port,
            protocol=2,
            socket_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **options,
        )
        try:
            yield client
        finally:
            client.close()

    def command(self, *words: object) -> object:
        """Send one command."""
        with self.client() as client:
            return client.execute_command(*words)

    def content(self) -> dict[bytes, bytes | None]:
        """All that it holds, if these are strings."""
        with self.client() as client:
            return {key: client.get(key) for key in client.scan_iter()}

    def is_replica(self) -> bool:
        """It follows a master, and has all that this one has."""
        with self.client() as client:
            return client.info("replication").get("master_link_status") == "up"

    def signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """As by a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server for the length of a block."""
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Group:
    """A master, its replica, and three Sentinels that watch them."""

    def __init__(self, folder: Path) -> None:
        self.master = RedisServer(folder / "master")
        self.replica = RedisServer(
            folder / "replica",
            f"replicaof 127.0.0.1 {self.master.port}",
            "repl-diskless-sync-delay 0",
        )
        self.sentinels = [
            RedisServer(
                folder / f"sentinel{number}",
                f"sentinel monitor {SERVICE} 127.0.0.1 {self.master.port} 2",
                f"sentinel down-after-milliseconds {SERVICE} 400",
                f"sentinel failover-timeout {SERVICE} 2000",
                sentinel=True,
            )
            for number in range(3)
        ]

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        return tuple(("127.0.0.1", one.port) for one in self.sentinels)

    def start(self) -> None:
        self.master.start()
        self.master.command("CONFIG", "SET", "repl-diskless-sync-delay", 0)
        self.replica.start()
        for one in self.sentinels:
            one.start()
            one.command("SENTINEL", "DEBUG", "INFO-PERIOD", 200, "PUBLISH-PERIOD", 100)
            one.command("SENTINEL", "DEBUG", "PING-PERIOD", 100, "ASK-PERIOD", 100)
        wait_until(self._all_known, "Sentinels that know each other and the replica")
        self._publish_every(2000)

    def _all_known(self) -> bool:
        return self.replica.is_replica() and all(
            state["num-slaves"] == 1 and state["num-other-sentinels"] == 2
            for state in map(_state, self.sentinels)
        )

    def master_port(self) -> int:
        """Who is the master now, as the Sentinels say; 0 while they differ."""
        ports = {_state(one)["port"] for one in self.sentinels}
        return ports.pop() if len(ports) == 1 else 0

    def member(self, port: int) -> RedisServer:
        """The server on that port."""
        return self.master if self.master.port == port else self.replica

    def fail_over(self) -> None:
        """Ask for a failover, as for maintenance; ends when all agree."""
        old = self.master_port()
        self.sentinels[0].command("SENTINEL", "FAILOVER", SERVICE)
        self.wait_for_another(old)
        self._publish_every(100)
        wait_until(self.member(old).is_replica, "old master that is a replica")
        self._publish_every(2000)

    def _publish_every(self, milliseconds: int) -> None:
        """Sentinels that hear of each other often are quick to put each member into its place.

        So quick that they undo a failover that they do not lead: not while there may be one.
        """
        for one in self.sentinels:
            one.command("SENTINEL", "DEBUG", "PUBLISH-PERIOD", milliseconds)

    def wait_for_another(self, old: int) -> None:
        """Until all Sentinels name another master than `old`."""
        wait_until(lambda: self.master_port() not in (0, old), "another master")

    def wait_for_replica(self) -> None:
        """Until both hold the same: Redis acknowledges a write before its replica has it."""
        wait_until(lambda: self.master.content() == self.replica.content(), "equal replica")

    def kill(self) -> None:
        for one in (*self.sentinels, self.replica, self.master):
            one.kill()


def _state(sentinel: RedisServer) -> dict[str, int]:
    with sentinel.client() as client:
        return client.sentinel_master(SERVICE)


@contextmanager
def group(folder: Path) -> Iterator[Group]:
    """A watched pair for the length of a block."""
    watched = Group(folder)
    try:
        watched.start()
        yield watched
    finally:
        watched.kill()


def wait_until(is_so: object, what: str, seconds: float = _WAIT_SECONDS) -> None:
    """Poll a condition; never asserts how long it took."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.exceptions.RedisError, OSError, KeyError):
            if is_so():
                return
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.02)
