"""The template process: imports and warms everything once, then forks readers on request.

The front starts it as `python -m milter.readers.zygote CONTROL_FD SETUP` and sends, for each
reader it wants, one packet that carries the reader's end of a socket pair (SCM_RIGHTS). A reader
is forked twice, so that the front adopts it: it outlives the zygote, dies with the front, and the
front alone reaps it. The zygote never sees a message.

Failure: what cannot be imported or warmed ends the process with a traceback on stderr; a fork
that fails closes the reader's socket. The front sees the end of a stream in both cases.
"""

import codecs
import gc
import importlib
import os
import pwd
import signal
import socket
import sys
from contextlib import suppress
from encodings.aliases import aliases
from typing import Any

import msgspec

from milter.readers import confine, reader
from milter.readers.reader import ReaderSetup


def main(arguments: list[str]) -> int:
    """Warm up and fork until the front hangs up."""
    control = socket.socket(fileno=int(arguments[0]))
    setup = msgspec.json.decode(arguments[1], type=ReaderSetup)
    # Told to end by their stream alone: a signal to the whole group must not cut a transaction.
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    confine.die_with_parent(signal.SIGKILL, setup.front_pid)
    confine.hide_memory()
    if setup.user:
        pwd.getpwnam(setup.user)  # better no reader at all than each one failing
    examine = resolve(setup.examine)
    verify = resolve(setup.verify)
    resolve(setup.warm)()
    _load_codecs()
    sys.stdout.flush()
    sys.stderr.flush()
    # What is warm stays shared: the collector never writes to it again (gc.freeze, fork(2)).
    gc.collect()
    gc.freeze()
    # The processes between us and the readers are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        packet, descriptors, _flags, _address = socket.recv_fds(control, 16, 1)
        if not packet:
            return 0
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as connection:
                _fork_reader(connection, setup, examine, verify)


def resolve(entry: str) -> Any:
    """The object that `module:name` names."""
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)


def _load_codecs() -> None:
    """Import every charset now: a reader may not be able to read our files later."""
    for name in set(aliases.values()):
        with suppress(LookupError):
            codecs.lookup(name)


def _fork_reader(connection: socket.socket, setup: ReaderSetup, examine: Any, verify: Any) -> None:
    try:
        if os.fork() > 0:
            return
    except OSError:
        return
    try:
        if os.fork() == 0:
            reader.run(connection, setup, examine, verify)
    finally:
        # Nothing of the template's own clean-up may run in a copy of it.
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
