"""Images that HTML holds in itself, as data: URIs.

**Standards:** RFC 2397 (base64 form only; the other form is not used for images).
**Failure:** never raises; what is no base64 is left out.
"""

import binascii
import re
from urllib.parse import unquote_to_bytes

MAX_IMAGES = 10
_MAX_CHARS = 4_000_000
_DATA_URI = re.compile(
    r"data:image/[\w.+-]{1,40}(?:;[\w=-]{1,40}){0,3};base64,([A-Za-z0-9+/=_%\s-]++)", re.IGNORECASE
)


def images_in(html: str) -> tuple[bytes, ...]:
    """The octets of the first images within this HTML."""
    if ";base64," not in html and ";BASE64," not in html:
        return ()
    found: list[bytes] = []
    for match in _DATA_URI.finditer(html):
        encoded = unquote_to_bytes(match[1][:_MAX_CHARS])
        try:
            found.append(binascii.a2b_base64(encoded))
        except binascii.Error:
            continue
        if len(found) >= MAX_IMAGES:
            break
    return tuple(found)
