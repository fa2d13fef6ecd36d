"""The front's side of the zygote: keeps one alive and asks it for readers.

Readers do not depend on it once they are forked: while a dead zygote is started again, with a
growing pause, those that live go on.

Failure: `ForkRefused` when the zygote cannot be asked; a reader that never comes shows as the end
of its stream.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec

from milter.readers import confine
from milter.readers.backoff import Backoff
from milter.readers.reader import ReaderSetup

# A reader needs these to find Python and our code; the rest may hold secrets of the front.
_INHERITED_VARIABLES = frozenset(
    ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
)
# Numeric libraries must not start threads in a process that forks.
_SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ForkRefused(Exception):
    """The zygote cannot be asked for a reader just now."""


class Template:
    """One zygote at a time. Must be started in the main thread: its life is tied to that thread."""

    def __init__(self, setup: ReaderSetup, on_end: Callable[[str], None]) -> None:
        self._setup = replace(setup, front_pid=os.getpid())
        self._on_end = on_end
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._running = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id of the zygote, 0 while there is none."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the zygote and keep one alive until `close`."""
        confine.adopt_orphans()
        self._keeper = asyncio.create_task(self._keep())

    async def fork(self) -> socket.socket:
        """Ask for a reader, waiting for a zygote if need be; gives the front's end of its socket.

        The zygote may still be warming up: the request waits in its socket.
        """
        await self._running.wait()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"reader"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise ForkRefused from None
        ours.setblocking(False)
        return ours

    def kill(self) -> None:
        """End a zygote that does not answer; another one follows."""
        if self._process is not None:
            self._process.kill()

    async def close(self) -> None:
        """End the zygote for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            started_at = time.monotonic()
            exit_code = await self._live_once()
            self._on_end(_describe_exit(exit_code))
            await asyncio.sleep(backoff.pause_after(time.monotonic() - started_at))

    async def _live_once(self) -> int:
        """Start a zygote and stay until it has died; gives its exit code."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = self._launch(theirs.fileno())
        ended = asyncio.Event()
        pid_descriptor = os.pidfd_open(process.pid)
        loop.add_reader(pid_descriptor, ended.set)
        ours.setblocking(False)
        self._process, self._control = process, ours
        self._running.set()
        try:
            await ended.wait()
        finally:
            self._running.clear()
            self._process = self._control = None
            loop.remove_reader(pid_descriptor)
            os.close(pid_descriptor)
            ours.close()
            process.kill()
            process.wait()
        return process.returncode

    def _launch(self, control_descriptor: int) -> subprocess.Popen[bytes]:
        inherited = {k: v for k, v in os.environ.items() if k in _INHERITED_VARIABLES}
        return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [
                sys.executable,
                "-P",
                "-m",
                "milter.readers.zygote",
                str(control_descriptor),
                msgspec.json.encode(self._setup).decode(),
            ],
            env={**inherited, **_SINGLE_THREAD},
            pass_fds=(control_descriptor,),
            stdin=subprocess.DEVNULL,
        )


def _describe_exit(exit_code: int) -> str:
    if exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
