"""Names of territories, languages, peoples and feasts, in every supported language.

The lists are complete for territories and languages of states, so that no country is masked better
than another; which one it is says nothing. Cities are found by the words around them
(`locations`): no list of cities could be complete.

Failure: none; time is linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nlp import lexicon
from nlp.folding import fold
from nlp.normalise import lower
from nlp.words import PhraseMatcher

# Languages that write these names with a capital letter; the rest of the Latin ones for territories only.
_CAPITAL = {
    "territory": frozenset({"en", "fr", "de", "es", "pt", "ru"}),
    "language": frozenset({"en", "de"}),
    "people": frozenset({"en"}),
    "feast": frozenset(),
}
_KINDS = ("territory", "language", "people", "feast")
_RUSSIAN_ENDINGS = (
    ("ия", ("ия", "ии", "ию", "ией")),
    ("ая", ("ая", "ой", "ую")),
    ("ий", ("ий", "ого", "ому", "ом", "им")),
    ("ый", ("ый", "ого", "ому", "ом", "ым")),
    ("а", ("а", "ы", "и", "е", "у", "ой")),
    ("я", ("я", "и", "е", "ю", "ей")),
    ("й", ("й", "я", "ю", "ем", "е")),
    ("ь", ("ь", "я", "ю", "ем", "е", "и")),
    ("ы", ("ы", "ах", "ам", "ами")),
)
_AFTER_CONSONANT = ("", "а", "у", "ом", "е")
# Korean names that are everyday words, too, count only before one of these.
_KOREAN_WORDS = frozenset(
    [
        "수단",
        "인도",
        "이란",
        "가나",
        "말리",
        "오만",
        "통가",
        "저지",
        "건지",
        "기니",
        "차드",
        "피지",
        "가봉",
        "괌",
        "조선",
        "영문",
        "국문",
        "우어",
    ]
)
_KOREAN_PLACE = re.compile(r"에서|에 있|출신| 출신|인입니다|사람| 사람|\)|, ")
_NATIVE = re.compile(r" ?출신(?=입니다|이|인|,| |\.|$)")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_ARABIC = re.compile(r"[\u0621-\u064a]")
_ARABIC_PREFIX = re.compile(r"(?<![\u0621-\u064a])(?:[وف]?(?:ال|بال|كال|لل|[بلك])?|و)$")
_ARABIC_WORDS = frozenset({"مالي", "نيوي", "قطر", "بنين", "الجا", "السرر", "غاني"})
_ARABIC_PLACE = re.compile(r"(?:(?<![\u0621-\u064a])(?:في|من|الي|دوله|جمهوريه) )$")
# What stands before such a name depends on its gender: it goes with it ("du Canada", "de Chine").
_BEFORE = re.compile(
    r"(?<![^\W\d_])(?:(?:de la|a la|du|de|des|au|aux|en|do|da|dos|das|no|na|nos|nas|em|le|la|les|o|os|as"
    r"|der|die|das|den|dem|el|los|las|the|un|une|an|a) |(?:de )?[dl]')$"
)
_LONGEST_BEFORE = 8
# A wish is one with the name of its feast ("Merry Christmas", "Bonne année").
_WISH = re.compile(
    r"(?<![^\W\d_])(?:(?:(?:i|we) wish you (?:all )?(?:an? )?|je vous souhaite (?:une? )?|wishing you (?:an? )?)?"
    r"(?:happy|merry|blessed|joyeux|joyeuses?|bon|bonne|bonnes|heureux|heureuse|saint|sainte|frohes?|frohliche|gesegnete[sn]?|schone|gluckliches"
    r"|feliz|felices|bom|boa|boas|с|со|счастливого|светлой|светлого|веселого|祝您|祝你|祝|즐거운|행복한|سعيد) )$|(?:祝您|祝你|祝)$"
)
_LONGEST_WISH = 40
# Who speaks a language is no speaker at a conference.
_SPEAKER_OF = re.compile(r"(?<![^\W\d_])(?:(?:a|an) )?(?:(?:native|fluent) )?speakers? of $")
_SPEAKER = re.compile(r"[ -](?:native )?speak(?:ers?|ing)(?![^\W\d_])")
# Where somebody comes from is no place of work.
_COMES_FROM = re.compile(
    r"(?<![^\W\d_])(?:i(?: am|'m)(?: originally)? from|i come(?: originally)? from|i was born in|je (?:suis|viens)(?: originaire)?"
    r"|ich (?:komme|stamme|bin)(?: ursprunglich)? aus|soy(?: originari[oa])? de|vengo de|sou(?: natural)?|venho|я(?: родом)? из"
    r"|я родил(?:ся|ась) в|انا من|انا اصلا من) $|我(?:是|来自|來自|出生在|出生于|出生於)$"
)
_LONGEST_COMING = 24


@dataclass(frozen=True, slots=True)
class Origin:
    """A name at text[start:end]; `first` is where the article or preposition before it begins."""

    first: int
    start: int
    end: int
    kind: str


def locate_origins(text: str, folded: str) -> list[Origin]:
    """Every such name, longest first at each place; `folded` is `text` folded, place for place."""
    found: list[Origin] = []
    reached = 0
    hits = sorted(
        (start, -end, _KINDS.index(kind), language)
        for start, end, (kind, language) in _names().find(folded)
    )
    for start, negated, rank, language in hits:
        kind = _KINDS[rank]
        end = -negated
        if start < reached or not _is_name(text, folded, start, end, kind, language):
            continue
        first = with_article(folded, start)
        if kind == "feast":
            if wish := _WISH.search(folded, max(0, start - _LONGEST_WISH), start):
                first = wish.start()
        elif kind == "language":
            if speaker := _SPEAKER_OF.search(folded, max(0, start - _LONGEST_WISH), start):
                first = speaker.start()
            elif speaker := _SPEAKER.match(folded, end):
                end = speaker.end()
        elif kind == "territory" and _COMES_FROM.search(
            folded, max(0, first - _LONGEST_COMING), first
        ):
            kind = "people"
        found.append(Origin(first, start, end, kind))
        reached = end
    return found


def with_article(folded: str, start: int) -> int:
    """Where the article or preposition before a place begins, or the place."""
    before = _BEFORE.search(folded, max(0, start - _LONGEST_BEFORE), start)
    return before.start() if before else start


def without_articles(text: str, name: str) -> str:
    """A text in whose place of every name stands `name`, without what may stand before a place."""
    parts = text.split(name)
    return name.join([*(_before_cut(part) for part in parts[:-1]), parts[-1]])


def _before_cut(part: str) -> str:
    tail = part[-_LONGEST_BEFORE:]
    return part[: len(part) - len(tail)] + tail[: with_article(fold(tail.lower()), len(tail))]


def with_native(folded: str, end: int) -> int:
    """Where "from" ends that Korean writes behind a place, or the place."""
    after = _NATIVE.match(folded, end)
    return after.end() if after else end


def _is_name(text: str, folded: str, start: int, end: int, kind: str, language: str) -> bool:
    if language in _CAPITAL[kind]:
        return text[start].isupper()
    if language == "ko":
        if start and _HANGUL.match(folded[start - 1]):
            return False
        return folded[start:end] not in _KOREAN_WORDS or bool(_KOREAN_PLACE.match(folded, end))
    if language == "ar":
        if not _ARABIC_PREFIX.search(folded, max(0, start - 5), start):
            return False
        if folded[start:end] in _ARABIC_WORDS:
            return bool(_ARABIC_PLACE.search(folded, max(0, start - 8), start))
        return True
    return True


@lru_cache(maxsize=1)
def _names() -> PhraseMatcher[tuple[str, str]]:
    return PhraseMatcher(dict.fromkeys(_entries()))


def _entries() -> Iterator[tuple[str, tuple[str, str]]]:
    for kind, table in lexicon.read("places").items():
        for language, names in table.items():
            for name in names:
                for form in _forms(fold(lower(name)), language):
                    yield form, (kind, language)


def _forms(name: str, language: str) -> tuple[str, ...]:
    """The name and its inflections, so far as the list does not hold them."""
    if language == "ru" and not name.endswith("*"):
        return tuple(_declined(name))
    if language == "ar":
        bare = name.removeprefix("ال")
        # An adjective takes endings; after "li-" the article loses its first letter.
        return (name, f"{bare}ه", f"{bare}ين", f"{bare}ون") if bare == name else (name, bare)
    return (name,)


def _declined(name: str) -> Iterator[str]:
    """Cases of a Russian name; the adjective before a noun goes along."""
    words = name.split()
    if len(words) > 2:
        yield name
        return
    if len(words) == 2:
        for first in _endings(words[0]):
            for last in _endings(words[1]):
                yield f"{first} {last}"
        return
    yield from _endings(name)


def _endings(word: str) -> tuple[str, ...]:
    for ending, forms in _RUSSIAN_ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            return tuple(stem + form for form in forms)
    if word[-1] in "оеиуюэ" or len(word) <= 3:
        return (word,)
    return tuple(word + form for form in _AFTER_CONSONANT)
