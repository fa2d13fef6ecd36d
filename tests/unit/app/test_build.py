"""How the parts of a front are put together, where a wrong choice would cost mail."""

import asyncio
from pathlib import Path

import pytest

from milter.adapters.history.store import StoreUnavailable
from milter.app import build
from milter.app.build import build_front
from milter.relay.marked_next_hop import MarkedNextHop

MILTER = '[[listen]]\nrole = "milter"\nport = 1\nrelease_to = "127.0.0.1:25"\n'
SMTP = '[[listen]]\nrole = "before_queue"\nport = 2\n'
NEXT_HOP = '[next_hop]\nhost = "127.0.0.1"\nport = 25\n'


@pytest.mark.parametrize(
    ("listeners", "is_marked"),
    [(MILTER, True), (MILTER + NEXT_HOP, True), (MILTER + SMTP + NEXT_HOP, False)],
)
async def test_notices_that_meet_a_milter_again_carry_a_token(
    tmp_path: Path, listeners: str, is_marked: bool
):
    """A notice quotes a lure: without a token it could be held in its turn, and nobody told."""
    text = f'mode = "enforce"\ncontact = "c@example.org"\nstate_dir = "{tmp_path}"\n{listeners}'
    front = build_front(text.encode(), "gateway.toml", {}, "front")
    notifier = front._notifier()
    assert notifier is not None
    assert isinstance(notifier._next_hop, MarkedNextHop) == is_marked
    await asyncio.wait_for(front.drain(0), 10)


async def test_memory_that_is_away_holds_up_no_retention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Holds expire and notices go out, whatever becomes of the memory."""
    monkeypatch.setattr(build, "_HOUSEKEEPING_SECONDS", 0)
    text = f'mode = "enforce"\ncontact = "c@example.org"\nstate_dir = "{tmp_path}"\n{MILTER}'
    front = build_front(text.encode(), "gateway.toml", {}, "front")
    has_run = asyncio.Event()

    async def away() -> int:
        raise StoreUnavailable("damaged")

    async def run(_now: object) -> None:
        has_run.set()

    monkeypatch.setattr(front._history, "keep_house", away)
    monkeypatch.setattr(front._housekeeper, "run", run)
    keeping = asyncio.create_task(front._keep_house())
    await asyncio.wait_for(has_run.wait(), 10)
    keeping.cancel()
    await asyncio.wait_for(front.drain(0), 10)
