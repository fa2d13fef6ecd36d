"""Insertion into encoded bodies: the octets around the place stay, and decode to what they did."""

import binascii
import re
from dataclasses import replace
from email import message_from_bytes

import pytest

from milter.act.insert import insert_html, insert_text
from milter.act.sites import Site, check_site
from milter.act.transfer import (
    MAX_BASE64_BYTES,
    MAX_TEXT_BYTES,
    Words,
    body_octets,
    placed,
    requoted,
)
from milter.mail.charsets import UNLABELLED, writable_charset
from milter.mail.edit import BannerOutcome, SpliceBody, apply_edits
from milter.mail.message import scan_header
from tests.unit.act.by_hand import TOP, Leaf, Multipart, column, content, encoded, html, lay, plain

UTF_8 = writable_charset("utf-8") or UNLABELLED
WORDS = Words(text="<div>\nbanner = 1\n</div>", charset=UNLABELLED)


def site_of(leaf: Leaf) -> tuple[bytes, Site]:
    laid = lay(leaf)
    site = check_site(laid.raw, scan_header(laid.raw), laid.claims[0])
    assert isinstance(site, Site), site
    return laid.raw, site


def body_after(raw: bytes, site: Site, words: Words = WORDS) -> bytes:
    edit = placed(raw, site, words)
    assert isinstance(edit, SpliceBody), edit
    return apply_edits(raw, (edit,))[site.body_start :]


def test_identity_in_the_middle_of_a_line() -> None:
    raw, site = site_of(html("<body>", "é tail\r\n", top=TOP))
    assert body_after(raw, site) == (
        b"<body>\r\n<div>\r\nbanner = 1\r\n</div>\r\n" + "é tail\r\n".encode()
    )


def test_identity_at_the_start_of_a_line() -> None:
    raw, site = site_of(html("<body>\r\n", "tail\r\n", top=TOP))
    assert body_after(raw, site) == b"<body>\r\n<div>\r\nbanner = 1\r\n</div>\r\ntail\r\n"


@pytest.mark.parametrize("before", ["é", "<body>\r"])
def test_identity_never_inside_a_character_or_line_end(before: str) -> None:
    raw, site = site_of(html(before, "\ntail", top=TOP))
    assert placed(raw, site, WORDS) is BannerOutcome.BAD_ENCODING


@pytest.mark.parametrize("width", [20, 40, 75, 76])
@pytest.mark.parametrize(
    "before", ["<body>", "<title>é=é</title><body class='x'>", "", "<body> \t"]
)
def test_quoted_printable_keeps_lines_short_and_octets_whole(width: int, before: str) -> None:
    after = "tail = é  \r\n.\r\nFrom here " + "x" * 200
    leaf = html(before, after, encoding="quoted-printable", top=TOP, width=width)
    raw, site = site_of(leaf)
    edited = body_after(raw, site)
    assert max(map(len, edited.split(b"\r\n"))) <= 76
    expected = b"<div>\r\nbanner = 1\r\n</div>\r\n"
    assert binascii.a2b_qp(edited) == before.encode() + expected + after.encode()


def test_quoted_printable_where_the_line_is_full() -> None:
    for end in (b"=3D>", b"x>"):
        prefix = b"<body>" + b"y" * (76 - 6 - len(end)) + end
        body = prefix + b"\r\ntail"
        fields = TOP + content(b"text/html", b"utf-8", b"quoted-printable")
        raw, site = site_of(
            Leaf(fields, body, "html", "quoted-printable", "utf-8", insert=len(prefix))
        )
        edited = body_after(raw, site)
        assert max(map(len, edited.split(b"\r\n"))) <= 76
        assert binascii.a2b_qp(edited).startswith(binascii.a2b_qp(prefix) + b"<div>\r\n")
        assert binascii.a2b_qp(edited).endswith(b"</div>\r\n\r\ntail")


@pytest.mark.parametrize(
    ("body", "insert"),
    [
        (b"a=C3=A9b", 2),
        (b"a=C3=A9b", 3),
        (b"a=C3=A9b", 4),
        (b"a=C3=\r\n=A9b", 7),
        (b"a=\r\nb", 2),
        (b"a=\r\nb", 3),
        (b"a=zzb", 5),
        (b"a\r\nb", 2),
    ],
)
def test_quoted_printable_never_inside_an_escape(body: bytes, insert: int) -> None:
    fields = TOP + content(b"text/html", b"utf-8", b"quoted-printable")
    raw, site = site_of(Leaf(fields, body, "html", "quoted-printable", "utf-8", insert=insert))
    assert placed(raw, site, WORDS) is BannerOutcome.BAD_ENCODING


@pytest.mark.parametrize("width", [4, 19, 20, 61, 72, 76, 10_000])
@pytest.mark.parametrize("length", range(6))
@pytest.mark.parametrize("tail_length", [0, 1, 2, 3, 100])
def test_base64_at_every_phase(width: int, length: int, tail_length: int) -> None:
    before, after = "<b>é"[: length - 1] + ">" if length else "", "z" * tail_length
    raw, site = site_of(html(before, after, encoding="base64", top=TOP, width=width))
    edited = body_after(raw, site)
    decoded = binascii.a2b_base64(edited.translate(None, b"\r\n"), strict_mode=True)
    start = len(before.encode())
    inserted = decoded[start : len(decoded) - tail_length]
    assert decoded == before.encode() + inserted + after.encode()
    lead = rb"\r\n" if before else rb""
    assert re.fullmatch(lead + rb"<div>\r\nbanner = 1\r\n</div> {0,2}\r\n", inserted)
    lines = edited.split(b"\r\n")
    assert b"" not in lines[:-1]
    added = set(lines) - set(raw[site.body_start :].split(b"\r\n"))
    assert max(map(len, added)) <= max(76, width)


def test_base64_keeps_all_lines_but_the_one_with_the_place() -> None:
    raw, site = site_of(html("<body>" + "x" * 500 + ">", "y" * 5_000, encoding="base64", top=TOP))
    edit = placed(raw, site, WORDS)
    assert isinstance(edit, SpliceBody)
    assert len(edit.removed) <= 8
    edited = body_after(raw, site)
    old_lines = raw[site.body_start :].split(b"\r\n")
    assert sum(line not in edited.split(b"\r\n") for line in old_lines) == 1


def test_base64_with_lf_inside_gets_lf_inside() -> None:
    raw, site = site_of(html("<html>\n<body>\n", "tail\n", encoding="base64", top=TOP))
    decoded = binascii.a2b_base64(body_after(raw, site))
    assert b"\r" not in decoded


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n"])
def test_base64_keeps_the_end_of_the_body(end: bytes) -> None:
    leaf = html("<body>", "", encoding="base64", top=TOP)
    raw, site = site_of(replace(leaf, body=leaf.body.strip() + end))
    assert re.search(rb"[^\r\n]([\r\n]*)\Z", body_after(raw, site))[1] == end


def base64_site(body: bytes, insert: int) -> tuple[bytes, Site]:
    fields = TOP + content(b"text/html", b"utf-8", b"base64")
    return site_of(Leaf(fields, body, "html", "base64", "utf-8", insert=insert))


@pytest.mark.parametrize(
    "body",
    [
        b"PGJvZHk+!\r\n",
        b"PGJvZHk+=\r\n",
        b"PGJvZHk+PA\r\n",
        b"PA==PGJvZHk+\r\n",
        b"PGJvZHk+ \r\n",
        b"PGJvZHk+\r\nlist footer\r\n",
    ],
)
def test_what_is_wrong_behind_the_place_stays_as_wrong(body: bytes) -> None:
    raw, site = base64_site(body, 0)
    edit = placed(raw, site, WORDS)
    assert isinstance(edit, SpliceBody)
    assert (edit.start, edit.removed) == (site.body_start, b"")
    characters = edit.octets.translate(None, b"\r\n")
    assert len(characters) % 4 == 0
    assert binascii.a2b_base64(characters, strict_mode=True).startswith(b"<div>")


@pytest.mark.parametrize(
    ("body", "insert"),
    [
        (b"!PGJvZHk+\r\n", 6),
        (b"====\r\n", 0),
        (b"PA==PGJvZHk+\r\n", 7),
        (b"PGJv ZHk+PHA+\r\n", 6),
        (b"PGJvZHk+PA\r\n", 7),
        (b"a text that was never encoded\r\n", 0),
    ],
)
def test_base64_that_is_not_is_left_alone(body: bytes, insert: int) -> None:
    raw, site = base64_site(body, insert)
    assert placed(raw, site, WORDS) is BannerOutcome.BAD_ENCODING


def test_a_place_behind_the_decoded_end_is_refused() -> None:
    for insert in (7, 9, 10_000):
        raw, site = base64_site(b"PGJvZHk+\r\n", insert)
        refused = (BannerOutcome.SITE_DOUBTFUL, BannerOutcome.BAD_ENCODING)
        assert placed(raw, site, WORDS) in refused


def test_enormous_text_is_not_decoded_whole() -> None:
    """A banner of ASCII goes in front all the same: nothing behind the place is looked at."""
    for encoding, size in (("base64", MAX_BASE64_BYTES), ("8bit", MAX_TEXT_BYTES)):
        leaf = plain("A" * (size + 4), charset="utf-8", encoding=encoding, top=TOP)
        raw, site = site_of(leaf)
        assert body_octets(raw, site) is BannerOutcome.TOO_LARGE
        assert isinstance(placed(raw, site, WORDS), SpliceBody)


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("before", ["<body>", "<body>\r\n", ""])
def test_what_is_there_already_is_not_doubled(encoding: str, before: str) -> None:
    raw, site = site_of(html(before, "tail\r\n", encoding=encoding, top=TOP))
    once = raw[: site.body_start] + body_after(raw, site)
    again = replace(site, body_end=len(once))
    assert placed(once, again, WORDS) is BannerOutcome.ALREADY_THERE


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
def test_after_a_byte_order_mark_and_nowhere_else_behind_such_octets(encoding: str) -> None:
    raw, site = site_of(html("\ufeff", "<p>tail</p>", encoding=encoding, top=TOP))
    assert isinstance(placed(raw, site, WORDS), SpliceBody)
    raw, site = site_of(html("\ufeff\ufeff", "<p>tail</p>", encoding=encoding, top=TOP))
    assert placed(raw, site, WORDS) is BannerOutcome.BAD_ENCODING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello\r\n",
        "no line end",
        "a = b\r\n=\r\n==3D\r\n",
        "trailing space \r\ntab\t\r\n \r\n",
        "x" * 76 + "\r\n" + "x" * 77 + "\r\n" + "x" * 5_000,
        "From here\r\n.\r\n..\r\n--\r\n",
        "ends in space ",
    ],
)
def test_requoted_text_decodes_to_what_it_was(text: str) -> None:
    raw, site = site_of(plain(text, top=TOP))
    edit = requoted(raw, site, Words(text="ключ\n", charset=UTF_8))
    assert isinstance(edit, SpliceBody)
    assert binascii.a2b_qp(edit.octets) == "ключ\r\n\r\n".encode() + text.encode()
    assert edit.octets.isascii()
    lines = edit.octets.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) for line in lines)


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_iso_2022_jp_only_where_the_state_is_ascii(encoding: str) -> None:
    """`>` is half of a character while the state is another one."""
    to_jis, to_ascii = "\x1b$B", "\x1b(B"
    fields = TOP + content(b"text/html", b"iso-2022-jp", encoding.encode())
    for before, is_right in ((f"<b>{to_jis}$>", False), (f"<b>{to_jis}$>{to_ascii}<i>", True)):
        leaf = html(before, f"$${to_ascii}tail", charset="ascii", encoding=encoding)
        leaf = replace(leaf, fields=fields)
        raw, site = site_of(leaf)
        edit = placed(raw, site, replace(WORDS, charset=site.charset))
        assert isinstance(edit, SpliceBody) is is_right


def test_a_soft_break_makes_no_delimiter() -> None:
    """What follows a soft break stands on a line of its own, whatever it is."""
    for boundary in ("b1", "B" * 70):
        text = (
            "".join("x" * length + f"--{boundary}\r\n" for length in range(60, 90))
            + f"--{boundary} x\r\n"
        )
        raw, site = site_of(plain(text, top=TOP))
        edit = requoted(raw, site, Words(text="ключ\n", charset=UTF_8))
        assert isinstance(edit, SpliceBody)
        assert binascii.a2b_qp(edit.octets).endswith(text.encode())
        delimiter = f"--{boundary}".encode()
        lines = [line.rstrip() for line in edit.octets.split(b"\r\n")]
        assert delimiter not in lines
        assert max(map(len, lines)) <= 76


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable"])
@pytest.mark.parametrize("kind", ["text", "html"])
def test_what_a_sender_makes_the_banner_say_cuts_nothing(encoding: str, kind: str) -> None:
    """The mail is quoted in the banner, and its sender knows where lines are broken."""
    said = "--b1\n--b1--\nContent-Type: text/html\n\n--b1 \n"
    leaf = plain("Hello\r\n", charset="utf-8", encoding=encoding)
    if kind == "html":
        leaf = html("<body>", "Hello\r\n", encoding=encoding)
    raw = lay(Multipart(b"mixed", b"b1", (leaf, plain("note\r\n")), fields=TOP))
    site = check_site(raw.raw, scan_header(raw.raw), raw.claims[0])
    assert isinstance(site, Site)
    if kind == "html":
        insertion = insert_html(raw.raw, site, f"<div>\n{said}</div>")
    else:
        insertion = insert_text(raw.raw, site, (f"====\n{said}====\n",))
    assert insertion.outcome is BannerOutcome.INSERTED
    edited = message_from_bytes(apply_edits(raw.raw, insertion.edits))
    assert [part.get_content_type() for part in edited.walk()] == [
        "multipart/mixed", leaf_type(kind), "text/plain"
    ]  # fmt: skip


def leaf_type(kind: str) -> str:
    return "text/html" if kind == "html" else "text/plain"


def test_the_helper_that_lays_out_quoted_printable_is_right() -> None:
    octets = "é= x  \r\n\ty\r\n".encode() * 20
    assert binascii.a2b_qp(encoded(octets, "quoted-printable", 33)) == octets
    assert column(b"ab\r\ncd") == 2
