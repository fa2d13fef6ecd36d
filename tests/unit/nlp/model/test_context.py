"""What the encoder is given to read, and what its answer counts."""

from collections.abc import Container
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.encoder.weights import WIDTH
from nlp.entities import everyday, find_entities
from nlp.entities.everyday import words_in
from nlp.model.context import (
    Blend,
    ContextModel,
    Head,
    Label,
    MailBlend,
    Reading,
    cut_up,
    probability_of,
    spelled,
)

FIRST, SECOND = np.eye(WIDTH, dtype=np.float32)[:2]
# Two units: the first speaks for a lure, the second for hard honest mail.
HEAD = Head(
    hidden=np.stack([FIRST, 2 * SECOND], axis=1),
    hidden_bias=np.array([0.0, -1.0], dtype=np.float32),
    out=np.array([[1, 0, 0, 0, 0], [0, 0, 1, 0, 0]], dtype=np.float32),
    out_bias=np.array([0, -50, 0, -50, -50], dtype=np.float32),
)
# The first answer is the first number of a point, the second the second.
LABELS = Head(
    hidden=np.stack([FIRST, SECOND], axis=1),
    hidden_bias=np.zeros(2, dtype=np.float32),
    out=np.eye(2, dtype=np.float32),
    out_bias=np.zeros(2, dtype=np.float32),
)
MODEL = ContextModel(
    changes={"l0.ao.b": np.array([0.5, 2.0], dtype=np.float32)},
    kinds=HEAD,
    labels=LABELS,
    blend=MailBlend(0.8, 0.5, (0.6, 0.2, -0.4, 0.0, 0.0), -0.1),
    columns=(
        Label("money", Blend(0.5, 1.0, 0.0), weak=1.0, plain=2.0),
        Label("secrecy.urgency", Blend(0.0, 1.0, -1.0), weak=0.5, plain=9.0),
    ),
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
        page = pipeline._document(pipeline.pipeline(), stretches, ("any", language))._.page
        places = range(len(page.sentences))
        return " ".join(spelled(page, places, common or words_in(language)))


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


@pytest.mark.parametrize(
    "name", ["Zarquil", "欧阳娜娜", "فاطمة الزهراء", "渡辺ケンイチロウ", "Nguyễn"]
)
def test_a_sentence_that_is_little_but_a_name_is_read_like_any_other(name):
    # Whether a text is Latin is asked of all of it: here a name outweighs its sentence.
    text = read(f"The library opens on Monday. They met {name}.", "en")
    assert text == "The library opens on Monday. They met X."


def test_short_sentences_in_another_script_are_read():
    # "messenger" and "handle" are what masks are read as, and no Latin words of the mail.
    text = read("加微信 wx_lin2024 详聊,勿外传。", "zh")
    assert "详聊" in text
    assert "勿外传" in text


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
    assert HEAD.answers(2 * FIRST + 0.25 * SECOND).tolist() == [2.0, -50.0, 0.0, -50.0, -50.0]
    assert HEAD.answers(2 * FIRST + SECOND).tolist() == [2.0, -50.0, 1.0, -50.0, -50.0]


def reading(lure: float = 0.0, hard: float = 0.0) -> Reading:
    return Reading(np.array([lure, 0.0, hard, 0.0, 0.0]), {})


def test_what_a_sentence_does_is_heard_in_words_and_in_context():
    def said(words: float, context: float) -> list[tuple[str, int]]:
        heard = MODEL.said(np.array([words, 0.0]), np.array([context, context]))
        return [(name, strength) for name, _, strength in heard]

    assert said(0.0, 0.9) == []
    assert said(0.2, 0.9) == [("money", 1)]
    assert said(2.2, 0.9) == [("money", 2)]
    # Of the second the words say nothing that counts.
    assert said(-9.0, 1.5) == said(-30.0, 9.9) == [("secrecy.urgency", 1)]


def test_its_probability_is_that_of_both():
    ((_, probability, _),) = MODEL.said(np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    assert probability == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_lures_and_scams_are_summed_against_all_others():
    assert reading().log_odds == pytest.approx(np.log(2 / 3))
    assert reading(lure=9.0).log_odds == pytest.approx(9 - np.log(3), abs=0.01)


def test_of_a_mail_its_words_its_reading_and_its_kinds_count():
    even = 0.5 * np.log(2 / 3) - 0.1
    assert MODEL.log_odds(0.0, reading()) == pytest.approx(even)
    assert MODEL.log_odds(2.0, reading()) == pytest.approx(0.8 * 2.0 + even)
    lure = reading(3.0, 1.0)
    assert MODEL.log_odds(0.0, lure) == pytest.approx(0.5 * lure.log_odds + 0.6 * 3 - 0.4 - 0.1)


@pytest.mark.parametrize("far", [1e6, -1e6])
def test_no_score_is_too_far(far):
    log_odds = MODEL.log_odds(far, reading(far, far))
    assert np.isfinite(log_odds)
    assert probability_of(log_odds) == pytest.approx(float(log_odds > 0))


def test_saved_and_loaded_it_says_the_same(tmp_path: Path):
    MODEL.save(tmp_path)
    loaded = ContextModel.load(tmp_path)
    point = FIRST / 4 + SECOND / 2
    assert (loaded.kinds.answers(point) == MODEL.kinds.answers(point)).all()
    assert (loaded.labels.answers(point) == MODEL.labels.answers(point)).all()
    assert (loaded.blend, loaded.columns) == (MODEL.blend, MODEL.columns)
    assert loaded.changes.keys() == MODEL.changes.keys()
    assert (loaded.changes["l0.ao.b"] == MODEL.changes["l0.ao.b"]).all()


@pytest.mark.parametrize(
    "model",
    [
        replace(MODEL, kinds=Head(HEAD.hidden[:5], HEAD.hidden_bias, HEAD.out, HEAD.out_bias)),
        replace(MODEL, kinds=LABELS),
        replace(MODEL, columns=MODEL.columns[:1]),
    ],
)
def test_a_head_of_another_form_is_refused(model, tmp_path: Path):
    model.save(tmp_path)
    with pytest.raises(ValueError, match="a head of another form"):
        ContextModel.load(tmp_path)


def test_a_blend_of_other_kinds_is_refused(tmp_path: Path):
    replace(MODEL, blend=MailBlend(0.8, 0.5, (0.6, -0.4), -0.1)).save(tmp_path)
    with pytest.raises(ValueError, match="other kinds"):
        ContextModel.load(tmp_path)


def test_the_encoder_that_ships_is_made_once():
    shipped = pipeline.trained().context
    assert shipped is not None
    assert shipped.encoder is shipped.encoder


def test_the_more_telling_sentences_are_read_in_the_order_of_the_mail():
    shipped = pipeline.trained().context
    assert shipped is not None
    asked, harmless = "Write me on another app.", "The weather is fine here. " * 60
    both = shipped.read([(1, asked), (0, "Hello.")])
    assert (both.kinds == shipped.read([(0, f"Hello. {asked}")]).kinds).all()
    kept = shipped.read([(9, asked), (0, harmless), (20, harmless)])
    assert (kept.kinds == shipped.read([(9, asked), (0, harmless)]).kinds).all()
    assert (kept.kinds != shipped.read([(0, harmless), (9, asked)]).kinds).any()


def test_each_sentence_that_is_read_says_what_it_does_beside_the_others():
    shipped = pipeline.trained().context
    assert shipped is not None
    asked, harmless = "Write me on another app.", "The weather is fine here. " * 60
    read = shipped.read([(1, asked), (0, "Hello."), (5, "")])
    assert [*read.labels] == [0, 1, 5]
    assert {len(labels) for labels in read.labels.values()} == {len(shipped.columns)}
    # The second long one has no room.
    assert [*shipped.read([(9, asked), (0, harmless), (20, harmless)]).labels] == [0, 9]
    assert (read.labels[1] != shipped.read([(1, asked)]).labels[1]).any()


def test_of_nothing_there_are_kinds_and_no_label():
    shipped = pipeline.trained().context
    assert shipped is not None
    read = shipped.read([])
    assert np.isfinite(read.kinds).all()
    assert read.labels == {}


def test_the_pieces_of_a_sentence_are_where_it_says():
    shipped = pipeline.trained().context
    assert shipped is not None
    cut = shipped.encoder.cut
    pieces, stretches = cut_up(shipped.encoder, [(7, "Write me."), (3, "Hello there.")])
    assert pieces == shipped.encoder.framed(cut("Hello there.") + cut("Write me."))
    assert {place: pieces[stretch] for place, stretch in stretches.items()} == {
        3: cut("Hello there."),
        7: cut("Write me."),
    }
