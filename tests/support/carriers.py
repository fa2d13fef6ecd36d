"""Files that hold a contact, made for tests: pictures with QR codes, PDF, office files, cards, mail.

Everything is made from its octets here; nothing is a copy of a real file.
"""

import base64
import io
import random
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from xml.sax.saxutils import escape, quoteattr

import zxingcpp
from PIL import Image

from milter.mail.finding import Source
from milter.read.carried.budget import Budget
from milter.read.carried.carrier import Carried
from milter.read.carried.reader import File, read_carried

COVER = (
    "Dear colleague,\r\n\r\nI came across your profile on LinkedIn. We would pay for a short paper on"
    " your field.\r\nPlease add me, my contact is attached.\r\n\r\nKind regards\r\nMira\r\n"
)
HTML_COVER = f"<p>{COVER.replace(chr(13), '').strip().replace(chr(10), '<br>')}</p>"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def mail(*attachments: tuple[bytes, str, str], text: str = COVER, html: str = "") -> bytes:
    """A mail with files: octets, media type, file name. A name that begins with `cid:` is inline."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Mira <mira@example.net>"
    message["To"] = "someone@example.org"
    message["Subject"] = "A question about your field"
    message["Message-ID"] = "<carried@example.net>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for octets, media_type, name in attachments:
        main, _, sub = media_type.partition("/")
        if name.startswith("cid:"):
            related = message.get_payload()[-1]
            assert isinstance(related, EmailMessage)
            related.add_related(octets, main, sub, cid=f"<{name[4:]}>", disposition="inline")
        else:
            message.add_attachment(octets, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def raw_mail(*parts: str, text: str = COVER) -> bytes:
    """A mail whose further parts are given as they are, header and all."""
    body = "".join(f"--b\r\n{part}\r\n" for part in (f"\r\n{text}", *parts))
    return (
        "From: Mira <mira@example.net>\r\nTo: someone@example.org\r\nSubject: A question\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n"
    ).encode()


def code_image(payload: str, *, scale: int = 4) -> Image.Image:
    """A QR code with its quiet zone."""
    barcode = zxingcpp.create_barcode(payload, zxingcpp.BarcodeFormat.QRCode)
    modules = barcode.to_image(scale=scale)
    height, width = modules.shape
    return Image.frombytes("L", (width, height), bytes(modules))


def picture(payload: str, kind: str = "PNG", *, size: int = 0, angle: int = 0) -> bytes:
    """A picture with a QR code, alone or on a larger grey one."""
    code = code_image(payload)
    if angle:
        code = code.rotate(angle, expand=True, fillcolor=255)
    if size:
        large = Image.new("L", (size, size), 200)
        large.paste(code, (size // 3, size // 4))
        code = large
    return encoded(code, kind)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """An image as a file."""
    octets = io.BytesIO()
    image.convert("RGB").save(octets, kind)
    return octets.getvalue()


def data_uri(octets: bytes) -> str:
    """An HTML image that holds itself."""
    return f'<img src="data:image/png;base64,{base64.b64encode(octets).decode()}">'


def pdf(
    lines: list[str],
    *,
    links: Mapping[str, str] | None = None,
    code: str = "",
    drawn: bool = False,
    pages_before: int = 0,
) -> bytes:
    """A PDF with lines of text, links (target by shown line) and a code, as picture or drawn."""
    content = ["BT /F1 12 Tf 60 780 Td 16 TL"]
    content += [f"({_pdf_escaped(line)}) Tj T*" for line in lines]
    content.append("ET")
    image = b""
    if code and drawn:
        content += _drawn(code)
    elif code:
        grey = code_image(code, scale=3)
        image = (
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray"
            b"/BitsPerComponent 8/Length %d>>stream\n%s\nendstream"
            % (*grey.size, len(grey.tobytes()), grey.tobytes())
        )
        content.append("q 120 0 0 120 60 300 cm /I1 Do Q")
    annotations = " ".join(
        f"<</Type/Annot/Subtype/Link/Rect[55 {772 - 16 * lines.index(shown)} 400 "
        f"{792 - 16 * lines.index(shown)}]/A<</S/URI/URI({_pdf_escaped(target)})>>>>"
        for shown, target in (links or {}).items()
    )
    stream = "\n".join(content).encode("latin-1")
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R/Resources<</Font<</F1 4 0 R>>{}>>{}>>"
    blank = page.format(8, "", "")
    xobject = "/XObject<</I1 7 0 R>>" if image else ""
    full = page.format(5, xobject, f"/Annots[{annotations}]" if annotations else "")
    kids = " ".join([*["6 0 R"] * pages_before, "3 0 R"])
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Kids[{kids}]/Count {pages_before + 1}>>".encode(),
            full.encode("latin-1"),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
            blank.encode(),
            image or b"null",
            b"<</Length 0>>stream\n\nendstream",
        ]
    )


def pdf_of(objects: list[bytes], *, trailer: str = "") -> bytes:
    """A PDF of numbered objects; the first is the catalogue."""
    octets = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(octets))
        octets += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(octets)
    octets += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    octets += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    octets += (
        f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n"
    ).encode()
    return bytes(octets)


def repeated_form(levels: int = 6) -> bytes:
    """A page whose forms draw each other, ten times more on each level."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        b"<</Length 4>>stream\n/F Do\nendstream",
    ]
    for level in range(levels):
        inner = (
            b"/F Do " * 10 if level < levels - 1 else b"0 0 500 500 re f 9 9 m 400 700 l S " * 50
        )
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</F %d 0 R>>>>"
            b"/Length %d>>stream\n%s\nendstream" % (6 + level, len(inner), inner)
        )
    return pdf_of(objects)


def _pdf_escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _drawn(code: str) -> list[str]:
    grey = code_image(code, scale=1)
    dark = [
        (x, y) for y in range(grey.height) for x in range(grey.width) if not grey.getpixel((x, y))
    ]
    return ["0 g", *(f"{60 + 4 * x} {500 - 4 * y} 4 4 re f" for x, y in dark)]


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """A zip archive."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return octets.getvalue()


def tarred(entries: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w", format=form) as archive:
        for name, content in entries.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return octets.getvalue()


def relations(targets: Mapping[str, str]) -> str:
    """The relations of a part: external hyperlinks by identifier."""
    rows = "".join(
        f'<Relationship Id="{identifier}" Type="{RELATIONS}/hyperlink" Target={quoteattr(target)}'
        ' TargetMode="External"/>'
        for identifier, target in targets.items()
    )
    return f'<?xml version="1.0"?><Relationships xmlns="x">{rows}</Relationships>'


def docx(
    text: str, *, link: tuple[str, str] | None = None, part: str = "document", image: bytes = b""
) -> bytes:
    """A Word file; `link` is target and shown text."""
    words = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in text.split("\n"))
    if link:
        words += f'<w:p><w:hyperlink r:id="rId9"><w:r><w:t>{escape(link[1])}</w:t></w:r></w:hyperlink></w:p>'
    body = f'<?xml version="1.0"?><w:document xmlns:w="w" xmlns:r="r"><w:body>{words}</w:body></w:document>'
    empty = '<?xml version="1.0"?><w:document xmlns:w="w"><w:p/></w:document>'
    entries: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": body if part == "document" else empty,
        f"word/{part}.xml": body,
        "word/styles.xml": "<w:styles/>",
    }
    if link:
        entries[f"word/_rels/{part}.xml.rels"] = relations({"rId9": link[0]})
    if image:
        entries["word/media/image1.png"] = image
    return zipped(entries)


def xlsx(text: str, *, link: tuple[str, str] | None = None, inline: bool = False) -> bytes:
    """An Excel file with its text among the shared strings or in the cell."""
    cell = (
        f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'
        if inline
        else '<c t="s"><v>0</v></c>'
    )
    shared = "" if inline else f"<si><t>{escape(text)}</t></si>"
    sheet = f'<worksheet xmlns:r="r"><sheetData><row>{cell}</row></sheetData>'
    if link:
        sheet += f'<hyperlinks><hyperlink ref="A1" r:id="rId1" display={quoteattr(link[1])}/></hyperlinks>'
    entries: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": "<workbook/>",
        "xl/sharedStrings.xml": f"<sst>{shared}</sst>",
        "xl/worksheets/sheet1.xml": f"{sheet}</worksheet>",
    }
    if link:
        entries["xl/worksheets/_rels/sheet1.xml.rels"] = relations({"rId1": link[0]})
    return zipped(entries)


def pptx(text: str, *, link: tuple[str, str] | None = None) -> bytes:
    """A PowerPoint file."""
    run = f"<a:r><a:t>{escape(text)}</a:t></a:r>"
    if link:
        run += f'<a:r><a:rPr><a:hlinkClick r:id="rId2"/></a:rPr><a:t>{escape(link[1])}</a:t></a:r>'
    entries: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "ppt/slides/slide1.xml": f'<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r"><a:p>{run}</a:p></p:sld>',
    }
    if link:
        entries["ppt/slides/_rels/slide1.xml.rels"] = relations({"rId2": link[0]})
    return zipped(entries)


def odt(text: str, *, link: tuple[str, str] | None = None) -> bytes:
    """An OpenDocument text."""
    words = f"<text:p>{escape(text)}</text:p>"
    if link:
        words += (
            f"<text:p><text:a xlink:href={quoteattr(link[0])}>{escape(link[1])}</text:a></text:p>"
        )
    spaces = 'xmlns:text="t" xmlns:xlink="x" xmlns:office="o"'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document {spaces}>{words}</office:document>",
        }
    )


def calendar(*lines: str) -> bytes:
    """A calendar with one event."""
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:1@example.net",
            "DTSTART:20261201T090000Z", *lines, "END:VEVENT", "END:VCALENDAR", "",
        ]
    ).encode()  # fmt: skip


def card(*lines: str, version: str = "3.0") -> bytes:
    """A card of one person."""
    return "\r\n".join(
        [
            "BEGIN:VCARD",
            f"VERSION:{version}",
            "N:Kovac;Mira;;;",
            "FN:Mira Kovac",
            *lines,
            "END:VCARD",
            "",
        ]
    ).encode()


def attached_message(text: str, *attachments: tuple[bytes, str, str]) -> bytes:
    """Another mail, as a file."""
    return mail(*attachments, text=text)


def read_file(
    octets: bytes,
    name: str = "",
    media_type: str = "application/octet-stream",
    *,
    budget: Budget | None = None,
) -> Carried:
    """What the reader of attachments makes of one file."""
    return read_carried(
        [File(octets, media_type, name)],
        part="2",
        source=Source.ATTACHMENT,
        budget=budget or Budget.of_message(),
    )


def said(carried: Carried, source: Source = Source.ATTACHMENT) -> str:
    """The text of one source."""
    return "".join(segment.text for segment in carried.segments if segment.source is source)


def targets(carried: Carried) -> list[tuple[str, str]]:
    """Where it leads, and the text shown for it."""
    return [(link.target, link.shown) for link in carried.links]


def damaged(octets: bytes, chance: random.Random) -> bytes:
    """The file with some of its octets changed or left out."""
    changed = bytearray(octets)
    for _ in range(chance.choice((1, 4, 20))):
        at = chance.randrange(len(changed))
        if chance.random() < 0.7:
            changed[at] = chance.randrange(256)
        else:
            del changed[at : at + chance.randrange(1, 30)]
    return bytes(changed)
