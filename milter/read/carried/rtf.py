"""The text and links of a Rich Text file.

striprtf gives the text but drops the targets of links: they are taken from the field instructions.

**Standards:** Rich Text Format 1.9.1 (fields).
**Failure:** never raises because of content; a file that the library cannot follow is a miss.
"""

import re
from collections.abc import Callable
from functools import partial

from striprtf.striprtf import rtf_to_text

from milter.read.carried.carrier import Carrier

_to_text: Callable[[str], str] = partial(rtf_to_text, errors="ignore")
_MAX_OCTETS = 1_000_000
_HYPERLINK = re.compile(r"HYPERLINK\s{1,5}\"([^\"]{1,2000})\"")
# Outlook keeps the tags of the HTML that a text was made from.
_HREF = re.compile(r"href=\"([^\"{}]{1,2000})\"", re.IGNORECASE)
_PICTURE = re.compile(r"\\(?:png|jpeg)blip([^{}]{100,2000000})")
_CONTROL = re.compile(r"\\[a-z]{1,20}-?\d{0,9} ?|[^0-9a-fA-F]+")


def read_rtf(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a Rich Text file says, shows and leads to."""
    source = octets.decode("latin-1")
    for picture in _PICTURE.findall(source)[:20]:
        digits = _CONTROL.sub("", picture)
        carrier.inner(bytes.fromhex(digits[: len(digits) // 2 * 2]), "", "")
    source = _PICTURE.sub("", source)
    if len(source) > _MAX_OCTETS:
        source = source[:_MAX_OCTETS]
        carrier.miss()
    try:
        carrier.say(_to_text(source))
    except Exception:  # the library indexes into whatever it meets
        carrier.miss()
    for target in (_HYPERLINK.findall(source) + _HREF.findall(source))[:200]:
        carrier.link(target)
