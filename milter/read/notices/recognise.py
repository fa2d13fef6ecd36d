"""Has a message the form of a network's notification, and what does it say as one?

Asks the header-from domain first, then for header fields that only networks write, then for a
display name "by way of" one: any other mail costs a few microseconds. Refuses to look at local
parts, which networks change, and to believe anything: see `PlatformNotice`.

**Standards:** RFC 5322 §3.6.2 (From), §3.6.3 (To; Cc is not asked, networks write none).
**Failure:** never raises because of content.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from milter.mail.message import Header, field_value
from milter.mail.reading import HeaderFacts, Link, NamedMailbox, PlatformNotice
from milter.read.addresses import parse_mailboxes
from milter.read.encoded_words import decode_value
from milter.read.leaf_text import LeafText
from milter.read.notices.persona import member_name, without_marks
from milter.read.notices.platforms import Platform, table
from milter.read.notices.signed import signatures_of
from milter.read.notices.words import Words, full_name, member_words, thread_of

# What servers on the way put before subjects of mail from outside.
_TAG = re.compile(
    r"^(?:\[[^\]]{1,30}\]|\*+ext(?:ern(?:al)?)?\*+|ext(?:ern(?:al)?)?:)\s*", re.IGNORECASE
)
_MAX_TO = 50
_MAX_SUBJECT = 300
_MAX_VALUE = 120
_FOR_ANSWERS = frozenset({b"reply-to", b"mail-reply-to", b"mail-followup-to"})
_AS_IT_IS = frozenset({b"", b"7bit", b"8bit", b"binary"})
_ALWAYS_SIGNED = ("from", "to", "subject", "date")


def notice_of(
    raw: bytes, header: Header, facts: HeaderFacts, texts: Sequence[LeafText]
) -> PlatformNotice | None:
    """The notice that this message has the form of, or None."""
    found = _platform_of(header, facts)
    if found is None:
        return None
    platform, sender = found
    kind = _kind(raw, header, facts, platform, sender)
    to = _first(raw, header, b"to")
    mailboxes = parse_mailboxes(to, _MAX_TO)
    notice = PlatformNotice(
        platform=platform.id,
        domain=sender.domain,
        kind=kind.kind,
        template=kind.template,
        relies_on=(*_ALWAYS_SIGNED, *kind.fields, *_decoding_fields(raw, header)),
        is_from_platform=sender.domain in platform.domains | platform.aliases,
        is_form_checked=platform.is_form_checked,
        own_domains=tuple(sorted(platform.own_domains)),
        signing_domains=platform.signing,
        signatures=signatures_of(raw, header, platform.signing),
        to=tuple(dict.fromkeys(box.address for box in mailboxes if box.domain)),
        answers_on_platform=_answers_on_platform(header, facts, platform, sender),
    )
    if not notice.is_of_person:
        return notice
    return _with_text(notice, kind, platform, facts, sender, mailboxes, texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What kind of notice this is, by which header fields, and what the subject names."""

    kind: str
    template: str = ""
    fields: tuple[str, ...] = ()
    name: str = ""
    organisation: str = ""
    role: str = ""


def _platform_of(header: Header, facts: HeaderFacts) -> tuple[Platform, NamedMailbox] | None:
    known = table()
    for sender in facts.header_from:
        domain = sender.domain
        platform = known.by_domain.get(domain)
        while platform is None and domain.count(".") > 1:
            domain = domain.partition(".")[2]
            platform = known.by_domain.get(domain)
        if platform is not None:
            return platform, sender
    if not facts.header_from:
        return None
    sender = facts.header_from[0]
    for field in header.fields:
        if field.name in known.by_field:
            return known.by_field[field.name], sender
    shown = sender.display_name.casefold()
    for name, platform in known.by_name.items():
        if name in shown and platform.via.search(sender.display_name):
            return platform, sender
    return None


def _kind(
    raw: bytes, header: Header, facts: HeaderFacts, platform: Platform, sender: NamedMailbox
) -> _Kind:
    """By template, then class, then the domain of a person's alias, then the subject."""
    template = decode_value(_first(raw, header, platform.template_field)).strip()[:_MAX_VALUE]
    of_class = decode_value(_first(raw, header, platform.class_field)).strip()
    by_subject = _kind_by_subject(facts.subject, platform)
    if template:
        folded = template.lower()
        for prefix, kind in platform.templates:
            if folded.startswith(prefix):
                return _Kind(
                    kind=kind,
                    template=template,
                    fields=(platform.template_field.decode("ascii"),),
                    name=by_subject.name,
                    organisation=by_subject.organisation,
                    role=by_subject.role,
                )
    if kind := platform.classes.get(of_class, ""):
        fields = (platform.class_field.decode("ascii"),)
        return _Kind(kind=kind, template=template, fields=fields, name=by_subject.name)
    if sender.domain in platform.aliases:
        return _Kind(kind="message", name=by_subject.name)
    if sender.domain not in platform.domains and platform.owns(sender.domain):
        # A sub-domain that is not listed: the network's own marketing.
        return _Kind(kind="other", template=template)
    return by_subject


def _kind_by_subject(subject: str, platform: Platform) -> _Kind:
    plain = _TAG.sub("", without_marks(subject[:_MAX_SUBJECT])).rstrip(" .!。！:").strip()
    for kind, pattern in platform.subjects:
        if found := pattern.fullmatch(plain):
            named = found.groupdict()
            return _Kind(
                kind=kind,
                name=named.get("name") or "",
                organisation=named.get("org") or "",
                role=named.get("role") or "",
            )
    return _Kind(kind="other")


def _with_text(
    notice: PlatformNotice,
    kind: _Kind,
    platform: Platform,
    facts: HeaderFacts,
    sender: NamedMailbox,
    mailboxes: tuple[NamedMailbox, ...],
    texts: Sequence[LeafText],
) -> PlatformNotice:
    """The notice with what stands in the display name and in the text."""
    pages: list[tuple[str, Sequence[Link]]] = [
        (text.text, text.links) for text in texts if text.source is None
    ]
    persona = member_name(sender.display_name, platform)
    is_first = False
    if not persona and kind.name:
        persona = member_name(kind.name, platform)
        is_first = len(persona.split()) == 1
        if is_first and (whole := full_name(persona, pages, platform)):
            persona, is_first = member_name(whole, platform), False
    recipients = tuple(box.display_name for box in mailboxes if box.display_name)
    part, words = _best_words(texts, platform, persona, facts.subject, recipients)
    return replace(
        notice,
        persona=persona,
        first_name_only=is_first,
        organisation=(words.organisation or kind.organisation)[:_MAX_VALUE],
        role=(words.role or kind.role)[:_MAX_VALUE],
        thread=thread_of(pages, platform)[:_MAX_VALUE],
        words_part=part,
        words_start=words.start,
        words_end=words.end,
    )


def _best_words(
    texts: Sequence[LeafText],
    platform: Platform,
    persona: str,
    subject: str,
    recipients: tuple[str, ...],
) -> tuple[str, Words]:
    """Those of the first text of the message that has some; the headline may stand in another."""
    found = [
        (
            text.part,
            member_words(
                text.text, text.links, platform=platform, persona=persona, subject=subject,
                recipients=recipients,
            ),
        )
        for text in texts
        if text.source is None
    ]  # fmt: skip
    part, words = next(
        ((part, words) for part, words in found if words.start < words.end),
        ("", Words(start=0, end=0)),
    )
    said = next((each for _, each in found if each.organisation), words)
    return part, Words(
        start=words.start, end=words.end, organisation=said.organisation, role=said.role
    )


def _answers_on_platform(
    header: Header, facts: HeaderFacts, platform: Platform, sender: NamedMailbox
) -> bool:
    """There is no field that answers go by, or one, which leads to hosts of the network only."""
    fields = [field.name for field in header.fields if field.name in _FOR_ANSWERS]
    if not fields:
        return sender.domain in platform.own_domains
    # What we cannot read, or read otherwise than a mail program does, may lead anywhere.
    return (
        fields == [b"reply-to"]
        and bool(facts.reply_to)
        and all(box.domain in platform.own_domains for box in facts.reply_to)
    )


def _decoding_fields(raw: bytes, header: Header) -> tuple[str, ...]:
    """What turns the octets that were signed into other words."""
    encoding = _first(raw, header, b"content-transfer-encoding").strip().lower()
    return () if encoding in _AS_IT_IS else ("content-transfer-encoding",)


def _first(raw: bytes, header: Header, name: bytes) -> bytes:
    field = header.first(name) if name else None
    return field_value(raw, field)[:64_000] if field else b""
