"""Text in which identity is replaced by its kind: one private character for each entity.

Names of people, firms and places, languages and peoples, brands of messengers, addresses, handles
and amounts all look alike to what reads the result, so none of them can move a judgement. What the rules need to know
about an entity (odd way to pay, fee by the piece) is part of its kind. Offsets lead back to the
text as written.

Failure: none; overlapping entities are settled by a fixed order of kinds.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.extensions import EXTENSION
from nlp.entities.origins import locate_origins, with_article, with_native
from nlp.entities.payments import WALLETS
from nlp.folding import fold
from nlp.normalise import Normalised

_NAMES = (
    "handle",
    "link_handle",
    "phone",
    "email",
    "private_email",
    "url",
    "messenger",
    "meeting",
    "private_mail",
    "social",
    "money",
    "piece_money",
    "vague_money",
    "odd_money",
    "odd_channel",
    "person",
    "org",
    "place",
    "clearance",
    "date",
    "file",
    "origin",
    "media",
)
TOKENS = {name: chr(0xE000 + index) for index, name in enumerate(_NAMES)}
NAMES = {token: name for name, token in TOKENS.items()}
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")

# What is not in the text as read, and the extensions of a house, which lead nobody out of the mail.
_UNMASKED = frozenset({"hidden", EXTENSION})
# Lower ranks win where entities overlap.
_RANKS = {
    EntityType.HANDLE: 0,
    EntityType.EMAILADDR: 1,
    EntityType.URL: 2,
    EntityType.PHONE: 3,
    EntityType.MONEY: 4,
    EntityType.PLATFORM: 5,
    EntityType.CLEARANCE: 6,
    EntityType.FILE: 7,
    EntityType.PERSON: 8,
    EntityType.ORG: 9,
    EntityType.LOCATION: 11,
    EntityType.DATE: 12,
    EntityType.PAYMENT: 13,
}
_ORIGIN_RANK = 10
_ORIGIN_TOKENS = {
    "territory": TOKENS["place"],
    "language": TOKENS["origin"],
    "people": TOKENS["origin"],
    "feast": TOKENS["origin"],
}
_PLAIN = {
    EntityType.EMAILADDR: "email",
    EntityType.URL: "url",
    EntityType.PHONE: "phone",
    EntityType.CLEARANCE: "clearance",
    EntityType.FILE: "file",
    EntityType.PERSON: "person",
    EntityType.ORG: "org",
    EntityType.LOCATION: "place",
    EntityType.DATE: "date",
}
_SERVICE_KINDS = {
    "meeting": "meeting",
    "mail": "private_mail",
    "social": "social",
    "media": "media",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """`text` is masked and folded, `view` what it was made of.

    `cuts` and `origins` are the same places in the masked and in the normalised text; what stands
    between two cuts is copied unless it is a single token.
    """

    text: str
    view: Normalised
    cuts: tuple[int, ...]
    origins: tuple[int, ...]

    @property
    def spelled(self) -> str:
        """`text` with the accents and capitals of the writer, offset for offset."""
        runs = zip(self.cuts, self.cuts[1:], self.origins, self.origins[1:], strict=False)
        return "".join(
            self.text[first:last]
            if self.text[first:last] in NAMES
            else _PRIVATE_USE.sub(" ", self.view.text[start:end])
            for first, last, start, end in runs
        )

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text as written that `text[start:end]` stands for; start < end."""
        first = self._origin(start)
        last = self._origin(end - 1)
        index = bisect_right(self.cuts, end - 1) - 1
        if self.text[end - 1] in NAMES:  # a token stands for everything up to the next cut
            last = self.origins[index + 1] - 1
        return self.view.original_span(first, last + 1)

    def position(self, normalised: int) -> int:
        """Where a place of the normalised text stands in the masked text."""
        index = bisect_right(self.origins, normalised) - 1
        following = self.cuts[min(index + 1, len(self.cuts) - 1)]
        return min(self.cuts[index] + normalised - self.origins[index], following)

    def _origin(self, position: int) -> int:
        index = bisect_right(self.cuts, position) - 1
        return self.origins[index] + position - self.cuts[index]


def mask(view: Normalised, entities: Iterable[EntityResult], base: int) -> Masked:
    """`view` with the entities of its segment masked; `base` is the offset of that segment."""
    pieces: list[str] = []
    cuts = [0]
    origins = [0]
    size = done = 0
    folded = fold(view.folded)
    if not folded.isascii():
        folded = _PRIVATE_USE.sub(" ", folded)
    for start, end, token in _spans(view, folded, entities, base):
        pieces += (folded[done:start], token)
        size += start - done
        cuts += (size, size + 1)
        origins += (start, end)
        size += 1
        done = end
    pieces.append(folded[done:])
    cuts.append(size + len(folded) - done)
    origins.append(len(folded))
    return Masked(text="".join(pieces), view=view, cuts=tuple(cuts), origins=tuple(origins))


def _spans(
    view: Normalised, folded: str, entities: Iterable[EntityResult], base: int
) -> list[tuple[int, int, str]]:
    spans = (
        (entity, _normalised_span(view, entity.span.start - base, entity.span.end - base))
        for entity in entities
        if entity.type in _RANKS and not _is_phrase(entity) and _UNMASKED.isdisjoint(entity.flags)
    )
    # The article or preposition goes with a place, since its form depends on the country.
    ranked = [
        (_RANKS[entity.type], with_article(folded, start), *_from(folded, end, _token(entity)))
        if entity.type is EntityType.LOCATION
        else (_RANKS[entity.type], start, end, _token(entity))
        for entity, (start, end) in spans
    ]
    ranked += [
        (_ORIGIN_RANK, origin.first, *_from(folded, origin.end, _ORIGIN_TOKENS[origin.kind]))
        for origin in locate_origins(view.text, folded)
    ]
    chosen: list[tuple[int, int, str]] = []
    for _, start, end, token in sorted(ranked):
        place = bisect_left(chosen, (start, end))
        if start >= end or (place and chosen[place - 1][1] > start):
            continue
        if place < len(chosen) and chosen[place][0] < end:
            continue
        chosen.insert(place, (start, end, token))
    return chosen


def _from(folded: str, end: int, token: str) -> tuple[int, str]:
    """Where the name of a place ends, and its token: who comes from there says an origin."""
    last = with_native(folded, end)
    return last, TOKENS["origin"] if last > end else token


def _is_phrase(entity: EntityResult) -> bool:
    """A vague principal is wording, not identity: it stays readable."""
    return entity.type is EntityType.ORG and "vague" in entity.flags


def _token(entity: EntityResult) -> str:
    return TOKENS[_kind(entity)]


def _kind(entity: EntityResult) -> str:
    flags = entity.flags
    if entity.type is EntityType.HANDLE:
        return "link_handle" if "link" in flags else "handle"
    if entity.type is EntityType.MONEY:
        if "odd_channel" in flags:
            has_amount = any(char.isdigit() for char in entity.span.text)
            return "odd_money" if has_amount else "odd_channel"
        if "per_piece" in flags:
            return "piece_money"
        return "vague_money" if "vague" in flags else "money"
    if entity.type is EntityType.EMAILADDR and "freemail" in flags:
        return "private_email"
    if entity.type is EntityType.PAYMENT:
        # A wallet is an odd way to pay whatever its coin; an account is a place to go, like a link.
        return "odd_channel" if entity.value.partition(":")[0] in WALLETS else "url"
    if entity.type is EntityType.PLATFORM:
        return service_kind(entity.platform)
    return _PLAIN[entity.type]


@lru_cache(maxsize=1)
def _service_kinds() -> dict[str, str]:
    return {row["id"]: row["kind"] for row in lexicon.read("platforms")["service"]}


def service_kind(platform: str) -> str:
    """The kind of a service id: messenger, meeting, private_mail, social or media."""
    return _SERVICE_KINDS.get(_service_kinds().get(platform, ""), "messenger")


def _normalised_span(view: Normalised, first: int, last: int) -> tuple[int, int]:
    if not view.starts:
        return max(first, 0), min(last, len(view.text))
    start = bisect_right(view.starts, first) - 1
    return max(start, 0), bisect_left(view.starts, last)
