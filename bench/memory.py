"""What the memory costs: look-ups, octets, writes, expiry; writes docs/memory-size.md.

`python -m bench.memory [--contacts N] [--redis URL]`. A population is written through `SealedHistory` (hashed and sealed as in the gateway, several messages a batch): platform
contacts of a year over recipients that have ten each, then conducts, then sightings. Look-ups are
those of a gateway: one recipient and four traits, hashed, read, opened. Everything is seeded.
"""

import argparse
import asyncio
import gc
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from milter.adapters.history.redis_client import RedisOptions
from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_file import HistoryFile
from milter.adapters.history.sqlite_records import read
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.mail.engagement import (
    Conduct,
    Inquiry,
    Memories,
    Origin,
    PlatformContact,
    Sighting,
    Stage,
    Trait,
    TraitKind,
)

PAGE: Final = Path(__file__).parents[1] / "docs" / "memory-size.md"
# Redis removes by its own clock what has expired: the year must be the last one.
NOW: Final = datetime.now(UTC).replace(microsecond=0)
BATCH: Final = 200
LOOK_UPS: Final = 5_000
CONTACTS_EACH: Final = 10
# One conduct and two sightings for so many contacts: most contacts are never followed up.
CONTACTS_A_CONDUCT: Final = 5
_KINDS: Final = (TraitKind.ADDRESS, TraitKind.HANDLE, TraitKind.PHONE, TraitKind.TEXT)


_INTRODUCTION: Final = f"""# What the memory takes

Written by `bench/memory.py`; do not edit. Platform contacts of a year, {CONTACTS_EACH} a recipient,
a conduct for every {CONTACTS_A_CONDUCT}th, two sightings a conduct, all hashed and sealed as in the
gateway. A look-up is what one mail asks: one recipient and four traits, hashed, read, opened. Cold:
the file is not in the system's cache and the store was just opened.
Where the load is above the number of cores, p99 and max are mostly waits for a core.
"""


@dataclass(frozen=True, slots=True)
class _Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass(slots=True)
class Measured:
    """Rows of the table: what, and how much."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def note(self, what: str, how_much: str) -> None:
        """Add a row, and say it."""
        self.rows.append((what, how_much))
        print(f"{what}: {how_much}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Population:
    """Who is remembered; every number gives the same record each time."""

    contacts: int

    @property
    def recipients(self) -> int:
        """How many of our people have a dossier."""
        return max(1, self.contacts // CONTACTS_EACH)

    def recipient(self, number: int) -> str:
        """One of our people, the same for the same contact."""
        return f"person{random.Random(number).randrange(self.recipients)}@organisation.example"

    def written_contacts(self) -> Iterator[Memories]:
        """Each contact a message."""
        return (self._contact(number) for number in range(self.contacts))

    def written_conducts(self) -> Iterator[Memories]:
        """Each conduct a message."""
        return (self._conduct(number) for number in range(self.contacts // CONTACTS_A_CONDUCT))

    def written_sightings(self) -> Iterator[Memories]:
        """Two sightings a conduct."""
        return (self._sighting(number) for number in range(2 * self.contacts // CONTACTS_A_CONDUCT))

    def trait(self, number: int) -> Trait:
        """A trait; each is seen some three times."""
        kind = _KINDS[number % len(_KINDS)]
        return Trait(kind=kind, value=f"telegram:a_name_{number // 3:08}")

    def inquiry(self, number: int) -> Inquiry:
        """What a gateway asks for one mail."""
        chance = random.Random(-number)
        sightings = max(1, 2 * self.contacts // CONTACTS_A_CONDUCT)
        traits = tuple(self.trait(chance.randrange(sightings)) for _ in range(4))
        recipient = self.recipient(chance.randrange(self.contacts))
        return Inquiry(recipients=(recipient,), traits=traits)

    def _contact(self, number: int) -> Memories:
        contact = PlatformContact(
            origin=self._origin("contact", number),
            platform="linkedin",
            notice="inmail",
            persona=f"Firstname Lastname {number}",
            organisation="Advisory Partners Limited",
            role="Senior Research Consultant",
            thread=f"2-ZGVmYXVsdF90aHJlYWQ{number:012}",
            subject="An opportunity for a person of your background",
            hints=(self.trait(number),),
            words=("hydroacoustics", "procurement", "roadmap"),
        )
        return Memories(events=((self.recipient(number), contact),))

    def _conduct(self, number: int) -> Memories:
        conduct = Conduct(
            origin=self._origin("conduct", number),
            address=f"firstname.lastname{number}@mailhost.example",
            persona=f"Firstname Lastname {number}",
            stage=Stage.MOVE,
            codes=("move.messenger", "lure.paid_report", "memory.follow_up"),
            traits=(self.trait(number), self.trait(number + 1)),
            references=(f"<{number:032}@mailhost.example>",),
            follows=(f"{number:064}",),
            subject="Re: An opportunity for a person of your background",
            is_free_mail=True,
        )
        return Memories(events=((self.recipient(number), conduct),))

    def _sighting(self, number: int) -> Memories:
        sighting = Sighting(
            trait=self.trait(number),
            origin=self._origin("sighting", number),
            persona=f"firstname.lastname{number}@mailhost.example",
            recipient=self.recipient(number),
        )
        return Memories(sightings=(sighting,))

    def _origin(self, kind: str, number: int) -> Origin:
        seconds = random.Random(number).randrange(
            89 * 86_400 if kind == "sighting" else 364 * 86_400
        )
        return Origin(
            event_id=f"{kind}{number:057}",
            at=NOW - timedelta(seconds=seconds),
            message_id=f"<{number:032}.{kind}@mailhost.example>",
            transaction_id=f"{number:026}",
        )


async def measure(
    store: HistoryStore, people: Population, done: Measured, octets: Callable[[], Awaitable[int]]
) -> None:
    """Fill it, ask it, let it expire; `octets` tells the size."""
    history = SealedHistory(store=store, keys=(MemoryKey(b"k" * 32),), clock=_Clock())
    size = await octets()
    for what, written in (
        ("contact", people.written_contacts()),
        ("conduct", people.written_conducts()),
        ("trail mark", people.written_sightings()),
    ):
        count, seconds = await _fill(history, written)
        grown = await octets()
        done.note(f"octets a {what}", f"{(grown - size) / max(1, count):.0f} ({count:,} written)")
        done.note(f"{what}s written a second, {BATCH} a batch", f"{count / seconds:,.0f}")
        size = grown
    done.note("octets in all", f"{size / 1e6:,.0f} MB")


async def _fill(history: SealedHistory, written: Iterator[Memories]) -> tuple[int, float]:
    count, started = 0, time.perf_counter()
    while some := list(islice(written, BATCH)):
        batch = Memories(
            events=tuple(event for one in some for event in one.events),
            sightings=tuple(sighting for one in some for sighting in one.sightings),
        )
        await history.store.write(history.batch(batch), history.now())
        count += len(some)
    return count, time.perf_counter() - started


async def look_up(store: HistoryStore, people: Population, done: Measured, how: str) -> None:
    """Random recipients, one after the other, as `recall` does it."""
    history = SealedHistory(store=store, keys=(MemoryKey(b"k" * 32),), clock=_Clock())
    asked = [people.inquiry(number) for number in range(1, LOOK_UPS + 1)]
    events = 0

    async def recalled(inquiry: Inquiry) -> None:
        nonlocal events
        found = await history.recall(inquiry)
        events += sum(len(dossier.events) for dossier in found.dossiers)

    times = await _timed(recalled(one) for one in asked)
    done.note(
        f"look-up {how}, ms p50 / p99 / max",
        f"{_shown(times)} ({events / len(asked):.1f} events opened each)",
    )
    keys = [[history.keys[0].dossier(one.recipients[0])] for one in asked]
    times = await _timed(store.read(one, [], history.now()) for one in keys)
    done.note(
        f"of that, the read of one dossier (then {'warm' if how == 'cold' else how})", _shown(times)
    )


async def write_singly(store: HistoryStore, people: Population, done: Measured) -> None:
    """One message a transaction, as the gateway writes."""
    history = SealedHistory(store=store, keys=(MemoryKey(b"k" * 32),), clock=_Clock())
    more = Population(people.contacts + LOOK_UPS)
    fresh = list(islice(more.written_contacts(), people.contacts, None))
    started = time.perf_counter()
    times = await _timed(history.remember(one) for one in fresh)
    seconds = time.perf_counter() - started
    done.note("write of one message, ms p50 / p99 / max", _shown(times))
    done.note("messages written a second, one a transaction", f"{len(fresh) / seconds:,.0f}")


async def expire(store: HistoryStore, done: Measured, octets: Callable[[], Awaitable[int]]) -> None:
    """A month of contacts goes, then everything."""
    for what, later in (("a month later", 31), ("a year later", 366)):
        now = int((NOW + timedelta(days=later)).timestamp())
        before, started, gone, calls = await octets(), time.perf_counter(), 0, 0
        while step := await store.expire(now):
            gone, calls = gone + step, calls + 1
        seconds = time.perf_counter() - started
        done.note(
            f"expired {what}, without pauses",
            f"{gone:,} records, {gone / seconds:,.0f} a second in {calls} calls;"
            f" {before / 1e6:,.0f} → {await octets() / 1e6:,.0f} MB",
        )


async def _timed(work: Iterable[Awaitable[object]]) -> list[float]:
    gc.collect()
    gc.freeze()
    times = []
    for one in work:
        started = time.perf_counter()
        await one
        times.append((time.perf_counter() - started) * 1_000)
    gc.unfreeze()
    return times


def _shown(times: Sequence[float]) -> str:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{ordered[len(ordered) // 2]:.3f} / {p99:.3f} / {ordered[-1]:.3f}"


async def sqlite(folder: Path, people: Population) -> Measured:
    """The embedded store; cold is a file that the system has dropped from its cache."""
    path, done = folder / "memory.db", Measured()

    async def octets() -> int:
        return path.stat().st_size

    store = SqliteStore(path, wait_seconds=5)
    await measure(store, people, done, octets)
    await store.close()
    _drop_cache(path)
    store = SqliteStore(path)
    await look_up(store, people, done, "cold")
    await look_up(store, people, done, "warm")
    _hop(path, people, done)
    await write_singly(store, people, done)
    await store.close()
    store = SqliteStore(path, wait_seconds=5, pause_seconds=0)
    await expire(store, done, octets)
    await store.close()
    done.note("the file afterwards", f"{await octets() / 1e6:,.1f} MB")
    return done


async def shared(url: str, people: Population) -> Measured:
    """The shared store, in a name space of its own; all of it expires in the end."""
    options = RedisOptions(url=url, name_space="lurewall-bench", timeout=30)
    store, server, done = RedisStore(options), Redis.from_url(url), Measured()

    async def octets() -> int:
        told = await server.info("memory")
        return int(told["used_memory"])

    before = await octets()
    await measure(store, people, done, octets)
    await look_up(store, people, done, "warm")
    await write_singly(store, people, done)
    await expire(store, done, octets)
    done.note("left of it", f"{(await octets() - before) / 1e6:,.1f} MB")
    await store.close()
    await server.aclose()
    return done


def _drop_cache(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _hop(path: Path, people: Population, done: Measured) -> None:
    """The same read without the way to another thread."""
    key = MemoryKey(b"k" * 32)
    asked = [key.dossier(people.inquiry(each).recipients[0]) for each in range(1, LOOK_UPS + 1)]
    db, times, now = HistoryFile(path, wait_seconds=1).opened(), [], int(NOW.timestamp())
    for one in asked:
        started = time.perf_counter()
        read(db, [one], [], now)
        times.append((time.perf_counter() - started) * 1_000)
    db.close()
    done.note("the same read in the calling thread, warm", _shown(times))


def section(name: str, command: str, done: Measured, contacts: int) -> str:
    """The part of the page for one store."""
    rows = "\n".join(f"| {what} | {how_much} |" for what, how_much in done.rows)
    return (
        f"## {name}\n\n`{command}`: {contacts:,} contacts over {contacts // CONTACTS_EACH:,}"
        f" recipients. {platform.machine()}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, load {os.getloadavg()[0]:.1f}, nice {os.nice(0)}.\n\n| | |\n|---|---|\n{rows}\n"
    )


def put(page: Path, name: str, text: str) -> None:
    """Replace the part of that store, keep the others."""
    old = page.read_text().split("\n## ")[1:] if page.exists() else []
    parts = {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in old}
    parts[name] = text
    page.write_text("\n".join((_INTRODUCTION, *parts.values())))


def main() -> None:
    """Measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--redis", metavar="URL", help="measure the store there, not SQLite")
    parser.add_argument("--no-page", action="store_true", help="do not write docs/memory-size.md")
    asked = parser.parse_args()
    people = Population(asked.contacts)
    command = f"python -m bench.memory --contacts {asked.contacts}"
    if asked.redis:
        name, command = "Redis", command + " --redis URL"
        done = asyncio.run(shared(asked.redis, people))
    else:
        name = "SQLite"
        with tempfile.TemporaryDirectory() as folder:
            done = asyncio.run(sqlite(Path(folder), people))
    if not asked.no_page:
        put(PAGE, name, section(name, command, done, asked.contacts))


if __name__ == "__main__":
    main()
