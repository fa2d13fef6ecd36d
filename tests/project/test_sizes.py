"""The trained data stay small enough for a wheel; docs/model-card.md names the limit."""

from pathlib import Path

DATA = Path(__file__).parents[2] / "nlp" / "model" / "data"


def test_the_trained_data_fit_their_limit():
    sizes = [path.stat().st_size for path in DATA.rglob("*") if path.is_file()]
    assert 1_000_000 < sum(sizes) < 12_000_000
