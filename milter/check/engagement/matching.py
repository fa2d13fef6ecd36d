"""Is the writer of this mail the member of a network who turned to our recipient before?

A hard hint (the member's own words gave this address, domain, number or handle) decides; a full
name needs a second factor, a first name two; a name alone is never a match, and neither is time:
inside the window is a precondition (tradecraft §2.3). Second factors are the same organisation,
the same words of a project, and a text that says it goes on from there.

Refuses to ask how common a name is, or where from: the second factor is asked of everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from milter.check.engagement.direct_mail import DirectMail
from milter.check.engagement.names import Likeness, likeness
from milter.mail.engagement import PlatformContact, Trait, TraitKind

_SAME_WORDS = 2
_CONTINUES = frozenset({"PLATFORM_CLAIM", "MODEL_PLATFORM_CLAIM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A contact that this mail follows, `strength` 2 (strong) or 1, and by what it is known."""

    contact: PlatformContact
    strength: int
    factors: tuple[str, ...]


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
        key=lambda each: (each.strength, len(each.factors), each.contact.origin.at),
        default=None,
    )


def match_contact(mail: DirectMail, contact: PlatformContact) -> Match | None:
    """The match of one contact, whatever its time."""
    if hint := _hard_hint(mail, contact):
        return Match(contact=contact, strength=2, factors=(hint,))
    alike = max((likeness(name, contact.persona) for name in mail.names), default=Likeness.NONE)
    if contact.first_name_only:
        alike = min(alike, Likeness.GIVEN)
    factors = tuple(_second_factors(mail, contact))
    if alike is Likeness.FULL and factors:
        return Match(contact=contact, strength=2, factors=("name", *factors))
    if alike is Likeness.GIVEN and len(factors) > 1:
        return Match(contact=contact, strength=1, factors=("first name", *factors))
    return None


def _hard_hint(mail: DirectMail, contact: PlatformContact) -> str:
    own = {Trait(TraitKind.ADDRESS, one) for one in (mail.address, *mail.reply_to)}
    if not mail.is_free_mail:
        own.add(Trait(TraitKind.DOMAIN, mail.domain))
    for hint in contact.hints:
        if hint in own or hint in mail.traits:
            return hint.kind.value
    return ""


def _second_factors(mail: DirectMail, contact: PlatformContact) -> Iterable[str]:
    if contact.organisation and any(
        one.casefold() == contact.organisation.casefold() for one in mail.organisations
    ):
        yield "organisation"
    if len(mail.words.intersection(contact.words)) >= _SAME_WORDS:
        yield "words"
    if mail.codes & _CONTINUES:
        yield "says so"
