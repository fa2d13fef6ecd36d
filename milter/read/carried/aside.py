"""Work on a file that may never end, done in a copy of this process that can be killed.

The front kills a reader that hangs, and then the whole mail is read once more without any of its
attachments. A file that could bring that about is read here: at worst it alone is lost. A copy
costs about ten milliseconds, so only what is known to be able to run away is read like this.

**Standards:** fork(2), setitimer(2).
**Failure:** `Lost` when the work did not end in time, broke its process, or no copy could be made.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

# How much later than the parent the copy ends itself if there is no parent any more.
_GRACE_SECONDS = 0.5
_MOST_OCTETS = 4_000_000


class Lost(Exception):
    """The work gave nothing."""


def done_aside(work: Callable[[], bytes], seconds: float) -> bytes:
    """What `work` gives, if it gives it within so many seconds."""
    if seconds <= 0:
        raise Lost
    until = time.monotonic() + seconds
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise Lost from None
    if child == 0:
        _work_and_exit(work, writing, seconds + _GRACE_SECONDS)
    os.close(writing)
    try:
        octets = _received(reading, until)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not octets.endswith(b"\n"):
        raise Lost
    return octets[:-1]


def _work_and_exit(work: Callable[[], bytes], writing: int, seconds: float) -> None:
    """The copy's life; nothing of the original's clean-up may run in it."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, _GRACE_SECONDS))
        octets = memoryview(work() + b"\n")
        while octets:
            octets = octets[os.write(writing, octets) :]
    finally:
        os._exit(0)


def _received(reading: int, until: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size <= _MOST_OCTETS:
        ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return b""
        piece = os.read(reading, 65_536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    return b""
