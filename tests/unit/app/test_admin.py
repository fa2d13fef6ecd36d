"""The administrative port, bounded against whoever talks to it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from milter.app import admin
from milter.app.admin import AdminServer
from milter.app.sockets import ListenAddress, bind


class FakeSource:
    def __init__(self) -> None:
        self.problems: tuple[str, ...] = ()

    async def metrics_text(self) -> bytes:
        return b"lurewall_up 1\n"

    async def liveness(self) -> tuple[str, ...]:
        return ()

    async def readiness(self) -> tuple[str, ...]:
        return self.problems


class Port:
    """A running server and the one request that a test makes."""

    def __init__(self, source: FakeSource, listener: socket.socket) -> None:
        self.source = source
        self.where = listener.getsockname()

    async def ask(self, octets: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self.where)
        writer.write(octets)
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return answer


@pytest.fixture(params=[""])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[Port]:
    source = FakeSource()
    server = AdminServer(source, request.param)
    with bind(ListenAddress(host="127.0.0.1", port=0)) as listener:
        await server.start(listener)
        yield Port(source, listener)
        await server.close()
    await asyncio.sleep(0)


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (get("/metrics"), 200),
        (get("/metrics?x=1"), 200),
        (get("/healthz"), 200),
        (get("/readyz"), 200),
        (get("/"), 404),
        (get("/metrics/"), 404),
        (get("/../etc/passwd"), 404),
        (get("/metrics", method="POST"), 405),
        (get("/metrics", method="get"), 405),
        (b"GET /metrics\r\n\r\n", 400),
        (b"EHLO example.org\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /metrics SMTP/1.0\r\n\r\n", 400),
        (b"\xff\xfe \x00 HTTP/1.1\r\n\r\n", 405),
    ],
)
async def test_answers_with_the_right_status(
    port: Port, request_octets: bytes, status: int
) -> None:
    answer = await port.ask(request_octets)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {len(body)}\r\n".encode() in head + b"\r\n"
    assert b"Connection: close" in head


async def test_head_gives_the_head_alone(port: Port) -> None:
    whole = await port.ask(get("/metrics"))
    head = await port.ask(get("/metrics", method="HEAD"))
    assert whole == head + b"lurewall_up 1\n"
    assert b"text/plain" in head


async def test_not_ready_is_503_with_one_line_per_reason(port: Port) -> None:
    port.source.problems = ("front 1.0: readers: none", "front 1.1: next_hop: away")
    answer = await port.ask(get("/readyz"))
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert answer.endswith(b"\r\n\r\nfront 1.0: readers: none\nfront 1.1: next_hop: away\n")


@pytest.mark.parametrize("port", ["t0ken"], indirect=True)
@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("Accept: */*", 401),
        ("Authorization: Bearer wrong", 401),
        ("Authorization: Basic t0ken", 401),
        ("Authorization: Bearer", 401),
        ("X-Authorization: Bearer t0ken", 401),
        ("Authorization: Bearer t0ken", 200),
        ("authorization:bearer   t0ken ", 200),
    ],
)
async def test_metrics_ask_for_the_token(port: Port, field: str, status: int) -> None:
    answer = await port.ask(get("/metrics", field))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"WWW-Authenticate: Bearer" in answer) == (status == 401)
    assert (b"lurewall_up" in answer) == (status == 200)


@pytest.mark.parametrize("port", ["t0ken"], indirect=True)
async def test_without_the_token_a_probe_learns_the_status_alone(port: Port) -> None:
    port.source.problems = ("front 1.0: next_hop: inner.example.org is away",)
    without = await port.ask(get("/readyz"))
    assert without.startswith(b"HTTP/1.1 503 ")
    assert b"inner" not in without
    assert b"inner" in await port.ask(get("/readyz", "Authorization: Bearer t0ken"))


async def test_a_head_without_end_is_cut_off(port: Port) -> None:
    assert await port.ask(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000) == b""


async def test_a_silent_peer_is_sent_away(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_HEAD_SECONDS", 0.05)
    assert await port.ask(b"GET /metrics HTTP/1.1\r\n") == b""


async def test_too_many_connections_are_sent_away_and_the_next_is_served(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "_MAX_CONNECTIONS", 1)
    _reader, writer = await asyncio.open_connection(*port.where)
    await asyncio.sleep(0.05)
    assert await port.ask(get("/healthz")) == b""
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    assert (await port.ask(get("/healthz"))).startswith(b"HTTP/1.1 200 ")
