"""Notices, warning, expiry and the end of tombstones."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from milter.act.quarantine import delete
from milter.act.retention import Housekeeper, HousekeepingReport, RetentionRules
from milter.adapters.files_quarantine import FilesQuarantine
from milter.mail.quarantine import HoldState
from tests.support.holds import NOW, Inbox, days, held, hold, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> FilesQuarantine:
    return open_store(tmp_path)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def keeper(store: FilesQuarantine, inbox: Inbox) -> Housekeeper:
    return Housekeeper(store, inbox)


async def run(keeper: Housekeeper, after: timedelta = timedelta(0)) -> HousekeepingReport:
    report = await keeper.run(NOW + after)
    assert report is not None
    return report


async def test_every_hold_is_told_once(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    (quarantine_id,) = await held(store)
    report = await run(keeper)
    assert report.notified == (quarantine_id,)
    assert (report.held, report.oldest_received_at) == (1, NOW)
    for minutes in range(1, 5):
        assert (await run(keeper, minutes * MINUTE)).notified == ()
    assert inbox.notices == [("held", (quarantine_id,))]


async def test_a_new_process_neither_loses_nor_repeats(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    (first,) = await held(store)
    await run(keeper)
    (second,) = await held(store)
    other = Housekeeper(store, inbox)
    assert (await run(other, timedelta(seconds=59))).notified == ()
    assert (await run(other, MINUTE)).notified == (second,)
    assert inbox.notices == [("held", (first,)), ("held", (second,))]


async def test_several_go_into_one_digest_a_minute(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    await held(store)
    await run(keeper)
    more = await held(store, *(hold(received_at=NOW + days(at)) for at in (0.2, 0.1, 0.3)))
    for seconds in (1, 20, 59):
        assert (await run(keeper, timedelta(seconds=seconds))).notified == ()
    await run(keeper, MINUTE)
    assert inbox.notices[1] == ("digest", (more[1], more[0], more[2]))


async def test_a_digest_is_bounded_and_the_rest_follows(
    store: FilesQuarantine, inbox: Inbox
) -> None:
    keeper = Housekeeper(store, inbox, RetentionRules(notice_size=3))
    ids = set(await held(store, *[hold()] * 7))
    for minute in range(4):
        await run(keeper, minute * MINUTE)
    assert [len(told) for _, told in inbox.notices] == [3, 3, 1]
    assert {one for _, told in inbox.notices for one in told} == ids


async def test_a_digest_lists_only_what_is_still_held(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    kept, gone, other = await held(store, hold(), hold(), hold())
    await delete(store, gone, by="cli:ina", at=NOW)
    await store.write_pending([hold()])
    await run(keeper)
    assert [set(told) for _, told in inbox.notices] == [{kept, other}]


async def test_a_failing_notice_is_tried_again_ever_later(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    (quarantine_id,) = await held(store)
    inbox.fails = True
    attempts = []
    for minute in range(300):
        report = await run(keeper, minute * MINUTE)
        assert report.notified == ()
        if report.notices_failed:
            attempts.append(minute)
    assert attempts[:5] == [0, 2, 6, 14, 30]
    assert {later - sooner for sooner, later in pairwise(attempts[5:])} == {60}
    inbox.fails = False
    assert (await run(keeper, 400 * MINUTE)).notified == (quarantine_id,)


async def test_announced_seven_days_before_and_then_expired(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox, tmp_path: Path
) -> None:
    (quarantine_id,) = await held(store)
    await run(keeper)
    assert (await run(keeper, days(22.9))).warned == ()
    assert (await run(keeper, days(23))).warned == (quarantine_id,)
    assert (await run(keeper, days(29.9))).expired == ()
    report = await run(keeper, days(30))
    assert (report.expired, report.expired_unannounced, report.held) == ((quarantine_id,), (), 0)
    assert inbox.notices == [("held", (quarantine_id,)), ("expiring", (quarantine_id,))]
    record = await store.find(quarantine_id)
    assert (record.state, record.decided_by) == (HoldState.EXPIRED, "lurewall")
    acts = [json.loads(line)["act"] for line in (tmp_path / "audit.log").read_text().splitlines()]
    assert acts == ["notify", "warn", "expire"]


async def test_a_late_warning_delays_expiry(store: FilesQuarantine, keeper: Housekeeper) -> None:
    """After weeks of standstill nothing vanishes at the first look."""
    (quarantine_id,) = await held(store)
    report = await run(keeper, days(45))
    assert (report.notified, report.expired) == ((quarantine_id,), ())
    report = await run(keeper, days(45) + MINUTE)
    assert (report.warned, report.expired) == ((quarantine_id,), ())
    assert (await run(keeper, days(52))).expired == ()
    assert (await run(keeper, days(52) + MINUTE)).expired == (quarantine_id,)


async def test_who_cannot_be_reached_does_not_make_us_keep_for_ever(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    (quarantine_id,) = await held(store)
    inbox.fails = True
    assert (await run(keeper, days(59.9))).expired == ()
    report = await run(keeper, days(60))
    assert report.expired == report.expired_unannounced == (quarantine_id,)


async def test_without_a_contact_holds_expire_at_their_time(store: FilesQuarantine) -> None:
    keeper = Housekeeper(store, None)
    (quarantine_id,) = await held(store)
    assert (await run(keeper, days(29.9))).expired == ()
    assert (await run(keeper, days(30))).expired == (quarantine_id,)


async def test_a_short_retention_is_announced_at_once(tmp_path: Path, inbox: Inbox) -> None:
    store = open_store(tmp_path, retention=days(2))
    keeper = Housekeeper(store, inbox)
    (quarantine_id,) = await held(store)
    await run(keeper)
    assert (await run(keeper, MINUTE)).warned == (quarantine_id,)
    assert (await run(keeper, days(2))).expired == ()
    assert (await run(keeper, days(2) + MINUTE)).expired == (quarantine_id,)


async def test_new_holds_do_not_crowd_out_the_warning(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox
) -> None:
    await held(store)
    await run(keeper)
    for minute in range(2):
        await held(store)
        await run(keeper, days(24) + minute * MINUTE)
    assert [kind for kind, _ in inbox.notices] == ["held", "expiring", "digest"]


async def test_a_hold_being_released_is_not_expired(
    store: FilesQuarantine, keeper: Housekeeper
) -> None:
    (quarantine_id,) = await held(store)
    async with store.exclusive(quarantine_id):
        assert (await run(keeper, days(100))).expired == ()
    assert await store.read_raw(quarantine_id)


async def test_an_unknown_outcome_expires_too(store: FilesQuarantine, keeper: Housekeeper) -> None:
    (quarantine_id,) = await held(store)
    async with store.exclusive(quarantine_id) as record:
        await store.replace(replace(record, state=HoldState.RELEASING))
    report = await run(keeper, days(61))
    assert report.expired == (quarantine_id,)


async def test_tombstones_end(store: FilesQuarantine, keeper: Housekeeper) -> None:
    (quarantine_id,) = await held(store)
    await delete(store, quarantine_id, by="cli:ina", at=NOW)
    assert (await run(keeper, days(89))).forgotten == ()
    assert (await run(keeper, days(90))).forgotten == (quarantine_id,)
    assert await store.list_records() == ()


async def test_damage_is_reported_and_stops_nothing(
    store: FilesQuarantine, keeper: Housekeeper, inbox: Inbox, tmp_path: Path
) -> None:
    broken, sound = await held(store, hold(), hold())
    (tmp_path / "holds" / f"{broken}.held").write_bytes(b"noise")
    for minute in range(2):
        report = await run(keeper, minute * MINUTE)
        assert report.damaged == (broken,)
    assert inbox.notices == [("held", (sound,))]


async def test_a_round_opens_only_what_is_new(
    store: FilesQuarantine, keeper: Housekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held(store, *[hold()] * 20)
    await run(keeper)
    monkeypatch.setattr(store, "find", lambda _: pytest.fail("read a record again"))
    assert (await run(keeper, 5 * MINUTE)).held == 20


async def test_one_process_at_a_time(store: FilesQuarantine, keeper: Housekeeper) -> None:
    async with store.housekeeping() as ours:
        assert ours
        assert await keeper.run(NOW) is None


async def test_recovery_is_part_of_it(store: FilesQuarantine, inbox: Inbox, tmp_path: Path) -> None:
    other = open_store(tmp_path)
    (quarantine_id,) = await other.write_pending([hold()])
    other._folder._let_go([quarantine_id])
    report = await run(Housekeeper(store, inbox))
    assert (report.recovered, report.notified) == ((quarantine_id,), (quarantine_id,))
