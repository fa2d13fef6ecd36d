"""What we believe of a message (verdict) and what happens to it (disposition)."""

from dataclasses import dataclass
from enum import StrEnum

from milter.mail.envelope import Recipient
from milter.mail.finding import Finding


class Label(StrEnum):
    """The closed list of verdict labels."""

    CLEAN = "clean"
    INFO = "info"
    LURE = "lure"
    LURE_MALWARE = "lure_malware"
    SCAM = "scam"


class Action(StrEnum):
    """The closed list of dispositions, mildest first."""

    DELIVER = "deliver"
    ANNOTATE = "annotate"
    QUARANTINE = "quarantine"
    REJECT = "reject"
    DEFER = "defer"


class Mode(StrEnum):
    """How far the gateway may go."""

    OBSERVE = "observe"
    ANNOTATE = "annotate"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedFinding:
    """A finding with what configuration makes of it; weight in decibans after strength and caps."""

    finding: Finding
    family: str
    weight_db: float
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Same inputs give the same verdict.

    `may_hold` is True when the families and the named combination for a quarantine are there.
    `degraded` lists checks that failed and evidence that was missing; failed is not clean.
    """

    label: Label
    score_db: float
    probability: float
    findings: tuple[WeighedFinding, ...] = ()
    families: tuple[str, ...] = ()
    may_hold: bool = False
    degraded: tuple[str, ...] = ()
    language: str = "und"
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """What happens to the message for some of its recipients; `rule` names the policy row."""

    action: Action
    rule: str
    recipients: tuple[Recipient, ...]
    banner_language: str = "en"
