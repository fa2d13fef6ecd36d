"""QR codes in images: PNG, JPEG, GIF, WebP and BMP, the first frames of animated ones.

Shown as a mail program shows it: transparency on white, then on black; truncated files as far as
they go. No other bar codes: no messenger scans them. No recognition of letters.

**Standards:** ISO/IEC 18004 (QR code, by zxing-cpp).
**Failure:** never raises because of content; what could not be decoded is a miss of its carrier.
"""

import io
import warnings
from collections.abc import Iterator

import zxingcpp
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from milter.read.carried.budget import MAX_IMAGE_PIXELS
from milter.read.carried.carrier import Carrier

# No plug-in may be looked for at run time: a reader may not be able to read our files any more.
_PLUGINS = (BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
Image.preinit()
Image.MAX_IMAGE_PIXELS = 2 * MAX_IMAGE_PIXELS

# A code of the smallest version has 21 modules and a quiet zone around.
_MIN_SIDE = 60
# JPEG decodes to an eighth, a quarter or half at a fraction of the cost.
_DRAFT_SIDE = 1_200
_MAX_SEARCHED_PIXELS = 4_000_000
_MAX_FRAMES = 3
_MAX_CODES = 20
_TRANSPARENT_MODES = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})


def read_image(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier the payloads of all codes in an image."""
    if not carrier.budget.take_image():
        carrier.miss()
        return
    # What Pillow has to say about a picture nobody reads.
    with warnings.catch_warnings(action="ignore"):
        for is_lenient in (False, True):
            ImageFile.LOAD_TRUNCATED_IMAGES = is_lenient
            try:
                with Image.open(io.BytesIO(octets), formats=_FORMATS) as image:
                    _read_frames(image, carrier)
                return
            except Exception:  # decoders raise whatever they meet
                # Mail programs show what there is of a truncated picture: so do we, but say so.
                carrier.miss()


def find_codes(grey: Image.Image) -> list[str]:
    """The payloads of the QR codes in a grey image."""
    side = 1
    while grey.width * grey.height > _MAX_SEARCHED_PIXELS * side * side:
        side += 1
    found = zxingcpp.read_barcodes(
        grey.reduce(side) if side > 1 else grey,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        # A QR code is found at any angle without: this is for bar codes.
        try_rotate=False,
    )
    return [barcode.text for barcode in found[:_MAX_CODES]]


def _read_frames(image: Image.Image, carrier: Carrier) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > _MAX_FRAMES:
        carrier.miss()
    for number in range(min(frames, _MAX_FRAMES)):
        if number:
            image.seek(number)
        if min(image.size) < _MIN_SIDE:
            return
        image.draft("L", (_DRAFT_SIDE, _DRAFT_SIDE))
        if not carrier.budget.take_pixels(image.width * image.height):
            carrier.miss()
            return
        for grey in _as_shown(image):
            payloads = find_codes(grey)
            for payload in payloads:
                carrier.code(payload)
            if payloads:
                break


def _as_shown(image: Image.Image) -> Iterator[Image.Image]:
    if image.mode not in _TRANSPARENT_MODES and "transparency" not in image.info:
        yield image.convert("L")
        return
    layers = image.convert("RGBA").convert("LA")
    grey, alpha = layers.getchannel("L"), layers.getchannel("A")
    for background in (255, 0):
        shown = Image.new("L", grey.size, background)
        shown.paste(grey, mask=alpha)
        yield shown
        if alpha.getextrema() == (255, 255):
            return
