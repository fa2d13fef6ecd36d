"""The folder of holds, synchronous: names, locks, durable writes, recovery.

    FOLDER/key-id              which key the holds are sealed with
    FOLDER/tmp/                half-written files, each locked by its writer
    FOLDER/holds/ID.mail       original and release octets, written once
    FOLDER/holds/ID.STATE      the record; the ending of the name is the state
    FOLDER/holds/ID.notified   (.warned) what the contact was told; its mtime says when
    FOLDER/audit.log           JSON lines

act/quarantine.py has the table of states; each step of it is one rename or unlink here. The lock
(flock) on ID.mail is the right to change the hold: its front has it while the hold is pending,
whoever releases or deletes it later. The kernel frees it when a process dies.
**Failure:** OSError where the disk fails; HoldMissing, HoldDamaged, HoldBusy, Unusable.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from milter.adapters import hold_files
from milter.adapters.durable_files import (
    DurableFiles,
    disk_full,
    locked,
    release,
    sync_directory,
)
from milter.adapters.sealed_file import SealingKey
from milter.mail.quarantine import (
    FINAL_STATES,
    Hold,
    HoldEntry,
    HoldState,
    Mark,
    QuarantineRecord,
)
from milter.ports import HoldBusy, HoldDamaged, HoldMissing, Unusable

# The first that exists is the state.
_PRECEDENCE = (
    HoldState.RELEASED,
    HoldState.DELETED,
    HoldState.EXPIRED,
    HoldState.RELEASING,
    HoldState.HELD,
    HoldState.PENDING,
)
_MARKS = frozenset(mark.value for mark in Mark)
_MAIL = "mail"
_SETTLED = ({_MAIL, HoldState.HELD}, {_MAIL, HoldState.RELEASING})
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"\d{8}-[0-9a-hjkmnp-tv-z]{12}")


class HoldFolder:
    """All files of one quarantine; several processes may have it open at once."""

    def __init__(
        self, folder: Path, secret: bytes, *, retention: timedelta, reserve_bytes: int
    ) -> None:
        self._folder = folder
        self._holds = folder / "holds"
        self._tmp = folder / "tmp"
        self._key = SealingKey(secret)
        self._retention = retention
        self._reserve_bytes = reserve_bytes
        self._files = DurableFiles(self._tmp)
        # Our own pending holds: the descriptor has the lock.
        self._pending: dict[str, int] = {}

    def prepare(self) -> None:
        """Make what is missing; raises Unusable if we cannot write here or the key is another's."""
        try:
            for each in (self._folder, self._holds, self._tmp):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.geteuid() == 0:
                # A command that root runs must not leave files that the service cannot read.
                facts = self._folder.stat()
                for each in (self._holds, self._tmp):
                    os.chown(each, facts.st_uid, facts.st_gid)
                self._files = DurableFiles(self._tmp, (facts.st_uid, facts.st_gid))
            marker = self._folder / "key-id"
            if not marker.exists():
                key_id = self._key.key_id.hex().encode("ascii")
                os.close(self._files.write(marker, lambda file: file.write(key_id)))
                sync_directory(self._folder)
            written_id = marker.read_bytes().strip()
        except OSError as error:
            raise Unusable(f"{self._folder}: cannot be used: {error.strerror}") from error
        if written_id != self._key.key_id.hex().encode("ascii"):
            raise Unusable(f"{self._folder}: its holds are sealed with another key")
        if not os.access(self._holds, os.W_OK) or not os.access(self._tmp, os.W_OK):
            raise Unusable(f"{self._folder}: not writable by this process")

    # Holds of our own transactions

    def write_pending(self, holds: Sequence[Hold]) -> tuple[str, ...]:
        """All holds durably in state pending and locked by us, or OSError and none of them."""
        self._require_room(sum(len(hold.raw) for hold in holds))
        quarantine_ids: list[str] = []
        try:
            for hold in holds:
                quarantine_id = _new_id(hold.received_at)
                quarantine_ids.append(quarantine_id)
                self._pending[quarantine_id] = self._write_content(quarantine_id, hold)
                self._write_record(self._new_record(quarantine_id, hold))
            sync_directory(self._holds)
        except BaseException:
            with suppress(OSError):
                self.drop(quarantine_ids)
            raise
        return tuple(quarantine_ids)

    def commit(self, quarantine_ids: Sequence[str]) -> None:
        """Pending to held; after an OSError recovery does it, for the lock is free then."""
        try:
            for quarantine_id in quarantine_ids:
                # Missing: recovery took us for dead and has committed it.
                with suppress(FileNotFoundError):
                    self._rename_state(quarantine_id, HoldState.PENDING, HoldState.HELD)
            sync_directory(self._holds)
        finally:
            self._let_go(quarantine_ids)

    def drop(self, quarantine_ids: Sequence[str]) -> None:
        """Remove pending holds; one that recovery has committed meanwhile stays (a duplicate)."""
        try:
            for quarantine_id in quarantine_ids:
                self._path(quarantine_id, HoldState.PENDING).unlink(missing_ok=True)
                if not self._states(quarantine_id):
                    self._path(quarantine_id, _MAIL).unlink(missing_ok=True)
            sync_directory(self._holds)
        finally:
            self._let_go(quarantine_ids)

    # Looking

    def entries(self) -> tuple[HoldEntry, ...]:
        """One pass over the names, oldest id first; nothing is opened."""
        found: list[HoldEntry] = []
        for quarantine_id, endings in sorted(self._names().items()):
            state = next((state for state in _PRECEDENCE if state in endings), None)
            if state is not None:
                found.append(
                    HoldEntry(
                        quarantine_id=quarantine_id,
                        state=state,
                        notified_at=self._marked_at(quarantine_id, Mark.NOTIFIED, endings),
                        warned_at=self._marked_at(quarantine_id, Mark.WARNED, endings),
                    )
                )
        return tuple(found)

    def find(self, quarantine_id: str) -> QuarantineRecord:
        """The record in its present state."""
        require_id(quarantine_id)
        # Twice: between two looks another process may have put the record of the next state.
        for state in _PRECEDENCE * 2:
            with suppress(FileNotFoundError):
                return self._read_record(quarantine_id, state)
        raise HoldMissing(quarantine_id)

    def record_of(self, entry: HoldEntry) -> QuarantineRecord:
        """The record of a listed hold: one look where `find` needs several."""
        with suppress(FileNotFoundError):
            return self._read_record(entry.quarantine_id, entry.state)
        return self.find(entry.quarantine_id)

    def read_raw(self, quarantine_id: str) -> bytes:
        """The octets as they arrived."""
        return self._read(quarantine_id, hold_files.read_raw)

    def read_release(self, quarantine_id: str) -> bytes:
        """The octets that a release sends."""
        return self._read(quarantine_id, hold_files.read_release)

    # Changing

    @contextmanager
    def exclusive(self, quarantine_id: str) -> Iterator[QuarantineRecord]:
        """The record as it is now, locked for the block; finishes what the dead left."""
        require_id(quarantine_id)
        with locked(self._path(quarantine_id, _MAIL)) as lock:
            if lock is False:
                raise HoldBusy(quarantine_id)
            if lock:
                self._settle(quarantine_id)
            record = self.find(quarantine_id)
            if lock is None and record.state not in FINAL_STATES:
                raise HoldDamaged(f"{quarantine_id}: its content is gone")
            yield record

    def replace(self, record: QuarantineRecord) -> None:
        """New record first, durably; then the old one goes, in a final state the content too."""
        self._write_record(record)
        sync_directory(self._holds)
        self._remove_all_but(record.quarantine_id, record.state)
        sync_directory(self._holds)

    def forget(self, quarantine_id: str) -> None:
        """Remove a tombstone; a hold with content stays."""
        require_id(quarantine_id)
        if not self._path(quarantine_id, _MAIL).exists():
            for state in FINAL_STATES:
                self._path(quarantine_id, state).unlink(missing_ok=True)

    def mark(self, quarantine_ids: Sequence[str], mark: Mark, at: datetime) -> None:
        """Not synced: a lost mark means one notice too many, never one too few."""
        for quarantine_id in quarantine_ids:
            descriptor = self._files.open(self._path(quarantine_id, mark), os.O_WRONLY)
            try:
                os.utime(descriptor, (at.timestamp(), at.timestamp()))
            finally:
                os.close(descriptor)

    def append_audit(self, line: bytes) -> None:
        """Add a line to the audit log."""
        self._files.append(self._folder / "audit.log", line)

    @contextmanager
    def housekeeping(self) -> Iterator[bool]:
        """True if no other process is at it."""
        path = self._folder / "housekeeping.lock"
        os.close(self._files.open(path, os.O_WRONLY))
        with locked(path) as lock:
            yield lock is True

    # Recovery

    def recover(self, now: datetime, pending_bound: timedelta) -> tuple[str, ...]:
        """Finish what dead processes left; returns the pending holds that were committed.

        A pending hold commits when its front is dead (its lock is free) or has had it for longer
        than a transaction can last. Nothing else that a living process works on is touched.
        """
        self._files.remove_dead_drafts()
        committed: list[str] = []
        for quarantine_id, endings in sorted(self._names().items()):
            endings -= _MARKS
            if endings in _SETTLED or (len(endings) == 1 and endings & FINAL_STATES):
                continue
            if _MAIL in endings and self._is_older(
                quarantine_id, HoldState.PENDING, now - pending_bound
            ):
                with suppress(FileNotFoundError):
                    self._rename_state(quarantine_id, HoldState.PENDING, HoldState.HELD)
                    committed.append(quarantine_id)
                continue
            with locked(self._path(quarantine_id, _MAIL)) as lock:
                if lock and self._settle(quarantine_id):
                    committed.append(quarantine_id)
                elif lock is None and HoldState.PENDING in endings:
                    # Content comes first and goes last: this was never promised to anybody.
                    self._path(quarantine_id, HoldState.PENDING).unlink(missing_ok=True)
        sync_directory(self._holds)
        return tuple(committed)

    def _settle(self, quarantine_id: str) -> bool:
        """Under the lock: bring the files to one state; True if a pending hold was committed.

        Looks anew, for a listing taken without the lock may have missed a file.
        """
        states = self._states(quarantine_id)
        if states == [HoldState.PENDING]:
            # Its front died and its fate is unknown: a duplicate, never a loss (design rule 8).
            self._rename_state(quarantine_id, HoldState.PENDING, HoldState.HELD)
            sync_directory(self._holds)
            return True
        if states:
            self._remove_all_but(quarantine_id, states[0])
        else:
            # A write that never returned, or the end of a drop.
            self._path(quarantine_id, _MAIL).unlink()
        return False

    def _remove_all_but(self, quarantine_id: str, state: HoldState) -> None:
        """Content last: whatever is left over has it, and so has the lock for clearing up."""
        for other in _PRECEDENCE:
            if other is not state:
                self._path(quarantine_id, other).unlink(missing_ok=True)
        if state in FINAL_STATES:
            for mark in Mark:
                self._path(quarantine_id, mark).unlink(missing_ok=True)
            self._path(quarantine_id, _MAIL).unlink(missing_ok=True)

    # Files

    def _path(self, quarantine_id: str, ending: str) -> Path:
        return self._holds / f"{quarantine_id}.{ending}"

    def _names(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        with os.scandir(self._holds) as found:
            for entry in found:
                quarantine_id, _, ending = entry.name.partition(".")
                if _ID.fullmatch(quarantine_id):
                    names.setdefault(quarantine_id, set()).add(ending)
        return names

    def _states(self, quarantine_id: str) -> list[HoldState]:
        return [state for state in _PRECEDENCE if self._path(quarantine_id, state).exists()]

    def _rename_state(self, quarantine_id: str, old: HoldState, new: HoldState) -> None:
        self._path(quarantine_id, old).rename(self._path(quarantine_id, new))

    def _is_older(self, quarantine_id: str, state: HoldState, than: datetime) -> bool:
        with suppress(FileNotFoundError):
            return self._path(quarantine_id, state).stat().st_mtime < than.timestamp()
        return False

    def _marked_at(self, quarantine_id: str, mark: Mark, endings: set[str]) -> datetime | None:
        if mark in endings:
            with suppress(FileNotFoundError):
                return datetime.fromtimestamp(self._path(quarantine_id, mark).stat().st_mtime, UTC)
        return None

    def _read_record(self, quarantine_id: str, state: HoldState) -> QuarantineRecord:
        with self._path(quarantine_id, state).open("rb") as file:
            return hold_files.read_record(file, self._key, quarantine_id, state)

    def _read(
        self, quarantine_id: str, part: Callable[[BinaryIO, SealingKey, str], bytes]
    ) -> bytes:
        require_id(quarantine_id)
        try:
            with self._path(quarantine_id, _MAIL).open("rb") as file:
                return part(file, self._key, quarantine_id)
        except FileNotFoundError:
            state = self.find(quarantine_id).state
            if state in FINAL_STATES:
                raise HoldMissing(f"{quarantine_id}: {state}, its content is erased") from None
            raise HoldDamaged(f"{quarantine_id}: its content is gone") from None

    def _write_content(self, quarantine_id: str, hold: Hold) -> int:
        return self._files.write(
            self._path(quarantine_id, _MAIL),
            lambda file: hold_files.write_content(file, self._key, quarantine_id, hold),
        )

    def _write_record(self, record: QuarantineRecord) -> None:
        descriptor = self._files.write(
            self._path(record.quarantine_id, record.state),
            lambda file: hold_files.write_record(file, self._key, record),
        )
        os.close(descriptor)

    def _let_go(self, quarantine_ids: Sequence[str]) -> None:
        for quarantine_id in quarantine_ids:
            descriptor = self._pending.pop(quarantine_id, None)
            if descriptor is not None:
                release(descriptor)

    def _require_room(self, size_bytes: int) -> None:
        """Leave room for records and the audit log: else a full disk could not be cleared."""
        facts = os.statvfs(self._holds)
        if facts.f_bavail * facts.f_frsize < 2 * size_bytes + self._reserve_bytes:
            raise disk_full()

    def _new_record(self, quarantine_id: str, hold: Hold) -> QuarantineRecord:
        return QuarantineRecord(
            quarantine_id=quarantine_id,
            state=HoldState.PENDING,
            transaction_id=hold.transaction_id,
            envelope=hold.envelope,
            role=hold.role,
            verdict=hold.verdict,
            rule=hold.rule,
            subject=hold.subject,
            header_from=hold.header_from,
            client_ip=hold.client_ip,
            received_at=hold.received_at,
            expires_at=hold.received_at + self._retention,
            sha256=hashlib.sha256(hold.raw).hexdigest(),
            size_bytes=len(hold.raw),
        )


def require_id(quarantine_id: str) -> None:
    """Raise HoldMissing for what cannot be an id: it becomes a file name."""
    if not _ID.fullmatch(quarantine_id):
        raise HoldMissing(quarantine_id)


def _new_id(received_at: datetime) -> str:
    token = "".join(_ALPHABET[octet & 31] for octet in secrets.token_bytes(12))
    return f"{received_at:%Y%m%d}-{token}"
