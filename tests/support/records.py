"""Entries, marks and memories for tests of stores; a value is what its time says, as in real ones."""

from datetime import UTC, datetime, timedelta

from milter.adapters.history.store import Answer, Batch, Entry, HistoryStore, Mark
from milter.mail.engagement import Conduct, Memories, Origin, Sighting, Stage, Trait, TraitKind

NOW = 1_800_000_000
MOMENT = datetime.fromtimestamp(NOW, tz=UTC)
DAY = 86_400
JANE = "jane@org.test"
PHONE = Trait(kind=TraitKind.PHONE, value="+4930123456")


def key(name: str) -> bytes:
    """A key of the length that real ones have."""
    return name.encode().ljust(16, b".")


def entry(name: str, *, group: str = "g", at: int = 0, days: int = 30, value: bytes = b"") -> Entry:
    """An entry of `at` seconds after NOW that expires after so many days."""
    return Entry(
        event_id=key(name),
        group=group.encode(),
        at=NOW + at,
        expires=NOW + days * DAY,
        value=value or f"value of {name}".encode(),
    )


def mark(name: str, *, at: int = 0, days: int = 30, value: bytes = b"") -> Mark:
    """A mark first and last seen `at` seconds after NOW."""
    return Mark(
        field=key(name),
        first=NOW + at,
        last=NOW + at,
        expires=NOW + days * DAY,
        value=value or f"{name} at {at}".encode(),
    )


def entries(dossier: str, *records: Entry) -> Batch:
    """A batch of entries of one dossier."""
    return Batch(entries=tuple((key(dossier), one) for one in records))


def marks(trail: str, *records: Mark) -> Batch:
    """A batch of marks of one trail."""
    return Batch(marks=tuple((key(trail), one) for one in records))


async def dossier_of(store: HistoryStore, name: str, now: int = NOW) -> tuple[Entry, ...]:
    """One dossier."""
    return (await store.read([key(name)], [], now)).dossiers[0]


async def marks_of(store: HistoryStore, name: str, now: int = NOW) -> tuple[Mark, ...]:
    """The marks of one trail."""
    return (await store.read([], [key(name)], now)).trails[0].marks


async def everything(store: HistoryStore, now: int = NOW) -> tuple[list[bytes], Answer]:
    """All keys in order, and all that is readable under them."""
    dossiers = sorted([one async for one in store.dossiers()])
    trails = sorted([one async for one in store.trails()])
    return dossiers + trails, await store.read(dossiers, trails, now)


def memories(number: int, *, recipient: str = JANE, trait: Trait = PHONE) -> Memories:
    """What one direct mail leaves: its conduct, and the sighting of one trait."""
    sender = f"persona{number}@free.test"
    origin = Origin(event_id=f"event {number}", at=MOMENT + timedelta(seconds=number))
    conduct = Conduct(origin=origin, address=sender, persona="A Name", stage=Stage.MOVE)
    sighting = Sighting(trait=trait, origin=origin, persona=sender, recipient=recipient)
    return Memories(events=((recipient, conduct),), sightings=(sighting,))
