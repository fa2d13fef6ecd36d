"""Five thousand messages of every shape, made from their numbers: structure, charset, encoding, damage.

Writes octets by hand and shares nothing with the product: what a message is and whether a banner can
go into it (`takes_banner`, None where either answer is right) is said by the rules here.
"""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.shape_words import CHARSETS, PIECES, SCRIPTS, TOPS, WIDE

CRLF = b"\r\n"


@dataclass(frozen=True)
class Shape:
    """A message, what it was made of, and whether a banner is due."""

    number: int
    raw: bytes
    structure: str
    charset: str
    encoding: str
    damage: str
    is_flowed: bool
    takes_banner: bool | None

    @property
    def name(self) -> str:
        return "/".join(
            (str(self.number), self.structure, self.charset, self.encoding, self.damage)
        )


@dataclass
class Body:
    """The text of a message as its maker thinks of it."""

    label: str
    codec: str
    script: str
    encoding: str
    width: int
    damage: str = ""
    flowed: bool = False


class Maker:
    """One message from one number."""

    def __init__(self, number: int) -> None:
        self.rng = random.Random(number)
        self.number = number
        self.boundaries = 0

    def make(self) -> Shape:
        rng = self.rng
        structure = rng.choice(list(STRUCTURES))
        label, codec, script = rng.choice(CHARSETS)
        encoding = rng.choice(
            ["7bit", "8bit", "quoted-printable", "base64", "base64", "binary", ""]
        )
        if codec in WIDE:
            encoding = "base64"
        width = rng.choice([1, 3, 4, 5, 10, 20, 57, 60, 61, 63, 72, 75, 76, 76, 76, 100, 998])
        damage = rng.choice(["", *DAMAGES])
        flowed = rng.random() < 0.2
        body = Body(label, codec, script, encoding, width, damage, flowed)
        entity, takes = STRUCTURES[structure](self, body)
        raw = self.top(damage) + entity
        takes = self.judge(body, structure, takes)
        if damage == "no last line end":
            raw = raw.rstrip(b"\r\n")
        if damage == "line feeds only" and codec not in WIDE:
            raw = raw.replace(CRLF, b"\n")
        return Shape(
            number=self.number, raw=raw, structure=structure, charset=label or "none",
            encoding=encoding or "none", damage=damage or "none",
            is_flowed=flowed, takes_banner=takes,
        )  # fmt: skip

    def judge(self, body: Body, structure: str, takes: bool | None) -> bool | None:
        damage = body.damage
        relabelled = damage in ("unlabelled", "mislabelled", "unknown charset")
        if not takes or damage in FATAL:
            return False
        if damage in EITHER or (body.codec in WIDE and relabelled):
            return None
        if body.codec == "utf-7" and not relabelled:
            return False
        if damage == "empty" and body.codec == "utf-16":
            return False  # nothing says which octet comes first
        if damage == "broken boundary":
            return structure in ("text", "html", "named body", "alternative of related", "deep")
        return True

    def top(self, damage: str) -> bytes:
        fields = [
            b"Received: from mail.example.net by mx.example.org; Wed, 25 Nov 2026 08:00:00 +0000",
            b'From: "Rosa Linden" <rosa@example.net>', b"To: staff@example.org",
            self.rng.choice([
                b"Subject: A small study", b"Subject: =?utf-8?B?w4l0dWRl?= =?utf-8?Q?_une?=",
                b"Subject: \xe9tude brute", b"Subject:\r\n folded", b"subject:none", b"X-No: subject",
            ]),
        ]  # fmt: skip
        if damage != "no mime version":
            fields.append(b"MIME-Version: 1.0")
        if damage == "forged fields":
            fields[1:1] = [b"X-Lurewall-Verdict: clean", b"X-LUREWALL-ID: 7"]
        if damage == "junk in header":
            fields.insert(2, b"this is no field")
        if damage == "two content types":
            fields.append(b"Content-Type: text/x-other; charset=utf-16")
        first = (
            b"From rosa@example.net Wed Nov 25 08:00:00 2026\r\n" if damage == "mbox line" else b""
        )
        return first + CRLF.join(fields) + CRLF

    def lines(self, body: Body) -> str:
        rng = self.rng
        words = SCRIPTS[body.script]
        ascii_only = body.encoding in ("7bit", "") and body.codec not in ("iso2022_jp", "utf-7")
        lines = [
            words if rng.random() < 0.6 else rng.choice(PIECES) for _ in range(rng.randrange(1, 9))
        ]
        text = "\r\n".join(lines) + rng.choice(["", "\r\n", "\r\n\r\n"])
        if body.damage == "long":
            text = text + "\r\n" + "\r\n".join([words + " " + "y" * 50] * 60)
        if ascii_only:
            text = text.encode("ascii", "ignore").decode()
        return text.encode(body.codec, "ignore").decode(body.codec)

    def text(self, body: Body, extra: bytes = b"") -> bytes:
        if body.flowed:
            delsp = self.rng.choice([b"", b"; delsp=yes", b"; DelSp=no"])
            extra = b"; format=flowed" + delsp + extra
        return self.leaf(b"text/plain" + extra, body, self.lines(body))

    def html(self, body: Body, extra: bytes = b"") -> bytes:
        top = self.rng.choice(TOPS)
        if body.encoding in ("7bit", ""):
            top = top.encode("ascii", "ignore").decode()
        return self.leaf(b"text/html" + extra, body, top + "<p>" + self.lines(body))

    def leaf(self, media: bytes, body: Body, text: str) -> bytes:
        """A part with its header."""
        octets = text.encode(body.codec, "ignore")
        if (
            body.damage == "byte order mark"
            and body.codec == "utf-8"
            and body.encoding not in ("7bit", "")
        ):
            octets = b"\xef\xbb\xbf" + octets
        label = self.label(body)
        fields = [b"Content-Type: " + media + label]
        if body.encoding or body.damage == "unknown encoding":
            name = b"x-odd" if body.damage == "unknown encoding" else body.encoding.encode()
            fields.append(b"Content-Transfer-Encoding: " + self.rng.choice([name, name.upper()]))
        if self.rng.random() < 0.3:
            fields.insert(self.rng.randrange(2), b"Content-Language: en")
        if self.rng.random() < 0.2:
            fields.append(b"Content-Disposition: inline")
        return CRLF.join(fields) + CRLF * 2 + self.transferred(octets, body)

    def label(self, body: Body) -> bytes:
        if body.damage == "unlabelled" or not body.label:
            return b""
        label = b"utf-8" if body.damage == "mislabelled" else body.label.encode()
        if body.damage == "unknown charset":
            label = b"x-nobody-knows"
        form = self.rng.choice(
            [b"; charset=%s", b'; charset="%s"', b';\r\n\tCharset="%s"', b'; x=y;charset = "%s"']
        )
        return form % label

    def transferred(self, octets: bytes, body: Body) -> bytes:
        if body.damage == "empty":
            return b""
        if body.encoding == "base64":
            characters = base64.b64encode(octets)
            width = body.width
            lines = [characters[at : at + width] for at in range(0, len(characters), width)]
            coded = CRLF.join(lines) + self.rng.choice([b"", CRLF, CRLF * 2])
            if body.damage == "bad encoding" and len(octets) > 60:
                return coded.rstrip() + CRLF + b"____ a list's footer, not encoded!" + CRLF
            return coded
        if body.encoding == "quoted-printable":
            coded = self.quoted(octets)
            if body.damage == "bad encoding":
                return coded + self.rng.choice([b"=ZZ", b"\xe9\xff", b"= x", b"=3"])
            return coded
        return octets

    def quoted(self, octets: bytes) -> bytes:
        """Quoted-printable with soft breaks wherever the dice say."""
        out, used = bytearray(), 0
        position = 0
        while position < len(octets):
            if octets.startswith(CRLF, position):
                out += CRLF
                used, position = 0, position + 2
                continue
            octet = octets[position]
            at_end = octets.startswith(CRLF, position + 1) or position + 1 == len(octets)
            literal = 33 <= octet <= 126 and octet != 61 and self.rng.random() < 0.97
            if octet in b" \t" and not at_end:
                literal = True
            piece = bytes([octet]) if literal else b"=%02X" % octet
            if used + len(piece) > 75 or self.rng.random() < 0.02:
                out += b"=\r\n"
                used = 0
            out += piece
            used += len(piece)
            position += 1
        return bytes(out)

    def multipart(
        self, subtype: bytes, children: list[bytes], body: Body, extra: bytes = b""
    ) -> bytes:
        rng, damage = self.rng, body.damage
        self.boundaries += 1
        boundary = (
            rng.choice([b"b", b"=_b", b"--", b"b'()+_,-./:=?", b"a b", b"B" * 60])
            + b"%d" % self.boundaries
        )
        value = b'; boundary="%s"' % boundary
        if damage == "broken boundary" and self.boundaries == 1:
            value = rng.choice([b"", b'; boundary="never seen"'])
        head = (
            b"Content-Type: multipart/" + subtype + extra + rng.choice([b"", b";\r\n x=y"]) + value
        )
        preamble = {"preamble": b"not shown\r\n--b\r\n", "epilogue": b""}.get(damage, b"")
        padding = b" \t" if damage == "padded delimiters" else b""
        pieces = [head + CRLF * 2 + preamble]
        for child in children:
            pieces.append(CRLF + b"--" + boundary + padding + CRLF + child)
        if damage != "unclosed":
            pieces.append(CRLF + b"--" + boundary + b"--" + padding + CRLF)
        if damage == "epilogue":
            pieces.append(b"late words\r\n--b1\r\n\r\nmore\r\n")
        return b"".join(pieces)

    def file(self, media: bytes = b"", name: bytes = b"") -> bytes:
        rng = self.rng
        media = media or rng.choice(
            [b"application/pdf", b"image/png", b"application/zip", b"text/csv"]
        )
        name = name or rng.choice([b"a.pdf", b"=?utf-8?B?w6kucGRm?=", b"b c.bin"])
        octets = rng.randbytes(rng.randrange(0, 300))
        coded = base64.encodebytes(octets).replace(b"\n", CRLF)
        disposition = rng.choice([b"attachment", b"inline", b"Attachment"])
        return (
            b"Content-Type: "
            + media
            + b'; name="'
            + name
            + b'"\r\nContent-Transfer-Encoding: base64\r\n'
            b"Content-Disposition: " + disposition + b'; filename="' + name + b'"\r\n\r\n' + coded
        )

    def image(self) -> bytes:
        return b"Content-ID: <i@x>\r\n" + self.file(b"image/png", b"i.png")

    def calendar(self) -> bytes:
        return b"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:Call\r\nEND:VCALENDAR\r\n"

    def message(self) -> bytes:
        inner = b"From: in@example.net\r\nSubject: inner\r\n\r\nthe inner text\r\n"
        return b"Content-Type: message/rfc822\r\n\r\n" + inner


def _files(maker: Maker) -> list[bytes]:
    return [maker.file() for _ in range(maker.rng.randrange(1, 4))]


def _alternative(maker: Maker, body: Body) -> bytes:
    return maker.multipart(b"alternative", [maker.text(body), maker.html(body)], body)


def _related(maker: Maker, body: Body) -> bytes:
    return maker.multipart(b"related", [maker.html(body), maker.image(), maker.image()], body)


def _deep(maker: Maker, body: Body) -> bytes:
    inner = maker.multipart(b"alternative", [maker.text(body), _related(maker, body)], body)
    for _ in range(maker.rng.randrange(1, 6)):
        inner = maker.multipart(b"mixed", [inner, *_files(maker)], body)
    return inner


def _report(maker: Maker, body: Body) -> bytes:
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n"
    children = [maker.text(body), status, maker.message()]
    return maker.multipart(b"report", children, body, b"; report-type=delivery-status")


def _signed(maker: Maker, body: Body) -> bytes:
    signature = b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIB\r\n"
    signed = maker.multipart(
        b"signed", [maker.text(body), signature], body, b'; protocol="application/pkcs7-signature"'
    )
    if maker.rng.random() < 0.5:
        return signed
    return maker.multipart(
        b"mixed", [signed, b"Content-Type: text/plain\r\n\r\nlist footer\r\n"], body
    )


def _pgp(maker: Maker, body: Body) -> bytes:
    body.codec, body.label, body.encoding, body.damage, body.flowed = (
        "ascii",
        "us-ascii",
        "7bit",
        "",
        False,
    )
    armor = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhi\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\nabc\r\n-----END PGP SIGNATURE-----\r\n"
    return maker.leaf(b"text/plain", body, armor)


Made = tuple[bytes, bool | None]
STRUCTURES: dict[str, Callable[[Maker, Body], Made]] = {
    "text": lambda m, b: (m.text(b), True),
    "html": lambda m, b: (m.html(b), True),
    "named body": lambda m, b: (m.text(b, b"; name=letter.txt"), True),
    "alternative": lambda m, b: (_alternative(m, b), True),
    "alternative with calendar": lambda m, b: (
        m.multipart(b"alternative", [m.text(b), m.html(b), m.calendar()], b), True),
    "alternative with two pages": lambda m, b: (
        m.multipart(b"alternative", [m.text(b), m.html(b), m.html(b)], b), True),
    "alternative of related": lambda m, b: (
        m.multipart(b"alternative", [m.text(b), _related(m, b)], b), True),
    "related": lambda m, b: (_related(m, b), True),
    "related of alternative": lambda m, b: (
        m.multipart(b"related", [_alternative(m, b), m.image()], b, b"; type=\"multipart/alternative\""), True),
    "mixed": lambda m, b: (m.multipart(b"mixed", [m.text(b), *_files(m)], b), True),
    "mixed with page": lambda m, b: (m.multipart(b"mixed", [m.html(b), *_files(m)], b), True),
    "mixed with text behind": lambda m, b: (m.multipart(b"mixed", [*_files(m), m.text(b)], b), True),
    "mixed with message": lambda m, b: (m.multipart(b"mixed", [m.text(b), m.message()], b), True),
    "mixed of alternative": lambda m, b: (m.multipart(b"mixed", [_alternative(m, b), *_files(m)], b), True),
    "deep": lambda m, b: (_deep(m, b), True),
    "unheard of multipart": lambda m, b: (m.multipart(b"x-mix", [m.text(b), *_files(m)], b), True),
    "delivery report": lambda m, b: (_report(m, b), True),
    "calendar": lambda m, b: (m.calendar(), False),
    "files only": lambda m, b: (m.multipart(b"mixed", _files(m), b), False),
    "one file": lambda m, b: (m.file(b"application/pdf"), False),
    "mixed with a sham": lambda m, b: (m.multipart(b"mixed", [
        m.text(b), m.file(b"application/pkcs7-mime; smime-type=enveloped-data", b"smime.p7m")], b), True),
    "digest": lambda m, b: (m.multipart(b"digest", [CRLF + m.message()] * 18, b), False),
    "message in message": lambda m, b: (m.message(), False),
    "signed": lambda m, b: (_signed(m, b), False),
    "encrypted": lambda m, b: (m.multipart(b"encrypted", [m.file(), m.file()], b), False),
    "opaque": lambda m, b: (m.file(b"application/pkcs7-mime; smime-type=signed-data", b"smime.p7m"), False),
    "inline pgp": lambda m, b: (_pgp(m, b), False),
}  # fmt: skip
# Damage of the message as a whole, after which nobody can say where its text is.
FATAL = ("junk in header", "two content types", "unknown encoding")
EITHER = ("no last line end",)
DAMAGES = [
    "unclosed", "preamble", "epilogue", "padded delimiters", "broken boundary", "line feeds only",
    "unlabelled", "mislabelled", "unknown charset", "bad encoding", "byte order mark", "empty", "long",
    "no mime version", "forged fields", "mbox line", "no last line end", *FATAL,
]  # fmt: skip


def shape(number: int) -> Shape:
    """The message with this number, always the same."""
    return Maker(number).make()
