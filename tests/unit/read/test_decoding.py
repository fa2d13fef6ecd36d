"""Transfer encodings, charsets, encoded-words, parameters."""

import pytest

from milter.mail.reading import Defect
from milter.read.decode import decode_charset, decode_transfer, lf_lines, meta_charset, python_codec
from milter.read.encoded_words import decode_value, decode_words
from milter.read.parameters import parse_parameters

BAD = Defect.BAD_TRANSFER_ENCODING


@pytest.mark.parametrize(
    ("octets", "encoding", "expected", "defect"),
    [
        (b"a=C3=A9b", "quoted-printable", "aéb".encode(), None),
        (b"a=\r\nb", "quoted-printable", b"ab", None),
        (b"a=\nb", "quoted-printable", b"ab", None),
        (b"a= \t\r\nb", "quoted-printable", b"ab", None),
        (b"a=ZZb", "quoted-printable", b"a=ZZb", BAD),
        (b"a==41", "quoted-printable", b"a=A", BAD),
        (b"a=\rSECRET\nb", "quoted-printable", b"a=\rSECRET\nb", BAD),
        (b"a=", "quoted-printable", b"a=", BAD),
        (b"=c3=a9", "quoted-printable", "é".encode(), None),
        (b"YWJj\r\nZGVm\r\n", "base64", b"abcdef", None),
        (b"YWI=", "base64", b"ab", None),
        (b"YWI", "base64", b"ab", BAD),
        (b"YWJjZ", "base64", b"abc", BAD),
        (b"YWI=\r\nY2Q=", "base64", b"abcd", BAD),
        (b"YW!Jj", "base64", b"abc", BAD),
        (b"", "base64", b"", None),
        (b"====", "base64", b"", None),
        (b"abc", "7bit", b"abc", None),
        (b"abc", "", b"abc", None),
        (b"abc", "utf-8", b"abc", Defect.UNKNOWN_TRANSFER_ENCODING),
        (b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n", "x-uuencode", b"abc", None),
        (b"no begin", "x-uuencode", b"no begin", BAD),
    ],
)
def test_transfer_encodings(
    octets: bytes, encoding: str, expected: bytes, defect: Defect | None
) -> None:
    assert decode_transfer(octets, encoding) == (expected, defect)


MISMATCH = Defect.CHARSET_MISMATCH


@pytest.mark.parametrize(
    ("octets", "label", "text", "defect"),
    [
        (b"abc", "us-ascii", "abc", None),
        (b"abc", "", "abc", None),
        ("é".encode(), "utf-8", "é", None),
        ("é".encode(), "", "é", None),
        ("é".encode(), "us-ascii", "é", MISMATCH),
        (b"\xe9t\xe9", "us-ascii", "été", MISMATCH),
        (b"\xe9t\xe9", "", "été", None),
        (b"\xe9t\xe9", "utf-8", "été", MISMATCH),
        ("Größe für Übung".encode("cp1252"), "", "Größe für Übung", None),
        (b"\x93quoted\x94", "iso-8859-1", "“quoted”", None),
        ("简体中文".encode("gb18030"), "gb2312", "简体中文", None),
        ("繁體中文".encode("big5"), "big5", "繁體中文", None),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어", None),
        ("한국어".encode("euc_kr"), "euc-kr", "한국어", None),
        ("русский".encode("koi8_r"), "koi8-r", "русский", None),
        ("русский".encode("cp1251"), "windows-1251", "русский", None),
        ("عربي".encode("cp1256"), "windows-1256", "عربي", None),
        (b"+AOk-", "utf-7", "é", None),
        ("é".encode("utf-16"), "utf-16", "é", None),
        ("日本".encode("iso2022_jp"), "iso-2022-jp", "日本", None),
        ("é".encode(), "no-such-charset", "é", Defect.UNKNOWN_CHARSET),
        (b"abc", "no-such-charset", "abc", Defect.UNKNOWN_CHARSET),
        (b"abc", "unicode_escape", "abc", Defect.UNKNOWN_CHARSET),
        ("ошибка é".encode() + b"\xff", "utf-8", "ошибка é\ufffd", MISMATCH),
        ("中".encode("gb18030") * 9 + b"\xff", "gb2312", "中" * 9 + "\ufffd", MISMATCH),
    ],
)
def test_the_charset_ladder(octets: bytes, label: str, text: str, defect: Defect | None) -> None:
    assert decode_charset(octets, label) == (text, defect)


@pytest.mark.parametrize(
    "label", ["hex", "rot_13", "zlib", "idna", "punycode", "undefined", "é", "x" * 99, "\0"]
)
def test_codecs_that_are_no_charsets_are_unknown(label: str) -> None:
    assert python_codec(label) is None


def test_lone_surrogates_do_not_get_through() -> None:
    text, _ = decode_charset(b"+2AA-", "utf-7")
    assert text.encode("utf-8")


def test_html_may_name_its_charset() -> None:
    assert (
        meta_charset(b"<html><META http-equiv=x content='text/html; charset=KOI8-R'>") == "koi8-r"
    )
    assert meta_charset(b'<meta charset="utf-8">') == "utf-8"
    assert meta_charset(b"<p>charset=utf-8") == ""


def test_line_ends_become_lf() -> None:
    assert lf_lines("a\r\nb\rc\nd") == "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?Y2Fmw6k=?=", "café"),
        ("=?utf-8?b?Y2Fmw6k?=", "café"),
        ("=?UTF-8?Q?a_b?=", "a b"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\t =?iso-8859-1?q?=E9?=", "aé"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?q?a?= =?utf-8?q?b?= tail", "ab tail"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?utf-8?b?5Lg=?= =?utf-8?b?rQ==?=", "中"),
        ("=?gb2312?B?1tDOxA==?=", "中文"),
        ("=?utf-8*en?q?a?=", "a"),
        ("=?no-such?q?a?=", "=?no-such?q?a?="),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?b?!!?=", "=?utf-8?b?!!?="),
        ("=?utf-8?q?a=ZZ?=", "a=ZZ"),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-8?q?with space?=", "with space"),
        ("x=?utf-8?q?a?=y", "xay"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"=?utf-8?q?a=0D=0AX:_b?=", "a  X: b"),
        (b"a\0b\x1bc", "a b c"),
    ],
)
def test_header_values(octets: bytes, text: str) -> None:
    assert decode_value(octets) == text


@pytest.mark.parametrize(
    ("value", "token", "parameters"),
    [
        (b"text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (b'Text/Plain;CHARSET = "utf-8"', "text/plain", {"charset": "utf-8"}),
        (b"text/plain; charset=us-ascii (plain text)", "text/plain", {"charset": "us-ascii"}),
        (b"(c) text/plain (d); a=b", "text/plain", {"a": "b"}),
        (b'multipart/mixed; boundary="a;b=c\\"d"', "multipart/mixed", {"boundary": 'a;b=c"d'}),
        (b'multipart/mixed; boundary="open', "multipart/mixed", {"boundary": "open"}),
        (b"multipart/mixed boundary=stray", "multipart/mixed", {"boundary": "stray"}),
        (b"a/b; x=1; x=2", "a/b", {"x": "1"}),
        (
            b"attachment; filename=two words.pdf; size=1",
            "attachment",
            {"filename": "two words.pdf", "size": "1"},
        ),
        (b"attachment; filename*=utf-8''caf%C3%A9.pdf", "attachment", {"filename": "café.pdf"}),
        (b"attachment; filename=plain; filename*=utf-8''best", "attachment", {"filename": "best"}),
        (
            b"attachment; filename*0*=utf-8''caf%C3; filename*1*=%A9; filename*2=.pdf",
            "attachment",
            {"filename": "café.pdf"},
        ),
        (b"attachment; filename*1=b; filename*0=a", "attachment", {"filename": "ab"}),
        (b'attachment; filename="=?utf-8?q?caf=C3=A9?="', "attachment", {"filename": "café"}),
        (b"attachment; filename=caf\xe9", "attachment", {"filename": "café"}),
        (b"", "", {}),
        (b";;;=", "", {}),
    ],
)
def test_parameters(value: bytes, token: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(value) == (token, parameters)
