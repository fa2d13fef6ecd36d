"""Of what the model has an opinion, and of what it keeps silent."""

from pathlib import Path

from nlp.masking import TOKENS
from nlp.model.familiar import Familiar, Share

TEXT = "we would like to write you about a short paid report on ports"
COMMON = tuple(TEXT.split(" "))
ODD = [f"kfree{number}" for number in range(40)]
FAMILIAR = Familiar(COMMON, {"en": Share(0.96, 0.9), "ru": Share(0.6, 0.45)})


def test_common_words_are_judged_and_odd_ones_are_not():
    assert FAMILIAR.is_known(COMMON, "en")
    assert not FAMILIAR.is_known([*COMMON[:6], *ODD[:6]], "en")


def test_each_language_has_its_own_share():
    half = [*COMMON, *ODD[: len(COMMON)]]
    assert FAMILIAR.is_known(half, "ru")
    assert not FAMILIAR.is_known(half, "en")


def test_a_language_that_nobody_trained_is_held_to_the_share_of_english():
    assert not FAMILIAR.is_known(ODD, "nl")


def test_one_odd_word_does_not_silence_a_short_text():
    assert FAMILIAR.is_known([*COMMON[:5], ODD[0]], "en")
    strict = Familiar(COMMON, {"en": Share(0.995, 0.97)})
    assert strict.is_known([*COMMON[:5], ODD[0]], "en")
    assert not strict.is_known([*COMMON[:5], *ODD[:2]], "en")


def test_masked_words_do_not_count():
    assert FAMILIAR.is_known([*COMMON[:6], *TOKENS.values()], "en")


def test_sentences_of_another_kind_are_told_from_the_text_around():
    assert FAMILIAR.is_foreign(ODD, "en")
    assert not FAMILIAR.is_foreign(COMMON, "en")
    assert not FAMILIAR.is_foreign(ODD[:2], "en"), "too short to tell"


def test_before_training_everything_is_known():
    assert Familiar((), {}).is_known(ODD, "en")
    assert not Familiar((), {}).is_foreign(ODD, "en")


def test_saved_and_loaded_it_says_the_same(tmp_path: Path):
    FAMILIAR.save(tmp_path)
    loaded = Familiar.load(tmp_path)
    assert (loaded.words, loaded.shares) == (FAMILIAR.words, FAMILIAR.shares)
