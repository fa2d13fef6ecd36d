"""Organisations: legal forms and kinds of house in the name, "from/at NAME", vague principals.

By structure only; no list of firms. A principal that stays unnamed ("our client", "委托方") is an
ORG with flag `vague` and the phrase as its value.
"""

import re
from collections.abc import Iterable, Iterator

from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import HAN, LETTER, UPPER
from nlp.entities.passage import Hit, Passage

_WORD = rf"[{UPPER}](?:{LETTER}|[\d_&’'-]|\.(?=\w)){{0,28}}"
_TO_THE_LEFT = re.compile(
    rf"(?<!{LETTER})(?<!\d)(?:{_WORD}[ -](?:(?:&|and|of|for|de|for the|of the|et) )?){{1,4}}$"
)
_LEGAL_FORM = re.compile(r"\.?(?:,? (?:Inc|LLC|Ltd|GmbH|SA|Pte|Pty|Co|Limited)\b)*")
_ADJECTIVE = (
    r"(?: (?:national|nationale|nationaux|technique|technologique|polytechnique|catholique|libre|autonome|centrale?|supérieure?|fédérale?"
    r"|internationale?|technische|technischen|freie|freien|nacional|autónoma|pública|técnica|tecnológica|católica|federal|estadual"
    r"|politécnica|superior|central|государственн\w+|технич\w+|национальн\w+|федеральн\w+|имени))"
)
_TO_THE_RIGHT = re.compile(
    rf"{_ADJECTIVE}{{0,2}} (?:(?:of the|of|for|de la|de|du|des|d['’]|del|da|do|für|zur|the|для) ?){{0,2}}[«\"]?"
    rf"{_WORD}(?: (?:(?:and|et|y|e|und|de|do|da|del|of|d['’]|и) ?)?{_WORD}){{0,4}}[»\"]?"
)
_BEFORE_CYRILLIC = re.compile(
    r"(?:[А-ЯЁ][а-яё]+(?:ский|ный|ский|ская|ная|ского|ного|ском|ном) )(?:[а-яё]+(?:ский|ный|ская|ная|ского|ного|ском|ном) ){0,2}$"
)
_QUOTED = re.compile(
    r"(?:ООО|АО|ПАО|ОАО|ЗАО|НИИ|ФГУП|АНО|НКО|компани\w*|центр\w*|фонд\w*|агентств\w*|институт\w*) ?[«\"“][^»\"”\n]{2,60}[»\"”]"
)
_AFFILIATION = re.compile(
    r"(?P<before>[^.!?\n]{0,48}?) (?P<link>at|with|from|for|on behalf of|of|chez|pour|bei|von|en|de|na|da) (?:the )?"
    rf"(?P<org>{_WORD}(?: (?:& )?{_WORD}){{0,3}})"
)
_PARTICLES = frozenset({"von", "de", "da"})
_PRINCIPAL = re.compile(rf" (?:the )?(?P<org>{_WORD}(?: (?:& )?{_WORD}){{0,3}})")
_HAN_RUN = re.compile(rf"[{HAN}A-Za-z0-9()]{{2,16}}$")
_HAN_LEAD = re.compile(
    r"^.*(?:我是|我在|来自|來自|任职于|就职于|代表|我们是|我們是|叫|的|在|和|与|與|是)"
)
_HAN_GENERIC = frozenset("一家某这那本贵该您我你几")
_HANGUL_RUN = re.compile(r"[\uac00-\ud7a3A-Za-z0-9]{2,12}$")
_HANGUL_PREFIXED = re.compile(r"(?:㈜|\(주\) ?|주식회사 ?)[\uac00-\ud7a3A-Za-z0-9]{2,20}")
_ARABIC_REST = re.compile(r"(?: [\u0621-\u064a]{2,16}){1,3}")


def locate_orgs(passage: Passage, origins: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Where the text names an organisation; `origins` are the places of countries and languages."""
    known = frozenset(origins)
    return list(dict.fromkeys(_named(passage, known)))


def find_orgs(passage: Passage, located: list[tuple[int, int]] | None = None) -> list[EntityResult]:
    """ORG entities, named and vague."""
    text = passage.text
    results = [
        passage.entity(
            EntityType.ORG,
            hit.start,
            hit.end,
            passage.folded[hit.start : hit.end],
            flags=("vague",),
        )
        for hit in passage.hits("principal")
    ]
    for start, end in locate_orgs(passage) if located is None else located:
        name = text[start:end].rstrip(" .-'’")
        results.append(passage.entity(EntityType.ORG, start, start + len(name), name.lower()))
    return results


def _named(passage: Passage, origins: frozenset[int]) -> Iterator[tuple[int, int]]:
    text = passage.text
    for hit in passage.hits("org_tail"):
        yield from _WITH_TAIL[hit.key](text, hit)
    for hit in passage.hits("org_head"):
        if hit.key == "arabic":
            if match := _ARABIC_REST.match(text, hit.end):
                yield hit.start, match.end()
            continue
        before = _BEFORE_CYRILLIC.search(text, max(0, hit.start - 60), hit.start)
        if before:
            named = _TO_THE_RIGHT.match(text, hit.end)
            yield before.start(), named.end() if named else hit.end
        elif text[hit.start].isupper() and (match := _TO_THE_RIGHT.match(text, hit.end)):
            yield hit.start, match.end()
    for hit in passage.hits("lead"):
        if hit.key in ("affiliated", "on_behalf"):
            pattern = _AFFILIATION if hit.key == "affiliated" else _PRINCIPAL
            match = pattern.match(text, hit.end)
            if match is None or match.start("org") in origins:
                continue  # "from Canada", "a speaker of English"
            if not (hit.key == "affiliated" and _is_inside_name(match)):
                yield match.span("org")
    if "cyrillic" in passage.scripts:
        yield from (match.span() for match in _QUOTED.finditer(text))
    if "hangul" in passage.scripts:
        yield from (match.span() for match in _HANGUL_PREFIXED.finditer(text))


def _is_inside_name(match: re.Match[str]) -> bool:
    """Whether the link is a particle of a name: "João da Silva"."""
    last_word = match["before"].rpartition(" ")[2]
    return match["link"] in _PARTICLES and not last_word[:1].islower()


def _latin_name(text: str, tail: Hit) -> Iterator[tuple[int, int]]:
    left = _TO_THE_LEFT.search(text, max(0, tail.start - 90), tail.start)
    if left and text[tail.start].isupper():
        form = _LEGAL_FORM.match(text, tail.end)
        yield left.start(), form.end() if form else tail.end


def _hangul_name(text: str, tail: Hit) -> Iterator[tuple[int, int]]:
    if left := _HANGUL_RUN.search(text, max(0, tail.start - 12), tail.start):
        yield left.start(), tail.end


def _han_name(text: str, tail: Hit) -> Iterator[tuple[int, int]]:
    run = _HAN_RUN.search(text, max(0, tail.start - 16), tail.start)
    if run is None:
        return
    lead = _HAN_LEAD.match(run.group())
    start = run.start() + (lead.end() if lead else 0)
    if tail.end - start >= 4 and start < tail.start and text[start] not in _HAN_GENERIC:
        yield start, tail.end


_WITH_TAIL = {"latin": _latin_name, "han": _han_name, "hangul": _hangul_name}
