"""What a handle looks like, apart from the words around it, and handles further on in a sentence.

`likeness` tells names made for a service ("mira_k8", "hugo.73") from words, amounts, versions and
file names. `nearby_handle` takes the first such name behind the name of a service while the
sentence lasts: "Signal for the big files, hugo.73". What could be something else ("gpt4o",
"ana.lima") needs a sign or a word such as "search" right before it.
"""

import re
from dataclasses import dataclass

from nlp import lexicon
from nlp.entities.dictated import dictated_handle
from nlp.entities.files import ENDING
from nlp.entities.passage import Passage
from nlp.entities.services import Service, alternatives

_REACH = 88
_SENTENCE_END = re.compile(r"[.!;](?=\s|$)|[。!;](?=[^\x00-\x7f]|$)|\n[ \t]*\n|\n[ \t]*[-•*>]")
_TOKEN = re.compile(
    r"(?<![a-z0-9_@./#+~-])(?P<at>@)?(?P<handle>~?[a-z0-9*_][a-z0-9_.#*-]{2,65})(?![a-z0-9_@/]|:[a-z0-9])"
)
_CUE = re.compile(
    rf"(?:(?:[,:(=?、]|->|=>|→)\s?|(?<![^\W_])(?:{alternatives(lexicon.read('platforms')['context']['name_cues'])})"
    rf"\s?|(?:{alternatives(lexicon.read('platforms')['context']['name_cues_joined'])})\s?[:]?\s?)[\"'`«“]?$"
)
_ADJACENT = re.compile(r"[\s:(,\"'`-]{0,4}")
# "fig.12" and "v2.1" stand for places and versions; "3rd", "10am", "250gb" count something.
_NUMBERED = re.compile(
    r"(?:fig|art|vol|nos?|nr|sec|sect|chap|ch|cap|pp?|abs|ziff|n[uú]m|ver|rev|v|tel|ext|ref|para?|item|rfc|iso|ieee|doi)\.?\d.*"
    r"|\d+(?:\.\d+)?(?:st|nd|rd|th|am|pm|[kmg]b?|[kmc]?m|mhz|ghz|kg|km|min|hrs?|eur|usd|x\d+|p|d|h)"
)
_IN_FLOW = re.compile(r"[a-zß-ÿ]\s\Z")
_RUN_ON = re.compile(r"[a-z]\.[A-Z][a-z]")


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
    if "." in folded:
        return _dotted(written, folded, has_digit=has_digit)
    if not has_digit or (folded[0].isdigit() and not codes):
        return 0
    if codes or written.isupper():
        return int(codes)
    return 1 if len(folded) >= 5 and "-" not in folded else 0


def _dotted(written: str, folded: str, *, has_digit: bool) -> int:
    parts = folded.split(".")
    if not all(parts) or max(map(len, parts)) < 3 or folded[0].isdigit():
        return 0
    if _RUN_ON.search(written) and not has_digit:
        return 0  # a full stop without a space
    return 2 if has_digit and (len(parts[-1]) >= 2 or len(parts) > 2) else 1


def nearby_handle(
    passage: Passage, service: Service, at: int, stop: int, *, sure: bool = False
) -> FoundHandle | None:
    """The first handle of `service` between `at` and `stop` in the same sentence, or None.

    Where it is `sure` that the service is meant, a name made for some service and offered right
    there counts even if this one would not allow it: people mistype, and rules change.
    """
    folded = passage.folded
    limit = min(stop, at + _REACH, len(folded))
    if sentence := _SENTENCE_END.search(folded, at, limit):
        limit = sentence.start()
    if said := dictated_handle(passage, at, limit):
        start, end, written = said
        if is_led(folded, at, start) and (fits(service, written) or (sure and service.handle)):
            return FoundHandle(start, end, service.id, f"{service.id}:{written}", obfuscated=True)
    for token in _TOKEN.finditer(folded, at, min(len(folded), limit + 68)):
        if token.start() >= limit:
            break
        start = token.start("handle")
        written = folded[start : token.end()].rstrip(".#-")
        end = start + len(written)
        like = likeness(passage.text[start:end], codes=service.codes)
        led = is_led(folded, at, token.start())
        # "the variable start_date": a low line alone, in the flow of words, is no name.
        if "_" in written and not led and _IN_FLOW.search(passage.text, at, token.start()):
            like = 0
        if fits(service, written):
            accepted = bool(token["at"]) or like == 2 or (like == 1 and led)
        else:
            # Spelling out loses the signs inside: "m i r a . 4 1".
            made = like == 2 or (like == 1 and passage.view.is_obfuscated(start, end))
            accepted = sure and led and made and service.kind == "messenger"
        if accepted:
            value = f"{service.id}:{written.lstrip('~')}"
            return FoundHandle(token.start(), end, service.id, value)
    return None


def is_led(folded: str, at: int, start: int) -> bool:
    """Whether what stands at `start` is offered there: right behind `at`, a sign or a cue."""
    return bool(
        _ADJACENT.fullmatch(folded, at, start) or _CUE.search(folded[max(at, start - 32) : start])
    )
