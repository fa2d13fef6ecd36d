"""`SealedHistory` on every store: round trips, rotation of keys, records that do not open."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.adapters.history.store import Batch, HistoryStore
from milter.mail.engagement import (
    Conduct,
    Event,
    Inquiry,
    Memories,
    Origin,
    PlatformContact,
    Recollection,
    Ruling,
    Stage,
    Trait,
    TraitKind,
)
from tests.support.history_stores import EVERY_STORE, STORES
from tests.support.records import JANE, MOMENT, NOW, PHONE, memories

OLD, NEW, FOREIGN = (MemoryKey(bytes([number]) * 32) for number in (1, 2, 3))


@dataclass(slots=True)
class _Clock:
    at: timedelta = timedelta()

    def now(self):
        return MOMENT + self.at

    def monotonic(self) -> float:
        return self.at.total_seconds()


@dataclass(slots=True)
class _House:
    store: HistoryStore
    told: list[str] = field(default_factory=list)
    clock: _Clock = field(default_factory=_Clock)

    def under(self, *keys: MemoryKey) -> SealedHistory:
        return SealedHistory(store=self.store, keys=keys, clock=self.clock, told=self.told.append)


@pytest.fixture(params=EVERY_STORE)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[_House]:
    store = STORES[request.param](tmp_path)
    yield _House(store)
    await store.close()


async def _recall(history: SealedHistory, *traits: Trait) -> Recollection:
    asked = Inquiry(recipients=(JANE, "tom@org.test"), traits=traits)
    return await history.recall(asked)


def _events(found: Recollection) -> list[str]:
    return [one.origin.event_id for one in found.dossiers[0].events]


_ORIGIN = Origin(event_id="e", at=MOMENT, message_id="<e@x.test>", transaction_id="tx1")
_EVENTS: tuple[Event, ...] = (
    PlatformContact(
        origin=_ORIGIN, platform="linkedin", notice="inmail", persona="Žofie 李", thread="t9",
        organisation="Org", role="Lead", subject="Hi", hints=(PHONE,), words=("sonar",),
    ),
    Conduct(
        origin=_ORIGIN, address="a@free.test", persona="Ž", stage=Stage.BIND, codes=("x.y",),
        traits=(PHONE,), reply_to=("b@free.test",), references=("<1@x>",), follows=("e0",),
        is_free_mail=True, announces=True,
    ),
    Ruling(origin=_ORIGIN, address="a@free.test", stage=Stage.NONE, by="ina", reason="known to us"),
)  # fmt: skip


@pytest.mark.parametrize("event", _EVENTS, ids=lambda one: type(one).__name__)
async def test_every_event_comes_back_whole(house: _House, event: Event) -> None:
    await house.under(NEW).remember(Memories(events=((JANE, event),)))
    found = await _recall(house.under(NEW))
    assert [one.recipient for one in found.dossiers] == [JANE, "tom@org.test"]
    assert [one.events for one in found.dossiers] == [(event,), ()]
    assert house.told == []


async def test_a_sighting_comes_back_with_its_first_message(house: _House) -> None:
    history = house.under(NEW)
    later, earlier = memories(5), memories(2)
    persona = later.sightings[0].persona
    same = replace(earlier.sightings[0], persona=persona)
    await history.remember(later)
    await history.remember(Memories(sightings=(same,)))
    other = Trait(kind=TraitKind.PHONE, value="+1")
    unknown, trail = (await _recall(history, other, PHONE)).trails
    assert unknown.seen == ()
    (seen,) = trail.seen
    assert (seen.persona, seen.recipient) == (persona, JANE)
    assert (seen.first, seen.last_at) == (same.origin, later.sightings[0].origin.at)


async def test_after_a_rotation_everything_is_still_found(house: _House) -> None:
    await house.under(OLD).remember(memories(1))
    rotated = house.under(NEW, OLD)
    await rotated.remember(memories(2))
    found = await _recall(rotated, PHONE)
    assert _events(found) == ["event 1", "event 2"]
    assert [seen.first.event_id for seen in found.trails[0].seen] == ["event 1", "event 2"]
    # What came since is under the new key alone, what came before under the old one alone.
    assert _events(await _recall(house.under(NEW))) == ["event 2"]
    assert _events(await _recall(house.under(OLD))) == ["event 1"]
    assert house.told == []


async def test_gateways_that_change_their_key_one_after_another_see_all(house: _House) -> None:
    # All know both keys before the first writes under the new one.
    before, after = house.under(OLD, NEW), house.under(NEW, OLD)
    await before.remember(memories(1))
    await after.remember(memories(2))
    await before.remember(memories(2))  # tried again at the other gateway
    for gateway in (before, after):
        found = await _recall(gateway, PHONE)
        assert _events(found) == ["event 1", "event 2"]
        assert [seen.first.event_id for seen in found.trails[0].seen] == ["event 1", "event 2"]


async def test_what_is_under_both_keys_is_found_once(house: _House) -> None:
    await house.under(OLD).remember(memories(1))
    rotated = house.under(NEW, OLD)
    await rotated.remember(memories(1))
    counts = await house.store.counts()
    assert (counts.entries, counts.marks) == (2, 2)
    found = await _recall(rotated, PHONE)
    assert _events(found) == ["event 1"]
    assert len(found.trails[0].seen) == 1


async def test_a_record_moved_to_another_dossier_or_id_does_not_open(house: _House) -> None:
    history = house.under(NEW)
    batch = history.batch(memories(1))
    ((place, entry),) = batch.entries
    ((trail, mark),) = batch.marks
    theirs = NEW.dossier("tom@org.test")
    moved = replace(entry, event_id=NEW.event_id("another"))
    other = NEW.trail(Trait(kind=TraitKind.PHONE, value="+1"))
    await house.store.write(
        Batch(
            entries=((theirs, entry), (place, moved)),
            marks=((other, mark), (trail, replace(mark, field=b"moved"))),
        ),
        NOW,
    )
    found = await _recall(history, PHONE, Trait(kind=TraitKind.PHONE, value="+1"))
    assert [one.events for one in found.dossiers] == [(), ()]
    assert [one.seen for one in found.trails] == [(), ()]
    assert house.told == ["unreadable"] * 4


async def test_a_record_of_an_unknown_key_does_not_open_and_hides_no_other(house: _House) -> None:
    history = house.under(NEW)
    await history.remember(memories(1))
    ((place, entry),) = history.batch(memories(2)).entries
    for value in (FOREIGN.seal(b"", place + entry.event_id), b"", NEW.key_id, b"\0" * 300):
        await house.store.forget_entries(place, [entry.event_id])
        await house.store.write(Batch(entries=((place, replace(entry, value=value)),)), NOW)
        house.told.clear()
        assert _events(await _recall(history)) == ["event 1"]
        assert house.told == ["unreadable"]


async def test_sealed_but_no_event_of_ours_is_left_out(house: _House) -> None:
    history = house.under(NEW)
    ((place, entry),) = history.batch(memories(2)).entries
    odd = replace(entry, value=NEW.seal(b"\xc1 no msgpack", place + entry.event_id))
    await house.store.write(Batch(entries=((place, odd),)), NOW)
    assert _events(await _recall(history)) == []
    assert house.told == ["unreadable"]


async def test_the_store_is_told_no_name(house: _House) -> None:
    history = house.under(NEW)
    batch = repr(history.batch(memories(1)))
    for word in (JANE, "persona1", "free.test", "A Name", "4930123456", "event 1"):
        assert word not in batch


async def test_nothing_outlives_its_retention(house: _House) -> None:
    history = house.under(NEW)
    await history.remember(memories(1))
    house.clock.at = history.retention.conduct + timedelta(seconds=1)
    found = await _recall(history, PHONE)
    assert _events(found) == []
    assert found.trails[0].seen == ()
