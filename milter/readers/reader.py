"""The loop of one reader: a message comes in, a reading goes out, until the front hangs up.

Runs in a process forked from the zygote. Before the first message it gives up what it does not
need: descriptors, standard streams, privileges, memory beyond a bound. It keeps no state between
messages and decides nothing; deadlines, kills and second attempts are the front's (`pool`).

Failure: an exception becomes a FAILED reply with its type and place; anything worse ends the
process, which the front sees as the end of the stream.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from milter.mail.reading import Facts, IntegrityReport, Reading
from milter.observe.place import place_of
from milter.readers import confine
from milter.readers.frames import (
    REQUEST_HEAD_BYTES,
    ReplyStatus,
    RequestKind,
    decode_facts,
    decode_request_head,
    encode_reply,
    encode_value,
)

Examine = Callable[[bytes, Facts], Reading]
Verify = Callable[[bytes, bytes, Facts], IntegrityReport]

_ADOPTION_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSetup:
    """What zygote and readers are told at their start; entry points are `module:function`.

    `memory_bytes` is what a reader may grow beyond the warmed template. `user` is taken on only
    when the front runs as root. `front_pid` is filled in by the front.
    """

    front_pid: int = 0
    examine: str = "milter.examine:examine"
    verify: str = "milter.examine:verify"
    warm: str = "milter.examine:warm"
    memory_bytes: int = 1_500_000_000
    open_files: int = 32
    user: str = ""


def run(
    connection: socket.socket, setup: ReaderSetup, examine: Examine, verify: Verify
) -> NoReturn:
    """Confine this process, greet the front, and serve until the end of the stream."""
    _confine(connection, setup)
    connection.sendall(encode_reply(os.getpid(), ReplyStatus.READY, b""))
    while head_octets := _receive(connection, REQUEST_HEAD_BYTES):
        head = decode_request_head(head_octets)
        facts = decode_facts(_receive(connection, head.facts_bytes))
        first = _receive(connection, head.first_bytes)
        second = _receive(connection, head.second_bytes)
        confine.arm(head.budget_seconds)
        try:
            if head.kind is RequestKind.EXAMINE:
                body = encode_value(examine(first, facts))
            else:
                body = encode_value(verify(first, second, facts))
            reply = encode_reply(head.request_id, ReplyStatus.DONE, body)
        except Exception as error:
            reply = encode_reply(head.request_id, ReplyStatus.FAILED, place_of(error).encode())
        connection.sendall(reply)
        confine.disarm()
    os._exit(0)


def _confine(connection: socket.socket, setup: ReaderSetup) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _await_adoption(setup.front_pid)
    kept = connection.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    # A library that prints would print a mail: no stream of ours leads anywhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    if setup.user and os.geteuid() == 0:
        confine.become_user(setup.user)
    # After the change of user, which clears the tie to the parent (prctl(2)).
    confine.die_with_parent(signal.SIGKILL, setup.front_pid)
    confine.forgo_privileges()
    confine.hide_memory()
    confine.limit_files(setup.open_files)
    confine.limit_memory(setup.memory_bytes)


def _await_adoption(front_pid: int) -> None:
    """Wait until the process between us and the zygote is gone and the front is our parent."""
    give_up_at = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != front_pid:
        if time.monotonic() > give_up_at:
            os._exit(1)
        time.sleep(0.0005)


def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` octets; empty at the end of the stream, where a torn frame is one too."""
    if size == 0:
        return b""
    octets = connection.recv(size, socket.MSG_WAITALL)
    if len(octets) == size or not octets:
        return octets
    pieces = [octets]
    missing = size - len(octets)
    while missing:
        octets = connection.recv(missing, socket.MSG_WAITALL)
        if not octets:
            os._exit(0)
        pieces.append(octets)
        missing -= len(octets)
    return b"".join(pieces)
