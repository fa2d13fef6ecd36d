"""`ports.History` over a store: keys are keyed hashes, values are sealed, older keys still open.

An address or a handle is looked up by its HMAC under a secret that the store does not hold, so a
copy of the store names nobody and nobody can be looked for in it. What people must be able to read
again (who wrote, when, which message) is encrypted and bound to its place: moved to another dossier
it does not open. After a rotation everything is written under the newest key and looked up under
all keys that are still held.

**Standards:** RFC 2104 (HMAC), NIST SP 800-38D (AES-GCM).
**Failure:** `recall` raises HistoryUnavailable; a record that does not open is left out and
counted. `remember` never raises: what the store does not take is counted as lost.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from milter.adapters.history.codec import (
    NotReadable,
    decode_event,
    decode_origin,
    encode_event,
    encode_origin,
)
from milter.adapters.history.store import (
    Answer,
    Batch,
    Entry,
    HistoryStore,
    Mark,
    StoreUnavailable,
    TrailRecord,
)
from milter.mail.engagement import (
    Conduct,
    Dossier,
    Event,
    Inquiry,
    Memories,
    PlatformContact,
    Recollection,
    Ruling,
    Seen,
    Sighting,
    Trail,
    Trait,
    TraitKind,
)
from milter.ports import Clock, HistoryUnavailable

_KEY_BYTES = 16
_ID_BYTES = 4
_NONCE_BYTES = 12
_MOST_KNOWN = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each kind is kept; nothing outlives it, whoever asks."""

    contacts: timedelta = timedelta(days=365)
    conduct: timedelta = timedelta(days=365)
    rulings: timedelta = timedelta(days=730)
    traits: timedelta = timedelta(days=365)
    texts: timedelta = timedelta(days=90)

    def of_event(self, event: Event) -> timedelta:
        """How long an event is kept."""
        match event:
            case PlatformContact():
                return self.contacts
            case Conduct():
                return self.conduct
            case Ruling():
                return self.rulings

    def of_trait(self, kind: TraitKind) -> timedelta:
        """How long a sighting is kept."""
        return self.texts if kind in (TraitKind.TEXT, TraitKind.SHAPE) else self.traits


class MemoryKey:
    """One secret: hashes look-up keys and seals values; `key_id` tells secrets apart."""

    def __init__(self, secret: bytes) -> None:
        self.key_id = hmac.digest(secret, b"key id", "sha256")[:_ID_BYTES]
        self._lookup = hmac.digest(secret, b"look-up", "sha256")
        self._cipher = AESGCM(hmac.digest(secret, b"seal", "sha256"))

    def dossier(self, recipient: str) -> bytes:
        """Where the dossier of one of our people lies."""
        return self._hash("recipient", recipient)

    def trail(self, trait: Trait) -> bytes:
        """Where the trail of a trait lies."""
        return self._hash(trait.kind.value, trait.value)

    def event_id(self, event_id: str) -> bytes:
        """The id of an event, told to nobody who cannot make it."""
        return self._hash("event", event_id)

    def pair(self, persona: str, recipient: str) -> bytes:
        """The field of a mark."""
        return self._hash("pair", f"{persona}\0{recipient}")

    def group(self, event: Event) -> bytes:
        """Who pays when a dossier is full."""
        name = event.persona if isinstance(event, PlatformContact) else event.address
        return self._hash("group", name)[: _KEY_BYTES // 2]

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Encrypt, bound to its place."""
        nonce = os.urandom(_NONCE_BYTES)
        return self.key_id + nonce + self._cipher.encrypt(nonce, plain, place)

    def opened(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt; raises NotReadable."""
        try:
            nonce = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
            return self._cipher.decrypt(nonce, sealed[_ID_BYTES + _NONCE_BYTES :], place)
        except (InvalidTag, ValueError) as error:
            raise NotReadable("not sealed for this place") from error

    def _hash(self, kind: str, value: str) -> bytes:
        told = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._lookup, told, "sha256")[:_KEY_BYTES]


def _nothing(_reason: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHistory:
    """Implements `ports.History`; `keys` are newest first, `told` hears of what went wrong."""

    store: HistoryStore
    keys: Sequence[MemoryKey]
    clock: Clock
    retention: Retention = field(default_factory=Retention)
    told: Callable[[str], None] = _nothing
    # A dossier is opened for every mail to its owner, and changes seldom.
    _known: Callable[[bytes, bytes], Event] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", lru_cache(_MOST_KNOWN)(self._unsealed))

    async def recall(self, inquiry: Inquiry) -> Recollection:
        """One read of the store under every key that is still held."""
        dossiers = [key.dossier(one) for one in inquiry.recipients for key in self.keys]
        trails = [key.trail(one) for one in inquiry.traits for key in self.keys]
        if not dossiers and not trails:
            return Recollection()
        try:
            answer = await self.store.read(dossiers, trails, self.now())
        except StoreUnavailable as error:
            raise HistoryUnavailable(str(error)) from error
        return self._opened(inquiry, dossiers, trails, answer)

    async def remember(self, memories: Memories) -> None:
        """Hash, seal and write under the newest key."""
        if not memories:
            return
        try:
            await self.store.write(self.batch(memories), self.now())
        except StoreUnavailable as error:
            self.told(f"lost: {error}")

    def now(self) -> int:
        """The time as the store counts it."""
        return _seconds(self.clock.now())

    def batch(self, memories: Memories) -> Batch:
        """The records of these memories."""
        return Batch(
            entries=tuple(self._entry(recipient, event) for recipient, event in memories.events),
            marks=tuple(map(self._mark, memories.sightings)),
        )

    def _entry(self, recipient: str, event: Event) -> tuple[bytes, Entry]:
        key = self.keys[0]
        dossier = key.dossier(recipient)
        event_id = key.event_id(event.origin.event_id)
        at = event.origin.at
        return dossier, Entry(
            event_id=event_id,
            group=key.group(event),
            at=_seconds(at),
            expires=_seconds(at + self.retention.of_event(event)),
            value=key.seal(encode_event(event), dossier + event_id),
        )

    def _mark(self, sighting: Sighting) -> tuple[bytes, Mark]:
        key = self.keys[0]
        trail = key.trail(sighting.trait)
        pair = key.pair(sighting.persona, sighting.recipient)
        at = sighting.origin.at
        told = encode_origin(sighting.origin, sighting.persona, sighting.recipient)
        return trail, Mark(
            field=pair,
            first=_seconds(at),
            last=_seconds(at),
            expires=_seconds(at + self.retention.of_trait(sighting.trait.kind)),
            value=key.seal(told, trail + pair),
        )

    def _opened(
        self,
        inquiry: Inquiry,
        dossiers: Sequence[bytes],
        trails: Sequence[bytes],
        answer: Answer,
    ) -> Recollection:
        width = len(self.keys)
        entries = list(zip(dossiers, answer.dossiers, strict=True))
        records = list(zip(trails, answer.trails, strict=True))
        return Recollection(
            dossiers=tuple(
                Dossier(
                    recipient=recipient,
                    events=self._events(entries[number * width : (number + 1) * width]),
                )
                for number, recipient in enumerate(inquiry.recipients)
            ),
            trails=tuple(
                self._trail(trait, records[number * width : (number + 1) * width])
                for number, trait in enumerate(inquiry.traits)
            ),
        )

    def _events(self, found: Iterable[tuple[bytes, Sequence[Entry]]]) -> tuple[Event, ...]:
        """Each event once, oldest first, whichever key it was written under."""
        events = {
            event.origin.event_id: event
            for dossier, entries in found
            for entry in entries
            if (event := self.event(dossier, entry)) is not None
        }
        return tuple(
            sorted(events.values(), key=lambda each: (each.origin.at, each.origin.event_id))
        )

    def event(self, dossier: bytes, entry: Entry) -> Event | None:
        """What an entry holds; None, and told, where it does not open."""
        try:
            return self._known(entry.value, dossier + entry.event_id)
        except NotReadable:
            self.told("unreadable")
            return None

    def _unsealed(self, sealed: bytes, place: bytes) -> Event:
        return decode_event(self.opened(sealed, place))

    def _trail(self, trait: Trait, found: Iterable[tuple[bytes, TrailRecord]]) -> Trail:
        found = list(found)
        pairs: dict[tuple[str, str], Seen] = {}
        opened = (self.seen(trail, mark) for trail, record in found for mark in record.marks)
        for seen in filter(None, opened):
            pair = (seen.persona, seen.recipient)
            other = pairs.get(pair, seen)
            earlier = min(other, seen, key=lambda each: each.first.at)
            pairs[pair] = Seen(
                persona=seen.persona,
                recipient=seen.recipient,
                first=earlier.first,
                last_at=max(other.last_at, seen.last_at),
            )
        return Trail(
            trait=trait,
            seen=tuple(sorted(pairs.values(), key=lambda each: each.first.at)),
            is_full=any(record.is_full for _, record in found),
        )

    def seen(self, trail: bytes, mark: Mark) -> Seen | None:
        """What a mark holds; None, and told, where it does not open."""
        try:
            told = decode_origin(self.opened(mark.value, trail + mark.field))
        except NotReadable:
            self.told("unreadable")
            return None
        origin, persona, recipient = told
        last_at = datetime.fromtimestamp(mark.last, tz=origin.at.tzinfo)
        return Seen(persona=persona, recipient=recipient, first=origin, last_at=last_at)

    def opened(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt under whichever key sealed it; raises NotReadable."""
        for key in self.keys:
            if sealed.startswith(key.key_id):
                return key.opened(sealed, place)
        raise NotReadable("sealed with a key that is not held")


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
