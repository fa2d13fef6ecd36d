"""What the trained model may see of a text, and what it may not."""

from nlp.masking import TOKENS
from nlp.model.features import (
    concept_features,
    piece_features,
    screen_features,
    without_names,
    word_features,
    words_of,
)


def test_numbers_are_alike():
    assert words_of("pay 900 now") == words_of("pay 15 now") == ["pay", "0", "now"]


def test_runs_of_words_and_masks_by_name():
    found = word_features(["write", "to", TOKENS["handle"]])
    assert {"write", "write to", "to <handle>", "write to <handle>"} <= found


def test_who_is_named_leaves_no_trace():
    named = word_features(["dear", TOKENS["person"], "we", "pay"])
    assert named == word_features(["dear", "we", "pay"])
    assert named == word_features(["dear", TOKENS["org"], TOKENS["place"], "we", "pay"])


def test_pieces_are_of_spaced_scripts_and_no_word_of_their_own():
    found = piece_features(["the", "论", "가"])
    assert "~_th" in found
    assert "the" not in found
    assert not any("论" in piece or "가" in piece for piece in found)


def test_concepts_pair_within_a_sentence():
    found = concept_features([["pay", "client"], ["report", "<name>"]])
    assert found == {"#pay", "#client", "#client+pay", "#report"}


def test_capitalised_words_stay_only_if_they_are_everyday_words():
    text = "dear lagos we write from lagos"
    capitals = ((0, 4), (5, 10), (25, 30))
    assert without_names(text, 0, len(text), capitals, {"dear"}).split() == [
        *("dear", "we", "write", "from"),
    ]


def test_another_script_in_a_latin_sentence_is_a_name():
    assert "张" not in without_names("dear 张伟 how are you", 0, 20, (), set())
    assert "张" in without_names("张伟您好,请问 ok", 0, 10, (), set())


def test_the_screen_sees_words_pairs_and_cues():
    words, cues = screen_features(["my", TOKENS["messenger"], "is", "slow"], ["channel"])
    assert words == {"my", "is", "slow", "is slow"}
    assert cues == {"@channel"}
