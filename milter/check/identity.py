"""What the address fields say of the sender, and what authentication vouches for.

Facts (free mail, aligned, known) weigh nothing; the weight table combines them. Free mail is one
class whoever runs it; no name, country or script is looked at. Header-from against reverse-path
is no finding: every list and every mailing service differs there.

Standards: RFC 5322 §3.6.2 (From, Reply-To), RFC 8601 (results: our own, or believed by `read`),
RFC 9989 §4.10.2 (organisation, where we walked the tree of names).
Failure: none; a message without exactly one header-from gives no finding.
"""

import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from milter.mail.address import parse_mailbox
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.reading import AuthResult, NamedMailbox, Reading

CHECK = "identity"
_SPEAKS_AS_ORGANISATION = {"approach", "b_named", "b_agency", "vague_offer", "offplatform"}
_MIN_LOOKALIKE_LABEL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDomains:
    """Lists of domains (A-labels); see config/known.toml."""

    own: frozenset[str]
    free_mail: frozenset[str]
    platforms: frozenset[str]
    ats: frozenset[str]
    expert_networks: frozenset[str]
    organisations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the DNS says of the author beside the results: see `check.authentication`.

    `organisation` is its organisational domain ('' where nobody asked); `is_sealed` is True where
    a listed ARC sealer vouches for the author.
    """

    organisation: str = ""
    is_sealed: bool = False


UNKNOWN_STANDING = Standing()


def parse_known(
    text: str,
    *,
    own: Iterable[str] = (),
    organisations: Iterable[str] = (),
    expert_networks: Iterable[str] = (),
) -> KnownDomains:
    """The shipped lists with an administrator's additions."""
    lists = tomllib.loads(text)
    return KnownDomains(
        own=frozenset(own),
        free_mail=frozenset(lists["free_mail"]),
        platforms=frozenset(lists["platforms"]),
        ats=frozenset(lists["ats"]),
        expert_networks=frozenset(lists["expert_networks"]) | frozenset(expert_networks),
        organisations=frozenset(organisations),
    )


def check_identity(
    reading: Reading, *, known: KnownDomains, standing: Standing = UNKNOWN_STANDING
) -> tuple[Finding, ...]:
    """Facts and findings about the one header-from."""
    if len(reading.header.header_from) != 1:
        return ()
    sender = reading.header.header_from[0]
    aligned = standing.is_sealed or is_aligned(sender.domain, reading.auth_results)
    return (
        *_authentication(sender, reading.auth_results, aligned),
        *_standing(sender, known, aligned, is_open=_is_open(reading.auth_results)),
        *_reply_to(sender, reading, known, standing.organisation),
        *_display_name(sender, standing.organisation),
        *_lookalike(sender, known),
        *_claim(sender, reading, known),
        *_posting_link(sender, reading, known, standing.organisation),
    )


def is_aligned(domain: str, results: Iterable[AuthResult]) -> bool:
    """True if a result vouches for `domain`: DMARC pass, or a DKIM pass of it or from above it.

    Who signs below a name need not own it (`a.hosting.example` signs for itself alone): that is
    for DMARC to say, which asks the DNS where an organisation ends. A DMARC failure is the last
    word: whatever passed is not aligned.
    """
    if not domain:
        return False
    vouched = False
    for result in results:
        if result.method == "dmarc" and _names(result, "from", domain):
            if result.result == "fail":
                return False
            vouched = vouched or result.result == "pass"
        elif result.method == "dkim" and result.result == "pass":
            vouched = vouched or _names(result, "d", domain) or _names(result, "i", domain)
    return vouched


def _names(result: AuthResult, wanted: str, domain: str) -> bool:
    """Does a property name the domain or one above it?"""
    wide = domain.lower()
    return any(
        bool(name := value.rpartition("@")[2].lower().rstrip("."))
        and (wide == name or wide.endswith("." + name))
        for ptype, key, value in result.properties
        if ptype == "header" and key == wanted
    )


def related(one: str, other: str, organisation: str = "") -> bool:
    """Of one organisation where the DNS names it; else equal, or one a sub-domain of the other.

    Takes `@domain` and addresses too.
    """
    a, b = (value.rpartition("@")[2].lower().rstrip(".") for value in (one, other))
    if organisation:
        return all(name == organisation or name.endswith("." + organisation) for name in (a, b))
    return bool(a and b) and (a == b or a.endswith("." + b) or b.endswith("." + a))


def within(domain: str, listed: frozenset[str]) -> bool:
    """True if `domain` or a domain above it is listed."""
    labels = domain.lower().split(".")
    return any(".".join(labels[start:]) in listed for start in range(len(labels) - 1))


def _fact(code: str, note: str = "", evidence: tuple[Evidence, ...] = ()) -> Finding:
    return Finding(code=code, check=CHECK, note=note, evidence=evidence)


def _authentication(
    sender: NamedMailbox, results: tuple[AuthResult, ...], aligned: bool
) -> Iterable[Finding]:
    if aligned:
        yield _fact("AUTH_ALIGNED")
    elif any(r.method == "dmarc" and r.result == "fail" for r in results):
        yield _fact("AUTH_FAILED", note="dmarc=fail")


def _is_open(results: Iterable[AuthResult]) -> bool:
    """True where the DNS failed before DMARC was decided."""
    return any(result.method == "dmarc" and result.result == "temperror" for result in results)


def _standing(
    sender: NamedMailbox, known: KnownDomains, aligned: bool, *, is_open: bool
) -> Iterable[Finding]:
    """Free mail, unaligned, known or unknown own domain: one of them."""
    domain = sender.domain
    if within(domain, known.free_mail):
        yield _fact("SENDER_FREEMAIL")
        return
    if is_open and not aligned:
        # A dead DNS must not make every honest sender one that nobody vouches for; nor a known one.
        yield _fact("SENDER_OWN_DOMAIN", note="not authenticated: DNS failure")
        return
    if not aligned:
        yield _fact("SENDER_UNALIGNED")
        return
    if within(domain, known.expert_networks):
        yield _fact("KNOWN_SENDER")
        yield _fact("KNOWN_EXPERT_NETWORK")
    elif within(domain, known.organisations) or within(domain, known.own):
        yield _fact("KNOWN_SENDER")
        yield _fact("KNOWN_ORGANISATION")
    elif within(domain, known.ats):
        yield _fact("KNOWN_SENDER")
        yield _fact("ATS_TENANT")
    elif within(domain, known.platforms):
        # A relayed member message is stage one of an approach, no alibi: known, but no mitigation.
        yield _fact("KNOWN_SENDER")
    else:
        yield _fact("SENDER_OWN_DOMAIN")


def _reply_to(
    sender: NamedMailbox, reading: Reading, known: KnownDomains, organisation: str
) -> Iterable[Finding]:
    header = reading.header
    if header.list_id or header.is_bulk or header.is_automatic:
        return
    for target in header.reply_to:
        if not target.domain or target.address.lower() == sender.address.lower():
            continue
        to_free_mail = within(target.domain, known.free_mail)
        unknown = not (
            within(target.domain, known.platforms)
            or within(target.domain, known.ats)
            or within(target.domain, known.organisations)
            or within(target.domain, known.own)
        )
        if to_free_mail or (unknown and not related(target.domain, sender.domain, organisation)):
            yield _fact("REPLY_TO_ELSEWHERE", evidence=(_header_span(target.address),))
            return


def _display_name(sender: NamedMailbox, organisation: str) -> Iterable[Finding]:
    """A display name that is itself an address of another domain."""
    name = sender.display_name.strip(" '\"<>()")
    shown = parse_mailbox(name) if "@" in name else None
    if shown is not None and not related(shown.domain, sender.domain, organisation):
        yield _fact("DISPLAY_NAME_ADDRESS", evidence=(_header_span(sender.display_name),))


def _lookalike(sender: NamedMailbox, known: KnownDomains) -> Iterable[Finding]:
    if not sender.domain or within(sender.domain, known.own):
        return
    for own in sorted(known.own):
        if looks_like(sender.domain, own):
            yield _fact("LOOKALIKE_DOMAIN", note=own, evidence=(_header_span(sender.domain),))
            return


def _claim(sender: NamedMailbox, reading: Reading, known: KnownDomains) -> Iterable[Finding]:
    """Free mail that speaks for a named organisation while it offers something."""
    if reading.analysis is None or not within(sender.domain, known.free_mail):
        return
    if not any(intent.label in _SPEAKS_AS_ORGANISATION for intent in reading.analysis.intents):
        return
    for entity in reading.analysis.entities:
        if (
            entity.type == "org"
            and not entity.is_vague
            and entity.source in (Source.BODY, Source.SIGNATURE)
        ):
            span = Evidence(
                source=entity.source,
                part=entity.part,
                start=entity.start,
                end=entity.end,
                text=entity.text,
            )
            yield _fact("CORPORATE_CLAIM_FREEMAIL", evidence=(span,))
            return


def _posting_link(
    sender: NamedMailbox, reading: Reading, known: KnownDomains, organisation: str
) -> Iterable[Finding]:
    if not sender.domain or within(sender.domain, known.free_mail):
        return
    if any(related(host, sender.domain, organisation) for host in reading.link_hosts):
        yield _fact("POSTING_LINK")


def _header_span(text: str) -> Evidence:
    return Evidence(source=Source.HEADER, part="", start=0, end=len(text), text=text)


def looks_like(domain: str, own: str) -> bool:
    """True if `domain` imitates `own`: same skeleton, one slip, or another top level."""
    theirs, ours = _registered_label(domain), _registered_label(own)
    if domain == own or len(ours) < _MIN_LOOKALIKE_LABEL:
        return False
    if _skeleton(theirs) == _skeleton(ours):
        return theirs != ours or len(ours) >= 2 * _MIN_LOOKALIKE_LABEL - 2
    return abs(len(theirs) - len(ours)) <= 1 and _one_slip(_skeleton(theirs), _skeleton(ours))


def _registered_label(domain: str) -> str:
    """The label before the top level, or before a two-part one such as `co.uk`."""
    labels = domain.split(".")
    position = -2
    if len(labels) >= 3 and len(labels[-2]) <= 3 and len(labels[-1]) == 2:
        position = -3
    label = labels[position] if len(labels) >= -position else labels[0]
    if label.startswith("xn--"):
        try:
            label = label.encode("ascii").decode("idna")
        except UnicodeError:
            return label
    return label


_ALIKE = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "i": "l",
        "ı": "l",
        "а": "a",
        "е": "e",
        "о": "o",
        "р": "p",
        "с": "c",
        "у": "y",
        "х": "x",
        "і": "l",
        "ѕ": "s",
        "-": None,
    }
)


def _skeleton(label: str) -> str:
    """Characters that look alike made one; a pair such as `rn` becomes what it looks like."""
    folded = unicodedata.normalize("NFKD", label.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c)).translate(_ALIKE)
    return plain.replace("rn", "m").replace("vv", "w")


def _one_slip(one: str, other: str) -> bool:
    """One insertion, deletion, substitution or swap of neighbours apart."""
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    if one[start + 1 :] == other[start + 1 :]:
        return True
    return one[start : start + 2] == other[start : start + 2][::-1] and (
        one[start + 2 :] == other[start + 2 :]
    )
