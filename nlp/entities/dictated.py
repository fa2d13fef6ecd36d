"""Handles said aloud: "mira dot forty-one", "lan underscore river (dot) 8".

Only the form is read here; whether a service is meant, and allows it, is for the caller to say.
"""

import re

from nlp.entities.passage import Passage
from nlp.entities.services import alternatives

_DOTS = ["dot", "point", "punkt", "punto", "ponto", "точка", "点", "點", "점", "نقطة"]
_LOW_LINES = [
    *("underscore", "under score", "low line", "tiret bas", "unterstrich", "guion bajo"),
    *("guión bajo", "underline", "sublinhado", "нижнее подчёркивание", "нижнее подчеркивание"),
    *("подчёркивание", "подчеркивание", "下划线", "下劃線", "底線", "언더바", "밑줄", "شرطة سفلية"),
]
_SIGN = rf"\s?[\[({{]?\s?(?:(?P<dot>{alternatives(_DOTS)}|\.)|(?P<line>{alternatives(_LOW_LINES)}|_))\s?[\])}}]?\s?"
_JOIN = re.compile(_SIGN)
_FIRST = re.compile(rf"(?<![\w@.#-])[a-z][a-z0-9]{{1,24}}(?={_SIGN})")
_PIECE = re.compile(r"[a-z0-9]{1,24}(?![a-z0-9])")
_WORD_GAP = re.compile(r"[\s-]?")


def dictated_handle(passage: Passage, at: int, limit: int) -> tuple[int, int, str] | None:
    """(start, end, handle) of the first one that begins in view[at:limit].

    It needs a spoken sign and, so that "the main point is" stays a phrase, a digit or low line.
    """
    folded = passage.folded
    for first in _FIRST.finditer(folded, at, min(len(folded), limit + 40)):
        if first.start() >= limit:
            break
        written, end, spoken = first.group(), first.end(), False
        while (sign := _JOIN.match(folded, end)) and (piece := _piece(passage, sign.end())):
            is_written = sign.group().strip() in {".", "_"}
            if is_written and len(sign.group()) > 1:
                # A full stop with the next sentence behind it.
                break
            written += ("." if sign["dot"] else "_") + piece[1]
            spoken = spoken or not is_written
            end = piece[0]
        tail = re.split(r"[._]", written)[-1]
        if spoken and ("_" in written or tail.isdigit()):
            return first.start(), end, written
    return None


def _piece(passage: Passage, at: int) -> tuple[int, str] | None:
    """Where a piece ends and what it says: letters, digits, or words that are numbers."""
    digits, ten, end = "", 0, at
    for hit in passage.hits("number"):
        if hit.start < end or not hit.key.isdigit():
            continue
        if not _WORD_GAP.fullmatch(passage.folded, end, hit.start):
            break
        value = int(hit.key)
        digits = digits[:-2] + str(ten + value) if ten and 0 < value < 10 else digits + hit.key
        ten = value if value in range(20, 91, 10) else 0
        end = hit.end
    if digits:
        return end, digits
    match = _PIECE.match(passage.folded, at)
    return (match.end(), match.group()) if match else None
