"""An edit plan to edits and new octets: byte splices into the original, never re-serialisation.

The edits are the result, the octets follow from them; a milter front sends the same edits as
commands. Refuses every banner that cannot be put exactly: that part keeps its octets and the
outcome says why. What to do was decided in `plan`.

**Standards:** as `headers`, `sites`, `insert` and `transfer`.
**Failure:** none for content; edits that contradict each other cost the banner, not the mail.
"""

from dataclasses import dataclass, replace

from milter.act.banner import Banner
from milter.act.headers import insert_fields
from milter.act.insert import Insertion, insert_html, insert_text
from milter.act.sites import check_site
from milter.mail.edit import (
    BannerOutcome,
    Edit,
    EditError,
    PartOutcome,
    RemoveField,
    ReplaceField,
    apply_edits,
)
from milter.mail.message import Header
from milter.mail.reading import EditSite

_MOST_SITES = 32
_INTEGRITY_FIELD = "X-Lurewall-Integrity"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPlan:
    """What is to be done with one message.

    `fields` go on top, followed by one about integrity if `names_integrity`. `banner` is None where
    none is wanted or possible, and `no_banner` says why.
    """

    header: Header
    line_end: bytes
    fields: tuple[tuple[str, str], ...] = ()
    names_integrity: bool = False
    field_edits: tuple[RemoveField | ReplaceField, ...] = ()
    banner: Banner | None = None
    sites: tuple[EditSite, ...] = ()
    no_banner: BannerOutcome = BannerOutcome.NOT_WANTED

    def without_banner(self, reason: BannerOutcome) -> "EditPlan":
        """The same plan, headers only."""
        return replace(self, banner=None, sites=(), no_banner=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The new octets and the edits that made them, in the order of their offsets.

    `banner` is the outcome for the message: the best of its parts, or why no part was asked.
    """

    raw: bytes
    edits: tuple[Edit, ...]
    banner: BannerOutcome
    parts: tuple[PartOutcome, ...] = ()

    @property
    def edits_body(self) -> bool:
        """True if a banner went into some part."""
        return any(part.outcome.is_edit for part in self.parts)


def render(raw: bytes, plan: EditPlan) -> Rendered:
    """Make the edits of the plan."""
    body_edits, parts = _banner_edits(raw, plan)
    banner = _message_outcome(plan, parts)
    fields = plan.fields
    if plan.names_integrity:
        fields = (*fields, (_INTEGRITY_FIELD, _integrity(banner, parts)))
    edits: list[Edit] = [*insert_fields(fields, raw, plan.line_end), *plan.field_edits, *body_edits]
    edits.sort(key=lambda edit: edit.splice.start)
    try:
        edited = apply_edits(raw, edits)
    except EditError:
        # Two claims of a reader that overlap; without its claims the header edits always fit.
        if plan.banner is None:
            raise
        return render(raw, plan.without_banner(BannerOutcome.SITE_DOUBTFUL))
    return Rendered(
        raw=edited,
        edits=tuple(edits),
        banner=banner,
        parts=parts,
    )


def _banner_edits(raw: bytes, plan: EditPlan) -> tuple[list[Edit], tuple[PartOutcome, ...]]:
    edits: list[Edit] = []
    outcomes: dict[int, PartOutcome] = {}
    for claim in plan.sites[:_MOST_SITES] if plan.banner else ():
        if claim.body_start in outcomes:
            continue
        # A mail program shows one of several versions, and that one has to have it.
        insertion = _insert(raw, plan, claim)
        edits += insertion.edits
        outcomes[claim.body_start] = PartOutcome(
            part=claim.part, kind=claim.kind, outcome=insertion.outcome
        )
    return edits, tuple(outcomes.values())


def _insert(raw: bytes, plan: EditPlan, claim: EditSite) -> Insertion:
    site = check_site(raw, plan.header, claim)
    if isinstance(site, BannerOutcome) or plan.banner is None:
        outcome = site if isinstance(site, BannerOutcome) else plan.no_banner
        return Insertion(outcome=outcome)
    if site.kind == "html":
        return insert_html(raw, site, plan.banner.html)
    return insert_text(raw, site, plan.banner.texts)


def _message_outcome(plan: EditPlan, parts: tuple[PartOutcome, ...]) -> BannerOutcome:
    if plan.banner is None:
        return plan.no_banner
    if not parts:
        return BannerOutcome.NO_SITE
    edited = [part.outcome for part in parts if part.outcome.is_edit]
    return edited[0] if edited else parts[0].outcome


def _integrity(banner: BannerOutcome, parts: tuple[PartOutcome, ...]) -> str:
    """What leaves is proved before it leaves: where the proof fails, another rendering does."""
    edited = ",".join(part.part or "-" for part in parts if part.outcome.is_edit)
    body = f"edited; parts={edited}" if edited else "untouched"
    return f"body={body}; banner={banner}"
