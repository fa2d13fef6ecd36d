"""Entities of a message: who, where, how to reach, how much, by rules and lexicons.

One module a kind, each pure; this one runs them over all segments and settles overlaps. Spans
count in the decoded text of the segment's part; for display names (source `header`) and file names
(source `attachment`) they count in that name itself. A link target that no text shows is placed on
its shown text, or on nothing (0, 0).

Equal spans may carry several types (a deep link is url, platform and handle, or url and payment; a telephone number
offered on a messenger is phone and handle); otherwise no two entities overlap.
"""

from collections.abc import Sequence

from nlp.analysis import EntityResult, EntityType, LinkText, ReadableText, Span, TextSegment
from nlp.entities.across import Recognised, bound_across
from nlp.entities.clearances import find_clearances
from nlp.entities.dates import find_dates
from nlp.entities.emails import find_emails, is_free_mail, locate_emails
from nlp.entities.extensions import find_extensions
from nlp.entities.files import attached_file, find_files
from nlp.entities.handle_shapes import FoundHandle
from nlp.entities.handles import (
    find_handles,
    find_link_handles,
    link_values,
    locate_handles,
    without_codes,
)
from nlp.entities.locations import find_locations
from nlp.entities.money import find_money
from nlp.entities.orgs import find_orgs, locate_orgs
from nlp.entities.origins import locate_origins
from nlp.entities.passage import Passage, read_passage
from nlp.entities.payments import find_payments, link_account
from nlp.entities.people import (
    entity_of,
    find_people,
    has_capital_nouns,
    people_again,
    person_value,
)
from nlp.entities.phones import e164, find_phones, locate_phones
from nlp.entities.platforms import find_platforms, locate_mentions
from nlp.entities.roles import find_roles
from nlp.entities.sectors import find_sectors
from nlp.entities.services import SERVICES, link_target
from nlp.entities.urls import find_urls, locate_urls, normalised_url
from nlp.folding import fold

__all__ = ["find_entities"]

MAX_SEGMENTS, MAX_LINKS, MAX_NAMES = 64, 200, 50

# Where two kinds want the same text, the one that is harder to mistake has it.
_ORDER = (
    EntityType.URL,
    EntityType.EMAILADDR,
    EntityType.PAYMENT,
    EntityType.HANDLE,
    EntityType.PHONE,
    EntityType.PLATFORM,
    EntityType.DATE,
    EntityType.MONEY,
    EntityType.FILE,
    EntityType.CLEARANCE,
    EntityType.ORG,
    EntityType.PERSON,
    EntityType.LOCATION,
    EntityType.ROLE,
    EntityType.SECTOR,
)
_RANK = {type_: rank for rank, type_ in enumerate(_ORDER)}
_SHARING = frozenset(
    {
        EntityType.URL,
        EntityType.PAYMENT,
        EntityType.HANDLE,
        EntityType.PHONE,
        EntityType.PLATFORM,
    }
)


def find_entities(readable: ReadableText) -> tuple[EntityResult, ...]:
    """All entities, in the order of segments and places."""
    passages = [read_passage(segment) for segment in readable.segments[:MAX_SEGMENTS]]
    passages += [read_passage(segment, hidden=True) for segment in readable.hidden[:MAX_SEGMENTS]]
    capital_nouns = any(has_capital_nouns(passage.text) for passage in passages)
    recognised = [_channels(passage, capital_nouns) for passage in passages]
    remote = bound_across(recognised)
    again = [found.passage.text[start:end] for found in recognised for start, end in found.people]
    results: list[EntityResult] = []
    for index, found in enumerate(recognised):
        handles = [*found.handles, *remote.get(index, ())]
        results += _settled(_all_kinds(found, handles, readable.names[:MAX_NAMES], again))
    results += _of_links(readable)
    results += [_display_name(name) for name in readable.names[:MAX_NAMES] if person_value(name)]
    results += [attached_file(name) for name in readable.file_names[:MAX_NAMES] if name]
    return tuple(results)


def _channels(passage: Passage, capital_nouns: bool) -> Recognised:
    urls = locate_urls(passage)
    emails = locate_emails(passage)
    # "https://user@host" is a link; "name(at)host.org" is an address, not the host it holds.
    full = [(u.start, u.end) for u in urls if "://" in passage.text[u.start : u.end]]
    emails = [email for email in emails if not _overlaps(email.start, email.end, full)]
    addresses = [(e.start, e.end) for e in emails]
    urls = [url for url in urls if not _overlaps(url.start, url.end, addresses)]
    # "live:mira.pro" is a name, whatever its end is elsewhere.
    urls = [url for url in urls if not passage.folded.endswith("live:", 0, url.start)]
    taken = [*((url.start, url.end) for url in urls), *addresses]
    mentions = locate_mentions(passage, taken)
    # "QQ 2855501934" is a code of the service, not a telephone number.
    numbered = [mention.end for mention in mentions if not SERVICES[mention.service].codes]
    phones = locate_phones(passage, taken, numbered)
    handles = locate_handles(passage, mentions, phones, taken)
    phones = without_codes(phones, handles)
    origins = locate_origins(passage.text, fold(passage.folded))
    orgs = locate_orgs(passage, (origin.start for origin in origins))
    # "Ana de Telegram" is a name up to the service, or the network, she is said to be on.
    stops = [start for start, _ in orgs]
    stops += [mention.start for mention in mentions]
    stops += [hit.start for hit in passage.hits("network")]
    no_names = [*taken, *orgs, *((origin.start, origin.end) for origin in origins)]
    contacts = sorted({*(phone.start for phone in phones), *(handle.start for handle in handles)})
    people = find_people(passage, stops, no_names, contacts=contacts, capital_nouns=capital_nouns)
    return Recognised(
        passage, urls, emails, mentions, phones, handles, origins, orgs, people, capital_nouns
    )


def _all_kinds(
    found: Recognised, handles: list[FoundHandle], names: Sequence[str], again: Sequence[str]
) -> list[EntityResult]:
    passage = found.passage
    addresses = [*((u.start, u.end) for u in found.urls), *((e.start, e.end) for e in found.emails)]
    phones = [(phone.start, phone.end) for phone in found.phones]
    people = dict.fromkeys([*found.people, *people_again(passage, names, again)])
    return [
        *find_urls(passage, found.urls),
        *find_link_handles(passage, found.urls),
        *find_emails(passage, found.emails),
        *find_payments(passage, found.urls),
        *find_phones(passage, found.phones),
        *find_extensions(passage, found.phones),
        *find_handles(passage, handles),
        *find_platforms(passage, found.mentions),
        *find_dates(passage),
        *find_money(passage, [*addresses, *phones]),
        *find_files(passage),
        *(entity_of(passage, start, end) for start, end in people),
        *find_orgs(passage, found.orgs),
        *find_locations(passage, found.origins, found.orgs, capital_nouns=found.capital_nouns),
        *find_clearances(passage),
        *find_roles(passage),
        *find_sectors(passage),
    ]


def _settled(entities: list[EntityResult]) -> list[EntityResult]:
    """In text order without overlaps: the stronger kind wins, equal spans may share a place."""
    ranked = sorted(
        dict.fromkeys(entities),
        key=lambda e: (_RANK[e.type], "vague" in e.flags, e.span.start, -e.span.end),
    )
    kept: list[EntityResult] = []
    occupied: dict[int, tuple[int, int, EntityType]] = {}
    for entity in ranked:
        span = entity.span
        clash = {occupied[place] for place in range(span.start, span.end) if place in occupied}
        if (
            clash
            and clash != {(span.start, span.end, entity.type)}
            and not _may_share(entity, clash)
        ):
            continue
        kept.append(entity)
        for place in range(span.start, span.end):
            occupied.setdefault(place, (span.start, span.end, entity.type))
    kept.sort(key=lambda e: (e.span.start, -e.span.end, _RANK[e.type], e.value))
    return kept


def _may_share(entity: EntityResult, clash: set[tuple[int, int, EntityType]]) -> bool:
    return entity.type in _SHARING and all(
        (start, end) == (entity.span.start, entity.span.end) and type_ in _SHARING
        for start, end, type_ in clash
    )


def _of_links(readable: ReadableText) -> list[EntityResult]:
    """Targets that no text shows, placed on the text shown for them."""
    results: list[EntityResult] = []
    places = _Places(readable.segments)
    for link in readable.links[:MAX_LINKS]:
        scheme = link.target.partition(":")[0].lower()
        if scheme not in ("tel", "mailto") and normalised_url(link.target) == normalised_url(
            link.shown.strip() or "-"
        ):
            continue  # the text shows it and was read already
        span = places.of(link)
        flags = ("link",) if link.visible else ("link", "hidden")
        url = normalised_url(link.target)
        target = link_target(url)
        if account := link_account(url):
            results.append(
                EntityResult(type=EntityType.PAYMENT, span=span, value=account, flags=flags)
            )
        if scheme == "tel":
            value = e164(link.target[4:].partition(";")[0])
            results.append(EntityResult(type=EntityType.PHONE, span=span, value=value, flags=flags))
        elif scheme == "mailto":
            if address := link.target[7:].partition("?")[0].lower():
                if is_free_mail(address):
                    flags = (*flags, "freemail")
                results.append(
                    EntityResult(type=EntityType.EMAILADDR, span=span, value=address, flags=flags)
                )
        else:
            results.append(EntityResult(type=EntityType.URL, span=span, value=url, flags=flags))
        if target:
            results += [
                EntityResult(
                    type=type_, span=span, value=value, platform=target.service, flags=flags
                )
                for type_, value in link_values(target)
            ]
    return results


class _Places:
    """Finds the shown texts of links in the segments of their part, in reading order."""

    def __init__(self, segments: Sequence[TextSegment]) -> None:
        self._segments = segments[:MAX_SEGMENTS]
        self._next: dict[tuple[int, str], int] = {}

    def of(self, link: LinkText) -> Span:
        shown = link.shown.strip()
        for index, segment in enumerate(self._segments):
            if segment.part != link.part or not shown:
                continue
            at = segment.text.find(shown, self._next.get((index, shown), 0))
            if at != -1:
                self._next[index, shown] = at + len(shown)
                start = segment.base + at
                return Span(
                    source=segment.source,
                    part=segment.part,
                    start=start,
                    end=start + len(shown),
                    text=shown,
                )
        return Span(source="body", part=link.part, start=0, end=0, text="")


def _display_name(name: str) -> EntityResult:
    span = Span(source="header", part="", start=0, end=len(name), text=name)
    return EntityResult(type=EntityType.PERSON, span=span, value=person_value(name))


def _overlaps(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    return any(a < end and start < b for a, b in spans)
