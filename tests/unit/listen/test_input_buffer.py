"""Lines whole or not at all, whatever the segments; bounded memory."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.listen.input_buffer import InputBuffer, LineTooLong


class FakeTransport(asyncio.Transport):
    """Knows whether it is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def _take(buffer: InputBuffer) -> list[bytes | str]:
    lines: list[bytes | str] = []
    while True:
        try:
            line = buffer.take_line()
        except LineTooLong:
            lines.append("too long")
            continue
        if line is None:
            return lines
        lines.append(line)


@given(
    words=st.lists(st.binary(max_size=14).map(lambda word: word.replace(b"\n", b"x")), max_size=8),
    step=st.integers(1, 9),
)
def test_segments_do_not_matter(words: list[bytes], step: int) -> None:
    octets = b"".join(word + b"\n" for word in words)
    buffer = InputBuffer(10)
    taken: list[bytes | str] = []
    for start in range(0, len(octets), step):
        buffer.feed(octets[start : start + step])
        taken += _take(buffer)
    assert taken == [word + b"\n" if len(word) < 10 else "too long" for word in words]


def test_an_endless_line_takes_no_memory() -> None:
    buffer = InputBuffer(100)
    for _ in range(1000):
        buffer.feed(b"x" * 100)
        assert buffer.take_line() is None
        assert len(buffer.peek(10_000)) <= 200
    buffer.feed(b"\nNOOP\r\n")
    assert _take(buffer) == ["too long", b"NOOP\r\n"]


def test_a_full_buffer_pauses_the_transport() -> None:
    transport = FakeTransport()
    buffer = InputBuffer(100)
    buffer.attach(transport)
    buffer.feed(b"x" * 70_000)
    assert transport.is_paused
    assert buffer.take_all() == b"x" * 70_000
    assert not transport.is_paused


def test_a_new_transport_leaves_none_paused() -> None:
    old, new = FakeTransport(), FakeTransport()
    buffer = InputBuffer(100)
    buffer.attach(old)
    buffer.feed(b"x" * 70_000)
    buffer.attach(new)
    assert not old.is_paused
    buffer.clear()
    assert buffer.take_all() == b""
    assert not new.is_paused


def test_what_is_put_back_comes_first() -> None:
    buffer = InputBuffer(100)
    buffer.feed(b"b\r\n")
    assert buffer.take_line() == b"b\r\n"
    buffer.feed(b"c")
    buffer.unread(b"a\r\n")
    assert _take(buffer) == [b"a\r\n"]
    buffer.skip(1)
    assert buffer.take_all() == b""


async def test_wait_sees_what_came_before_it() -> None:
    buffer = InputBuffer(100)
    for news in (lambda: buffer.feed(b"x"), buffer.wake, buffer.feed_eof):
        news()
        async with asyncio.timeout(5):
            await buffer.wait()
    assert buffer.eof
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await buffer.wait()
    asyncio.get_running_loop().call_later(0.02, buffer.wake)
    async with asyncio.timeout(5):
        await buffer.wait()
