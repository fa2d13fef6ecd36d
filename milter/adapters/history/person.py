"""What is kept of one person: told to them, or erased (requests of a person, data protection law).

Walks over everything that is kept and opens it: no index of people exists that a thief could use.
A person is one of our recipients (their dossier; marks of mail to them) or somebody from outside
(events in the dossiers of others that name the address; marks of their mail). Refuses to judge who
may ask: that is the administrator's, and the audit log's to remember.

Failure: StoreUnavailable passes up; what was erased until then is erased, to begin again is safe.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from milter.adapters.history.sealed import SealedHistory
from milter.mail.engagement import (
    Conduct,
    Event,
    KeptEvent,
    KeptSighting,
    PlatformContact,
    Ruling,
    address_trait,
)

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class _Found:
    kept: KeptEvent | KeptSighting
    place: bytes
    field: bytes


async def kept_of(history: SealedHistory, address: str) -> AsyncIterator[KeptEvent | KeptSighting]:
    """Everything that is kept of the owner of an address."""
    async for found in _find(history, address.lower()):
        yield found.kept


async def erase(
    history: SealedHistory, address: str, *, told: Callable[[int], None] = lambda _count: None
) -> int:
    """Erase all of it; how many records there were. `told` hears the count as it grows."""
    count = 0
    async for found in _find(history, address.lower()):
        if isinstance(found.kept, KeptEvent):
            count += await history.store.forget_entries(found.place, (found.field,))
        else:
            count += await history.store.forget_marks(found.place, (found.field,))
        told(count)
    return count


async def _find(history: SealedHistory, address: str) -> AsyncIterator[_Found]:
    own = {key.dossier(address) for key in history.keys}
    async for chunk in _chunks(history.store.dossiers()):
        for found in await _in_dossiers(history, chunk, address, own):
            yield found
    async for chunk in _chunks(history.store.trails()):
        for found in await _in_trails(history, chunk, address):
            yield found


async def _in_dossiers(
    history: SealedHistory, places: Sequence[bytes], address: str, own: set[bytes]
) -> list[_Found]:
    answer = await history.store.read(places, (), history.now())
    found = []
    for place, entries in zip(places, answer.dossiers, strict=True):
        for entry in entries:
            event = history.event(place, entry)
            if event is not None and (place in own or names(event, address)):
                kept = KeptEvent(event=event, in_own_dossier=place in own)
                found.append(_Found(kept, place, entry.event_id))
    return found


async def _in_trails(history: SealedHistory, places: Sequence[bytes], address: str) -> list[_Found]:
    answer = await history.store.read((), places, history.now())
    found = []
    for place, record in zip(places, answer.trails, strict=True):
        for mark in record.marks:
            seen = history.seen(place, mark)
            if seen is not None and address in (seen.persona, seen.recipient):
                role = "persona" if seen.persona == address else "recipient"
                kept = KeptSighting(origin=seen.first, role=role)
                found.append(_Found(kept, place, mark.field))
    return found


def names(event: Event, address: str) -> bool:
    """Does an event of somebody's dossier name this address?"""
    trait = address_trait(address)
    match event:
        case PlatformContact():
            return trait in event.hints
        case Conduct():
            return address == event.address or address in event.reply_to or trait in event.traits
        case Ruling():
            return address == event.address


async def _chunks(places: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    chunk: list[bytes] = []
    async for place in places:
        chunk.append(place)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
