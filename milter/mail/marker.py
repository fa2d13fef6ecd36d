"""The keyed marker by which our own banner is known again.

`act` writes it, `read` looks for it. A banner without the right token is a foreign copy: it is
text like any other.
"""

import hashlib
import hmac


def own_banner_token(key: bytes) -> str:
    """Twelve hexadecimal digits that only the holder of the key can make.

    HTML banners carry it as the class `lw-TOKEN`, text banners as `[lw:TOKEN]` on their last line.
    """
    return hmac.new(key, b"banner", hashlib.sha256).hexdigest()[:12]
