"""What a store of memories must do. It keeps opaque octets: who and what they are is sealed above.

Two kinds of records, both facts that are added and never changed, so that writers on many machines
need not know of each other: adding is commutative and idempotent.

- An **entry** stands in a dossier under its event id. A second entry of that id changes nothing.
- A **mark** stands in a trail under its field. A second mark of the same field widens it: the
  earlier `first` with its value, the later `last`, the later `expires`.

Dossiers and trails are bounded. A dossier over `MAX_ENTRIES` loses the oldest entry of the group
that has most entries (so a flood under one address pushes out itself); a trail over `MAX_MARKS`
takes no new field and says that it is full. What has expired is never read.

Times are whole seconds since 1970. Keys, ids and fields are octets of any length up to 64.
Failure: `StoreUnavailable` for anything that a later attempt may mend.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_ENTRIES = 256
MAX_MARKS = 64


class StoreUnavailable(Exception):
    """The store did not answer in time or refused for now; the text names the reason in a word."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a dossier; `group` is who pays when the dossier is over its bound."""

    event_id: bytes
    group: bytes
    at: int
    expires: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """One record of a trail; `value` belongs to the time of `first`."""

    field: bytes
    first: int
    last: int
    expires: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one message writes: entries by dossier, marks by trail."""

    entries: tuple[tuple[bytes, Entry], ...] = ()
    marks: tuple[tuple[bytes, Mark], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries or self.marks)


@dataclass(frozen=True, slots=True)
class TrailRecord:
    """The marks of a trail, oldest `first` first; `is_full` once a new field was not taken."""

    marks: tuple[Mark, ...] = ()
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Dossiers (entries by time, then id) and trails, each in the order asked; unknown is empty."""

    dossiers: tuple[tuple[Entry, ...], ...] = ()
    trails: tuple[TrailRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is kept, and how many octets it takes (0: the store cannot say)."""

    dossiers: int = 0
    entries: int = 0
    trails: int = 0
    marks: int = 0
    octets: int = 0


class HistoryStore(Protocol):
    """A store; every method raises StoreUnavailable, and nothing else for what the peer does."""

    async def read(self, dossiers: Sequence[bytes], trails: Sequence[bytes], now: int) -> Answer:
        """All entries and marks of these keys in one round trip."""
        ...

    async def write(self, batch: Batch, now: int) -> None:
        """Add; each dossier and each trail atomically. Done twice it is as if done once."""
        ...

    async def forget_entries(self, dossier: bytes, event_ids: Sequence[bytes]) -> int:
        """Remove entries; how many there were."""
        ...

    async def forget_marks(self, trail: bytes, fields: Sequence[bytes]) -> int:
        """Remove marks; how many there were."""
        ...

    def dossiers(self) -> AsyncIterator[bytes]:
        """The keys of all dossiers; for requests of a person and for the console."""
        ...

    def trails(self) -> AsyncIterator[bytes]:
        """The keys of all trails."""
        ...

    async def expire(self, now: int) -> int:
        """Remove what has expired and give space back, in bounded steps; how many records went."""
        ...

    async def counts(self) -> Counts:
        """How much is kept; may take long on a large store."""
        ...

    async def close(self) -> None:
        """Finish what was begun."""
        ...
