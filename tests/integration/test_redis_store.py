"""The shared store on a real Redis: what it keeps, what it says when the server is not itself."""

import asyncio
import random
import re
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from milter.adapters.history.redis_client import RedisOptions
from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Entry,
    Mark,
    StoreUnavailable,
)
from milter.ports import Unusable
from tests.support import redis_server
from tests.support.certificate import self_signed
from tests.support.plain_store import PlainStore
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer, patient

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(redis_server.why_not()), reason=redis_server.why_not() or "-"),
]
MEMORY = Path(__file__).parents[2] / "docs" / "memory.md"
NOW = 1_700_000_000
LATER = NOW + 86_400


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RedisServer]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def store(server) -> AsyncIterator[RedisStore]:
    server.command("FLUSHALL")
    async with opened(patient(url=server.url)) as store:
        yield store


class opened:
    """A store that is closed at the end of the block."""

    def __init__(self, options: RedisOptions) -> None:
        self._options = options

    async def __aenter__(self) -> RedisStore:
        self._store = RedisStore(self._options)
        return self._store

    async def __aexit__(self, *_: object) -> None:
        await self._store.close()


def entry(name: str, *, at: int = NOW, expires: int = LATER, group: bytes = b"g") -> Entry:
    return Entry(name.encode(), group, at, expires, b"sealed " + name.encode())


def one_entry(name: str = "a", **told) -> Batch:
    return Batch(entries=((b"dossier", entry(name, **told)),))


async def word_of(doing) -> str:
    with pytest.raises(StoreUnavailable) as failed:
        await doing
    return str(failed.value)


# What it keeps.


def some_batch(dice: random.Random) -> Batch:
    """Few names and times, so that everything meets everything."""
    return Batch(
        entries=tuple(
            (
                b"d{%d}" % dice.randrange(2),
                Entry(
                    bytes([dice.randrange(256)]) * 2,
                    bytes([dice.randrange(250, 256)]),
                    NOW + dice.randrange(50),
                    NOW + dice.randrange(200),
                    dice.randbytes(3),
                ),
            )
            for _ in range(dice.randrange(120))
        ),
        marks=tuple(
            (
                b"t}%d" % dice.randrange(2),
                Mark(
                    bytes([dice.randrange(90)]),
                    NOW + dice.randrange(50),
                    NOW + dice.randrange(50),
                    NOW + dice.randrange(200),
                    dice.randbytes(3),
                ),
            )
            for _ in range(dice.randrange(40))
        ),
    )


@pytest.mark.parametrize("seed", range(8))
async def test_it_keeps_what_the_plain_store_keeps(store, seed) -> None:
    dice = random.Random(seed)
    plain = PlainStore()
    dossiers, trails = [b"d{0}", b"d{1}", b"none"], [b"t}0", b"t}1", b"none"]
    now = NOW
    for _ in range(12):
        batch = some_batch(dice)
        await store.write(batch, now)
        await plain.write(batch, now)
        now += dice.randrange(20)
        assert await store.read(dossiers, trails, now) == await plain.read(dossiers, trails, now)
    assert await store.forget_entries(b"d{0}", [b"\1\1", b"\2\2"]) == await plain.forget_entries(
        b"d{0}", [b"\1\1", b"\2\2"]
    )
    assert await store.forget_marks(b"t}1", [b"\1", b"\2"]) == await plain.forget_marks(
        b"t}1", [b"\1", b"\2"]
    )
    # The one purges at each write, the other at each read: after a sweep they are the same again.
    await store.expire(now), await plain.expire(now)
    counted, expected = await store.counts(), await plain.counts()
    assert counted.octets > 0
    assert (counted.dossiers, counted.entries, counted.trails, counted.marks) == (
        expected.dossiers, expected.entries, expected.trails, expected.marks,
    )  # fmt: skip
    assert sorted([key async for key in store.dossiers()]) == [k async for k in plain.dossiers()]
    assert sorted([key async for key in store.trails()]) == [k async for k in plain.trails()]


async def test_bounds_hold_on_the_server(store) -> None:
    flood = tuple((b"d", entry(f"e{n}", at=NOW + n, group=b"flood")) for n in range(MAX_ENTRIES))
    await store.write(Batch(entries=((b"d", entry("calm", group=b"calm")), *flood)), NOW)
    marks = tuple((b"t", Mark(b"%d" % n, NOW, NOW, LATER, b"")) for n in range(MAX_MARKS + 1))
    await store.write(Batch(marks=marks), NOW)
    answer = await store.read([b"d"], [b"t"], NOW)
    names = {one.event_id for one in answer.dossiers[0]}
    assert len(names) == MAX_ENTRIES
    assert b"calm" in names
    assert b"e0" not in names
    assert len(answer.trails[0].marks) == MAX_MARKS
    assert answer.trails[0].is_full


async def test_writers_at_once_lose_nothing(server, store) -> None:
    others = [RedisStore(patient(url=server.url)) for _ in range(3)]
    await asyncio.gather(
        *(
            writer.write(
                Batch(
                    entries=((b"dossier", entry(f"{number}-{turn}")),),
                    marks=((b"trail", Mark(b"same", NOW - turn, NOW + turn, LATER, b"%d" % turn)),),
                ),
                NOW,
            )
            for turn in range(20)
            for number, writer in enumerate((store, *others))
        )
    )
    answer = await store.read([b"dossier"], [b"trail"], NOW)
    assert len(answer.dossiers[0]) == 80
    assert answer.trails[0].marks == (Mark(b"same", NOW - 19, NOW + 19, LATER, b"19"),)
    for one in others:
        await one.close()


async def test_keys_live_as_long_as_their_last_record(server, store) -> None:
    await store.write(one_entry(expires=NOW + 100), NOW)
    await store.write(one_entry("b", expires=NOW + 5_000), NOW + 50)
    await store.write(Batch(marks=((b"trail", Mark(b"f", NOW, NOW, NOW + 700, b"")),)), NOW)
    lives = {key: server.command("TTL", key) for key in server.command("KEYS", "*")}
    assert 4_900 < lives[b"lurewall1:d:dossier"] <= 4_950
    assert 650 < lives[b"lurewall1:t:trail"] <= 700
    # What is forgotten by request does not make the rest live longer or forever.
    await store.forget_entries(b"dossier", [b"a"])
    assert 4_900 < server.command("TTL", "lurewall1:d:dossier") <= 4_950


async def test_a_read_is_one_round_trip_and_a_write_touches_one_key_a_script(server, store) -> None:
    mark = Mark(b"f", NOW, NOW, LATER, b"")
    await store.write(Batch(entries=((b"w", entry("w")),), marks=((b"w", mark),)), NOW)
    server.command("CONFIG", "RESETSTAT")
    both = ((b"x", entry("a")), (b"x", entry("b")), (b"y", entry("b")))
    await store.write(Batch(entries=both, marks=((b"z", mark),)), NOW)
    await store.read([b"x", b"y"], [b"z"], NOW)
    calls = server.command("INFO", "commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 3
    assert calls["cmdstat_get"]["calls"] == 6
    assert not {"cmdstat_multi", "cmdstat_exec", "cmdstat_ping", "cmdstat_hello"} & set(calls)


async def test_a_server_that_forgot_the_scripts_is_told_them(server, store) -> None:
    await store.write(one_entry(), NOW)
    server.command("SCRIPT", "FLUSH")
    await store.write(one_entry("b"), NOW)
    assert len((await store.read([b"dossier"], [], NOW)).dossiers[0]) == 2


async def test_other_data_of_the_server_is_not_ours(server, store) -> None:
    server.command("SET", "session:1", "x")
    server.command("SET", "lurewall10:d:x", "x")
    await store.write(one_entry(), NOW)
    assert [key async for key in store.dossiers()] == [b"dossier"]
    assert (await store.counts()).entries == 1
    assert await store.expire(LATER) == 1
    assert server.command("DBSIZE") == 2


async def test_nothing_to_do_asks_nobody(tmp_path) -> None:
    async with opened(patient(url="redis://127.0.0.1:1")) as store:
        await store.write(Batch(), NOW)
        assert await store.read([], [], NOW) == Answer()


@pytest.mark.parametrize("form", ["url", "unix", "database"])
async def test_forms_of_an_address(server, store, form) -> None:
    url, database = {
        "url": (server.url, 0),
        "unix": (f"unix://{server.socket}", 0),
        "database": (server.url, 3),
    }[form]
    async with opened(patient(url=url, database=database)) as other:
        await other.write(one_entry(), NOW)
        assert (await other.read([b"dossier"], [], NOW)).dossiers[0]
    assert bool((await store.read([b"dossier"], [], NOW)).dossiers[0]) == (form != "database")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "redis://127.0.0.1/?socket_timeout=99", "redis://h/0?retry=1"]
)
def test_an_address_that_cannot_be_used_is_named(url) -> None:
    with pytest.raises(Unusable, match=r"history\.redis\.url"):
        RedisStore(patient(url=url))


# When the server is not itself.


async def test_nobody_listens(server) -> None:
    async with opened(patient(url="redis://127.0.0.1:1")) as store:
        assert await word_of(store.read([b"d"], [], NOW)) == "refused"
        assert await word_of(store.write(one_entry(), NOW)) == "refused"
        assert await word_of(store.counts()) == "refused"


async def test_a_server_that_was_killed_and_came_back_empty(tmp_path) -> None:
    with redis_server.running(tmp_path / "redis") as server:
        async with opened(patient(url=server.url)) as store:
            await store.write(one_entry(), NOW)
            server.kill()
            assert await word_of(store.read([b"dossier"], [], NOW)) in ("lost", "refused")
            server.start()
            await store.write(one_entry("b"), NOW)
            found = await store.read([b"dossier"], [], NOW)
            assert [one.event_id for one in found.dossiers[0]] == [b"b"]


async def test_a_server_that_is_silent(server, store) -> None:
    async with opened(RedisOptions(url=server.url, timeout=0.05, connect_timeout=0.05)) as hasty:
        await eventually(lambda: hasty.write(one_entry(), NOW))
        server.pause()
        try:
            assert await word_of(hasty.read([b"dossier"], [], NOW)) == "timeout"
            assert await word_of(hasty.write(one_entry("b"), NOW)) == "timeout"
        finally:
            server.resume()
        found = await eventually(lambda: hasty.read([b"dossier"], [], NOW))
        assert found.dossiers[0]


async def test_an_answer_never_goes_to_another_question(server, store) -> None:
    """A caller that gave up leaves no half-read connection behind."""
    for name in ("a", "b"):
        await store.write(Batch(entries=((name.encode(), entry(name)),)), NOW)
    for turn in range(20):
        asking = asyncio.ensure_future(store.read([b"a"], [], NOW))
        for _ in range(turn):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        found = await store.read([b"b"], [], NOW)
        assert [one.event_id for one in found.dossiers[0]] == [b"b"]


async def test_a_full_server_refuses_writes_and_answers_reads(server, store) -> None:
    await store.write(one_entry(), NOW)
    server.command("CONFIG", "SET", "maxmemory", "1mb")
    try:
        assert await word_of(store.write(one_entry("b"), NOW)) == "full"
        assert (await store.read([b"dossier"], [], NOW)).dossiers[0]
    finally:
        server.command("CONFIG", "SET", "maxmemory", "0")
    await store.write(one_entry("b"), NOW)


async def test_a_replica_refuses_writes(server, store, tmp_path) -> None:
    await store.write(one_entry(), NOW)
    server.command("REPLICAOF", "127.0.0.1", 1)
    try:
        assert await word_of(store.write(one_entry("b"), NOW)) == "readonly"
        server.command("CONFIG", "SET", "replica-serve-stale-data", "no")
        assert await word_of(store.read([b"dossier"], [], NOW)) == "no_master"
    finally:
        server.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
        server.command("REPLICAOF", "NO", "ONE")
    await store.write(one_entry("b"), NOW)


async def test_passwords_and_names(tmp_path) -> None:
    # As in docs/memory.md.
    commands = re.search(r"~lurewall1:\* ([^`]*)`", MEMORY.read_text())[1]
    rules = f"user gateway on >secret ~lurewall1:* {' '.join(commands.split())}"
    with redis_server.running(tmp_path / "redis", "requirepass other", rules) as server:
        async with opened(patient(url=server.url)) as nobody:
            assert await word_of(nobody.read([b"d"], [], NOW)) == "denied"
        async with opened(patient(url=server.url, username="gateway", password="wrong")) as wrong:
            assert await word_of(wrong.read([b"d"], [], NOW)) == "denied"
        told = patient(url=server.url, username="gateway", password="secret", database=1)
        async with opened(told) as known:
            await known.write(one_entry(), NOW)
            assert (await known.read([b"dossier"], [], NOW)).dossiers[0]
            assert await known.expire(NOW) == 0
            assert (await known.counts()).octets > 0
        async with opened(replace(told, name_space="other")) as astray:
            assert await word_of(astray.read([b"d"], [], NOW)) == "denied"
            assert await word_of(astray.write(one_entry(), NOW)) == "denied"
        by_url = server.url.replace("//", "//gateway:secret@") + "/1"
        async with opened(patient(url=by_url)) as known:
            assert (await known.read([b"dossier"], [], NOW)).dossiers[0]


async def test_an_encrypted_connection_is_to_the_server_that_is_meant(tmp_path) -> None:
    key, certificate = self_signed(tmp_path, address="127.0.0.1")
    (tmp_path / "other").mkdir()
    _, stranger = self_signed(tmp_path / "other", address="127.0.0.1")
    port = free_port()
    options = (
        f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
        f"tls-ca-cert-file {certificate}", "tls-auth-clients no",
    )  # fmt: skip
    with redis_server.running(tmp_path / "redis", *options):
        url = f"rediss://127.0.0.1:{port}"
        async with opened(patient(url=url, tls_ca=certificate)) as store:
            await store.write(one_entry(), NOW)
            assert (await store.read([b"dossier"], [], NOW)).dossiers[0]
        for one in (stranger, None):
            async with opened(patient(url=url, tls_ca=one)) as store:
                assert await word_of(store.read([b"dossier"], [], NOW)) == "tls"
        async with opened(patient(url=f"rediss://localhost:{port}", tls_ca=certificate)) as store:
            assert await word_of(store.read([b"dossier"], [], NOW)) == "tls"


class Peer(asyncio.Protocol):
    """Says the same to whatever it hears after a connection's first words."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"+OK\r\n" if b"SETNAME" in data else self._octets)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {"garbage"}),
        (b"$abc\r\n", {"garbage"}),
        (b"*1\r\n" * 5_000, {"garbage"}),
        (b"+what\r\n", {"garbage"}),
        (b"*1\r\n$1\r\nx\r\n", {"garbage"}),
        (b"$3\r\nabc\r\n", {"garbage"}),
        (b"-LOADING Redis is loading the dataset in memory\r\n", {"loading"}),
        (b"-MASTERDOWN Link with MASTER is down\r\n", {"no_master"}),
        (b"-MISCONF Redis is configured to save RDB snapshots\r\n", {"misconfigured"}),
        (b"-NOREPLICAS Not enough good replicas to write.\r\n", {"misconfigured"}),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", {"cluster"}),
        (b"-CLUSTERDOWN The cluster is down\r\n", {"cluster"}),
        (b"-NOAUTH Authentication required.\r\n", {"denied"}),
        (b"-ERR max number of clients reached\r\n", {"lost", "garbage"}),
    ],
)
async def test_whatever_a_peer_says_is_one_word(answer, words) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Peer(answer), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    options = patient(url=f"redis://127.0.0.1:{port}")
    async with listener, opened(options) as store:
        assert await word_of(store.read([b"d"], [], NOW)) in words
        assert await word_of(store.write(one_entry(), NOW)) in words


async def test_a_damaged_record_is_garbage_not_a_crash(server, store) -> None:
    server.command("SET", "lurewall1:d:dossier", b"\x05\x05torn")
    assert await word_of(store.read([b"dossier"], [], NOW)) == "garbage"
    server.command("DEL", "lurewall1:d:dossier")
    server.command("LPUSH", "lurewall1:d:dossier", "x")
    assert await word_of(store.read([b"dossier"], [], NOW)) == "garbage"


# With Sentinels.


async def test_the_new_master_is_found(tmp_path) -> None:
    with redis_server.group(tmp_path) as watched:
        dead = socket.create_server(("127.0.0.1", 0))
        dead_port = dead.getsockname()[1]
        dead.close()
        sentinels = (("127.0.0.1", dead_port), *watched.addresses)
        async with opened(patient(sentinels=sentinels)) as store:
            await store.write(one_entry(), NOW)
            watched.wait_for_replica()
            # By order, as for maintenance: the old master lives on as a replica.
            watched.fail_over()
            await eventually(lambda: store.write(one_entry("b"), NOW))
            watched.wait_for_replica()
            # By death.
            old = watched.master_port()
            watched.member(old).kill()
            assert await word_of(store.read([b"dossier"], [], NOW)) in (
                "lost",
                "refused",
                "no_master",
            )
            watched.wait_for_another(old)
            await eventually(lambda: store.write(one_entry("c"), NOW))
            found = await store.read([b"dossier"], [], NOW)
            assert [one.event_id for one in found.dossiers[0]] == [b"a", b"b", b"c"]


async def test_no_sentinel_answers() -> None:
    async with opened(patient(sentinels=(("127.0.0.1", 1), ("127.0.0.1", 2)))) as store:
        assert await word_of(store.read([b"d"], [], NOW)) == "no_master"


async def eventually(doing) -> None:
    """The first attempts may hear of the old master, or come too late for a hasty one."""
    for _ in range(100):
        try:
            return await doing()
        except StoreUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("still unavailable")
