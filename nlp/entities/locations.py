"""Places, by the words around them: "based in X", "flight to X", "X市". No list of places.

Which place it is says nothing; it is found so that it can be masked.
"""

import re

from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import HAN, UPPER
from nlp.entities.passage import Passage

_PLACE = rf"[{UPPER}][^\W\d_]{{1,20}}(?:[ -](?:(?:de|do|da|del|la|le|sur|am|upon|of) )?[{UPPER}][^\W\d_]{{1,20}}){{0,2}}"
_CUED = re.compile(
    r"(?<![^\W_])(?i:based in|located in|live in|living in|office in|offices in|meet in|meeting in|visit to|trip to|travel to|"
    r"travelling to|flights? to|fly to|flying to|come to|coming to|conference in|held in|event in|role in|position in|post in|"
    r"in the city of|out of|basée? à|située? à|poste à|bureaux à|voyage à|rendez-vous à|réunion à|vol pour|invit\w+ à|déplacement à|"
    r"mit sitz in|sitz in|standort|büro in|treffen in|reise nach|flug nach|nach|con sede en|oficina en|viaje a|vuelo a|reunión en|"
    r"com sede em|escritório em|viagem a|viagem para|voo para|reunião em|находится в|офис в|поездка в|встреча в|перелёт в|конференция в)"
    rf" (?P<place>{_PLACE})"
)
_HAN_PLACE = re.compile(
    rf"(?:在|来|到|去|飞|地点[:是]?|位于|前往|赴)(?P<place>[{HAN}]{{2,4}}?)(?=市|省|见面|面谈|当面|开会|参加|考察|工作|出差|旅行|[,，.。]|$)"
)
_HANGUL_PLACE = re.compile(
    r"(?P<place>[\uac00-\ud7a3]{2,5}?)(?=에서 (?:만나|뵙|열리|개최|미팅)|에 위치|으로 오시|로 오시)"
)
_ARABIC_PLACE = re.compile(
    r"(?:مقرها|مقره|زيارة|السفر إلى|رحلة إلى|اللقاء في|الاجتماع في|مكتبنا في|مؤتمر في)\s(?:في )?(?P<place>[\u0621-\u064a]{3,14})"
)
_PATTERNS = (_CUED, _HAN_PLACE, _HANGUL_PLACE, _ARABIC_PLACE)


def find_locations(passage: Passage) -> list[EntityResult]:
    """LOCATION entities, the value in lower case."""
    return [
        passage.entity(EntityType.LOCATION, *match.span("place"), match["place"].lower())
        for pattern in _PATTERNS
        for match in pattern.finditer(passage.text)
    ]
