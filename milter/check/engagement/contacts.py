"""An authenticated notification of a professional network becomes a platform contact.

The network vouches by a DKIM signature in its own name over From, To, Subject, Date and what names
the kind of notice, each of which stands once. Who replays a notice to somebody else, or puts
another address to answer to on it, gets none: the recipient of the envelope must stand in the
signed To, and Reply-To (which networks do not sign) must lead to the network. A notice that is
older than the days in which servers retry is a replay, too. Forwarded copies fail SPF and are no
worse for it. What is not authentic is no contact, and is judged as a direct mail.

Refuses to accuse on doubt: nothing is found where the DNS failed or nobody authenticated, nor by
the form of a network whose notices were never compared.

Standards: RFC 6376 §3.5 (h=: what a signature covers), RFC 6008 §4 (header.b), RFC 8601 §2.7.1,
RFC 5321 §4.5.4.1 (a sender gives up after four or five days), RFC 5322 §3.6.1 (Date).
Failure: none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from milter.check.engagement.direct_mail import person_of, recipients_of, traits_of
from milter.check.identity import CHECK, KnownDomains, within
from milter.mail.address import parse_mailbox
from milter.mail.analysis import Entity
from milter.mail.engagement import Origin, PlatformContact, Trait, TraitKind
from milter.mail.envelope import Transaction
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.reading import AuthResult, Defect, NoticeSignature, PlatformNotice, Reading

MAX_AGE = timedelta(days=5)
MAX_AHEAD = timedelta(hours=1)
_MAX_HINTS = 24
_OWN_WORDS = frozenset({Source.BODY, Source.SIGNATURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedContact:
    """A contact, and those of our people (see `person_of`) whom it is for."""

    contact: PlatformContact
    recipients: tuple[str, ...]


def contact_of(
    transaction: Transaction, reading: Reading, known: KnownDomains, origin: Origin
) -> ReceivedContact | None:
    """The contact that this message is and for whom, or None."""
    notice = reading.notice
    if notice is None or not notice.is_of_person or _doubt(transaction, reading, notice):
        return None
    people = _addressed(transaction, notice)
    hints = tuple(_hints(reading, notice, known))
    if not people or not (notice.persona or hints):
        return None
    contact = PlatformContact(
        origin=origin,
        platform=notice.platform,
        notice=notice.kind,
        persona=notice.persona,
        first_name_only=notice.first_name_only,
        organisation=notice.organisation,
        role=notice.role,
        thread=notice.thread,
        subject=reading.header.subject[:120],
        hints=hints,
        words=reading.analysis.words if reading.analysis else (),
    )
    return ReceivedContact(contact=contact, recipients=people)


def notice_findings(transaction: Transaction, reading: Reading) -> Iterator[Finding]:
    """What is wrong with a message that has the form of a notice and is none; asks no history."""
    notice = reading.notice
    if notice is None or not notice.is_of_person or not _was_authenticated(reading, notice):
        return
    passed = _covered(reading, notice)
    sender = reading.header.header_from[0].address if reading.header.header_from else ""
    if not passed and not _is_vouched_otherwise(reading, notice):
        # Another network's form may be signed in a way that we do not know of.
        strength = 2 if notice.is_form_checked or not notice.is_from_platform else 1
        yield _not_genuine(sender, f"not signed by {notice.signing_domains[0]}", strength)
    elif passed and notice.is_form_checked and not notice.answers_on_platform:
        elsewhere = next((box.address for box in reading.header.reply_to), sender)
        yield _not_genuine(elsewhere, "answers would leave the network", 2)
    elif passed and notice.is_form_checked and not {"from", "to"} <= passed:
        yield _not_genuine(sender, "author or addressee is not as signed", 2)
    elif passed and len(_addressed(transaction, notice)) < len(recipients_of(transaction)):
        # A forwarded copy looks like this, too.
        yield _not_genuine(", ".join(notice.to[:2]), "addressed to somebody else", 1)


def _not_genuine(shown: str, note: str, strength: int) -> Finding:
    span = Evidence(source=Source.HEADER, part="", start=0, end=len(shown), text=shown)
    return Finding(
        code="NOTICE_NOT_GENUINE", check=CHECK, strength=strength, evidence=(span,), note=note
    )


def _doubt(transaction: Transaction, reading: Reading, notice: PlatformNotice) -> bool:
    """Is anything missing that the network would have to vouch for?"""
    return not (
        notice.is_from_platform
        and len(reading.header.header_from) == 1
        # Networks write every field once; somebody else added one.
        and Defect.DUPLICATE_FIELD not in reading.defects
        and notice.answers_on_platform
        and set(notice.relies_on) <= _covered(reading, notice)
        and _is_recent(transaction.received_at, reading.header.date)
    )


def _covered(reading: Reading, notice: PlatformNotice) -> set[str]:
    """The fields that a signature covers which passed, in the name of the network."""
    covered: set[str] = set()
    for result in _results(reading, notice):
        if result.result == "pass":
            # Of signatures that the result does not tell apart, any may be the one that passed.
            fields = [set(one.covers) for one in notice.signatures if _is_of(one, result)]
            covered |= set.intersection(*fields) if fields else set()
    return covered


def _is_of(signature: NoticeSignature, result: AuthResult) -> bool:
    selector, beginning = _property(result, "s"), _property(result, "b")
    return (
        signature.domain == _signer(result)
        and selector.lower() in ("", signature.selector)
        and signature.beginning.startswith(beginning[:8])
    )


def _results(reading: Reading, notice: PlatformNotice) -> Iterator[AuthResult]:
    """DKIM results in the name of the network; a DMARC pass that rests on SPF is none."""
    return (
        result
        for result in reading.auth_results
        if result.method == "dkim" and _signer(result) in notice.signing_domains
    )


def _signer(result: AuthResult) -> str:
    """d=, or what stands for it where a server names i= alone."""
    domain = _property(result, "d") or _property(result, "i").rpartition("@")[2]
    return domain.lower().rstrip(".")


def _property(result: AuthResult, name: str) -> str:
    return next(
        (value for kind, key, value in result.properties if (kind, key) == ("header", name)), ""
    )


def _is_recent(received_at: datetime, written: str) -> bool:
    try:
        date = parsedate_to_datetime(written)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return -MAX_AHEAD <= received_at - date <= MAX_AGE


def _addressed(transaction: Transaction, notice: PlatformNotice) -> tuple[str, ...]:
    """Those recipients of the envelope who stand in To."""
    named = {person_of(address) for address in notice.to}
    return tuple(one for one in recipients_of(transaction) if one in named)


def _was_authenticated(reading: Reading, notice: PlatformNotice) -> bool:
    """Somebody verified signatures, and no answer of the DNS was missing."""
    results = [one for one in reading.auth_results if one.method in ("dkim", "dmarc")]
    return any(one.method == "dkim" for one in results) and not any(
        one.result == "temperror" for one in results
    )


def _is_vouched_otherwise(reading: Reading, notice: PlatformNotice) -> bool:
    """DMARC passed for the network, or a sealer that we trust saw it pass."""
    return notice.is_from_platform and any(
        one.method == "dmarc"
        and (one.result == "pass" or ("policy", "dmarc", "none") in one.properties)
        for one in reading.auth_results
    )


def _hints(reading: Reading, notice: PlatformNotice, known: KnownDomains) -> Iterator[Trait]:
    """By what the member can be reached in his own words; no network, nobody of ours."""
    ours = {person_of(address) for address in notice.to}
    networks = frozenset(notice.own_domains)
    found: dict[Trait, None] = {}
    for entity in _own_entities(reading, notice):
        for trait in (*traits_of((entity,)), *_domains(entity, known)):
            domain = trait.value.rpartition("@")[2]
            if not within(domain, networks) and person_of(trait.value) not in ours:
                found[trait] = None
    yield from list(found)[:_MAX_HINTS]


def _own_entities(reading: Reading, notice: PlatformNotice) -> Iterator[Entity]:
    for entity in reading.analysis.entities if reading.analysis else ():
        if (
            entity.source in _OWN_WORDS
            and entity.part == notice.words_part
            and notice.words_start <= entity.start
            and entity.end <= notice.words_end
        ):
            yield entity


def _domains(entity: Entity, known: KnownDomains) -> Iterable[Trait]:
    """The domain of an address or of a bare site, unless everybody can have one there."""
    if entity.type == "emailaddr":
        mailbox = parse_mailbox(entity.value)
        domain = mailbox.domain if mailbox else ""
    elif entity.type == "url":
        host, _, path = entity.value.partition("://")[2].partition("/")
        domain = "" if path.strip("/") else host.lower().removeprefix("www.")
    else:
        return
    shared = (known.free_mail, known.platforms, known.ats, known.own)
    if "." in domain and not any(within(domain, one) for one in shared):
        yield Trait(TraitKind.DOMAIN, domain)
