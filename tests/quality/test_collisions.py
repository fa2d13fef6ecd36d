"""Two people of one name are not taken for one another, and one person is found again, alike for all.

Honest pairs: a notice by one person and an unrelated direct mail by another of the same name. True
pairs: the same person, whose mail shows the name as another program writes it. Equally for every
name group: no match of the first kind, all of the second (tradecraft §7, point 6).
"""

import random
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from milter.check.engagement.matching import Match, best_match
from milter.check.engagement.names import Likeness, likeness
from tests.support.past import contact, mail

_DATA: Final = tomllib.loads(Path(__file__).with_name("names.toml").read_text("utf-8"))
_GROUPS: Final[list[dict[str, Any]]] = [*_DATA["names"], *_DATA["scripts"]]
_SEED: Final = 20_261_129
_PAIRS: Final = 200
_WINDOW: Final = timedelta(days=45)
_NOTICE: Final = {
    "organisation": "Northbridge Advisory",
    "words": ("hydrofoil", "lattice", "sonar"),
}
# What two strangers may share by chance, each alone too little for a first name.
_ONE_FACTOR: Final[tuple[dict[str, Any], ...]] = (
    {"plain": {"PLATFORM_CLAIM"}},
    {"organisations": ("northbridge advisory",)},
    {"words": frozenset({"hydrofoil", "lattice"})},
)
_NO_FACTOR: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"words": frozenset({"hydrofoil", "ballast"})},
    {"organisations": ("southgate advisory",)},
    {"codes": {"MODEL_PLATFORM_CLAIM"}},
)

by_group = pytest.mark.parametrize("group", _GROUPS, ids=lambda group: group["group"])


def _people(group: dict[str, Any]) -> Iterator[tuple[str, str, random.Random]]:
    chance = random.Random(f"{_SEED} {group['group']}")
    for _ in range(_PAIRS):
        yield chance.choice(group["given"]), chance.choice(group["surnames"]), chance


def _shown(given: str, surname: str, group: dict[str, Any], chance: random.Random) -> str:
    if group.get("joined"):
        return surname + given
    return chance.choice((f"{given} {surname}", f"{surname} {given}"))


def _written_otherwise(given: str, surname: str, group: dict[str, Any]) -> Iterator[str]:
    """The same name as other programs and other habits write it."""
    if group.get("joined"):
        yield from (f"{surname} {given}", f"{given} {surname}", f"{surname}{given} (LinkedIn)")
        return
    yield f"{given} {surname}"
    yield f"{surname}, {given}"
    yield f"{surname.upper()} {given}"
    yield f"{given} {surname}, CPA"
    yield f"Dr. {given} {surname} (they/them) 🌍"
    yield f"{given} {surname} via LinkedIn"
    yield f"{given.replace('-', ' ')} {surname.replace('-', ' ')}"
    yield f"{given.replace(' ', '-')} {surname}"
    plain = unicodedata.normalize("NFD", f"{surname} {given}")
    yield plain
    yield "".join(char for char in plain if not unicodedata.combining(char))


def _match(name: str, persona: str, fields: dict[str, Any], *, first: bool = False) -> Match | None:
    notice = replace(contact(persona, **_NOTICE), first_name_only=first)
    return best_match(mail("someone@free.test", name, **fields), (notice,), window=_WINDOW)


@by_group
def test_strangers_of_one_name_never_match(group: dict[str, Any]) -> None:
    for given, surname, chance in _people(group):
        persona = _shown(given, surname, group, chance)
        name = chance.choice([persona, *_written_otherwise(given, surname, group)])
        assert _match(name, persona, chance.choice(_NO_FACTOR)) is None, (name, persona)


@by_group
def test_strangers_of_one_first_name_never_match_by_one_factor(group: dict[str, Any]) -> None:
    for given, surname, chance in _people(group):
        name = chance.choice((given, _shown(given, surname, group, chance)))
        fields = chance.choice(_ONE_FACTOR)
        assert _match(name, given, fields, first=True) is None, (name, given)
        assert _match(given, _shown(given, surname, group, chance), fields) is None, (
            given,
            surname,
        )


@by_group
def test_two_people_of_one_given_name_or_surname_are_two(group: dict[str, Any]) -> None:
    """With all second factors: another surname is another person, and another given name."""
    everything = {**_ONE_FACTOR[0], **_ONE_FACTOR[1], **_ONE_FACTOR[2]}
    for given, surname, chance in _people(group):
        others = [one for one in group["surnames"] if one != surname]
        another = chance.choice([one for one in group["given"] if one != given])
        persona = _shown(given, surname, group, chance)
        for name in (
            _shown(given, chance.choice(others), group, chance),
            _shown(another, surname, group, chance),
        ):
            assert _match(name, persona, everything) is None, (name, persona)


@by_group
def test_one_person_is_found_again_however_the_name_is_written(group: dict[str, Any]) -> None:
    for given, surname, chance in _people(group):
        persona = _shown(given, surname, group, chance)
        fields = chance.choice(_ONE_FACTOR)
        for name in _written_otherwise(given, surname, group):
            assert likeness(name, persona) is Likeness.FULL, (name, persona)
            found = _match(name, persona, fields)
            assert found is not None, (name, persona)
            assert found.strength == 2


@by_group
def test_a_first_name_with_two_factors_is_found_again(group: dict[str, Any]) -> None:
    two = {**_ONE_FACTOR[0], **_ONE_FACTOR[1]}
    for given, surname, chance in _people(group):
        found = _match(_shown(given, surname, group, chance), given, two, first=True)
        assert found is not None, (given, surname)
        assert found.strength == 1
