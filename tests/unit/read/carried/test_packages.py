"""Office files: words, links, pictures within, and archives that mean harm."""

import zipfile
from io import BytesIO

import pytest

from milter.mail.finding import Source
from milter.read.carried.budget import Budget
from tests.support.carriers import (
    docx,
    odt,
    picture,
    pptx,
    read_file,
    relations,
    said,
    targets,
    xlsx,
    zipped,
)

LINK = "https://t.me/mira_kovac"
TYPES = "[Content_Types].xml"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (docx("one\ntwo", link=(LINK, "here")), "one\ntwo\nhere"),
        (pptx("one ", link=(LINK, "here")), "one here"),
        (odt("one", link=(LINK, "here")), "one\nhere"),
        (xlsx("one", link=(LINK, "one")), "one"),
        (xlsx("one", link=(LINK, "one"), inline=True), "one"),
    ],
)
def test_words_and_links(octets: bytes, text: str) -> None:
    read = read_file(octets)
    assert said(read) == text
    assert targets(read) == [(LINK, text.split("\n")[-1].removeprefix("one "))]
    assert read.complete


@pytest.mark.parametrize("part", ["header1", "footer3", "footnotes", "endnotes", "comments", "odd"])
def test_every_part_of_a_word_file_is_read(part: str) -> None:
    assert "Telegram: @mira" in said(read_file(docx("Telegram: @mira", part=part)))


def word_file(body: str, **others: str | bytes) -> bytes:
    return zipped(
        {TYPES: "<Types/>", "word/document.xml": f"<w:d xmlns:w='w'>{body}</w:d>", **others}
    )


@pytest.mark.parametrize(
    "body",
    [
        f'<w:p><w:r><w:instrText>HYPERLINK "{LINK}"</w:instrText></w:r></w:p>',
        '<w:p><w:r><w:instrText>HYPER</w:instrText></w:r><w:r><w:instrText>LINK "https://t.me'
        '/mira_kovac"</w:instrText></w:r></w:p>',
        f"<w:p><w:fldSimple w:instr=' HYPERLINK \"{LINK}\" '/></w:p>",
    ],
)
def test_links_of_fields(body: str) -> None:
    assert targets(read_file(word_file(body))) == [(LINK, LINK)]


def test_links_of_formulas() -> None:
    sheet = f"<s><c><f>HYPERLINK(&quot;{LINK}&quot;,&quot;go&quot;)</f><v>go</v></c></s>"
    octets = zipped({TYPES: "<Types/>", "xl/worksheets/sheet1.xml": sheet})
    assert targets(read_file(octets)) == [(LINK, LINK)]


@pytest.mark.parametrize(
    "octets",
    [
        zipped(
            {
                TYPES: "<Types/>",
                "word/document.xml": '<w:d xmlns:w="w" xmlns:r="r"><w:hyperlink r:id="rId1"'
                ' w:anchor="p/+447700900126"><w:r><w:t>here</w:t></w:r></w:hyperlink></w:d>',
                "word/_rels/document.xml.rels": relations({"rId1": "https://signal.me/"}),
            }
        ),
        zipped(
            {
                TYPES: "<Types/>",
                "xl/worksheets/sheet1.xml": '<s xmlns:r="r"><is><t>here</t></is><hyperlink'
                ' r:id="rId1" location="p/+447700900126" display="here"/></s>',
                "xl/worksheets/_rels/sheet1.xml.rels": relations({"rId1": "https://signal.me/"}),
            }
        ),
        zipped(
            {
                TYPES: "<Types/>",
                "word/document.xml": "<w:d xmlns:w='w'><w:p><w:t>here</w:t><w:instrText>HYPERLINK"
                ' "https://signal.me/" \\l "p/+447700900126"</w:instrText></w:p></w:d>',
            }
        ),
    ],
    ids=["word", "excel", "field"],
)
def test_what_stands_behind_the_number_sign_is_kept_apart_and_joined(octets: bytes) -> None:
    (link,) = read_file(octets).links
    assert link.target == "https://signal.me/#p/+447700900126"


def test_words_cut_into_runs_are_one_word() -> None:
    body = "<w:p><w:r><w:t>Tele</w:t></w:r><w:r><w:t>gram</w:t></w:r></w:p>"
    assert said(read_file(word_file(body))) == "Telegram"


def test_a_part_is_left_out_by_its_type_not_by_its_name() -> None:
    body = "<w:p><w:t>secret word</w:t></w:p>"
    styles = '<Types><Override PartName="/word/document.xml" ContentType="x.styles+xml"/></Types>'
    entries = {"word/document.xml": f"<w:d xmlns:w='w'>{body}</w:d>"}
    assert said(read_file(zipped({TYPES: styles, **entries}))) == ""
    renamed = {"word/styles.xml": entries["word/document.xml"]}
    assert said(read_file(zipped({TYPES: "<Types/>", **renamed}))) == "secret word"


def test_only_hyperlinks_are_links() -> None:
    template = relations({"rId1": LINK}).replace("/hyperlink", "/attachedTemplate")
    octets = word_file("<w:p/>", **{"word/_rels/document.xml.rels": template})
    assert targets(read_file(octets)) == []


@pytest.mark.parametrize("folder", ["word/media", "xl/media", "ppt/media", "Pictures", "odd"])
def test_pictures(folder: str) -> None:
    octets = word_file("<w:p/>", **{f"{folder}/image1.png": picture(LINK)})
    assert said(read_file(octets), Source.QR) == LINK


def test_files_within() -> None:
    octets = word_file("<w:p/>", **{"word/embeddings/sheet.xlsx": xlsx("Telegram: @mira")})
    assert said(read_file(octets)) == "Telegram: @mira"


def test_a_drawing_in_an_old_format_is_a_miss() -> None:
    assert not read_file(
        word_file("<w:p/>", **{"word/media/image1.emf": b"\1\0\0\0" * 99})
    ).complete


def test_files_within_files_end() -> None:
    octets = docx("deepest")
    for _ in range(8):
        octets = word_file("<w:p><w:t>level</w:t></w:p>", **{"word/embeddings/a.docx": octets})
    read = read_file(octets)
    assert said(read).count("level") == 4
    assert not read.complete


@pytest.mark.parametrize(
    "octets",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\0" * 500,
        docx("x")[:-30],
        docx("x")[:100],
        word_file("<w:p>not closed"),
    ],
    # Packages carry the time of day: it must not be part of a test's name.
    ids=["head", "zeros", "end cut off", "most cut off", "open element"],
)
def test_broken_files_are_misses(octets: bytes) -> None:
    assert not read_file(octets).complete


def test_what_stands_before_the_fault_is_kept() -> None:
    read = read_file(word_file("<w:p><w:t>Telegram: @mira</w:t></w:p><w:p"))
    assert said(read) == "Telegram: @mira"
    assert not read.complete


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE d SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(start: str) -> None:
    document = f"{start}<d><w:t xmlns:w='w'>&b;&a;</w:t></d>"
    read = read_file(zipped({TYPES: "<Types/>", "word/document.xml": document}))
    assert read.segments == ()
    assert not read.complete


def test_a_bomb_is_not_unpacked() -> None:
    budget = Budget.of_message()
    before = budget.octets
    octets = word_file("", **{"word/media/a.png": b"\0" * 100_000_000})
    assert not read_file(octets, budget=budget).complete
    assert before - budget.octets < 1_000_000


def test_an_entry_that_is_larger_than_it_says_is_cut() -> None:
    octets = bytearray(word_file("<w:p><w:t>" + "word " * 4_000_000 + "</w:t></w:p>"))
    directory = octets.rfind(b"PK\x01\x02")
    octets[directory + 24 : directory + 28] = (1_000).to_bytes(4, "little")
    read = read_file(bytes(octets))
    assert len(said(read)) < 150_000
    assert not read.complete


def test_an_encrypted_entry_is_a_miss() -> None:
    octets = bytearray(docx("x"))
    at = 0
    while (at := octets.find(b"PK\x01\x02", at)) >= 0:
        octets[at + 8] |= 1
        at += 4
    read = read_file(bytes(octets))
    assert read.segments == ()
    assert not read.complete


def test_a_long_list_of_entries_is_not_read() -> None:
    octets = zipped({TYPES: "<Types/>", **{f"word/{number}.xml": "" for number in range(9_000)}})
    assert not read_file(octets).complete


def test_a_list_behind_zip64_is_not_read() -> None:
    octets = docx("x")
    end = octets.rfind(b"PK\x05\x06")
    hidden = octets[:end] + b"PK\x06\x07" + b"\0" * 16 + octets[end:]
    assert not read_file(hidden).complete


def test_an_unusual_compression_is_a_miss() -> None:
    octets = BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(TYPES, "<Types/>")
        archive.writestr("word/document.xml", "<w:t xmlns:w='w'>x</w:t>")
    assert not read_file(octets.getvalue()).complete
