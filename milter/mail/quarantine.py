"""Values of the quarantine: what is held, in which state, decided by whom."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from milter.mail.envelope import Envelope, Recipient
from milter.mail.verdict import Verdict


class HoldState(StrEnum):
    """States of a hold; each is defined by which files exist (see act/quarantine.py)."""

    PENDING = "pending"
    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    DELETED = "deleted"
    EXPIRED = "expired"


FINAL_STATES = frozenset({HoldState.RELEASED, HoldState.DELETED, HoldState.EXPIRED})
"""The content is erased; the record stays for a while as a tombstone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One message to be kept for one or more recipients: original bytes and release bytes' recipe.

    `raw` is what arrived. `release_raw` is what a release sends: annotated, byte-exact.
    """

    transaction_id: str
    envelope: Envelope
    role: str
    raw: bytes
    release_raw: bytes
    verdict: Verdict
    rule: str
    received_at: datetime
    client_ip: str
    subject: str
    header_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRecord:
    """The index entry of a hold: all that a list or a notice needs, no content but the subject."""

    quarantine_id: str
    state: HoldState
    transaction_id: str
    envelope: Envelope
    role: str
    verdict: Verdict
    rule: str
    subject: str
    header_from: str
    client_ip: str
    received_at: datetime
    expires_at: datetime
    sha256: str
    size_bytes: int
    decided_by: str = ""
    decided_at: datetime | None = None
    released_to: tuple[bytes, ...] = ()
    """Forward-paths (as in `Path.raw`) that a release has served; the others are still held."""

    @property
    def unreleased(self) -> tuple[Recipient, ...]:
        """The recipients that still wait for the message."""
        served = set(self.released_to)
        return tuple(one for one in self.envelope.recipients if one.path.raw not in served)


class Mark(StrEnum):
    """What the contact has been told of a hold."""

    NOTIFIED = "notified"
    WARNED = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEntry:
    """What can be said of a hold without opening it: cheap for ten thousand of them."""

    quarantine_id: str
    state: HoldState
    notified_at: datetime | None = None
    warned_at: datetime | None = None


class AuditAct(StrEnum):
    """The closed list of views and acts in the audit log."""

    LIST = "list"
    VIEW = "view"
    VIEW_RAW = "view_raw"
    RELEASE = "release"
    RELEASED = "released"
    RELEASE_REFUSED = "release_refused"
    RELEASE_UNKNOWN = "release_unknown"
    DELETE = "delete"
    EXPIRE = "expire"
    NOTIFY = "notify"
    WARN = "warn"
    FORGET = "forget"
    ERASE = "erase"
    EXPORT = "export"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit log: who did what to which hold or person, never a word of content."""

    at: datetime
    who: str
    act: AuditAct
    quarantine_id: str = ""
    detail: str = ""
