"""Carries out a plan: relays groups, keeps holds, and finds the one reply that is true for all.

A message with one group goes over the live transaction. Otherwise (design rule 8) the holds are
written as pending, the live transaction is reset, and each group gets a transaction of its own:
- all safe: the holds commit, 250;
- a 4xx or a lost connection, which ends the sending: the holds are dropped, the journal remembers
  who got the mail, 451. A lost final dot is remembered by nobody: a duplicate, never a loss;
- else the first 5xx, and the holds are dropped: the sender learns it for all recipients. So too
  where LMTP refused some and took others: a bounce that names too many loses nothing, a 250 would.
Recipients that the journal knows are skipped. What could not be kept durably is 451 4.3.0.
Refuses to judge or edit. The caller shields it from cancellation and closes the live session.

Standards: RFC 5321 §4.2.5 (responsibility), §4.5.2; RFC 2033 §4.2.
Failure: `Outcome` tells all that can be foreseen; ValueError is a plan that forgets a recipient.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from milter.mail.envelope import Envelope, Recipient, Transaction
from milter.mail.message_key import message_key
from milter.mail.plan import Fate, Group, Outcome, Plan
from milter.mail.reply import Reply, own_reply
from milter.ports import (
    CannotKeep,
    DataReply,
    Journal,
    NextHop,
    NextHopFailed,
    NextHopSession,
    Quarantine,
)
from milter.relay.failure import Cause, described
from milter.wire.smtp_client import Stage

_ACCEPTED = own_reply(250, "2.0.0", "Message accepted")
_CANNOT_KEEP = own_reply(451, "4.3.0", "Temporary failure, please try again later")
_GONE = frozenset({Cause.LOST.value, Cause.CLOSING.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What decides: a reply of the next hop, or of ours where there was none."""

    reply: Reply
    stage: str
    is_next_hops: bool = True
    ambiguous: bool = False
    cause: str = ""
    detail: str = ""


class _Run:
    """One plan on its way: who got the mail, and what the next hop said."""

    def __init__(self, transaction: Transaction, session: NextHopSession) -> None:
        self.transaction = transaction
        self.session = session
        self.reopened: NextHopSession | None = None
        self.fates: dict[Recipient, Fate] = {}
        self.answers: list[_Answer] = []
        self.is_split = False

    @cached_property
    def key(self) -> str:
        """Of the message as it came: the same for the retry, whatever was edited."""
        return message_key(self.transaction.raw)

    @property
    def worst(self) -> _Answer | None:
        """The answer that decides: the first 4xx, else the first 5xx, else the first."""
        return max(self.answers, key=lambda answer: _severity(answer.reply), default=None)

    def among(self, fate: Fate) -> tuple[Recipient, ...]:
        """The recipients with a fate."""
        return tuple(recipient for recipient, known in self.fates.items() if known is fate)

    def took(self, recipients: Iterable[Recipient], replies: Iterable[Reply]) -> None:
        """Note what the next hop said of each recipient."""
        for recipient, reply in zip(recipients, replies, strict=True):
            self.fates[recipient] = _fate(reply)


class Delivery:
    """Rule 8 over the ports."""

    def __init__(self, *, next_hop: NextHop, quarantine: Quarantine, journal: Journal) -> None:
        self._next_hop = next_hop
        self._quarantine = quarantine
        self._journal = journal

    async def deliver(
        self, transaction: Transaction, plan: Plan, session: NextHopSession
    ) -> Outcome:
        """Carry out a plan; `session` has MAIL and all recipients of the envelope accepted."""
        plan.require_cover(transaction.envelope)
        run = _Run(transaction, session)
        if plan.reply is not None:
            return self._told(run, plan.reply)
        self._skip_served(run, plan.groups)
        try:
            if len(plan.groups) == 1 and not plan.holds and not run.fates:
                await self._relay(run, plan.groups[0])
                return await self._settled(run, ())
            return await self._split(run, plan)
        except Exception:
            # Our own bug: the peer will hear 451, so what was delivered must not come twice.
            await self._remember(run)
            raise
        finally:
            if run.reopened is not None:
                await run.reopened.close()

    def _told(self, run: _Run, reply: Reply) -> Outcome:
        if reply.is_permanent and run.transaction.role == "after_queue":
            # Design rule 5: the mail was accepted long ago. The pipeline holds instead.
            reply = _CANNOT_KEEP
        fate = _fate(reply)
        run.fates = dict.fromkeys(run.transaction.envelope.recipients, fate)
        return _outcome(run, _Answer(reply=reply, stage="plan", is_next_hops=False))

    def _skip_served(self, run: _Run, groups: Sequence[Group]) -> None:
        if self._journal.is_empty:
            return
        envelope = run.transaction.envelope
        for group in groups:
            for recipient in group.disposition.recipients:
                if self._journal.was_delivered(envelope, recipient, run.key):
                    run.fates[recipient] = Fate.DELIVERED_BEFORE

    async def _relay(self, run: _Run, group: Group) -> None:
        """The plain case: the content follows on the transaction that is open already."""
        recipients = run.transaction.envelope.recipients
        try:
            try:
                data_reply = await run.session.data(group.raw)
            except NextHopFailed as failure:
                # A next hop may hang up on a peer that was slow, or while the mail was judged. As
                # the final dot was not sent, nothing is in doubt: say it all once more.
                if failure.ambiguous or failure.cause not in _GONE:
                    raise
                await self._reopen(run)
                await self._transact(run, run.transaction.envelope, group.raw)
            else:
                self._take(run, recipients, data_reply)
        except NextHopFailed as failure:
            run.answers.append(_failure(failure))

    async def _split(self, run: _Run, plan: Plan) -> Outcome:
        """Holds first, then one transaction per group, then the decision about all."""
        run.is_split = True
        try:
            pending = await self._quarantine.write_pending(plan.holds) if plan.holds else ()
        except CannotKeep as failure:
            with suppress(NextHopFailed):
                await run.session.reset()
            run.answers.append(_not_kept(failure))
            return await self._settled(run, ())
        for hold in plan.holds:
            run.fates.update(dict.fromkeys(hold.envelope.recipients, Fate.HELD))
        try:
            await self._reset(run)
            for group in plan.groups:
                rest = tuple(r for r in group.disposition.recipients if r not in run.fates)
                if rest:
                    envelope = run.transaction.envelope.for_recipients(rest)
                    await self._transact(run, envelope, group.raw)
                if run.worst is not None and run.worst.reply.is_transient:
                    break
        except NextHopFailed as failure:
            run.answers.append(_failure(failure))
        return await self._settled(run, pending)

    async def _reset(self, run: _Run) -> None:
        """End the live transaction; a session that died in the meantime is replaced."""
        try:
            await run.session.reset()
        except NextHopFailed:
            if len(run.fates) < len(set(run.transaction.envelope.recipients)):
                await self._reopen(run)

    async def _reopen(self, run: _Run) -> None:
        await run.session.close()
        run.session = run.reopened = await self._next_hop.open(run.transaction.connection)

    async def _transact(self, run: _Run, envelope: Envelope, raw: bytes) -> None:
        """A whole transaction; a recipient that is refused now counts by the class of its reply."""
        session = run.session
        reply = await session.mail(envelope.reverse_path, envelope.mail_parameters)
        if not reply.is_positive:
            run.took(envelope.recipients, [reply] * len(envelope.recipients))
            run.answers.append(_Answer(reply=reply, stage=Stage.MAIL.value))
            return
        accepted: list[Recipient] = []
        for recipient in envelope.recipients:
            reply = await session.rcpt(recipient)
            if reply.is_positive:
                accepted.append(recipient)
                continue
            run.took([recipient], [reply])
            run.answers.append(_Answer(reply=reply, stage=Stage.RCPT.value))
            if reply.is_transient:
                # Everything will come again: the fewer got it by then, the better.
                accepted.clear()
                break
        if accepted:
            data_reply = await session.data(raw)
            self._take(run, accepted, data_reply)
            if data_reply.stage != Stage.DATA.value:
                return
        # No content was sent, so the transaction is still open.
        with suppress(NextHopFailed):
            await session.reset()

    def _take(self, run: _Run, recipients: Sequence[Recipient], data_reply: DataReply) -> None:
        replies = data_reply.per_recipient or (data_reply.reply,) * len(recipients)
        run.took(recipients, replies)
        run.answers.append(_Answer(reply=data_reply.reply, stage=data_reply.stage))

    async def _settled(self, run: _Run, pending: Sequence[str]) -> Outcome:
        """The decision about all recipients, and what follows from it for holds and journal."""
        worst = run.worst
        if worst is None or worst.reply.is_positive:
            try:
                if pending:
                    await self._quarantine.commit(pending)
            except CannotKeep as failure:
                # The pending holds stay: recovery commits them, at worst beside those of the retry.
                worst = _not_kept(failure)
                pending = ()
            else:
                return _outcome(run, self._good(run), pending, not await self._forget(run))
        with suppress(CannotKeep):
            # One that cannot be dropped is committed by recovery: a duplicate, never a loss.
            if pending:
                await self._quarantine.drop(pending)
        if worst.reply.is_transient:
            kept = await self._remember(run)
        else:
            kept = await self._forget(run)
        undone = Fate.DEFERRED if worst.reply.is_transient else Fate.REFUSED
        delivered = (Fate.DELIVERED, Fate.DELIVERED_BEFORE)
        for recipient in run.transaction.envelope.recipients:
            if run.fates.get(recipient) not in delivered:
                run.fates[recipient] = undone
        return _outcome(run, worst, (), not kept)

    def _good(self, run: _Run) -> _Answer:
        """The next hop's own words where they are true for all, else ours."""
        if len(run.answers) == 1 and set(run.fates.values()) == {Fate.DELIVERED}:
            return run.answers[0]
        return _Answer(reply=_ACCEPTED, stage="done", is_next_hops=False)

    async def _remember(self, run: _Run) -> bool:
        """Note who got the mail although we answer 451; False if that failed."""
        delivered = run.among(Fate.DELIVERED)
        try:
            if delivered:
                await self._journal.remember(run.transaction.envelope, delivered, run.key)
        except CannotKeep:
            return False
        return True

    async def _forget(self, run: _Run) -> bool:
        try:
            if run.among(Fate.DELIVERED_BEFORE):
                await self._journal.forget(run.transaction.envelope, run.key)
        except CannotKeep:
            return False
        return True


def _fate(reply: Reply) -> Fate:
    if reply.is_positive:
        return Fate.DELIVERED
    return Fate.DEFERRED if reply.is_transient else Fate.REFUSED


def _severity(reply: Reply) -> int:
    return 2 if reply.is_transient else int(reply.is_permanent)


def _failure(failure: NextHopFailed) -> _Answer:
    return _Answer(
        reply=failure.reply,
        stage=failure.stage,
        is_next_hops=False,
        ambiguous=failure.ambiguous,
        cause=failure.cause,
        detail=failure.detail,
    )


def _not_kept(failure: CannotKeep) -> _Answer:
    return _Answer(
        reply=_CANNOT_KEEP,
        stage="quarantine",
        is_next_hops=False,
        cause="cannot_keep",
        detail=str(failure),
    )


def _outcome(
    run: _Run, answer: _Answer, kept: Sequence[str] = (), journal_failed: bool = False
) -> Outcome:
    fates = tuple((r, run.fates[r]) for r in dict.fromkeys(run.transaction.envelope.recipients))
    is_split = run.is_split or len(set(run.fates.values())) > 1
    reply = answer.reply
    if not answer.is_next_hops:
        reply = _with_id(reply, run.transaction.transaction_id)
    elif reply.is_transient and is_split:
        # The next hop spoke of some, we answer for all: its words, and the code of rule 8.
        reply = Reply(code=451, lines=reply.lines)
    return Outcome(
        reply=reply,
        is_next_hops=answer.is_next_hops,
        stage=answer.stage,
        fates=fates,
        quarantine_ids=tuple(kept),
        ambiguous=answer.ambiguous,
        journal_failed=journal_failed,
        cause=answer.cause,
        detail=answer.detail or ("" if reply.is_positive else described(answer.reply)),
    )


def _with_id(reply: Reply, transaction_id: str) -> Reply:
    """Our reply with the id by which a help desk finds it (design rule 10)."""
    *others, last = reply.lines
    return Reply(code=reply.code, lines=(*others, last + f" ({transaction_id})".encode("ascii")))
