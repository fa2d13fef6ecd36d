"""Values of the quarantine: what is held, in which state, decided by whom."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from milter.mail.envelope import Envelope
from milter.mail.verdict import Verdict


class HoldState(StrEnum):
    """States of a hold; each is defined by which files exist (see act/quarantine.py)."""

    PENDING = "pending"
    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    DELETED = "deleted"
    EXPIRED = "expired"


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
