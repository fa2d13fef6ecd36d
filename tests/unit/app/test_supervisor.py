"""The supervisor with real processes: start, drain, reload, and every kind of death."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.unit.app.conftest import Gateway, children_of, is_alive, until


async def test_starts_serves_and_a_stop_lets_a_running_conversation_end(gateway: Gateway) -> None:
    await gateway.start(fronts=2)
    fronts = children_of(gateway.pid)
    assert len(fronts) == 2
    peer = await gateway.connect()
    assert peer.name == "one"
    assert peer.pid in fronts
    [started] = gateway.events("started")
    assert started["listeners"] == [f"127.0.0.1:{gateway.port}"]
    gateway.signal(signal.SIGINT)
    await until(lambda: refuses(gateway.port))
    assert await peer.echo("still here") == "still here"
    assert is_alive(gateway.pid)
    assert await gateway.get("/readyz") == (503, "stopping\n")
    peer.close()
    assert await gateway.exit_code() == 0
    assert [event["reason"] for event in gateway.events("stopped")] == ["told to stop"]
    assert gateway.events("problem") == []
    assert not any(map(is_alive, fronts))


async def test_a_front_that_hangs_or_dies_is_seen_replaced_and_stays_counted(
    gateway: Gateway,
) -> None:
    await gateway.start(fronts=1)
    peer = await gateway.connect()
    name = 'lurewall_connections_total{role="mx"}'
    assert await gateway.metric(name) == 1
    peer.writer.write(b"block\n")
    await until(lambda: is_stopped(peer.pid))
    assert await gateway.get("/healthz") == (503, "front 1.0 does not answer\n")
    assert await gateway.metric(name) == 1
    assert await gateway.metric("lurewall_front_stale_total") >= 1
    os.kill(peer.pid, signal.SIGCONT)
    assert await peer.reader.readline() == b"block\n"
    assert (await gateway.get("/healthz"))[0] == 200

    os.kill(peer.pid, signal.SIGKILL)
    await until(lambda: children_of(gateway.pid) not in ([], [peer.pid]))
    again = await gateway.connect()
    assert again.pid != peer.pid
    assert await gateway.metric(name) == 2
    assert await gateway.metric("lurewall_fronts_ended_total") == 1
    assert "SIGKILL" in gateway.events("problem")[0]["detail"]


async def test_a_bad_reload_changes_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as init, socket.socket() as other:
        init.bind(f"\0lurewall-test-{os.getpid()}")
        init.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@lurewall-test-{os.getpid()}")
        await gateway.start(fronts=1)
        assert init.recv(1000) == b"READY=1"
        fronts = children_of(gateway.pid)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken, free = other.getsockname()[1], free_port()
        faults = [
            {"bad": "yes"},
            {"name": "two", "start": "fail"},
            {"name": "two", "start": "exit"},
            {"name": "two", "start": "hang", "start_seconds": "2"},
            {"name": "two", "listen": f"{gateway.port},{free},{taken}"},
        ]
        for number, fault in enumerate(faults, start=1):
            assert (await gateway.reload(**fault))["result"] == "refused"
            assert init.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert init.recv(1000) == b"READY=1"
            await until(lambda: children_of(gateway.pid) == fronts)
            assert (await gateway.connect()).name == "one"
            name = 'lurewall_reloads_total{result="refused"}'
            assert await gateway.metric(name) == number
        assert refuses(free)
        problems = [event["detail"] for event in gateway.events("problem")]
        assert len(problems) == 1 + len(faults)  # the first fault has two
        assert "the next hop has no name" in problems[2]
        await asyncio.gather(*(peer.aclose() for peer in gateway.peers))

        # And after all that, a good one that moves the listener and the administrative port.
        old_ports = gateway.port, gateway.admin_port
        gateway.port, gateway.admin_port = free_port(), free_port()
        assert (await gateway.reload(name="two"))["result"] == "accepted"
        assert (await gateway.connect()).name == "two"
        assert (await gateway.get("/healthz"))[0] == 200
        await until(lambda: all(map(refuses, old_ports)))
        gateway.signal(signal.SIGTERM)
        await gateway.peers[-1].aclose()
        assert await gateway.exit_code() == 0
        told = [init.recv(1000) for _ in range(3)]
        assert told[1:] == [b"READY=1", b"STOPPING=1"]


async def test_a_stop_waits_no_longer_than_the_grace(gateway: Gateway) -> None:
    await gateway.start(fronts=1, grace=0.2)
    peer = await gateway.connect()
    gateway.signal(signal.SIGTERM)
    assert await gateway.exit_code() == 0
    assert await peer.reader.read() == b""
    assert not is_alive(peer.pid)


async def test_told_to_stop_twice_it_waits_no_longer(gateway: Gateway) -> None:
    await gateway.start(fronts=1, drain="hang", grace=600)
    gateway.signal(signal.SIGTERM)
    await until(lambda: refuses(gateway.port))
    gateway.signal(signal.SIGTERM)
    assert await gateway.exit_code() == 0


async def test_a_drain_that_raises_tells_the_place_but_not_the_text(gateway: Gateway) -> None:
    await gateway.start(fronts=1, drain="raise")
    gateway.signal(signal.SIGTERM)
    assert await gateway.exit_code() == 0
    assert any(event["error"].startswith("ValueError at ") for event in gateway.events("problem"))
    assert "secret" not in gateway.log()


async def test_a_stop_during_the_start_ends_at_once(gateway: Gateway) -> None:
    gateway.launch(fronts=2, start="hang")
    await until(lambda: len(children_of(gateway.pid)) == 2)
    fronts = children_of(gateway.pid)
    # The handlers are there before the first front is.
    gateway.signal(signal.SIGTERM)
    assert await gateway.exit_code() == 0
    assert not any(map(is_alive, fronts))


async def test_a_killed_supervisor_leaves_fronts_that_drain(gateway: Gateway) -> None:
    await gateway.start(fronts=2)
    fronts = children_of(gateway.pid)
    peer = await gateway.connect()
    gateway.signal(signal.SIGKILL)
    await gateway.exit_code()
    await until(lambda: [pid for pid in fronts if is_alive(pid)] == [peer.pid])
    assert await peer.echo("still here") == "still here"
    peer.close()
    await until(lambda: not any(map(is_alive, fronts)))


async def test_a_good_reload_refuses_nobody_and_cuts_nobody(gateway: Gateway) -> None:
    await gateway.start(fronts=2)
    old = await gateway.connect()
    refused: list[OSError] = []
    names: set[str] = set()
    is_over = asyncio.Event()

    async def knock() -> None:
        while not is_over.is_set():
            try:
                peer = await gateway.connect()
                names.add(peer.name)
                peer.close()
            except OSError as error:
                refused.append(error)
            await asyncio.sleep(0.005)

    knocking = asyncio.create_task(knock())
    assert (await gateway.reload(name="two"))["result"] == "accepted"
    await until(lambda: "two" in names)
    assert await old.echo("still here") == "still here"
    assert (await gateway.get("/readyz")) == (200, "ok\n")
    old.close()
    await until(lambda: not is_alive(old.pid))
    is_over.set()
    await knocking
    assert refused == []
    assert names == {"one", "two"}
    assert (await gateway.connect()).name == "two"
    assert await gateway.metric('lurewall_reloads_total{result="accepted"}') == 1
    # What the old generation had counted is still there, to the last connection.
    assert await gateway.metric('lurewall_connections_total{role="mx"}') > 2


async def test_a_port_in_use_is_said_clearly(gateway: Gateway) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", gateway.port))
        other.listen()
        gateway.launch()
        assert await gateway.exit_code() == 1
    assert f"127.0.0.1:{gateway.port}: address already in use" in gateway.log()


async def test_a_first_start_that_fails_says_why_and_leaves_nothing(gateway: Gateway) -> None:
    gateway.launch(fronts=2, start="fail")
    assert await gateway.exit_code() == 1
    assert "the next hop has no name" in gateway.log()
    assert refuses(gateway.port)


async def test_health_pages_tell_what_is_wrong(gateway: Gateway) -> None:
    await gateway.start(fronts=1, ready="not reachable", token="t0ken")
    assert (await gateway.get("/healthz"))[0] == 200
    assert await gateway.get("/readyz") == (503, "not well\n")
    status, body = await gateway.get("/readyz", token="t0ken")
    assert status == 503
    assert body == "front 1.0: next_hop: not reachable\n"
    assert (await gateway.get("/metrics"))[0] == 401
    assert (await gateway.get("/metrics", token="wrong"))[0] == 401
    assert (await gateway.get("/metrics", token="t0ken"))[0] == 200


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
