"""Old Word, PowerPoint and Excel files and Outlook items: words, links, pictures, files within."""

import struct

import pytest

from milter.mail.finding import Source
from milter.read.carried.carrier import Carried
from tests.support import old_office as old
from tests.support.carriers import docx, picture, read_file, said, targets, zipped

LINK = "https://t.me/mira_kovac"
SIGNAL = "https://signal.me/#p/+447700900126"


def word(*pieces: str) -> Carried:
    return read_file(old.doc(*pieces))


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (
            old.doc("one\rtwo ", "für Sie 职位 \U0001f4f1\r", "end"),
            "one\ntwo für Sie 职位 \U0001f4f1\nend",
        ),
        (old.ppt("one\rtwo", "für Sie 职位"), "one\ntwo\nfür Sie 职位"),
        (old.xls(old.shared("one", "für Sie", "职位 \U0001f4f1")), "one\nfür Sie\n职位 \U0001f4f1"),
        (old.msg("one", "für Sie\r\n职位"), "one\nfür Sie\r\n职位"),
    ],
    ids=["doc", "ppt", "xls", "msg"],
)
def test_words(octets: bytes, text: str) -> None:
    file = read_file(octets)
    assert said(file) == text
    assert file.complete


@pytest.mark.parametrize(
    "octets",
    [
        old.doc("see ", old.field(f' HYPERLINK "{LINK}" ', "here")),
        old.ppt("see here", links=[old.slide_link(LINK, "here")]),
        old.xls(old.shared("see here"), old.sheet_link(LINK, shown="here")),
        old.msg("see", "", html=f'<a href="{LINK}">here</a>'),
    ],
    ids=["doc", "ppt", "xls", "msg"],
)
def test_links(octets: bytes) -> None:
    file = read_file(octets)
    assert targets(file) == [(LINK, "here")]
    assert file.complete


@pytest.mark.parametrize(
    "octets",
    [
        old.doc(old.field(' HYPERLINK "https://signal.me/" \\l "p/+447700900126" ', "x")),
        old.ppt("x", links=[old.slide_link("https://signal.me/", "x", "p/+447700900126")]),
        old.xls(
            old.shared("x"),
            old.sheet_link("https://signal.me/", shown="x", fragment="p/+447700900126"),
        ),
    ],
    ids=["doc", "ppt", "xls"],
)
def test_what_stands_behind_the_number_sign_is_kept_apart_and_joined(octets: bytes) -> None:
    assert targets(read_file(octets)) == [(SIGNAL, "x")]


@pytest.mark.parametrize(
    "octets",
    [
        old.doc("x", picture=picture(LINK)),
        old.ppt("x", picture=picture(LINK)),
        old.xls(old.shared("x"), old.biff(0xEB, old.blip(picture(LINK, size=600)))),
        old.msg("x", "x", files={"a.png": picture(LINK)}),
    ],
    ids=["doc", "ppt", "xls", "msg"],
)
def test_pictures(octets: bytes) -> None:
    file = read_file(octets)
    assert said(file, Source.QR) == LINK
    assert file.complete


ENCRYPTED_USER = struct.pack("<2H2I", 0, 0x0FF6, 20, 20) + bytes.fromhex("dfc4d1f3") + bytes(12)


@pytest.mark.parametrize(
    "octets",
    [
        old.compound(old.word_streams("secret", flags=0x100)),
        old.compound(old.ppt_streams("secret") | {"Current User": ENCRYPTED_USER}),
        old.xls(old.biff(0x2F, bytes(54)), old.shared("secret")),
        old.compound({"EncryptionInfo": bytes(99), "EncryptedPackage": b"secret"}),
        old.compound(old.word_streams("secret", version=0x65)),
        old.compound({"Book": old.biff(0x0809, struct.pack("<2H", 0x500, 5))}),
        old.xls(old.biff(0x0809, struct.pack("<2H", 0x500, 5)), old.shared("secret")),
        old.compound({"\x05SummaryInformation": bytes(99), "Contents": b"secret"}),
    ],
    ids=["doc", "ppt", "xls", "new", "older doc", "older book", "older xls", "other program"],
)
def test_what_is_encrypted_or_older_or_of_another_program_is_a_miss(octets: bytes) -> None:
    file = read_file(octets)
    assert file.segments == ()
    assert not file.complete


@pytest.mark.parametrize(
    ("instruction", "target"),
    [
        (f"HYPERLINK {LINK}", LINK),
        (f'hyperlink \\o "a tip" \\n "{LINK}" \\t "_blank"', LINK),
        (f' HYPERLINK "{LINK}', LINK),
        (' HYPERLINK \\l "_Toc1"', ""),
        (f' INCLUDEPICTURE "{LINK}"', ""),
        (" PAGE ", ""),
    ],
)
def test_fields_of_word(instruction: str, target: str) -> None:
    file = word("a ", old.field(instruction, "shown"), " b")
    assert said(file) == "a shown b"
    assert targets(file) == ([(target, "shown")] if target else [])


def test_fields_within_fields() -> None:
    inner = old.field(f'HYPERLINK "{LINK}"', "inner")
    assert said(word("a ", old.field("TOC", f"x {inner} y"), " b")) == "a x inner y b"
    assert said(word(old.field(f"IF {inner} = 1", "z"))) == "z\ninner https://t.me/mira_kovac"
    assert said(word("\x13" * 500 + "deep" + "\x15" * 500 + "end")) == "end"


def test_fields_that_do_not_end_are_text() -> None:
    assert said(word("a \x13 HYPERLINK \x13b\x14c")) == "a  HYPERLINK bc"
    assert said(word("a \x15 b \x14 c")) == "a  b  c"


def test_signs_of_word_are_what_they_look_like() -> None:
    assert said(word("a\x07b\x0bc\x0cd\x1ee\x1ff\x01\x08g")) == "a\tb\nc\nd-efg"


def test_a_text_that_is_told_a_thousand_times_ends() -> None:
    streams = old.word_streams("x" * 60_000)
    row = streams["1Table"][-8:]
    positions = struct.pack("<1001I", *range(0, 60_000 * 1_001, 60_000))
    clx = b"\x02" + struct.pack("<I", len(positions) + 8_000) + positions + row * 1_000
    head = bytearray(streams["WordDocument"])
    struct.pack_into("<2I", head, 418, 0, len(clx))
    file = read_file(old.compound({"WordDocument": bytes(head), "1Table": clx}))
    assert len(said(file)) == 100_000
    assert not file.complete


def test_notes_and_footers_of_slides() -> None:
    footer = old.container(0x0FD9, old.atom(0x0FBA, "in the footer".encode("utf-16-le"), 2))
    comment = old.container(0x2EE0, old.atom(0x0FBA, "a comment".encode("utf-16-le"), 1))
    other = old.container(0x138A, old.atom(0x0FBA, "___PPT10".encode("utf-16-le")))
    file = read_file(old.compound(old.ppt_streams("x", "x", more=footer + other + comment)))
    assert said(file) == "x\nin the footer\na comment"


def test_files_within_slides() -> None:
    packed = old.packed_object(old.doc("Telegram: @mira"))
    broken = old.atom(0x1011, b"\0\0\1\0no zlib", 1)
    file = read_file(old.compound(old.ppt_streams("x", more=packed + broken)))
    assert said(file) == "Telegram: @mira\nx"
    assert not file.complete


@pytest.mark.parametrize(
    "record",
    [
        old.biff(0x0204, bytes(6) + old.string("Telegram: @mira")),
        old.biff(0x0207, old.string("Telegram: @mira")),
        old.biff(0x0015, old.string("Telegram: @mira")),
        old.biff(0x0085, bytes(6) + old.string("Telegram: @mira", short=True)),
        old.text_box("Telegram: @mira"),
    ],
    ids=["cell", "result of a formula", "footer", "sheet", "text box"],
)
def test_words_of_excel(record: bytes) -> None:
    file = read_file(old.xls(record))
    assert said(file) == "Telegram: @mira"
    assert file.complete


def test_strings_with_forms_and_other_scripts() -> None:
    rich = b"\4\0\x0c" + b"\2\0" + b"\3\0\0\0" + b"rich" + bytes(8) + b"abc"
    table = old.biff(0xFC, struct.pack("<2I", 2, 2) + rich + old.string("next"))
    assert said(read_file(old.xls(table))) == "rich\nnext"


@pytest.mark.parametrize("most", [12, 13, 14, 15, 40, 8_224])
def test_strings_that_go_on_in_the_next_record(most: int) -> None:
    texts = ["words of one octet", "Wörter", "职位说明和要求", "\U0001f4f1\U0001f4f1"]
    assert said(read_file(old.xls(old.shared(*texts, most=most)))) == "\n".join(texts)


def test_a_text_that_changes_its_width_in_the_next_record() -> None:
    table = old.biff(0xFC, struct.pack("<2IHB", 1, 1, 6, 0) + b"abc")
    table += old.biff(0x3C, b"\1" + "职位说".encode("utf-16-le"))
    assert said(read_file(old.xls(table))) == "abc职位说"


@pytest.mark.parametrize(
    "record",
    [old.sheet_link(LINK), old.sheet_link(LINK, as_string=True), old.formula_link(LINK, "x")],
)
def test_links_of_excel(record: bytes) -> None:
    assert targets(read_file(old.xls(old.shared("y"), record))) == [(LINK, LINK)]


def test_a_long_table_does_not_hide_its_links() -> None:
    texts = [f"{number} word " * 100 for number in range(150)]
    file = read_file(old.xls(old.shared(*texts), old.sheet_link(LINK)))
    assert LINK in [target for target, _ in targets(file)]
    assert not file.complete


def test_what_an_item_holds() -> None:
    inner = old.item_streams("inner subject", "inner words", files={"c.txt": b"deep file"})
    files = {"a.docx": docx("in Word"), "b.zip": zipped({"b.txt": "in an archive"})}
    file = read_file(old.msg("outer", "words", files=files, item=inner), "a.msg")
    for words in (
        "outer",
        "words",
        "in Word",
        "in an archive",
        "inner subject",
        "inner words",
        "deep file",
    ):
        assert words in said(file)
    assert file.file_names == ("a.docx", "b.zip", "b.txt", "c.txt")
    assert file.complete


def test_an_item_in_octets() -> None:
    streams = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001E": "für Sie\0".encode("cp1252"),
        "__substg1.0_1000001E": b"words",
        "__substg1.0_10090102": b"no RTF",
    }
    file = read_file(old.compound(streams))
    assert said(file) == "für Sie\nwords"
    assert not file.complete


def native(name: bytes, octets: bytes) -> bytes:
    path = b"C:\\t\\" + name + b"\0"
    body = b"\2\0" + name + b"\0" + path + b"\0\0\3\0" + struct.pack("<I", len(path)) + path
    body += struct.pack("<I", len(octets)) + octets
    return struct.pack("<I", len(body)) + body


def test_files_within_old_files() -> None:
    pool = {
        "_1": old.word_streams("an old file"),
        "_2": {"Package": docx("a new file")},
        "_3": {"\x01Ole10Native": native(b"a.txt", b"a dropped file")},
        "_4": {"\x01Ole10Native": b"\0" * 40},
        "_5": {"CONTENTS": picture(LINK)},
    }
    file = read_file(old.compound(old.word_streams("outer") | {"ObjectPool": pool}))
    for words in ("outer", "an old file", "a new file", "a dropped file"):
        assert words in said(file)
    assert said(file, Source.QR) == LINK
    assert file.file_names == ("a.txt",)
    assert not file.complete


@pytest.mark.parametrize(
    "streams",
    [
        {"WordDocument": b""},
        {"WordDocument": old.word_streams("x")["WordDocument"]},
        old.word_streams("x") | {"1Table": bytes(60)},
        old.word_streams("x" * 400) | {"WordDocument": old.word_streams("x")["WordDocument"]},
        {"PowerPoint Document": old.ppt_streams("x")["PowerPoint Document"][:-1]},
        {"PowerPoint Document": b"\0" * 7},
        {"Workbook": old.workbook(old.shared("x"))[:-3]},
        {"Workbook": old.workbook(old.biff(0xFC, struct.pack("<2I", 9, 9) + old.string("x")))},
        {"Workbook": old.workbook(old.sheet_link(LINK)[:50])},
        {"Workbook": old.workbook(old.biff(0x01B8, bytes(29)))},
    ],
)  # fmt: skip
def test_broken_files_are_misses(streams: dict[str, bytes]) -> None:
    assert not read_file(old.compound(streams)).complete
