"""Messages whose every offset is known because the test itself lays them out.

The claims that a reader would make (`EditSite`) come from the layout, not from code under test.
"""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path

from milter.act.banner import Banner, BannerLevel, Reason, make_banner
from milter.act.banner_texts import BannerTexts, parse_banner_texts
from milter.act.render import EditPlan, Rendered, render
from milter.mail.edit import BannerOutcome
from milter.mail.message import scan_header
from milter.mail.reading import EditSite

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "config" / "banners.toml").read_text(encoding="utf-8")
TEXTS: BannerTexts = parse_banner_texts(SHIPPED)
TOKEN = "0123456789ab"
CRLF = b"\r\n"


def banner(
    language: str = "en",
    *,
    level: BannerLevel = BannerLevel.NOTICE,
    seen: str = "",
    contact: str = "help@example.org",
    report_url: str = "",
) -> Banner:
    return make_banner(
        level=level,
        language=language,
        reasons=(Reason(topic="channel", seen=seen), Reason(topic="client")),
        texts=TEXTS,
        contact=contact,
        report_url=report_url,
        sign=lambda _words: TOKEN,
    )


@dataclass(frozen=True)
class Leaf:
    """A part laid out in octets; `insert` counts in the body, or decoded octets for base64."""

    fields: bytes
    body: bytes
    kind: str = ""
    encoding: str = "7bit"
    charset: str = "us-ascii"
    insert: int = 0


@dataclass(frozen=True)
class Multipart:
    """Children between delimiters; `fields` without the Content-Type field."""

    subtype: bytes
    boundary: bytes
    children: tuple["Leaf | Multipart", ...]
    fields: bytes = b""
    preamble: bytes = b""
    epilogue: bytes = b""
    closed: bool = True
    padding: bytes = b""


@dataclass(frozen=True)
class Laid:
    """Octets and the claims about them."""

    raw: bytes
    claims: tuple[EditSite, ...] = field(default=())


def lay(node: Leaf | Multipart, *, path: str = "", line_end: bytes = CRLF) -> Laid:
    """Octets of a part with its header, and claims relative to its first octet."""
    if isinstance(node, Leaf):
        header_end = len(node.fields)
        body_start = header_end + len(line_end)
        raw = node.fields + line_end + node.body
        if not node.kind:
            return Laid(raw)
        claim = EditSite(
            part=path or "1",
            kind=node.kind,
            encoding=node.encoding,
            charset=node.charset,
            body_start=body_start,
            body_end=len(raw),
            insert_at=node.insert if node.encoding == "base64" else body_start + node.insert,
            header_end=header_end,
        )
        return Laid(raw, (claim,))
    boundary = b'Content-Type: multipart/%b;%b boundary="%b"' % (
        node.subtype,
        line_end,
        node.boundary,
    )
    raw = node.fields + boundary + line_end + line_end + node.preamble
    claims: list[EditSite] = []
    for number, child in enumerate(node.children, start=1):
        raw += line_end + b"--" + node.boundary + node.padding + line_end
        laid = lay(child, path=f"{path}.{number}" if path else str(number), line_end=line_end)
        claims += (moved(claim, len(raw)) for claim in laid.claims)
        raw += laid.raw
    if node.closed:
        raw += line_end + b"--" + node.boundary + b"--" + line_end + node.epilogue
    return Laid(raw, tuple(claims))


def moved(claim: EditSite, offset: int) -> EditSite:
    return replace(
        claim,
        header_end=claim.header_end + offset,
        body_start=claim.body_start + offset,
        body_end=claim.body_end + offset,
        insert_at=claim.insert_at + (0 if claim.encoding == "base64" else offset),
    )


TOP = (
    b"Received: from mail.example.net by mx.example.org; Wed, 25 Nov 2026 08:00:00 +0000\r\n"
    b'From: "Rosa Linden" <rosa@example.net>\r\n'
    b"To: staff@example.org\r\n"
    b"Subject: A small study\r\n"
    b"MIME-Version: 1.0\r\n"
)


def content(
    media: bytes, charset: bytes = b"", encoding: bytes = b"", *, line_end: bytes = CRLF
) -> bytes:
    """Content fields of a part."""
    value = media + (b"; charset=" + charset if charset else b"")
    fields = b"Content-Type: " + value + line_end
    if encoding:
        fields += b"Content-Transfer-Encoding: " + encoding + line_end
    return fields


def plain(
    text: str,
    *,
    charset: str = "us-ascii",
    encoding: str = "7bit",
    top: bytes = b"",
    width: int = 76,
    label: bytes | None = None,
) -> Leaf:
    body = encoded(text.encode(charset), encoding, width)
    fields = top + content(b"text/plain", label or charset.encode(), encoding.encode())
    return Leaf(fields, body, kind="text", encoding=encoding, charset=charset)


def html(
    before: str,
    after: str,
    *,
    charset: str = "utf-8",
    encoding: str = "8bit",
    top: bytes = b"",
    width: int = 76,
) -> Leaf:
    """An HTML part whose banner belongs between `before` and `after`."""
    head, tail = before.encode(charset), after.encode(charset)
    fields = top + content(b"text/html", charset.encode(), encoding.encode())
    if encoding == "base64":
        body, insert = encoded(head + tail, encoding, width), len(head)
    elif encoding == "quoted-printable":
        first = quoted(head, width)
        body, insert = first + quoted(tail, width, used=column(first)), len(first)
    else:
        body, insert = head + tail, len(head)
    return Leaf(fields, body, kind="html", encoding=encoding, charset=charset, insert=insert)


def encoded(octets: bytes, encoding: str, width: int = 76) -> bytes:
    if encoding == "base64":
        characters = b64encode(octets)
        lines = [characters[start : start + width] for start in range(0, len(characters), width)]
        return b"".join(line + CRLF for line in lines)
    if encoding == "quoted-printable":
        return quoted(octets, width)
    return octets


def column(octets: bytes) -> int:
    return len(octets) - octets.rfind(b"\n") - 1


def quoted(octets: bytes, width: int = 76, used: int = 0) -> bytes:
    """Quoted-printable with a soft break wherever a line reaches `width`; own code, not ours."""
    out = b""
    position = 0
    while position < len(octets):
        if octets.startswith(CRLF, position):
            out, used, position = out + CRLF, 0, position + 2
            continue
        octet = octets[position : position + 1]
        at_end = octets.startswith(CRLF, position + 1) or position + 1 == len(octets)
        literal = octet == b"\t" or (octet.isascii() and octet.decode("latin-1").isprintable())
        if octet == b"=" or not literal or (octet in b" \t" and at_end):
            octet = b"=%02X" % octet[0]
        if used + len(octet) > width - 1:
            out, used = out + b"=" + CRLF, 0
        out, used, position = out + octet, used + len(octet), position + 1
    return out


def edit_plan(laid: Laid, banner_value: Banner | None = None, **changes: object) -> EditPlan:
    plan = EditPlan(
        header=scan_header(laid.raw),
        line_end=CRLF,
        banner=banner_value or banner(),
        sites=laid.claims,
        no_banner=BannerOutcome.NO_SITE,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def rendered(laid: Laid, banner_value: Banner | None = None) -> Rendered:
    return render(laid.raw, edit_plan(laid, banner_value))
