"""Outgoing mail that the next hop took is taken, whatever memory does."""

from types import SimpleNamespace

from milter.app.outbound_gateway import OutboundFilter, OutboundGateway
from milter.check.identity import KnownDomains
from milter.mail.reply import OK
from tests.unit.test_pipeline import FixedClock, transaction


class Delivery:
    async def deliver(self, transaction, plan, session):
        return SimpleNamespace(reply=OK)


class Observation:
    def __init__(self):
        self.faults = []

    def fault(self, transaction_id, error):
        self.faults.append(type(error))

    def passed_out(self, *about):
        pass


class Broken:
    async def remember(self, memories):
        raise ZeroDivisionError


async def test_a_fault_of_memory_after_delivery_does_not_ask_for_the_mail_again():
    observation = Observation()
    nobody = KnownDomains(
        own=frozenset(), free_mail=frozenset(), platforms=frozenset(), ats=frozenset(),
        expert_networks=frozenset(), organisations=frozenset(),
    )  # fmt: skip
    gateway = OutboundGateway(
        delivery=Delivery(), next_hop=None, history=Broken(), known=nobody,
        observation=observation, clock=FixedClock(),
    )  # fmt: skip
    reply = await gateway.submit(transaction(), None)
    assert reply.code == 250
    assert observation.faults == [ZeroDivisionError]


class Kept:
    def __init__(self):
        self.memories = []

    async def remember(self, memories):
        self.memories.append(memories)


async def filtered(history):
    observation = Observation()
    ours = KnownDomains(
        own=frozenset({"gmail.com"}), free_mail=frozenset(), platforms=frozenset(),
        ats=frozenset(), expert_networks=frozenset(), organisations=frozenset(),
    )  # fmt: skip
    asked = OutboundFilter(history=history, known=ours, observation=observation, clock=FixedClock())
    handback = await asked.submit(transaction(), fields_agree=True, still_asked=lambda: True)
    return handback, observation


async def test_a_milter_for_outgoing_mail_changes_nothing_and_remembers_who_wrote_to_whom():
    history = Kept()
    handback, observation = await filtered(history)
    assert (handback.reply.code, handback.edits, handback.removed) == (250, (), ())
    assert not handback.discard
    (memories,) = history.memories
    assert {one.trait.value for one in memories.sightings} == {"a@org.test", "@org.test"}
    assert observation.faults == []


async def test_a_fault_of_memory_is_no_fault_of_outgoing_mail():
    handback, observation = await filtered(Broken())
    assert handback.reply.code == 250
    assert observation.faults == [ZeroDivisionError]
