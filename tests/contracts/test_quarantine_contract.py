"""What every quarantine store must do, whatever it is made of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from milter.mail.quarantine import AuditAct, AuditEntry, HoldState, Mark
from milter.ports import HoldBusy, HoldMissing, HoldStore
from tests.support.holds import NOW, RAW, RELEASE_RAW, days, hold, open_store

STORES: dict[str, Callable[[Path], HoldStore]] = {"files": open_store}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> HoldStore:
    return STORES[request.param](tmp_path)


async def _held(store: HoldStore, count: int = 1) -> tuple[str, ...]:
    quarantine_ids = await store.write_pending([hold()] * count)
    await store.commit(quarantine_ids)
    return quarantine_ids


async def _finish(store: HoldStore, quarantine_id: str, state: HoldState) -> None:
    async with store.exclusive(quarantine_id) as record:
        await store.replace(replace(record, state=state, decided_by="ina", decided_at=NOW))


async def test_a_committed_hold_gives_back_everything(store: HoldStore) -> None:
    original = hold()
    (quarantine_id,) = await _held(store)
    record = await store.find(quarantine_id)
    assert record.state is HoldState.HELD
    assert (record.envelope, record.verdict) == (original.envelope, original.verdict)
    assert (record.subject, record.rule, record.client_ip) == ("Report", "default", "192.0.2.7")
    assert (record.received_at, record.expires_at) == (NOW, NOW + days(30))
    assert record.size_bytes == len(RAW)
    assert await store.read_raw(quarantine_id) == RAW
    assert await store.read_release(quarantine_id) == RELEASE_RAW
    assert await store.list_records() == (record,)


async def test_pending_until_committed(store: HoldStore) -> None:
    (quarantine_id,) = await store.write_pending([hold()])
    assert (await store.find(quarantine_id)).state is HoldState.PENDING
    with pytest.raises(HoldBusy):
        async with store.exclusive(quarantine_id):
            pass
    await store.commit([quarantine_id])
    assert (await store.find(quarantine_id)).state is HoldState.HELD


async def test_a_dropped_hold_leaves_nothing(store: HoldStore) -> None:
    quarantine_ids = await store.write_pending([hold(), hold()])
    await store.drop(quarantine_ids)
    assert await store.list_records() == ()
    for quarantine_id in quarantine_ids:
        with pytest.raises(HoldMissing):
            await store.read_raw(quarantine_id)


async def test_commit_and_drop_may_come_twice(store: HoldStore) -> None:
    kept, dropped = await store.write_pending([hold(), hold()])
    for _ in range(2):
        await store.commit([kept])
        await store.drop([dropped])
    await store.drop([kept])
    assert [record.quarantine_id for record in await store.list_records()] == [kept]
    assert await store.read_raw(kept) == RAW


async def test_no_holds_is_no_error(store: HoldStore) -> None:
    assert await store.write_pending([]) == ()
    await store.commit([])
    await store.drop([])
    assert await store.list_records() == ()


async def test_recovery_leaves_a_living_transaction_alone(store: HoldStore) -> None:
    (quarantine_id,) = await store.write_pending([hold()])
    assert await store.recover(NOW) == ()
    assert (await store.find(quarantine_id)).state is HoldState.PENDING


async def test_one_at_a_time(store: HoldStore) -> None:
    (quarantine_id,) = await _held(store)
    async with store.exclusive(quarantine_id):
        with pytest.raises(HoldBusy):
            async with store.exclusive(quarantine_id):
                pass
    async with store.exclusive(quarantine_id) as record:
        assert record.state is HoldState.HELD


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.DELETED, HoldState.EXPIRED])
async def test_a_final_state_erases_content_and_keeps_the_record(
    store: HoldStore, state: HoldState
) -> None:
    (quarantine_id,) = await _held(store)
    await store.mark([quarantine_id], Mark.NOTIFIED, NOW)
    await _finish(store, quarantine_id, state)
    with pytest.raises(HoldMissing):
        await store.read_raw(quarantine_id)
    record = await store.find(quarantine_id)
    assert (record.state, record.decided_by, record.decided_at) == (state, "ina", NOW)
    async with store.exclusive(quarantine_id) as again:
        assert again == record
    await store.forget(quarantine_id)
    with pytest.raises(HoldMissing):
        await store.find(quarantine_id)


async def test_forget_never_touches_content(store: HoldStore) -> None:
    (quarantine_id,) = await _held(store)
    await store.forget(quarantine_id)
    assert await store.read_raw(quarantine_id) == RAW


async def test_entries_tell_state_and_marks(store: HoldStore) -> None:
    first, second = sorted(await _held(store, 2))
    await store.mark([first], Mark.NOTIFIED, NOW)
    await store.mark([first], Mark.WARNED, NOW + days(1))
    await _finish(store, second, HoldState.DELETED)
    one, two = await store.entries()
    assert (one.quarantine_id, one.state) == (first, HoldState.HELD)
    assert (one.notified_at, one.warned_at) == (NOW, NOW + days(1))
    assert (two.quarantine_id, two.state) == (second, HoldState.DELETED)
    assert two.notified_at is None


async def test_a_partly_released_hold_stays_held(store: HoldStore) -> None:
    (quarantine_id,) = await _held(store)
    async with store.exclusive(quarantine_id) as record:
        await store.replace(replace(record, released_to=(b"ina@example.org",)))
    record = await store.find(quarantine_id)
    assert [one.path.raw for one in record.unreleased] == [b"ole@example.org"]
    assert await store.read_release(quarantine_id) == RELEASE_RAW


@pytest.mark.parametrize("name", ["20260302-00000000000x", "", "../key", "x/y", "20260302-" * 9])
async def test_an_unknown_id_is_missing(store: HoldStore, name: str) -> None:
    for look in (store.find, store.read_raw, store.read_release):
        with pytest.raises(HoldMissing):
            await look(name)
    with pytest.raises(HoldMissing):
        async with store.exclusive(name):
            pass


async def test_one_housekeeper(store: HoldStore) -> None:
    async with store.housekeeping() as first, store.housekeeping() as second:
        assert (first, second) == (True, False)
    async with store.housekeeping() as third:
        assert third


async def test_audit_entries_are_taken(store: HoldStore) -> None:
    await store.audit(AuditEntry(at=NOW, who="cli:ina", act=AuditAct.LIST))
    assert await store.list_records() == ()
