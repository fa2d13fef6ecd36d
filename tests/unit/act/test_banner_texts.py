"""The shipped words are whole, calm and fit; wrong ones are refused with every reason."""

import re

import pytest

from milter.act.banner_texts import LANGUAGES, BannerTextsError, parse_banner_texts
from tests.unit.act.by_hand import ROOT, SHIPPED, TEXTS

LOADED_WORDS = re.compile(
    r"(?i)\bspy|espion|spion|esp[ií]a|espiã|agente secreto|间谍|間諜|特务|шпион|развед|간첩|스파이|جاسوس|تجسس"
)


def all_texts(language: str) -> list[str]:
    texts = TEXTS.languages[language]
    return [*texts.sentences.values(), *texts.reasons.values()]


def test_every_language_of_the_settings_is_there() -> None:
    assert tuple(TEXTS.languages) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_loaded_word_and_no_haste(language: str) -> None:
    for text in all_texts(language):
        assert not LOADED_WORDS.search(text), text
        assert "!" not in text
        assert len(text) <= 200


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "pt"])
def test_western_texts_fit_into_old_mail(language: str) -> None:
    for text in all_texts(language):
        assert text.encode("iso-8859-1")


def test_english_is_plain_ascii_as_the_last_resort() -> None:
    assert all(text.isascii() for text in all_texts("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_all_texts_with_the_same_placeholders(language: str) -> None:
    own, english = TEXTS.languages[language], TEXTS.languages["en"]
    assert own.sentences.keys() == english.sentences.keys()
    assert own.reasons.keys() == english.reasons.keys() == set(TEXTS.topic_of.values())
    for key, sentence in own.sentences.items():
        assert placeholders(sentence) == placeholders(english.sentences[key]), key
    assert not any(placeholders(reason) for reason in own.reasons.values())
    assert len(set(own.reasons.values())) == len(own.reasons)


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w*\}", text))


def test_arabic_reads_from_the_right() -> None:
    assert {code for code, texts in TEXTS.languages.items() if texts.direction == "rtl"} == {"ar"}


def test_topics_name_codes_that_exist() -> None:
    weights = (ROOT / "config" / "weights.toml").read_text(encoding="utf-8")
    known = set(re.findall(r"(?m)^([A-Z][A-Z_]+) = \{", weights))
    assert set(TEXTS.topic_of) <= known


def test_a_language_without_texts_speaks_english() -> None:
    assert TEXTS.language("eo") is TEXTS.languages["en"]


def test_an_own_file_changes_only_what_it_names() -> None:
    texts = parse_banner_texts(SHIPPED, '[languages.fr]\nnotice_title = "Attention"')
    assert texts.languages["fr"].sentences["notice_title"] == "Attention"
    assert texts.languages["fr"].sentences["tell"] == TEXTS.languages["fr"].sentences["tell"]
    assert texts.languages["de"] == TEXTS.languages["de"]


@pytest.mark.parametrize(
    ("over", "problem"),
    [
        ("[languages.xx]\ntag = 'xx'", "languages.xx: is not known"),
        ("[languages.en]\ntitel = 'x'", "languages.en.titel: is not known"),
        ("[languages.en]\ntell = 'Ask us'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\ntell = '{contact} {contact}'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\ntell = '{contact.x}'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\ntell = '{contact!r}'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\ntell = '{contact:9}'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\ntell = '{contact'", "languages.en.tell: must hold {contact}"),
        ("[languages.en]\nabout = '{subject}'", "languages.en.about: must hold {sender} and {subj"),
        ("[languages.en]\nabout_subject = 'x'", "languages.en.about_subject: must hold {subject}"),
        ("[languages.en]\nnotice_title = '{seen}'", "languages.en.notice_title: must hold no"),
        ("[languages.en]\nnotice_title = ''", "languages.en.notice_title: must be a text"),
        ("[languages.en]\nnotice_title = 7", "languages.en.notice_title: must be a text"),
        ('[languages.en]\nnotice_title = "a\\nb"', "languages.en.notice_title: must be one line"),
        ("[languages.en]\ndirection = 'up'", "languages.en.direction: must be ltr or rtl"),
        ("[languages.en]\ntag = 'e\"n'", "languages.en.tag: must be a language tag"),
        ("[topics]\nnew = ['TRIAL']", "topics.new: TRIAL already belongs to trial"),
        ("[topics]\nnew = 'CODE'", "topics.new: must be a list"),
        ("[topics]\nnew = ['NEW']", "languages.fr.reasons.new: must be a text"),
        ("more = 1", "more: is not known"),
        ("= broken", "banners: is no TOML"),
    ],
)
def test_what_is_wrong_is_named(over: str, problem: str) -> None:
    with pytest.raises(BannerTextsError) as caught:
        parse_banner_texts(SHIPPED, over)
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems


def test_a_missing_language_and_a_missing_key_are_named_together() -> None:
    without_korean = re.sub(r"(?s)\[languages\.ko\].*?(?=\[languages\.ar\])", "", SHIPPED)
    without_both = without_korean.replace(
        'report = "Report this mail, or say that it was expected"\n', ""
    )
    with pytest.raises(BannerTextsError) as caught:
        parse_banner_texts(without_both)
    assert caught.value.problems == (
        "languages.en.report: must be a text",
        "languages.ko: is missing",
    )
