"""Notices to recipients of protected mail: whether one is due, and a short queue that sends them.

Told of every finished transaction, it picks those that were to bear a banner and could not, because
they are signed or encrypted or have no place for one, and writes to those that have the mail. It
never holds up a reply: what does not fit into the queue is dropped and counted. Best effort: a
notice that fails is tried again twice, one that a dying process had in its queue is lost.

**Failure:** counted and logged with the transaction id; the mail itself is long delivered.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from milter.act.plan import ActOptions
from milter.act.recipient_notice import NoticeSender, RecipientNotice, compose_notice, is_missing
from milter.adapters.own_mail import send_own_mail
from milter.app.observation import Observation
from milter.mail.envelope import Recipient, Transaction
from milter.mail.plan import Fate, Outcome
from milter.mail.verdict import Action, Disposition, Mode
from milter.pipeline import Assessment, Planned
from milter.ports import Clock, NextHop, NoticeFailed

_MOST_WAITING = 200
_PAUSES_SECONDS = (5.0, 60.0)
_STOPPED = "stopped"


class RecipientNotices:
    """One per front; `start` and `drain` belong to its life."""

    def __init__(
        self,
        *,
        next_hop: NextHop,
        options: ActOptions,
        sender: NoticeSender,
        observation: Observation,
        clock: Clock,
        pauses_seconds: tuple[float, ...] = _PAUSES_SECONDS,
    ) -> None:
        self._next_hop = next_hop
        self._options = options
        self._sender = sender
        self._observation = observation
        self._clock = clock
        self._pauses = pauses_seconds
        self._waiting: asyncio.Queue[RecipientNotice] = asyncio.Queue(_MOST_WAITING)
        self._retries: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self._ends = asyncio.Event()

    def start(self) -> None:
        """Begin to send."""
        self._worker = asyncio.create_task(self._work())

    async def drain(self, grace_seconds: float) -> None:
        """Send what waits, each once; what is left after the grace is lost, and counted."""
        self._ends.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await asyncio.gather(*self._retries)
                await self._waiting.join()
        for task in (*self._retries, *((self._worker,) if self._worker else ())):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        while not self._waiting.empty():
            self._failed(self._waiting.get_nowait(), _STOPPED)

    def after(
        self, transaction: Transaction, assessment: Assessment, planned: Planned, outcome: Outcome
    ) -> None:
        """A transaction has its reply; returns at once and does not raise."""
        if self._options.mode is Mode.OBSERVE or assessment.reading is None:
            return
        try:
            for disposition, recipients in _due(planned, outcome):
                notice = compose_notice(
                    transaction,
                    recipients=recipients,
                    reading=assessment.reading,
                    verdict=assessment.verdict,
                    disposition=disposition,
                    options=self._options,
                    sender=self._sender,
                    now=self._clock.now(),
                )
                self._put(notice)
        except Exception as error:  # the mail is delivered, its reply must not suffer
            self._observation.fault(transaction.transaction_id, error)

    def _put(self, notice: RecipientNotice) -> None:
        try:
            self._waiting.put_nowait(notice)
        except asyncio.QueueFull:
            self._failed(notice, "queue full")

    async def _work(self) -> None:
        while True:
            notice = await self._waiting.get()
            try:
                await self._send(notice, 0)
            except asyncio.CancelledError:
                self._failed(notice, _STOPPED)
                raise
            finally:
                self._waiting.task_done()

    async def _send(self, notice: RecipientNotice, attempt: int) -> None:
        try:
            await send_own_mail(self._next_hop, notice.recipients, notice.raw)
        except NoticeFailed as failure:
            if failure.is_final or attempt == len(self._pauses) or self._ends.is_set():
                self._failed(notice, str(failure))
                return
            # Others do not wait for this one.
            task = asyncio.create_task(self._again(notice, attempt))
            self._retries.add(task)
            task.add_done_callback(self._retries.discard)
        except Exception as error:
            self._observation.fault(notice.transaction_id, error)
            self._failed(notice, "fault")
        else:
            self._observation.recipient_notice_sent()

    async def _again(self, notice: RecipientNotice, attempt: int) -> None:
        """After a pause, which a drain cuts short."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pauses[attempt]):
                    await self._ends.wait()
            await self._send(notice, attempt + 1)
        except asyncio.CancelledError:
            self._failed(notice, _STOPPED)
            raise

    def _failed(self, notice: RecipientNotice, reason: str) -> None:
        self._observation.recipient_notice_failed(notice.transaction_id, reason)


def _due(planned: Planned, outcome: Outcome) -> Iterable[tuple[Disposition, tuple[Recipient, ...]]]:
    """Which recipients of which disposition have mail that should bear a banner and does not.

    Only those that got it now: who had it from an earlier, deferred transaction was told then.
    """
    fates = dict(outcome.fates)
    for disposition, acted in planned.acted:
        if disposition.action is not Action.ANNOTATE or not is_missing(acted.banner):
            continue
        have_it = tuple(
            dict.fromkeys(one for one in disposition.recipients if fates.get(one) is Fate.DELIVERED)
        )
        if have_it:
            yield disposition, have_it
