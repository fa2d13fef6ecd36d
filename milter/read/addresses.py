"""Address lists of header fields: mailboxes and groups, as written by anybody.

Reads what people see (display name) and what programs answer to (addr-spec). Refuses to guess: an
entry without a usable addr-spec has an empty domain, never a near miss. The SMTP envelope is
parsed elsewhere (`milter.mail.address`); the standard library's parser is not used because of its
known confusions (CVE-2019-16056, CVE-2023-27043).

**Standards:** RFC 5322 §3.4, §4.4 (obsolete routes), RFC 6532, RFC 2047 §5 (phrases), RFC 5891.
**Failure:** never raises; bounded by `limit` mailboxes.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from milter.mail.reading import NamedMailbox
from milter.mail.structured import Kind, tokens, unquote
from milter.read.encoded_words import decode_words

MAX_FIELD_BYTES = 512_000
MAX_NAME_CHARS = 256
MAX_ADDRESS_CHARS = 320

_ROUTE = re.compile(r"\s*(?:@[^:@,]*+,?\s*+)++:")
_ADDR_SPEC = re.compile(
    r"(\"(?:[^\"\\]|\\.)*+\"|[^\s@\"<>()\[\],;:\\]++)@(\[[^\s\[\]@]++\]|[^\s@\"<>()\[\],;:\\]++)"
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def parse_mailboxes(octets: bytes, limit: int) -> tuple[NamedMailbox, ...]:
    """The mailboxes of an unfolded address field, those in groups too, at most `limit`."""
    text = decode_raw(octets[:MAX_FIELD_BYTES])
    mailboxes: list[NamedMailbox] = []
    for entry in _entries(text):
        mailboxes.append(entry)
        if len(mailboxes) >= limit:
            break
    return tuple(mailboxes)


def decode_raw(octets: bytes) -> str:
    """Octets of a structured field as text; encoded-words are decoded per phrase, afterwards."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


class _Entry:
    """What has been read of one mailbox so far.

    `words` is the phrase with quotes removed, `bare` the same as written, in case it turns out to
    be an addr-spec without angle brackets.
    """

    __slots__ = ("angle", "bare", "comment", "has_at", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.bare: list[str] = []
        self.angle: str | None = None
        self.comment = ""
        self.has_at = False

    def add(self, word: str, written: str) -> None:
        """One more word of the phrase or of the bare address."""
        self.words.append(word)
        self.bare.append(written)


def _entries(text: str) -> Iterator[NamedMailbox]:
    entry = _Entry()
    for kind, content in tokens(text):
        if kind is Kind.QUOTED:
            entry.add(unquote(content), f'"{content}"')
        elif kind is Kind.COMMENT:
            entry.comment = entry.comment or content
        elif kind is Kind.ANGLE:
            entry.angle = content if entry.angle is None else entry.angle
        elif kind is Kind.SPACE:
            entry.add(" ", " ")
        elif kind is Kind.WORD:
            entry.has_at = entry.has_at or "@" in content
            entry.add(content, content)
        elif content in {",", ";"}:
            if mailbox := _mailbox(entry):
                yield mailbox
            entry = _Entry()
        elif content == ":" and entry.angle is None and not entry.has_at:
            # The name of a group: its members follow as if they stood alone.
            entry = _Entry()
        else:
            entry.add("=" if content == "=" else "", content)
    if mailbox := _mailbox(entry):
        yield mailbox


def _mailbox(entry: _Entry) -> NamedMailbox | None:
    if entry.angle is not None:
        spec = entry.angle.strip()
        if spec.startswith("@"):
            # RFC 5322 §4.4: an obsolete route is ignored.
            spec = _ROUTE.sub("", spec, count=1)
        address, domain = _addr_spec(spec)
        return _named("".join(entry.words), address, domain)
    bare = "".join(entry.bare).strip()
    if not bare:
        return None
    address, domain = _addr_spec(bare)
    # Without an address there is only a phrase: something to show, nothing to answer to.
    return _named(entry.comment if address else "".join(entry.words), address, domain)


def _named(name: str, address: str, domain: str) -> NamedMailbox:
    name = decode_words(name[: 8 * MAX_NAME_CHARS])
    name = " ".join(name.split()).strip("'\" ")
    return NamedMailbox(display_name=name[:MAX_NAME_CHARS], address=address, domain=domain)


def _addr_spec(spec: str) -> tuple[str, str]:
    found = _ADDR_SPEC.fullmatch(spec[: MAX_ADDRESS_CHARS + 1])
    if found is None:
        return "", ""
    domain = to_a_label(found[2])
    return (f"{found[1]}@{domain}", domain) if domain else (found[0], "")


@lru_cache(maxsize=4_096)
def to_a_label(domain: str) -> str:
    """The domain in lower case as A-labels, '' for what is no host name (RFC 5891 §4)."""
    domain = domain.rstrip(".").lower()
    if not domain or len(domain) > 253:
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
    return domain if all(map(_LABEL.fullmatch, domain.split("."))) else ""
