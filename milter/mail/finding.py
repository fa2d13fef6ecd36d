"""What a check saw, and the evidence for it. Never a weight: weights are configuration.

Finding codes are CONSTANT_CASE and stable for ever; the table of codes with family, weight and
summary is config/weights.toml.
"""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a piece of evidence stands."""

    SUBJECT = "subject"
    BODY = "body"
    QUOTED = "quoted"
    SIGNATURE = "signature"
    HEADER = "header"
    ATTACHMENT = "attachment"
    QR = "qr"
    ICS = "ics"
    VCARD = "vcard"
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A span of decoded text: half-open code points in the decoded text of its part.

    Of source `history` it is no span: `text` tells of an earlier message, `part` is its message-id.
    """

    source: Source
    part: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check saw. `strength` is 2 (plain) or 1 (weak: counts 60 %)."""

    code: str
    check: str
    strength: int = 2
    evidence: tuple[Evidence, ...] = ()
    note: str = ""


class CheckStatus(StrEnum):
    """How a check ended; failed is not clean."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """A check's answer; a failed one carries a reason and no findings."""

    check: str
    status: CheckStatus
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    elapsed_seconds: float = 0.0
