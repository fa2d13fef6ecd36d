"""The same text, reworded or translated, to several of our people one by one.

Near duplicates share bands of their sketches; the order of moves is the same in every language but
common enough that it needs a second factor: a way to reach the writer that both give, or the same
week and a long order. docs/campaigns.md has the measurements behind the numbers. Refuses bulk mail,
organisations that we know, and one message to a group.

Failure: none; without trails nothing is found. Trails are bounded by the store, texts expire.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from milter.check.engagement.direct_mail import CHECK, TO_REACH, DirectMail
from milter.check.engagement.graph import Audience, audience, is_colleague
from milter.check.engagement.telling import history
from milter.mail.engagement import Recollection, Seen, Trait, TraitKind
from milter.mail.finding import Finding

WINDOW = timedelta(days=90)
SHARED_BANDS = 2
_SAME_TIME = timedelta(days=7)
_LONG_SHAPE = 7

_Pair = tuple[str, str]


def text_traits(mail: DirectMail) -> tuple[Trait, ...]:
    """What near duplicates of this mail are found by."""
    bands = tuple(Trait(TraitKind.TEXT, band) for band in mail.bands)
    return (*bands, Trait(TraitKind.SHAPE, mail.shape)) if mail.shape else bands


def campaign_findings(
    mail: DirectMail, recalled: Recollection, *, event_id: str, is_known: bool = False
) -> Iterator[Finding]:
    """SAME_TEXT_TO_STAFF; `is_known`: the sender is of an organisation that we know."""
    if mail.is_bulk or (is_known and mail.is_aligned):
        return
    similar = {**_of_one_shape(mail, recalled), **_near_duplicates(mail, recalled)}
    found = audience(mail, similar.values(), event_id=event_id)
    if found is None or not found.strength:
        return
    personas = {one.persona for one in similar.values() if not is_colleague(mail, one.persona)}
    text = f"{found.first.at:%Y-%m-%d} the same text to another of our people"
    yield Finding(
        code="SAME_TEXT_TO_STAFF",
        check=CHECK,
        strength=_strength(mail, found, personas),
        evidence=(history(found.first.message_id, text),),
        note=f"{found.since}, by {len(personas)} other senders" if personas else found.since,
    )


def _strength(mail: DirectMail, found: Audience, personas: set[str]) -> int:
    """One text under several names is nobody's honest circular; a firm's own circular may be."""
    if personas:
        return 2
    return 1 if mail.is_aligned and not mail.is_free_mail else found.strength


def _near_duplicates(mail: DirectMail, recalled: Recollection) -> dict[_Pair, Seen]:
    """Earlier pairs of persona and recipient whose texts share enough bands with this one."""
    bands: Counter[_Pair] = Counter()
    first: dict[_Pair, Seen] = {}
    for trail in recalled.trails:
        if trail.trait.kind is TraitKind.TEXT and trail.trait.value in mail.bands:
            for one in _recent(mail, trail.seen):
                pair = (one.persona, one.recipient)
                bands[pair] += 1
                if pair not in first or one.first.at < first[pair].first.at:
                    first[pair] = one
    return {pair: first[pair] for pair, shared in bands.items() if shared >= SHARED_BANDS}


def _of_one_shape(mail: DirectMail, recalled: Recollection) -> dict[_Pair, Seen]:
    """Earlier pairs whose texts made the same moves in the same order, with a second factor."""
    if not mail.shape:
        return {}
    shared: dict[_Pair, set[Trait]] = defaultdict(set)
    for trail in recalled.trails:
        if trail.trait.kind in TO_REACH and trail.trait in mail.traits:
            for one in trail.seen:
                shared[one.persona, one.recipient].add(trail.trait)
    is_long = len(mail.shape.split()) >= _LONG_SHAPE
    return {
        (one.persona, one.recipient): one
        for trail in recalled.trails
        if trail.trait == Trait(TraitKind.SHAPE, mail.shape)
        for one in _recent(mail, trail.seen)
        if shared[one.persona, one.recipient]
        or (is_long and abs(mail.at - one.last_at) <= _SAME_TIME)
    }


def _recent(mail: DirectMail, seen: Iterable[Seen]) -> Iterator[Seen]:
    return (one for one in seen if abs(mail.at - one.last_at) <= WINDOW)
