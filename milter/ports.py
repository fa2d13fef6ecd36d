"""What the core needs from outside, as protocols. Adapters implement them; only `app` picks one.

Failure: each port names the one exception its callers must handle; anything else is our own bug
and ends as 451 4.3.0.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from milter.mail.address import Path
from milter.mail.dns import Answers, Question
from milter.mail.engagement import Inquiry, Memories, Recollection
from milter.mail.envelope import Connection, Envelope, Recipient
from milter.mail.quarantine import AuditEntry, Hold, HoldEntry, Mark, QuarantineRecord
from milter.mail.reading import Facts, IntegrityReport, Reading
from milter.mail.reply import Reply


class Clock(Protocol):
    """Time from outside; aware UTC, and a monotonic reading in seconds for deadlines."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class ExaminationFailed(Exception):
    """No reader could examine the message in time; `reason` is timeout, crash or overload."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A reading and what went wrong on the way to it ('' or the reason of the first attempt)."""

    reading: Reading
    first_failure: str = ""


class Resolver(Protocol):
    """The DNS. Does not raise: what cannot be had by `deadline` (monotonic) is answered FAILED."""

    async def ask(self, questions: Sequence[Question], deadline: float) -> Answers: ...


class Examiner(Protocol):
    """Killable readers. Raises ExaminationFailed; `deadline` is a monotonic time."""

    async def examine(self, raw: bytes, facts: Facts, deadline: float) -> Examined: ...

    async def verify(
        self, original: bytes, edited: bytes, facts: Facts, deadline: float
    ) -> IntegrityReport: ...


class HistoryUnavailable(Exception):
    """The store did not answer in its budget: the verdict says which evidence was missing."""


class History(Protocol):
    """Memory of engagements (`milter.mail.engagement`); the empty adapter knows nobody.

    `recall` raises HistoryUnavailable; `remember` never fails: what cannot be written now is kept
    aside within bounds and counted. Both take no longer than their budget, an option of the
    adapter. To remember the same thing again changes nothing.
    """

    async def recall(self, inquiry: Inquiry) -> Recollection: ...

    async def remember(self, memories: Memories) -> None: ...


class CannotKeep(Exception):
    """A durable write failed: the mail is not safe with us, the peer gets 4xx."""


class Quarantine(Protocol):
    """Durable holds. `write_pending` returns after fsync; raises CannotKeep."""

    async def write_pending(self, holds: Sequence[Hold]) -> tuple[str, ...]: ...

    async def commit(self, quarantine_ids: Sequence[str]) -> None: ...

    async def drop(self, quarantine_ids: Sequence[str]) -> None: ...

    async def list_records(self) -> tuple[QuarantineRecord, ...]: ...


class Unusable(Exception):
    """A key, file or folder of the configuration cannot be used; the text says how to mend it."""


class HoldMissing(Exception):
    """No hold has this id."""


class HoldDamaged(Exception):
    """A hold's files are missing, cut or changed: nothing of it is trusted, others are unharmed."""


class HoldBusy(Exception):
    """Another process is at work on this hold."""


class HoldStore(Quarantine, Protocol):
    """What people and retention do with holds; the states and their rules are in act/quarantine.py.

    Methods that name a hold raise HoldMissing or HoldDamaged, those that write raise CannotKeep.
    """

    async def recover(self, now: datetime) -> tuple[str, ...]:
        """Clean up after dead processes; returns the pending holds that were committed."""
        ...

    async def entries(self) -> tuple[HoldEntry, ...]: ...

    async def find(self, quarantine_id: str) -> QuarantineRecord: ...

    async def read_all(self) -> tuple[tuple[QuarantineRecord, ...], tuple[str, ...]]:
        """All records, and the ids of those that cannot be read."""
        ...

    async def read_raw(self, quarantine_id: str) -> bytes: ...

    async def read_release(self, quarantine_id: str) -> bytes: ...

    def exclusive(self, quarantine_id: str) -> AbstractAsyncContextManager[QuarantineRecord]:
        """The hold as it is now, locked against all other processes; raises HoldBusy."""
        ...

    async def replace(self, record: QuarantineRecord) -> None:
        """Durably put a new record, in a new state if it has one; a final state erases content."""
        ...

    async def forget(self, quarantine_id: str) -> None:
        """Remove the tombstone of a finished hold."""
        ...

    async def mark(self, quarantine_ids: Sequence[str], mark: Mark, at: datetime) -> None: ...

    async def audit(self, entry: AuditEntry) -> None: ...

    def housekeeping(self) -> AbstractAsyncContextManager[bool]:
        """True for one process at a time."""
        ...


class ReleaseTokens(Protocol):
    """One-time words by which our own mail is known when it passes this filter again.

    A token is bound to the octets of the body. `issue` raises CannotKeep; `redeem` is true once.
    """

    async def issue(self, raw: bytes) -> bytes: ...

    async def redeem(self, token: bytes, raw: bytes) -> bool: ...


class NextHopFailed(Exception):
    """The next hop gave no usable answer.

    `reply` is what our peer gets (always 4xx); `stage` is connect, greeting, ehlo, starttls,
    xclient, mail, rcpt, data, end_of_data, rset; `ambiguous` is True if the final dot was sent and
    the outcome is unknown. `cause` is one word of a closed list (`relay.failure.Cause`), `detail`
    is for the operator's log and never for a peer.
    """

    def __init__(
        self,
        *,
        reply: Reply,
        stage: str,
        ambiguous: bool = False,
        cause: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(f"{stage}: {cause}")
        self.reply = reply
        self.stage = stage
        self.ambiguous = ambiguous
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReply:
    """The answer to a message: one reply, and for LMTP one per accepted recipient (same order)."""

    reply: Reply
    stage: str
    per_recipient: tuple[Reply, ...] = ()


class NextHopSession(Protocol):
    """One conversation with the next hop. Methods raise NextHopFailed."""

    @property
    def keywords(self) -> dict[str, str]:
        """EHLO keywords (upper case) with their parameters, as the next hop announced them."""
        ...

    async def mail(self, reverse_path: Path, parameters: Sequence[bytes]) -> Reply: ...

    async def rcpt(self, recipient: Recipient) -> Reply: ...

    async def data(self, raw: bytes) -> DataReply: ...

    async def reset(self) -> None: ...

    async def close(self) -> None: ...


class NextHop(Protocol):
    """Where mail goes on to. `open` gives a session after EHLO (from the pool or new)."""

    async def open(self, connection: Connection) -> NextHopSession: ...

    async def keywords(self) -> dict[str, str]:
        """What the next hop announces, cached for a short time; raises NextHopFailed."""
        ...


class Journal(Protocol):
    """Groups that got the next hop's 250 in a transaction that we answered 451 (design rule 8).

    `remember` and `forget` raise CannotKeep; losing an entry means a duplicate, never a loss.
    """

    @property
    def is_empty(self) -> bool:
        """True almost always: then nobody needs to hash the message."""
        ...

    def was_delivered(self, envelope: Envelope, recipient: Recipient, message_key: str) -> bool: ...

    async def remember(
        self, envelope: Envelope, recipients: Sequence[Recipient], message_key: str
    ) -> None: ...

    async def forget(self, envelope: Envelope, message_key: str) -> None: ...


class NoticeFailed(Exception):
    """The next hop did not take a notice; it is tried again unless `is_final`, no mail is affected.

    Final are refusals, and a lost final dot: the notice may have been taken.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Notifier(Protocol):
    """Tells the configured contact about holds and expiry; never blocks a delivery decision.

    Called by housekeeping only, never on the path of a message. Raises NoticeFailed.
    """

    async def held(self, record: QuarantineRecord) -> None: ...

    async def digest(self, records: Sequence[QuarantineRecord]) -> None: ...

    async def expiring(self, records: Sequence[QuarantineRecord]) -> None: ...
