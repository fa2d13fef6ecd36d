"""A reader's claim is believed only where the octets say the same."""

from dataclasses import replace

import pytest

from milter.act.sites import Site, check_site
from milter.mail.charsets import UNLABELLED
from milter.mail.edit import BannerOutcome
from milter.mail.message import scan_header
from milter.mail.reading import EditSite
from tests.unit.act.by_hand import (
    TOP,
    Laid,
    Leaf,
    Multipart,
    banner,
    content,
    html,
    lay,
    plain,
    rendered,
)

PDF = Leaf(content(b"application/pdf", encoding=b"base64"), b"JVBERi0xLjcK\r\n")


def check(raw: bytes, claim: EditSite) -> Site | BannerOutcome:
    return check_site(raw, scan_header(raw), claim)


def alternative() -> Laid:
    children = (plain("Hello\r\n"), html("<html><body>", "Hello</body></html>"))
    return lay(Multipart(b"alternative", b"b1", children, fields=TOP))


def test_an_honest_claim_is_believed() -> None:
    laid = alternative()
    for claim in laid.claims:
        site = check(laid.raw, claim)
        assert isinstance(site, Site)
        assert (site.kind, site.insert_at, site.is_root) == (claim.kind, claim.insert_at, False)


def test_a_single_part_has_the_message_header() -> None:
    laid = lay(plain("Hello\r\n", top=TOP))
    site = check(laid.raw, laid.claims[0])
    assert isinstance(site, Site)
    assert site.is_root


@pytest.mark.parametrize(
    "change",
    [
        {"body_end": 10_000},
        {"body_start": -1},
        {"header_end": -5},
        {"insert_at": 0},
        {"insert_at": 10_000},
        {"kind": "html"},
        {"encoding": "base64"},
        {"encoding": "quoted-printable"},
    ],
)
def test_a_wrong_claim_is_not(change: dict[str, object]) -> None:
    laid = alternative()
    claim = replace(laid.claims[0], **change)  # type: ignore[arg-type]
    assert check(laid.raw, claim) is BannerOutcome.SITE_DOUBTFUL


@pytest.mark.parametrize("shift", [-30, -2, -1, 1, 2, 30])
@pytest.mark.parametrize("name", ["header_end", "body_start", "body_end"])
def test_a_shifted_span_is_not_believed(name: str, shift: int) -> None:
    laid = alternative()
    claim = laid.claims[0]
    wrong = replace(claim, **{name: getattr(claim, name) + shift})
    assert check(laid.raw, wrong) is BannerOutcome.SITE_DOUBTFUL


def test_a_claim_inside_an_attachment_is_not_believed() -> None:
    laid = lay(Multipart(b"mixed", b"b1", (plain("Hello\r\n"), PDF), fields=TOP))
    body_start = laid.raw.index(b"JVBERi")
    claim = replace(
        laid.claims[0],
        encoding="base64",
        header_end=body_start - 2,
        body_start=body_start,
        body_end=laid.raw.index(b"\r\n--b1--"),
        insert_at=0,
    )
    assert check(laid.raw, claim) is BannerOutcome.SITE_DOUBTFUL


@pytest.mark.parametrize(
    "fields",
    [
        content(b"text/plain", b"us-ascii") + b"Content-Disposition: attachment\r\n",
        content(b"text/plain", b"us-ascii") + content(b"text/plain", b"utf-8"),
        content(b"text/plain", b"us-ascii", b"7bit") + b"Content-Transfer-Encoding: base64\r\n",
        content(b"text/plain", b"us-ascii") + b"no field at all\r\n",
        content(b"text/calendar", b"utf-8"),
        content(b"text/plain", b"utf-8", b"x-uuencode"),
        content(b"message/rfc822"),
        content(b"multipart/mixed; boundary=zz"),
    ],
)
def test_a_part_that_is_not_plain_and_simple_is_left_alone(fields: bytes) -> None:
    leaf = replace(plain("Hello\r\n"), fields=fields)
    laid = lay(Multipart(b"mixed", b"b1", (leaf, PDF), fields=TOP))
    assert check(laid.raw, laid.claims[0]) is BannerOutcome.SITE_DOUBTFUL


@pytest.mark.parametrize(
    "fields",
    [
        content(b"text/plain", b"utf-7"),
        content(b"text/plain", b"utf-16", b"8bit"),
        content(b"text/plain; charset*=utf-8''utf-8"),
        content(b"text/plain; charset=utf-8; charset=us-ascii"),
    ],
)
def test_a_charset_that_takes_no_words(fields: bytes) -> None:
    laid = lay(replace(plain("Hello\r\n", top=TOP), fields=TOP + fields))
    assert check(laid.raw, replace(laid.claims[0], encoding="8bit")) is BannerOutcome.CHARSET


@pytest.mark.parametrize("value", [b"; format=flowed", b'; Format="Flowed"; delsp=yes'])
def test_flowed_text_is_told(value: bytes) -> None:
    for media, is_flowed in ((b"text/plain", True), (b"text/html", False)):
        leaf = plain("Hello\r\n", top=TOP) if is_flowed else html("", "Hello", top=TOP)
        fields = TOP + content(media + value, b"utf-8", leaf.encoding.encode())
        laid = lay(replace(leaf, fields=fields))
        site = check(laid.raw, laid.claims[0])
        assert isinstance(site, Site)
        assert site.is_flowed is is_flowed


@pytest.mark.parametrize(
    "value", [b"text/plain (so it is)", b"Text/Plain (a) (b) ; charset=us-ascii (c)"]
)
def test_comments_keep_no_banner_away(value: bytes) -> None:
    laid = lay(replace(plain("Hello\r\n"), fields=TOP + b"Content-Type: " + value + b"\r\n"))
    assert isinstance(check(laid.raw, laid.claims[0]), Site)


@pytest.mark.parametrize("value", [b"text", b"text plain", b"", b"Text; charset=koi8-r"])
def test_a_bare_text_is_plain_text(value: bytes) -> None:
    """RFC 2045 §5.2; else a sender could have his mail shown without a banner."""
    fields = TOP + b"Content-Type: " + value + b"\r\nContent-Transfer-Encoding: \r\n"
    laid = lay(replace(plain("Hello\r\n", top=TOP), fields=fields))
    site = check(laid.raw, laid.claims[0])
    assert isinstance(site, Site)
    assert check(laid.raw, replace(laid.claims[0], kind="html")) is BannerOutcome.SITE_DOUBTFUL
    for language in ("en", "fr"):
        assert rendered(laid, banner(language)).raw.count(b"Content-Type: " + value + b"\r\n") == 1


@pytest.mark.parametrize(
    "value", [b"pdf", b"<html>", b"multipart/; boundary=b1", b"multipart", b"text/", b"textual"]
)
def test_what_may_be_a_file_for_some_program_is_left_alone(value: bytes) -> None:
    laid = lay(replace(plain("Hello\r\n"), fields=TOP + b"Content-Type: " + value + b"\r\n"))
    assert check(laid.raw, laid.claims[0]) is BannerOutcome.SITE_DOUBTFUL


@pytest.mark.parametrize("junk", [b"no field at all\r\n", b": empty\r\n"])
def test_a_message_header_with_junk_is_left_alone(junk: bytes) -> None:
    laid = lay(plain("Hello\r\n", top=TOP + junk))
    assert check(laid.raw, laid.claims[0]) is BannerOutcome.SITE_DOUBTFUL


@pytest.mark.parametrize(
    ("subtype", "outcome"),
    [(b"signed", BannerOutcome.SIGNED), (b"encrypted", BannerOutcome.ENCRYPTED)],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_nothing_inside_a_protected_multipart_is_touched(
    subtype: bytes, outcome: BannerOutcome, wrapped: bool
) -> None:
    protected = Multipart(subtype, b"b1", (plain("Hello\r\n"), PDF), fields=b"" if wrapped else TOP)
    tree = Multipart(b"mixed", b"b0", (protected, PDF), fields=TOP) if wrapped else protected
    laid = lay(tree)
    assert check(laid.raw, laid.claims[0]) is outcome


@pytest.mark.parametrize("media", [b"application/pkcs7-mime", b"application/x-pkcs7-mime"])
def test_an_opaque_message_is_not_touched_whatever_is_claimed(media: bytes) -> None:
    raw = TOP + content(media + b"; name=smime.p7m") + b"\r\n--x\r\n\r\nHello\r\n--x--\r\n"
    start = raw.index(b"Hello")
    claim = EditSite(
        part="1",
        kind="text",
        encoding="7bit",
        charset="us-ascii",
        header_end=start - 2,
        body_start=start,
        body_end=start + 5,
        insert_at=start,
    )
    assert check(raw, claim) is BannerOutcome.ENCRYPTED


def test_a_signed_part_that_ended_before_does_not_protect_what_follows() -> None:
    signed = Multipart(b"signed", b"b1", (Leaf(content(b"text/plain"), b"Old\r\n"), PDF))
    laid = lay(Multipart(b"mixed", b"b0", (signed, plain("Hello\r\n")), fields=TOP))
    assert isinstance(check(laid.raw, laid.claims[0]), Site)


def test_a_text_that_mentions_signed_mail_is_no_signed_mail() -> None:
    first = Leaf(content(b"text/x-note"), b"we use multipart/signed; boundary=b9\r\n")
    laid = lay(Multipart(b"mixed", b"b0", (first, plain("Hello\r\n")), fields=TOP))
    assert isinstance(check(laid.raw, laid.claims[0]), Site)


def test_many_signed_parts_before_the_place_are_doubt_enough() -> None:
    signed = tuple(
        Multipart(b"signed", b"s%d" % number, (Leaf(content(b"text/plain"), b"Old\r\n"),))
        for number in range(25)
    )
    laid = lay(Multipart(b"mixed", b"b0", (*signed, plain("Hello\r\n")), fields=TOP))
    assert check(laid.raw, laid.claims[0]) is BannerOutcome.SIGNED


def test_inline_pgp_is_not_touched() -> None:
    laid = lay(plain("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n", top=TOP))
    assert check(laid.raw, laid.claims[0]) is BannerOutcome.INLINE_PGP


def test_an_unlabelled_mail_is_ascii_text() -> None:
    laid = lay(replace(plain("Hello\r\n"), fields=b"From: a@example.net\r\n"))
    site = check(laid.raw, laid.claims[0])
    assert isinstance(site, Site)
    assert (site.charset, site.encoding) == (UNLABELLED, "identity")


def test_lf_line_ends_of_a_file_are_followed() -> None:
    raw = b"From: a\nContent-Type: text/plain\n\nHello\n"
    claim = EditSite(
        part="1",
        kind="text",
        encoding="7bit",
        charset="us-ascii",
        header_end=33,
        body_start=34,
        body_end=len(raw),
        insert_at=34,
    )
    site = check(raw, claim)
    assert isinstance(site, Site)
    assert site.line_end == b"\n"


def test_an_empty_part_that_ends_with_its_own_blank_line() -> None:
    raw = TOP + b'Content-Type: multipart/mixed; boundary="b1"\r\n\r\n--b1\r\n\r\n--b1--\r\n'
    start = raw.index(b"--b1--")
    claim = EditSite(
        part="1",
        kind="text",
        encoding="7bit",
        charset="us-ascii",
        header_end=start - 2,
        body_start=start,
        body_end=start,
        insert_at=start,
    )
    assert isinstance(check(raw, claim), Site)
