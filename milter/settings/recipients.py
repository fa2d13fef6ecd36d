"""Patterns of recipients in policy and allow rows.

A pattern is an address, a domain (with or without `@`), `*`, `re:EXPRESSION` over the whole
address, or `file:PATH` with one of those a line (`#` begins a comment). Expressions are RE2:
linear in time, whatever a peer makes of its recipients. Failure: PatternError with one sentence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2

from milter.mail.address import Path as SmtpPath
from milter.mail.address import parse_mailbox


class PatternError(ValueError):
    """A pattern cannot be used; the message says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """A set of recipients by address, domain and expression; `everyone` for `*`."""

    addresses: frozenset[str]
    domains: frozenset[str]
    expressions: tuple[Any, ...] = ()
    everyone: bool = False

    def __contains__(self, path: SmtpPath) -> bool:
        if self.everyone:
            return True
        mailbox = path.mailbox
        if mailbox is None:
            return False
        address = _folded(mailbox.address)
        if mailbox.domain in self.domains or address in self.addresses:
            return True
        return any(expression.fullmatch(address) for expression in self.expressions)

    def names(self) -> frozenset[str]:
        """All patterns in one form, for comparison of rows."""
        everyone = frozenset("*") if self.everyone else frozenset()
        expressions = frozenset("re:" + expression.pattern for expression in self.expressions)
        return self.addresses | self.domains | expressions | everyone


def parse_recipients(patterns: Iterable[str]) -> Recipients:
    """The recipients that `patterns` name; raises PatternError."""
    addresses: set[str] = set()
    domains: set[str] = set()
    expressions: list[Any] = []
    everyone = False
    for pattern in _expanded(patterns):
        if pattern == "*":
            everyone = True
        elif pattern.startswith("re:"):
            expressions.append(_expression(pattern.removeprefix("re:")))
        elif "@" in pattern.lstrip("@"):
            mailbox = parse_mailbox(pattern)
            if mailbox is None:
                raise PatternError(f"{pattern!r} is no address; write name@example.org")
            addresses.add(_folded(mailbox.address))
        else:
            mailbox = parse_mailbox("postmaster@" + pattern.lstrip("@"))
            if mailbox is None:
                raise PatternError(f"{pattern!r} is no domain; write example.org")
            domains.add(mailbox.domain)
    return Recipients(
        addresses=frozenset(addresses),
        domains=frozenset(domains),
        expressions=tuple(expressions),
        everyone=everyone,
    )


def _expression(text: str) -> Any:
    """Compiled without regard to case: addresses are compared case-folded."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise PatternError(f"{text!r} is no regular expression (RE2): {error}") from None


def _folded(address: str) -> str:
    """Policy compares local parts without case, as every common inner server does."""
    return address.casefold()


def _expanded(patterns: Iterable[str]) -> Iterable[str]:
    for pattern in patterns:
        if not pattern.startswith("file:"):
            yield pattern.strip()
            continue
        path = Path(pattern.removeprefix("file:"))
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise PatternError(f"cannot read {path}: {type(error).__name__}") from None
        yield from (word for line in lines if (word := line.partition("#")[0].strip()))
