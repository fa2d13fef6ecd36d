"""The gateway behind the milter front: judge, hold what is to be held, and say what to change.

Implements `listen.gateway.Filter`. The MTA keeps the mail; recipients whose mail is held with us
are taken out of it after the hold is durable (design rule 9), or the MTA is asked to hold the whole
message, by configuration. Mail of our own that comes back with a one-time token passes as it is.
Refuses to send anything.

Failure: CannotKeep and our own faults are 451 4.3.0; where the MTA is gone before its answer the
holds are dropped, for it will send the mail again.
"""

from collections.abc import Callable
from dataclasses import replace

from milter.act.plan import Acted
from milter.app.observation import Observation
from milter.app.recipient_notices import RecipientNotices
from milter.judge.policy import unsplit
from milter.mail.edit import InsertField, RemoveField
from milter.mail.envelope import Recipient, Transaction
from milter.mail.handback import RELEASE_FIELD, Handback
from milter.mail.message import field_value, scan_header
from milter.mail.plan import Fate, Outcome
from milter.mail.reply import INTERNAL_ERROR, OK, OwnReply, Reply, with_transaction_id
from milter.pipeline import Pipeline, Planned
from milter.ports import CannotKeep, Clock, Quarantine, ReleaseTokens

_HOLD_REASON = "held by Lurewall"


class MilterGateway:
    """One per front; `hold_with_mta`: the MTA's own hold instead of our quarantine."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        quarantine: Quarantine,
        tokens: ReleaseTokens,
        observation: Observation,
        clock: Clock,
        hold_with_mta: bool,
        notices: RecipientNotices | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._quarantine = quarantine
        self._tokens = tokens
        self._observation = observation
        self._clock = clock
        self._hold_with_mta = hold_with_mta
        self._notices = notices

    async def submit(
        self, transaction: Transaction, *, fields_agree: bool, still_asked: Callable[[], bool]
    ) -> Handback:
        """What the MTA is answered."""
        started = self._clock.monotonic()
        try:
            released = await self._released(transaction)
            if released is not None:
                return released
            assessment = await self._pipeline.assess(transaction)
            together = unsplit(assessment.dispositions, hold_together=self._hold_with_mta)
            assessment = replace(assessment, dispositions=together)
            planned = await self._pipeline.plan(transaction, assessment)
            if not fields_agree:
                planned = _uncounted(planned)
            handback, outcome = await self._carried_out(transaction, planned, still_asked)
        except Exception as error:  # design rule 1: our own fault is never a 5xx
            self._observation.fault(transaction.transaction_id, error)
            return Handback(reply=with_transaction_id(INTERNAL_ERROR, transaction.transaction_id))
        seconds = self._clock.monotonic() - started
        self._observation.message(transaction, assessment, planned, outcome, seconds)
        if self._notices is not None:
            self._notices.after(transaction, assessment, planned, outcome)
        return handback if fields_agree else _new_fields_only(handback)

    async def _released(self, transaction: Transaction) -> Handback | None:
        """Pass mail of our own unchanged, but for the field that says so; None for any other."""
        raw = transaction.raw
        fields = tuple(scan_header(raw).named(RELEASE_FIELD.lower()))
        if len(fields) != 1 or not await self._tokens.redeem(field_value(raw, fields[0]), raw):
            return None
        (field,) = fields
        token = RemoveField(
            name=RELEASE_FIELD,
            occurrence=1,
            start=field.start,
            removed=raw[field.start : field.end],
        )
        self._observation.released_passed(transaction)
        return Handback(reply=OK, edits=(token,), raw=raw[: field.start] + raw[field.end :])

    async def _carried_out(
        self, transaction: Transaction, planned: Planned, still_asked: Callable[[], bool]
    ) -> tuple[Handback, Outcome]:
        plan = planned.plan
        plan.require_cover(transaction.envelope)
        if plan.reply is not None:
            fate = Fate.DEFERRED if plan.reply.is_transient else Fate.REFUSED
            return _told(transaction, plan.reply, fate, "plan")
        if self._hold_with_mta and plan.holds:
            return _held_by_mta(transaction, planned)
        quarantine_ids: tuple[str, ...] = ()
        if plan.holds:
            try:
                quarantine_ids = await self._quarantine.write_pending(plan.holds)
                if not still_asked():
                    await self._quarantine.drop(quarantine_ids)
                    return _told(transaction, INTERNAL_ERROR, Fate.DEFERRED, "plan")
                await self._quarantine.commit(quarantine_ids)
            except CannotKeep:
                return _told(transaction, INTERNAL_ERROR, Fate.DEFERRED, "quarantine")
        held = tuple(one for hold in plan.holds for one in hold.envelope.recipients)
        return _given_back(transaction, planned, held, quarantine_ids)


def _given_back(
    transaction: Transaction,
    planned: Planned,
    held: tuple[Recipient, ...],
    quarantine_ids: tuple[str, ...],
) -> tuple[Handback, Outcome]:
    """The mail goes on for those who stay, with the edits of the one group there can be."""
    leaving = frozenset(held)
    staying = tuple(one for one in transaction.envelope.recipients if one not in leaving)
    acted = _acted_for(planned, staying)
    handback = Handback(
        reply=OK,
        raw=acted.raw if acted else b"",
        edits=acted.edits if acted else (),
        removed=held if staying else (),
        discard=not staying,
    )
    fates = (*((one, Fate.DELIVERED) for one in staying), *((one, Fate.HELD) for one in held))
    outcome = Outcome(
        reply=OK, is_next_hops=False, stage="done", fates=fates, quarantine_ids=quarantine_ids
    )
    return handback, outcome


def _held_by_mta(transaction: Transaction, planned: Planned) -> tuple[Handback, Outcome]:
    """The whole message waits in the MTA's queue, marked, under the MTA's own name."""
    (_disposition, acted), *_ = planned.acted
    handback = Handback(reply=OK, raw=acted.raw, edits=acted.edits, hold_reason=_HOLD_REASON)
    outcome = Outcome(
        reply=OK,
        is_next_hops=False,
        stage="done",
        fates=tuple((one, Fate.HELD) for one in transaction.envelope.recipients),
        quarantine_ids=(f"mta:{transaction.queue_id}",),
    )
    return handback, outcome


def _told(
    transaction: Transaction, reply: Reply, fate: Fate, stage: str
) -> tuple[Handback, Outcome]:
    """One reply of ours for everybody."""
    told = reply
    if isinstance(reply, OwnReply):
        told = with_transaction_id(reply, transaction.transaction_id)
    outcome = Outcome(
        reply=told,
        is_next_hops=False,
        stage=stage,
        fates=tuple((one, fate) for one in transaction.envelope.recipients),
    )
    return Handback(reply=told), outcome


def _acted_for(planned: Planned, staying: tuple[Recipient, ...]) -> Acted | None:
    """What was done to the octets of those who get the mail."""
    return next(
        (
            acted
            for disposition, acted in planned.acted
            if staying and disposition.recipients[0] in staying
        ),
        None,
    )


def _uncounted(planned: Planned) -> Planned:
    """Without banners: where the MTA sees another header, it may see another body, too."""
    acted = tuple(
        (
            disposition,
            one.headers_only("the MTA counts fields otherwise") if one.edits_body else one,
        )
        for disposition, one in planned.acted
    )
    return replace(planned, acted=acted)


def _new_fields_only(handback: Handback) -> Handback:
    """Other edits would have to be counted off, and the MTA counts otherwise.

    A seal would be over edits that are not made, so it stays away, too.
    """
    fields = tuple(
        edit
        for edit in handback.edits
        if isinstance(edit, InsertField) and not edit.name.startswith(b"ARC-")
    )
    return replace(handback, edits=fields)
