"""What the signatures of a network cover: header fields that stand once and are in h=.

Says nothing about whether a signature passes: `check.engagement.contacts` joins both by domain,
selector and the beginning of b=.

**Standards:** RFC 6376 §3.5 (h=, l=), §5.4.2 (a field that stands more often than h= names it is
not covered), RFC 6008 §4 (the beginning of b= tells signatures apart).
**Failure:** never raises; a signature that is not well formed covers nothing.
"""

from collections import Counter
from collections.abc import Iterator

from milter.authentication.keys import Refusal
from milter.authentication.signature import name_of_key, read_tags
from milter.authentication.taglist import without_white
from milter.mail.message import Header
from milter.mail.reading import NoticeSignature

_MAX_SIGNATURES = 8
_FIELD = b"dkim-signature"


def signatures_of(
    raw: bytes, header: Header, domains: tuple[str, ...]
) -> tuple[NoticeSignature, ...]:
    """The signatures in the name of these domains, top first."""
    found = list(_signatures(raw, header, domains))
    return () if header.is_cut else tuple(found[:_MAX_SIGNATURES])


def _signatures(raw: bytes, header: Header, domains: tuple[str, ...]) -> Iterator[NoticeSignature]:
    counts = Counter(field.name for field in header.fields)
    for field in header.named(_FIELD):
        tags = read_tags(raw, field)
        if isinstance(tags, Refusal):
            continue
        domain, selector = name_of_key(tags)
        if domain not in domains:
            continue
        named = without_white(tags.get("h", "").lower()).split(":")
        # With l= anybody may add to the body, and some verifiers do not mind.
        covered = () if "l" in tags else named
        yield NoticeSignature(
            domain=domain,
            selector=selector,
            beginning=without_white(tags.get("b", ""))[:8],
            covers=tuple(
                dict.fromkeys(
                    name for name in covered if counts[name.encode("ascii", "replace")] == 1
                )
            ),
        )
