"""Whole messages: the banner in every shape, and everything else octet for octet.

The oracle is the standard library's parser: it knows nothing of our offsets.
"""

import hashlib
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

import pytest

from milter.act.integrity import outside_edits_identical, untouched_spans
from milter.act.render import Rendered, render
from milter.mail.edit import BannerOutcome, InsertField, ReplaceField, remove_edits
from tests.unit.act.by_hand import (
    TOKEN,
    TOP,
    Laid,
    Leaf,
    Multipart,
    banner,
    content,
    edit_plan,
    html,
    lay,
    plain,
    rendered,
)

MARK = {"text": f"[lw:{TOKEN}]", "html": f'class="lw-{TOKEN}"'}
PDF = Leaf(
    content(b"application/pdf; name=a.pdf", encoding=b"base64")
    + b"Content-Disposition: attachment\r\n",
    b"JVBERi0xLjcKJeLjz9MK\r\n",
)
IMAGE = Leaf(
    content(b"image/png", encoding=b"base64") + b"Content-ID: <a@example.net>\r\n",
    b"iVBORw0KGgo=\r\n",
)
NOTE = Leaf(content(b"text/plain", b"utf-8"), b"an attached note\r\n")
PAGE = ("<html><head><title>t</title></head><body>", "<p>Good day = é</p></body></html>\r\n")


def leaves(raw: bytes) -> list[Message]:
    return [part for part in message_from_bytes(raw).walk() if not part.is_multipart()]


def payload(part: Message) -> bytes:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def decoded(part: Message) -> str:
    return payload(part).decode(part.get_content_charset() or "ascii")


def assert_exact(laid: Laid, result: Rendered) -> None:
    """The laws of design rule 7, checked with somebody else's parser."""
    before, after = leaves(laid.raw), leaves(result.raw)
    assert [part.get_content_type() for part in before] == [
        part.get_content_type() for part in after
    ]
    edited = {part.kind for part in result.parts if part.outcome.is_edit}
    for old, new in zip(before, after, strict=True):
        if payload(old) == payload(new):
            continue
        kind = "html" if new.get_content_type() == "text/html" else "text"
        assert kind in edited
        edited.discard(kind)
        assert_inserted(decoded(old), decoded(new), kind)
    assert not edited
    assert remove_edits(result.raw, result.edits) == laid.raw
    assert outside_edits_identical(laid.raw, result.raw, result.edits)


def assert_inserted(old: str, new: str, kind: str) -> None:
    """One run of text went in, with one marker; old text is there unchanged."""
    assert new.count(MARK[kind]) == 1
    length = len(new) - len(old)
    begin = new.index("<div class=" if kind == "html" else "=" * 32)
    starts = range(max(0, begin - 2), begin + 1)
    assert any(new[:start] + new[start + length :] == old for start in starts)


SHAPES = {
    "text alone": lambda text, page: text,
    "html alone": lambda text, page: page,
    "alternative": lambda text, page: Multipart(b"alternative", b"b1", (text, page)),
    "mixed with attachment": lambda text, page: Multipart(b"mixed", b"b1", (text, PDF, NOTE)),
    "related first child": lambda text, page: Multipart(b"related", b"b1", (page, IMAGE)),
    "related with pdf": lambda text, page: Multipart(
        b"mixed", b"b0", (Multipart(b"related", b"b1", (page, IMAGE, PDF)), PDF)
    ),
    "mixed of alternative of related": lambda text, page: Multipart(
        b"mixed",
        b"b0",
        (
            Multipart(b"alternative", b"b1", (text, Multipart(b"related", b"b2", (page, IMAGE)))),
            PDF,
        ),
    ),
    "boundaries that begin alike": lambda text, page: Multipart(
        b"mixed", b"b", (Multipart(b"alternative", b"b1", (text, page)), PDF)
    ),
    "preamble and epilogue": lambda text, page: Multipart(
        b"mixed", b"b1", (text, PDF), preamble=b"not for you\r\n", epilogue=b"--b9\r\nend\r\n"
    ),
    "unterminated": lambda text, page: Multipart(b"mixed", b"b1", (text, PDF), closed=False),
    "blanks after the boundary": lambda text, page: Multipart(
        b"mixed", b"b1", (text, PDF), padding=b"  \t"
    ),
}


def laid_out(shape: str, text: Leaf, page: Leaf) -> Laid:
    tree = SHAPES[shape](text, page)
    return lay(replace(tree, fields=TOP + tree.fields))


TEXT_FORMS = [
    ("us-ascii", "7bit", "Good day = you\r\n"),
    ("us-ascii", "quoted-printable", "Good day = you\r\n"),
    ("us-ascii", "base64", "Good day = you\r\n"),
    ("utf-8", "8bit", "Bonjour é\r\n"),
    ("utf-8", "7bit", "Good day\r\n"),
    ("utf-8", "8bit", "nothing but ASCII\r\n"),
    ("utf-8", "quoted-printable", "Bonjour é = ça  \r\n"),
    ("utf-8", "base64", "Bonjour é\r\n"),
    ("iso-8859-1", "8bit", "Bonjour é\r\n"),
    ("iso-8859-1", "quoted-printable", "Bonjour é\r\n"),
    ("iso-8859-1", "base64", "Bonjour é\r\n"),
    ("windows-1252", "8bit", "“Bonjour” é\r\n"),
    ("windows-1252", "quoted-printable", "“Bonjour” é\r\n"),
    ("windows-1252", "base64", "“Bonjour” é\r\n"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("language", ["en", "fr", "zh-hans"])
def test_shapes(shape: str, encoding: str, language: str) -> None:
    text = plain("Bonjour = é\r\n\r\nFin\r\n", charset="utf-8", encoding=encoding)
    laid = laid_out(shape, text, html(*PAGE, encoding=encoding))
    result = rendered(laid, banner(language, seen="WhatsApp"))
    assert_exact(laid, result)
    assert result.parts
    assert {part.outcome for part in result.parts} == {BannerOutcome.INSERTED}


@pytest.mark.parametrize(("charset", "encoding", "text"), TEXT_FORMS)
@pytest.mark.parametrize("language", ["en", "fr", "de", "zh-hans", "ru", "ko", "ar"])
def test_charsets_and_languages(charset: str, encoding: str, text: str, language: str) -> None:
    for shape in ("text alone", "alternative"):
        laid = laid_out(shape, plain(text, charset=charset, encoding=encoding), html(*PAGE))
        result = rendered(laid, banner(language))
        assert_exact(laid, result)
        assert result.edits_body


@pytest.mark.parametrize(
    ("charset", "encoding", "text", "language", "outcome"),
    [
        ("us-ascii", "7bit", "plain\r\n", "en", BannerOutcome.INSERTED),
        ("us-ascii", "7bit", "plain\r\n", "fr", BannerOutcome.REENCODED),
        ("us-ascii", "quoted-printable", "plain\r\n", "fr", BannerOutcome.RELABELLED),
        ("us-ascii", "base64", "plain\r\n", "fr", BannerOutcome.RELABELLED),
        ("utf-8", "8bit", "plain\r\n", "fr", BannerOutcome.REENCODED),
        ("utf-8", "8bit", "é\r\n", "fr", BannerOutcome.INSERTED),
        ("iso-8859-1", "8bit", "é\r\n", "fr", BannerOutcome.INSERTED),
        ("iso-8859-1", "8bit", "é\r\n", "ru", BannerOutcome.FALLBACK_TEXT),
        ("iso-8859-1", "quoted-printable", "é\r\n", "ru", BannerOutcome.FALLBACK_TEXT),
        ("iso-8859-1", "quoted-printable", "plain\r\n", "ru", BannerOutcome.FALLBACK_TEXT),
        ("windows-1252", "base64", "é\r\n", "ar", BannerOutcome.FALLBACK_TEXT),
    ],
)
def test_what_becomes_of_a_text_part(
    charset: str, encoding: str, text: str, language: str, outcome: BannerOutcome
) -> None:
    laid = lay(plain(text, charset=charset, encoding=encoding, top=TOP))
    result = rendered(laid, banner(language))
    assert result.banner is outcome
    assert_exact(laid, result)


def test_seven_bit_mail_stays_seven_bit() -> None:
    """The next hop may not take 8-bit octets (RFC 6152)."""
    for encoding in ("7bit", "quoted-printable", "base64"):
        for charset in ("us-ascii", "utf-8", "iso-8859-1"):
            laid = lay(plain("Hello = \r\n", charset=charset, encoding=encoding, top=TOP))
            for language in ("fr", "ko"):
                assert rendered(laid, banner(language)).raw.isascii()


def test_label_and_octets_change_together() -> None:
    laid = lay(plain("a = b\r\n", top=TOP))
    result = rendered(laid, banner("ru"))
    message = message_from_bytes(result.raw)
    assert message["Content-Type"] == "text/plain; charset=utf-8"
    assert message["Content-Transfer-Encoding"] == "quoted-printable"
    assert decoded(message).endswith("\r\n\r\na = b\r\n")
    names = [edit.name for edit in result.edits if isinstance(edit, ReplaceField)]
    assert names == [b"Content-Type", b"Content-Transfer-Encoding"]


@pytest.mark.parametrize("junk", [b"x", b"\rpe: x", b" x", b"-", b"- x", b"="])
@pytest.mark.parametrize("outer", [b"b0", b"b1"])
def test_what_a_lenient_reader_takes_for_parts_is_not_written_anew(
    outer: bytes, junk: bytes
) -> None:
    """Lenient readers accept more behind a boundary than white space (RFC 2046 §5.1.1)."""
    hidden = b"one\r\n--" + outer + junk + b"\r\nContent-Type: image/png\r\n\r\niVBOR=\r\n"
    leaf = Leaf(content(b"text/plain"), hidden, kind="text")
    inner = Multipart(b"alternative", b"b1", (leaf, html(*PAGE)))
    laid = lay(Multipart(b"mixed", b"b0", (inner, PDF), fields=TOP))
    result = rendered(laid, banner("ru"))
    assert result.parts[0].outcome is BannerOutcome.FALLBACK_TEXT
    assert hidden in result.raw
    harmless = replace(leaf, body=hidden.replace(b"--" + outer, b"--other"))
    laid = lay(Multipart(b"mixed", b"b0", (harmless, PDF), fields=TOP))
    assert rendered(laid, banner("ru")).banner is BannerOutcome.REENCODED


@pytest.mark.parametrize(
    "twice",
    [
        b"Content-Type: text/plain; charset=us-ascii\r\n",
        b"Content-Transfer-Encoding: 7bit\r\n",
        b"Content-Disposition: inline\r\n",
    ],
)
def test_what_a_sender_says_twice_keeps_no_banner_away(twice: bytes) -> None:
    fields = content(b"text/plain", b"us-ascii", b"7bit") + b"Content-Disposition: inline\r\n"
    laid = lay(Leaf(TOP + fields + twice, b"plain\r\n", kind="text"))
    for language, outcome in (("en", "inserted"), ("ru", "fallback_text")):
        result = rendered(laid, banner(language))
        if language == "ru" and b"Disposition" in twice:
            outcome = "reencoded"
        assert result.banner.value == outcome
        assert_exact(laid, result)


@pytest.mark.parametrize("blanks", [b"  ", b"\t", b"\r\n "])
def test_no_blanks_are_left_behind_a_new_encoding(blanks: bytes) -> None:
    fields = content(b"text/plain", b"us-ascii") + b"Content-Transfer-Encoding: 7bit" + blanks
    leaf = Leaf(fields + b"\r\n", b"plain\r\n", kind="text")
    for laid in (
        lay(replace(leaf, fields=TOP + leaf.fields)),
        lay(Multipart(b"mixed", b"b1", (leaf, PDF), fields=TOP)),
    ):
        result = rendered(laid, banner("ru"))
        assert b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" in result.raw
        assert_exact(laid, result)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"From: a\r\n", b"text/plain; charset=utf-8"),
        (b"Content-Type: text/plain\r\n", b"text/plain; charset=utf-8"),
        (b"Content-Type:text/plain \r\n", b"text/plain; charset=utf-8"),
        (
            b'Content-Type: text/plain;\r\n\tcharset="US-ASCII"\r\n',
            b'text/plain;\r\n\tcharset="utf-8"',
        ),
        (b"Content-Type: text/plain; charset=ASCII\r\n", b"text/plain; charset=utf-8"),
        (b"Content-Type: text/plain; charset=US-ASCII; x=y\r\n", b"text/plain; charset=utf-8; x=y"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_every_way_to_label_ascii(fields: bytes, expected: bytes, nested: bool) -> None:
    leaf = Leaf(fields, b"plain\r\n", kind="text")
    laid = lay(Multipart(b"mixed", b"b1", (leaf, PDF), fields=TOP) if nested else leaf)
    result = rendered(laid, banner("ru"))
    assert result.banner is BannerOutcome.REENCODED
    assert re.search(rb"Content-Type: ?" + re.escape(expected) + rb" ?\r\n", result.raw)
    assert b"Content-Transfer-Encoding: quoted-printable\r\n" in result.raw
    assert_exact(laid, result)


@pytest.mark.parametrize(
    "value",
    [
        b"text/plain;",
        b"text/plain (a; comment)",
        b"text/plain; x=charset",
        b"text/plain\r\nX-Obsolete : here some readers end the header",
    ],
)
def test_a_label_that_cannot_be_changed_without_doubt_stays(value: bytes) -> None:
    laid = lay(Leaf(TOP + b"Content-Type: " + value + b"\r\n", b"plain\r\n", kind="text"))
    result = rendered(laid, banner("fr"))
    assert result.banner in (BannerOutcome.FALLBACK_TEXT, BannerOutcome.SITE_DOUBTFUL)
    assert_exact(laid, result)


def test_ascii_that_is_mislabelled_is_not_relabelled() -> None:
    body = b"caf\xe9\r\n"
    laid = lay(Leaf(TOP + content(b"text/plain", b"us-ascii", b"8bit"), body, kind="text"))
    result = rendered(laid, banner("fr"))
    assert result.banner is BannerOutcome.FALLBACK_TEXT
    assert result.raw.endswith(b"]\r\n\r\ncaf\xe9\r\n")
    assert b"us-ascii" in result.raw


def test_where_no_version_fits_there_is_none() -> None:
    laid = lay(plain("é\r\n", charset="iso-8859-1", encoding="8bit", top=TOP))
    result = rendered(laid, banner("ru", contact="отдел безопасности"))
    assert result.banner is BannerOutcome.CHARSET
    assert result.raw == laid.raw


def test_text_only_at_the_start_of_a_body() -> None:
    laid = lay(plain("one\r\ntwo\r\n", top=TOP))
    claim = laid.claims[0]
    moved = Laid(laid.raw, (replace(claim, insert_at=claim.insert_at + 5),))
    assert rendered(moved).banner is BannerOutcome.SITE_DOUBTFUL


def test_an_empty_body_takes_a_banner() -> None:
    for leaf in (plain("", top=TOP), html("", "", top=TOP), plain("", top=TOP, encoding="base64")):
        laid = lay(leaf)
        result = rendered(laid)
        assert result.edits_body
        assert_exact(laid, result)


def test_a_digest_keeps_all_its_messages() -> None:
    """Eighteen messages came out as five where a footer tool lost track of nested boundaries."""
    messages = tuple(
        Leaf(
            b"Content-Type: message/rfc822\r\n",
            lay(Multipart(b"alternative", b"n", (plain(f"{n}\r\n"), html(*PAGE)))).raw,
        )
        for n in range(18)
    )
    digest = Multipart(b"digest", b"n1", messages)
    laid = lay(Multipart(b"mixed", b"n0", (plain("list\r\n"), digest), fields=TOP))
    result = rendered(laid)
    assert result.edits_body
    assert len(leaves(result.raw)) == len(leaves(laid.raw)) == 37
    assert_exact(laid, result)


def test_each_version_of_the_text_has_the_banner_once() -> None:
    """Which of several versions is shown is up to the mail program."""
    tree = Multipart(
        b"alternative", b"b1", (plain("one\r\n"), html(*PAGE), html(*PAGE)), fields=TOP
    )
    laid = lay(tree)
    result = rendered(Laid(laid.raw, laid.claims * 2))
    assert [part.part for part in result.parts] == ["1", "2", "3"]
    assert result.raw.count(b"[lw:") == 1
    assert result.raw.count(b'class="lw-') == 2
    assert remove_edits(result.raw, result.edits) == laid.raw


def test_a_part_that_is_claimed_twice_is_edited_once() -> None:
    laid = lay(plain("one\r\n", top=TOP))
    claim = laid.claims[0]
    result = rendered(Laid(laid.raw, (claim, replace(claim, kind="html"))))
    assert [part.outcome for part in result.parts] == [BannerOutcome.INSERTED]


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
def test_a_second_pass_changes_nothing(encoding: str) -> None:
    text = plain("Bonjour é\r\n", charset="utf-8", encoding=encoding)
    for leaf in (text, html(*PAGE, encoding=encoding)):
        laid = lay(replace(leaf, fields=TOP + leaf.fields))
        once = rendered(laid, banner("fr"))
        claim = laid.claims[0]
        again = replace(claim, body_end=len(once.raw))
        twice = rendered(Laid(once.raw, (again,)), banner("fr"))
        assert twice.banner is BannerOutcome.ALREADY_THERE
        assert twice.raw == once.raw


def test_a_part_outside_the_edit_is_identical_though_odd() -> None:
    odd = Leaf(
        b"Content-Type:text/plain;charset=utf-8\r\nX-Odd :  spaced\r\n\tfolded\r\n",
        b"bare \n and \r and \x00 and \xff\r\n--b\r\n.\r\n",
    )
    laid = lay(Multipart(b"mixed", b"b1", (plain("one\r\n"), odd, PDF), fields=TOP))
    result = rendered(laid)
    assert result.edits_body
    assert odd.fields + b"\r\n" + odd.body in result.raw
    assert remove_edits(result.raw, result.edits) == laid.raw


def test_untouched_spans_cover_all_but_the_edits() -> None:
    laid = laid_out(
        "mixed of alternative of related",
        plain("é\r\n", charset="utf-8", encoding="8bit"),
        html(*PAGE),
    )
    result = rendered(laid)
    spans = untouched_spans(laid.raw, result.edits)
    assert sum(span.end - span.start for span in spans) == len(laid.raw) - sum(
        len(edit.splice.removed) for edit in result.edits
    )
    for span in spans:
        there = result.raw[span.edited_start :][: span.end - span.start]
        assert there == laid.raw[span.start : span.end]
        assert hashlib.sha256(there).hexdigest() == span.sha256


def test_headers_only_leaves_every_other_octet() -> None:
    laid = laid_out("alternative", plain("one\r\n"), html(*PAGE))
    plan = edit_plan(laid, fields=(("X-Lurewall-Id", "t1"),), names_integrity=True)
    result = render(laid.raw, plan.without_banner(BannerOutcome.INTEGRITY))
    assert result.raw == (
        b"X-Lurewall-Id: t1\r\n"
        b"X-Lurewall-Integrity: body=untouched; banner=integrity\r\n" + laid.raw
    )
    assert all(isinstance(edit, InsertField) for edit in result.edits)


def test_the_integrity_field_names_the_edited_parts() -> None:
    laid = laid_out("alternative", plain("one\r\n"), html(*PAGE))
    result = render(laid.raw, edit_plan(laid, names_integrity=True))
    field = b"X-Lurewall-Integrity: body=edited; parts=1,2; banner=inserted\r\n"
    assert result.raw.startswith(field)


def test_a_reader_cannot_inject_through_a_part_name() -> None:
    laid = lay(plain("one\r\n", top=TOP))
    claim = replace(laid.claims[0], part="1\r\nX-Evil: 1")
    result = render(laid.raw, edit_plan(Laid(laid.raw, (claim,)), names_integrity=True))
    assert "X-Evil" not in message_from_bytes(result.raw)


@pytest.mark.parametrize("label", [b"utf-7", b"hz-gb-2312", b"utf-32", b"ibm037", b"iso-2022-kr"])
def test_charsets_that_take_no_words_keep_their_octets(label: bytes) -> None:
    laid = lay(Leaf(TOP + content(b"text/plain", label), b"one\r\n", kind="text"))
    result = rendered(laid)
    assert result.raw == laid.raw
    assert result.banner is BannerOutcome.CHARSET
