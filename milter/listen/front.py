"""What all dialogues of one listener share, and the way of a message after its final dot.

A delivery has a task of its own: a peer that hangs up, half-closes or runs out of time cuts
nothing. Failure: whatever goes wrong here is 451; the peer keeps the mail.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from milter.listen.admission import Admission, Reservation
from milter.listen.gateway import Gateway, Observer
from milter.listen.options import ListenerOptions
from milter.mail import reply as replies
from milter.mail.envelope import Transaction
from milter.mail.reply import OwnReply, Reply, with_transaction_id
from milter.ports import Clock, NextHopFailed, NextHopSession


def new_transaction_id() -> str:
    """Short, unguessable, easy to read out to a help desk."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Options and collaborators of one listener, and its deliveries under way."""

    options: ListenerOptions
    gateway: Gateway
    observer: Observer
    admission: Admission
    clock: Clock
    new_id: Callable[[], str] = new_transaction_id
    _deliveries: set[asyncio.Task[Reply]] = field(default_factory=set)

    async def deliver(
        self,
        transaction: Transaction,
        session: NextHopSession,
        reservation: Reservation,
        peer_gone: Callable[[], bool],
    ) -> Reply:
        """The reply to the final dot; goes on to the end even if the caller is cancelled."""
        work = self._carry(transaction, session, reservation, peer_gone)
        task = asyncio.get_running_loop().create_task(work)
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        return await asyncio.shield(task)

    async def deliveries_finished(self) -> None:
        """Wait until no message is under way."""
        while self._deliveries:
            await asyncio.wait(self._deliveries)

    async def _carry(
        self,
        transaction: Transaction,
        session: NextHopSession,
        reservation: Reservation,
        peer_gone: Callable[[], bool],
    ) -> Reply:
        try:
            reply = passed_on(await self.gateway.submit(transaction, session))
        except Exception as error:
            self.observer.failed(transaction.connection, transaction.transaction_id, error)
            reply = replies.INTERNAL_ERROR
        finally:
            reservation.release()
            await close_session(session)
        if isinstance(reply, OwnReply):
            reply = with_transaction_id(reply, transaction.transaction_id)
        self.observer.replied(transaction, reply, peer_gone=peer_gone())
        return reply


async def close_session(session: NextHopSession) -> None:
    """Give a session back, out of any transaction."""
    with suppress(NextHopFailed):
        await session.close()


def passed_on(reply: Reply) -> Reply:
    """The next hop's reply as ours: verbatim, but a 421 would say that *we* hang up (rule 4)."""
    if reply.code == 421:
        return replies.NEXT_HOP_CLOSING
    if 200 <= reply.code < 300 or 400 <= reply.code < 600:
        return reply
    return replies.INTERNAL_ERROR
