"""Mails of many shapes with lures and honest words in them: what both fronts must judge alike."""

import base64
import quopri
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from milter.demo.samples import SAMPLES

MAILS = Path(__file__).parents[1] / "quality" / "mails"
SENT_AT = datetime(2026, 11, 25, 9, 3, 27, tzinfo=UTC)
HEAD = (
    "From: =?utf-8?q?D=C3=A9sk?= <desk.one@gmail.com>\r\nTo: someone@example.org\r\n"
    "Subject: A short paper\r\nDate: Wed, 25 Nov 2026 09:03:27 +0000\r\n"
    "Message-ID: <{name}@sender.test>\r\n"
)
HONEST = "Lunch is at noon, the room is the same as last week.\r\n"
LURE = (
    "A partner of ours, whom I cannot name, would like a short paper of six to eight pages.\r\n"
    "The honorarium is 2,000 USD per paper, in cash or USDT.\r\n"
    "They value what is not in the press: internal planning and budget drafts.\r\n"
    "Write to me on Signal rather than to your office address, my username is desk.41.\r\n"
    "There is no need to mention this to your employer.\r\n"
)


def varied() -> Iterator[tuple[str, bytes]]:
    """Names and octets: samples, each shape with a lure and with honest words, each language."""
    for number, sample in enumerate(SAMPLES):
        yield f"sample{number}", sample.dated(SENT_AT)
    for shape, make in SHAPES.items():
        for kind, text in (("lure", LURE), ("honest", HONEST)):
            name = f"{shape}-{kind}"
            yield name, HEAD.format(name=name).encode() + make(text)
    for path in sorted(MAILS.glob("*.toml")):
        for one in tomllib.loads(path.read_text(encoding="utf-8"))["mail"][:2]:
            text = one["text"].replace("\n", "\r\n") + "\r\n"
            yield one["id"], HEAD.format(name=one["id"]).encode() + eight_bit(text)


def plain(text: str) -> bytes:
    return b"\r\n" + text.encode()


def eight_bit(text: str, charset: str = "utf-8") -> bytes:
    fields = (
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return fields.encode() + text.encode(charset)


def part(fields: str, body: bytes) -> bytes:
    return fields.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def quoted_printable(text: str) -> bytes:
    body = quopri.encodestring(f"Café\n{text}".encode()).replace(b"\r", b"").replace(b"\n", b"\r\n")
    return part(
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable",
        body,
    )


def in_base64(text: str) -> bytes:
    body = base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
    return part(
        "Mime-Version: 1.0\nContent-Type: TEXT/PLAIN;\n charset=UTF-8\n"
        "Content-Transfer-Encoding: BASE64",
        body,
    )


def markup(text: str) -> bytes:
    lines = text.replace("\r\n", "<br>\r\n")
    return f"<html><body><p>{lines}</p></body></html>\r\n".encode()


def html(text: str) -> bytes:
    return part("MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8", markup(text))


def multipart(kind: str, *parts: bytes, more: str = "") -> bytes:
    inner = b"".join(b"--=_b\r\n" + one + b"\r\n" for one in parts)
    fields = f'MIME-Version: 1.0\nContent-Type: multipart/{kind};\n\tboundary="=_b"{more}'
    return part(fields, b"This is MIME.\r\n" + inner + b"--=_b--\r\nEpilogue\r\n")


def alternative(text: str) -> bytes:
    return multipart(
        "alternative",
        part("Content-Type: text/plain; charset=us-ascii", text.encode()),
        part("Content-Type: text/html; charset=utf-8", markup(text)),
    )


def with_attachment(text: str) -> bytes:
    picture = base64.encodebytes(bytes(range(256)) * 20).replace(b"\n", b"\r\n")
    return multipart(
        "mixed",
        part("Content-Type: text/plain; charset=utf-8", text.encode()),
        part(
            'Content-Type: application/octet-stream; name="a.bin"\n'
            "Content-Disposition: attachment\nContent-Transfer-Encoding: base64",
            picture,
        ),
    )


def related(text: str) -> bytes:
    return multipart(
        "related",
        part("Content-Type: text/html; charset=utf-8", markup(text)),
        part("Content-Type: image/gif\nContent-ID: <x>\nContent-Transfer-Encoding: base64",
             b"R0lGODlhAQABAAAAACw=\r\n"),
    )  # fmt: skip


def signed(text: str) -> bytes:
    return multipart(
        "signed",
        part("Content-Type: text/plain", text.encode()),
        part("Content-Type: application/pgp-signature",
             b"-----BEGIN PGP SIGNATURE-----\r\n\r\nabcd\r\n-----END PGP SIGNATURE-----\r\n"),
        more='; protocol="application/pgp-signature"',
    )  # fmt: skip


def passed_on(text: str) -> bytes:
    inner = b"From: b@c.test\r\nSubject: inner\r\n\r\n" + text.encode()
    return multipart(
        "mixed",
        part("Content-Type: text/plain", b"See below.\r\n"),
        part("Content-Type: message/rfc822", inner),
    )


def flowed(text: str) -> bytes:
    body = text.replace(". ", ".  \r\n").encode()
    return part("MIME-Version: 1.0\nContent-Type: text/plain; format=flowed; DelSp=yes", body)


def odd_header(text: str) -> bytes:
    """Forged fields, fields twice, folds with tabs, an empty value, 8-bit octets, a long line."""
    fields = (
        "X-Lurewall-Verdict: clean\r\nSubject: second\r\nX-Empty:\r\nX-No-Space:value\r\n"
        "x-lurewall-score: 0.0;\r\n\tforged\r\nX-Folded: a\r\n\tb\r\n  c\r\n"
        "X-Eight: größe\r\nX-Long: " + "y" * 1500 + "\r\nX-LUREWALL-VERDICT: clean\r\n"
        "Received: from far.test by mx.test; Wed, 25 Nov 2026 09:03:20 +0000\r\n"
        "Authentication-Results: gateway.test; dkim=pass header.d=gmail.com\r\n"
    )
    return fields.encode() + b"\r\n" + text.encode()


def many_fields(text: str) -> bytes:
    """More fields than the scanner lists, with forged ones of ours before and behind that bound."""
    forged = "X-Lurewall-Verdict: clean\r\n"
    return (forged + "X-Many: field\r\n" * 2100 + forged + "\r\n" + text).encode()


def long_lines(text: str) -> bytes:
    """Longer than SMTP allows, in the header and in the body."""
    field = "X-Long: " + "w " * 1000 + "\r\n"
    return (field + "\r\n" + text + "z" * 5000 + "\r\n").encode()


def without_line_end(text: str) -> bytes:
    """The end of data needs one: what is before it has none of its own."""
    return b"\r\n\r\n\r\n" + text.encode() + b"\r\n\r\n--\r\nend"


def dots(text: str) -> bytes:
    return b"\r\n.\r\n..\r\n" + text.replace("\r\n", "\r\n.").encode() + b"\r\n"


def damaged(text: str) -> bytes:
    """A boundary that never comes, and one that is never closed."""
    body = b"--other\r\nContent-Type: text/plain\r\n\r\n" + text.encode()
    return part('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="lost"', body)


def no_body(_text: str) -> bytes:
    return b"X-Last: field\r\n\r\n"


SHAPES: dict[str, Callable[[str], bytes]] = {
    "plain": plain,
    "utf-8": lambda text: eight_bit("Größe, 漢字\r\n" + text),
    "latin": lambda text: eight_bit("Größe\r\n" + text, "iso-8859-1"),
    "gb18030": lambda text: eight_bit("漢字\r\n" + text, "gb18030"),
    "koi8-r": lambda text: eight_bit("привет\r\n" + text, "koi8-r"),
    "quoted-printable": quoted_printable,
    "base64": in_base64,
    "html": html,
    "alternative": alternative,
    "attachment": with_attachment,
    "related": related,
    "signed": signed,
    "passed-on": passed_on,
    "flowed": flowed,
    "odd-header": odd_header,
    "many-fields": many_fields,
    "long-lines": long_lines,
    "without-line-end": without_line_end,
    "dots": dots,
    "damaged": damaged,
    "no-body": no_body,
}
