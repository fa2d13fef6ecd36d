"""The second look at an edited message: what may differ, and all that may not."""

import base64
import quopri

import pytest

from milter.mail.marker import banner_token
from milter.mail.reading import Facts
from milter.read.integrity import verify

KEY = b"a key"
FACTS = Facts(own_authserv_id="gate.example.org", banner_key=KEY)
BANNER = f"Careful.\r\n[lw:{banner_token(KEY, 'Careful.')}]\r\n\r\n"


def mail(text: str = "hello\r\n", *, head: str = "", charset: str = "us-ascii") -> bytes:
    return (
        f"{head}From: a@example.org\r\nSubject: hi\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n--b\r\n'
        f"Content-Type: text/plain; charset={charset}\r\n\r\n{text}\r\n--b\r\n"
        'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        "JVBERi0=\r\n--b--\r\nepilogue"
    ).encode()


def problem(original: bytes, edited: bytes) -> str:
    return verify(original, edited, FACTS).problem


def test_the_same_message_is_sound() -> None:
    report = verify(mail(), mail(), FACTS)
    assert (report.problem, report.parts, report.edited_parts) == ("", 3, ())


def test_an_exact_edit_is_sound() -> None:
    head = (
        "X-Lurewall-Verdict: lure\r\n"
        "Authentication-Results: gate.example.org; none\r\n"
    )  # fmt: skip
    report = verify(mail(), mail(f"{BANNER}hello\r\n", head=head), FACTS)
    assert (report.problem, report.edited_parts) == ("", ("1",))


def test_forged_fields_may_go() -> None:
    head = "x-lurewall-verdict: clean\r\nAuthentication-Results: GATE.example.org; dkim=pass\r\n"
    assert problem(mail(head=head), mail()) == ""


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8"])
def test_ascii_may_be_labelled_utf8(charset: str) -> None:
    assert problem(mail(), mail(f"é {BANNER}hello\r\n", charset=charset)) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: hi", b"Subject: [External?] hi"),
        (b"Subject: hi", b"Subject: =?utf-8?q?=5BExt=C3=A9rieur=5D?= hi"),
        (b"Subject: hi", b"Subject: [External?]\r\n hi"),
    ],
)
def test_the_subject_may_get_a_tag(old: bytes, new: bytes) -> None:
    assert problem(mail(), mail().replace(old, new)) == ""


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"Subject: hi", b"Subject: ho", "header"),
        (b"Subject: hi", b"Subject: hi there", "header"),
        (b"From: a@", b"From: b@", "header"),
        (b"From: a@example.org\r\n", b"", "header"),
        (b"From: a", b"X-Other: 1\r\nFrom: a", "header"),
        (b"From: a", b"Authentication-Results: other.test; none\r\nFrom: a", "header"),
        (b"mixed; boundary", b"related; boundary", "structure"),
        (b'name="a.pdf"', b'name="b.pdf"', "structure"),
        (b"application/pdf", b"application/zip", "structure"),
        (b"\r\n--b--", b"\r\n--b\r\n\r\nmore\r\n--b--", "structure"),
        (b"\r\n--b\r\nContent-Type: application", b"\r\nContent-Type: application", "structure"),
        (b"preamble", b"Preamble", "unedited"),
        (b"epilogue", b"epilogue ", "unedited"),
        (b"--b\r\nContent-Type: application", b"--b \r\nContent-Type: application", "unedited"),
        (b"JVBERi0=", b"JVBERi0", "edited_text"),
        (b"JVBERi0=", b"JVBERi0=\r\n", "edited_text"),
        (b"hello", b"HELLO", "edited_text"),
        (b"hello", b"", "edited_text"),
        (b"hello", b"oh hello", "no_banner"),
    ],
)
def test_whatever_else_differs_is_named(old: bytes, new: bytes, word: str) -> None:
    original = mail()
    assert original.count(old) >= 1
    assert problem(original, original.replace(old, new, 1)) == word


@pytest.mark.parametrize(
    "text", [f"hel{BANNER}LO\r\n", f"{BANNER}hello", f"{BANNER}ello\r\n", f"a{BANNER}hellob\r\n"]
)
def test_the_old_text_must_be_there_unchanged(text: str) -> None:
    assert problem(mail(), mail(text)) == "edited_text"


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16"])
def test_no_other_charset_may_be_put_on(charset: str) -> None:
    assert problem(mail(), mail(f"{BANNER}hello\r\n", charset=charset)) == "part_header"


def test_an_edit_must_not_touch_the_header_of_its_part_otherwise() -> None:
    edited = mail(f"{BANNER}hello\r\n").replace(b"us-ascii", b"us-ascii; x=y")
    assert problem(mail(), edited) == "part_header"


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_encoded_parts_are_compared_as_text(encoding: str) -> None:
    def encoded(text: str) -> bytes:
        octets = text.encode()
        body = quopri.encodestring(octets) if encoding[0] == "q" else base64.encodebytes(octets)
        head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}"
        return head.encode() + b"\r\n\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    assert problem(encoded("é hello\n"), encoded(f"{BANNER}é hello\n")) == ""
    assert problem(encoded("é hello\n"), encoded(f"{BANNER}e hello\n")) == "edited_text"


def test_a_single_part_may_be_encoded_anew() -> None:
    original = b"From: a@example.org\r\n\r\nhello = you\r\n"
    edited = (
        "From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9 "
        f"{BANNER}hello =3D you\r\n"
    ).encode()
    assert problem(original, edited) == ""
    assert problem(original, edited.replace(b"hello", b"hallo")) == "edited_text"


def test_without_a_key_any_insertion_counts_as_a_banner() -> None:
    edited = mail("oh hello\r\n")
    assert verify(mail(), edited, Facts()).problem == ""
