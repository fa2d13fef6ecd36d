"""What our own people's mail tells memory: who wrote to whom, unprompted or in answer.

An answer never buys trust for a change of channel, a payee or an inside request (the weight table
says so); it tells a known organisation from an unknown one, and a talk that our side began.
Refuses to look into a body, and at mail that no person wrote: automatic mail, lists, bounces.

Standards: RFC 5322 §3.6.4 (In-Reply-To, References), RFC 3834 §2 (automatic mail), RFC 5321 §4.5.5
(null reverse-path).
"""

from collections.abc import Iterator

from milter.check.engagement.direct_mail import MAX_RECIPIENTS, person_key
from milter.check.identity import KnownDomains, within
from milter.mail.engagement import Memories, Origin, Sighting, Trait, TraitKind
from milter.mail.envelope import Recipient, Transaction
from milter.mail.message import field_value, scan_header
from milter.mail.message_key import message_key

_ANSWERS = frozenset({b"in-reply-to", b"references"})
_OF_NO_PERSON = frozenset({b"list-id", b"list-unsubscribe", b"x-autoreply", b"x-autorespond"})


def outbound_memories(transaction: Transaction, known: KnownDomains) -> Memories:
    """What to keep of one outgoing mail; nothing where no person of ours wrote to one outside."""
    writer = person_key(Recipient(path=transaction.envelope.reverse_path))
    if not writer or not within(writer.rpartition("@")[2], known.own):
        return Memories()
    header = scan_header(transaction.raw)
    names = {field.name for field in header.fields}
    if names & _OF_NO_PERSON or _is_automatic(transaction, names):
        return Memories()
    kind = TraitKind.ANSWERED if names & _ANSWERS else TraitKind.WROTE
    origin = Origin(
        event_id=message_key(transaction.raw),
        at=transaction.received_at,
        transaction_id=transaction.transaction_id,
    )
    return Memories(
        sightings=tuple(
            Sighting(trait=trait, origin=origin, persona="", recipient=writer)
            for trait in dict.fromkeys(_traits(transaction, known, kind))
        )
    )


def _traits(transaction: Transaction, known: KnownDomains, kind: TraitKind) -> Iterator[Trait]:
    for recipient in transaction.envelope.recipients[:MAX_RECIPIENTS]:
        address = person_key(recipient)
        domain = address.rpartition("@")[2]
        if not address or within(domain, known.own):
            continue
        yield Trait(kind, address)
        if not within(domain, known.free_mail):
            yield Trait(kind, "@" + domain)


def _is_automatic(transaction: Transaction, names: set[bytes]) -> bool:
    if b"auto-submitted" not in names:
        return False
    header = scan_header(transaction.raw)
    submitted = next(field for field in header.fields if field.name == b"auto-submitted")
    return field_value(transaction.raw, submitted).strip().lower().partition(b";")[0] != b"no"
