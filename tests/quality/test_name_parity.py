"""People are found alike whatever their names: recall by name group, place in the mail and language.

The names stand in no list of the project, and no header gives them away. A name is found if masking
covers all of it: what is left of a name could move a judgement.
"""

import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from nlp.analysis import EntityType, ReadableText, TextSegment
from nlp.entities import find_entities

_DATA: Final = tomllib.loads(Path(__file__).with_name("names.toml").read_text("utf-8"))
_SWAPS: Final = tomllib.loads(Path(__file__).with_name("swaps.toml").read_text("utf-8"))
_PLACES: Final[dict[str, list[str]]] = _DATA["places"]
_LEXICON: Final = Path(__file__).parents[2] / "nlp" / "lexicon"
_LEAST: Final = 0.97
_WIDEST_GAP: Final = 0.03


def _names(group: dict[str, Any]) -> list[str]:
    """Every given name with a surname, in both orders."""
    names = []
    for place, given in enumerate(group["given"]):
        surname = group["surnames"][place % len(group["surnames"])]
        if group.get("joined"):
            names.append(surname + given)
        else:
            names += [f"{given} {surname}", f"{surname} {given}"]
    return names


def _groups(*tables: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {f"{group['group']}": _names(group) for table in tables for group in table}


@cache
def _recall(source: str) -> dict[str, tuple[float, tuple[str, ...]]]:
    """By group: the share of names found as people in all places, and what was missed."""
    groups = _groups(
        *{"unseen": (_DATA["names"], _DATA["scripts"]), "swaps": (_SWAPS["names"],)}[source]
    )
    recall: dict[str, tuple[float, tuple[str, ...]]] = {}
    for group, names in groups.items():
        missed: list[str] = []
        total = 0
        for language, places in _PLACES.items():
            for number, place in enumerate(places):
                for name in names:
                    total += 1
                    if not _is_found(place, name):
                        missed.append(f"{language} {number} {name}")
        recall[group] = (1 - len(missed) / total, tuple(missed))
    return recall


def _is_found(place: str, name: str) -> bool:
    text = place.format(name)
    start = text.index(name)
    segment = TextSegment(source="body", part="1", text=text)
    spans = [
        (entity.span.start, entity.span.end)
        for entity in find_entities(ReadableText(segments=(segment,)))
        if entity.type is EntityType.PERSON
    ]
    return any(first <= start and start + len(name) <= last for first, last in spans)


@pytest.mark.parametrize("source", ["unseen", "swaps"])
def test_every_name_group_is_found(source: str) -> None:
    recall = _recall(source)
    poor = {
        group: (round(share, 3), missed[:8])
        for group, (share, missed) in recall.items()
        if share < _LEAST
    }
    assert not poor


@pytest.mark.parametrize("source", ["unseen", "swaps"])
def test_name_groups_are_found_alike(source: str) -> None:
    shares = {group: share for group, (share, _) in _recall(source).items()}
    gap = max(shares.values()) - min(shares.values())
    assert gap <= _WIDEST_GAP, shares


@pytest.mark.parametrize("language", _PLACES)
def test_no_place_favours_a_group(language: str) -> None:
    by_place: dict[str, set[str]] = defaultdict(set)
    for group, (_, missed) in _recall("unseen").items():
        for each in missed:
            of_language, place, _ = each.split(" ", 2)
            if of_language == language:
                by_place[place].add(group)
    unequal = {place: groups for place, groups in by_place.items() if len(groups) > 3}
    assert not unequal


def test_no_list_of_the_project_knows_these_names() -> None:
    words: set[str] = set()
    for path in [*_LEXICON.glob("*.toml"), *_LEXICON.glob("*.txt")]:
        if path.name not in ("places.toml", "names.toml"):
            words.update(
                path.read_text("utf-8").lower().replace('"', " ").replace(",", " ").split()
            )
    given = {name.lower() for group in _DATA["names"] for name in group["given"]}
    assert not {name for name in given if name in words}
    assert len(_DATA["names"]) == 23
