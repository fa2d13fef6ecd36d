"""Attachments read by real reader processes: forked, confined, without files of their own."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milter.mail.reading import Facts, Reading
from milter.readers.pool import PoolSettings, ReaderPool
from milter.readers.reader import ReaderSetup
from tests.support import carriers

ROOT = Path(__file__).parents[2]
LINK = "https://t.me/mira_kovac"
OCTETS = "application/octet-stream"


class _Deaf:
    """Nobody listens to what the pool reports; ends of readers are kept."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, str]] = []

    def reader_waited(self, seconds: float) -> None:
        pass

    def reader_ended(self, reason: str, detail: str) -> None:
        self.ends.append((str(reason), detail))

    def template_ended(self, detail: str) -> None:
        self.ends.append(("template", detail))


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[ReaderPool, _Deaf]]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    events = _Deaf()
    setup = ReaderSetup(user="nobody" if os.geteuid() == 0 else "")
    pool = ReaderPool(PoolSettings(readers=1, setup=setup), events)
    await pool.start()
    yield pool, events
    await pool.close()


async def _read(pool: ReaderPool, raw: bytes) -> Reading:
    examined = await pool.examine(raw, Facts(wants_text=True), time.monotonic() + 30)
    reading = examined.reading
    assert reading is not None
    assert not reading.text_only
    return reading


def _handles(reading: Reading) -> set[str]:
    assert reading.analysis is not None
    return {entity.value for entity in reading.analysis.entities if entity.type == "handle"}


FILES = {
    "png": carriers.picture(LINK),
    "jpg": carriers.picture(LINK, "JPEG", size=1_200),
    "gif": carriers.picture(LINK, "GIF"),
    "webp": carriers.picture(LINK, "WEBP"),
    "bmp": carriers.picture(LINK, "BMP"),
    "pdf": carriers.pdf(["Overview"], code=LINK),
    "docx": carriers.docx("Overview", image=carriers.picture(LINK)),
    "rtf": rb'{\rtf1\ansi x {\field{\*\fldinst HYPERLINK "https://t.me/mira_kovac"}{\fldrslt go}}}',
    "ics": carriers.calendar(f"URL:{LINK}"),
    "eml": carriers.attached_message(f"See {LINK}\r\n"),
}


async def test_every_format_is_read_in_a_confined_process(pool: tuple[ReaderPool, _Deaf]) -> None:
    readers, events = pool
    for extension, octets in FILES.items():
        reading = await _read(readers, carriers.mail((octets, OCTETS, f"a.{extension}")))
        assert _handles(reading) == {"telegram:mira_kovac"}, extension
        assert reading.uninspected == (), extension
    assert events.ends == []


async def test_a_reader_survives_hostile_files(pool: tuple[ReaderPool, _Deaf]) -> None:
    readers, events = pool
    bomb = carriers.zipped(
        {"[Content_Types].xml": "<Types/>", "word/document.xml": b" " * 200_000_000}
    )
    broken = [octets[: len(octets) // 2] for octets in FILES.values()]
    endless = carriers.repeated_form()
    files = (bomb, *broken, endless, carriers.docx(f"See {LINK}"))
    raw = carriers.mail(*((octets, OCTETS, "a.bin") for octets in files))
    started = time.monotonic()
    reading = await _read(readers, raw)
    assert time.monotonic() - started < 8
    assert {"2", str(len(files))} <= set(reading.uninspected)
    # What is whole beside them is read.
    assert _handles(reading) == {"telegram:mira_kovac"}
    assert events.ends == []
