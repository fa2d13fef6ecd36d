"""Holds: their states, release and deletion (time does the rest: act/retention.py).

A hold's state is which of its files exist; where several do, the upper row wins. The right to
change it is the lock on its content, which the kernel frees when the holder dies.

| files besides the content       | state      | after a crash                                     |
|---------------------------------|------------|---------------------------------------------------|
| released or deleted or expired  | that one   | recovery erases content and other records         |
| releasing                       | releasing  | outcome unknown: a person says `again` or deletes |
| held                            | held       | nothing to do                                     |
| pending, lock taken             | pending    | its front is alive: hands off, for two hours      |
| pending, lock free              | (pending)  | recovery commits it: a duplicate, never a loss    |
| none                            | no hold    | never promised: recovery removes it               |
| (no content) final record       | that one   | tombstone, forgotten in time                      |
| (no content) held or releasing  | damaged    | said, never hidden; others are unharmed           |

A hold is `releasing` only while its final dot may be out. Sends exact octets; refuses to edit.
**Standards:** RFC 5321 §4.1.1, RFC 1870 §6 (SIZE), RFC 3461 (DSN parameters pass as they came).
**Failure:** what the next hop says is in the outcome; HoldMissing, HoldDamaged, HoldBusy,
WrongState, NoSuchRecipient, CannotKeep are raised before anything was sent; only a CannotKeep after
a 250 is not, and then the hold stays `releasing`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from milter.mail.envelope import Connection, Recipient
from milter.mail.quarantine import (
    AuditAct,
    AuditEntry,
    HoldState,
    QuarantineRecord,
)
from milter.mail.reply import Reply, own_reply
from milter.ports import (
    Clock,
    DataReply,
    HoldStore,
    NextHop,
    NextHopFailed,
    NextHopSession,
)

TRANSITIONS: dict[HoldState, frozenset[HoldState]] = {
    HoldState.PENDING: frozenset({HoldState.HELD}),
    # Held to held: some of the recipients have been served.
    HoldState.HELD: frozenset(
        {HoldState.HELD, HoldState.RELEASING, HoldState.DELETED, HoldState.EXPIRED}
    ),
    HoldState.RELEASING: frozenset(set(HoldState) - {HoldState.PENDING}),
    HoldState.RELEASED: frozenset(),
    HoldState.DELETED: frozenset(),
    HoldState.EXPIRED: frozenset(),
}
OPEN_STATES = frozenset({HoldState.HELD, HoldState.RELEASING})
OUTCOME_UNKNOWN = own_reply(451, "4.4.2", "An earlier release may have been delivered")


class WrongState(Exception):
    """The hold's state forbids the act."""

    def __init__(self, record: QuarantineRecord) -> None:
        super().__init__(f"{record.quarantine_id} is {record.state}")
        self.record = record


class NoSuchRecipient(Exception):
    """None of the recipients asked for waits for the message."""


def moved(
    record: QuarantineRecord,
    state: HoldState,
    *,
    by: str,
    at: datetime,
    served: Sequence[Recipient] = (),
) -> QuarantineRecord:
    """The record after a change that the table allows; raises WrongState for any other."""
    if state not in TRANSITIONS[record.state]:
        raise WrongState(record)
    return replace(
        record,
        state=state,
        decided_by=by,
        decided_at=at,
        released_to=record.released_to + tuple(one.path.raw for one in served),
    )


# Views


async def view(store: HoldStore, quarantine_id: str, *, by: str, at: datetime) -> QuarantineRecord:
    """The record, for a person: audited."""
    await store.audit(AuditEntry(at=at, who=by, act=AuditAct.VIEW, quarantine_id=quarantine_id))
    return await store.find(quarantine_id)


async def view_raw(store: HoldStore, quarantine_id: str, *, by: str, at: datetime) -> bytes:
    """The octets as they arrived, for a person: audited."""
    entry = AuditEntry(at=at, who=by, act=AuditAct.VIEW_RAW, quarantine_id=quarantine_id)
    await store.audit(entry)
    return await store.read_raw(quarantine_id)


async def view_list(
    store: HoldStore, *, by: str, at: datetime
) -> tuple[tuple[QuarantineRecord, ...], tuple[str, ...]]:
    """All records, and the ids of holds that cannot be read, for a person: audited."""
    await store.audit(AuditEntry(at=at, who=by, act=AuditAct.LIST))
    return await store.read_all()


# Release


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOutcome:
    """What became of a release.

    `reply` is the next hop's, or the first refusal where it refused some; `sent` says that this
    call handed over the message. The record tells the state: released, held (for those in
    `record.unreleased`), or releasing where the outcome is unknown.
    """

    record: QuarantineRecord
    reply: Reply
    sent: bool


async def release(
    store: HoldStore,
    quarantine_id: str,
    next_hop: NextHop,
    *,
    by: str,
    clock: Clock,
    only: Sequence[bytes] = (),
    again: bool = False,
) -> ReleaseOutcome:
    """Send a held message to its recipients, or `only` those; twice sends once.

    `again` is a person's word that a duplicate is welcome where an earlier outcome is unknown.
    """
    entry = AuditEntry(at=clock.now(), who=by, act=AuditAct.RELEASE, quarantine_id=quarantine_id)
    await store.audit(entry)
    async with store.exclusive(quarantine_id) as record:
        if record.state is HoldState.RELEASED:
            done = own_reply(250, "2.0.0", "Released before")
            return ReleaseOutcome(record=record, reply=done, sent=False)
        if record.state is HoldState.RELEASING and not again:
            return ReleaseOutcome(record=record, reply=OUTCOME_UNKNOWN, sent=False)
        if record.state not in OPEN_STATES:
            raise WrongState(record)
        wanted = tuple(one for one in record.unreleased if not only or one.path.raw in only)
        if not wanted:
            raise NoSuchRecipient(quarantine_id)
        outcome = await _Release(store, record, by, clock).send(next_hop, wanted)
    await store.audit(
        replace(
            entry,
            at=clock.now(),
            act=_AUDIT_OF_STATE[outcome.record.state],
            detail=str(outcome.reply.code),
        )
    )
    return outcome


_AUDIT_OF_STATE = {
    HoldState.RELEASED: AuditAct.RELEASED,
    HoldState.HELD: AuditAct.RELEASE_REFUSED,
    HoldState.RELEASING: AuditAct.RELEASE_UNKNOWN,
}


class _Release:
    """One conversation with the next hop, and the record that follows it."""

    def __init__(self, store: HoldStore, record: QuarantineRecord, by: str, clock: Clock) -> None:
        self._store = store
        self._record = record
        self._by = by
        self._clock = clock

    async def send(self, next_hop: NextHop, wanted: tuple[Recipient, ...]) -> ReleaseOutcome:
        # Before anything is sent: a damaged hold raises here.
        raw = await self._store.read_release(self._record.quarantine_id)
        try:
            session = await next_hop.open(
                Connection(client_ip=self._record.client_ip, listener="release")
            )
        except NextHopFailed as failure:
            return self._outcome(failure.reply)
        try:
            return await self._converse(session, raw, wanted)
        except NextHopFailed as failure:
            return self._outcome(failure.reply)
        finally:
            with suppress(NextHopFailed):
                await session.close()

    async def _converse(
        self, session: NextHopSession, raw: bytes, wanted: tuple[Recipient, ...]
    ) -> ReleaseOutcome:
        envelope = self._record.envelope
        reply = await session.mail(
            envelope.reverse_path, _with_size(envelope.mail_parameters, len(raw))
        )
        if not reply.is_positive:
            return self._outcome(reply)
        accepted: list[Recipient] = []
        refusal: Reply | None = None
        for recipient in wanted:
            reply = await session.rcpt(recipient)
            if reply.is_positive:
                accepted.append(recipient)
            else:
                refusal = refusal or reply
        if not accepted:
            await session.reset()
            return self._outcome(refusal or reply)
        # From here on a crash leaves the outcome open, and the state says so.
        await self._move(HoldState.RELEASING)
        try:
            answer = await session.data(raw)
        except NextHopFailed as failure:
            if not failure.ambiguous:
                await self._move(HoldState.HELD)
            raise
        served, data_refusal = _served(answer, accepted)
        everybody = {one.path.raw for one in self._record.unreleased}
        finished = everybody <= {one.path.raw for one in served}
        await self._move(HoldState.RELEASED if finished else HoldState.HELD, served)
        return self._outcome(refusal or data_refusal or answer.reply, sent=bool(served))

    async def _move(self, state: HoldState, served: Sequence[Recipient] = ()) -> None:
        record = moved(self._record, state, by=self._by, at=self._clock.now(), served=served)
        await self._store.replace(record)
        self._record = record

    def _outcome(self, reply: Reply, *, sent: bool = False) -> ReleaseOutcome:
        return ReleaseOutcome(record=self._record, reply=reply, sent=sent)


def _with_size(parameters: tuple[bytes, ...], size_bytes: int) -> tuple[bytes, ...]:
    """As they came, but a declared SIZE is that of the octets we send (RFC 1870 §6)."""
    return tuple(
        b"SIZE=%d" % size_bytes if one.upper().startswith(b"SIZE=") else one for one in parameters
    )


def _served(
    answer: DataReply, accepted: Sequence[Recipient]
) -> tuple[tuple[Recipient, ...], Reply | None]:
    """Who has the message now, and the first refusal; LMTP answers for each (RFC 2033 §4.2)."""
    replies = answer.per_recipient or (answer.reply,) * len(accepted)
    served = tuple(
        one for one, reply in zip(accepted, replies, strict=True) if 200 <= reply.code < 300
    )
    return served, next((one for one in replies if not 200 <= one.code < 300), None)


async def delete(
    store: HoldStore, quarantine_id: str, *, by: str, at: datetime
) -> QuarantineRecord:
    """Erase the content; the tombstone says who and when. Also ends an unknown outcome."""
    await store.audit(AuditEntry(at=at, who=by, act=AuditAct.DELETE, quarantine_id=quarantine_id))
    async with store.exclusive(quarantine_id) as record:
        deleted = moved(record, HoldState.DELETED, by=by, at=at)
        await store.replace(deleted)
    return deleted
