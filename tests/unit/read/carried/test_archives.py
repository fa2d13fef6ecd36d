"""Archives: the files in them are read like attached ones, and those that mean harm are left alone."""

import gzip
import io
import random
import struct
import tarfile
import time
import zipfile
import zlib

import pytest

from milter.examine import examine
from milter.mail.finding import Source
from milter.mail.reading import Facts
from milter.read.carried.budget import MAX_DEPTH, Budget
from milter.read.carried.carrier import MAX_NAMES
from tests.support.carriers import (
    attached_message,
    card,
    damaged,
    docx,
    mail,
    pdf,
    picture,
    read_file,
    said,
    targets,
    tarred,
    zipped,
)

LINK = "https://t.me/mira_kovac"
ENCRYPTED, UTF_8 = 1, 0x800
WORDS = b"Telegram: @mira"


def marked(archive: bytes, flags: int) -> bytes:
    """The archive with these flags on every entry."""
    octets = bytearray(archive)
    for record, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = 0
        while (at := octets.find(record, at)) >= 0:
            (old,) = struct.unpack_from("<H", octets, at + place)
            struct.pack_into("<H", octets, at + place, old | flags)
            at += 4
    return bytes(octets)


def in_directory(archive: bytes, place: int, number: int) -> bytes:
    """The archive with another number in the last record of its list of entries."""
    octets = bytearray(archive)
    struct.pack_into("<I", octets, octets.rfind(b"PK\1\2") + place, number)
    return bytes(octets)


def named(raw: bytes, *, flags: int = 0, extra: bytes = b"") -> bytes:
    """An archive whose entry has a name of these octets."""
    info = zipfile.ZipInfo("x" * len(raw))
    info.extra = extra
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr(info, "x")
    return marked(octets.getvalue().replace(b"x" * len(raw), raw), flags)


def test_each_file_is_read_as_if_it_were_attached() -> None:
    file = read_file(
        zipped(
            {
                "JD/role.docx": docx("in Word", link=(LINK, "in Word")),
                "JD/notes.txt": "in a text",
                "JD/code.png": picture("https://wa.me/447700900123"),
                "JD/page.pdf": pdf(["in a PDF"]),
                "mail.eml": attached_message("in a mail\r\n"),
                "more.zip": zipped({"card.vcf": card("NOTE:in a card")}),
                "empty.txt": "",
                "folder/": "",
            }
        )
    )
    for words in ("in Word", "in a text", "in a PDF", "in a mail"):
        assert words in said(file)
    assert "in a card" in said(file, Source.VCARD)
    assert said(file, Source.QR) == "https://wa.me/447700900123"
    assert (LINK, "in Word") in targets(file)
    assert file.complete


def test_an_empty_archive_says_nothing() -> None:
    file = read_file(zipped({}))
    assert file.segments == ()
    assert file.complete


@pytest.mark.parametrize("name", ["a.zip", "a.ZIP"])
def test_what_stands_around_an_archive_does_not_matter(name: str) -> None:
    assert (
        said(read_file(b"junk before" + zipped({"a.txt": WORDS}) + b"junk", name)) == WORDS.decode()
    )


def test_what_is_not_read_is_a_miss_and_costs_the_rest_nothing() -> None:
    file = read_file(
        zipped({"setup.exe": b"MZ" + b"\1" * 99, "a.rar": b"Rar!\x1a\7", "a.txt": WORDS})
    )
    assert said(file) == WORDS.decode()
    assert not file.complete


def test_what_macos_keeps_for_itself_is_no_miss() -> None:
    file = read_file(
        zipped(
            {
                "a.txt": WORDS,
                "__MACOSX/._a.txt2": b"\0\5\x16\7\0\2\0\0",
                ".DS_Store": b"\0\0\0\1Bud1",
            }
        )
    )
    assert said(file) == WORDS.decode()
    assert file.complete


def test_a_folder_for_macos_is_no_hiding_place() -> None:
    assert said(read_file(zipped({"__MACOSX/a.txt": WORDS}))) == WORDS.decode()


@pytest.mark.parametrize(
    ("archive", "name"),
    [
        (named("für Sie.txt".encode()), "für Sie.txt"),
        (named("für Sie.txt".encode(), flags=UTF_8), "für Sie.txt"),
        (named("für Sie.txt".encode("cp1252")), "für Sie.txt"),
        (named("职位说明.pdf.lnk".encode()), "职位说明.pdf.lnk"),
        (
            named(
                b"role.txt",
                extra=struct.pack("<2sHBI", b"up", 5 + 9, 1, zlib.crc32(b"role.txt"))
                + "роль".encode() + b"!",
            ),
            "роль!",
        ),
        (named(b"role.txt", extra=struct.pack("<2sHBI", b"up", 6, 1, 7) + b"x"), "role.txt"),
    ],
)  # fmt: skip
def test_names_are_those_that_programs_show(archive: bytes, name: str) -> None:
    assert read_file(archive).file_names == (name,)


def test_names_are_known_of_what_cannot_be_opened_too() -> None:
    file = read_file(marked(zipped({"JD/offer.pdf.exe": b"MZ", "a.txt": WORDS}), ENCRYPTED))
    assert file.file_names == ("offer.pdf.exe", "a.txt")
    assert file.segments == ()
    assert not file.complete


def test_a_password_for_an_encrypted_archive_is_found_in_the_words_of_the_mail() -> None:
    archive = marked(zipped({"role.docx": docx("secret")}), ENCRYPTED)
    text = (
        "Dear Ina,\r\nwe think you would fit our senior engineer role. Before the interview please open"
        " the attached archive (password: hire2026) and run the test project on your machine.\r\n"
    )
    reading = examine(
        mail((archive, "application/zip", "JD.zip"), text=text), Facts(wants_text=True)
    )
    assert reading.uninspected == ("2",)
    assert "LURE_FILE" in {finding.code for finding in reading.outcomes[0].findings}


def test_names_within_files_are_seen_like_those_of_attachments() -> None:
    inner = attached_message(
        "x\r\n", (zipped({"offer.pdf.exe": b"MZ"}), "application/zip", "b.zip")
    )
    raw = mail((zipped({"a.eml": inner}), "application/zip", "JD.zip"))
    analysis = examine(raw, Facts(wants_text=True)).analysis
    assert analysis is not None
    files = [entity.value for entity in analysis.entities if entity.type == "file"]
    assert files == ["jd.zip", "a.eml", "b.zip", "offer.pdf.exe"]


def test_an_entry_without_a_name_costs_the_others_nothing() -> None:
    octets = zipped({"q!": WORDS, "a.txt": WORDS}).replace(b"q!", b"\0!")
    assert said(read_file(octets)) == WORDS.decode()


def test_a_crowd_of_names_is_bounded() -> None:
    file = read_file(zipped({f"{number}.txt": "" for number in range(2_000)} | {"z" * 500: "x"}))
    assert len(file.file_names) == MAX_NAMES
    assert not file.complete
    (long,) = read_file(zipped({f"{'z' * 900}.exe": ""})).file_names
    assert len(long) < 300
    assert long.endswith("z.exe")


def test_archives_in_archives_end() -> None:
    octets = zipped({"a.txt": "deepest"})
    for number in range(9):
        octets = zipped({"a.zip": octets, f"{number}.txt": f"level {number}"})
    file = read_file(octets)
    assert said(file).count("level") == MAX_DEPTH - 1
    assert "deepest" not in said(file)
    assert not file.complete


def test_documents_are_read_before_a_crowd_of_pictures() -> None:
    crowd: dict[str, str | bytes] = {f"{number}.png": picture(str(number)) for number in range(40)}
    file = read_file(zipped(crowd | {"z.txt": "x" * 5_000 + WORDS.decode()}))
    assert WORDS.decode() in said(file)
    assert not file.complete


@pytest.mark.parametrize("kind", ["zip", "gzip", "zip in zip"])
def test_a_bomb_is_not_unpacked(kind: str) -> None:
    zeros = b"\0" * 100_000_000
    octets = gzip.compress(zeros) if kind == "gzip" else zipped({"a.txt": zeros})
    if kind == "zip in zip":
        octets = zipped({f"{number}.zip": octets for number in range(20)})
    budget = Budget.of_message()
    before = budget.octets
    started = time.monotonic()
    file = read_file(octets, "a.txt.gz" if kind == "gzip" else "a.zip", budget=budget)
    assert time.monotonic() - started < 10
    assert file.segments == ()
    assert not file.complete
    assert before - budget.octets < 10_000_000


def test_entries_that_share_their_octets_cost_no_more_than_the_budget() -> None:
    first = zipped({"0.txt": b"word " * 190_000})
    at = first.find(b"PK\1\2")
    record = first[at : first.rfind(b"PK\5\6")]
    many = first[:at] + record * 1_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1_000, 1_000, len(record) * 1_000, at, 0)
    budget = Budget.of_message()
    started = time.monotonic()
    assert not read_file(many + end, budget=budget).complete
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("size", [0, 5, 15, 40, 0xFFFFFFFF])
def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_says(size: int) -> None:
    file = read_file(in_directory(zipped({"a.txt": WORDS}), 24, size))
    assert file.complete is (size in (len(WORDS), 40))
    assert len(said(file)) <= size


def test_an_entry_that_is_not_where_the_list_says_is_a_miss() -> None:
    assert not read_file(in_directory(zipped({"a.txt": WORDS}), 42, 7)).complete


def test_an_unusual_compression_is_a_miss() -> None:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.txt", WORDS)
    file = read_file(octets.getvalue())
    assert file.segments == ()
    assert not file.complete


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar(form: int) -> None:
    name = f"{'folder/' * 12}{'n' * 90}.txt"
    file = read_file(tarred({"a.docx": docx("in Word"), name: WORDS, "e.txt": b""}, form))
    assert said(file).split("\n") == [WORDS.decode(), "in Word"]
    assert file.file_names == ("a.docx", name.rpartition("/")[2], "e.txt")
    assert file.complete


def test_tar_of_the_oldest_kind_is_told_by_its_name() -> None:
    octets = bytearray(tarred({"a.txt": WORDS}, tarfile.USTAR_FORMAT))
    octets[257:265] = b"\0" * 8
    octets[148:156] = b"%06o\0 " % (sum(octets[:148]) + sum(octets[156:512]) + 256)
    assert said(read_file(bytes(octets), "a.tar")) == WORDS.decode()


def test_large_numbers_and_links_of_tar() -> None:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for kind in (tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
            link = tarfile.TarInfo(f"link{kind!r}.txt")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
        last = tarfile.TarInfo("a.txt")
        last.size = len(WORDS)
        # In base 256.
        header = bytearray(last.tobuf(tarfile.GNU_FORMAT))
        header[124:136] = b"\x80" + len(WORDS).to_bytes(11, "big")
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)
    whole = octets.getvalue()[: 3 * 512] + bytes(header) + WORDS.ljust(512, b"\0")
    file = read_file(whole)
    assert said(file) == WORDS.decode()
    assert file.file_names == ("a.txt",)
    assert file.complete


@pytest.mark.parametrize(
    ("place", "field"),
    [(124, b"77777777777\0"), (124, b"-0000000017\0"), (124, b"\xff" * 12), (148, b"0000001\0")],
)
def test_broken_tars_are_misses(place: int, field: bytes) -> None:
    octets = bytearray(tarred({"a.txt": WORDS, "b.txt": b"more"}, tarfile.USTAR_FORMAT))
    octets[place : place + len(field)] = field
    if place != 148:
        octets[148:156] = b"%06o\0 " % (sum(octets[:148]) + sum(octets[156:512]) + 256)
    assert not read_file(bytes(octets)).complete


@pytest.mark.parametrize("name", ["a.tar.gz", "a.TGZ", "a", ""])
def test_packed_tars(name: str) -> None:
    file = read_file(gzip.compress(tarred({"a.txt": WORDS})), name)
    assert said(file) == WORDS.decode()
    assert file.complete


def test_a_packed_file_has_the_name_without_the_ending_or_the_one_it_had() -> None:
    assert said(read_file(gzip.compress(WORDS), "a.txt.gz")) == WORDS.decode()
    kept = io.BytesIO()
    with gzip.GzipFile("role.txt", "wb", fileobj=kept) as packed:
        packed.write(WORDS)
    file = read_file(kept.getvalue(), "a.bin")
    assert said(file) == WORDS.decode()
    assert file.file_names == ("role.txt",)
    assert not read_file(gzip.compress(WORDS), "a.bin").complete


def test_packed_members_are_one_file_and_junk_behind_them_is_none() -> None:
    octets = gzip.compress(b"Telegram: ") + gzip.compress(b"@mira") + b"\0junk"
    assert said(read_file(octets, "a.txt.gz")) == WORDS.decode()
    assert not read_file(gzip.compress(b"") * 500, "a.txt.gz").complete


def test_a_packed_file_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    words = "\n".join(str(random.Random(number).random()) for number in range(2_000)).encode()
    file = read_file(gzip.compress(words)[:5_000], "a.txt.gz")
    assert words.decode().startswith(said(file)[:1_000])
    assert said(file)
    assert not file.complete


WHOLE = {
    "a.zip": zipped({"a.docx": docx("x"), "b.txt": WORDS, "c.zip": zipped({"d.txt": WORDS})}),
    "a.tar": tarred({"a.docx": docx("x"), "b" * 120 + ".txt": WORDS}),
    "a.tar.gz": gzip.compress(tarred({"b.txt": random.Random(1).randbytes(2_000)})),
}


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_archives_end_well(name: str) -> None:
    chance = random.Random(name)
    started = time.monotonic()
    for _ in range(150):
        octets = damaged(WHOLE[name], chance)
        file = read_file(octets, name)
        assert all(segment.text for segment in file.segments)
    assert time.monotonic() - started < 10
