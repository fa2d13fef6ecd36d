"""Which language a text is written in, and which others are mixed in.

Script ranges decide for Han, kana, Hangul, Cyrillic and Arabic; function words, telling letters
and word endings (`lexicon/languages.toml`) for Latin script. Only the head of the text is looked
at, addresses and links left out: they are Latin in every language.

Failure: none; too little to go by is `und`.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from nlp import lexicon

_SAMPLE = 800
_WORDS = 120
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    ("latin", "A-Za-z\u00c0-\u024f\u1ea0-\u1ef9"),
    ("han", "\u3400-\u9fff\uf900-\ufaff"),
    ("kana", "\u3041-\u30ff"),
    ("hangul", "\uac00-\ud7a3\u1100-\u11ff"),
    ("arabic", "\u0620-\u06ff"),
    ("cyrillic", "\u0400-\u052f"),
    ("other", "\u0370-\u03ff\u0530-\u05ff\u0900-\u0fff\u1200-\u137f"),
)
_SCRIPT = re.compile("|".join(f"(?P<{name}>[{ranges}])" for name, ranges in _SCRIPTS))

# A Han character or a Hangul syllable says as much as about three letters.
_WEIGHTS = {"han": 3.0, "kana": 3.0, "hangul": 2.5}
_MIXED_SHARE = 0.22
_UNSUPPORTED = frozenset({"it", "nl", "sv", "pl", "tr", "vi"})


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is ISO 639-1, `zh-hans`, `zh-hant` or `und`; `others` have a share worth reading."""

    code: str
    others: tuple[str, ...] = ()


def identify(text: str) -> Language:
    """The language of `text`."""
    pieces = text[:_SAMPLE].split()
    sample = " ".join(piece for piece in pieces if "@" not in piece and "/" not in piece)
    if sample.isascii():
        return _latin(sample)
    characters = Counter(sample)
    scripts = dict.fromkeys((name for name, _ in _SCRIPTS), 0.0)
    for char, count in characters.items():
        if name := _script(char):
            scripts[name] += count * _WEIGHTS.get(name, 1.0)
    total = sum(scripts.values())
    if not total:
        return Language("und")
    if scripts["kana"] > 0.1 * (scripts["han"] + scripts["kana"]):
        scripts["kana"] += scripts["han"]  # Japanese writes both
        scripts["han"] = 0
    ranked = sorted(scripts, key=lambda name: -scripts[name])
    first = ranked[0]
    if first == "latin":
        best = _latin(sample)
        codes = [best.code, *best.others]
    else:
        codes = [_of_script(first, sample)]
    for name in ranked[1:3]:
        if scripts[name] < _MIXED_SHARE * total:
            continue
        if name == "latin":
            latin = _latin(sample)
            codes += [code for code in (latin.code, *latin.others) if code != "und"]
        else:
            codes.append(_of_script(name, sample))
    known = [code for code in dict.fromkeys(codes) if code != "und"]
    return Language(known[0], tuple(known[1:4])) if known else Language("und")


def is_traditional(text: str) -> bool:
    """Whether Han text is in traditional script; a draw counts as simplified."""
    traditional, simplified = _han_signs()
    return sum(char in traditional for char in text) > sum(char in simplified for char in text)


@lru_cache(maxsize=1)
def han_to_simplified() -> dict[int, str]:
    """A `str.translate` table from traditional to simplified characters, one to one."""
    table = lexicon.read("han")
    pairs = zip(_joined(table["traditional"]), _joined(table["simplified"]), strict=True)
    return {ord(traditional): simplified for traditional, simplified in pairs}


@lru_cache(maxsize=8192)
def _script(char: str) -> str:
    match = _SCRIPT.match(char)
    return (match.lastgroup or "") if match else ""


@lru_cache(maxsize=1)
def _han_signs() -> tuple[frozenset[str], frozenset[str]]:
    table = lexicon.read("han")
    simplified = set(_joined(table["simplified"])) - set(table["shared"])
    return frozenset(_joined(table["traditional"])), frozenset(simplified)


def _joined(lines: str) -> str:
    return lines.replace("\n", "")


def _of_script(script: str, sample: str) -> str:
    if script == "han":
        return "zh-hant" if is_traditional(sample) else "zh-hans"
    if script == "kana":
        return "ja"
    if script == "hangul":
        return "ko"
    if script == "arabic":
        if re.search("[ٹڈڑےں]", sample):
            return "ur"
        return "fa" if re.search("[پچژگ]", sample) else "ar"
    if script == "cyrillic":
        if re.search("[іїєґІЇЄҐ]", sample):
            return "uk"
        return "sr" if re.search("[јљњћђ]", sample) else "ru"
    return "und"


@lru_cache(maxsize=1)
def _signs() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], dict[str, str]]:
    """Function word, letter and ending, each with the languages that it speaks for."""
    words: dict[str, list[str]] = {}
    letters: dict[str, list[str]] = {}
    endings: dict[str, str] = {}
    for code, signs in lexicon.read("languages").items():
        for word in signs["words"].split():
            words.setdefault(word, []).append(code)
        for letter in signs.get("letters", ""):
            letters.setdefault(letter, []).append(code)
        for ending in signs.get("endings", "").split():
            endings[ending] = code
    return (
        {word: tuple(codes) for word, codes in words.items()},
        {letter: tuple(codes) for letter, codes in letters.items()},
        endings,
    )


def _latin(sample: str) -> Language:
    words, letters, endings = _signs()
    scores: dict[str, float] = {}
    found = _LATIN_WORD.findall(sample.lower())[:_WORDS]
    for word in found:
        codes = words.get(word)
        if codes:
            for code in codes:  # a word of many languages says little about each
                scores[code] = scores.get(code, 0.0) + 1.0 / len(codes)
        elif len(word) > 5 and (code := endings.get(word[-4:]) or endings.get(word[-3:], "")):
            scores[code] = scores.get(code, 0.0) + 0.4
    if not sample.isascii():
        for letter in set(sample.lower()):
            for code in letters.get(letter, ()):
                scores[code] = scores.get(code, 0.0) + 0.7 / len(letters[letter])
    if not scores:
        return Language("und")
    ranked = sorted(scores, key=lambda code: (-scores[code], code))
    best = scores[ranked[0]]
    # One weak sign among many words is no evidence.
    if best < 0.4 or best < 0.02 * len(found):
        return Language("und")
    others = [code for code in ranked[1:] if scores[code] >= max(2.0, _MIXED_SHARE * best)]
    code = "und" if ranked[0] in _UNSUPPORTED else ranked[0]
    return Language(code, tuple(other for other in others if other not in _UNSUPPORTED)[:2])
