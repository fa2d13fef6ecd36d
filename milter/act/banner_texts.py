"""The words of the banner per language, read from banners.toml and checked whole.

Templates are fixed; their placeholders are {reason} and {seen} in `quote`, {contact} in `tell`,
{subject} and {sender} in `about`, {subject} in `about_subject`.
A later source overrides an earlier one key by key. Refuses to guess: a language with a missing
key, an unknown key or a wrong placeholder makes the whole file wrong, and all problems are named.

**Standards:** language codes are those of the settings, `tag` is BCP 47 for the lang attribute.
**Failure:** `BannerTextsError` with every problem; check-config shows them, serve does not start.
"""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

LANGUAGES = ("en", "fr", "de", "es", "pt", "zh-hans", "zh-hant", "ru", "ko", "ar")
FALLBACK = "en"
# Wide letters, but spaces between words: a break inside a word would be as wrong as in English.
KEEPS_WORDS = frozenset({"ko"})

_PLACEHOLDERS = {
    "quote": {"reason", "seen"},
    "tell": {"contact"},
    "about": {"subject", "sender"},
    "about_subject": {"subject"},
}
_SENTENCES = (
    "label",
    "notice_title",
    "strong_title",
    "because",
    "because_nothing",
    "quote",
    "notice_advice",
    "strong_advice",
    "tell",
    "report",
    "about",
    "about_subject",
)
_SETTINGS = ("tag", "direction")
_LONGEST = 400


class BannerTextsError(ValueError):
    """The texts are wrong; `problems` are `key: what would be right`."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTexts:
    """All sentences of one language; `reasons` by topic."""

    tag: str
    direction: str
    sentences: Mapping[str, str]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerTexts:
    """All languages, and the topic that each finding code belongs to."""

    languages: Mapping[str, LanguageTexts]
    topic_of: Mapping[str, str]

    def language(self, code: str) -> LanguageTexts:
        """The texts of a language; English for one that has none."""
        return self.languages.get(code, self.languages[FALLBACK])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One banner in words: what both renderings say. `tell` and `report` may be ''."""

    tag: str
    direction: str
    label: str
    title: str
    because: str
    reasons: tuple[str, ...]
    advice: str
    tell: str
    report: str
    report_url: str


def parse_banner_texts(*sources: str) -> BannerTexts:
    """Texts of TOML documents, later ones over earlier ones; raises BannerTextsError."""
    table: dict[str, Any] = {}
    for source in sources:
        try:
            _overlay(table, tomllib.loads(source))
        except tomllib.TOMLDecodeError as error:
            raise BannerTextsError((f"banners: is no TOML: {error}",)) from error
    problems: list[str] = []
    topics = _table(table, "topics", problems)
    languages = _table(table, "languages", problems)
    _unknown(table, ("topics", "languages"), "", problems)
    _unknown(languages, LANGUAGES, "languages.", problems)
    topic_of: dict[str, str] = {}
    for topic, codes in topics.items():
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            problems.append(f"topics.{topic}: must be a list of finding codes")
            continue
        for code in codes:
            if topic_of.setdefault(code, topic) != topic:
                problems.append(f"topics.{topic}: {code} already belongs to {topic_of[code]}")
    parsed: dict[str, LanguageTexts] = {}
    for code in LANGUAGES:
        if code not in languages:
            problems.append(f"languages.{code}: is missing")
            continue
        parsed[code] = _language(_table(languages, code, problems), code, topics, problems)
    if problems:
        raise BannerTextsError(tuple(problems))
    return BannerTexts(languages=parsed, topic_of=topic_of)


def _language(
    table: dict[str, Any], code: str, topics: Mapping[str, Any], problems: list[str]
) -> LanguageTexts:
    where = f"languages.{code}."
    _unknown(table, (*_SETTINGS, *_SENTENCES, "reasons"), where, problems)
    sentences = {key: _sentence(table, key, where, problems) for key in _SENTENCES}
    tag = _sentence(table, "tag", where, problems)
    direction = _sentence(table, "direction", where, problems)
    if not tag.replace("-", "").isalnum() or not tag.isascii():
        problems.append(f"{where}tag: must be a language tag such as pt or zh-Hant")
    if direction not in ("ltr", "rtl"):
        problems.append(f"{where}direction: must be ltr or rtl")
    reasons_table = _table(table, "reasons", problems, where)
    _unknown(reasons_table, tuple(topics), f"{where}reasons.", problems)
    reasons = {
        topic: _sentence(reasons_table, topic, f"{where}reasons.", problems) for topic in topics
    }
    return LanguageTexts(tag=tag, direction=direction, sentences=sentences, reasons=reasons)


def _sentence(table: Mapping[str, Any], key: str, where: str, problems: list[str]) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text.strip():
        problems.append(f"{where}{key}: must be a text")
        return ""
    if len(text) > _LONGEST:
        problems.append(f"{where}{key}: must be at most {_LONGEST} characters")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        problems.append(f"{where}{key}: must be one line without control characters")
    wanted = _PLACEHOLDERS.get(key, set())
    if _placeholders(text) != sorted(wanted):
        names = " and ".join("{" + name + "}" for name in sorted(wanted)) or "no placeholder"
        problems.append(f"{where}{key}: must hold {names}, once each, and no other brace")
    return text


def _placeholders(text: str) -> list[str]:
    """The names in braces, sorted; a format that is not plain `{name}` gives what never fits."""
    try:
        pieces = list(Formatter().parse(text))
    except ValueError:
        return ["?"]
    names = [name + spec for _, name, spec, _ in pieces if name is not None and spec is not None]
    doubled = "{{" in text or "}}" in text
    converted = any(conversion for *_, conversion in pieces)
    return ["?"] if doubled or converted else sorted(names)


def _table(
    table: Mapping[str, Any], key: str, problems: list[str], where: str = ""
) -> dict[str, Any]:
    value = table.get(key)
    if isinstance(value, dict):
        return value
    problems.append(f"{where}{key}: must be a table")
    return {}


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], where: str, problems: list[str]
) -> None:
    problems += [f"{where}{key}: is not known" for key in table if key not in known]


def _overlay(table: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            _overlay(table[key], value)
        else:
            table[key] = value
