"""E-mail addresses in text, plain or disguised: `name (at) host (dot) org`, `name @ host . org`.

All free-mail providers are one class; which one it is says nothing.

Standards: RFC 5321 §4.1.2 (shape, loosely: text is not an envelope).
"""

import re
from dataclasses import dataclass

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import Hit, Passage

_INTERNET = lexicon.read("internet")
_FREE_MAIL = frozenset(_INTERNET["free_mail"])
_FREE_FAMILIES = frozenset(_INTERNET["free_mail_families"])

_MAX_SIGNS = 300
_LOCAL_BACK = re.compile(r"[a-z0-9_%+'&=](?:[a-z0-9._%+'&=-]*[a-z0-9_%+'&=-])?$")
_LOCAL_BACK_UNICODE = re.compile(r"[^\W\d_][\w.+-]*$")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z0-9-]{2,24}(?![a-z0-9@-])")
_DOMAIN_UNICODE = re.compile(r"[^\W_](?:[\w-]{0,62}\.)+[^\W\d_]{2,24}")

_DOT_WORD = r"(?:\s?[\[({]\s?(?:\.|dot|punkt|point|punto|ponto|точка|点|點|점|نقطة)\s?[\])}]\s?|\s(?:dot|punkt|point|punto|ponto|точка|点|點|점|نقطة)\s|\s?(?:点|點)\s?)"
_DOMAIN_ANY_DOT = re.compile(
    rf"[a-z0-9-]{{2,63}}(?:(?:{_DOT_WORD}|\s?\.\s?)(?:[a-z0-9-]{{2,24}})){{1,3}}(?![a-z0-9@])"
)
_DOMAIN_WORD_DOT = re.compile(
    rf"[a-z0-9-]{{2,63}}(?:{_DOT_WORD}[a-z0-9-]{{2,24}}){{1,3}}(?![a-z0-9@])"
)
_LOCAL_WORDS_BACK = re.compile(
    rf"[a-z0-9_+-]{{1,64}}(?:(?:{_DOT_WORD}|\.)[a-z0-9_+-]{{1,64}}){{0,2}}$"
)
_DOT_SPELLED = re.compile(rf"{_DOT_WORD}|\s?\.\s?")


@dataclass(frozen=True, slots=True)
class FoundEmail:
    """An address at view[start:end], normalised; `obfuscated` if the text disguised it."""

    start: int
    end: int
    address: str
    obfuscated: bool = False


def locate_emails(passage: Passage) -> list[FoundEmail]:
    """All addresses of a passage in text order."""
    folded = passage.folded
    found = [email for at in _positions(folded) if (email := _plain(folded, at))]
    for sign in passage.hits("at_sign"):
        if any(email.start < sign.end and sign.start < email.end for email in found):
            continue
        if email := _disguised(folded, sign):
            found.append(email)
    found.sort(key=lambda email: email.start)
    return found


def find_emails(passage: Passage, found: list[FoundEmail] | None = None) -> list[EntityResult]:
    """EMAILADDR entities, lower case, flag `freemail` for any free-mail provider."""
    results = []
    for email in locate_emails(passage) if found is None else found:
        flags = ("obfuscated",) if email.obfuscated else ()
        if is_free_mail(email.address):
            flags = (*flags, "freemail")
        results.append(
            passage.entity(EntityType.EMAILADDR, email.start, email.end, email.address, flags=flags)
        )
    return results


def is_free_mail(address: str) -> bool:
    """Whether the domain of `address` gives mailboxes to anybody."""
    domain = address.rpartition("@")[2].lower()
    if domain in _FREE_MAIL:
        return True
    first, _, rest = domain.partition(".")
    return first in _FREE_FAMILIES and rest.count(".") <= 1


def _positions(text: str) -> list[int]:
    positions: list[int] = []
    at = text.find("@")
    while at != -1 and len(positions) < _MAX_SIGNS:
        positions.append(at)
        at = text.find("@", at + 1)
    return positions


def _plain(text: str, at: int) -> FoundEmail | None:
    local = _LOCAL_BACK.search(text, max(0, at - 65), at)
    domain = _DOMAIN.match(text, at + 1)
    if local is None:
        local = _LOCAL_BACK_UNICODE.search(text, max(0, at - 65), at)
    if domain is None:
        domain = _DOMAIN_UNICODE.match(text, at + 1)
    if local is None or domain is None:
        return None
    start = local.start() + (local.group()[0] == "'")
    name = domain.group()
    if start >= at or name.rpartition(".")[2].isdigit():
        return None
    return FoundEmail(start, domain.end(), f"{text[start:at]}@{name}")


def _disguised(text: str, sign: Hit) -> FoundEmail | None:
    start = sign.start - text[max(0, sign.start - 1) : sign.start].isspace()
    end = sign.end + text[sign.end : sign.end + 1].isspace()
    local = _LOCAL_WORDS_BACK.search(text, max(0, start - 80), start)
    # A plain "at" between words is an address only if the dot is spelled out as well.
    is_word = text[sign.start : sign.end] == " at "
    domain = (_DOMAIN_WORD_DOT if is_word else _DOMAIN_ANY_DOT).match(text, end)
    if local is None or domain is None:
        return None
    name = _DOT_SPELLED.sub(".", domain.group()).replace(" ", "")
    last = name.rpartition(".")[2]
    if not (last.isascii() and last.isalpha()) or (sign.key != "sure" and len(last) > 6):
        return None
    who = _DOT_SPELLED.sub(".", local.group())
    return FoundEmail(local.start(), domain.end(), f"{who}@{name}", True)
