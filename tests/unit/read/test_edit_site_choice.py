"""Which parts may take a banner, and exactly where."""

import base64
import quopri
import time

import pytest

from milter.mail.reading import EditSite, Facts
from milter.read.decode import decode_transfer
from milter.read.edit_sites import find_edit_sites
from milter.read.html_insertion import insertion_offset
from milter.read.message_reader import read_message
from milter.read.mime import scan_message

HEAD = b"From: a@example.org\r\nMIME-Version: 1.0\r\n"


def sites(raw: bytes) -> tuple[tuple[EditSite, ...], str]:
    result = read_message(raw, Facts())
    return result.edit_sites, result.unsafe_to_edit


def part(media_type: str, body: bytes, *more: str) -> bytes:
    return "\r\n".join([f"Content-Type: {media_type}", *more, "", ""]).encode() + body


def multipart(subtype: str, *parts: bytes, boundary: str = "b") -> bytes:
    pieces = [f"Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n".encode()]
    pieces += [f"--{boundary}\r\n".encode() + octets + b"\r\n" for octets in parts]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def with_id(octets: bytes, content_id: str) -> bytes:
    return f"Content-ID: <{content_id}>\r\n".encode() + octets


TEXT = part("text/plain; charset=utf-8", b"hello")
HTML = part("text/html; charset=utf-8", b"<html><body><p>hello</p></body></html>")
PDF = part("application/pdf", b"JVBERi0=", "Content-Transfer-Encoding: base64")
CALENDAR = part("text/calendar", b"BEGIN:VCALENDAR")
ATTACHED = part("text/plain", b"notes", "Content-Disposition: attachment; filename=a.txt")
NAMED = part("text/html; charset=utf-8; name=a.html", b"<p>hello")
SHAM = part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"nothing")
BROKEN = part("multipart/related; boundary=c", b"no delimiter at all")
STATUS = part("message/delivery-status", b"Action: failed")
QP = "Content-Transfer-Encoding: quoted-printable"
B64 = "Content-Transfer-Encoding: base64"
MESSAGE = part("message/rfc822", b"Subject: in\r\n\r\ninner")


@pytest.mark.parametrize(
    ("entity", "parts"),
    [
        (TEXT, ["1"]),
        (HTML, ["1"]),
        (multipart("alternative", TEXT, HTML), ["1", "2"]),
        (multipart("alternative", TEXT, HTML, CALENDAR), ["1", "2"]),
        (multipart("mixed", TEXT, PDF), ["1"]),
        (multipart("mixed", PDF, TEXT), ["2"]),
        (multipart("mixed", ATTACHED, TEXT), ["2"]),
        (multipart("mixed", TEXT, HTML), ["1"]),
        (multipart("mixed", multipart("alternative", TEXT, HTML, boundary="c"), PDF), ["1.1", "1.2"]),
        (multipart("related", HTML, PDF), ["1"]),
        (multipart("alternative", TEXT, multipart("related", HTML, PDF, boundary="c")), ["1", "2.1"]),
        (multipart("mixed", MESSAGE, TEXT), ["2"]),
        (multipart("mixed", NAMED, TEXT), ["2"]),
        (NAMED, ["1"]),
        (part("text/plain", b"x", B64.replace("base64", "7bit"), "Content-Type: text/plain"), ["1"]),
        (multipart("alternative", NAMED, HTML), ["1", "2"]),
        (multipart("alternative", TEXT, HTML, HTML), ["1", "2", "3"]),
        (multipart("related", NAMED, PDF), ["1"]),
        (multipart("related; start=\"<b@x>\"", HTML, with_id(HTML, "b@x")), ["2", "1"]),
        (multipart("related; start=\"<a@x>\"", with_id(HTML, "a@x"), HTML), ["1"]),
        (multipart("related; start=\"<none>\"", HTML, PDF), ["1"]),
        (multipart("mixed", TEXT, SHAM), ["1"]),
        (multipart("report; report-type=delivery-status", TEXT, STATUS, MESSAGE), ["1"]),
        (multipart("x-unheard-of", TEXT, PDF), ["1"]),
        (multipart("digest", TEXT, MESSAGE), ["1"]),
        (multipart("mixed", TEXT, BROKEN), ["1"]),
        (multipart("alternative", TEXT, BROKEN), ["1"]),
        (multipart("mixed", TEXT, part("message/rfc822", b"junk line\r\nx")), ["1"]),
    ],
)  # fmt: skip
def test_the_main_text_takes_it(entity: bytes, parts: list[str]) -> None:
    found, reason = sites(HEAD + entity)
    assert [site.part for site in found] == parts
    assert reason == ""


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        (multipart("signed", TEXT, PDF), "signed"),
        (multipart("mixed", multipart("signed", TEXT, PDF, boundary="c"), TEXT), "signed"),
        (multipart("encrypted", PDF, PDF), "encrypted"),
        (part("application/pkcs7-mime; smime-type=enveloped-data", b"x"), "encrypted"),
        (part("text/plain", b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc"), "inline_pgp"),
        (part("text/plain", b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nabc"), "inline_pgp"),
        (part("text/plain; charset=utf-16", b"x"), "charset"),
        (part("text/plain; charset=utf-16", b"eAA=", B64), "charset"),
        (part("text/plain; charset=utf-16be", b"//54AA==", B64), "charset"),
        (part("text/plain; charset=utf-8", b"//54AA==", B64), "charset"),
        (part("text/plain; charset=utf-7", b"x"), "charset"),
        (part("text/plain; charset=x-utf-16x", b"x"), "charset"),
        (part("text/plain; charset=iso-2022-kr", b"x"), "charset"),
        (part("text/html", b"<p>\xc3\xa9<meta charset=utf-8>"), "charset"),
        (part("text/html; charset=utf-8", b"<body a=ZZ><p>x", QP), "encoding"),
        (part("text/plain", b"never encoded!", B64), "encoding"),
        (part("text/plain", b"x", "Content-Transfer-Encoding: x-gzip"), "encoding"),
        (part("text/plain", b"Y!Q=", "Content-Transfer-Encoding: base64"), "encoding"),
        (part("text/plain", b"a\0b"), "encoding"),
        (part("text/html", b"<frameset><frame src=x></frameset>"), "no_text"),
        (MESSAGE, "no_text"),
        (PDF, "no_text"),
        (CALENDAR, "no_text"),
        (ATTACHED, "no_text"),
        (multipart("mixed", NAMED, PDF), "no_text"),
        (multipart("mixed", BROKEN, TEXT), "malformed"),
        (multipart("mixed", MESSAGE), "no_text"),
        (multipart("digest", MESSAGE), "no_text"),
        (b"junk line\r\n" + TEXT, "malformed"),
        (b"Content-Type: text/html\r\n" + TEXT, "malformed"),
        (part("text/plain", b"eA==", B64, B64.replace("base64", "7bit")), "malformed"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing", "malformed"),
        (multipart("mixed", b"Content-Type: text/plain\r\n"), "malformed"),
    ],
)
def test_nothing_else_does_and_one_word_says_why(entity: bytes, reason: str) -> None:
    assert sites(HEAD + entity) == ((), reason)


def only_site(raw: bytes) -> EditSite:
    found, _ = sites(raw)
    assert len(found) == 1
    return found[0]


def test_all_that_an_edit_needs_is_told() -> None:
    raw = HEAD + (
        b'Content-Type: text/plain;\r\n charset="KOI8-R"\r\nContent-Transfer-Encoding: 7bit\r\n'
        b"\r\nhello\r\n"
    )
    site = only_site(raw)
    assert (site.kind, site.encoding, site.charset) == ("text", "7bit", "koi8-r")
    assert raw[site.header_end : site.body_start] == b"\r\n"
    assert raw[site.body_start : site.body_end] == b"hello\r\n"
    assert site.insert_at == site.body_start


def test_what_is_not_labelled_is_ascii() -> None:
    site = only_site(b"From: a@example.org\n\nhello\n")
    assert (site.encoding, site.charset) == ("7bit", "us-ascii")


def test_eight_bit_text_under_a_seven_bit_label_is_common() -> None:
    site = only_site(HEAD + part("text/plain; charset=utf-8", "é".encode()))
    assert (site.encoding, site.charset) == ("7bit", "utf-8")


@pytest.mark.parametrize(
    ("html", "before"),
    [
        ("<body>x", "<body>"),
        ("<!DOCTYPE html><html><head><title>t</title></head><body class=a>x", "<!DOCTYPE html><html><head><title>t</title></head><body class=a>"),
        ("<html><BODY onload='a>b' style=\"c>d\">x", "<html><BODY onload='a>b' style=\"c>d\">"),
        ("<!-- <body> --><html><body>x", "<!-- <body> --><html><body>"),
        ("<html><style>p{content:'<body>'}</style><body>x", "<html><style>p{content:'<body>'}</style><body>"),
        ("<script>'<body>'</script><body>x", "<script>'<body>'</script><body>"),
        ("<title><body></title><body>x", "<title><body></title><body>"),
        ("<title>a</titlex><body></title><body>x", "<title>a</titlex><body></title><body>"),
        ("<style></style\n><BODY\n>x", "<style></style\n><BODY\n>"),
        ("<!--><body>x", "<!--><body>"),
        ("<!-- --!><body>x", "<!-- --!><body>"),
        ("<!-- a -- b --><body>x", "<!-- a -- b --><body>"),
        ("<body a=b\"><div style=display:none>\"><p>", "<body a=b\">"),
        ("<body a='x>y'b=\"z>\" c =d/>x", "<body a='x>y'b=\"z>\" c =d/>"),
        ("<body \"x>y\">z", "<body \"x>"),
        ("<body a=>x", "<body a=>"),
        ("<table><table><tr><td>x", ""),
        ("<html><table><tr><td><table>x", "<html>"),
        ("<div><body>x", ""),
        ("</div></p><body>x", "</div></p><body>"),
        ("<?xml version='1.0'?><!DOCTYPE html><p>x", "<?xml version='1.0'?><!DOCTYPE html>"),
        ("<html><head><meta charset=utf-8></head><p>x", "<html><head><meta charset=utf-8></head>"),
        ("<p>x", ""),
        ("x<body>y", ""),
        ("1 < 2", ""),
        ("< p", ""),
        ("", ""),
        ("<html>\n\n", "<html>\n\n"),
        ("<!--[if mso]><body><![endif]--><body>x", "<!--[if mso]><body><![endif]--><body>"),
        ("<div>x</div><body>y", ""),
    ],
)  # fmt: skip
def test_the_place_in_html(html: str, before: str) -> None:
    assert insertion_offset(html.encode()) == len(before)


@pytest.mark.parametrize(
    "odd",
    [
        "<!-- open <body>x",
        "<style>open<body>x",
        "<body class='open>x",
        '<body class="open>x',
        "<plaintext><body>x",
        "<?php open",
        "<noscript><body></noscript><body>x",
        "<template><template></template><body></template><body>x",
        "<script><!--<script></script><body></script>--></script><body>x",
        "<![CDATA[<body>]]><body>x",
        "<textarea><body></textarea><body>x",
        "<body " + "a" * 20_000 + ">x",
    ],
)
def test_in_front_of_what_could_swallow_it(odd: str) -> None:
    """Programs read these in different ways, and the sender may have chosen them for that."""
    for before in ("", "<!DOCTYPE html><html><head>\n"):
        assert insertion_offset((before + odd).encode()) == len(before)


def test_no_place_beside_a_frame_set() -> None:
    assert insertion_offset(b"<html><head></head><frameset><frame src=x></frameset>") is None


def test_a_byte_order_mark_stays_first() -> None:
    raw = HEAD + part("text/html; charset=utf-8", b"\xef\xbb\xbf<p>x")
    site = only_site(raw)
    assert raw[site.body_start : site.insert_at] == b"\xef\xbb\xbf"


DOCUMENT = (
    "<html><head><title>é = ü</title>"
    + "<meta a='bb'>" * 20
    + "</head>\r\n<body class='é'><p>x é</p>\r\n"
)
TOP = DOCUMENT.index("<p>")


def test_the_place_in_quoted_printable_is_the_same_place() -> None:
    encoded = quopri.encodestring(DOCUMENT.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    raw = HEAD + part(
        "text/html; charset=utf-8", encoded, "Content-Transfer-Encoding: quoted-printable"
    )
    site = only_site(raw)
    before, _ = decode_transfer(raw[site.body_start : site.insert_at], "quoted-printable")
    assert before.decode() == DOCUMENT[:TOP]


def test_the_place_in_base64_counts_decoded_octets() -> None:
    encoded = base64.encodebytes(DOCUMENT.encode()).replace(b"\n", b"\r\n")
    raw = HEAD + part("text/html; charset=utf-8", encoded, "Content-Transfer-Encoding: base64")
    site = only_site(raw)
    assert DOCUMENT.encode()[: site.insert_at].decode() == DOCUMENT[:TOP]


def test_the_number_of_sites_is_bounded() -> None:
    """Who hides his text behind many versions hides it behind the last, or the first."""
    found, _ = sites(HEAD + multipart("alternative", *[TEXT] * 50, HTML))
    assert len(found) == 32
    assert (found[0].part, found[-1].part, found[-1].kind) == ("1", "51", "html")


def test_many_nested_versions_take_no_long_search() -> None:
    nested = multipart("alternative", *[multipart("alternative", TEXT, boundary="c")] * 900)
    started = time.process_time()
    tree = scan_message(HEAD + nested)
    scanned = time.process_time()
    found, _ = find_edit_sites(HEAD + nested, tree, lambda _node: (b"hello", None))
    assert len(found) == 32
    assert time.process_time() - scanned < 1 + 2 * (scanned - started)


# Octets that look like markup while the state is not ASCII: two of them are one character each.
JIS = b"\x1b$B" + b"</title><body>!!"[:16] + b"\x1b(B"


@pytest.mark.parametrize("label", ["iso-2022-jp", "ISO-2022-JP-2"])
@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_octets_of_iso_2022_jp_are_not_taken_for_markup(label: str, encoding: str) -> None:
    document = b"<html><title>" + JIS + b"</title><body>" + JIS + b"<p>x"
    expected = b"<html><title>" + JIS + b"</title><body>"
    body = document
    if encoding == "base64":
        body = base64.encodebytes(document).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        body = quopri.encodestring(document)
    raw = HEAD + part(f"text/html; charset={label}", body, f"Content-Transfer-Encoding: {encoding}")
    site = only_site(raw)
    if encoding == "base64":
        assert site.insert_at == len(expected)
    else:
        before, _ = decode_transfer(raw[site.body_start : site.insert_at], encoding)
        assert before == expected


def test_content_in_another_state_has_its_banner_in_front() -> None:
    raw = HEAD + part("text/html; charset=iso-2022-jp", b"<html>" + JIS + b"<body>x")
    site = only_site(raw)
    assert raw[site.body_start : site.insert_at] == b"<html>"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_place_in_utf_16(codec: str, mark: str) -> None:
    document = f"{mark}<html><title>漢🙂</title><body class='é'>".encode(codec)
    label = codec.replace("-le", "le").replace("-be", "be")
    encoded = base64.encodebytes(document + "<p>x🙂".encode(codec)).replace(b"\n", b"\r\n")
    site = only_site(HEAD + part(f"text/html; charset={label}", encoded, B64))
    assert site.insert_at == len(document)


def test_damaged_utf_16_takes_no_banner() -> None:
    octets = b"\xff\xfe" + "<p>x".encode("utf-16-le") + b"\0"
    raw = HEAD + part("text/html; charset=utf-16", base64.encodebytes(octets), B64)
    assert sites(raw) == ((), "charset")


@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_padding_does_not_keep_the_banner_away(encoding: str) -> None:
    document = b"<html><body><p>Words.</p><!--" + b"padding " * 1_200_000 + b"--></body></html>"
    body = document
    if encoding == "base64":
        body = base64.encodebytes(document).replace(b"\n", b"\r\n")
    raw = HEAD + part("text/html; charset=utf-8", body, f"Content-Transfer-Encoding: {encoding}")
    site = only_site(raw)
    before = document if encoding == "base64" else raw[site.body_start :]
    at = site.insert_at - (0 if encoding == "base64" else site.body_start)
    assert before[:at] == b"<html><body>"
