"""Extensions of a house: "ext. 3302", "分機 7755", "доб. 3", "내선 5507", "تحويلة 2255".

A telephone number by its label alone, for colleagues who leave out the rest. Nobody outside of the
house can be reached by it: the flag `extension` says that it is no way to leave the mail, and it is
not masked as one.

Standards: RFC 3966 §5.3 (the value is `;ext=7755`).
"""

import re
from collections.abc import Iterator
from itertools import islice

import re2

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import MAX_HITS, Passage
from nlp.entities.phones import FoundPhone

EXTENSION = "extension"
_SPACED = (
    r"ext|extn|extension|poste|durchwahl|nebenstelle|dw|apparat|ramal|interno|extensi[óo]n|"
    r"доб|добавочный|внутр|внутренний|местный"
)
_JOINED = r"(?:校内|校內|内线|內線)?(?:分機|分机)|內線|内线|내선(?:번호)?|교환|تحويلة|فرعي|التحويلة|الداخلي|داخلي|热线|熱線|请拨打?|請撥打?|拨打|撥打"
_LABELLED = re2.compile(
    rf"(?i)(?:(?:^|[^\pL\pN_])(?:{_SPACED})(?:\.|[ :#])|(?:{_JOINED}))[ :：#]{{0,3}}(\d{{2,6}}|\d(?:-?\d{{2}}){{1,2}}|\d)"
)
# "extension 3 of the deadline" and "ext4" are none; a number of the house ends there.
_ENDS = re.compile(r"\s*(?:$|[.,;:!?)\]\n»\"'—–]|[^\x00-\x7f])(?!\d)")


def find_extensions(passage: Passage, phones: list[FoundPhone]) -> Iterator[EntityResult]:
    """PHONE entities of extensions that stand alone or behind a number."""
    folded = passage.folded
    if not passage.digits:
        return
    for match in islice(_LABELLED.finditer(folded), MAX_HITS):
        start, end = match.span()
        start += not (folded[start].isalnum())
        # "514 555-0123, poste 44" is one number, and found.
        if not _ENDS.match(folded, end) or any(p.start < end and start < p.end + 4 for p in phones):
            continue
        digits = "".join(str(int(char)) for char in match.group(1) if char.isdigit())
        yield passage.entity(EntityType.PHONE, start, end, f";ext={digits}", flags=(EXTENSION,))
