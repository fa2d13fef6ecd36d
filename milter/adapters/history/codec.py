"""Events and sightings to octets and back: msgpack maps whose keys are the numbers of field names.

The numbers are for good: a name is added at the end of its list and never moved, so that what an
older or a newer gateway wrote stays readable; a number that is not known is left out. Fields that
hold nothing are not written.

Failure: `NotReadable` for octets that are no event of ours.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from milter.mail.engagement import Conduct, Event, Origin, PlatformContact, Ruling

_KINDS: Final[tuple[type[Event], ...]] = (PlatformContact, Conduct, Ruling)
_NAMES: Final = (
    "origin", "event_id", "at", "message_id", "transaction_id", "platform", "notice", "persona",
    "first_name_only", "organisation", "role", "thread", "subject", "hints", "words", "address",
    "stage", "codes", "traits", "reply_to", "references", "follows", "is_aligned", "is_free_mail",
    "announces", "by", "reason", "kind", "value", "recipient",
)  # fmt: skip
_NUMBERS: Final = {name: number for number, name in enumerate(_NAMES)}


class NotReadable(ValueError):
    """These octets are no event and no sighting."""


def encode_event(event: Event) -> bytes:
    """An event without its key."""
    return msgspec.msgpack.encode([_KINDS.index(type(event)), _numbered(_builtins(event))])


def decode_event(octets: bytes) -> Event:
    """The event again; raises NotReadable."""
    try:
        kind, fields = msgspec.msgpack.decode(octets)
        event: Event = msgspec.convert(_named(fields), _KINDS[kind])
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError) as error:
        raise NotReadable(str(error)) from error
    return event


def encode_origin(origin: Origin, persona: str, recipient: str) -> bytes:
    """What a mark keeps of a sighting."""
    told = _builtins(origin) | {"persona": persona, "recipient": recipient}
    return msgspec.msgpack.encode(_numbered(told))


def decode_origin(octets: bytes) -> tuple[Origin, str, str]:
    """Origin, persona and recipient; raises NotReadable."""
    try:
        told = _named(msgspec.msgpack.decode(octets))
        persona, recipient = told.pop("persona", ""), told.pop("recipient", "")
        if not (isinstance(persona, str) and isinstance(recipient, str)):
            raise NotReadable("no addresses")
        return msgspec.convert(told, Origin), persona, recipient
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError) as error:
        raise NotReadable(str(error)) from error


def _builtins(value: Event | Origin) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(value, builtin_types=(datetime,))
    return told


def _numbered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_NUMBERS[name]: _numbered(each) for name, each in value.items() if each}
    if isinstance(value, list | tuple):
        return [_numbered(each) for each in value]
    return value


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        known = range(len(_NAMES))
        return {_NAMES[number]: _named(each) for number, each in value.items() if number in known}
    if isinstance(value, list):
        return [_named(each) for each in value]
    return value
