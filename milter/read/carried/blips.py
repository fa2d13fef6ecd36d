"""The pictures in the drawings of old Office files.

Looked for by the first octets of PNG and JPEG behind the header of a picture record, wherever that
stands: the three programs keep such records in three ways. Metafiles are not looked into.

**Standards:** MS-ODRAW §2.2.23 (OfficeArtBlip), §2.2.27 (JPEG), §2.2.28 (PNG).
**Failure:** never raises.
"""

import struct
from collections.abc import Iterator

MAX_PICTURES = 40
_MAX_TRIALS = 10_000
_PICTURES = {b"\x89PNG\r\n\x1a\n": {0xF01E}, b"\xff\xd8\xff": {0xF01D, 0xF02A}}
_HEADER_OCTETS = 8
# One or two sums of the picture, and a tag.
_BEFORE = (17, 33)


def pictures_in(octets: bytes) -> Iterator[bytes]:
    """The pictures in records of a stream, the first of them."""
    found = 0
    for magic, kinds in _PICTURES.items():
        at = -1
        for _ in range(_MAX_TRIALS):
            at = octets.find(magic, at + 1)
            if at < 0 or found >= MAX_PICTURES:
                break
            for before in _BEFORE:
                start = at - before - _HEADER_OCTETS
                if start < 0:
                    continue
                _, kind, length = struct.unpack_from("<2HI", octets, start)
                if kind in kinds and length > before:
                    found += 1
                    yield octets[at : at + length - before]
                    break
