"""Names that stand beside a way to reach somebody: "Eitan (@eitan.l)", "古佩珊，07-5550183", "Moni, (030)".

Whoever gives a number or a handle says whose it is, right before it. Where a name stands plays the
part here, not which name it is. Hangul and Arabic names by such a place: see `eastern`.
"""

import re
from collections.abc import Iterable, Iterator

from nlp import lexicon
from nlp.entities.everyday import is_everyday
from nlp.entities.letters import could_be_name
from nlp.entities.names import HAN, LATIN_FULL_NAME, LATIN_NAME
from nlp.entities.phones import PHONE_LABEL

_SURNAMES = lexicon.read("names")["surname"]
_HAN_SHORT = (
    f"(?:(?:{'|'.join(_SURNAMES['han_two'].split())})[{HAN}]{{1,2}}"
    f"|[{''.join(_SURNAMES['han'].split())}][{HAN}]{{1,2}}|[小老阿][{HAN}]{{1,2}})"
)
_GAP = (
    r"(?:[,，、:：]|\s?[(（]|[,，]?\s(?:an|at|on|au|unter|sur|auf|al|no|под|по|на))?\s?[(（]?\+?$"
)
_LATIN = re.compile(rf"(?<![\w.@/'’-])(?P<name>{LATIN_NAME}){_GAP}")
# A post, a kin or a verb of asking ends before the name: "專員古佩珊", "请洽盧怡靜", "爸爸阮光輝".
# "Grace Tan, Orme Perspectives, +44 ...": the first of a line is somebody, the second a house.
_FOR_HOUSE = re.compile(
    rf"(?:^|\n)(?P<name>{LATIN_FULL_NAME})(?:, | (?:of|von|de|da|do|from) )[^\n,.]{{2,40}}{_GAP}"
)
_IN_HAN = re.compile(
    rf"(?:(?<![{HAN}])|(?<=[員员長长師师任记計计事理授生友问問洽找知系報报妈媽爸辑辦办工姐哥弟妹司機机隊队闆板窗口服絡络]))"
    rf"(?P<name>{_HAN_SHORT})(?:电话|電話|手机|手機|分机|分機|座机|座機|Line|LINE|Skype)?{_GAP}"
)
_WINDOW, _MOST_WORDS = 48, 3
_LINE_WINDOW = 96


def named_beside(text: str, contacts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Names right before the places where numbers and handles start."""
    for contact in contacts:
        before = text[max(0, contact - _WINDOW) : contact]
        shift = contact - len(before)
        line = text[max(0, contact - _LINE_WINDOW) : contact]
        if (match := _FOR_HOUSE.search(line)) and not any(
            map(is_everyday, match["name"].split(" "))
        ):
            yield contact - len(line) + match.start("name"), contact - len(line) + match.end("name")
        elif match := _LATIN.search(before):
            words = match["name"].split(" ")
            # "Tel", "Büro" and the first word of a sentence are no names.
            is_label = PHONE_LABEL.fullmatch(match["name"].lower().rstrip(".")) is not None
            if (
                not is_label
                and len(words) <= _MOST_WORDS
                and not any(
                    is_everyday(word) or (word.isupper() and len(word) > 1) for word in words
                )
            ):
                yield shift + match.start("name"), shift + match.end("name")
        elif (match := _IN_HAN.search(before)) and could_be_name(match["name"]):
            yield shift + match.start("name"), shift + match.end("name")
