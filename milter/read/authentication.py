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
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from milter.mail.message import Header, HeaderField, field_value
from milter.mail.reading import AuthResult, Facts

MAX_FIELD_BYTES = 8_000
MAX_FIELDS = 20
MAX_RESULTS = 60
MAX_PROPERTIES = 20

_FIELD_NAME = b"authentication-results"
_OWN_PREFIX = b"x-lurewall-"

# Tokens of RFC 8601: comments and quoted strings first, so that what they hold counts for nothing.
_TOKEN = re.compile(
    r"\"([^\"\\]*+(?:\\.?[^\"\\]*+)*+)\"?+|(\((?:[^()\\]|\\.)*+\))|([=;])|([^\s=;()\"]++)|([()\"])",
    re.DOTALL,
)
_PROPERTY_NAME = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\.([A-Za-z0-9][A-Za-z0-9_-]*)")
# "from HELO (verified [address])", "from verified ([address])", "from verified (address)".
_RECEIVED_FROM = re.compile(
    r"\s*from\s+(?P<helo>\S+)\s*(?:\((?P<inside>[^()]{0,300})(?P<more>\()?)?", re.IGNORECASE
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
    own_id = facts.own_authserv_id.lower()
    fields = 0
    for field in header.fields:
        if field.name == _FIELD_NAME:
            value = _text(raw, field)
            authserv_id = _authserv_id(value)
            if own_id and authserv_id == own_id:
                forged += 1
            elif is_ours and fields < MAX_FIELDS and _is_listed(authserv_id, facts):
                fields += 1
                believed.extend(parse_results(value))
        elif field.name == b"received":
            is_ours = is_ours and _is_from_our_house(_text(raw, field), facts)
        elif field.name.startswith(_OWN_PREFIX):
            forged += 1
    return Authentication(results=tuple(believed[:MAX_RESULTS]), forged_fields=forged)


def parse_results(value: str) -> tuple[AuthResult, ...]:
    """The results of one field value; an unparsable resinfo is left out."""
    authserv_id = _authserv_id(value)
    results: list[AuthResult] = []
    for number, tokens in enumerate(_clauses(value)):
        if number == 0 or len(tokens) < 3 or tokens[1] != ("=", False):
            continue
        method = tokens[0][0].partition("/")[0].lower()
        result = tokens[2][0].lower()
        if not method or not result.isalpha():
            continue
        reason, properties = _details(tokens[3:])
        results.append(
            AuthResult(
                method=method,
                result=result,
                authserv_id=authserv_id,
                reason=reason,
                properties=properties,
            )
        )
        if len(results) >= MAX_RESULTS:
            break
    return tuple(results)


_Token = tuple[str, bool]


def _clauses(value: str) -> Iterator[list[_Token]]:
    """The parts between semicolons as tokens (text, is quoted), without comments."""
    tokens: list[_Token] = []
    depth = 0
    for match in _TOKEN.finditer(value):
        quoted, comment, mark, word, stray = match.groups()
        if stray in {"(", ")"}:
            # Nested comments: what the expression cannot match as a whole is counted.
            depth = max(depth + (1 if stray == "(" else -1), 0)
        elif depth or comment or stray:
            continue
        elif mark == ";":
            yield tokens
            tokens = []
        elif quoted is not None:
            tokens.append((re.sub(r"\\(.)", r"\1", quoted), True))
        else:
            tokens.append((mark or word, False))
    if tokens:
        yield tokens


def _details(tokens: list[_Token]) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Reason and properties that follow `method=result`."""
    reason = ""
    properties: list[tuple[str, str, str]] = []
    for at in range(len(tokens) - 2):
        if tokens[at + 1] != ("=", False) or tokens[at][1]:
            continue
        name, value = tokens[at][0], tokens[at + 2][0]
        if name.lower() == "reason":
            reason = value[:200]
        elif (found := _PROPERTY_NAME.fullmatch(name)) and len(properties) < MAX_PROPERTIES:
            properties.append((found[1].lower(), found[2].lower(), value[:255]))
    return reason, tuple(properties)


def _authserv_id(value: str) -> str:
    """The first token (RFC 8601 §2.2; a version may follow it)."""
    first = next(_clauses(value), [])
    return first[0][0].lower() if first else ""


def _is_listed(authserv_id: str, facts: Facts) -> bool:
    return any(fnmatchcase(authserv_id, pattern.lower()) for pattern in facts.trusted_authserv_ids)


def _is_from_our_house(received: str, facts: Facts) -> bool:
    """Did one of our hosts take the mail from another one of ours?"""
    found = _RECEIVED_FROM.match(received)
    if found is None or found["inside"] is None or "forged" in found["inside"].lower():
        return False
    inside = found["inside"].split()
    address = _ADDRESS.search(found["inside"])
    if address and _LOOPBACK.fullmatch(address[1]):
        return True
    # The name in front of the address is the one that the writer looked up; only where nothing
    # stands there (Exim, Exchange) the name before the parenthesis is.
    name = found["helo"] if not inside or inside[0].startswith(("[", "helo=")) else inside[0]
    if _ADDRESS.fullmatch(name) or not inside:
        return False
    name = name.lower().rstrip(".")
    if _is_listed(name, facts) and "*" not in name:
        return True
    return any(name == domain or name.endswith("." + domain) for domain in facts.own_domains)


def _text(raw: bytes, field: HeaderField) -> str:
    bounded = field._replace(end=min(field.end, field.value_start + MAX_FIELD_BYTES))
    return field_value(raw, bounded).decode("utf-8", "replace")
