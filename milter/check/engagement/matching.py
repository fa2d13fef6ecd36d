"""Is the writer of this mail the member of a network who turned to our recipient before?

| known by | besides | strength |
|---|---|---|
| a hard hint: the member's own words gave this address, domain, number or handle | – | 2 |
| the full name | one second factor | 2 |
| the name but for what stands between its ends | two second factors (one) | 2 (1) |
| a shorter form of the name, or a notice that shows only the first name | two | 1 |
| a name alone, whichever | – | never |

(tradecraft §2.3.) Second factors are the same organisation, the same rare words, and a text that
says it goes on from a network. Time is none: inside the window is a precondition, and what comes
before a notice does not follow it.

Refuses to ask how common a name is, or where from: the second factor is asked of everybody. Refuses
hints that are our own people's: a member who names the recipient's address gave no hint of his own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from milter.check.engagement.direct_mail import CHECK, DirectMail
from milter.check.engagement.names import Likeness, best_likeness
from milter.check.engagement.organisations import bears_name, same_organisation
from milter.check.engagement.telling import earlier_contact, told
from milter.check.identity import related
from milter.mail.engagement import PlatformContact, Trait, TraitKind, address_trait
from milter.mail.finding import Finding

_SAME_WORDS = 2
_PHONE_DIGITS = 9
_STRENGTHS = {
    (Likeness.FULL, 1): 2,
    (Likeness.FULL, 2): 2,
    (Likeness.PART, 1): 1,
    (Likeness.PART, 2): 2,
    (Likeness.GIVEN, 2): 1,
}
_BY_NAME = {Likeness.FULL: "name", Likeness.PART: "most of the name", Likeness.GIVEN: "first name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A contact that this mail follows, `strength` 2 (strong) or 1, and by what it is known.

    `hint` is the trait that the contact gave and this mail shows, where that decided.
    """

    contact: PlatformContact
    strength: int
    factors: tuple[str, ...]
    hint: Trait | None = None


def best_match(
    mail: DirectMail, contacts: Iterable[PlatformContact], *, window: timedelta
) -> Match | None:
    """The strongest match inside the window; of equals the latest contact."""
    found = [
        match
        for contact in contacts
        if timedelta(0) <= mail.at - contact.origin.at <= window
        and (match := match_contact(mail, contact)) is not None
    ]
    return max(
        found,
        key=lambda each: (
            each.strength,
            each.hint is not None,
            len(each.factors),
            each.contact.origin.at,
            each.contact.origin.event_id,
        ),
        default=None,
    )


def match_contact(mail: DirectMail, contact: PlatformContact) -> Match | None:
    """The match of one contact, whatever its time."""
    if (hint := hard_hint(mail, contact)) is not None:
        return Match(contact=contact, strength=2, factors=(hint.kind.value,), hint=hint)
    alike = name_likeness(mail, contact)
    if alike is Likeness.NONE:
        return None
    factors = tuple(_second_factors(mail, contact))
    strength = _STRENGTHS.get((alike, min(len(factors), 2)))
    if strength is None:
        return None
    return Match(contact=contact, strength=strength, factors=(_BY_NAME[alike], *factors))


def name_likeness(mail: DirectMail, contact: PlatformContact) -> Likeness:
    """How far the writer's name agrees with the member's; a first name is never more than that."""
    alike = best_likeness(mail.writers, contact.persona)
    return min(alike, Likeness.GIVEN) if contact.first_name_only else alike


def hard_hint(mail: DirectMail, contact: PlatformContact) -> Trait | None:
    """What the member's own words gave and this mail shows."""
    return next((hint for hint in contact.hints if _shows(mail, hint)), None)


def follows_finding(mail: DirectMail, match: Match) -> Finding | None:
    """What it says that a mail follows a notice: from the house that the member named, or not.

    None for a sender on a list (administrator's, applicant-tracking services, networks) whom
    authentication vouches for, and for our own people: their domain is no unrelated one.
    """
    contact = match.contact
    said = f"gave {told(match.hint)}" if match.hint else ""
    if contact.organisation and is_of(mail, contact.organisation):
        return Finding(
            code="RELAY_SAME_ORGANISATION",
            check=CHECK,
            evidence=(earlier_contact(contact, f"organisation {contact.organisation}"),),
            note=f"{mail.domain} bears that name; known by " + ", ".join(match.factors),
        )
    if mail.is_aligned and ("KNOWN_SENDER" in mail.codes or is_ours(mail, mail.domain)):
        return None
    return Finding(
        code="RELAY_THEN_DIRECT",
        check=CHECK,
        strength=match.strength,
        evidence=(earlier_contact(contact, said),),
        note="known by " + ", ".join(match.factors),
    )


def is_of(mail: DirectMail, organisation: str) -> bool:
    """Authentication vouches for a domain that bears the organisation's name."""
    return mail.is_aligned and not mail.is_free_mail and bears_name(mail.domain, organisation)


def is_ours(mail: DirectMail, domain: str) -> bool:
    """True for the domain of one of our people to whom this mail goes."""
    return any(related(domain, recipient) for recipient in mail.recipients)


def says_so(mail: DirectMail) -> bool:
    """The text says that a talk goes on that began on a network; of the model that must be plain.

    To have seen a post there is no talk: an old colleague who writes again has seen it.
    """
    if mail.only_saw:
        return False
    return "PLATFORM_CLAIM" in mail.codes or "MODEL_PLATFORM_CLAIM" in mail.plain


def same_trait(one: Trait, other: Trait) -> bool:
    """The same trait; a number also where one is written with and one without its country."""
    if one.kind is not TraitKind.PHONE or other.kind is not TraitKind.PHONE:
        return one == other
    a, b = sorted((_digits(one.value), _digits(other.value)), key=len)
    return a == b or (len(a) >= _PHONE_DIGITS and b.endswith(a))


@lru_cache(maxsize=16384)
def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number)).lstrip("0")


def _shows(mail: DirectMail, hint: Trait) -> bool:
    if hint.kind is TraitKind.ADDRESS:
        if is_ours(mail, hint.value):
            return False
        if hint in map(address_trait, (mail.address, *mail.reply_to)):
            return True
    if hint.kind in (TraitKind.ADDRESS, TraitKind.DOMAIN) and not mail.is_free_mail:
        # An address gives away its domain too, and the sender's is known to be no free mail.
        domain = hint.value.rpartition("@")[2]
        if related(mail.domain, domain) and not is_ours(mail, domain):
            return True
    return any(same_trait(hint, trait) for trait in mail.traits)


def _second_factors(mail: DirectMail, contact: PlatformContact) -> Iterator[str]:
    if contact.organisation and _names_organisation(mail, contact.organisation):
        yield "organisation"
    if len(mail.words.intersection(contact.words)) >= _SAME_WORDS:
        yield "words"
    if says_so(mail):
        yield "says so"


def _names_organisation(mail: DirectMail, organisation: str) -> bool:
    if not mail.is_free_mail and bears_name(mail.domain, organisation):
        return True
    return any(same_organisation(one, organisation) for one in mail.organisations)
