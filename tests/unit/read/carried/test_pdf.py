"""Text, links, notes and codes of PDF."""

import time

import pytest

from milter.mail.finding import Source
from milter.mail.reading import Defect
from milter.read.carried.budget import Budget
from tests.support.carriers import pdf, pdf_of, read_file, repeated_form, said, targets

LINK = "https://t.me/mira_kovac"


def test_text_and_links() -> None:
    read = read_file(pdf(["Overview", "write to me"], links={"write to me": LINK}))
    assert said(read) == "Overview\nwrite to me"
    assert targets(read) == [(LINK, "write to me")]
    assert read.complete


def test_a_link_on_no_text_is_written_into_the_text() -> None:
    octets = pdf(["Overview"], links={"Overview": LINK}).replace(b"/Rect[55", b"/Rect[99")
    octets = octets.replace(b"/Rect[99 772 400 792]", b"/Rect[55 100 400 120]")
    read = read_file(octets)
    assert said(read) == f"Overview\n{LINK}"
    assert targets(read) == [(LINK, LINK)]


@pytest.mark.parametrize("drawn", [False, True])
def test_codes(drawn: bool) -> None:
    assert said(read_file(pdf(["x"], code=LINK, drawn=drawn)), Source.QR) == LINK


def test_a_code_on_a_later_page() -> None:
    assert said(read_file(pdf(["x"], code=LINK, pages_before=5)), Source.QR) == LINK


def test_pages_beyond_the_first_are_a_miss() -> None:
    read = read_file(pdf(["late words"], pages_before=12))
    assert said(read) == ""
    assert not read.complete


def with_annotation(annotation: str) -> bytes:
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[{annotation}]>>".encode(),
        ]
    )


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (
            "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(Telegram: @mira_k)>>",
            "Telegram: @mira_k",
        ),
        (
            "<</Type/Annot/Subtype/FreeText/Rect[0 0 9 9]/Contents(Signal: mira.42)>>",
            "Signal: mira.42",
        ),
        ("<</Type/Annot/Subtype/Widget/FT/Tx/Rect[0 0 9 9]/V(LINE ID: mira)>>", "LINE ID: mira"),
    ],
)
def test_notes_and_fields(annotation: str, expected: str) -> None:
    assert said(read_file(with_annotation(annotation))) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7\n" + b"\xff" * 2_000,
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n",
        pdf(["x"])[:200],
    ],
)
def test_broken_files_are_misses(octets: bytes) -> None:
    read = read_file(octets)
    assert not read.complete
    assert read.segments == ()


def test_a_file_with_a_password_is_a_miss() -> None:
    locked = pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[]/Count 0>>",
            b"<</Filter/Standard/V 1/R 2/P -44/O(%b)/U(%b)>>" % (b"o" * 32, b"u" * 32),
        ],
        trailer="/Encrypt 3 0 R/ID[<00><00>]",
    )
    assert not read_file(locked).complete


def test_pages_that_stand_in_themselves_end() -> None:
    loop = pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2/Parent 2 0 R>>",
        ]
    )
    assert not read_file(loop).complete


def test_a_page_that_takes_too_long_to_draw_is_left() -> None:
    budget = Budget.of_message()
    budget.deadline = time.monotonic() + 0.5
    started = time.monotonic()
    read = read_file(repeated_form(6), budget=budget)
    assert time.monotonic() - started < 8
    assert not read.complete


def test_much_text_is_cut() -> None:
    read = read_file(pdf(["word " * 20_000]))
    assert len(said(read)) <= 20_000
    assert not read.complete


def test_text_beyond_all_bounds_is_said_to_be_cut() -> None:
    budget = Budget.of_message(chars=50)
    read = read_file(pdf(["word " * 20]), budget=budget)
    assert read.defects == (Defect.TEXT_TRUNCATED,)
