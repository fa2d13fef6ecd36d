"""All attachments of a message share one budget, and work that never ends is given up."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from milter.mail.finding import Source
from milter.mail.reading import Facts
from milter.read.carried.aside import Lost, done_aside
from milter.read.carried.budget import Budget
from milter.read.carried.carrier import Carrier
from milter.read.message_reader import read_message
from tests.support.carriers import (
    attached_message,
    calendar,
    damaged,
    docx,
    mail,
    pdf,
    picture,
    read_file,
    said,
    targets,
)

LINK = "https://t.me/mira_kovac"
OCTETS = "application/octet-stream"


def carrier(**bounds: int) -> Carrier:
    budget = Budget.of_message()
    for name, value in bounds.items():
        setattr(budget, name, value)
    return Carrier(part="2", source=Source.ATTACHMENT, budget=budget, open_inner=lambda *_: None)


def test_bases_count_through_the_whole_part() -> None:
    full = carrier()
    full.say("line of words\n" * 4_000)
    full.say("BEGIN", Source.VCARD)
    full.code(LINK)
    segments = full.result().segments
    assert [segment.source for segment in segments[-2:]] == [Source.VCARD, Source.QR]
    assert all(len(segment.text) <= 25_000 for segment in segments)
    assert [segment.base for segment in segments[1:]] == [
        segment.base + len(segment.text) for segment in segments[:-1]
    ]


def test_a_link_without_text_of_its_own_is_written_into_the_text() -> None:
    full = carrier()
    full.say("see here")
    full.link("https://a.test/", "here")
    full.link("https://b.test/", "elsewhere")
    full.link("https://c.test/", visible=False)
    full.link("#top", "up")
    result = full.result()
    assert said(result) == "see here\nelsewhere https://b.test/"
    assert targets(result) == [
        ("https://a.test/", "here"),
        ("https://b.test/", "https://b.test/"),
        ("https://c.test/", ""),
    ]


def test_too_many_links_are_a_miss() -> None:
    full = carrier()
    for number in range(300):
        full.link(f"https://a.test/{number}", "x")
    assert not full.complete
    assert len(full.result().links) == 200


def test_the_text_of_all_attachments_is_bounded() -> None:
    long = docx("\n".join("word " * 100 for _ in range(190)))
    raw = mail(*[(long, OCTETS, f"{number}.docx") for number in range(8)])
    result = read_message(raw, Facts())
    assert sum(len(segment.text) for segment in result.segments) < 320_000
    assert 1 <= len(result.uninspected) < 8


def test_a_crowd_of_pictures_costs_no_document_its_reading() -> None:
    crowd = [(picture("x", size=300), "image/png", "a.png")] * 60
    raw = mail(*crowd, (docx("Telegram: @mira"), OCTETS, "a.docx"))
    result = read_message(raw, Facts())
    assert any("Telegram" in segment.text for segment in result.segments)
    assert len(result.uninspected) == 30


def test_nothing_is_begun_after_the_deadline() -> None:
    budget = Budget.of_message()
    budget.deadline = time.monotonic() - 1
    for octets in (picture(LINK), docx("x")):
        file = read_file(octets, budget=budget)
        assert not file.complete
        assert file.segments == ()


FILES = {
    "a.png": picture(LINK),
    "a.jpg": picture(LINK, "JPEG"),
    "a.gif": picture(LINK, "GIF"),
    "a.webp": picture(LINK, "WEBP"),
    "a.bmp": picture(LINK, "BMP"),
    "a.pdf": pdf(["Overview", "here"], links={"here": LINK}, code=LINK),
    "a.docx": docx("Overview", link=(LINK, "here"), image=picture(LINK)),
    "a.ics": calendar("DESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=3D"),
    "a.eml": attached_message("x\r\n", (picture(LINK), "image/png", "a.png")),
}


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_end_well(name: str) -> None:
    chance = random.Random(name)
    for _ in range(60):
        octets = damaged(FILES[name], chance)
        started = time.monotonic()
        file = read_file(octets, name)
        assert time.monotonic() - started < 5
        assert all(segment.text for segment in file.segments)


@pytest.mark.parametrize("size", [20_000_001, 90_000_000])
def test_large_files_are_not_read(size: int) -> None:
    assert not Budget.of_message().take_part(size)
    assert Budget.of_message().take_part(20_000_000)


def test_work_aside_gives_what_it_gives() -> None:
    assert done_aside(lambda: b"x" * 300_000, 20) == b"x" * 300_000


def _raise() -> bytes:
    raise ValueError


def _die() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


@pytest.mark.parametrize(
    "work", [_raise, _die, lambda: b"x" * 5_000_000, lambda: time.sleep(60) or b""]
)
def test_work_aside_may_be_lost(work: object) -> None:
    started = time.monotonic()
    children = _children()
    with pytest.raises(Lost):
        done_aside(work, 1)  # type: ignore[arg-type]
    assert time.monotonic() - started < 10
    assert _children() == children


def test_without_time_nothing_is_done_aside() -> None:
    with pytest.raises(Lost):
        done_aside(lambda: b"x", 0)


def _children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def test_what_was_told_aside_is_taken_over() -> None:
    apart = carrier()
    apart.say("words")
    apart.code(LINK)
    apart.link(LINK, "words")
    apart.miss()
    full = carrier()
    full.tell(apart.told())
    assert full.result() == apart.result()
