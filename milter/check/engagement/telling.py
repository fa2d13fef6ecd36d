"""How findings tell of an earlier message: its day, what it was, which field said what.

The message-id stands as the part of the evidence, so that an analyst finds the message again.
Mostly names and dates, so that a banner in any language may repeat it. Refuses to name one of our
people to another: only what the persona showed or gave is told.
"""

from dataclasses import replace

from milter.mail.engagement import Conduct, PlatformContact, Trait, TraitKind
from milter.mail.finding import Evidence, Finding, Source

_DAY = len("2026-11-13")
_UNTOLD = frozenset({TraitKind.PAYMENT, TraitKind.TEXT, TraitKind.SHAPE})


def history(message_id: str, text: str) -> Evidence:
    """Evidence that stands in another message."""
    return Evidence(source=Source.HISTORY, part=message_id, start=0, end=len(text), text=text)


def earlier_mail(conduct: Conduct, said: str = "") -> Evidence:
    """An earlier direct mail as evidence: when, from whom, and what of it matters."""
    shown = f"{conduct.persona} <{conduct.address}>" if conduct.persona else conduct.address
    text = f"{conduct.origin.at:%Y-%m-%d}: {shown}"
    return history(conduct.origin.message_id, f"{text}, {said}" if said else text)


def earlier_contact(contact: PlatformContact, said: str = "") -> Evidence:
    """A notification of a network as evidence."""
    text = f"{contact.origin.at:%Y-%m-%d}, {contact.platform}: {contact.persona}"
    return history(contact.origin.message_id, f"{text}, {said}" if said else text)


def to_several(finding: Finding) -> Finding:
    """The finding for a mail to several people: who turned to one of them is not told to the rest.

    The day and the message-id stay.
    """
    days = tuple(
        history(one.part, one.text[:_DAY]) if one.source is Source.HISTORY else one
        for one in finding.evidence
    )
    return replace(finding, evidence=days)


def told(trait: Trait) -> str:
    """A trait as evidence names it; an account is named by its kind alone."""
    return f"{trait.kind}" if trait.kind in _UNTOLD else f"{trait.kind} {trait.value}"
