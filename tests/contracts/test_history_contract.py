"""What every store of memories must do; `PlainStore` is the oracle, `STORES` says who is asked."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Entry,
    HistoryStore,
    Mark,
    TrailRecord,
)
from tests.support.history_stores import EVERY_STORE, STORES
from tests.support.plain_store import PlainStore
from tests.support.records import (
    DAY,
    NOW,
    dossier_of,
    entries,
    entry,
    everything,
    key,
    mark,
    marks,
    marks_of,
)


@pytest.fixture(params=EVERY_STORE)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HistoryStore]:
    made = STORES[request.param](tmp_path)
    yield made
    await made.close()


async def test_unknown_keys_are_empty_and_stay_unknown(store: HistoryStore) -> None:
    answer = await store.read([key("d1"), key("d2")], [key("t")], NOW)
    assert answer == Answer(dossiers=((), ()), trails=(TrailRecord(),))
    assert await store.read([], [], NOW) == Answer()
    assert await everything(store) == ([], Answer())


async def test_the_answer_is_in_the_order_asked(store: HistoryStore) -> None:
    await store.write(entries("b", entry("2", at=5), entry("3", at=1), entry("1", at=5)), NOW)
    await store.write(marks("t", mark("y", at=2), mark("x", at=2), mark("z", at=1)), NOW)
    answer = await store.read([key("c"), key("b"), key("b")], [key("none"), key("t")], NOW)
    in_order = (entry("3", at=1), entry("1", at=5), entry("2", at=5))
    assert answer.dossiers == ((), in_order, in_order)
    assert [one.field for one in answer.trails[1].marks] == [key("z"), key("x"), key("y")]


async def test_a_second_entry_of_an_id_changes_nothing(store: HistoryStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    await store.write(entries("d", entry("1", at=9, value=b"another", group="h")), NOW)
    assert await dossier_of(store, "d") == (entry("1"),)


async def test_an_id_stands_in_several_dossiers(store: HistoryStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    await store.write(entries("e", entry("1", value=b"hers")), NOW)
    assert await dossier_of(store, "d") == (entry("1"),)
    assert await dossier_of(store, "e") == (entry("1", value=b"hers"),)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0, 1)])
async def test_a_mark_widens(store: HistoryStore, order: tuple[int, ...]) -> None:
    seen = (mark("f", at=10, days=30), mark("f", at=50, days=10), mark("f", at=30, days=40))
    for number in order:
        await store.write(marks("t", seen[number]), NOW)
    expected = Mark(
        field=key("f"),
        first=NOW + 10,
        last=NOW + 50,
        expires=NOW + 40 * DAY,
        value=b"f at 10",
    )
    assert await marks_of(store, "t") == (expected,)


async def test_what_has_expired_is_never_read(store: HistoryStore) -> None:
    await store.write(entries("d", entry("short", days=1), entry("long", days=2)), NOW)
    await store.write(marks("t", mark("short", days=1), mark("long", days=2)), NOW)
    for later, names in ((DAY - 1, ("long", "short")), (DAY, ("long",)), (2 * DAY, ())):
        dossier = await dossier_of(store, "d", NOW + later)
        assert sorted(one.event_id for one in dossier) == sorted(map(key, names))
        trail = await marks_of(store, "t", NOW + later)
        assert sorted(one.field for one in trail) == sorted(map(key, names))


async def test_what_comes_expired_is_not_taken(store: HistoryStore) -> None:
    old = Batch(entries=((key("d"), entry("1", days=0)),), marks=((key("t"), mark("f", days=0)),))
    await store.write(old, NOW)
    assert await everything(store, NOW - DAY) == ([], Answer())


async def test_an_expired_mark_is_not_widened_but_begun_anew(store: HistoryStore) -> None:
    await store.write(marks("t", mark("f", at=1, days=1)), NOW)
    again = mark("f", at=2 * DAY)
    await store.write(marks("t", again), NOW + 2 * DAY)
    assert await marks_of(store, "t", NOW + 2 * DAY) == (again,)


async def test_expire_removes_and_counts(store: HistoryStore) -> None:
    lasting = Batch(
        entries=((key("d"), entry("stays", days=9)),), marks=((key("t"), mark("stays", days=9)),)
    )
    await store.write(lasting, NOW)
    for number in range(30):
        await store.write(entries(f"d{number % 7}", entry(str(number), days=1)), NOW)
        await store.write(marks(f"t{number % 7}", mark(str(number), days=1)), NOW)
    assert await store.expire(NOW) == 0
    gone = 0
    while step := await store.expire(NOW + DAY):
        gone += step
    # A store whose server removes what has expired may have nothing left to count.
    assert gone <= 60
    counts = await store.counts()
    assert (counts.entries, counts.marks) == (1, 1)
    assert (counts.dossiers, counts.trails) == (1, 1)
    assert (await everything(store, NOW + DAY))[0] == [key("d"), key("t")]


async def test_counts(store: HistoryStore) -> None:
    await store.write(entries("d", entry("1"), entry("2")), NOW)
    await store.write(entries("e", entry("1")), NOW)
    await store.write(marks("t", mark("1"), mark("2"), mark("3"), mark("1", at=5)), NOW)
    counts = await store.counts()
    assert (counts.dossiers, counts.entries, counts.trails, counts.marks) == (2, 3, 1, 3)


async def test_forgetting_entries(store: HistoryStore) -> None:
    await store.write(entries("d", entry("1"), entry("2"), entry("3")), NOW)
    await store.write(entries("e", entry("1")), NOW)
    assert await store.forget_entries(key("d"), [key("1"), key("3"), key("never")]) == 2
    assert await store.forget_entries(key("d"), [key("1")]) == 0
    assert await store.forget_entries(key("unknown"), [key("1")]) == 0
    assert await store.forget_entries(key("d"), []) == 0
    assert await dossier_of(store, "d") == (entry("2"),)
    assert await dossier_of(store, "e") == (entry("1"),)
    assert await store.forget_entries(key("d"), [key("2")]) == 1
    assert [one async for one in store.dossiers()] == [key("e")]


async def test_forgetting_marks(store: HistoryStore) -> None:
    await store.write(marks("t", mark("1"), mark("2")), NOW)
    assert await store.forget_marks(key("t"), [key("2"), key("never")]) == 1
    assert await store.forget_marks(key("unknown"), [key("1")]) == 0
    assert await marks_of(store, "t") == (mark("1"),)
    assert await store.forget_marks(key("t"), [key("1")]) == 1
    assert [one async for one in store.trails()] == []


async def test_what_was_forgotten_may_come_again(store: HistoryStore) -> None:
    await store.write(entries("d", entry("1")), NOW)
    await store.forget_entries(key("d"), [key("1")])
    await store.write(entries("d", entry("1")), NOW)
    assert await dossier_of(store, "d") == (entry("1"),)


async def test_iteration_names_every_key_once(store: HistoryStore) -> None:
    names = [f"{number:05}" for number in range(1_234)]
    batch = Batch(
        entries=tuple((key(name), entry(each)) for name in names for each in "ab"),
        marks=tuple((key(name), mark(each)) for name in names for each in "ab"),
    )
    await store.write(batch, NOW)
    assert sorted([one async for one in store.dossiers()]) == sorted(map(key, names))
    assert sorted([one async for one in store.trails()]) == sorted(map(key, names))


async def test_a_flood_of_one_group_pushes_out_itself(store: HistoryStore) -> None:
    await store.write(
        entries("d", *(entry(f"a{each}", group="a", at=each) for each in range(9))), NOW
    )
    flood = [entry(f"f{each:03}", group="flood", at=each) for each in range(MAX_ENTRIES + 20)]
    await store.write(entries("d", *flood), NOW)
    kept = await dossier_of(store, "d")
    assert len(kept) == MAX_ENTRIES
    assert sum(one.group == b"a" for one in kept) == 9
    latest = {one.event_id for one in flood[-(MAX_ENTRIES - 9) :]}
    assert {one.event_id for one in kept if one.group == b"flood"} == latest


async def test_what_has_expired_makes_room_first(store: HistoryStore) -> None:
    short = [entry(f"s{each:03}", group="s", at=each, days=1) for each in range(100)]
    long = [entry(f"l{each:03}", group="l", at=each, days=9) for each in range(MAX_ENTRIES - 100)]
    await store.write(entries("d", *short, *long), NOW)
    more = [entry(f"m{each:03}", group="l", at=DAY + each, days=9) for each in range(100)]
    await store.write(entries("d", *more), NOW + DAY)
    assert set(await dossier_of(store, "d", NOW + DAY)) == {*long, *more}


async def test_a_full_trail_takes_no_new_field_but_widens_and_says_so(store: HistoryStore) -> None:
    fields = [mark(f"{each:03}", at=each) for each in range(MAX_MARKS)]
    await store.write(marks("t", *fields), NOW)
    assert await store.read([], [key("t")], NOW) == Answer(
        trails=(TrailRecord(marks=tuple(fields)),)
    )
    await store.write(marks("t", mark("new"), mark("000", at=500)), NOW)
    (record,) = (await store.read([], [key("t")], NOW)).trails
    assert record.is_full
    assert [one.field for one in record.marks] == [one.field for one in fields]
    assert record.marks[0].last == NOW + 500


async def test_a_trail_that_ran_empty_is_no_longer_full(store: HistoryStore) -> None:
    await store.write(marks("t", *(mark(f"{each}", days=1) for each in range(MAX_MARKS + 1))), NOW)
    await store.expire(NOW + DAY)
    later = mark("new", at=DAY)
    await store.write(marks("t", later), NOW + DAY)
    (record,) = (await store.read([], [key("t")], NOW + DAY)).trails
    assert record == TrailRecord(marks=(later,))


async def test_large_and_odd_octets(store: HistoryStore) -> None:
    odd = Entry(
        event_id=b"\0'\xff\r\n:", group=b"\0", at=NOW, expires=NOW + 9, value=b"\0\xff" * 100_000
    )
    seen = Mark(field=b"\xff\0" * 32, first=0, last=NOW, expires=2**40, value=bytes(range(256)))
    place = b"\0{}*\xff\r\n" * 8
    await store.write(Batch(entries=((place, odd),), marks=((place, seen),)), NOW)
    answer = await store.read([place], [place], NOW)
    assert answer == Answer(dossiers=((odd,),), trails=(TrailRecord(marks=(seen,)),))
    assert [one async for one in store.dossiers()] == [place]
    assert await store.forget_marks(place, [seen.field]) == 1


async def test_an_empty_batch_and_an_empty_value(store: HistoryStore) -> None:
    empty = Entry(event_id=b"1", group=b"", at=NOW, expires=NOW + 9, value=b"")
    await store.write(Batch(), NOW)
    await store.write(Batch(entries=((b"k", empty),)), NOW)
    assert (await store.read([b"k"], [], NOW)).dossiers == ((empty,),)


@pytest.mark.parametrize("seed", range(6))
async def test_over_its_bounds_a_store_does_what_the_oracle_does(
    store: HistoryStore, seed: int
) -> None:
    """One writer, full dossiers and trails, time that moves on, records that are forgotten."""
    chance, oracle, now = random.Random(seed), PlainStore(), NOW
    for _ in range(12):
        batch = _crowd(chance, now)
        await store.write(batch, now)
        await oracle.write(batch, now)
        gone = [key(str(chance.randrange(400))) for _ in range(20)]
        assert await store.forget_entries(key("d0"), gone) == await oracle.forget_entries(
            key("d0"), gone
        )
        assert await store.forget_marks(key("t0"), gone[:2]) == await oracle.forget_marks(
            key("t0"), gone[:2]
        )
        now += chance.choice((0, DAY // 3, DAY))
        places = [key("d0"), key("d1")], [key("t0"), key("t1")]
        assert await store.read(*places, now) == await oracle.read(*places, now)


def _crowd(chance: random.Random, now: int) -> Batch:
    def times() -> tuple[int, int]:
        return now - chance.randrange(1_000), now + chance.randrange(DAY, 6 * DAY)

    def one_entry() -> tuple[bytes, Entry]:
        at, expires = times()
        name, group = str(chance.randrange(400)), chance.choice("aab") + chance.choice("xy")
        made = Entry(event_id=key(name), group=group.encode(), at=at, expires=expires, value=b"v")
        return key(chance.choice(("d0", "d0", "d1"))), made

    def one_mark() -> tuple[bytes, Mark]:
        at, expires = times()
        made = Mark(
            field=key(str(chance.randrange(90))),
            first=at,
            last=at,
            expires=expires,
            value=b"%d" % at,
        )
        return key(chance.choice(("t0", "t0", "t1"))), made

    return Batch(
        entries=tuple(one_entry() for _ in range(70)), marks=tuple(one_mark() for _ in range(20))
    )
