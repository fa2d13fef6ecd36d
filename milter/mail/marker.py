"""The keyed marker by which our own banner is known again.

`act` writes it, `read` looks for it. It signs the words of the banner, so whoever sees one in a
quoted reply cannot put other words under it. A banner whose words do not fit its marker is a
foreign copy: text like any other.
"""

import hashlib
import hmac
import re

MARKER = re.compile(r"(?:\b|_)lw[-:]([0-9a-f]{12})\b")
"""The class `lw-TOKEN` of an HTML banner, and what the last line of a text banner holds."""

# How a mail program wraps and quotes must not matter.
_LAYOUT = re.compile(r"[\s>]+")


def banner_token(key: bytes, words: str) -> str:
    """Twelve hexadecimal digits over the words; only the holder of the key can make them."""
    signed = _LAYOUT.sub("", words).encode("utf-8", "replace")
    return hmac.new(key, b"banner\0" + signed, hashlib.sha256).hexdigest()[:12]


def is_own_banner(key: bytes, token: str, words: str) -> bool:
    """True if the words under a marker are ours."""
    return hmac.compare_digest(token, banner_token(key, words))
