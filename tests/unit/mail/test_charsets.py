"""Charset labels: how words are written under them so that every receiver reads the same."""

import pytest

from milter.mail.charsets import UNLABELLED, python_codec, writable_charset

PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
WORDS = {
    "us-ascii": "Careful",
    "utf-8": "Vérifiez 您好 осторожно 🙂",
    "iso-8859-1": "Vérifiez",
    "iso-8859-15": "Vérifiez à 5 €",
    "windows-1252": "“Vérifiez”",
    "windows-1251": "осторожно",
    "koi8-r": "осторожно",
    "gb2312": "请核实来信人",
    "gbk": "請核實来信人",
    "gb18030": "请核实 🙂",
    "big5": "請查證寄件人",
    "shift_jis": "差出人を確認",
    "iso-2022-jp": "差出人を確認",
    "euc-jp": "差出人を確認",
    "euc-kr": "보낸 사람을 확인",
    "ks_c_5601-1987": "보낸 사람을 확인",
    "windows-1256": "تحقق من المرسل",
    "iso-8859-6": "تحقق من المرسل",
}


@pytest.mark.parametrize("label", WORDS)
def test_words_are_read_back_alike(label: str) -> None:
    charset = writable_charset(label)
    assert charset is not None
    for text in (WORDS[label], f"One\r\n{WORDS[label]}\r\ntwo", "plain"):
        octets = charset.encode(text)
        assert octets is not None
        assert octets.decode(python_codec(label) or "ascii") == text
        assert charset.is_initial_after(octets)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("us-ascii", "é"),
        ("", "é"),
        ("iso-8859-1", "€"),
        ("gb2312", "請"),
        ("big5", "осторожно é"),
        ("koi8-r", "é"),
        ("x-nobody-knows", "é"),
        ("unknown-8bit", "é"),
    ],
)
def test_what_cannot_be_expressed_is_not_written(label: str, text: str) -> None:
    charset = writable_charset(label)
    assert charset is not None
    assert charset.encode(text) is None
    assert charset.encode("plain") == b"plain"


@pytest.mark.parametrize(
    "label",
    [
        "utf-7", "unicode-1-1-utf-7", "utf-32", "utf-32le", "hz-gb-2312", "iso-2022-kr", "ibm037",
        "cp500", "utf-16", "unicode", "utf-7-imap", "ebcdic-us", "iso-10646-ucs-2",
        "iso-2022-cn", "scsu", "x" * 41 + "utf-7",
    ],
)  # fmt: skip
def test_labels_under_which_ascii_may_not_be_ascii_take_no_words(label: str) -> None:
    assert writable_charset(label) is None


def test_every_other_label_reads_ascii_as_ascii() -> None:
    labels = [*WORDS, "cp437", "cp866", "tis-620", "windows-874", "mac-cyrillic", "big5-hkscs"]
    for label in labels:
        charset = writable_charset(label)
        assert charset is not None, label
        assert PRINTABLE.decode(python_codec(label) or "") == PRINTABLE.decode("ascii"), label
        assert charset.is_sound(PRINTABLE)


@pytest.mark.parametrize(
    ("label", "head", "codec"),
    [
        ("utf-16", b"\xff\xfeA\0", "utf-16-le"),
        ("utf-16", b"\xfe\xff\0A", "utf-16-be"),
        ("utf-16le", b"A\0", "utf-16-le"),
        ("utf-16be", b"\0A", "utf-16-be"),
        ("utf-16be", b"\xfe\xff\0A", "utf-16-be"),
    ],
)
def test_utf_16_is_written_in_the_order_that_is_certain(
    label: str, head: bytes, codec: str
) -> None:
    charset = writable_charset(label, head)
    assert charset is not None
    assert charset.encode("Aé") == "Aé".encode(codec)


@pytest.mark.parametrize(
    ("label", "head"),
    [
        ("utf-16", b"A\0"),
        ("utf-16le", b"\xfe\xff\0A"),
        ("utf-8", b"\xff\xfeA\0"),
        ("", b"\xfe\xff\0A"),
    ],
)
def test_a_mark_that_contradicts_its_label_leaves_no_certainty(label: str, head: bytes) -> None:
    assert writable_charset(label, head) is None


def test_the_state_of_iso_2022_jp() -> None:
    charset = writable_charset("iso-2022-jp")
    assert charset is not None
    octets = "日".encode("iso2022_jp")
    assert charset.is_initial_after(b"")
    assert charset.is_initial_after(octets)
    assert not charset.is_initial_after(octets[:-3])
    assert not charset.is_initial_after(b"\x1b(J roman")
    assert UNLABELLED.is_initial_after(octets[:-3])


def test_soundness() -> None:
    utf_8 = writable_charset("utf-8")
    assert utf_8 is not None
    assert utf_8.is_sound("é".encode())
    assert not utf_8.is_sound(b"\xe9")
    assert not UNLABELLED.is_sound(b"\xe9")
