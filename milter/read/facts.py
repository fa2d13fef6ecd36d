"""The header fields that checks ask about, decoded and bounded.

Takes them as they stand; whether they are true, aligned or usual is asked in `check`. Where a
field that may stand once stands twice, the topmost counts for all but From, of which all count.

**Standards:** RFC 5322 §3.6, RFC 2919 (List-Id), RFC 2369, RFC 3834 (Auto-Submitted), RFC 8058.
**Failure:** never raises.
"""

from milter.mail.message import Header, field_value
from milter.mail.reading import Defect, HeaderFacts, NamedMailbox
from milter.read.addresses import parse_mailboxes
from milter.read.encoded_words import decode_value

MAX_FROM = 20
MAX_REPLY_TO = 20
MAX_TO = 500
MAX_TEXT_CHARS = 2_000
_MAX_REFERENCES = 20
_MAX_FIELD_BYTES = 64_000
_MAX_ADDRESS_FIELD_BYTES = 512_000

_BULK_FIELDS = frozenset(
    {b"list-id", b"list-unsubscribe", b"list-post", b"feedback-id", b"x-mailing-list"}
)
_BULK_PRECEDENCE = frozenset({"bulk", "list", "junk"})
_ONCE = frozenset(
    {b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id"}
    | {b"in-reply-to", b"references", b"content-type", b"mime-version"}
)


def read_facts(raw: bytes, header: Header) -> tuple[HeaderFacts, tuple[Defect, ...]]:
    """Collect the facts, and DUPLICATE_FIELD if a field that may stand once stands twice."""
    first: dict[bytes, bytes] = {}
    senders: list[NamedMailbox] = []
    received = 0
    is_bulk = False
    is_duplicate = False
    for field in header.fields:
        name = field.name
        if name == b"received":
            received += 1
            continue
        is_bulk = is_bulk or name in _BULK_FIELDS
        if name in _ONCE and name in first:
            is_duplicate = True
        bound = _MAX_ADDRESS_FIELD_BYTES if name in {b"to", b"cc"} else _MAX_FIELD_BYTES
        if name in _WANTED and (name not in first or name == b"from"):
            value = field_value(raw, field._replace(end=min(field.end, field.value_start + bound)))
            first.setdefault(name, value)
            if name == b"from" and len(senders) < MAX_FROM:
                senders.extend(parse_mailboxes(value, MAX_FROM - len(senders)))
    precedence = _text(first, b"precedence").lower()
    facts = HeaderFacts(
        header_from=tuple(senders),
        reply_to=parse_mailboxes(first.get(b"reply-to", b""), MAX_REPLY_TO),
        to=parse_mailboxes(b", ".join(filter(None, map(first.get, (b"to", b"cc")))), MAX_TO),
        subject=_text(first, b"subject"),
        message_id=_text(first, b"message-id"),
        date=_text(first, b"date"),
        in_reply_to=_text(first, b"in-reply-to") or _last_reference(first),
        references=_references(first),
        list_id=_text(first, b"list-id"),
        is_bulk=is_bulk or precedence in _BULK_PRECEDENCE,
        is_automatic=_is_automatic(first, precedence),
        received_count=received,
    )
    return facts, (Defect.DUPLICATE_FIELD,) if is_duplicate else ()


_WANTED = _ONCE | {
    b"list-id", b"precedence", b"auto-submitted", b"x-autoreply", b"x-autorespond", b"return-path",
}  # fmt: skip


def _is_automatic(first: dict[bytes, bytes], precedence: str) -> bool:
    """RFC 3834 §5 and what was used before it."""
    submitted = _text(first, b"auto-submitted").lower().partition(";")[0].strip()
    return (
        submitted not in {"", "no"}
        or precedence == "auto_reply"
        or b"x-autoreply" in first
        or b"x-autorespond" in first
        or first.get(b"return-path") == b"<>"
        or first.get(b"content-type", b"")[:16].lower() == b"multipart/report"
    )


def _last_reference(first: dict[bytes, bytes]) -> str:
    """RFC 5322 §3.6.4: the last of the references is the mail that is answered."""
    references = _text(first, b"references").split()
    return references[-1] if references else ""


def _references(first: dict[bytes, bytes]) -> tuple[str, ...]:
    """The mails that this one says it belongs to, the newest first."""
    named = (*_text(first, b"references").split(), *_text(first, b"in-reply-to").split())
    return tuple(dict.fromkeys(reversed(named)))[:_MAX_REFERENCES]


def _text(first: dict[bytes, bytes], name: bytes) -> str:
    value = first.get(name)
    return decode_value(value)[:MAX_TEXT_CHARS] if value else ""
