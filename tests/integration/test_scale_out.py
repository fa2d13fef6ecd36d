"""Three gateways on one Redis behind a real HAProxy: one memory, and no mail lost while they change.

The Redis is a master with a replica and three Sentinels; config/haproxy.cfg is what HAProxy runs.
"""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import pytest

from milter.adapters.keys import load_or_create_key
from milter.demo.inner_server import InnerServer
from tests.quality.test_engagements import BRANDT, BRANDT_ON_NETWORK, BRANDT_STEPS
from tests.support import haproxy, outside, redis_server
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.haproxy import Balancer
from tests.support.inner import inner_server
from tests.support.redis_server import SERVICE, Group
from tests.support.steady_load import Load, delivered

_WHY_NOT = redis_server.why_not() or haproxy.why_not()
pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("scale_out"),
    pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT or "-"),
]
# What is compared are verdicts, not times: a busy machine must not cost a memory.
PATIENT = 2.0
CLIENT = "127.0.0.9"


@dataclass(frozen=True, kw_only=True)
class House:
    """Three doors, one memory."""

    gateways: tuple[Gateway, ...]
    balancer: Balancer
    inner: InnerServer
    redis: Group
    name_server_port: int

    def came_in(self, to: str) -> list[tuple[int, dict]]:
        """By which gateway each mail to a recipient came, and what its log says; oldest first."""
        found = [
            (number, event)
            for number, one in enumerate(self.gateways)
            for event in one.events("message")
            if event["recipients"] == [to]
        ]
        return sorted(found, key=lambda each: each[1]["time"])

    def assert_healthy(self) -> None:
        assert [one.metric("lurewall_history_journal_dropped_total") for one in self.gateways] == [
            0.0
        ] * len(self.gateways)


def authentication(port: int) -> str:
    return f'verify = "always"\nnameservers = ["127.0.0.1:{port}"]'


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    load_or_create_key(folder / "history.key")
    with ExitStack() as stack:
        names = stack.enter_context(outside.name_server(BRANDT))
        inner = stack.enter_context(inner_server())
        watched = stack.enter_context(redis_server.group(folder / "redis"))
        patience(watched, 10_000)
        sentinels = [f"{host}:{port}" for host, port in watched.addresses]
        gateways = tuple(
            stack.enter_context(
                gateway(
                    folder / name,
                    inner_port=inner.port,
                    mode="annotate",
                    role="mx",
                    readers=1,
                    listen='proxy_from = ["127.0.0.0/8"]',
                    authentication=authentication(names.port),
                    more=outside.shared_memory(
                        str(folder / "history.key"), f"sentinels = {sentinels}", budget=PATIENT
                    ),
                    start=False,
                )
            )
            for name in ("one", "two", "three")
        )
        with ThreadPoolExecutor(3) as starting:
            list(starting.map(Gateway.start, gateways))
        yield House(
            gateways=gateways,
            balancer=stack.enter_context(haproxy.balancer(folder / "haproxy", gateways)),
            inner=inner,
            redis=watched,
            name_server_port=names.port,
        )


def patience(watched: Group, milliseconds: int) -> None:
    """How long a master may be silent; the machine of a test may be busy."""
    for one in watched.sentinels:
        one.command("SENTINEL", "SET", SERVICE, "down-after-milliseconds", milliseconds)


def send(port: int, raw: bytes, to: str, sender: str = BRANDT) -> None:
    with Peer(port, source=CLIENT) as peer:
        peer.hello()
        assert peer.send(raw, to=[to], sender=sender).startswith(b"250")


def story(to: str) -> list[bytes]:
    """Notification, follow-up, escalation."""
    return [
        outside.notice("Tomas Brandt", BRANDT_ON_NETWORK, to),
        *(
            outside.direct(BRANDT, "Tomas Brandt", text, to, number=number)
            for number, (_pause, text, _reasons) in enumerate(BRANDT_STEPS)
        ),
    ]


def judged(event: dict) -> tuple[object, ...]:
    """All that the log says of a verdict."""
    told = ("label", "score_db", "findings", "intended", "rules", "degraded", "authentication")
    return tuple(event[name] for name in told)


def test_three_gateways_judge_as_one_alone(house, tmp_path):
    to = "r.lefort@example.org"
    mails = story(to)
    for raw in mails:
        send(house.balancer.port, raw, to)
    came = house.came_in(to)
    assert len(came) == len(mails)
    # None came in where the one before it did, and every gateway had a part in it.
    doors = [number for number, _event in came]
    assert all(one != other for one, other in pairwise(doors))
    assert set(doors) == {0, 1, 2}
    # HAProxy told who the client is.
    assert {event["client_ip"] for _number, event in came} == {CLIENT}
    for (_number, event), (_pause, _text, reasons) in zip(came[1:], BRANDT_STEPS, strict=True):
        assert reasons <= set(event["findings"])
        assert event["degraded"] == []
    with gateway(
        tmp_path,
        inner_port=house.inner.port,
        mode="annotate",
        role="mx",
        readers=1,
        authentication=authentication(house.name_server_port),
        more=f"[history]\nbudget_seconds = {PATIENT}\n",
    ) as alone:
        for raw in mails:
            send(alone.port, raw, to)
        events = alone.events("message")
    assert [judged(event) for event in events] == [judged(event) for _number, event in came]


def steady(house: House) -> Load:
    """Some 30 mails a second: starting gateways have to share the machine with it."""
    return Load(house.balancer.port, senders=3, pause=0.08)


def assert_none_lost_or_doubled(house: House, load: Load) -> None:
    assert load.failed == []
    assert {answer[:3] for _name, answer in load.replies} == {b"250"}
    counts = delivered(house.inner)
    assert [name for name, _answer in load.replies if counts[name] != 1] == []


def restart(house: House, one: Gateway) -> None:
    assert one.stop() == 0
    one.start()
    house.balancer.wait_until_all_are_up()


def reload(house: House, one: Gateway) -> None:
    one.signal(signal.SIGHUP)
    eventually(lambda: one.metric("lurewall_reloads_total", result="accepted") == 1.0)


def test_rolling_restart_and_configuration_lose_and_double_nothing(house):
    house.inner.messages.clear()
    with steady(house) as load:
        for one, renew in zip(house.gateways, (restart, reload, restart), strict=True):
            text = one.configuration.read_text()
            assert text.count('mode = "annotate"') == 1
            one.configuration.write_text(text.replace('mode = "annotate"', 'mode = "observe"'))
            renew(house, one)
            load.wait_for_more()
    assert_none_lost_or_doubled(house, load)
    to = "n.tremblay@example.org"
    for _ in house.gateways:
        send(house.balancer.port, outside.direct(BRANDT, "", "Lunch is at noon.", to), to)
    # Each has the new configuration and takes mail again.
    assert {number for number, _event in house.came_in(to)} == {0, 1, 2}
    observed = [one.metric("lurewall_build_info", mode="observe") for one in house.gateways]
    assert observed == [1.0, 1.0, 1.0]


def outage_counts(gateway):
    """Batches of the journal that were written, and verdicts without memory."""
    return (
        gateway.metric("lurewall_history_journal_replayed_total"),
        gateway.metric("lurewall_degraded_total", reason="history"),
    )


def test_failover_of_the_store_loses_no_mail_and_no_memory(house):
    house.inner.messages.clear()
    to = "p.moreau@example.org"
    patience(house.redis, 400)
    house.redis.wait_for_replica()
    old = house.redis.master_port()
    before = [outage_counts(one) for one in house.gateways]
    # Some 70 mails a second, of which half leave a memory each.
    with Load(house.balancer.port, outside.mixed, pause=0.07) as load:
        house.redis.member(old).kill()
        # Learnt while there is no master; written when there is one again.
        send(house.balancer.port, outside.notice("Tomas Brandt", BRANDT_ON_NETWORK, to), to)
        house.redis.wait_for_another(old)
        eventually(
            lambda: (
                not any(
                    one.metric("lurewall_history_journal_records")
                    or one.metric("lurewall_history_breaker_open")
                    for one in house.gateways
                )
            )
        )
        load.wait_for_more()
    assert_none_lost_or_doubled(house, load)
    for one, (replayed, degraded) in zip(house.gateways, before, strict=True):
        assert outage_counts(one)[0] > replayed
        assert outage_counts(one)[1] > degraded
    send(house.balancer.port, outside.direct(BRANDT, "Tomas Brandt", BRANDT_STEPS[0][1], to), to)
    _number, event = house.came_in(to)[-1]
    assert "RELAY_THEN_DIRECT" in event["findings"]
    house.assert_healthy()
