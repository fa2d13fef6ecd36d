"""docs/scale-out.md and docs/memory-growth.md say what the code takes and what the constants give."""

import re
import tomllib
from dataclasses import replace

import pytest

from bench.growth import DOCS, PAGE, SIZES, Assumptions, constants, house, page
from milter.settings import load_settings

TEXT = (DOCS / "scale-out.md").read_text("utf-8")
REST = 'contact = "security@example.org"\ndomains = ["example.org"]\n[next_hop]\nhost = "inner.example.org"\n'


def test_the_settings_that_the_page_tells_are_taken_whole():
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    loaded = load_settings((REST + "".join(blocks)).encode(), source="page")
    assert loaded.warnings == ()
    assert loaded.settings.history.store == "redis"
    assert loaded.settings.listen[0].role == "mx"
    told = tomllib.loads("".join(blocks))["admin"]["port"]
    balancer = (DOCS.parent / "config" / "haproxy.cfg").read_text("utf-8")
    assert f"check port {told} " in balancer


def test_files_that_the_page_names_exist():
    named = set(re.findall(r"`?((?:docs|config|tests)/[\w./-]+\.(?:md|py|cfg))`?", TEXT))
    assert len(named) > 5
    assert [name for name in named if not (DOCS.parent / name).exists()] == []


def numbers(row: list[str]) -> list[float]:
    return [float(cell.replace(",", "").removesuffix(" %")) for cell in row]


def test_the_page_of_growth_has_the_rows_of_its_constants():
    measured = constants()
    made = page(Assumptions(), measured)
    wanted = [line for line in made.splitlines() if line.startswith("|")]
    kept = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    assert wanted == kept, "measured anew? then: python -m bench.growth"


@pytest.mark.parametrize("column", [1, 2, 4, 5, 6, 7, 8])
def test_what_is_twice_as_large_takes_twice_as_much(column):
    measured = constants()
    one, other = (
        numbers(house(size, Assumptions(), measured)) for size in (SIZES[-1], 2 * SIZES[-1])
    )
    assert other[column] == pytest.approx(2 * one[column], rel=0.01)


def test_fewer_messages_need_fewer_gateways_and_no_smaller_memory():
    measured, given = constants(), Assumptions()
    one, other = (
        numbers(house(SIZES[-1], replace(given, messages_a_day=each), measured))
        for each in (100.0, 50.0)
    )
    assert other[3] == pytest.approx(one[3] / 2, rel=0.01)
    assert other[5:] == one[5:]
