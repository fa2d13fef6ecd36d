"""Two gateways write one engagement at once: nothing is lost, and the next mail is judged the same.

What each mail leaves behind is that of a whole gateway; two processes write it in any order and
split, some of it twice (a mail that was tried again at the other gateway).
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milter.adapters.history.sealed import MemoryKey, SealedHistory
from milter.mail.engagement import Inquiry, Memories, Recollection, address_trait
from milter.pipeline import Assessment
from tests.quality.test_engagements import BRANDT, BRANDT_ON_NETWORK, BRANDT_STEPS
from tests.support import redis_server
from tests.support.history_stores import EVERY_STORE
from tests.support.house import US, House, Sent, WorldClock
from tests.support.plain_store import PlainStore
from tests.support.second_gateway import KEY, Place, gateways, remember

_SHARED = EVERY_STORE[1:]
_MOVED = "brandt.office@outlook.com"
_LAST = Sent(
    sender=_MOVED,
    name="T. Brandt",
    text="New mailbox, same Signal: +44 7700 900456. The client asks for what is not public: "
    "internal planning of your department. Please do not mention it to your employer.",
    message_id="<last@outlook.com>",
)
_numbers = count(1)


class Recorder:
    """A memory that also tells what it was given."""

    def __init__(self, history: SealedHistory) -> None:
        self._history = history
        self.given: list[Memories] = []

    async def recall(self, inquiry: Inquiry) -> Recollection:
        return await self._history.recall(inquiry)

    async def remember(self, memories: Memories) -> None:
        self.given.append(memories)
        await self._history.remember(memories)


def step(number: int) -> Sent:
    return Sent(sender=BRANDT, name="Tomas Brandt", text=BRANDT_STEPS[number][1])


@cache
def told() -> tuple[tuple[Memories, ...], WorldClock, object]:
    """What the mails of the story leave, when it ends, and what is known then by one gateway."""

    async def run() -> tuple[tuple[Memories, ...], WorldClock, object]:
        clock = WorldClock()
        memory = Recorder(SealedHistory(store=PlainStore(), keys=(MemoryKey(KEY),), clock=clock))
        house = House(memory, clock)
        await house.receive_notice("Tomas Brandt", BRANDT_ON_NETWORK)
        for number in range(3):
            clock.pass_by(days=6)
            await house.receive(step(number))
        given = tuple(one for one in memory.given if one)
        clock.pass_by(days=6)
        return given, clock, await known(memory, clock)

    return asyncio.run(run())


async def known(memory: SealedHistory | Recorder, clock: WorldClock) -> object:
    """What the store answers about the persona, and what the next mail is judged to be."""
    traits = (address_trait(BRANDT), address_trait(_MOVED))
    inquiry = Inquiry(recipients=(US,), traits=traits)
    recalled = await memory.recall(inquiry)
    assessment = await House(memory, clock).receive(_LAST)
    return recalled, findings(assessment)


def findings(assessment: Assessment) -> list[tuple[object, ...]]:
    return [
        (row.finding.code, row.finding.strength, row.finding.evidence, row.weight_db)
        for row in assessment.verdict.findings
    ]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory) -> Iterator[str]:
    if redis_server.why_not():
        yield ""
        return
    with redis_server.running(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="module")
def two() -> Iterator[ProcessPoolExecutor]:
    with gateways(2) as processes:
        yield processes


def place(name: str, folder: Path, redis_url: str) -> Place:
    made = folder / f"memory{next(_numbers)}"
    return Place(folder=made, url=redis_url if name == "redis" else "")


@pytest.mark.parametrize("name", _SHARED)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_interleaving_is_one_engagement(
    name: str, two, redis_url, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    memories, clock, expected = told()
    order = data.draw(st.permutations(range(len(memories))))
    split = data.draw(st.integers(0, len(order)))
    again = data.draw(st.lists(st.sampled_from(order), max_size=3))
    where = place(name, tmp_path_factory.mktemp("two"), redis_url)
    parts = (order[:split] + again, again + order[split:])
    writing = [two.submit(remember, where, [memories[number] for number in part]) for part in parts]
    for one in writing:
        one.result(60)
    assert asyncio.run(as_known(where, clock)) == expected


async def as_known(where: Place, clock: WorldClock) -> object:
    history = where.history(clock)
    try:
        return await known(Frozen(history), clock)
    finally:
        await history.store.close()


class Frozen:
    """A memory that takes nothing more."""

    def __init__(self, history: SealedHistory) -> None:
        self._history = history

    async def recall(self, inquiry: Inquiry) -> Recollection:
        return await self._history.recall(inquiry)

    async def remember(self, memories: Memories) -> None:
        pass


def test_the_story_is_one_in_which_an_update_could_be_lost() -> None:
    memories, _clock, (recalled, found) = told()
    assert [len(one.events) for one in memories] == [1, 1, 1, 1]
    assert len(recalled.dossiers[0].events) == 4
    assert {"PERSONA_MOVED", "ENGAGEMENT_ESCALATES"} <= {code for code, *_rest in found}


@pytest.mark.parametrize("name", _SHARED)
async def test_two_mails_judged_at_once_by_two_gateways_are_both_remembered(
    name: str, tmp_path, redis_url
) -> None:
    clock, where = WorldClock(), place(name, tmp_path, redis_url)
    histories = [where.history(clock), where.history(clock)]
    try:
        one, other = (House(history, clock) for history in histories)
        await one.receive_notice("Tomas Brandt", BRANDT_ON_NETWORK)
        clock.pass_by(days=6)
        await asyncio.gather(one.receive(step(0)), other.receive(step(1)))
        clock.pass_by(days=6)
        judged = await one.receive(step(2))
        codes = {code for code, *_rest in findings(judged)}
        assert {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"} <= codes
        inquiry = Inquiry(recipients=(US,))
        (dossier,) = (await histories[0].recall(inquiry)).dossiers
        # The notification, the two at once, and the last.
        assert len(dossier.events) == 4
    finally:
        for history in histories:
            await history.store.close()
