"""What memory holds in tests of the engagement: one recipient, a notice, earlier mail, a new mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from milter.check.engagement.direct_mail import DirectMail
from milter.mail.engagement import Conduct, Dossier, Event, Origin, PlatformContact

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
JANE = "jane@org.test"


def origin(days: float, number: str = "1") -> Origin:
    """A message of so many days ago."""
    return Origin(event_id=number, at=NOW - timedelta(days=days), message_id=f"<{number}@past>")


def contact(persona: str, days: float = 7, number: str = "n1", **fields: Any) -> PlatformContact:
    """A notice of a network."""
    made = PlatformContact(
        origin=origin(days, number), platform="linkedin", notice="inmail", persona=persona
    )
    return replace(made, **fields)


def conduct(
    address: str, persona: str, days: float = 7, number: str = "c1", **fields: Any
) -> Conduct:
    """An earlier direct mail."""
    made = Conduct(origin=origin(days, number), address=address, persona=persona)
    return replace(made, **fields)


def mail(address: str, *names: str, **fields: Any) -> DirectMail:
    """A direct mail to Jane, now; `plain` are codes too."""
    made = DirectMail(
        at=NOW,
        address=address,
        domain=address.rpartition("@")[2],
        recipients=(JANE,),
        names=names,
        writers=names,
        is_free_mail=address.endswith("@free.test"),
    )
    fields["codes"] = frozenset(fields.get("codes", ())) | frozenset(fields.get("plain", ()))
    fields["plain"] = frozenset(fields.get("plain", ()))
    return replace(made, **fields)


def dossier(*events: Event) -> Dossier:
    """Jane's dossier, oldest first."""
    return Dossier(recipient=JANE, events=tuple(sorted(events, key=lambda one: one.origin.at)))
