"""What a handle looks like, apart from the words around it.

`likeness` tells names made for a service ("mira_k8", "hugo.73") from words, amounts, versions and
file names. A plain word is a name only if letters do not use it anyway (`is_uncommon`): who asks
must have a stronger reason than its shape.
"""

import re
from dataclasses import dataclass

from nlp import lexicon
from nlp.entities.files import ENDING
from nlp.entities.services import Service

# "fig.12" and "v2.1" stand for places and versions; "3rd", "10am", "250gb" count something.
_NUMBERED = re.compile(
    r"(?:fig|art|vol|nos?|nr|sec|sect|chap|ch|cap|pp?|abs|ziff|n[uú]m|ver|rev|v|tel|ext|ref|para?|item|rfc|iso|ieee|doi)\.?\d.*"
    r"|\d+(?:\.\d+)?(?:st|nd|rd|th|am|pm|[kmg]b?|[kmc]?m|mhz|ghz|kg|km|min|hrs?|eur|usd|x\d+|p|d|h)"
)
_HEX = re.compile(r"(?=(?:[a-f]*\d){3})[0-9a-f]{8,}")
_RUN_ON = re.compile(r"[a-z]\.[A-Z][a-z]")
_PLAIN = re.compile(r"[A-Za-z][a-z]+(?:[A-Z][a-z]+)*(?:[-.][A-Za-z]?[a-z]+){0,3}")
# Endings by which words of the corpus' Latin languages are told from names that nobody has seen.
_ENDINGS = re.compile(
    r".*(?:able|ible|ing|ings|ed|ly|tion|tions|sion|ment|ments|ness|ful|less|ous|ive|ity|"
    r"bar|lich|liche|lichen|isch|ung|ungen|keit|heit|mente|ção|ções|ando|endo|iendo|ados?|adas?|idos?|idas?|"
    r"aire|aires|if|ifs|al|ale|ales|eur|eurs|euse|ique|iques|antes?|entes?|eux|ait|aient|ez|erait|iert|ieren|arse|irse|aram|eram)"
)
_ORDINARY = frozenset(lexicon.read("ordinary_words")["words"].split())
_NOT_HANDLES = frozenset(lexicon.read("platforms")["context"]["not_handles"])
_SERVICE_NAMES = frozenset(
    name.removesuffix("*")
    for service in lexicon.read("platforms")["service"]
    for kind in ("names", "common", "slang")
    for name in map(str.lower, service.get(kind, ()))
)
_MIN_PLAIN = 4


@dataclass(frozen=True, slots=True)
class FoundHandle:
    """A handle at view[start:end] of `service`."""

    start: int
    end: int
    service: str
    value: str
    obfuscated: bool = False


def fits(service: Service, written: str) -> bool:
    """Whether the service allows it."""
    return service.handle is not None and service.handle.fullmatch(written) is not None


def takes_names(service: Service) -> bool:
    """Whether people are found there at all; which names it allows is for `fits`."""
    return service.handle is not None or service.kind == "messenger"


def likeness(written: str, *, codes: bool = False) -> int:
    """2: made to be a name on a service; 1: perhaps one; 0: something else.

    `written` keeps its case; `codes` says that the service hands out codes.
    """
    folded = written.lower()
    letters = sum(char.isalpha() for char in folded)
    has_digit = any(char.isdigit() for char in folded)
    if letters < 2 or _NUMBERED.fullmatch(folded) or ENDING.search(folded):
        return 0
    if "_" in folded.strip("_") or "#" in folded[2:]:
        return 2
    if folded[0].isalpha() and folded.endswith("_"):
        return 1
    if "." in folded:
        return _dotted(written, folded, has_digit=has_digit)
    if not has_digit or (folded[0].isdigit() and not codes):
        return 0
    if not codes and _HEX.fullmatch(folded):
        return 0  # an address in memory, the number of a commit
    if codes or written.isupper():
        return int(codes)
    return 1 if len(folded) >= 5 else 0


def _dotted(written: str, folded: str, *, has_digit: bool) -> int:
    parts = folded.split(".")
    if not all(parts) or max(map(len, parts)) < 3 or folded[0].isdigit():
        return 0
    if _RUN_ON.search(written) and not has_digit:
        return 0  # a full stop without a space
    return 2 if has_digit and (len(parts[-1]) >= 2 or len(parts) > 2) else 1


def is_uncommon(written: str, *, among_latin: bool) -> bool:
    """Whether a word of plain letters is none that letters use; `written` keeps its case.

    Among Latin words a capital says that it is a name of something else.
    """
    if not _PLAIN.fullmatch(written) or len(written) < _MIN_PLAIN:
        return False
    if among_latin and written[0].isupper() and written[1:].islower():
        return False
    folded = written.lower()
    if folded in _NOT_HANDLES or folded in _SERVICE_NAMES or ENDING.search(folded):
        return False
    if "-" in folded or "." in folded:
        pieces = re.split(r"[-.]", folded)
        return not all(piece in _ORDINARY or len(piece) < _MIN_PLAIN for piece in pieces)
    return folded not in _ORDINARY and not (among_latin and _ENDINGS.fullmatch(folded))
