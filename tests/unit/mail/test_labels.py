"""The words that metrics know are the words that the language analysis uses."""

import tomllib
from importlib.resources import files

from milter.mail.labels import INTENT_LABELS, PLATFORM_IDS
from nlp.analysis import IntentLabel


def test_intent_labels_are_those_of_nlp():
    assert tuple(IntentLabel) == INTENT_LABELS


def test_platform_ids_are_those_of_the_lexicon():
    table = tomllib.loads((files("nlp") / "lexicon" / "platforms.toml").read_text("utf-8"))
    assert tuple(service["id"] for service in table["service"]) == PLATFORM_IDS
