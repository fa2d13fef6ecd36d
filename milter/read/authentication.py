"""Which Authentication-Results fields to believe, and which are forged.

Believes only listed authserv-ids, only in the part of the header that our own house wrote: walking
down from the top, that part ends at the first Received field by which one of our hosts took the
mail from a foreign one. What stands below it may have been written by the sender. A Received field
is passed only if the host it names was verified by the writer (not the HELO name) and is ours: its
name matches a listed authserv-id or an own domain, or it is a loopback address. For a file the
same holds: `--trust-authserv-id` is the operator's word for fields on top of it. In role mx nothing
in the message was written by us, so nothing is believed.

**Standards:** RFC 8601 §2.2 (syntax), §5 (removal of forged fields), RFC 5321 §4.4 (Received).
**Failure:** never raises; a field that cannot be parsed is not believed.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from milter.authentication.results import MAX_RESULTS, authserv_id, parse_results
from milter.mail.message import Header, HeaderField, field_value
from milter.mail.own_fields import RESULTS, is_own_field
from milter.mail.reading import AuthResult, Facts

MAX_FIELD_BYTES = 8_000

# "from HELO (verified [address])", "from verified ([address])", "from verified (address)".
_RECEIVED_FROM = re.compile(
    r"\s*from\s+(?P<helo>\S+)\s*(?:\((?P<inside>[^()]{0,300})(?P<nested>\()?)?", re.IGNORECASE
)
_ADDRESS = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Believed results, and how many fields only claim to be ours."""

    results: tuple[AuthResult, ...] = ()
    forged_fields: int = 0


def read_authentication(raw: bytes, header: Header, facts: Facts) -> Authentication:
    """Read the trace fields of a header from the top down."""
    forged = 0
    believed: list[AuthResult] = []
    is_ours = facts.role != "mx" and bool(facts.trusted_authserv_ids)
    for field in header.fields:
        octets = raw[field.value_start : field.end]
        if is_own_field(field.name, octets, facts.own_authserv_id):
            forged += 1
        elif is_ours and field.name == RESULTS:
            value = _text(raw, field)
            if _is_listed(authserv_id(value), facts) and len(believed) < MAX_RESULTS:
                believed.extend(parse_results(value))
        elif is_ours and field.name == b"received":
            is_ours = _is_from_our_house(_text(raw, field), facts)
    return Authentication(results=tuple(believed[:MAX_RESULTS]), forged_fields=forged)


def _is_listed(authserv_id: str, facts: Facts) -> bool:
    return any(fnmatchcase(authserv_id, pattern.lower()) for pattern in facts.trusted_authserv_ids)


def _is_from_our_house(received: str, facts: Facts) -> bool:
    """Did one of our hosts take the mail from another one of ours?"""
    found = _RECEIVED_FROM.match(received)
    if found is None or not (found["inside"] or "").strip() or found["nested"]:
        # Sendmail adds "(may be forged)" within the parentheses.
        return False
    address = _ADDRESS.search(found["inside"])
    if address and _LOOPBACK.fullmatch(address[1]):
        return True
    # The name in front of the address is the one that the writer looked up; Exim puts it before
    # the parenthesis instead.
    name = found["inside"].split()[0]
    if name.startswith("["):
        name = found["helo"]
    name = name.lower().rstrip(".")
    if any(name == domain or name.endswith("." + domain) for domain in facts.own_domains):
        return True
    # A pattern that fits every name says nothing about a host.
    patterns = [pattern for pattern in facts.trusted_authserv_ids if pattern.strip("*?.")]
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


def _text(raw: bytes, field: HeaderField) -> str:
    bounded = field._replace(end=min(field.end, field.value_start + MAX_FIELD_BYTES))
    return field_value(raw, bounded).decode("utf-8", "replace")
