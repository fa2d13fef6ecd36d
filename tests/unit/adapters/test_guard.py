"""A guarded store: nobody waits longer than the budget, nothing that the journal can hold is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milter.adapters.history.batch_journal import BatchJournal
from milter.adapters.history.breaker import BreakerOptions
from milter.adapters.history.guard import GuardedStore, GuardOptions
from milter.adapters.history.store import Answer, Batch, Entry, StoreUnavailable
from tests.support.next_hop import FixedClock
from tests.support.troubled_store import Sleeper, TroubledStore, Watcher, settled

NOW = 1_760_000_000
OPTIONS = GuardOptions(
    budget=0.01,
    replay_budget=0.02,
    replay_step=4,
    late=3,
    grace=0.05,
    breaker=BreakerOptions(in_a_row=3, first_wait=1.0, longest_wait=8.0),
)


class Case:
    """A guard over a store that a test can trouble."""

    def __init__(self, folder: Path, most_bytes: int = 100_000) -> None:
        self.clock = FixedClock()
        self.store = TroubledStore()
        self.watcher = Watcher()
        self.sleeper = Sleeper(self.clock)
        self.folder = folder / "journal"
        self.guard = self.another(most_bytes)

    def another(self, most_bytes: int = 100_000) -> GuardedStore:
        """A guard of another process."""
        return GuardedStore(
            self.store,
            BatchJournal(self.folder, most_bytes=most_bytes),
            self.clock,
            watch=self.watcher,
            jitter=lambda: 1.0,
            options=OPTIONS,
            sleep=self.sleeper,
        )

    async def read(self) -> str:
        """The word of failure, or ''."""
        try:
            await self.guard.read([b"d"], [], NOW)
        except StoreUnavailable as error:
            return str(error)
        return ""

    async def write(self, number: int) -> None:
        await self.guard.write(batch(number), NOW)

    async def mended(self) -> None:
        self.sleeper.is_awake.set()
        await settled(self.guard._mender)

    def kept(self) -> set[bytes]:
        return set(self.store.entries.get(b"d", {}))


def batch(number: int) -> Batch:
    return Batch(entries=((b"d", Entry(b"%d" % number, b"g", NOW, NOW + 10_000, b"v" * 50)),))


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    made = Case(tmp_path)
    made.sleeper.is_awake.clear()
    yield made
    made.store.release()
    await made.guard.close()
    assert made.store.is_closed
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left


async def test_a_store_that_is_well_is_just_asked(case) -> None:
    await case.write(1)
    assert (await case.guard.read([b"d"], [], NOW)).dossiers[0][0].event_id == b"1"
    assert case.watcher.answers == {("write", "ok"): 1, ("read", "ok"): 1}
    await case.mended()
    assert not case.folder.exists()


async def test_nothing_to_do_asks_nobody(case) -> None:
    await case.guard.write(Batch(), NOW)
    assert await case.guard.read([], [], NOW) == Answer()
    assert case.store.asked == []


async def test_a_store_that_hangs_costs_the_budget_and_then_nothing(case) -> None:
    case.store.trouble = "hang"
    assert [await case.read() for _ in range(5)] == ["timeout"] * 3 + ["open"] * 2
    assert case.watcher.answers == {("read", "timeout"): 3, ("read", "open"): 2}
    assert case.watcher.is_open == {"read": True, "write": False}
    assert case.store.asked == ["read"] * 3


async def test_the_store_s_own_word_is_told(case) -> None:
    case.store.trouble = "loading"
    assert [await case.read() for _ in range(4)] == ["loading"] * 3 + ["open"]
    assert case.watcher.answers["read", "refused"] == 3


async def test_what_cannot_be_written_is_written_later_in_order_and_once(case) -> None:
    case.store.trouble = "hang"
    for number in range(10):
        await case.write(number)
    assert case.watcher.waiting == 10
    assert case.watcher.answers == {("write", "timeout"): 3, ("write", "open"): 7}
    case.store.trouble = ""
    await case.mended()
    assert case.kept() == {b"%d" % number for number in range(10)}
    assert list(case.store.entries[b"d"])[:4] == [b"0", b"1", b"2", b"3"]
    assert (case.watcher.waiting, case.watcher.replayed, case.watcher.dropped) == (0, 10, 0)
    assert case.watcher.answers["replay", "ok"] == 3
    assert not case.watcher.is_open["write"]
    assert list(case.folder.iterdir()) == []


async def test_a_full_store_is_read_all_the_same(case) -> None:
    case.store.write_trouble = "full"
    for number in range(6):
        await case.write(number)
        assert await case.read() == ""
    assert case.watcher.is_open == {"read": False, "write": True}
    assert case.watcher.waiting == 6
    case.store.write_trouble = ""
    await case.mended()
    assert len(case.kept()) == 6


async def test_it_tries_again_ever_more_seldom(case) -> None:
    case.store.trouble = "refused"
    for number in range(4):
        await case.write(number)
    case.store.asked.clear()
    began = case.clock.seconds
    case.sleeper.is_awake.set()
    for _ in range(100_000):
        if case.clock.seconds >= began + 60:
            break
        await asyncio.sleep(0)
    assert 5 <= case.store.asked.count("write") <= 12
    case.store.trouble = ""
    await case.mended()
    assert len(case.kept()) == 4


async def test_an_open_read_breaker_closes_without_mail(case) -> None:
    case.store.trouble = "lost"
    for _ in range(3):
        await case.read()
    case.store.trouble = ""
    await case.mended()
    assert not case.watcher.is_open["read"]
    assert await case.read() == ""


async def test_one_mail_asks_for_all_when_the_wait_is_over(case) -> None:
    case.store.trouble = "hang"
    for _ in range(3):
        await case.read()
    case.clock.seconds += 1.0
    words = await asyncio.gather(*(case.read() for _ in range(10)))
    assert sorted(words) == ["open"] * 9 + ["timeout"]


async def test_what_goes_on_behind_is_bounded(case) -> None:
    case.store.trouble = "hang"
    for _ in range(12):
        await asyncio.gather(case.read(), case.write(1))
        case.clock.seconds += 60
    assert 3 <= case.store.most_running <= OPTIONS.late + 2
    assert case.store.running <= OPTIONS.late


async def test_what_comes_late_counts_as_late(case) -> None:
    """A connection that takes longer than a budget comes up behind."""
    case.store.trouble = "hang"
    await case.write(1)
    case.store.release()
    await asyncio.sleep(0.001)
    assert case.kept() == {b"1"}
    case.store.trouble = ""
    await case.mended()
    assert case.kept() == {b"1"}
    assert case.watcher.replayed == 1


async def test_a_mail_that_is_given_up_leaves_what_it_wrote(case) -> None:
    case.store.trouble = "hang"
    writing = asyncio.ensure_future(case.write(1))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert case.watcher.waiting == 1
    case.store.trouble = ""
    await case.mended()
    assert case.kept() == {b"1"}


async def test_a_full_journal_drops_the_oldest_and_says_so(tmp_path) -> None:
    case = Case(tmp_path, most_bytes=4_000)
    case.sleeper.is_awake.clear()
    case.store.trouble = "refused"
    for number in range(100):
        await case.write(number)
    assert case.watcher.dropped > 0
    assert case.watcher.waiting + case.watcher.dropped == 100
    case.store.trouble = ""
    waiting = case.watcher.waiting
    await case.mended()
    assert case.kept() == {b"%d" % number for number in range(100 - waiting, 100)}
    await case.guard.close()


async def test_what_neither_takes_is_lost_and_said(tmp_path) -> None:
    case = Case(tmp_path)
    case.folder.write_text("a file in the place of the folder")
    case.store.trouble = "refused"
    with pytest.raises(StoreUnavailable, match="refused, no journal"):
        await case.write(1)
    assert case.watcher.dropped == 1
    await case.guard.close()


async def test_what_a_killed_process_left_is_written_by_the_next(case) -> None:
    await case.read()
    await case.mended()
    case.sleeper.is_awake.clear()
    case.store.trouble = "refused"
    for number in range(5):
        await case.write(number)
    case.guard._journal.close()  # all that is left of a killed process
    case.store.trouble = ""
    case.sleeper.is_awake.set()
    other = case.another()
    await other.read([b"d"], [], NOW)
    await settled(other._mender)
    assert len(case.kept()) == 5
    await other.close()


async def test_journals_of_the_dead_are_looked_for_with_the_housekeeping(case) -> None:
    other = case.another()
    await case.read()
    await other.read([b"d"], [], NOW)
    await case.mended()
    await settled(other._mender)
    case.sleeper.is_awake.clear()
    case.store.trouble = "refused"
    await case.write(1)
    case.guard._journal.close()
    case.store.trouble = ""
    case.sleeper.is_awake.set()
    await other.expire(NOW)
    await settled(other._mender)
    assert case.kept() == {b"1"}
    await other.close()


async def test_one_batch_that_is_never_taken_does_not_hold_up_the_others(case) -> None:
    case.store.write_trouble = "hang"
    for number in range(6):
        await case.write(number)
    poison = batch(2)
    plain_write = case.store.write

    async def picky(one: Batch, now: int) -> None:
        if set(poison.entries) & set(one.entries):
            raise StoreUnavailable("garbage")
        await plain_write(one, now)

    case.store.write = picky
    case.store.write_trouble = ""
    await case.mended()
    assert case.kept() == {b"0", b"1", b"3", b"4", b"5"}
    assert (case.watcher.replayed, case.watcher.dropped, case.watcher.waiting) == (5, 1, 0)


async def test_an_error_of_ours_is_not_hidden(case) -> None:
    case.store.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await case.read()
    case.store.error = None


async def test_after_close_nobody_is_asked(tmp_path) -> None:
    case = Case(tmp_path)
    case.store.trouble = "hang"
    await case.read()
    await case.guard.close()
    assert case.store.running == 0
    assert await case.read() == "open"
