"""Outgoing mail that the next hop took is taken, whatever memory does."""

from types import SimpleNamespace

from milter.app.outbound_gateway import OutboundGateway
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
