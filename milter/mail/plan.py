"""What is to be done with one message (plan) and what became of it (outcome).

A `Plan` says where each accepted recipient goes: into a group (delivered, plain or annotated),
into a hold, or everybody gets one reply of ours. It refuses to be built where that is unclear:
- one reply covers all recipients (RFC 5321 §4.2.5), so `reply` is for everybody or for nobody.
  Where only some recipients are to be rejected, they are held instead: a 5xx would bounce the
  others, a 250 would lose theirs. Where only some are to be deferred, everybody is, before
  anything is sent.
- `require_cover` proves that no accepted recipient is forgotten and none is served twice.

Failure: ValueError is our own bug; the listener answers 451 4.3.0 and the peer keeps the mail.
"""

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from milter.mail.envelope import Envelope, Recipient
from milter.mail.quarantine import Hold
from milter.mail.reply import Reply
from milter.mail.verdict import Action, Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Recipients that get the same octets: one transaction with the next hop."""

    disposition: Disposition
    raw: bytes

    def __post_init__(self) -> None:
        if self.disposition.action not in (Action.DELIVER, Action.ANNOTATE):
            raise ValueError(f"a group cannot {self.disposition.action}")
        if not self.disposition.recipients:
            raise ValueError("a group needs a recipient")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Groups and holds, or one reply of ours (4xx or 5xx, without the transaction id)."""

    groups: tuple[Group, ...] = ()
    holds: tuple[Hold, ...] = ()
    reply: Reply | None = None

    def __post_init__(self) -> None:
        if self.reply is None:
            if not self.groups and not self.holds:
                raise ValueError("a plan needs a group, a hold or a reply")
        elif self.groups or self.holds or self.reply.is_positive:
            raise ValueError("a reply of ours is 4xx or 5xx and for everybody")

    def require_cover(self, envelope: Envelope) -> None:
        """Raise ValueError unless each recipient of the envelope has exactly one place."""
        if self.reply is not None:
            return
        placed = Counter[Recipient]()
        for group in self.groups:
            placed.update(group.disposition.recipients)
        for hold in self.holds:
            placed.update(hold.envelope.recipients)
        if placed != Counter(envelope.recipients):
            raise ValueError("a plan must place each recipient exactly once")


class Fate(StrEnum):
    """What became of one recipient's mail."""

    DELIVERED = "delivered"
    DELIVERED_BEFORE = "delivered_before"
    HELD = "held"
    REFUSED = "refused"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The final reply, and for observation what happened on the way to it.

    `reply` is complete: where `is_next_hops` is False it is ours and carries the transaction id.
    `stage` is where the reply arose: plan, quarantine, done, or a stage of the next hop.
    `fates` names each recipient once. `ambiguous` is True if the next hop may have the mail of a
    deferred recipient. `cause` and `detail` explain a failure, for the mail log only.
    """

    reply: Reply
    is_next_hops: bool
    stage: str
    fates: tuple[tuple[Recipient, Fate], ...]
    quarantine_ids: tuple[str, ...] = ()
    ambiguous: bool = False
    journal_failed: bool = False
    cause: str = ""
    detail: str = ""

    @property
    def duplicates_avoided(self) -> int:
        """Recipients that were skipped because an earlier, deferred transaction had served them."""
        return sum(fate is Fate.DELIVERED_BEFORE for _, fate in self.fates)


def add_group(groups: list[Group], disposition: Disposition, raw: bytes) -> None:
    """Recipients of the same octets share a transaction, whichever rows they came from."""
    for index, group in enumerate(groups):
        if group.raw == raw:
            together = replace(
                group.disposition,
                recipients=(*group.disposition.recipients, *disposition.recipients),
            )
            groups[index] = replace(group, disposition=together)
            return
    groups.append(Group(disposition=disposition, raw=raw))
