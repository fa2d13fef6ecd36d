"""People: display names, introductions, forms of address, the name under a letter.

Rules of structure in every supported language; no list of given names and nothing is guessed from
a name. A name that is found once is found again wherever the mail repeats it, or a part of it. What
is found serves masking and correlation, never a score.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.beside import named_beside
from nlp.entities.eastern import find_eastern
from nlp.entities.everyday import FUNCTION, is_everyday
from nlp.entities.letters import could_be_name, greeted_alone, signed
from nlp.entities.names import (
    EASTERN_RUN,
    FULL_NAME,
    LATIN_FULL_NAME,
    LATIN_NAME,
    LED_NAME,
    LETTER,
    NAME,
    PARTICLES,
    UPPER,
)
from nlp.entities.passage import Hit, Passage

_MAX_NAMES = 60
_MAX_PLACES = 30

# What follows a lead of `entities.toml`, by the kind of lead.
_TITLE = r"(?:(?:Dr|Prof|Ing|PhD|Mr|Mrs|Ms|Mme|M|Herr|Frau|Sr|Sra|Dra|г-н|г-жа)\.? )?"
_AFTER_LEAD = {
    "introduced": re.compile(rf"(?: is| est| ist| es| é| —| -)?[,:]? ?(?P<name>{NAME})"),
    "i_am": re.compile(
        rf" (?P<name>{FULL_NAME}|{NAME}(?=,? (?:from|with|of|at|and I|de chez|du|de|von|vom|bei|de la|del|da|do|из|от|aus)\b|[,.!]|$))"
    ),
    "addressed": re.compile(rf"\.? (?P<name>{_TITLE}{NAME})"),
    "greeted": re.compile(rf"[,،，:.]? ?(?P<name>{_TITLE}{NAME})(?=[,،，!！.:：;\s–—-]|$)"),
    "thanked": re.compile(rf"[,:]? (?P<name>{NAME})(?=[,.!:\n]|$)"),
    "near": re.compile(rf" (?P<name>{_TITLE}{NAME})"),
}
_AFTER_ROLE = re.compile(rf" (?P<name>{_TITLE}{LED_NAME})")
# A form of address is written small only if it is a word and not the name of a thing.
_SMALL_TITLES = frozenset(lexicon.read("names")["title"]["small"].split())
_LINE_START = re.compile(r"(?:^|\n)[ \t>]*$")
_NOT_NAMES = frozenset(lexicon.read("names")["nobody"]["spaced"].split())
_OFFICES = frozenset(lexicon.read("names")["nobody"]["offices"].split())
# Behind a whole word a full stop ends the sentence: "Hola, doctora. Lo prometido".
_LONGEST_SHORTENED = 4
_SHORTENED = frozenset(
    ("dr", "dra", "mr", "mrs", "ms", "prof", "sr", "sra", "exmo", "exma", "eng", "ing")
)
_FORMS = frozenset(
    word
    for kind in ("addressed", "greeted")
    for phrase in lexicon.read("entities")["lead"][kind]
    for word in phrase.replace(".", "").split()
)
_AFTER = re.compile(rf"(?P<name>{LATIN_NAME}) $")
_SPOKEN_FROM = re.compile(
    rf"(?P<name>{NAME}),? (?:from|de|von|vom|da|do|из|с|via|on|sur|auf|en|no) $"
)
_RUN = re.compile(rf"(?<![\w.@/'’-])(?P<name>{LATIN_FULL_NAME})(?![\w@/]| ?!)")
_GERMAN = re.compile(
    r"\b(?:und|der|die|das|ist|nicht|für|mit|Sie|wir|eine[nmr]?|zu[mr]?|bei|auf|Ihre[nmrs]?)\b"
)
_BEFORE_PLACE = re.compile(
    r"(?<![^\W_])(?:\d+|in|at|of|the|near|à|en|au|la|le|l['’]|du|em|no|na|da|do|el|del|im|nach|в|на|из)(?: |(?<=['’]))$"
)
_IN_PLACE = re.compile(r"(?<![^\W_])(?:in|at|of|from|near|à|en|em|no|na|nach|в|из) $")
_LINKS = ("at", "join", "joining", "chez", "bei", "na", "no", "de")
_WORD = re.compile(r"[^\W_]+(?:['’.-]+[^\W_]+)*")
_IN_LATIN = re.compile(
    rf"(?<=[A-Za-zÀ-ɏ,.:;!?] )(?P<name>{EASTERN_RUN})(?= [A-Za-zÀ-ɏ(]|[,.:;!?)]|$)", re.MULTILINE
)
_UNSPACED = frozenset({"han", "kana", "hangul"})
# A name in Latin letters in a text of others: a whole one, or one that a particle ties to its clause.
_IN_EASTERN = re.compile(
    rf"(?<![A-Za-z0-9_@./-])(?<![A-Za-z]['’])(?:(?P<full>{LATIN_FULL_NAME})|(?<=[、,。和与與跟找问問叫給给是的])[{UPPER}]{LETTER}{{2,15}}"
    r"(?=[、，。说說会會已和与與跟女先老小来來]))(?![A-Za-z0-9_@/.-])(?!['’][A-Za-z])"
)
_LATIN_LETTERS = re.compile(r"[A-Za-zÀ-ɏ]")
_EASTERN_LETTERS = re.compile(r"[\u0590-\u06ff\u3041-\u9fff\uac00-\ud7a3]")
_VOCATIVE = re.compile(rf", (?P<name>[{UPPER}](?:{LETTER}|['’-](?={LETTER})){{2,20}})(?=[.!?])")
_TOP = 160
_NO_NAMES = ("sector", "clearance", "role", "principal")
_TRAILING_PARTICLE = re.compile(r"(?:\s+(?:de|da|do|du|of|from|von|vom|at|di|la|le|e|y))+$")
_RELAYED = re.compile(r"\s+(?:via|through|über|par|у|通过|经由)\s.*$")
_POST_NOMINAL = re.compile(r",\s.*$|\s*[\(（|/].*$|\s[-–—]\s.*$")
_PARTICLES = frozenset(PARTICLES.split("|"))
_HAN_CHAR = re.compile(r"[\u3400-\u9fff]")
_RUSSIAN_ENDING = re.compile(r"(?:[аяуюеыио]|ом|ем|ой|ей|ым|им|ого|ому|ую)?")
_LEAST_DECLINED = 4


def find_people(
    passage: Passage,
    stops: Sequence[int] = (),
    taken: Sequence[tuple[int, int]] = (),
    *,
    contacts: Sequence[int] = (),
    capital_nouns: bool = False,
) -> list[tuple[int, int]]:
    """Where the passage names somebody; a name ends where one of `stops` begins.

    `stops` are the starts of firms, services and networks; `taken` is what is known to be no name;
    `contacts` are the starts of numbers and handles; where nouns have capitals, they show no name.
    """
    text = passage.text
    known = [(hit.start, hit.end) for kind in _NO_NAMES for hit in passage.hits(kind)]
    taken = [*taken, *known]
    spans = [
        *_after_leads(passage, taken),
        *_before_leads(passage),
        *find_eastern(text, passage.scripts),
        *(
            span
            for span in named_beside(text, contacts)
            if span[0] not in stops and not _overlaps(*span, taken)
        ),
        *(() if capital_nouns else _runs(text, taken)),
    ]
    if passage.segment.source in ("body", "signature"):
        spans += signed(text, passage.segment.source == "signature")
    if passage.segment.source == "body":
        spans += greeted_alone(text)
        spans += [
            match.span("name")
            for match in _VOCATIVE.finditer(text, 0, _TOP)
            if not is_everyday(match["name"]) and not _overlaps(*match.span("name"), taken)
        ]
    if passage.scripts & _UNSPACED:
        spans += [
            match.span()
            for match in _IN_EASTERN.finditer(text)
            if not _overlaps(*match.span(), taken)
            and match.start() not in stops
            and not any(map(is_everyday, match.group().split(" ")))
            and not any(len(word) > 1 and word.isupper() for word in match.group().split(" "))
        ]
    if passage.scripts and _is_latin(text):
        spans += [
            match.span("name") for match in _IN_LATIN.finditer(text) if could_be_name(match["name"])
        ]
    kept = []
    for first, last in dict.fromkeys(spans):
        start, end = _cut(text, (first, last), stops)
        name = text[start:end]
        if not name or not _is_somebody(name):
            continue
        # "Prefiero Signal.": without the service it is a word.
        if end == last or not is_everyday(name):
            kept.append((start, end))
    return list(dict.fromkeys(kept))


def people_again(
    passage: Passage, names: Iterable[str], found: Iterable[str] = ()
) -> list[tuple[int, int]]:
    """Where the passage repeats a name, or a part of one.

    Of those that were only `found` in a text, which may be a house's, no everyday word is a part.
    """
    names = list(names)
    given = frozenset(names)
    names += found
    spans: list[tuple[int, int]] = []
    text = passage.text
    for name in list(dict.fromkeys(names))[:_MAX_NAMES]:
        if (name.islower() and all(map(is_everyday, name.split()))) or not could_be_name(name):
            continue
        value = person_value(name)
        spans += _recurring(passage.folded, value)
        for part in name_parts(name):
            if name not in given and is_everyday(part):
                continue
            spans += _part_again(text, part)
            spans += _part_again(text, part.upper())
    return list(dict.fromkeys(spans))


def entity_of(passage: Passage, start: int, end: int) -> EntityResult:
    """The PERSON at a place of the passage."""
    return passage.entity(EntityType.PERSON, start, end, person_value(passage.text[start:end]))


def person_value(name: str) -> str:
    """A name without the marks around it: quotes, "via ..." of a relay, post-nominals."""
    name = _RELAYED.sub("", name.strip()[:200].strip("\"'“”«»"))
    return _POST_NOMINAL.sub("", name).strip().lower()


def name_parts(name: str) -> list[str]:
    """Words of a full name that may stand for the whole: capitalised, no particle, no word of all days."""
    name = _POST_NOMINAL.sub("", _RELAYED.sub("", name))
    words = [word for word in _WORD.findall(name) if word.lower() not in _PARTICLES]
    if len(words) < 2 or any(word.lower() in _NOT_NAMES for word in words):
        return []
    return [
        word
        for word in words
        if len(word) >= 2 and word[0].isupper() and word.lower() not in FUNCTION
    ]


def _is_latin(text: str) -> bool:
    """Whether names in Eastern letters stand in a text of Latin ones."""
    latin = len(_LATIN_LETTERS.findall(text))
    return latin >= 30 and latin > 2 * len(_EASTERN_LETTERS.findall(text))


def _is_somebody(name: str) -> bool:
    words = _WORD.findall(name.lower())
    if not words or words[0].strip(".") in _NOT_NAMES:
        return False
    if all(word.strip(".") in _OFFICES for word in words):
        return False
    if all(word.strip(".") in _FORMS for word in words):
        return False  # "Estimado Dr": the name stands behind it
    if len(words) == 1 and len(words[0]) == 1 and words[0].isascii():
        return False
    return name.lower() not in _NOT_NAMES


def _after_leads(passage: Passage, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    text = passage.text
    for hit in passage.hits("lead"):
        pattern = _AFTER_LEAD.get(hit.key)
        if pattern is None or not _may_lead(text, hit):
            continue
        if match := pattern.match(text, hit.end):
            name = match["name"]
            if _is_next_sentence(text, hit, match):
                continue
            if hit.key in ("i_am", "near", "thanked") and (
                _is_wordy(name, strict=hit.key == "near") or _overlaps(*match.span("name"), taken)
            ):
                continue
            yield match.span("name")
    for hit in passage.hits("role"):
        match = _AFTER_ROLE.match(text, hit.end)
        if match and not (
            _is_wordy(match["name"], strict=True) or _overlaps(*match.span("name"), taken)
        ):
            yield match.span("name")


def _is_next_sentence(text: str, hit: Hit, match: re.Match[str]) -> bool:
    """Whether a full stop parts the lead from a word that only begins the next sentence."""
    if not text[hit.end : match.start("name")].startswith("."):
        return False
    word = text[hit.start : hit.end].lower().rpartition(" ")[2]
    if word in _SHORTENED:
        return False
    if hit.key == "greeted":
        ends = text[match.end() : match.end() + 1]
        return ends not in (",", "!", ":", ".", "") or any(map(is_everyday, match["name"].split()))
    return hit.key == "addressed" and len(word) > _LONGEST_SHORTENED


def _may_lead(text: str, hit: Hit) -> bool:
    if hit.key == "addressed":
        word = text[hit.start : hit.end].lower()
        return not text[hit.start].islower() or word in _SMALL_TITLES
    if hit.start and text[hit.start - 1] == ".":
        return False  # "a.m." is no Monsieur
    return hit.key not in ("greeted", "thanked") or bool(
        _LINE_START.search(text, max(0, hit.start - 8), hit.start)
    )


def _before_leads(passage: Passage) -> Iterator[tuple[int, int]]:
    """ "Moritz here", "Megan told me", "Omar from LinkedIn"."""
    text = passage.text
    for hit in passage.hits("lead"):
        if hit.key == "after" and (match := _AFTER.search(text, max(0, hit.start - 60), hit.start)):
            name = match["name"]
            words = name.split(" ")
            while words and words[0].lower().strip(".,") in FUNCTION:
                words = words[1:]
            at = hit.start - 1 - len(" ".join(words))
            if (
                words
                and not all(map(is_everyday, words))
                and not _IN_PLACE.search(text, max(0, at - 6), at)
            ):
                yield at, hit.start - 1
    for hit in passage.hits("network"):
        match = _SPOKEN_FROM.search(text, max(0, hit.start - 60), hit.start)
        if match and not _is_wordy(match["name"], strict=True):
            yield match.span("name")


def has_capital_nouns(text: str) -> bool:
    """Whether it is German, where a capital says nothing of a name."""
    return len(_GERMAN.findall(text)) >= 3


def _runs(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Two capitalised words or more that are no everyday words."""
    for match in _RUN.finditer(text):
        if _BEFORE_PLACE.search(text, max(0, match.start() - 8), match.start()):
            continue
        name = match["name"]
        words = [word for word in _WORD.findall(name) if word.lower() not in _PARTICLES]
        if len(words) < 2 or any(word.isupper() and len(word) > 1 for word in words):
            continue
        start, end = match.span("name")
        common = [is_everyday(word) for word in words]
        if common[0] or sum(common) > 1 or _overlaps(start, end, taken):
            continue
        if any(f"{link} {name}" in text for link in _LINKS):
            continue  # where somebody works
        yield start, end


def _overlaps(start: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    return any(first < end and start < last for first, last in taken)


def _is_wordy(name: str, *, strict: bool) -> bool:
    """Whether what follows a weak lead is an everyday word rather than a name."""
    if not name[0].isupper():
        return False
    words = _WORD.findall(name)
    if not words or (words[0].isupper() and len(words[0]) > 1 and len(words) == 1):
        return True
    if strict and words[0].lower() in FUNCTION:
        return True
    return all(map(is_everyday, words))


def _cut(text: str, span: tuple[int, int], stops: Sequence[int]) -> tuple[int, int]:
    start, end = span
    end = min([end, *(stop for stop in stops if start < stop < end)])
    name = _TRAILING_PARTICLE.sub("", text[start:end].rstrip())
    words = name.split(" ")
    while len(words) > 1 and words[0].lower().strip(".") in _OFFICES:
        start += len(words[0]) + 1
        words = words[1:]
    while len(words) > 1 and words[-1].lower().strip(".,") in FUNCTION:
        words.pop()
    name = " ".join(words)
    if name[-1:] == "." and name[-3:-2].isalpha():
        name = name[:-1]  # the full stop of the sentence, not of an initial
    return start, start + len(name)


def _recurring(folded: str, name: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = folded.find(name) if len(name) >= 2 else -1
    while at != -1 and len(spans) < _MAX_PLACES:
        end = at + len(name)
        if _is_bounded(folded, at, end):
            spans.append((at, end))
        at = folded.find(name, end)
    return spans


_ARABIC_LEFT = re.compile(r"(?:^|[^\u0621-\u064a])(?:[وف]?[بلك]?)$")


def _part_again(text: str, part: str) -> Iterator[tuple[int, int]]:
    """Where a part of a name stands as a word; Russian ones are declined."""
    is_declined = "\u0400" <= part[0] <= "\u04ff" and len(part) >= _LEAST_DECLINED
    stem = part.rstrip("аяьй") if is_declined else part
    at = text.find(stem)
    for _ in range(_MAX_PLACES):
        if at == -1:
            return
        end = at + len(stem)
        if is_declined and (ending := _RUSSIAN_ENDING.match(text, end)):
            end = ending.end()
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (before.isalnum() or before == "_" or after.isalnum() or after == "_"):
            yield at, end
        at = text.find(stem, end)


def _is_bounded(folded: str, start: int, end: int) -> bool:
    before, after = folded[start - 1 : start], folded[end : end + 1]
    if "\u0600" <= folded[start] <= "\u06ff":
        is_open = not ("\u0621" <= after <= "\u064a")
        return is_open and bool(_ARABIC_LEFT.search(folded, max(0, start - 4), start))
    return not (_is_spaced(before) or _is_spaced(after))


def _is_spaced(char: str) -> bool:
    return char.isalpha() and char < "\u0590"
