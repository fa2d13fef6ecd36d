"""The gateway behind the front: opens the next hop, and carries a message from judgement to reply.

Implements `listen.gateway.Gateway` over pipeline and delivery. Refuses nothing and decides nothing
of its own; what happened is handed to `observation` after the reply is known.
Failure: an exception in here is our own bug: the peer hears 451 4.3.0 with the transaction id.
"""

from milter.app.observation import Observation
from milter.app.recipient_notices import RecipientNotices
from milter.mail.envelope import Connection, Transaction
from milter.mail.reply import INTERNAL_ERROR, Reply, with_transaction_id
from milter.pipeline import Pipeline
from milter.ports import Clock, NextHop, NextHopSession
from milter.relay.delivery import Delivery


class Onward:
    """The side of a gateway that faces one next hop; `listen.gateway.Gateway` but for `submit`."""

    def __init__(self, next_hop: NextHop) -> None:
        self._next_hop = next_hop

    async def keywords(self) -> dict[str, str]:
        """What the next hop announces."""
        return await self._next_hop.keywords()

    async def open(self, connection: Connection) -> NextHopSession:
        """A session with the next hop for one transaction."""
        return await self._next_hop.open(connection)


class MailGateway(Onward):
    """One per front."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        delivery: Delivery,
        next_hop: NextHop,
        observation: Observation,
        clock: Clock,
        notices: RecipientNotices | None = None,
    ) -> None:
        super().__init__(next_hop)
        self._pipeline = pipeline
        self._delivery = delivery
        self._observation = observation
        self._clock = clock
        self._notices = notices

    async def submit(self, transaction: Transaction, session: NextHopSession) -> Reply:
        """Judge, act, deliver or hold: the answer to the final dot."""
        started = self._clock.monotonic()
        try:
            assessment = await self._pipeline.assess(transaction)
            planned = await self._pipeline.plan(transaction, assessment)
            outcome = await self._delivery.deliver(transaction, planned.plan, session)
        except Exception as error:  # design rule 1: our own fault is never a 5xx
            self._observation.fault(transaction.transaction_id, error)
            return with_transaction_id(INTERNAL_ERROR, transaction.transaction_id)
        seconds = self._clock.monotonic() - started
        self._observation.message(transaction, assessment, planned, outcome, seconds)
        if self._notices is not None:
            self._notices.after(transaction, assessment, planned, outcome)
        return outcome.reply
