"""Disposition to edits: which fields, which banner, where; and the two steps in one call.

`plan_edits` decides, `render` makes, `act_on` does both and proves with `integrity` that nothing
else changed. In observe mode only forged fields go, and our own come if configured. Signed and
encrypted mail gets fields only (design rule 11). Refuses to look into a body: what is known of it
comes from a `Reading`, and every place it names is checked in `sites`.

**Standards:** RFC 8601 §5 (forged fields go in every mode).
**Failure:** headers only where a banner cannot be put or proved; `Acted.problem` says so.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from milter.act.banner import Banner, banner_level, banner_reasons, make_banner
from milter.act.banner_texts import BannerTexts
from milter.act.headers import forged_fields, results_field, tag_subject, verdict_fields
from milter.act.integrity import Untouched, outside_edits_identical, untouched_spans
from milter.act.render import EditPlan, Rendered, render
from milter.act.seal import SealOptions, seal_message
from milter.mail.edit import (
    BannerOutcome,
    Edit,
    PartOutcome,
    RemoveField,
    ReplaceField,
    SealOutcome,
)
from milter.mail.marker import banner_token
from milter.mail.message import Header, scan_header
from milter.mail.reading import AuthResult, Protection, Reading
from milter.mail.verdict import Action, Disposition, Mode, Verdict

_PROTECTED = {
    Protection.SIGNED: BannerOutcome.SIGNED,
    Protection.ENCRYPTED: BannerOutcome.ENCRYPTED,
    Protection.INLINE_PGP: BannerOutcome.INLINE_PGP,
}
# The words of `Reading.unsafe_to_edit`; it comes from a reader, so nothing else becomes a label.
_UNSAFE = {
    "signed": BannerOutcome.SIGNED,
    "encrypted": BannerOutcome.ENCRYPTED,
    "inline_pgp": BannerOutcome.INLINE_PGP,
    "malformed": BannerOutcome.MALFORMED,
    "charset": BannerOutcome.CHARSET,
    "encoding": BannerOutcome.BAD_ENCODING,
    "too_large": BannerOutcome.TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOptions:
    """What acting is told once, from settings.

    `contact` is who to ask, as people read it; `report_url` the only link a banner may carry; both
    may be ''. `own_authserv_id` marks forged Authentication-Results. `seal`: how ARC is sealed, if
    it is.
    """

    mode: Mode
    texts: BannerTexts
    banner_key: bytes = field(repr=False)
    own_authserv_id: str = ""
    banner: bool = True
    subject_tag: str = ""
    contact: str = ""
    report_url: str = ""
    observe_header: bool = False
    seal: SealOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """A message as it leaves, how it became so, and what was wrong on the way ('' if nothing)."""

    original: bytes = field(repr=False)
    plan: EditPlan
    rendered: Rendered
    problem: str = ""
    seal: SealOutcome = SealOutcome.NOT_WANTED

    @property
    def raw(self) -> bytes:
        """The octets for the next hop."""
        return self.rendered.raw

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The same as edits, for a milter front."""
        return self.rendered.edits

    @property
    def edits_body(self) -> bool:
        """True if a second proof by a reader is due."""
        return self.rendered.edits_body

    @property
    def banner(self) -> BannerOutcome:
        """What became of the banner."""
        return self.rendered.banner

    @property
    def parts(self) -> tuple[PartOutcome, ...]:
        """What became of it per part."""
        return self.rendered.parts

    @property
    def untouched(self) -> tuple[Untouched, ...]:
        """What no edit names, with hashes, for whoever wants to prove it again; made when asked."""
        return untouched_spans(self.original, self.rendered.edits)

    @property
    def forged_fields(self) -> int:
        """How many fields that claimed to be ours were removed."""
        return sum(isinstance(edit, RemoveField) for edit in self.rendered.edits)

    def headers_only(self, problem: str) -> "Acted":
        """The same message without a banner, because the edit could not be proved."""
        plan = self.plan.without_banner(BannerOutcome.INTEGRITY)
        rendered = render(self.original, plan)
        return Acted(original=self.original, plan=plan, rendered=rendered, problem=problem)

    def sealed(
        self,
        options: ActOptions,
        *,
        reading: Reading | None,
        verified: tuple[AuthResult, ...] | None,
        received_at: datetime,
    ) -> "Acted":
        """The same message with an ARC seal, where one is configured and can be given."""
        if options.seal is None or options.mode is Mode.OBSERVE:
            return self
        rendered, outcome = seal_message(
            self.original,
            self.rendered,
            options=options.seal,
            authserv_id=options.own_authserv_id,
            reading=reading,
            verified=verified,
            received_at=received_at,
            line_end=self.plan.line_end,
        )
        return replace(self, rendered=rendered, seal=outcome)


def act_on(
    raw: bytes,
    *,
    reading: Reading | None,
    verdict: Verdict,
    disposition: Disposition,
    transaction_id: str,
    reasons: tuple[str, ...],
    options: ActOptions,
    verified: tuple[AuthResult, ...] | None = None,
) -> Acted:
    """Plan, render and prove; `reading` is None where no reader could examine the message.

    `verified` are results of our own; None where we did not verify.
    """
    plan = plan_edits(
        raw,
        reading=reading,
        verdict=verdict,
        disposition=disposition,
        transaction_id=transaction_id,
        reasons=reasons,
        options=options,
        verified=verified,
    )
    rendered = render(raw, plan)
    acted = Acted(original=raw, plan=plan, rendered=rendered)
    if not outside_edits_identical(raw, rendered.raw, rendered.edits):
        return acted.headers_only("octets outside the edits differ")
    return acted


def plan_edits(
    raw: bytes,
    *,
    reading: Reading | None,
    verdict: Verdict,
    disposition: Disposition,
    transaction_id: str,
    reasons: tuple[str, ...],
    options: ActOptions,
    verified: tuple[AuthResult, ...] | None = None,
) -> EditPlan:
    """What is to be done with the message for the recipients of one disposition."""
    header = scan_header(raw)
    line_end = _line_end(raw)
    removed = forged_fields(raw, header, options.own_authserv_id)
    observes = options.mode is Mode.OBSERVE
    if observes and not options.observe_header:
        return EditPlan(header=header, line_end=line_end, field_edits=removed)
    fields = verdict_fields(
        verdict,
        transaction_id=transaction_id,
        action=disposition.action,
        mode=options.mode,
        reasons=reasons,
    )
    if verified is not None and options.own_authserv_id:
        # On top, where the next server of the house looks first.
        fields = (results_field(options.own_authserv_id, verified), *fields)
    # What is held or refused leaves annotated if it is ever released.
    if observes or disposition.action in (Action.DELIVER, Action.DEFER):
        return EditPlan(
            header=header,
            line_end=line_end,
            fields=fields,
            names_integrity=True,
            field_edits=removed,
        )
    subject = reading.header.subject if reading else ""
    tags = _subject_edits(raw, header, subject, line_end, options)
    no_banner = _why_no_banner(reading, options)
    return EditPlan(
        header=header,
        line_end=line_end,
        fields=fields,
        names_integrity=True,
        field_edits=(*removed, *tags),
        banner=None if no_banner else banner_for(reading, verdict, disposition, options),
        sites=reading.edit_sites if reading else (),
        no_banner=no_banner or BannerOutcome.NO_SITE,
    )


def _line_end(raw: bytes) -> bytes:
    """The line end of the message: CRLF on the wire, what its first line has in a file."""
    first = raw.find(b"\n")
    return b"\n" if first >= 0 and raw[first - 1 : first] != b"\r" else b"\r\n"


def _subject_edits(
    raw: bytes, header: Header, subject: str, line_end: bytes, options: ActOptions
) -> tuple[ReplaceField, ...]:
    if not options.subject_tag:
        return ()
    return tag_subject(raw, header, options.subject_tag, subject, line_end)


def _why_no_banner(reading: Reading | None, options: ActOptions) -> BannerOutcome | None:
    if not options.banner:
        return BannerOutcome.NOT_WANTED
    if reading is None:
        return BannerOutcome.NOT_EXAMINED
    if reading.edit_sites:
        # A signed or encrypted part elsewhere, a sham one too, keeps its octets all the same.
        return None
    if reading.protection is not Protection.NONE:
        return _PROTECTED[reading.protection]
    return _UNSAFE.get(reading.unsafe_to_edit, BannerOutcome.NO_SITE)


def banner_for(
    reading: Reading | None, verdict: Verdict, disposition: Disposition, options: ActOptions
) -> Banner:
    """The banner for the recipients of one disposition, wherever it is shown."""
    analysis = reading.analysis if reading else None
    return make_banner(
        level=banner_level(verdict, disposition.action),
        language=disposition.banner_language,
        reasons=banner_reasons(verdict, analysis, options.texts),
        texts=options.texts,
        contact=options.contact,
        report_url=options.report_url,
        sign=partial(banner_token, options.banner_key),
    )
