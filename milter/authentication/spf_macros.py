"""Macros in SPF records: what a domain-spec becomes for this client and this sender.

Standards: RFC 7208 §7.3 (transformers, escapes, truncation at the left), RFC 8616 §4 (a local part
beyond ASCII: the term never matches).
Failure: `NoSuchName` where the expansion can be no name in the DNS.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from milter.authentication.spf_record import MACRO

MAX_NAME = 253
_MAX_LABEL = 63
_ENOUGH = 2 * MAX_NAME
_PLAIN = {"%": "%", "_": " ", "-": "%20"}


class NoSuchName(Exception):
    """The expansion is no domain name: the mechanism cannot match."""


def expand(spec: str, value_of: Callable[[str], str]) -> str:
    """The name (lower case, no final dot) that `spec` means; `value_of` gives a letter's value."""
    name, end = "", len(spec)
    for macro in reversed(list(MACRO.finditer(spec))):
        if len(name) > _ENOUGH:
            return checked_name(_shortened(name))  # what stands further left would be cut off
        value = _PLAIN[macro[5]] if macro[5] else _transformed(macro, value_of)
        name = value + spec[macro.end() : end] + name
        end = macro.start()
    return checked_name(_shortened(spec[:end] + name))


def checked_name(name: str) -> str:
    """The name in lower case without its final dot; raises NoSuchName."""
    plain = name.removesuffix(".").lower()
    labels = plain.split(".")
    if len(plain) > MAX_NAME or not plain.isascii():
        raise NoSuchName
    if any(not label or len(label) > _MAX_LABEL for label in labels):
        raise NoSuchName
    return plain


def dotted_address(address: IPv4Address | IPv6Address) -> str:
    """The `i` macro: the address, or its nibbles with dots between."""
    if address.version == 4:
        return str(address)
    return ".".join(address.exploded.replace(":", ""))


def _transformed(macro: re.Match[str], value_of: Callable[[str], str]) -> str:
    letter, digits, reverse, delimiters = macro[1], macro[2], macro[3], macro[4] or "."
    value = value_of(letter.lower())
    for delimiter in delimiters:
        value = value.replace(delimiter, "\0")
    parts = value.split("\0")
    if reverse:
        parts.reverse()
    if digits:
        parts = parts[-int(digits[:9]) :]
    joined = ".".join(parts)
    return quote(joined, safe="") if letter.isupper() else joined


def _shortened(name: str) -> str:
    """Labels are left out from the left until the name fits (§7.3)."""
    name = name.removesuffix(".")
    if len(name) <= MAX_NAME:
        return name
    # One character more shows whether the rest begins with a whole label.
    return name[-MAX_NAME - 1 :].partition(".")[2]
