"""What a mail claims of its past or shows to have changed: no trace, moved, handed over, drifted.

Says of a persona known here that it writes from elsewhere, that somebody takes over from it, or
that answers are led elsewhere; and of a claimed talk on a network that nothing of it came here.
What the same house does is nothing: another address of a domain that an earlier mail came from, a
colleague of that domain in the thread, our own people.

Refuses to take a name alone, or a thread alone, for a persona: in an honest thread several people
of several houses write. Notices may be switched off or go to another address; the note says so.

Standards: RFC 5322 §3.6.4 (References), §3.6.2 (Reply-To).
Failure: none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from milter.check.engagement.direct_mail import CHECK, OF_ONE_PERSON, DirectMail
from milter.check.engagement.matching import (
    Match,
    hard_hint,
    is_of,
    is_ours,
    name_likeness,
    same_trait,
    says_so,
)
from milter.check.engagement.names import Likeness, best_likeness, is_whole_name
from milter.check.engagement.organisations import same_organisation
from milter.check.engagement.stages import stage_of
from milter.check.engagement.telling import earlier_mail, told
from milter.check.identity import related
from milter.mail.engagement import (
    Conduct,
    Dossier,
    PlatformContact,
    Stage,
    address_trait,
)
from milter.mail.finding import Finding

NOTICES_ARRIVE = timedelta(days=90)
ANNOUNCED_FOR = timedelta(days=60)
_MOST_EARLIER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One recipient's dossier as this mail may be compared with: inside the windows, not later."""

    contacts: tuple[PlatformContact, ...] = ()
    notices: tuple[PlatformContact, ...] = ()
    conduct: tuple[Conduct, ...] = ()
    match: Match | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An earlier mail and what ties this one to it."""

    conduct: Conduct
    said: str
    strength: int = 2


def claim_findings(
    mail: DirectMail,
    dossiers: Iterable[Dossier],
    matches: Mapping[str, Match],
    *,
    contact_window: timedelta,
    engagement_window: timedelta,
) -> Iterator[Finding]:
    """All that a mail claims or changes, over the dossiers of its recipients."""
    pasts = [
        _past(mail, dossier, matches.get(dossier.recipient), contact_window, engagement_window)
        for dossier in dossiers
    ]
    yield from _without_trace(mail, pasts, contact_window)
    if is_ours(mail, mail.domain):
        return
    moved = _strongest(told for past in pasts for told in _moved(mail, past))
    if moved is not None:
        yield _finding("PERSONA_MOVED", moved)
    else:
        handed = _strongest(told for past in pasts for told in _handed_over(mail, past))
        if handed is not None:
            yield _finding("PERSONA_HANDED_OVER", handed)
    drifted = _strongest(told for past in pasts for told in _drifted(mail, past))
    if drifted is not None:
        yield _finding("REPLY_TO_DRIFT", drifted)


def awaits_somebody(mail: DirectMail, dossiers: Iterable[Dossier]) -> bool:
    """A persona announced somebody to a recipient of late, and here a stranger writes."""
    if mail.is_bulk or is_ours(mail, mail.domain):
        return False
    for dossier in dossiers:
        conduct = [event for event in dossier.events if isinstance(event, Conduct)]
        if any(one.address == mail.address for one in conduct):
            continue
        if any(_announced(mail, one) and _is_elsewhere(mail, one) for one in conduct):
            return True
    return False


def _announced(mail: DirectMail, conduct: Conduct) -> bool:
    return conduct.announces and timedelta(0) <= mail.at - conduct.origin.at <= ANNOUNCED_FOR


def _past(
    mail: DirectMail,
    dossier: Dossier,
    match: Match | None,
    contact_window: timedelta,
    engagement_window: timedelta,
) -> Past:
    notices, conduct = [], []
    for event in dossier.events:
        age = mail.at - event.origin.at
        if age < timedelta(0):
            continue
        if isinstance(event, PlatformContact) and age <= max(contact_window, NOTICES_ARRIVE):
            notices.append(event)
        elif isinstance(event, Conduct) and age <= engagement_window:
            conduct.append(event)
    return Past(
        contacts=tuple(one for one in notices if mail.at - one.origin.at <= contact_window),
        notices=tuple(notices),
        # The newest: what a flood of mails could cost is bounded.
        conduct=tuple(conduct[-_MOST_EARLIER:]),
        match=match,
    )


def _without_trace(
    mail: DirectMail, pasts: list[Past], contact_window: timedelta
) -> Iterator[Finding]:
    if not pasts or not says_so(mail) or any(past.match for past in pasts):
        return
    if any(_may_be(mail, contact) for past in pasts for contact in past.contacts):
        return
    if any(one.address == mail.address and one.follows for past in pasts for one in past.conduct):
        return  # an earlier mail of this talk was matched, when the notice was younger
    arrive = any(past.notices for past in pasts)
    usual = "others arrive" if arrive else "none arrived of late: they may be switched off"
    yield Finding(
        code="CLAIM_WITHOUT_TRACE",
        check=CHECK,
        strength=2 if arrive else 1,
        note=f"no notice of a network in {contact_window.days} days fits; {usual}",
    )


def _may_be(mail: DirectMail, contact: PlatformContact) -> bool:
    """The claim may be of this contact: by name, hint, first name, or one that shows no name."""
    return (
        not contact.persona
        or hard_hint(mail, contact) is not None
        or name_likeness(mail, contact) is not Likeness.NONE
    )


def _moved(mail: DirectMail, past: Past) -> Iterator[_Told]:
    """The same persona by a trait, by the contact it follows, or by name in the same thread."""
    for conduct in past.conduct:
        if not _is_elsewhere(mail, conduct):
            continue
        if (by := _tie(mail, past, conduct)) is not None:
            yield _Told(conduct=conduct, said=by)
        elif _in_thread(mail, conduct):
            alike = best_likeness(mail.writers, conduct.persona)
            if alike is not Likeness.NONE:
                whole = alike is not Likeness.GIVEN
                yield _Told(
                    conduct=conduct, said="same name, same thread", strength=2 if whole else 1
                )


def _tie(mail: DirectMail, past: Past, conduct: Conduct) -> str | None:
    """What makes the writer the earlier persona, whatever name is shown."""
    for trait in conduct.traits:
        if trait == address_trait(mail.address):
            return "gave this address"
        if trait.kind in OF_ONE_PERSON and any(same_trait(trait, one) for one in mail.traits):
            return f"gave {told(trait)}"
    if mail.address in conduct.reply_to:
        return "Reply-To this address"
    followed = past.match
    if followed and followed.strength > 1 and followed.contact.origin.event_id in conduct.follows:
        return f"followed the same contact on {followed.contact.platform}"
    return None


def _handed_over(mail: DirectMail, past: Past) -> Iterator[_Told]:
    """Somebody else, who names the earlier persona, or whom it announced."""
    if any(one.address == mail.address for one in past.conduct):
        return
    for conduct in past.conduct:
        if not _is_elsewhere(mail, conduct) or best_likeness(mail.writers, conduct.persona):
            continue
        announced = _announced(mail, conduct)
        if _names(mail, conduct):
            said = "announced somebody, is named here" if announced else "is named here"
            plain = announced or _in_thread(mail, conduct)
            yield _Told(conduct=conduct, said=said, strength=2 if plain else 1)
        elif announced and _in_thread(mail, conduct):
            yield _Told(conduct=conduct, said="announced somebody, same thread")
        elif announced and stage_of(mail.plain) >= Stage.MOVE:
            yield _Told(conduct=conduct, said="announced somebody", strength=1)


def _drifted(mail: DirectMail, past: Past) -> Iterator[_Told]:
    """Answers to this address went to one place so far, and to another domain now."""
    earlier = [one for one in past.conduct if one.address == mail.address]
    if not earlier or mail.is_bulk:
        return
    used = {address for one in earlier for address in (one.address, *one.reply_to)}
    homes = {address.rpartition("@")[2] for address in used}
    if mail.is_free_mail:
        homes.discard(mail.domain)
    for target in mail.reply_to:
        strange = target not in used and not any(related(target, home) for home in homes)
        if strange and not is_ours(mail, target):
            yield _Told(conduct=earlier[-1], said=f"answers went to {sorted(used)[0]}")


def _is_elsewhere(mail: DirectMail, conduct: Conduct) -> bool:
    """Another address, and not of the same house: by domain, or by the name that it bears."""
    if conduct.address == mail.address:
        return False
    free = conduct.is_free_mail or mail.is_free_mail
    if not free and related(conduct.address, mail.domain):
        return False
    return not (conduct.organisation and is_of(mail, conduct.organisation))


def _in_thread(mail: DirectMail, conduct: Conduct) -> bool:
    known = {conduct.origin.message_id, *conduct.references} - {""}
    return bool(known.intersection(mail.references))


def _names(mail: DirectMail, conduct: Conduct) -> bool:
    """The text names the earlier persona in full, or by a first name with the house of both."""
    if not is_whole_name(conduct.persona):
        return False
    spoken_of = [name for name in mail.names if name not in mail.writers]
    alike = best_likeness(spoken_of, conduct.persona)
    if alike is Likeness.GIVEN and conduct.organisation:
        return any(same_organisation(one, conduct.organisation) for one in mail.organisations)
    return alike > Likeness.GIVEN


def _strongest(found: Iterable[_Told]) -> _Told | None:
    """The strongest, of equals the latest."""
    return max(found, key=lambda one: (one.strength, one.conduct.origin.at), default=None)


def _finding(code: str, told_of: _Told) -> Finding:
    return Finding(
        code=code,
        check=CHECK,
        strength=told_of.strength,
        evidence=(earlier_mail(told_of.conduct, told_of.said),),
        note=f"earlier mail {told_of.said}",
    )
