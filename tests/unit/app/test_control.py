"""The control channel: messages cross whole, and the end of the stream is an answer too."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from milter.app.control import (
    MAX_FRAME_BYTES,
    Answer,
    Ask,
    Channel,
    Configure,
    Drain,
    Farewell,
    Message,
    NotStarted,
    Started,
)
from milter.observe.metrics import Metrics

FAMILIES = Metrics().families()


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Channel, Channel]]:
    ours, theirs = socket.socketpair()
    channels = await Channel.over(ours), await Channel.over(theirs)
    yield channels
    for channel in channels:
        channel.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "message",
    [
        Configure(
            front="1.0",
            configuration=b"\xff\x00not even text",
            source="gateway.toml",
            sockets={"127.0.0.1:25": 7},
            drain_seconds=60.0,
        ),
        Ask(number=3, wants_metrics=True),
        Answer(number=3, is_ready=False, reasons=("next_hop: away",), families=FAMILIES),
        Drain(grace_seconds=0.5),
        Started(),
        NotStarted(reason="OSError: é"),
        Farewell(families=FAMILIES),
    ],
    ids=lambda message: type(message).__name__,
)
async def test_every_message_arrives_as_it_was_sent(
    ends: tuple[Channel, Channel], message: Message
) -> None:
    sending = asyncio.create_task(ends[0].send(message))
    assert await ends[1].receive() == message
    await sending


async def test_messages_keep_their_order(ends: tuple[Channel, Channel]) -> None:
    for number in range(5):
        await ends[0].send(Ask(number=number))
    received = [await ends[1].receive() for _ in range(5)]
    assert received == [Ask(number=number) for number in range(5)]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\0",
        b"\0\0\0\x05{",
        b"\0\0\0\x02{}",
        b"\0\0\0\x10" + b'{"type":"Other"}',
        b"\0\0\0\x04\xff\xff\xff\xff",
        (MAX_FRAME_BYTES + 1).to_bytes(4, "big") + b"x" * 100,
    ],
)
async def test_what_is_no_message_is_the_end(octets: bytes) -> None:
    ours, theirs = socket.socketpair()
    channel = await Channel.over(ours)
    with theirs:
        theirs.sendall(octets)
    assert await channel.receive() is None
    channel.close()
    await asyncio.sleep(0)
