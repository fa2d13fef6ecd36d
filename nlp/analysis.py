"""Input and result types, and the closed lists of labels. Importable without spaCy.

Offsets are half-open code points in the decoded text of the segment's part: a segment that starts
in the middle of its part (quoted text, a signature) has a `base` that is added on the way out.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class IntentLabel(StrEnum):
    """Lure-side labels, benign labels and neighbours (see docs/labels.md)."""

    APPROACH = "approach"
    PROFILE = "profile"
    OFFPLATFORM = "offplatform"
    NO_CLIENT = "no_client"
    PAID_REPORT = "paid_report"
    TRIAL = "trial"
    SENSITIVE = "sensitive"
    CONTACTS = "contacts"
    MONEY = "money"
    TRAVEL_MEET = "travel_meet"
    SECRECY = "secrecy"
    DATA_REQ = "data_req"
    LURE_FILE = "lure_file"
    B_SYS = "b_sys"
    B_RELAY = "b_relay"
    B_ALERT = "b_alert"
    B_NAMED = "b_named"
    B_AGENCY = "b_agency"
    B_EXPERT = "b_expert"
    B_ACAD = "b_acad"
    B_SCHED = "b_sched"
    N_SCAM = "n_scam"
    N_PRED = "n_pred"
    # Pretext cues that have weights of their own (design: family `pretext`, full terms).
    PLATFORM_CLAIM = "platform_claim"
    VAGUE_OFFER = "vague_offer"
    FULL_TERMS = "full_terms"
    REPORTED = "reported"


class EntityType(StrEnum):
    """Entity types of the scan contract."""

    PERSON = "person"
    ORG = "org"
    ROLE = "role"
    PLATFORM = "platform"
    HANDLE = "handle"
    PHONE = "phone"
    MONEY = "money"
    SECTOR = "sector"
    LOCATION = "location"
    CLEARANCE = "clearance"
    DATE = "date"
    URL = "url"
    EMAILADDR = "emailaddr"
    FILE = "file"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSegment:
    """A run of decoded text; `source` is subject, body, quoted, signature, attachment, ..."""

    source: str
    part: str
    text: str
    base: int = 0


class LinkText(NamedTuple):
    """A link target with the text shown for it, and whether an eye can see it.

    A tuple for the sake of newsletters, which have a hundred.
    """

    target: str
    shown: str
    part: str
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableText:
    """The only thing `nlp` ever sees of a message.

    `names` are display names from address headers, for masking; `own_domains` the organisation's.
    `hidden` is text that the sender's HTML hides from the reader. `read_in_full`: whatever the screen
    would say; `names_anyway`: then at least entities and words, which judge nothing.
    """

    segments: tuple[TextSegment, ...]
    links: tuple[LinkText, ...] = ()
    hidden: tuple[TextSegment, ...] = ()
    file_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()
    read_in_full: bool = False
    names_anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where something stands; `text` is the original text of the span."""

    source: str
    part: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentResult:
    """An intent with strength 1 (weak) or 2 (plain); `origin` is rules or model.

    `attributes` refine it from a closed list per label, for example offplatform: `handle`,
    `no_handle`, `scheduling`, `obfuscated`, `carried`; paid_report: `written`, `call`; money:
    `vague`, `odd_channel`; profile: `access`, `generic`; data_req: `cv`, `id_doc`, `bank`,
    `clearance`, `login`; secrecy: `secrecy`, `boilerplate`.
    """

    label: IntentLabel
    strength: int
    spans: tuple[Span, ...]
    attributes: tuple[str, ...] = ()
    origin: str = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityResult:
    """An entity with its normalised value; `platform` is the service id for handles and links.

    `flags` from a closed list: `obfuscated`, `hidden`, `link`, `vague`, `odd_channel`, `per_piece`,
    `freemail`.
    """

    type: EntityType
    span: Span
    value: str
    platform: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """Language code (ISO 639-1, `zh-hans`/`zh-hant`, `und`), intents and entities.

    `likeness` is the trained model's probability that the whole is a lure among recruiting-like
    mail (None if it was not asked), `telling` the sentences that make it so. `is_unfamiliar` says
    that the model was asked and the text is too unlike what it has learnt from. `sketch`, `shape` and
    `words` are what the text is known again by (`nlp.sketch`). `announces`: the writer says that
    somebody else will get in touch.
    """

    language: str
    intents: tuple[IntentResult, ...]
    entities: tuple[EntityResult, ...]
    screened: bool
    model_version: str
    likeness: float | None = None
    telling: tuple[Span, ...] = ()
    is_unfamiliar: bool = False
    announces: bool = False
    sketch: tuple[str, ...] = ()
    shape: str = ""
    words: tuple[str, ...] = ()
    truncated: bool = False
    elapsed_seconds: float = 0.0
