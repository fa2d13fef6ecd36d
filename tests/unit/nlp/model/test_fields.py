"""The table of fields: which words it knows, and the field of each."""

import pytest

from nlp.model.fields import FieldTable

TABLE = FieldTable(("garden", "reactor", "цветок", "花园"), (7, 3, 7, 7))


def test_words_of_every_script_share_a_field():
    for text in ("our garden", "мой цветок", "去花园"):
        assert TABLE.fields_of(text) == {"%7"}


def test_a_word_counts_as_its_longest_known_beginning():
    assert TABLE.fields_of("two reactors and gardening") == {"%3", "%7"}


def test_unknown_words_stand_in_no_field():
    assert TABLE.fields_of("xylophone 0 钢琴") == set()


def test_an_empty_table_gives_none():
    assert FieldTable((), ()).fields_of("our garden") == set()


def test_each_word_has_a_field():
    with pytest.raises(ValueError, match="1 fields for 2 words"):
        FieldTable(("garden", "reactor"), (7,))
