"""Every reply and failure of the next hop is counted where it arises, whoever asked for it."""

import io

import pytest

from milter.app.observation import Observation
from milter.app.observed import ObservedNextHop, ObservedQuarantine
from milter.demo.inner_server import Fault, InnerServer
from milter.observe.health import Health
from milter.observe.maillog import MailLog, MailLogSettings
from milter.observe.metrics import Metrics, Words
from milter.ports import CannotKeep, NextHopFailed
from milter.relay.failure import Cause
from milter.relay.next_hop import SmtpNextHop
from milter.relay.options import NextHopOptions
from tests.support.next_hop import CONNECTION, SENDER, FixedClock, recipient


class Watched:
    def __init__(self):
        self.metrics = Metrics(Words(causes=tuple(Cause)))
        self.health = Health()
        self.stream = io.BytesIO()
        log = MailLog(MailLogSettings(), process="test", stream=self.stream)
        self.observation = Observation(metrics=self.metrics, log=log, health=self.health)

    def value(self, name, **labels):
        return sum(
            value
            for family in self.metrics.families()
            for sample, of, value in family.samples
            if sample == name and labels.items() <= dict(of).items()
        )


@pytest.fixture
def watched():
    return Watched()


async def conversation(inner, watched):
    hop = SmtpNextHop(NextHopOptions(host=inner.host, port=inner.port), FixedClock())
    try:
        session = await ObservedNextHop(hop, watched.observation, FixedClock()).open(CONNECTION)
        await session.mail(SENDER, ())
        await session.rcpt(recipient("ann"))
        await session.data(b"Subject: x\r\n\r\nx\r\n")
        await session.close()
    finally:
        await hop.aclose()


async def test_replies_are_counted_by_stage(watched):
    async with InnerServer() as inner:
        await conversation(inner, watched)
    for stage in ("mail", "rcpt", "end_of_data"):
        name = "lurewall_next_hop_replies_total"
        assert watched.value(name, stage=stage, reply_class="2") == 1
    assert watched.value("lurewall_next_hop_seconds_count") == 1
    assert watched.health.is_ready


@pytest.mark.parametrize("stage", ["mail", "rcpt", "end_of_data"])
async def test_a_lost_next_hop_is_counted_logged_and_unready(watched, stage):
    async with InnerServer(faults=[Fault(stage=stage, drop=True)]) as inner:
        with pytest.raises(NextHopFailed):
            await conversation(inner, watched)
    assert watched.value("lurewall_next_hop_failures_total", stage=stage) == 1
    assert not watched.health.is_ready
    assert b'"kind":"next_hop"' in watched.stream.getvalue()


class Store:
    def __init__(self, error=None):
        self.error = error

    async def write_pending(self, holds):
        if self.error:
            raise self.error
        return ("q1",)


async def test_only_durable_writes_are_timed(watched):
    clock = FixedClock()
    store = ObservedQuarantine(Store(), watched.observation, clock)
    assert await store.write_pending(()) == ("q1",)
    with pytest.raises(CannotKeep):
        await ObservedQuarantine(
            Store(CannotKeep("full")), watched.observation, clock
        ).write_pending(())
    assert watched.value("lurewall_quarantine_write_seconds_count") == 1


def test_questions_to_the_dns_are_counted_and_its_end_is_told(watched):
    for outcome in ("cached", "joined", "found", "failed", "a new word"):
        watched.observation.dns_answered(outcome, 0.1)
    name = "lurewall_dns_questions_total"
    assert watched.value(name, outcome="cached") == watched.value(name, outcome="other") == 1
    assert watched.value("lurewall_dns_seconds_count") == 3
    for is_down, kind in ((True, b"dns_down"), (False, b"dns_back")):
        watched.observation.dns_is_down(is_down)
        assert watched.value("lurewall_dns_down") == is_down
        assert kind in watched.stream.getvalue()


def test_how_the_memory_does_is_counted_and_its_end_is_told(watched):
    for outcome in ("ok", "timeout", "open"):
        watched.observation.history_answered("read", outcome, 0.01)
    name = "lurewall_history_operations_total"
    assert watched.value(name, operation="read", outcome="open") == 1
    assert watched.value(name, operation="write", outcome="ok") == 0
    assert watched.value("lurewall_history_seconds_count", operation="read") == 2
    watched.observation.history_journal(7, 3, 2)
    assert watched.value("lurewall_history_journal_records") == 7
    assert watched.value("lurewall_history_journal_replayed_total") == 3
    assert watched.value("lurewall_history_journal_dropped_total") == 2
    for is_open, kind in ((True, b"history_away"), (False, b"history_back")):
        watched.observation.history_breaker("write", is_open)
        assert watched.value("lurewall_history_breaker_open", operation="write") == is_open
        assert kind in watched.stream.getvalue()
