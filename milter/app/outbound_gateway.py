"""Outgoing mail, by either protocol: it passes as it is, and memory hears of it.

Nothing is judged, edited or held. What is remembered is who wrote to whom: by SMTP once the next
hop has taken the mail, behind a milter at the end of the message.

Failure: that of a relay; an exception of our own is 451 4.3.0. The memory never costs a mail: what
it cannot take is counted by its adapter.
"""

from collections.abc import Callable

from milter.app.gateway import Onward
from milter.app.observation import Observation
from milter.check.engagement.outbound import outbound_memories
from milter.check.identity import KnownDomains
from milter.mail.envelope import Transaction
from milter.mail.handback import Handback
from milter.mail.plan import Fate, Group, Outcome, Plan
from milter.mail.reply import INTERNAL_ERROR, OK, Reply, with_transaction_id
from milter.mail.verdict import Action, Disposition
from milter.ports import Clock, History, NextHop, NextHopSession
from milter.relay.delivery import Delivery

_RULE = "outbound"


class OutboundGateway(Onward):
    """Implements `listen.gateway.Gateway`."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        next_hop: NextHop,
        history: History,
        known: KnownDomains,
        observation: Observation,
        clock: Clock,
    ) -> None:
        super().__init__(next_hop)
        self._delivery = delivery
        self._history = history
        self._known = known
        self._observation = observation
        self._clock = clock

    async def submit(self, transaction: Transaction, session: NextHopSession) -> Reply:
        """Relay the octets; then remember who wrote to whom."""
        started = self._clock.monotonic()
        disposition = Disposition(
            action=Action.DELIVER, rule=_RULE, recipients=transaction.envelope.recipients
        )
        plan = Plan(groups=(Group(disposition=disposition, raw=transaction.raw),))
        try:
            outcome = await self._delivery.deliver(transaction, plan, session)
        except Exception as error:  # design rule 1: our own fault is never a 5xx
            self._observation.fault(transaction.transaction_id, error)
            return with_transaction_id(INTERNAL_ERROR, transaction.transaction_id)
        try:
            if outcome.reply.is_positive:
                await self._history.remember(outbound_memories(transaction, self._known))
        except Exception as error:  # the next hop has the mail: a 451 now would double it
            self._observation.fault(transaction.transaction_id, error)
        seconds = self._clock.monotonic() - started
        self._observation.passed_out(transaction, outcome, (disposition,), seconds)
        return outcome.reply


class OutboundFilter:
    """Implements `listen.gateway.Filter`: the MTA keeps the mail and hears of no change."""

    def __init__(
        self, *, history: History, known: KnownDomains, observation: Observation, clock: Clock
    ) -> None:
        self._history = history
        self._known = known
        self._observation = observation
        self._clock = clock

    async def submit(
        self, transaction: Transaction, *, fields_agree: bool, still_asked: Callable[[], bool]
    ) -> Handback:
        """Remember who wrote to whom."""
        started = self._clock.monotonic()
        try:
            await self._history.remember(outbound_memories(transaction, self._known))
        except Exception as error:  # it is not ours to judge: it passes all the same
            self._observation.fault(transaction.transaction_id, error)
        recipients = transaction.envelope.recipients
        disposition = Disposition(action=Action.DELIVER, rule=_RULE, recipients=recipients)
        fates = tuple((one, Fate.DELIVERED) for one in recipients)
        outcome = Outcome(reply=OK, is_next_hops=False, stage="done", fates=fates)
        seconds = self._clock.monotonic() - started
        self._observation.passed_out(transaction, outcome, (disposition,), seconds)
        return Handback(reply=OK)
