"""What the trained model and the rules are given to read: who somebody is stands for itself."""

import pytest

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.entities import find_entities
from nlp.masking import NAMES


def stretch_of(text: str) -> pipeline._Stretch:
    segment = TextSegment(source="body", part="1", text=text)
    entities = find_entities(ReadableText(segments=(segment,)))
    return pipeline._masked((segment,), entities)[0][0]


def shown(text: str) -> str:
    masked = stretch_of(text).masked.text
    return "".join(f"<{NAMES[char]}>" if char in NAMES else char for char in masked)


@pytest.mark.parametrize("country", ["캐나다", "중국", "프랑스", "이란"])
def test_who_comes_from_some_country_says_an_origin(country: str) -> None:
    assert shown(f"저는 {country} 출신입니다.") == "저는 <origin>입니다."


def test_a_place_that_nobody_comes_from_stays_a_place() -> None:
    assert shown("캐나다 지사 자리입니다.").startswith("<place>")


def test_a_latin_name_ends_where_han_goes_on() -> None:
    text = "Rowan老师您好,领英上说好了。"
    stretch = stretch_of(text)
    assert [stretch.masked.text[first:last] for first, last in pipeline._capitals([stretch])] == [
        stretch.masked.text[0]
    ]
    assert shown(text) == "<person>老师您好,领英上说好了。"
