"""An organisation that our people have long written to, and a talk that the recipient began.

A reply from our side never lowers the weight of a change of channel or of an inside request: that
rule stands in the weight table (`yields_to`), not here.
"""

from datetime import datetime, timedelta

from milter.check.engagement.direct_mail import CHECK, DirectMail
from milter.mail.engagement import Recollection, TraitKind, address_trait
from milter.mail.finding import Finding

KNOWN_AFTER = timedelta(days=90)
KNOWN_WITH_WRITERS = 3


def standing(mail: DirectMail, recalled: Recollection) -> tuple[Finding, ...]:
    """KNOWN_ORGANISATION by history (design §6), TWO_WAY_THREAD if a recipient wrote first."""
    findings = []
    if _is_known(mail, recalled):
        findings.append(Finding(code="KNOWN_ORGANISATION", check=CHECK, note="by history"))
    if (first := _wrote_first(mail, recalled)) is not None:
        note = f"wrote to this address on {first:%Y-%m-%d}"
        findings.append(Finding(code="TWO_WAY_THREAD", check=CHECK, note=note))
    return tuple(findings)


def is_known_organisation(mail: DirectMail, recalled: Recollection) -> bool:
    """Whether the sender's organisation is on the administrator's list, or known by history."""
    return "KNOWN_ORGANISATION" in mail.codes or _is_known(mail, recalled)


def _is_known(mail: DirectMail, recalled: Recollection) -> bool:
    if mail.is_free_mail:
        return False
    ours = [
        seen
        for trail in recalled.trails
        if trail.trait.kind in (TraitKind.WROTE, TraitKind.ANSWERED)
        and trail.trait.value == "@" + mail.domain
        for seen in trail.seen
    ]
    writers = {seen.recipient for seen in ours}
    return len(writers) >= KNOWN_WITH_WRITERS and any(
        mail.at - seen.first.at >= KNOWN_AFTER for seen in ours
    )


def _wrote_first(mail: DirectMail, recalled: Recollection) -> datetime | None:
    """When a recipient of this mail wrote to its sender, unprompted and before anything came."""
    wrote = [
        seen.first.at
        for trail in recalled.trails
        if trail.trait.kind is TraitKind.WROTE and trail.trait.value == mail.address
        for seen in trail.seen
        if seen.recipient in mail.recipients
    ]
    if not wrote:
        return None
    came = [
        seen.first.at
        for trail in recalled.trails
        if trail.trait == address_trait(mail.address)
        for seen in trail.seen
        if seen.recipient in mail.recipients
    ]
    first = min(wrote)
    return first if not came or first < min(came) else None
