"""What the sender wrote, repeated in a banner: recognisable, short, and nothing to click."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.act.shown import LONGEST, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to me at analyst.k@example.com", "write to me at analyst[.]k[at]example[.]com"),
        ("https://chat.example.net/join", "hxxps[:]//chat[.]example[.]net/join"),
        ("HTTP://EXAMPLE.NET", "hxxp[:]//EXAMPLE[.]NET"),
        ("www.example.org/a", "www[.]example[.]org/a"),
        ("example。com", "example[.]com"),
        ("пример.рф", "пример[.]рф"),
        ("wa:+49 170 1234567", "wa:+49 170 123[-]4567"),
        ("0170/123 45 67", "0170/123[-]45 67"),
        ("WeChat analyst_k", "WeChat analyst_k"),
        ("Telegram @linden_r", "Telegram @linden_r"),
        ("1.500 EUR for ten pages", "1.500 EUR for ten pages"),
        ("你好。请加微信", "你好。请加微信"),
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("abc\u202edcba\u200b\ufeff\x00", "abcdcba"),
        ("\u200b\u202e", ""),
        ("x" * 200, "x" * 57 + "..."),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text(max_size=500))
def test_it_is_one_short_line_of_visible_characters(text: str) -> None:
    line = shown(text)
    assert len(line) <= LONGEST
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(c) for c in line}
    assert "://" not in line


@given(st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9}){1,3}(/[a-z.]{0,9})?", fullmatch=True))
def test_no_host_name_stays_whole(name: str) -> None:
    assert not any(
        before.isalnum() and after.isalpha()
        for before, dot, after in zip(shown(name), shown(name)[1:], shown(name)[2:], strict=False)
        if dot == "."
    )
