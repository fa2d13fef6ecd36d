"""Names and numbers offered on a service are found whichever service it is, in every language."""

import pytest

from nlp.analysis import EntityType
from tests.support.entities import texts_of
from tests.support.offers import (
    LINES,
    NAMED,
    NO_OFFERS,
    NUMBERED,
    NUMBERS,
    SURE,
    USER_NAMES,
    WORDS,
)


def _missed(carrier: str, apps: tuple[str, ...], slot: str, values: tuple[str, ...]) -> list[str]:
    missed = []
    for app in apps:
        for value in values:
            text = carrier.format_map({"app": app, slot: value})
            if not any(value in found for found in texts_of(EntityType.HANDLE, text)):
                missed.append(f"{app} {value}")
    return missed


@pytest.mark.parametrize("carrier", NAMED)
def test_a_user_name_is_found_on_every_service(carrier: str) -> None:
    assert not _missed(carrier, (*SURE, *WORDS), "name", USER_NAMES)


@pytest.mark.parametrize("carrier", LINES)
def test_a_line_of_a_signature_is_a_user_name_on_every_sure_service(carrier: str) -> None:
    assert not _missed(carrier, SURE, "name", USER_NAMES)


@pytest.mark.parametrize("carrier", NUMBERED)
def test_a_number_is_found_on_every_service(carrier: str) -> None:
    assert not _missed(carrier, (*SURE, *WORDS), "number", NUMBERS)


@pytest.mark.parametrize("carrier", NO_OFFERS)
def test_no_name_is_read_where_none_is_offered(carrier: str) -> None:
    for app in (*SURE, *WORDS):
        assert texts_of(EntityType.HANDLE, carrier.format(app=app)) == []
