"""Two gateways that write at once lose nothing: any interleaving and repetition gives one answer."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milter.adapters.history.store import Batch, Entry, Mark
from tests.support.history_stores import EVERY_STORE, STORES
from tests.support.plain_store import PlainStore
from tests.support.records import DAY, NOW, everything, key

_NAMES = st.sampled_from("abc")


@st.composite
def _entry(draw: st.DrawFn) -> tuple[bytes, Entry]:
    """The facts of an event follow from its id: the same message tells the same."""
    number = draw(st.integers(0, 8))
    made = Entry(
        event_id=key(str(number)),
        group=b"%d" % (number % 3),
        at=NOW - number % 4,
        expires=NOW + (number + 1) * DAY,
        value=b"event %d" % number,
    )
    return key("d" + draw(_NAMES)), made


@st.composite
def _mark(draw: st.DrawFn) -> tuple[bytes, Mark]:
    """The value of a mark follows from its time."""
    name, at = draw(_NAMES), NOW - draw(st.integers(0, 5))
    expires = NOW + draw(st.integers(1, 3)) * DAY
    made = Mark(field=key(name), first=at, last=at, expires=expires, value=b"%d" % at)
    return key("t" + draw(_NAMES)), made


_BATCHES = st.builds(
    Batch,
    entries=st.lists(_entry(), max_size=4).map(tuple),
    marks=st.lists(_mark(), max_size=4).map(tuple),
)


@pytest.mark.parametrize("name", EVERY_STORE)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(_BATCHES, min_size=1, max_size=8), st.data())
def test_any_interleaving_gives_the_same_answer(
    name: str, tmp_path_factory: pytest.TempPathFactory, batches: list[Batch], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(batches), max_size=4))
    order = data.draw(st.permutations(batches + again))
    split = data.draw(st.integers(0, len(order)))
    folder: Path = tmp_path_factory.mktemp("interleaved")

    async def run() -> None:
        oracle, store = PlainStore(), STORES[name](folder)
        other = store if name == "plain" else STORES[name](folder)
        try:
            for batch in batches:
                await oracle.write(batch, NOW)
            await asyncio.gather(
                _write(store, order[:split]), _write(other, order[split:]), _write(store, again)
            )
            assert await everything(other) == await everything(oracle)
        finally:
            await store.close()
            await other.close()

    asyncio.run(run())


async def _write(store, batches: list[Batch]) -> None:
    for batch in batches:
        await store.write(batch, NOW)
        await asyncio.sleep(0)
