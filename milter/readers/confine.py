"""What the kernel holds a process to: limits, privileges, and the ties to its parent.

Thin calls, Linux only. Which process asks for what is decided in `zygote`, `reader` and the
front's own start.

Failure: `OSError` with the kernel's errno; the process that could not be confined must not go on.
"""

import ctypes
import os
import pwd
import resource
import signal
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_PAGE_BYTES = resource.getpagesize()

# CPU time that a reader may ever use, whatever budgets it is given: a net below the other nets.
_CPU_HARD_SECONDS = 24 * 3600


def _prctl(option: int, value: int) -> None:
    unused = ctypes.c_ulong(0)
    if _libc.prctl(option, ctypes.c_ulong(value), unused, unused, unused) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def die_with_parent(signal_number: signal.Signals, parent_pid: int) -> None:
    """Have the kernel signal us when the parent dies; raises ProcessLookupError if it is dead."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        raise ProcessLookupError(parent_pid)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has died (readers of our zygote)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_memory() -> None:
    """No core dump, and no process of our own user may look into our memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def become_user(name: str) -> None:
    """Give up root for good: groups, group and user, in the order that leaves no way back."""
    entry = pwd.getpwnam(name)
    os.initgroups(name, entry.pw_gid)
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


def forgo_privileges() -> None:
    """No exec of a set-uid program gives us anything any more."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def limit_memory(growth_bytes: int) -> None:
    """Bound the address space to what it is now and so much more."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    limit = pages * _PAGE_BYTES + growth_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_files(count: int) -> None:
    """Bound the number of open files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def arm(budget_seconds: float) -> None:
    """End this process by the kernel's hand when a piece of work outlives its budget.

    The front kills first; this is for a hang that outlives the front. Both signals keep their
    default action, so neither native code nor a held GIL delays them.
    """
    signal.setitimer(signal.ITIMER_REAL, budget_seconds + 1.0)
    used = int(time.process_time())
    soft = min(used + int(budget_seconds) + 2, _CPU_HARD_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, _CPU_HARD_SECONDS))


def disarm() -> None:
    """The piece of work is done."""
    signal.setitimer(signal.ITIMER_REAL, 0.0)
