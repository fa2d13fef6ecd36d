"""What the encoder is given to read, and what its answer counts."""

from collections.abc import Container
from pathlib import Path

import numpy as np
import pytest

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.encoder.weights import WIDTH
from nlp.entities import everyday, find_entities
from nlp.entities.everyday import words_in
from nlp.model.context import OPEN_FROM, OPEN_TO, Blend, ContextModel, spelled

FIRST, SECOND = np.eye(WIDTH, dtype=np.float32)[:2]
MODEL = ContextModel(
    hidden=np.stack([FIRST, 2 * SECOND], axis=1),
    hidden_bias=np.array([0.0, -1.0], dtype=np.float32),
    out=np.array([1.0, -1.0], dtype=np.float32),
    bias=0.5,
    blend=Blend(0.8, 0.6, -0.1),
)


class Counted(Container[str]):
    """Knows no word, and counts the questions."""

    def __init__(self) -> None:
        self.asked = 0

    def __contains__(self, word: object) -> bool:
        self.asked += 1
        return False


def read(text: str, language: str, common: Container[str] | None = None) -> str:
    segments = (TextSegment(source="body", part="1", text=text),)
    stretches, _ = pipeline._masked(segments, find_entities(ReadableText(segments=segments)))
    with pipeline.pipeline().memory_zone():
        page = pipeline._document(stretches, ("any", language))._.page
        return spelled(page, range(len(page.sentences)), common or words_in(language))


def test_it_is_spelled_as_written():
    assert read("Je vous écris à propos de l’étude.", "fr") == "Je vous écris à propos de l’étude."


@pytest.mark.parametrize("name", ["Mary Ann Fairweather", "Zarquil", "Nguyễn Thị Hoa", "Li Wei"])
def test_who_somebody_is_is_one_and_the_same_letter(name):
    assert read(f"Yesterday {name} sent me the report.", "en") == "Yesterday X sent me the report."


def test_brands_and_numbers_go_by_their_kind():
    text = read("Write me on WhatsApp +44 7700 900123 or on Telegram.", "en")
    assert text == "Write me on messenger handle or on messenger."
    assert read("Write me on WeChat +86 139 0013 9000 or on Signal.", "en") == text


def test_german_nouns_are_no_names():
    text = read("Der Bericht über die Verhandlung ist für den Auftraggeber, sagt Zarquil.", "de")
    assert text == "Der Bericht über die Verhandlung ist für den Auftraggeber, sagt X."


def test_compounds_of_known_words_are_nouns_and_names_are_not():
    assert "zwischenbericht" in words_in("de")
    assert "zwischenbericht" not in words_in("en")
    for name in ("steinberg", "saarbrucken", "google", "linkedin", "discord", "elke", "huber"):
        assert name not in words_in("de")


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ("J'habite au Canada depuis un an.", "J'habite au Zarquil depuis un an."),
        ("We met 王晓明 last year.", "We met 김민수 last year."),
        ("They use the eBay of spare parts.", "They use the iZarq of spare parts."),
    ],
)
def test_whether_a_name_is_recognised_does_not_matter(known, unknown):
    language = "fr" if "depuis" in known else "en"
    assert read(known, language) == read(unknown, language)
    assert "X" in read(known, language)


def test_private_characters_of_the_sender_are_no_masks():
    assert read("We use \ue007 and \uf000 with \ue00f here.", "en") == "We use and with here."


def test_every_capital_is_asked_about_once_however_many_sentences_there_are():
    counted = Counted()
    read("Es ist so. " * 60 + "Zarquil " * 40, "de", counted)
    assert 0 < counted.asked <= 60 + 40


def test_what_is_longer_than_any_compound_is_not_taken_apart():
    words = everyday._German(frozenset({"a" * 20, "a" * 50}), frozenset({"bericht"}))
    assert "a" * 20 + "bericht" in words
    assert "a" * 50 + "bericht" not in words


def test_a_unit_below_nothing_is_silent():
    assert MODEL.score(2 * FIRST + 0.25 * SECOND) == 2.5
    assert MODEL.score(2 * FIRST + SECOND) == 1.5


def test_both_count():
    surely, hardly = [3 * FIRST], [3 * SECOND]
    for by_words in (OPEN_FROM, 0.5, OPEN_TO):
        assert MODEL.probability(by_words, surely) > MODEL.probability(by_words, hardly)
    assert MODEL.probability(0.9, surely) > MODEL.probability(0.5, surely)
    assert 0 < MODEL.probability(OPEN_FROM, hardly) < MODEL.probability(OPEN_TO, surely) < 1


def test_harmless_words_before_it_do_not_hide_a_lure():
    assert MODEL.probability(0.5, [3 * SECOND, 3 * FIRST]) == MODEL.probability(0.5, [3 * FIRST])


@pytest.mark.parametrize("far", [1e6, -1e6])
def test_no_point_is_too_far(far):
    assert 0 <= MODEL.probability(0.5, [far * FIRST + far * SECOND]) <= 1


def test_saved_and_loaded_it_says_the_same(tmp_path: Path):
    MODEL.save(tmp_path)
    loaded = ContextModel.load(tmp_path)
    points = [FIRST / 4 + SECOND / 2]
    assert loaded.probability(0.4, points) == MODEL.probability(0.4, points)
    assert (loaded.bias, loaded.blend) == (MODEL.bias, MODEL.blend)


def test_data_of_another_width_are_refused(tmp_path: Path):
    MODEL.save(tmp_path)
    np.save(tmp_path / "context.npy", np.zeros((5, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="3 numbers a point"):
        ContextModel.load(tmp_path)
