"""What the fronts need from the rest of the gateway, and whom they tell what happens.

A front knows the dialogue with the peer; what becomes of a message is the gateway's.
"""

from collections.abc import Callable
from typing import Protocol

from milter.listen.refusal import RefusalReason
from milter.mail.envelope import Connection, Transaction
from milter.mail.handback import Handback
from milter.mail.reply import Reply
from milter.ports import NextHopSession


class Gateway(Protocol):
    """Next hop and judgement behind one front."""

    async def keywords(self) -> dict[str, str]:
        """What the next hop announces, cached; raises NextHopFailed."""
        ...

    async def open(self, connection: Connection) -> NextHopSession:
        """A session for one transaction, at MAIL; raises NextHopFailed.

        The front closes it when the transaction is over, submitted or not.
        """
        ...

    async def submit(self, transaction: Transaction, session: NextHopSession) -> Reply:
        """Judge, deliver, hold: what we answer to the final dot. Does not raise.

        Runs in a task of its own: a peer that goes away cuts nothing. `session` has MAIL and all
        recipients of the envelope accepted, but may have been lost since.
        """
        ...


class Filter(Protocol):
    """Judgement behind a milter front: the MTA keeps the mail and hears what to change."""

    async def submit(
        self, transaction: Transaction, *, fields_agree: bool, still_asked: Callable[[], bool]
    ) -> Handback:
        """Judge and hold: what we answer at the end of a message. Does not raise.

        `fields_agree` is False where the MTA counts the fields of the header otherwise than we do:
        then nothing is changed that would have to be counted off. `still_asked` is False once the
        MTA is gone: then nothing is held, it will send it again.
        """
        ...


class Observer(Protocol):
    """Told what happens at the front; its methods return at once and do not raise."""

    def connected(self, connection: Connection) -> None: ...

    def disconnected(self, connection: Connection, seconds: float) -> None: ...

    def refused(self, connection: Connection, reason: RefusalReason, reply: Reply) -> None:
        """A refusal of our own, as sent."""
        ...

    def data_received(self, transaction: Transaction) -> None: ...

    def replied(self, transaction: Transaction, reply: Reply, *, peer_gone: bool) -> None:
        """The answer to the final dot; a peer that is gone will likely send it all again."""
        ...

    def failed(self, connection: Connection, transaction_id: str, error: Exception) -> None:
        """A fault of our own; the peer got 451."""
        ...

    def unjudged(self, connection: Connection, reason: RefusalReason) -> None:
        """A message was let through without a judgement, as configured."""
        ...

    def broke_protocol(self, connection: Connection, detail: str) -> None:
        """An MTA does not speak the milter protocol as we do; its connection was closed."""
        ...
