"""The banner: which level, which sentences, and its two renderings.

Says what is unusual in this mail, what to do and whom to tell. Refuses to say more: no verdict
about a person, no score, no link but the configured one. Where it goes is decided in `sites` and
`insert`; its words come from `banner_texts`.

**Failure:** none; a finding without a sentence is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from milter.act.banner_html import html_banner
from milter.act.banner_plain import columns, plain_banner
from milter.act.banner_texts import FALLBACK, BannerTexts, LanguageTexts, Wording
from milter.act.shown import CUT, LONGEST, shown
from milter.mail.analysis import Analysis, Entity
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.verdict import Action, Label, Verdict

_MOST_REASONS = 3
_CONTACT_ENTITIES = frozenset({"handle", "phone", "emailaddr", "url"})
_CONTACT_TOPICS = frozenset({"channel", "hidden_contact"})
# Of the header, only what the sentence is about is repeated: the address that it names.
_HEADER_TOPICS = frozenset({"reply_to", "shown_address", "lookalike"})
_LEFT_OUT = f" {CUT} "
_TELLING_COLUMNS = 10


class BannerLevel(StrEnum):
    """How firmly the banner speaks."""

    NOTICE = "notice"
    STRONG = "strong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A topic of banners.toml and what the mail says about it ('' if that is not shown)."""

    topic: str
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Both renderings with LF line ends. `html` is pure ASCII.

    `texts` are versions for plain text in order of preference: the recipient's language, the same
    without what the mail says, English, English without. The last ones fit into any charset.
    """

    level: BannerLevel
    language: str
    html: str
    texts: tuple[str, ...]


def banner_level(verdict: Verdict, action: Action) -> BannerLevel:
    """Strong for what would be held, was held, or wants something installed."""
    strong = verdict.may_hold or action is Action.QUARANTINE or verdict.label is Label.LURE_MALWARE
    return BannerLevel.STRONG if strong else BannerLevel.NOTICE


def banner_reasons(
    verdict: Verdict, analysis: Analysis | None, texts: BannerTexts
) -> tuple[Reason, ...]:
    """The heaviest findings that have a sentence, one per topic, with what the mail says."""
    entities = analysis.entities if analysis else ()
    reasons: dict[str, Reason] = {}
    for weighed in sorted(verdict.findings, key=lambda weighed: -weighed.weight_db):
        topic = texts.topic_of.get(weighed.finding.code, "")
        if weighed.weight_db <= 0 or not topic or topic in reasons:
            continue
        seen = _seen(
            weighed.finding,
            entities if topic in _CONTACT_TOPICS else (),
            shows_header=topic in _HEADER_TOPICS,
        )
        reasons[topic] = Reason(topic=topic, seen=seen)
        if len(reasons) == _MOST_REASONS:
            break
    return tuple(reasons.values())


def make_banner(
    *,
    level: BannerLevel,
    language: str,
    reasons: tuple[Reason, ...],
    texts: BannerTexts,
    contact: str,
    report_url: str,
    sign: Callable[[str], str],
) -> Banner:
    """Render one banner; `contact` and `report_url` may be ''."""
    own = texts.language(language)
    english = texts.language(FALLBACK)
    unquoted = tuple(Reason(topic=reason.topic) for reason in reasons)
    versions = dict.fromkeys(
        plain_banner(_wording(words, level, shown_reasons, contact, report_url), sign)
        for words in (own, english)
        for shown_reasons in (reasons, unquoted)
    )
    return Banner(
        level=level,
        language=language,
        html=html_banner(
            _wording(own, level, reasons, contact, report_url),
            sign,
            strong=level is BannerLevel.STRONG,
        ),
        texts=tuple(versions),
    )


def _wording(
    words: LanguageTexts,
    level: BannerLevel,
    reasons: tuple[Reason, ...],
    contact: str,
    report_url: str,
) -> Wording:
    sentences = words.sentences
    return Wording(
        tag=words.tag,
        direction=words.direction,
        label=sentences["label"],
        title=sentences[f"{level}_title"],
        because=sentences["because" if reasons else "because_nothing"],
        reasons=tuple(_reason(words, reason) for reason in reasons),
        advice=sentences[f"{level}_advice"],
        tell=sentences["tell"].format(contact=contact) if contact else "",
        report=sentences["report"] if report_url else "",
        report_url=report_url,
    )


def _reason(words: LanguageTexts, reason: Reason) -> str:
    sentence = words.reasons[reason.topic]
    if not reason.seen:
        return sentence
    return words.sentences["quote"].format(reason=sentence, seen=reason.seen)


def _seen(finding: Finding, contacts: tuple[Entity, ...], *, shows_header: bool) -> str:
    """What the mail says, in its own words and order, with dots for what is left out.

    A contact comes first, then what is long enough to be understood. '' where all there is would
    be a word or two that say nothing.
    """
    pieces = [one for one in finding.evidence if shows_header or one.source is not Source.HEADER]
    inside = {piece: _contact_in(piece, contacts) for piece in pieces}
    quoted = {piece: _quoted(piece, inside[piece]) for piece in inside}
    chosen: dict[Evidence, str] = {}
    room = LONGEST
    for piece in sorted(
        quoted, key=lambda one: (not inside[one], quoted[one].endswith(CUT), -len(quoted[one]))
    ):
        words = quoted[piece]
        if len(words) <= room and not any(words in other for other in chosen.values()):
            chosen[piece] = words
            room -= len(words) + len(_LEFT_OUT)
    seen = _LEFT_OUT.join(chosen[piece] for piece in sorted(chosen, key=_place))
    return seen if any(inside.values()) or _says_something(seen) else ""


def _contact_in(evidence: Evidence, contacts: tuple[Entity, ...]) -> str:
    """The first contact within the evidence, with its service, or ''."""
    for entity in contacts:
        within = evidence.start <= entity.start and entity.end <= evidence.end
        if within and entity.part == evidence.part and entity.type in _CONTACT_ENTITIES:
            service = entity.platform.replace("_", " ")
            return shown(f"{service} {entity.text}")
    return ""


def _quoted(evidence: Evidence, contact: str) -> str:
    """The evidence; of one that is cut the contact in it, which must not be what is lost."""
    words = shown(evidence.text)
    return contact if contact and words.endswith(CUT) else words


def _place(evidence: Evidence) -> tuple[str, int]:
    return evidence.part, evidence.start


def _says_something(seen: str) -> bool:
    return " " in seen or columns(seen) >= _TELLING_COLUMNS or not seen.isalpha()
