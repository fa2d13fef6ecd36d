"""Tag lists: `v=1; a=rsa-sha256; ...`, the form of signatures, seals and key records.

Strict where the standard is: a list that is not well formed, or names a tag twice, is no list at
all. Refuses to know any tag.

**Standards:** RFC 6376 §3.2 (form; names are case-sensitive), RFC 8616 (UTF-8 in values).
**Failure:** never raises; what is no tag list is None.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error

# A signature has a dozen. Thousands would make the front, which looks for keys, slow.
_MAX_TAGS = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Between FWS: VALCHAR, and for RFC 8616 everything above ASCII but its control characters.
_NO_VALUE = re.compile(r"[^\t\n\r !-:<-~\xa0-\U0010ffff]")
_WHITE = re.compile(r"[ \t\r\n]+")

Tags = dict[str, str]


def parse_tags(octets: bytes) -> Tags | None:
    """Names and values without surrounding white space, or None where this is no tag list."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if text.count(";") > _MAX_TAGS or _NO_VALUE.search(text.replace(";", "")):
        return None
    specs = text.split(";")
    if len(specs) > 1 and not specs[-1].strip(" \t\r\n"):
        specs.pop()
    tags: Tags = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(" \t\r\n")
        if not equals or name in tags or not _NAME.fullmatch(name):
            return None
        tags[name] = value.strip(" \t\r\n")
    return tags


def without_white(value: str) -> str:
    """The value without the white space that folding may have left in it."""
    return _WHITE.sub("", value)


def decode_base64(value: str) -> bytes | None:
    """The octets of a base64 value (white space is ignored), None where it is none or empty."""
    try:
        return b64decode(without_white(value), validate=True) or None
    except (Base64Error, ValueError):
        return None


def without_signature(value: bytes) -> bytes:
    """The raw value of a field with the value of its b= tag deleted, white space and all.

    RFC 6376 §3.7: "including all surrounding whitespace"; so up to the next semicolon.
    """
    specs = value.split(b";")
    for number, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip(b" \t\r\n") == b"b":
            specs[number] = name + equals
            break
    return b";".join(specs)
