"""Places: territories by their names in all languages, others by the words around them.

"Based in X", "flight to X", "X市": there is no list of cities. Which place it is says nothing; it is
found so that it can be masked.
"""

import re
from collections.abc import Sequence

from nlp.analysis import EntityResult, EntityType
from nlp.entities.everyday import is_everyday
from nlp.entities.names import HAN, UPPER
from nlp.entities.origins import Origin
from nlp.entities.passage import Passage

_WORD = rf"[{UPPER}][^\W\d_]{{1,20}}"
_AFTER_LEAD = {
    "place": re.compile(
        rf" ?(?P<place>{_WORD}(?:[ -](?:(?:de|do|da|del|la|le|sur|am|upon|of) )?{_WORD}){{0,2}})"
    ),
    "place_han": re.compile(
        rf"[:是]?(?P<place>[{HAN}]{{2,4}}?)(?=市|省|见面|見面|面谈|面談|当面|當面|开会|開會|参加|考察|出差|旅行)"
    ),
    "place_arabic": re.compile(r"\s(?:في )?(?P<place>[\u0621-\u064a]{3,14})"),
}
# "in X" says as much as "based in X" where X is no everyday word.
_ANYWHERE = re.compile(
    rf"(?<![^\W\d_])(?:in|near|à|en|em|no|na|в|во|из) (?P<place>{_WORD}(?:[ -](?:(?:de|do|da|del|la|le|sur|am|upon|of) )?{_WORD}){{0,2}})(?![\w'’])"
)
_BEFORE_TERRITORY = re.compile(
    rf"(?<![\w'’-])(?P<place>{_WORD}(?:[ -](?:(?:de|do|da|del|la|le|sur|am|upon|of) )?{_WORD}){{0,2}}), ?\(?$"
)
_BEHIND_FIRM = re.compile(rf", (?P<place>{_WORD}(?: {_WORD}){{0,1}})(?=[ \t]*(?:\n|$))")
_HANGUL_PLACE = re.compile(
    r"(?P<place>[\uac00-\ud7a3]{2,5}?)(?=에서 (?:만나|뵙|열리|개최|미팅)|에 위치|으로 오시|로 오시)"
)


def find_locations(
    passage: Passage,
    origins: Sequence[Origin] = (),
    orgs: Sequence[tuple[int, int]] = (),
    *,
    capital_nouns: bool = False,
) -> list[EntityResult]:
    """LOCATION entities, the value in lower case; where nouns have capitals they show no place."""
    territories = [
        passage.entity(
            EntityType.LOCATION, one.start, one.end, passage.text[one.start : one.end].lower()
        )
        for one in origins
        if one.kind == "territory"
    ]
    matches = [
        pattern.match(passage.text, hit.end)
        for hit in passage.hits("lead")
        if (pattern := _AFTER_LEAD.get(hit.key))
    ]
    if "hangul" in passage.scripts:
        matches += list(_HANGUL_PLACE.finditer(passage.text))
    matches += [
        _BEFORE_TERRITORY.search(passage.text, max(0, one.first - 50), one.first)
        for one in origins
        if one.kind == "territory"
    ]
    matches += [_BEHIND_FIRM.match(passage.text, end) for _, end in orgs]
    if not capital_nouns:
        matches += [
            match
            for match in _ANYWHERE.finditer(passage.text)
            if not is_everyday(match["place"].split(" ")[0])
        ]
    # "no LinkedIn", "в LinkedIn", "in WhatsApp": one is there, too, but it is no place.
    elsewhere = [hit for kind in ("network", "platform") for hit in passage.hits(kind)]
    return territories + [
        passage.entity(EntityType.LOCATION, *match.span("place"), match["place"].lower())
        for match in matches
        if match
        and not any(
            hit.start < match.end("place") and match.start("place") < hit.end for hit in elsewhere
        )
    ]
