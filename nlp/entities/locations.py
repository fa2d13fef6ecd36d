"""Places, by the words around them: "based in X", "flight to X", "X市". No list of places.

Which place it is says nothing; it is found so that it can be masked.
"""

import re

from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import HAN, UPPER
from nlp.entities.passage import Passage

_WORD = rf"[{UPPER}][^\W\d_]{{1,20}}"
_AFTER_LEAD = {
    "place": re.compile(
        rf" (?P<place>{_WORD}(?:[ -](?:(?:de|do|da|del|la|le|sur|am|upon|of) )?{_WORD}){{0,2}})"
    ),
    "place_han": re.compile(
        rf"[:是]?(?P<place>[{HAN}]{{2,4}}?)(?=市|省|见面|見面|面谈|面談|当面|當面|开会|開會|参加|考察|出差|旅行)"
    ),
    "place_arabic": re.compile(r"\s(?:في )?(?P<place>[\u0621-\u064a]{3,14})"),
}
_HANGUL_PLACE = re.compile(
    r"(?P<place>[\uac00-\ud7a3]{2,5}?)(?=에서 (?:만나|뵙|열리|개최|미팅)|에 위치|으로 오시|로 오시)"
)


def find_locations(passage: Passage) -> list[EntityResult]:
    """LOCATION entities, the value in lower case."""
    matches = [
        pattern.match(passage.text, hit.end)
        for hit in passage.hits("lead")
        if (pattern := _AFTER_LEAD.get(hit.key))
    ]
    if "hangul" in passage.scripts:
        matches += list(_HANGUL_PLACE.finditer(passage.text))
    return [
        passage.entity(EntityType.LOCATION, *match.span("place"), match["place"].lower())
        for match in matches
        if match
    ]
