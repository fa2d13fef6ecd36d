"""The measurement of the memory itself: what it counts is there, and it keeps the other parts."""

from pathlib import Path

import pytest

from bench import memory
from bench.memory import Measured, Population, put, section, sqlite


async def test_a_small_population(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOOK_UPS", 20)
    rows = dict((await sqlite(tmp_path, Population(500))).rows)
    assert rows["octets a conduct"].endswith("(100 written)")
    assert rows["octets a trail mark"].endswith("(200 written)")
    look_up = rows["look-up warm, ms p50 / p99 / max"]
    opened = float(look_up.partition("(")[2].partition(" ")[0])
    # Ten contacts a recipient, two conducts, and a dossier with more is asked for more often.
    assert 10 < opened < 20
    gone = [rows[f"expired a {span} later, without pauses"] for span in ("month", "year")]
    # All that was written: contacts, conducts, marks (traits and recipients may repeat), 20 singly.
    assert 780 <= sum(int(one.split()[0]) for one in gone) <= 820


def test_the_page_keeps_the_parts_of_other_stores(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for name, how_much in (("SQLite", "1"), ("Redis", "2"), ("SQLite", "3")):
        put(page, name, section(name, "command", Measured([("octets", how_much)]), 10))
    text = page.read_text()
    assert text.count("## SQLite") == text.count("## Redis") == text.count("# What the memory") == 1
    assert "| octets | 1 |" not in text
    assert text.index("| octets | 3 |") < text.index("| octets | 2 |")
