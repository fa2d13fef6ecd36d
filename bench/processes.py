"""Processes under measurement: pinned to a core, their CPU time and memory read from the kernel.

CPU is the scheduler's own count of nanoseconds over all threads of a whole process tree, so that
short bursts are not lost in clock ticks. Memory is PSS: what is shared counts once in all.
Linux only. Failure: a process that ended in between counts as it was last seen.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

SERVER_CORE = 0
CLIENT_CORE = 1


def pin_to(core: int) -> Callable[[], None]:
    """For `preexec_fn`: run on this core only, in a process group of its own."""

    def pin() -> None:
        os.sched_setaffinity(0, {core})

    return pin


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Tree:
    """A process with all below it."""

    def __init__(self, command: Sequence[str], *, output: Path, core: int = SERVER_CORE) -> None:
        self._seen: dict[tuple[int, int], int] = {}
        with output.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=pin_to(core), start_new_session=True
            )

    def pids(self) -> list[int]:
        """The process and all its descendants that live now."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                    parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found, waiting = [self.process.pid], [self.process.pid]
        while waiting:
            below = parents.get(waiting.pop(), [])
            found += below
            waiting += below
        return found

    def cpu_seconds(self) -> float:
        """CPU time of the tree so far; threads that have ended keep what they were last seen with."""
        for pid in self.pids():
            with suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    spent = int((task / "schedstat").read_text().split()[0])
                    self._seen[pid, int(task.name)] = spent
        return sum(self._seen.values()) / 1e9

    def pss_bytes(self) -> int:
        """Proportional memory of the tree now."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total

    def open_files(self) -> int:
        """Open file descriptors of the tree now."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                total += len(os.listdir(f"/proc/{pid}/fd"))
        return total

    def stop(self) -> None:
        """End it, gently first."""
        below = self.pids()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def wait_for(ready: Callable[[], bool], what: str, *, seconds: float = 90.0) -> None:
    """Wait until something answers; RuntimeError if it never does."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if ready():
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.1)
