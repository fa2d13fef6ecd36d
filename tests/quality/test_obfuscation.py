"""Disguised offers are found, of every trick at least nine in ten; harmless text is not flagged.

The cases are built by `tests/support/disguises.py`. A trick that no reader takes for plain spelling
must also be flagged `obfuscated`, for that weighs by itself.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest

from bench.judged import judge_raw
from nlp.analysis import EntityResult, EntityType
from nlp.entities import find_entities
from tests.support.disguises import (
    HARMLESS,
    NAMED,
    Case,
    address_cases,
    figurative_cases,
    hidden_cases,
    linked_cases,
    named_cases,
    parted_cases,
    spoken_cases,
)
from tests.support.entities import entities

RECALL, MIN_CASES = 0.9, 20
# What an input method, a font, a script or a narrow column writes by itself is no disguise.
_PLAIN = frozenset(
    {"soft hyphen", "full width", "circled", "negative circled", "mathematical", "split over lines"}
)


def _found(case: Case) -> list[EntityResult]:
    """What the case asks for; a value that ends with a colon is the beginning of one."""
    return [
        entity
        for entity in find_entities(case.readable)
        if entity.type == case.type
        and (
            entity.value == case.value
            or (case.value.endswith(":") and entity.value.startswith(case.value))
        )
    ]


def _assert_recall(cases: Iterable[Case]) -> list[tuple[Case, list[EntityResult]]]:
    read = [(case, _found(case)) for case in cases]
    missed = [f"{case.value} in {case.shown!r}" for case, found in read if not found]
    assert len(read) >= MIN_CASES
    assert len(missed) <= (1 - RECALL) * len(read), "\n".join(missed)
    return [(case, found) for case, found in read if found]


@pytest.mark.parametrize("trick", NAMED)
def test_a_disguised_name_of_a_service_is_read(trick: str) -> None:
    for case, found in _assert_recall(named_cases(trick)):
        if trick not in _PLAIN:
            assert any("obfuscated" in entity.flags for entity in found), case.shown


@pytest.mark.parametrize(
    "cases",
    [figurative_cases, spoken_cases, address_cases, parted_cases, linked_cases, hidden_cases],
)
def test_an_offer_in_other_words_or_places_is_read(cases: Callable[[], Iterator[Case]]) -> None:
    _assert_recall(cases())


def test_spelled_out_addresses_are_flagged() -> None:
    for case in address_cases():
        if "＠" not in case.shown:
            assert all("obfuscated" in entity.flags for entity in _found(case)), case.shown


def test_targets_of_links_and_hidden_text_are_flagged_as_what_they_are() -> None:
    for case in linked_cases():
        assert all("link" in entity.flags for entity in _found(case))
    for case in hidden_cases():
        assert all("hidden" in entity.flags for entity in _found(case))


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_holds_no_disguised_offer(text: str) -> None:
    offers = (EntityType.HANDLE, EntityType.PHONE, EntityType.PLATFORM, EntityType.EMAILADDR)
    assert [entity for entity in entities(text) if entity.type in offers] == []


@pytest.mark.parametrize("text", HARMLESS)
def test_no_finding_of_disguise_in_a_letter_with_harmless_text(text: str) -> None:
    letter = (
        "From: Ana Ruiz <ana.ruiz@gmail.com>\r\nTo: someone@example.org\r\nSubject: Your profile\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "I came across your profile and have a paid consulting project for you.\r\n"
        f"Please send me your CV, we pay 500 USD per report.\r\n\r\n{text}\r\n"
    )
    reading, verdict = judge_raw(letter.encode("utf-8"))
    assert reading.screened
    assert "HANDLE_OBFUSCATED" not in {row.finding.code for row in verdict.findings}
