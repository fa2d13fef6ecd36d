"""What memory looks at in a direct mail: who says what, by which traits, in words of its own.

Taken from the reading once, so that the questions beside it need not know how a message is read.
Quoted text gives no trait: it is somebody else's. Refuses to look at which service, network or
country anything belongs to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from milter.check.engagement.names import is_whole_name
from milter.check.identity import KnownDomains, within
from milter.mail.analysis import Analysis, Entity
from milter.mail.engagement import Trait, TraitKind, address_trait
from milter.mail.envelope import Recipient, Transaction
from milter.mail.finding import Finding, Source
from milter.mail.reading import Reading

CHECK = "engagement"
MAX_RECIPIENTS = 20
_MAX_TRAITS = 24
_MAX_NAMES = 16
_TRAITS = {
    "handle": TraitKind.HANDLE,
    "phone": TraitKind.PHONE,
    "emailaddr": TraitKind.ADDRESS,
    "payment": TraitKind.PAYMENT,
}
OF_ONE_PERSON = frozenset({TraitKind.HANDLE, TraitKind.PHONE, TraitKind.PAYMENT})
"""Traits that one person has; an address that a text names may be anybody's."""
TO_REACH = OF_ONE_PERSON | {TraitKind.ADDRESS}
_NO_WORDS_OF_THE_SENDER = frozenset({Source.QUOTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMail:
    """A message from outside to some of our people, as far as memory is concerned.

    `names` are the display name and all people of the text, `writers` of them the display name and
    whom the text is signed by. `traits` are what the text offers or
    names, without the sender's own address. `codes` are the findings so far, `plain` those of full
    strength; `only_saw`: what claims a talk on a network says no more than that the writer saw a
    post or a profile there. `words` are rare words of its text, `bands` and `shape` its sketch.
    """

    at: datetime
    address: str
    domain: str
    recipients: tuple[str, ...]
    names: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    words: frozenset[str] = frozenset()
    bands: tuple[str, ...] = ()
    shape: str = ""
    reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subject: str = ""
    codes: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    is_aligned: bool = False
    is_free_mail: bool = False
    is_bulk: bool = False
    only_saw: bool = False
    announces: bool = False


def person_key(recipient: Recipient) -> str:
    """One of our people, whichever sub-address a mail went to ('' for none)."""
    mailbox = recipient.path.mailbox
    return person_of(mailbox.address) if mailbox else ""


def person_of(address: str) -> str:
    """The address without a sub-address, as memory knows people."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}".lower()


def recipients_of(transaction: Transaction) -> tuple[str, ...]:
    """The people that are asked about: the first of them, where a mail goes to very many."""
    people = filter(None, map(person_key, transaction.envelope.recipients))
    return tuple(dict.fromkeys(people))[:MAX_RECIPIENTS]


def direct_mail(
    transaction: Transaction, reading: Reading, known: KnownDomains, found: Iterable[Finding]
) -> DirectMail | None:
    """The mail, or None where there is not exactly one header-from."""
    if len(reading.header.header_from) != 1 or not reading.header.header_from[0].domain:
        return None
    sender = reading.header.header_from[0]
    address = sender.address.lower()
    found = tuple(found)
    header = reading.header
    analysis = reading.analysis or Analysis(language="und")
    said = [one for one in analysis.entities if one.source not in _NO_WORDS_OF_THE_SENDER]
    codes = frozenset(finding.code for finding in found)
    return DirectMail(
        at=transaction.received_at,
        address=address,
        domain=sender.domain,
        recipients=recipients_of(transaction),
        names=_distinct((sender.display_name, *_named(said, "person")))[:_MAX_NAMES],
        writers=_writers(sender.display_name, said),
        organisations=_distinct(_named(said, "org"))[:_MAX_NAMES],
        traits=tuple(dict.fromkeys(_traits(said, address)))[:_MAX_TRAITS],
        words=frozenset(analysis.words),
        bands=analysis.sketch,
        shape=analysis.shape,
        reply_to=_distinct(
            box.address.lower() for box in header.reply_to if box.address.lower() != address
        ),
        references=header.references,
        subject=header.subject,
        codes=codes,
        plain=frozenset(finding.code for finding in found if finding.strength >= 2),
        is_aligned="AUTH_ALIGNED" in codes,
        is_free_mail=within(sender.domain, known.free_mail),
        is_bulk=bool(header.list_id) or header.is_bulk or header.is_automatic,
        only_saw=_only_saw(analysis),
        announces=analysis.announces,
    )


def traits_of(entities: Iterable[Entity]) -> Iterator[Trait]:
    """Handles, numbers, addresses and accounts by which somebody can be reached or paid."""
    for entity in entities:
        kind = _TRAITS.get(entity.type)
        if kind is None or not entity.value:
            continue
        if kind is TraitKind.ADDRESS:
            yield address_trait(entity.value)
        elif kind is TraitKind.HANDLE and ":+" in entity.value:
            # A number is one trait, whichever service it is given for; a link gives nothing else.
            yield Trait(TraitKind.PHONE, entity.value.partition(":")[2])
        elif not entity.value.startswith(";ext="):  # every house has an extension 12
            yield Trait(kind, entity.value)


def _traits(entities: Iterable[Entity], address: str) -> Iterator[Trait]:
    return (one for one in traits_of(entities) if one != address_trait(address))


def _named(entities: Iterable[Entity], kind: str) -> Iterator[str]:
    return (one.value or one.text for one in entities if one.type == kind and not one.is_vague)


def _only_saw(analysis: Analysis) -> bool:
    return any(
        intent.label == "platform_claim"
        and "saw" in intent.attributes
        and "continues" not in intent.attributes
        for intent in analysis.intents
    )


def _writers(shown: str, said: Iterable[Entity]) -> tuple[str, ...]:
    """The display name and the names in the signature; without a name of two words, the last one.

    Whom a text only speaks of has not written it.
    """
    people = [one for one in said if one.type == "person" and not one.is_vague]
    signed = [one.value or one.text for one in people if one.source is Source.SIGNATURE]
    if not any(map(is_whole_name, (shown, *signed))):
        last = max(people, key=lambda one: one.start, default=None)
        if last is not None and last.source is Source.BODY:
            signed.append(last.value or last.text)
    return _distinct((shown, *signed))


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
