"""The text, links, notes and QR codes of a PDF.

Text and links of the first pages; of fewer pages, and only where something other than letters is
drawn, an image in which QR codes are looked for: a code may be one picture, many, or drawn by
lines. Files within the PDF and scripts are not looked into. Nothing is fetched or run. What
could keep PDFium busy for ever is read `aside`.

**Standards:** ISO 32000-1 §12.5 (annotations), §12.6.4.7 (URI actions), by PDFium.
**Failure:** never raises because of content; a PDF that needs a password, is broken, or has more
than the budget allows is a miss of its carrier.
"""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from milter.read.carried.aside import Lost, done_aside
from milter.read.carried.budget import Budget
from milter.read.carried.carrier import Carrier
from milter.read.carried.images import find_codes

MAX_TEXT_PAGES = 10
MAX_RENDERED_PAGES = 4
_MAX_PAGE_CHARS = 20_000
_MAX_ANNOTATIONS = 100
_MAX_STRING_OCTETS = 8_000
_MAX_OBJECTS = 2_000
# The longer side of a page as an image: 150 dots an inch on A4.
_RENDERED_SIDE = 1_754
# So many line segments may be rules and boxes; the smallest code drawn by lines has more.
_FEW_LINE_SEGMENTS = 200
# Annotations that draw nothing of their own.
_UNDRAWN = frozenset({pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP})
# Forms that draw forms, patterns and glyphs made of drawings grow without bound while PDFium gives
# no way to stop; two decoders are slow by design. Their names can also be disguised.
_MAY_RUN_AWAY = re.compile(
    rb"/Form\b|/Type3|/PatternType|/FunctionType\s*4|/JPXDecode|/JBIG2Decode"
    rb"|/Subtype\s+\d|/[A-Za-z0-9]*#[0-9A-Fa-f]{2}"
)


def read_pdf(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a PDF says, shows and leads to."""
    if not _MAY_RUN_AWAY.search(octets):
        _read_document(octets, carrier)
        return

    def work() -> bytes:
        _read_document(octets, apart)
        return apart.told()

    apart = carrier.apart()
    try:
        carrier.tell(done_aside(work, carrier.budget.take_aside()))
    except Lost:
        carrier.miss()


def _read_document(octets: bytes, carrier: Carrier) -> None:
    try:
        document = pdfium.PdfDocument(octets)
    except pdfium.PdfiumError:
        carrier.miss()
        return
    with closing(document):
        _read_pages(document, carrier)


def _read_pages(document: Any, carrier: Carrier) -> None:
    if len(document) > MAX_TEXT_PAGES or pdfium_c.FPDFDoc_GetAttachmentCount(document):
        carrier.miss()
    rendered = 0
    for number in range(min(len(document), MAX_TEXT_PAGES)):
        if not carrier.budget.take_page():
            carrier.miss()
            return
        try:
            page = document[number]
        except pdfium.PdfiumError:
            carrier.miss()
            continue
        with closing(page):
            _read_text(page, carrier)
            if not _draws_more_than_text(page):
                continue
            if rendered < MAX_RENDERED_PAGES and carrier.budget.take_rendering():
                rendered += 1
                _read_codes(page, carrier)
            else:
                carrier.miss()


def _read_text(page: Any, carrier: Carrier) -> None:
    try:
        text_page = page.get_textpage()
    except pdfium.PdfiumError:
        carrier.miss()
        return
    with closing(text_page):
        count = text_page.count_chars()
        if count > _MAX_PAGE_CHARS:
            carrier.miss()
        text = text_page.get_text_range(0, min(count, _MAX_PAGE_CHARS))
        carrier.say(text.replace("\r\n", "\n").replace("\ufffe", "").replace("\0", ""))
        for target, rectangle in _links(page):
            carrier.link(target, text_page.get_text_bounded(*rectangle) if rectangle else "")
    for note in _notes(page):
        carrier.say(note)


def _links(page: Any) -> Iterator[tuple[str, tuple[float, float, float, float] | None]]:
    """URI targets with the rectangle (left, bottom, right, top) that leads there."""
    position = ctypes.c_int(0)
    link = pdfium_c.FPDF_LINK()
    document = page.pdf
    for _ in range(_MAX_ANNOTATIONS):
        if not pdfium_c.FPDFLink_Enumerate(page, ctypes.byref(position), ctypes.byref(link)):
            return
        action = pdfium_c.FPDFLink_GetAction(link)
        target = _octets(partial(pdfium_c.FPDFAction_GetURIPath, document, action))
        if not target:
            continue
        box = pdfium_c.FS_RECTF()
        has_box = pdfium_c.FPDFLink_GetAnnotRect(link, ctypes.byref(box))
        rectangle = (box.left, box.bottom, box.right, box.top) if has_box else None
        yield target.rstrip(b"\0").decode("utf-8", "replace"), rectangle


def _notes(page: Any) -> Iterator[str]:
    """What annotations say: notes, free text, values of form fields."""
    for number in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        for key in (b"Contents", b"V"):
            octets = _octets(partial(_string_value, annotation, key))
            yield octets.decode("utf-16-le", "replace").rstrip("\0")
        pdfium_c.FPDFPage_CloseAnnot(annotation)


def _string_value(annotation: Any, key: bytes, buffer: Any, size: int) -> int:
    characters = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    return int(pdfium_c.FPDFAnnot_GetStringValue(annotation, key, characters, size))


def _octets(call: Callable[[Any, int], int]) -> bytes:
    """What a call of PDFium writes that tells the length first."""
    size = call(None, 0)
    if not 0 < size <= _MAX_STRING_OCTETS:
        return b""
    buffer = ctypes.create_string_buffer(size)
    call(buffer, size)
    return buffer.raw


def _draws_more_than_text(page: Any) -> bool:
    segments = 0
    for number in range(min(pdfium_c.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        drawn = pdfium_c.FPDFPage_GetObject(page, number)
        kind = pdfium_c.FPDFPageObj_GetType(drawn)
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            segments += max(0, pdfium_c.FPDFPath_CountSegments(drawn))
        elif kind != pdfium_c.FPDF_PAGEOBJ_TEXT:
            return True
        if segments >= _FEW_LINE_SEGMENTS:
            return True
    for number in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, number)
        kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
        pdfium_c.FPDFPage_CloseAnnot(annotation)
        if kind not in _UNDRAWN:
            return True
    return False


def _read_codes(page: Any, carrier: Carrier) -> None:
    width, height = page.get_size()
    if not (0 < width < 1e6 and 0 < height < 1e6):
        carrier.miss()
        return
    scale = _RENDERED_SIDE / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if not carrier.budget.take_pixels(size[0] * size[1]):
        carrier.miss()
        return
    bitmap = pdfium.PdfBitmap.new_native(*size, pdfium_c.FPDFBitmap_Gray)
    with closing(bitmap):
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        if not _render(page, bitmap, size, carrier.budget):
            carrier.miss()
        for payload in find_codes(bitmap.to_pil()):
            carrier.code(payload)


def _render(page: Any, bitmap: Any, size: tuple[int, int], budget: Budget) -> bool:
    """Draw a page until it is done or the time is over; says which."""
    pause = pdfium_c.IFSDK_PAUSE()
    pause.version = 1
    pdfium.internal.set_callback(pause, "NeedToPauseNow", lambda _: not budget.has_time())
    status = pdfium_c.FPDF_RenderPageBitmap_Start(
        bitmap, page, 0, 0, *size, 0, pdfium_c.FPDF_ANNOT, ctypes.byref(pause)
    )
    pdfium_c.FPDF_RenderPage_Close(page)
    return bool(status == pdfium_c.FPDF_RENDER_DONE)
