"""What a house of any size takes: measured constants times stated assumptions; docs/memory-growth.md.

`python -m bench.growth` writes the page anew from the constants that docs/memory-size.md and
docs/benchmarks.md have, and those of its own; `--redis URL` measures its own first: the marks of the
text of a remembered mail, those of outgoing mail, and what Redis itself computes for a mail.
Assumptions are flags; with others than the page's the page stays as it is.
"""

import argparse
import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from bench.memory import NOW, Measured, Population
from milter.adapters.history.redis_client import RedisOptions
from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.mail.engagement import Inquiry, Memories, Origin, Sighting, Trait, TraitKind
from milter.settings.model import HistorySettings
from nlp.sketch import BANDS

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "memory-growth.md"
SAMPLE: Final = 5_000
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
TEXT: Final = "the text of a remembered mail"
OUTGOING: Final = "an outgoing mail"
TRAITS: Final = 3
_DAYS: Final = 365
_KEPT: Final = HistorySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Of a house; all but the last three are of one recipient."""

    messages_a_day: float = 100
    notices_a_year: float = 10
    remembered_a_year: float = 2
    correspondents_a_year: float = 100
    busiest_hour: float = 0.12
    past_the_screen: float = 0.03
    room: float = 1.5


_SAID: Final = {
    "messages_a_day": "messages a recipient gets a day, newsletters and all",
    "notices_a_year": "of these, notifications that a member of a network has written, a year",
    "remembered_a_year": "of these, direct mails that leave a conduct, a year",
    "correspondents_a_year": "addresses outside that a person writes to, a year",
    "busiest_hour": "share of a day's messages in its busiest hour",
    "past_the_screen": "share of messages that are read in full and ask for traits",
    "room": "times the data, for the server's own needs and fragmentation",
}


@dataclass(frozen=True, slots=True)
class _Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


# What is measured here.


def texts(people: Population) -> Iterator[Memories]:
    """The marks of the text of a remembered mail: each band, and the shape."""
    for number in range(SAMPLE):
        traits = [Trait(TraitKind.TEXT, f"{number:08x}{band:08x}") for band in range(BANDS)]
        traits.append(Trait(TraitKind.SHAPE, f"approach no_client paid_report {number}"))
        yield _marks(people, number, traits)


def outgoing(people: Population) -> Iterator[Memories]:
    """The marks of a first mail to somebody outside."""
    for number in range(SAMPLE):
        address = f"firstname.lastname{number}@firm{number // 5}.example"
        yield _marks(
            people,
            number,
            [
                Trait(TraitKind.WROTE, address),
                Trait(TraitKind.WROTE, f"@firm{number // 5}.example"),
            ],
        )


def _marks(people: Population, number: int, traits: Sequence[Trait]) -> Memories:
    origin = Origin(
        event_id=f"{number:064}",
        at=NOW,
        message_id=f"<{number:032}@mailhost.example>",
        transaction_id=f"{number:026}",
    )
    return Memories(
        sightings=tuple(
            Sighting(
                trait=trait,
                origin=origin,
                persona=f"firstname.lastname{number}@mailhost.example",
                recipient=people.recipient(number),
            )
            for trait in traits
        )
    )


def asked(people: Population, traits: int) -> Iterator[Inquiry]:
    """What mails ask: one recipient, and so many traits."""
    for number in range(SAMPLE):
        yield Inquiry(
            recipients=(people.recipient(number),),
            traits=tuple(
                Trait(TraitKind.TEXT, f"{number:08x}{each:08x}") for each in range(traits)
            ),
        )


async def _grown(
    store: HistoryStore, mails: Iterator[Memories], size: Callable[[], Awaitable[float]]
) -> float:
    """By how much each mail made it grow."""
    history = SealedHistory(store=store, keys=(MemoryKey(b"k" * 32),), clock=_Clock())
    before = await size()
    for mail in mails:
        await history.store.write(history.batch(mail), history.now())
    return (await size() - before) / SAMPLE


async def _measure_sqlite(done: Measured, people: Population) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"

        async def octets() -> float:
            return path.stat().st_size if path.exists() else 0

        store = SqliteStore(path, wait_seconds=5)
        for what, mails in ((TEXT, texts), (OUTGOING, outgoing)):
            grown = await _grown(store, mails(people), octets)
            done.note(f"SQLite, octets for the marks of {what}", f"{grown:.0f}")
        await store.close()


async def _measure_redis(url: str, done: Measured, people: Population) -> None:
    store = RedisStore(RedisOptions(url=url, name_space="lurewall-growth", timeout=30))
    server = Redis.from_url(url)

    async def told(section: str, *names: str) -> float:
        found = await server.info(section)
        return float(sum(found[name] for name in names))

    async def octets() -> float:
        return await told("memory", "used_memory")

    async def computed() -> float:
        return await told("cpu", "used_cpu_user", "used_cpu_sys") * 1e6

    try:
        contacts = islice(Population(SAMPLE).written_contacts(), SAMPLE)
        used = await _grown(store, contacts, computed)
        done.note("Redis, µs of a core to write a contact", f"{used:.0f}")
        for what, mails in ((TEXT, texts), (OUTGOING, outgoing)):
            grown = await _grown(store, mails(people), octets)
            done.note(f"Redis, octets for the marks of {what}", f"{grown:.0f}")
        used = await _grown(store, texts(people), computed)
        done.note(
            "Redis, µs of a core to write the marks of the text of a remembered mail", f"{used:.0f}"
        )
        history = SealedHistory(store=store, keys=(MemoryKey(b"k" * 32),), clock=_Clock())
        for what, traits in (("an ordinary mail", 0), ("a mail past the screen", BANDS + 8)):
            before = await computed()
            for inquiry in asked(people, traits):
                await history.recall(inquiry)
            used = (await computed() - before) / SAMPLE
            done.note(f"Redis, µs of a core for the look-up of {what}", f"{used:.0f}")
    finally:
        keys = [key async for key in server.scan_iter("lurewall-growth*", count=1_000)]
        for start in range(0, len(keys), 1_000):
            await server.unlink(*keys[start : start + 1_000])
        await store.close()
        await server.aclose()


async def measure(url: str) -> Measured:
    """Its own constants."""
    done, people = Measured(), Population(SAMPLE)
    await _measure_sqlite(done, people)
    await _measure_redis(url, done, people)
    return done


# What follows from it.


@dataclass(frozen=True, slots=True)
class Constants:
    """Measured numbers by page; each is asked by the words of its row."""

    size: str
    benchmark: str
    own: tuple[tuple[str, str], ...]

    def octets(self, store: str, what: str) -> float:
        """Octets a record, from docs/memory-size.md."""
        section = self.size.partition(f"## {store}\n")[2].partition("\n## ")[0]
        return _number(section, rf"\| octets a {what} \| ([\d,]+)")

    def here(self, what: str) -> float:
        """A number measured by this module."""
        return float(dict(self.own)[what])

    def cpu_seconds(self) -> float:
        """Of a gateway for a message of the mix, eight connections."""
        mix = self.benchmark.partition("## Mix\n")[2].partition("\n## ")[0]
        return _number(mix, r"\| lurewall \| 8 \| [^|]+\| ([\d.]+)") / 1_000


def _number(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"no measured number like {pattern}")
    return float(found[1].replace(",", ""))


def house(recipients: int, given: Assumptions, measured: Constants) -> list[str]:
    """One row of the table."""
    daily = recipients * given.messages_a_day
    peak = daily * given.busiest_hour / 3_600
    look_up = (
        measured.here("Redis, µs of a core for the look-up of an ordinary mail")
        * (1 - given.past_the_screen)
        + measured.here("Redis, µs of a core for the look-up of a mail past the screen")
        * given.past_the_screen
    )
    remembered = recipients * given.remembered_a_year / (_DAYS * daily)
    notices = recipients * given.notices_a_year / (_DAYS * daily)
    writes = remembered * measured.here(
        "Redis, µs of a core to write the marks of the text of a remembered mail"
    ) + (remembered + notices) * measured.here("Redis, µs of a core to write a contact")
    inside, outside = (held(one, recipients, given, measured) for one in ("Redis", "SQLite"))
    return [
        f"{recipients:,}",
        f"{daily:,.0f}",
        f"{peak:,.1f}",
        f"{peak * measured.cpu_seconds():,.1f}",
        f"{peak * (look_up + writes) / 1e4:,.2f} %",
        f"{inside[0]:,.2f}",
        f"{inside[0] * given.room:,.2f}",
        f"{sum(inside) * given.room:,.2f}",
        f"{outside[0]:,.2f}",
    ]


def held(
    store: str, recipients: int, given: Assumptions, measured: Constants
) -> tuple[float, float]:
    """GB of incoming mail and of outgoing mail, once as much expires as comes."""
    mark = measured.octets(store, "trail mark") * _KEPT.keep_traits_days
    text = measured.here(f"{store}, octets for the marks of {TEXT}") * _KEPT.keep_texts_days
    conduct = measured.octets(store, "conduct") * _KEPT.keep_conduct_days
    contact = measured.octets(store, "contact") * _KEPT.keep_contacts_days
    sent = measured.here(f"{store}, octets for the marks of {OUTGOING}") * _KEPT.keep_traits_days
    incoming = given.notices_a_year * contact
    incoming += given.remembered_a_year * (conduct + TRAITS * mark + text)
    each = recipients / _DAYS / 1e9
    return incoming * each, given.correspondents_a_year * sent * each


_COLUMNS: Final = (
    "recipients",
    "messages a day",
    "a second in the busiest hour",
    "cores of gateways then",
    "of one core of Redis then",
    "Redis, GB of data",
    "server, GB with room",
    "the same with outgoing mail",
    "SQLite, GB",
)


def page(given: Assumptions, measured: Constants) -> str:
    """All of it."""
    assumed = [[f"{getattr(given, name):g}", said] for name, said in _SAID.items()]
    return "\n".join(
        (
            "# How the memory grows\n",
            "Written by `python -m bench.growth`; do not edit. On paper: what was measured (here,",
            "docs/memory-size.md, docs/benchmarks.md) times what is assumed. Data are those at which as much",
            "expires as comes, with the retentions that `[history]` has by default. Of a remembered mail there",
            f"are a conduct, {TRAITS} marks of traits, and the marks of its text.\n",
            "## Assumed\n",
            _table(("", "what"), assumed),
            "\n## Follows\n",
            _table(_COLUMNS, [house(size, given, measured) for size in SIZES]),
            "\n## Measured here\n",
            f"{SAMPLE:,} of each; every text unlike all others, so that each of its {BANDS} bands has a trail of",
            "its own.\n",
            _table(("", ""), measured.own),
            "",
        )
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def constants(own: Sequence[tuple[str, str]] | None = None) -> Constants:
    """From the pages; `own` in place of what the page has."""
    if own is None:
        text = PAGE.read_text().partition("## Measured here\n")[2]
        own = re.findall(r"^\| (\w[^|]*?) \| (\d+) \|$", text, re.MULTILINE)
    return Constants(
        size=(DOCS / "memory-size.md").read_text(),
        benchmark=(DOCS / "benchmarks.md").read_text(),
        own=tuple(own),
    )


def write() -> None:
    """The page anew, after one of the pages that it rests on was measured anew."""
    PAGE.write_text(page(Assumptions(), constants()))


def main() -> None:
    """Measure if asked, write the page, say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, said in _SAID.items():
        default = next(one.default for one in fields(Assumptions) if one.name == name)
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=default, help=said)
    parser.add_argument("--redis", metavar="URL", help="measure first, with the Redis there")
    given = vars(parser.parse_args())
    url = given.pop("redis")
    own = asyncio.run(measure(url)).rows if url else None
    assumptions = Assumptions(**given)
    text = page(assumptions, constants(own))
    if assumptions == Assumptions():
        PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
