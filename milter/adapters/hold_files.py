"""What stands in the two files of a hold: ID.mail (content, written once) and ID.STATE (record).

The octets of a release mostly end like the original: they are stored as their own head and the
length of the tail that both share, which is exact and nearly halves a hold with attachments.

**Failure:** HoldDamaged names the hold and what does not fit; no part of it is given out.
"""

import struct
from dataclasses import replace
from typing import BinaryIO

import msgspec

from milter.adapters.sealed_file import SealBroken, SealingKey, read_sealed, write_sealed
from milter.mail.quarantine import Hold, HoldState, QuarantineRecord
from milter.ports import HoldDamaged

_RECORD, _RAW, _RELEASE = 1, 2, 3
_TAIL = struct.Struct(">Q")
_TAIL_BLOCK = 4096


def write_content(file: BinaryIO, key: SealingKey, quarantine_id: str, hold: Hold) -> None:
    """Seal original and release octets."""
    tail = shared_tail(hold.raw, hold.release_raw)
    head = memoryview(hold.release_raw)[: len(hold.release_raw) - tail]
    recipe = b"".join((_TAIL.pack(tail), head))
    write_sealed(file, key, quarantine_id, ((_RAW, hold.raw), (_RELEASE, recipe)))


def read_raw(file: BinaryIO, key: SealingKey, quarantine_id: str) -> bytes:
    """The octets as they arrived."""
    return _open_section(file, key, quarantine_id, _RAW)


def read_release(file: BinaryIO, key: SealingKey, quarantine_id: str) -> bytes:
    """The octets that a release sends."""
    recipe = _open_section(file, key, quarantine_id, _RELEASE)
    (tail,) = _TAIL.unpack_from(recipe)
    head = memoryview(recipe)[_TAIL.size :]
    if not tail:
        return bytes(head)
    file.seek(0)
    raw = _open_section(file, key, quarantine_id, _RAW)
    return b"".join((head, memoryview(raw)[len(raw) - tail :]))


def write_record(file: BinaryIO, key: SealingKey, record: QuarantineRecord) -> None:
    """Seal a record: it holds addresses and the subject."""
    packed = msgspec.msgpack.encode(record)
    write_sealed(file, key, record.quarantine_id, ((_RECORD, packed),))


def read_record(
    file: BinaryIO, key: SealingKey, quarantine_id: str, state: HoldState
) -> QuarantineRecord:
    """The record; its state is what the file's name says, for a rename changes only that."""
    packed = _open_section(file, key, quarantine_id, _RECORD)
    try:
        record = msgspec.msgpack.decode(packed, type=QuarantineRecord)
    except msgspec.MsgspecError as error:
        raise HoldDamaged(f"{quarantine_id}: a record of another version: {error}") from error
    return record if record.state is state else replace(record, state=state)


def shared_tail(first: bytes, second: bytes) -> int:
    """Length of a common ending, in whole blocks: exact, though not always the longest."""
    most = min(len(first), len(second))
    length = 0
    while length + _TAIL_BLOCK <= most:
        before = length + _TAIL_BLOCK
        of_first = first[len(first) - before : len(first) - length]
        if of_first != second[len(second) - before : len(second) - length]:
            break
        length = before
    return length


def _open_section(file: BinaryIO, key: SealingKey, quarantine_id: str, kind: int) -> bytes:
    try:
        return read_sealed(file, key, quarantine_id, kind)
    except SealBroken as error:
        raise HoldDamaged(f"{quarantine_id}: {error}") from error
