"""The same handle, number or account with others; the same persona with others of our people.

A persona's own earlier mails never count against it, nor do colleagues of one organisation that
share a switchboard. Who of ours was written to is counted, never named. Refuses to follow a persona
that changed its address and kept its name (`claims`), and texts (`campaigns`).

Failure: none; without trails nothing is found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from milter.check.engagement.direct_mail import CHECK, TO_REACH, DirectMail
from milter.check.engagement.names import Likeness, likeness
from milter.check.engagement.telling import history
from milter.check.identity import related
from milter.mail.engagement import (
    Conduct,
    Origin,
    Recollection,
    Seen,
    Trait,
    TraitKind,
    address_trait,
)
from milter.mail.finding import Finding

_SEVERAL, _MANY = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """How many others of our people got how many messages, and the first of these."""

    people: int
    first: Origin

    @property
    def strength(self) -> int:
        """2 for many, 1 for several, else 0."""
        return 2 if self.people >= _MANY else 1 if self.people >= _SEVERAL else 0

    @property
    def since(self) -> str:
        """For a note: how many, and since when."""
        return f"{self.people} others of our people since {self.first.at:%Y-%m-%d}"


def audience(mail: DirectMail, seen: Iterable[Seen], *, event_id: str) -> Audience | None:
    """Who else got such mail, by other messages than this one.

    One message to a group is one: it takes two to turn to people one by one.
    """
    others = [
        one
        for one in seen
        if one.recipient and one.recipient not in mail.recipients and one.first.event_id != event_id
    ]
    if not others:
        return None
    people = {one.recipient for one in others}
    messages = {one.first.event_id for one in others}
    first = min((one.first for one in others), key=lambda origin: (origin.at, origin.event_id))
    return Audience(people=min(len(people), len(messages)), first=first)


def is_colleague(mail: DirectMail, persona: str) -> bool:
    """The writer, or one whose address is of the same organisation."""
    is_writer = address_trait(persona) == address_trait(mail.address)
    return is_writer or (not mail.is_free_mail and related(persona, mail.domain))


def graph_findings(mail: DirectMail, recalled: Recollection, *, event_id: str) -> Iterator[Finding]:
    """HANDLE_OF_SEVERAL and PERSONA_TO_STAFF; `event_id` is that of this message."""
    if mail.is_bulk:
        return
    yield from _of_several(mail, recalled)
    yield from _to_staff(mail, recalled, event_id)


def _of_several(mail: DirectMail, recalled: Recollection) -> Iterator[Finding]:
    names = _names(recalled)
    given = [
        (trail.trait, one)
        for trail in recalled.trails
        if _is_given(mail, trail.trait)
        for one in _before_the_writer(mail, trail.seen)
        # Who writes from an address has not given it.
        if one.persona
        and address_trait(one.persona) != trail.trait
        and not is_colleague(mail, one.persona)
        and not _is_same_name(mail, names.get(one.persona, ()))
    ]
    if not given:
        return
    trait, first = min(given, key=lambda pair: (pair[1].first.at, pair[1].persona))
    personas = {one.persona for _, one in given}
    has_other_name = any(names.get(persona) for persona in personas) and bool(mail.writers)
    text = f"{first.first.at:%Y-%m-%d} {trait.kind.value} given by {first.persona}"
    yield Finding(
        code="HANDLE_OF_SEVERAL",
        check=CHECK,
        strength=2 if (has_other_name or len(personas) > 1) and not _is_own_house(mail) else 1,
        evidence=(history(first.first.message_id, text),),
        note=f"{trait.kind.value} of {len(personas) + 1} personas,"
        f" first seen {first.first.at:%Y-%m-%d}",
    )


def _to_staff(mail: DirectMail, recalled: Recollection, event_id: str) -> Iterator[Finding]:
    own = address_trait(mail.address)
    seen = chain.from_iterable(
        trail.seen
        for trail in recalled.trails
        if trail.trait == own or _is_given(mail, trail.trait)
    )
    found = audience(mail, seen, event_id=event_id)
    if found is None or not found.strength:
        return
    text = f"{found.first.at:%Y-%m-%d} mail of this persona to another of our people"
    yield Finding(
        code="PERSONA_TO_STAFF",
        check=CHECK,
        strength=1 if _is_own_house(mail) else found.strength,
        evidence=(history(found.first.message_id, text),),
        note=found.since,
    )


def _before_the_writer(mail: DirectMail, seen: Iterable[Seen]) -> list[Seen]:
    """Whoever gave it before the writer did: to name somebody else's number later marks nobody."""
    seen = tuple(seen)
    writer = address_trait(mail.address)
    own = [one.first.at for one in seen if address_trait(one.persona) == writer]
    return [one for one in seen if not own or one.first.at < min(own)]


def _is_own_house(mail: DirectMail) -> bool:
    return mail.is_aligned and not mail.is_free_mail


def _is_given(mail: DirectMail, trait: Trait) -> bool:
    """Whether this mail gives it as a way to reach or to pay its writer; ours is nobody's."""
    if trait.kind not in TO_REACH:
        return False
    if trait.kind is TraitKind.ADDRESS and any(
        related(trait.value, one) for one in mail.recipients
    ):
        return False
    return trait in mail.traits or (trait in map(address_trait, mail.reply_to))


def _names(recalled: Recollection) -> dict[str, tuple[str, ...]]:
    """The names that addresses wrote under to the recipients of this mail."""
    found: dict[str, tuple[str, ...]] = {}
    for dossier in recalled.dossiers:
        for event in dossier.events:
            if isinstance(event, Conduct) and event.persona:
                found[event.address] = (*found.get(event.address, ()), event.persona)
    return found


def _is_same_name(mail: DirectMail, names: Iterable[str]) -> bool:
    """A persona that changed its address: `claims` says so."""
    return any(likeness(name, writer) is Likeness.FULL for name in names for writer in mail.writers)
