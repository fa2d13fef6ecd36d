"""Mailboxes and SMTP paths.

Builds `Mailbox` and `Path` from octets; nothing else in the gateway parses an address. Refuses to
guess: what is not an address gives None or `PathError`, never a near miss.

Standards: RFC 5321 §4.1.2 (path grammar), RFC 6531 §3.3 (UTF-8 mailboxes), RFC 5890 (A-labels).
Failure: `PathError` carries no text of the peer; the listener answers 501 5.1.3 or 501 5.1.7.
"""

from dataclasses import dataclass


class PathError(ValueError):
    """The octets are no RFC 5321 path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A mailbox as people name it; `domain` is the lower-case A-label form."""

    local_part: str
    domain: str
    domain_unicode: str

    @property
    def address(self) -> str:
        """Canonical form for comparison and keys: local part as given, domain lower-case."""
        return f"{self.local_part}@{self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What stood between `<` and `>`, verbatim, and the mailbox it names.

    `mailbox` is None for the null reverse-path and for the bare `Postmaster` forward-path.
    """

    raw: bytes
    mailbox: Mailbox | None = None

    @property
    def is_null(self) -> bool:
        """True for the null reverse-path `<>` (RFC 5321 §4.5.5)."""
        return self.raw == b""


NULL_PATH = Path(raw=b"")
