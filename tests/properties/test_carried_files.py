"""Whatever is done to an archive or an old Office file, reading it ends, and never raises."""

import gzip
import struct
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milter.mail.finding import Source
from milter.read.carried.archive import read_zip
from milter.read.carried.budget import Budget
from milter.read.carried.carrier import Carrier
from milter.read.carried.compound import open_compound
from milter.read.carried.gzipped import read_gzip
from milter.read.carried.kinds import HEAD_OCTETS, Kind, kind_of
from milter.read.carried.old_office import read_compound
from milter.read.carried.tar import read_tar
from tests.support import old_office as old
from tests.support.carriers import docx, read_file, tarred, zipped

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINK = "https://t.me/mira_kovac"

FILES = (
    zipped({"a.docx": docx("x"), "b.txt": b"words", "c.zip": zipped({"d.txt": b"words"})}),
    tarred({"a.txt": b"words", "b" * 150: b"more"}),
    gzip.compress(tarred({"a.txt": b"words"})),
    old.doc("one\r", "für Sie", old.field(f'HYPERLINK "{LINK}"', "here")),
    old.ppt("one", "für Sie", links=[old.slide_link(LINK, "here")]),
    old.xls(
        old.shared("one", "für Sie" * 9, most=40),
        old.sheet_link(LINK, fragment="x"),
        old.text_box("y"),
    ),
    old.msg("one", "two", html="<p>x</p>", files={"a.txt": b"x"}, item=old.item_streams("x", "y")),
)
NUMBERS = st.sampled_from([0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFA, 0xFFFFFFFE, 0xFFFFFFFF])
# Damage where the tables are, and anywhere.
PLACES = st.integers(0, 700) | st.integers(0, 20_000)
DAMAGE = st.lists(st.tuples(PLACES, NUMBERS | st.integers(0, 0xFFFFFFFF)), max_size=8)


def new_carrier() -> Carrier:
    return Carrier(
        part="2", source=Source.ATTACHMENT, budget=Budget.of_message(), open_inner=_inner
    )


def _inner(carrier: Carrier, octets: bytes, _: str, name: str) -> None:
    if carrier.depth < 4:
        carrier.depth += 1
        read_as(kind_of(octets[:HEAD_OCTETS], "", name), octets, carrier)
        carrier.depth -= 1


def read_as(kind: Kind | None, octets: bytes, carrier: Carrier) -> None:
    """Without the net that the entrance holds under its readers."""
    read = {
        Kind.PACKAGE: read_zip,
        Kind.TAR: read_tar,
        Kind.GZIP: read_gzip,
        Kind.COMPOUND: read_compound,
    }.get(kind)
    if read is not None:
        read(octets, carrier)


def read_soon(octets: bytes) -> None:
    started = time.monotonic()
    carrier = new_carrier()
    read_as(kind_of(octets[:HEAD_OCTETS], "", ""), octets, carrier)
    file = carrier.result()
    assert time.monotonic() - started < 10
    assert all(segment.text for segment in file.segments)
    assert len(file.file_names) <= 100


@QUICK
@given(st.sampled_from(FILES), DAMAGE, st.integers(0, 20_000))
def test_damaged_numbers(octets: bytes, damage: list[tuple[int, int]], end: int) -> None:
    damaged = bytearray(octets)
    for at, number in damage:
        struct.pack_into("<I", damaged, at % (len(damaged) - 4), number)
    read_soon(bytes(damaged[: end if end > 512 else None]))


@QUICK
@given(
    st.sampled_from(["WordDocument", "PowerPoint Document", "Workbook", "1Table"]),
    st.binary(max_size=600),
)
def test_any_stream(name: str, octets: bytes) -> None:
    streams = old.word_streams("x") if name == "1Table" else {}
    read_soon(old.compound(streams | {name: octets}))


@QUICK
@given(st.binary(max_size=40), st.lists(st.binary(max_size=30), max_size=5))
def test_any_records_of_excel(head: bytes, more: list[bytes]) -> None:
    for kind in (0xFC, 0x01B8, 0x01B6, 0x06, 0x0204, 0x85):
        rest = b"".join(old.biff(0x3C, octets) for octets in more)
        read_soon(old.xls(old.biff(kind, head) + rest))


@QUICK
@given(st.text(alphabet='\x13\x14\x15 HYPERLINKab"\\lo', max_size=80))
def test_any_fields(text: str) -> None:
    read_soon(old.doc(text.replace(" HYPERLINK", "HYPERLINK ")))


@QUICK
@given(st.lists(st.text(max_size=30), max_size=8), st.integers(12, 60))
def test_strings_of_excel_come_back_however_they_are_cut(texts: list[str], most: int) -> None:
    shown = list(dict.fromkeys(texts))
    file = read_file(old.xls(old.shared(*texts, most=most)))
    assert "".join(segment.text for segment in file.segments) == "\n".join(shown).strip()
    assert file.complete


@QUICK
@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=9), st.binary(max_size=5_000), max_size=9
    )
)
def test_streams_come_back(streams: dict[str, bytes]) -> None:
    carrier = new_carrier()
    root = open_compound(old.compound(streams), carrier)
    assert {name: root.stream(name) for name in streams} == streams
    assert carrier.complete
