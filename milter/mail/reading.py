"""What a reader found in a message: the only thing the rest of the gateway knows of its content.

A `Reading` crosses a process border as a checked frame; so it holds only strings, numbers, bytes,
enums and tuples of such values. It may come from a captured reader: whoever uses it treats every
span as a claim and checks it against the raw bytes (`act` does).

Standards: part paths are IMAP section numbers (RFC 9051 §6.4.5), '' for the header.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from milter.mail.analysis import Analysis
from milter.mail.dns import Answer, Question
from milter.mail.finding import CheckOutcome, Source


class Defect(StrEnum):
    """What is wrong with the form of a message; never guilt, always counted."""

    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_MANY_FIELDS = "too_many_fields"
    HEADER_TOO_LARGE = "header_too_large"
    JUNK_LINE_IN_HEADER = "junk_line_in_header"
    MISSING_BOUNDARY = "missing_boundary"
    UNTERMINATED_MULTIPART = "unterminated_multipart"
    EMPTY_MULTIPART = "empty_multipart"
    BAD_TRANSFER_ENCODING = "bad_transfer_encoding"
    UNKNOWN_TRANSFER_ENCODING = "unknown_transfer_encoding"
    UNKNOWN_CHARSET = "unknown_charset"
    CHARSET_MISMATCH = "charset_mismatch"
    NUL_OCTET = "nul_octet"
    BARE_LINE_END = "bare_line_end"
    DUPLICATE_FIELD = "duplicate_field"
    HTML_NOT_ANALYSED = "html_not_analysed"
    TEXT_TRUNCATED = "text_truncated"


class Protection(StrEnum):
    """Cryptographic protection of the whole message or of a part (RFC 8551, RFC 3156, RFC 4880)."""

    NONE = "none"
    SIGNED = "signed"
    ENCRYPTED = "encrypted"
    INLINE_PGP = "inline_pgp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One leaf or container of the MIME tree; spans are offsets into the raw message.

    `start` is the first octet of the part's header (of the whole message for the root),
    `body_start`..`body_end` its body as transferred, without the line end that belongs to the
    following delimiter. `digest` is the SHA-256 of those octets (leaves only).
    """

    path: str
    media_type: str
    charset: str
    encoding: str
    disposition: str
    filename: str
    start: int
    body_start: int
    body_end: int
    digest: str = ""
    protection: Protection = Protection.NONE
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of decoded text of one source.

    `base` is the offset (code points, LF line ends) of this run in the decoded text of its part,
    so that evidence offsets always count in the part's decoded text.
    """

    source: Source
    part: str
    text: str
    base: int = 0


class Link(NamedTuple):
    """A link as written: target and the text shown for it; never fetched.

    A tuple: newsletters have a hundred of them, and a frozen dataclass takes three times as long to
    make.
    """

    target: str
    shown: str
    part: str
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMailbox:
    """A display name with an addr-spec from an address header; `domain` is '' if unparsable."""

    display_name: str
    address: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """The header fields that checks ask about, decoded (RFC 2047) and bounded."""

    header_from: tuple[NamedMailbox, ...] = ()
    reply_to: tuple[NamedMailbox, ...] = ()
    to: tuple[NamedMailbox, ...] = ()
    subject: str = ""
    message_id: str = ""
    date: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    list_id: str = ""
    is_bulk: bool = False
    is_automatic: bool = False
    received_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSignature:
    """A DKIM signature in a network's name: whether it passes is said elsewhere.

    `beginning` are the first eight characters of b= (RFC 6008 §4). `covers` are the header fields
    (lower case) that it signs and that stand once.
    """

    domain: str
    selector: str
    beginning: str
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformNotice:
    """What a message says that has the form of a professional network's notification.

    Claims until `check.engagement.contacts` has seen a signature of one of `signing_domains` over
    `relies_on` (field names in lower case). `domain` is that of header-from, `is_from_platform`
    True if it is the network's. `to` are the addresses of the To field alone. `answers_on_platform`
    is True if Reply-To is missing or leads to `own_domains`. `is_form_checked`: the form was
    compared with genuine notices. `kind` is message, inmail, invitation, application, or other (no
    contact of a person). `thread` is the network's own id of the talk, `words_start`..`words_end`
    the member's own words in the decoded text of `words_part`.
    """

    platform: str
    domain: str
    kind: str
    template: str = ""
    persona: str = ""
    first_name_only: bool = False
    organisation: str = ""
    role: str = ""
    thread: str = ""
    relies_on: tuple[str, ...] = ()
    is_from_platform: bool = True
    is_form_checked: bool = False
    own_domains: tuple[str, ...] = ()
    signing_domains: tuple[str, ...] = ()
    signatures: tuple[NoticeSignature, ...] = ()
    to: tuple[str, ...] = ()
    answers_on_platform: bool = True
    words_part: str = ""
    words_start: int = 0
    words_end: int = 0

    @property
    def is_of_person(self) -> bool:
        """Does a member turn to the recipient?"""
        return self.kind in ("message", "inmail", "invitation", "application")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthResult:
    """One resinfo of a believed Authentication-Results field (RFC 8601 §2.2)."""

    method: str
    result: str
    authserv_id: str
    reason: str = ""
    properties: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSet:
    """One hop of an ARC chain: who sealed it, and what it recorded of the mail that it got.

    `domain` is the d= of the seal, `authserv_id` and `results` stand in its
    ARC-Authentication-Results. Nothing of it is true unless the chain passes and the sealer is one
    to be trusted.
    """

    instance: int
    domain: str
    authserv_id: str = ""
    results: tuple[AuthResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcChain:
    """The Authenticated Received Chain of a message as it came (RFC 8617 §5.2).

    `result` is none, pass or fail; every failure is for good (§5.2.1), `is_temporary` only says
    that a key could not be asked for; `is_closed` that the last sealer had found it broken before.
    `sets` are in the order of their instances, the first hop first, and are empty where the chain
    has no form. `instances` is the highest instance that any ARC field names, also in a broken one.
    """

    result: str = "none"
    reason: str = ""
    is_temporary: bool = False
    is_closed: bool = False
    instances: int = 0
    sets: tuple[ArcSet, ...] = ()

    @property
    def sealers(self) -> tuple[str, ...]:
        """The domains of all seals, the first hop first."""
        return tuple(one.domain for one in self.sets)

    @property
    def newest_results(self) -> tuple[AuthResult, ...]:
        """What the last sealer recorded."""
        return self.sets[-1].results if self.sets else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSite:
    """Where a banner may go into one part; spans are offsets into the raw message.

    `kind` is text or html. `encoding` is 7bit, 8bit, binary, quoted-printable or base64; `charset`
    the part's label in lower case, us-ascii where there is none. `body_start`..`body_end` is the
    part's body, `insert_at` the raw offset for the banner (for base64: an offset into the decoded
    octets); `header_end` is where a new field can be added.
    """

    part: str
    kind: str
    encoding: str
    charset: str
    body_start: int
    body_end: int
    insert_at: int
    header_end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a reader needs to know beside the bytes.

    `trusted_authserv_ids` are lower-case glob patterns, empty in role mx; `own_authserv_id` marks
    forged fields. `own_domains` are the organisation's domains (A-labels). `banner_key` lets the
    reader recognise our own banner. `wants_text` asks for the segments themselves (scan, explain);
    a front does without them. `lines_checked`: every line is known to end with CRLF.
    `read_in_full`: the language is read whatever the screen says. `verify_signatures` asks for
    DKIM and ARC; `key_answers` are the answers to `authentication.signatures.key_questions`,
    `unix_time` is when the message came (0: no signature has expired).
    """

    role: str = "file"
    own_authserv_id: str = ""
    trusted_authserv_ids: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()
    client_name: str = ""
    banner_key: bytes = b""
    wants_text: bool = False
    text_only: bool = False
    lines_checked: bool = False
    read_in_full: bool = False
    verify_signatures: bool = False
    key_answers: tuple[tuple[Question, Answer], ...] = ()
    unix_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one examination gives.

    `screened` is True if the full language stage ran. `protection` is that of the whole message.
    `unsafe_to_edit` says in one word why no banner may go in ('' if it may).
    `uninspected` names parts that could not be looked into: no guilt, but said.
    `dkim` has one result a signature, or one that says none; it is empty and `arc` is None where
    signatures were not verified. Their authserv_id is '': they are ours.
    """

    size_bytes: int
    header: HeaderFacts
    parts: tuple[Part, ...] = ()
    protection: Protection = Protection.NONE
    defects: tuple[Defect, ...] = ()
    uninspected: tuple[str, ...] = ()
    edit_sites: tuple[EditSite, ...] = ()
    unsafe_to_edit: str = ""
    auth_results: tuple[AuthResult, ...] = ()
    forged_auth_fields: int = 0
    dkim: tuple[AuthResult, ...] = ()
    arc: ArcChain | None = None
    link_hosts: tuple[str, ...] = ()
    notice: PlatformNotice | None = None
    segments: tuple[Segment, ...] = ()
    analysis: Analysis | None = None
    outcomes: tuple[CheckOutcome, ...] = ()
    screened: bool = False
    text_only: bool = False
    elapsed_seconds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityReport:
    """The re-scan of an edited message: is everything outside the edit what it was?

    `problem` is '' when it is; else one word for the mail log and the metric.
    """

    problem: str = ""
    parts: int = 0
    edited_parts: tuple[str, ...] = ()
    detail: str = field(default="")
