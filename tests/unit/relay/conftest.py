"""What the relay's tests share: a next hop over a real socket, on each event loop we run on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvloop

from milter.demo.inner_server import InnerServer
from milter.relay.next_hop import SmtpNextHop
from milter.relay.options import NextHopOptions
from tests.support.next_hop import FixedClock


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test runs on both event loops: they differ in transports, TLS and order of callbacks."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def hop_to(clock: FixedClock) -> AsyncIterator[Callable[..., SmtpNextHop]]:
    """Makes next hops to an inner server and closes them in the end."""
    made: list[SmtpNextHop] = []

    def make(server: InnerServer, **options: Any) -> SmtpNextHop:
        place: dict[str, Any] = (
            {"unix_path": server.unix_path}
            if server.unix_path
            else {"host": server.host, "port": server.port}
        )
        hop = SmtpNextHop(NextHopOptions(**({"lmtp": server.lmtp} | place | options)), clock)
        made.append(hop)
        return hop

    yield make
    for hop in made:
        await hop.aclose()
