"""What of a recollection is this message's past: before any question is asked of it.

The message itself is none: it comes again after a 451, or by another door. Nor is what came later,
as a replay may find it. What an analyst ruled stands in place of what the mails themselves did: a
lower stage; and what was ruled harmless (stage none) marks nobody, ties nobody to anybody and is no
trace of a persona any more. What came after the ruling counts in full.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from milter.mail.engagement import (
    Conduct,
    Dossier,
    Event,
    Recollection,
    Ruling,
    Seen,
    Stage,
    Trail,
)

MARKED = "MARKED"
"""The code that a conduct bears whose mail was marked."""


def past_of(
    recalled: Recollection, *, at: datetime, is_itself: Callable[[Event], bool]
) -> Recollection:
    """The recollection as a message of that time may be compared with."""
    if not any(dossier.events for dossier in recalled.dossiers):
        return recalled
    rulings = [
        event
        for dossier in recalled.dossiers
        for event in dossier.events
        if isinstance(event, Ruling) and event.origin.at <= at
    ]
    return Recollection(
        dossiers=tuple(_dossier(one, at, is_itself) for one in recalled.dossiers),
        trails=tuple(_trail(one, rulings) for one in recalled.trails),
    )


def _dossier(dossier: Dossier, at: datetime, is_itself: Callable[[Event], bool]) -> Dossier:
    events = [one for one in dossier.events if one.origin.at <= at and not is_itself(one)]
    rulings = [one for one in events if isinstance(one, Ruling)]
    return replace(
        dossier,
        events=tuple(_ruled(one, rulings) if isinstance(one, Conduct) else one for one in events),
    )


def _ruled(conduct: Conduct, rulings: Iterable[Ruling]) -> Conduct:
    """A mail as it weighs after what was ruled of its sender later."""
    later = [
        one.stage
        for one in rulings
        if one.address == conduct.address and one.origin.at >= conduct.origin.at
    ]
    if not later:
        return conduct
    stage = min((conduct.stage, *later))
    if min(later) > Stage.NONE:
        return replace(conduct, stage=stage)
    codes = tuple(code for code in conduct.codes if code != MARKED)
    # Where answers went and what it followed stay: they tell that a later mail changed nothing.
    return replace(
        conduct, stage=stage, codes=codes, traits=(), references=(), announces=False, persona=""
    )


def _trail(trail: Trail, rulings: Iterable[Ruling]) -> Trail:
    harmless = [one for one in rulings if one.stage is Stage.NONE]
    if not harmless:
        return trail
    return replace(trail, seen=tuple(one for one in trail.seen if not _is_harmless(one, harmless)))


def _is_harmless(seen: Seen, harmless: Iterable[Ruling]) -> bool:
    return any(one.address == seen.persona and one.origin.at >= seen.last_at for one in harmless)
