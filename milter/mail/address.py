"""Mailboxes and SMTP paths.

Builds `Mailbox` and `Path` from octets; nothing else in the gateway parses an address. Refuses to
guess: what is not an address gives None or `PathError`, never a near miss. ESMTP parameters behind
a path are the caller's. Lengths are bounded by the command line alone: what the inner server would
take is not refused here.

Standards: RFC 5321 §4.1.2 (path grammar), RFC 6531 §3.3 (UTF-8 mailboxes), RFC 5890 (A-labels).
Failure: `PathError` carries no text of the peer; the listener answers 501 5.1.3 or 501 5.1.7.
"""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

_ATEXT = rb"A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-"
# Dots may stand anywhere in an atom: some carriers hand out `a..b@` and the inner server takes it.
_LOCAL_PART = rb'[.%s]+|"(?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*"' % _ATEXT
_LITERAL = rb"\[[!-Z^-~]+\]"
_DOMAIN = rb"[A-Za-z0-9_.\x80-\xff-]+"
_MAILBOX = re.compile(rb"(%s)@(%s|%s)" % (_LOCAL_PART, _DOMAIN, _LITERAL))
# RFC 5321 §4.1.2 A-d-l: hosts that the mail should have gone through; kept, never followed.
_SOURCE_ROUTE = re.compile(rb"@%s(?:,@%s)*:" % (_DOMAIN, _DOMAIN))
_BRACKETED = re.compile(rb'<((?:[^<>"\\\x00-\x1f\x7f]++|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*+")*+)>')

_LABEL = re.compile(r"[a-z0-9_\x80-\U0010ffff-]+")
_MAX_LABEL = 63
_MAX_DOMAIN = 255
# RFC 3490 §3.1: characters that people type for the dot between labels.
_DOTS = str.maketrans("。．｡", "...")
_JOINERS = str.maketrans("", "", "\u200c\u200d")


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


def parse_path(octets: bytes, *, smtputf8: bool) -> tuple[Path, bytes]:
    """The path at the start of `octets` and the rest of the line; raises PathError.

    The null path and `<Postmaster>` are paths here; which command takes which is the caller's.
    Octets above 127 belong to a path only where `smtputf8` was asked for, and must be UTF-8.
    """
    bracketed = _BRACKETED.match(octets)
    if bracketed is None:
        raise PathError("no path in angle brackets")
    raw, rest = bracketed.group(1), octets[bracketed.end() :]
    if rest and not rest.startswith(b" "):
        raise PathError("no space behind the path")
    if not raw:
        return NULL_PATH, rest
    if raw.lower() == b"postmaster":
        # RFC 5321 §4.1.1.3: the one local part that needs no domain, in any case.
        return Path(raw=raw), rest
    if not smtputf8 and not raw.isascii():
        raise PathError("octets above 127 without SMTPUTF8")
    route = _SOURCE_ROUTE.match(raw)
    mailbox = _mailbox(raw[route.end() :] if route else raw)
    if mailbox is None:
        raise PathError("no mailbox in the path")
    return Path(raw=raw, mailbox=mailbox), rest


def parse_mailbox(text: str) -> Mailbox | None:
    """The mailbox that an addr-spec of a header field or a setting names, or None."""
    try:
        return _mailbox(text.strip().encode())
    except UnicodeEncodeError:
        return None


def to_a_labels(domain: str) -> str | None:
    """The lower-case A-label form of a domain name, or None where it is no domain name.

    Deviation characters such as ß keep their own label, as registries have it (RFC 5891), and
    underscores are let through, as name servers do.
    """
    if not domain.isascii():
        # RFC 5895 §2: width and case are mapped, then the label is in NFC.
        mapped = unicodedata.normalize("NFKC", domain.translate(_DOTS)).lower()
        domain = unicodedata.normalize("NFC", mapped)
    labels = [_a_label(label) for label in domain.lower().split(".")]
    joined = ".".join(label for label in labels if label)
    return joined if all(labels) and len(joined) <= _MAX_DOMAIN else None


def to_u_labels(domain: str) -> str:
    """The domain name as people read it; labels that decode to nothing honest stay A-labels."""
    if "xn--" not in domain:
        return domain
    return ".".join(_u_label(label) for label in domain.split("."))


def _mailbox(octets: bytes) -> Mailbox | None:
    match = _MAILBOX.fullmatch(octets)
    if match is None:
        return None
    try:
        local_part, domain = match.group(1).decode(), match.group(2).decode()
    except UnicodeDecodeError:
        return None
    if domain.startswith("["):
        return _literal_mailbox(local_part, domain)
    a_labels = to_a_labels(domain)
    if a_labels is None:
        return None
    return Mailbox(local_part=local_part, domain=a_labels, domain_unicode=to_u_labels(a_labels))


def _literal_mailbox(local_part: str, domain: str) -> Mailbox | None:
    """RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`; other tags are not assigned."""
    inside = domain[1:-1].lower()
    try:
        if inside.startswith("ipv6:"):
            IPv6Address(inside.removeprefix("ipv6:"))
        else:
            IPv4Address(inside)
    except ValueError:
        return None
    return Mailbox(local_part=local_part, domain=f"[{inside}]", domain_unicode=f"[{inside}]")


def _a_label(label: str) -> str | None:
    if not label or label[0] == "-" or label[-1] == "-" or len(label) > _MAX_LABEL:
        return None
    if not _LABEL.fullmatch(label):
        return None
    if label.isascii():
        return label
    if not label.translate(_JOINERS).isprintable():
        return None
    encoded = "xn--" + label.encode("punycode").decode("ascii")
    return encoded if len(encoded) <= _MAX_LABEL else None


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    # Only a label that leads back to the same octets is shown: no second spelling of a name.
    return decoded if to_a_labels(decoded) == label else label
