"""Offers that are spread over a message: the service in the subject, the name in the signature.

Only where nothing is left to guess: no place of the message holds a whole offer, and what stands
alone is one number, an `@name`, a labelled name, or the name that the text says stands elsewhere.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.entities.emails import FoundEmail
from nlp.entities.handle_shapes import FoundHandle, likeness
from nlp.entities.handles import (
    ELSEWHERE,
    SAME_NUMBER,
    at_names,
    labelled_names,
    service_for,
)
from nlp.entities.origins import Origin
from nlp.entities.passage import Mention, Passage
from nlp.entities.phones import FoundPhone, e164
from nlp.entities.services import SERVICES
from nlp.entities.urls import FoundUrl

_WINDOW = 48
# A name as a line of its own; a number that breaks off, and the rest of one that begins in the middle.
_LONE = re.compile(r"(?:^|\n)[ \t]*@?(?P<handle>[a-z0-9*_][a-z0-9_.#*-]{3,40})[ \t]*(?=\n|$)")
_FIRST_HALF = re.compile(r"(?<![\w+])(?P<half>(?:\+|00)?\d[\d ().-]{1,12}?)\s?(?:\.{2,}|…)(?!\d)")
_REST = re.compile(r"(?:\.{2,}|…)\s?(?P<half>\d[\d ().-]{1,12}\d)(?!\d)")
_DIGITS = range(9, 16)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A passage with what the recognisers that others build on found in it."""

    passage: Passage
    urls: list[FoundUrl]
    emails: list[FoundEmail]
    mentions: list[Mention]
    phones: list[FoundPhone]
    handles: list[FoundHandle]
    origins: list[Origin]
    orgs: list[tuple[int, int]]
    people: list[tuple[int, int]]
    capital_nouns: bool


def bound_across(recognised: Sequence[Recognised]) -> dict[int, list[FoundHandle]]:
    """The handles that only the whole message gives, by the place of their passage."""
    mentions = [(r.passage, mention) for r in recognised for mention in r.mentions]
    if not mentions:
        return {}
    if halves := _halved(recognised, mentions):
        return halves
    if any(r.handles for r in recognised):
        return {}
    phones = {
        phone.value: (index, phone) for index, r in enumerate(recognised) for phone in r.phones
    }
    if len(phones) == 1:
        index, phone = next(iter(phones.values()))
        return {index: list(_offered(phone, mentions, recognised))}
    services = [mention for _, mention in mentions]
    pointed = any(ELSEWHERE.search(_around(passage, m)) for passage, m in mentions)
    bound = {}
    for index, r in enumerate(recognised):
        if not r.mentions and (names := _names(r.passage, services, pointed=pointed)):
            bound[index] = names
    return bound


def _around(passage: Passage, mention: Mention) -> str:
    return passage.folded[max(0, mention.start - _WINDOW) : mention.end + _WINDOW]


def _offered(
    phone: FoundPhone,
    mentions: Sequence[tuple[Passage, Mention]],
    recognised: Sequence[Recognised],
) -> Iterator[FoundHandle]:
    """The number on each messenger that the text ties to it."""
    said_apart = any(not r.mentions and SAME_NUMBER.search(r.passage.folded) for r in recognised)
    for passage, mention in mentions:
        window = _around(passage, mention)
        if SERVICES[mention.service].kind == "messenger" and (
            said_apart or ELSEWHERE.search(window) or SAME_NUMBER.search(window)
        ):
            value = f"{mention.service}:{phone.value}"
            yield FoundHandle(phone.start, phone.end, mention.service, value)


def _names(passage: Passage, services: list[Mention], *, pointed: bool) -> list[FoundHandle]:
    """Names of a passage that names no service itself."""
    if names := at_names(passage, services):
        return names
    for name in labelled_names(passage):
        if service := service_for(name.written, services, sure=name.like == 2 or name.is_led):
            return [FoundHandle(name.start, name.end, service, f"{service}:{name.written}")]
    for line in _LONE.finditer(passage.folded) if pointed else ():
        start, end = line.span("handle")
        service = service_for(line["handle"], services, sure=True)
        codes = service != "" and SERVICES[service].codes
        if service and likeness(passage.text[start:end], codes=codes):
            return [FoundHandle(start, end, service, f"{service}:{line['handle']}")]
    return []


def _halved(
    recognised: Sequence[Recognised], mentions: Sequence[tuple[Passage, Mention]]
) -> dict[int, list[FoundHandle]]:
    """A number of which one place holds the beginning and another the rest."""
    messengers = [m.service for _, m in mentions if SERVICES[m.service].kind == "messenger"]
    halves = [
        (index, half)
        for index, r in enumerate(recognised)
        for half in _FIRST_HALF.finditer(r.passage.folded)
    ]
    rests = [rest for r in recognised for rest in _REST.finditer(r.passage.folded)]
    if not messengers or len(halves) != 1 or len(rests) != 1:
        return {}
    (index, half), rest = halves[0], rests[0]
    value = e164(half["half"] + rest["half"])
    if sum(char.isdigit() for char in value) not in _DIGITS:
        return {}
    service = messengers[0]
    return {
        index: [FoundHandle(*half.span("half"), service, f"{service}:{value}", obfuscated=True)]
    }
