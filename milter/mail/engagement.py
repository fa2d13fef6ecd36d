"""The vocabulary of memory: what is kept of a message, and what is asked of it later.

Two things are kept. **Events** stand in the dossier of one recipient: a platform contact, a direct
mail of somebody from outside (conduct), an analyst's ruling. **Sightings** tie a trait (an address,
a handle, a text) to who used it towards whom, over all recipients. Both are facts of one message
and are never changed: stages, engagements and campaigns are computed from them
(`check.engagement`).
So two gateways that write at once cannot lose each other's update, and a message that comes twice
is remembered once.

Values are plain here; that keys are hashed and values sealed before they are stored is the
adapter's matter.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

# One provider that delivers all spellings to one mailbox, under two domains.
_DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})


class Stage(IntEnum):
    """How far an approach has gone; the sender's conduct can only raise it."""

    NONE = 0
    APPROACH = 1
    MOVE = 2
    TASK = 3
    BIND = 4
    ESCALATE = 5


class TraitKind(StrEnum):
    """What a sighting is of. `WROTE` and `ANSWERED` are our people's own mails to an address."""

    ADDRESS = "address"
    DOMAIN = "domain"
    PHONE = "phone"
    HANDLE = "handle"
    PAYMENT = "payment"
    TEXT = "text"
    SHAPE = "shape"
    WROTE = "wrote"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, order=True)
class Trait:
    """Something by which senders or texts are recognised; `value` is normalised.

    A handle's value is `service:name`, a phone's E.164 or its digits, a text's one band of its
    sketch.
    """

    kind: TraitKind
    value: str


def address_trait(address: str) -> Trait:
    """The trait of a mailbox: however its owner writes it, with a sub-address or with dots."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", ""), "gmail.com"
    return Trait(TraitKind.ADDRESS, f"{local}@{domain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The message that an event or a sighting came from: enough to find it again.

    `event_id` is the same whenever and wherever the message is read (see `message_key`).
    """

    event_id: str
    at: datetime
    message_id: str = ""
    transaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformContact:
    """An authenticated notification of a professional network: this member turned to our recipient.

    `persona` is the name as shown, `first_name_only` where the notification gives no more. `hints`
    are the traits that the member's own words gave, `words` rare words of them (folded), `notice`
    the kind of notification: message, inmail, invitation, application.
    """

    origin: Origin
    platform: str
    notice: str = ""
    persona: str = ""
    first_name_only: bool = False
    organisation: str = ""
    role: str = ""
    thread: str = ""
    subject: str = ""
    hints: tuple[Trait, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """A direct mail of somebody from outside, as far as it is of interest here.

    `persona` is the display name or the name signed with. `stage` is what this mail alone did,
    `codes` the findings that say so. `references` are the message-ids that it answers, `follows`
    the event ids of platform contacts it was matched with. `announces` is True if it says that
    somebody else will write.
    """

    origin: Origin
    address: str
    persona: str = ""
    stage: Stage = Stage.NONE
    codes: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    organisation: str = ""
    subject: str = ""
    is_aligned: bool = False
    is_free_mail: bool = False
    announces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """An analyst's decision about one persona: what came before it weighs at most `stage`."""

    origin: Origin
    address: str
    stage: Stage = Stage.NONE
    by: str = ""
    reason: str = ""


Event = PlatformContact | Conduct | Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One trait, used by `persona` (an address, or '') towards `recipient` (an address, or '')."""

    trait: Trait
    origin: Origin
    persona: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memories:
    """All that one message leaves behind: events with their recipient, and sightings."""

    events: tuple[tuple[str, Event], ...] = ()
    sightings: tuple[Sighting, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.sightings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What the check asks before it judges; `recipients` are addresses of our people."""

    recipients: tuple[str, ...]
    traits: tuple[Trait, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is known of one recipient's contacts, oldest first."""

    recipient: str
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One pair of persona and recipient for whom a trait was seen, and the first message of them.

    The recipient is somebody of ours: findings and banners never name one to another.
    """

    persona: str
    recipient: str
    first: Origin
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """All that was seen of one trait; `is_full`: there was more than is kept."""

    trait: Trait
    seen: tuple[Seen, ...] = ()
    is_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """The answer to an inquiry: a dossier a recipient, a trail a trait, each in the order asked."""

    dossiers: tuple[Dossier, ...] = ()
    trails: tuple[Trail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event of the person, and whether it stands in the person's own dossier."""

    event: Event
    in_own_dossier: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSighting:
    """A sighting of the person: as `persona` from outside, or as `recipient` of ours."""

    origin: Origin
    role: str
