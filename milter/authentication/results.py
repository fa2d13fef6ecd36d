"""Authentication results as text: what stands in Authentication-Results, and in ARC's copy of it.

Parses with tolerance and within bounds. Refuses to say whether a field is to be believed:
`read.authentication` does, and for ARC the chain.

**Standards:** RFC 8601 §2.2 (syntax).
**Failure:** never raises; a resinfo that cannot be parsed is left out.
"""

import re
from collections.abc import Iterator

from milter.mail.reading import AuthResult
from milter.mail.structured import Kind, tokens, unquote

MAX_RESULTS = 60
MAX_PROPERTIES = 20

_PROPERTY_NAME = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\.([A-Za-z0-9][A-Za-z0-9_-]*)")

_Token = tuple[str, bool]
_EQUALS: _Token = ("=", False)


def parse_results(value: str) -> tuple[AuthResult, ...]:
    """The results of one field value; an unparsable resinfo is left out."""
    server = authserv_id(value)
    results: list[AuthResult] = []
    for number, clause in enumerate(_clauses(value)):
        if number == 0 or len(clause) < 3 or clause[1] != _EQUALS:
            continue
        method = clause[0][0].partition("/")[0].lower()
        result = clause[2][0].lower()
        if not method or not result.isalpha():
            continue
        reason, properties = _details(clause[3:])
        results.append(
            AuthResult(
                method=method,
                result=result,
                authserv_id=server,
                reason=reason,
                properties=properties,
            )
        )
        if len(results) >= MAX_RESULTS:
            break
    return tuple(results)


def _clauses(value: str) -> Iterator[list[_Token]]:
    """The parts between semicolons as tokens (text, is quoted), without comments."""
    clause: list[_Token] = []
    word = ""
    for kind, content in tokens(value):
        if kind is Kind.WORD or (kind is Kind.MARK and content not in "=;"):
            word += content
            continue
        if word:
            clause.append((word, False))
            word = ""
        if kind is Kind.QUOTED:
            clause.append((unquote(content), True))
        elif kind is Kind.ANGLE:
            clause.append((f"<{content}>", False))
        elif content == ";" and kind is Kind.MARK:
            yield clause
            clause = []
        elif kind is Kind.MARK:
            clause.append((content, False))
    if word:
        clause.append((word, False))
    if clause:
        yield clause


def _details(clause: list[_Token]) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Reason and properties that follow `method=result`."""
    reason = ""
    properties: list[tuple[str, str, str]] = []
    for (name, is_quoted), mark, (value, _) in zip(clause, clause[1:], clause[2:], strict=False):
        if mark != _EQUALS or is_quoted:
            continue
        if name.lower() == "reason":
            reason = value[:200]
        elif (found := _PROPERTY_NAME.fullmatch(name)) and len(properties) < MAX_PROPERTIES:
            properties.append((found[1].lower(), found[2].lower(), value[:255]))
    return reason, tuple(properties)


def authserv_id(value: str) -> str:
    """The first token (RFC 8601 §2.2; a version may follow it)."""
    first = next(_clauses(value), [])
    return first[0][0].lower() if first else ""
