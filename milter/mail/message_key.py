"""The key under which a retried message is recognised (design rule 8).

A retry differs in its trace fields only, so the key is taken over the body and the fields that
identify a message. Where neither Date nor Message-ID is there, or header and body cannot be told
apart, the key is taken over all octets: not recognising a retry makes a duplicate, recognising a
different message would lose it.

Standards: RFC 5322 §3.6.1, §3.6.4 (identification), §3.6.7 (trace fields).
"""

import hashlib
import re

_IDENTIFYING = re.compile(
    rb"^(?:from|date|message-id|subject)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_DATED = re.compile(rb"^(?:date|message-id)[ \t]*:", re.IGNORECASE)


def message_key(raw: bytes) -> str:
    """SHA-256 (hex) over the body and From, Date, Message-ID and Subject as they stand."""
    end = -1 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n")
    fields = [found.group() for found in _IDENTIFYING.finditer(raw, 0, max(end, 0) + 2)]
    if end < 0 or not any(_DATED.match(field) for field in fields):
        return hashlib.sha256(raw).hexdigest()
    digest = hashlib.sha256(b"\n".join(fields))
    digest.update(memoryview(raw)[end:])
    return digest.hexdigest()
