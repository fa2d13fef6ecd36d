"""The language of a message as a check: asks `nlp`, answers in the gateway's own values.

The only module that knows `nlp`. It translates segments and links into `nlp`'s types, intents and
entities back into `Analysis`, and each label with its attributes into findings with evidence.
Which finding weighs what is configuration.

Failure: an exception of `nlp` is the caller's to catch (the runner makes it a failed outcome).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import Final

from milter.mail.analysis import Analysis, Entity, Intent
from milter.mail.finding import CheckOutcome, CheckStatus, Evidence, Finding, Source
from milter.mail.reading import Link, Segment
from nlp import pipeline
from nlp.analysis import (
    AnalysisResult,
    EntityResult,
    IntentLabel,
    IntentResult,
    LinkText,
    ReadableText,
    Span,
    TextSegment,
)

CHECK: Final = "language"

_MAX_EVIDENCE: Final = 4

# What the trained model found is a finding of its own beside that of the rules.
_MODEL: Final = "MODEL_"
_RULES_ONLY: Final = frozenset(
    {"HANDLE_OBFUSCATED", "HANDLE_CARRIED", "SYSTEM_TEMPLATE", "REPORTED"}
)

# A label without attributes that matter is one finding.
_PLAIN: Final = {
    IntentLabel.APPROACH: "APPROACH",
    IntentLabel.NO_CLIENT: "NO_CLIENT",
    IntentLabel.TRIAL: "TRIAL",
    IntentLabel.SENSITIVE: "SENSITIVE",
    IntentLabel.CONTACTS: "CONTACTS",
    IntentLabel.TRAVEL_MEET: "TRAVEL_MEET",
    IntentLabel.LURE_FILE: "LURE_FILE",
    IntentLabel.PLATFORM_CLAIM: "PLATFORM_CLAIM",
    IntentLabel.VAGUE_OFFER: "VAGUE_OFFER",
    IntentLabel.FULL_TERMS: "FULL_TERMS",
    IntentLabel.B_NAMED: "NAMED_EMPLOYER",
    IntentLabel.B_AGENCY: "AGENCY_SEARCH",
    IntentLabel.B_EXPERT: "COMPLIANCE_TEXT",
    IntentLabel.B_SCHED: "SCHEDULING",
    IntentLabel.B_ACAD: "ACADEMIC_PROGRAMME",
    IntentLabel.B_SYS: "SYSTEM_TEMPLATE",
    IntentLabel.B_ALERT: "SYSTEM_TEMPLATE",
    IntentLabel.N_SCAM: "SCAM_TASK",
    IntentLabel.N_PRED: "PREDATORY",
    IntentLabel.REPORTED: "REPORTED",
}

# Labels whose attributes are findings of their own.
_BY_ATTRIBUTE: Final = {
    IntentLabel.PAID_REPORT: {"written": "PAID_REPORT_WRITTEN", "call": "PAID_REPORT_CALL"},
    IntentLabel.MONEY: {"vague": "MONEY_VAGUE", "odd_channel": "MONEY_ODD"},
    IntentLabel.SECRECY: {"secrecy": "SECRECY", "urgency": "URGENCY", "boilerplate": "URGENCY"},
    IntentLabel.PROFILE: {"access": "PROFILE_ACCESS", "generic": "PROFILE_GENERIC"},
    IntentLabel.DATA_REQ: {
        "cv": "DATA_CV",
        "id_doc": "DATA_CLEARANCE",
        "bank": "DATA_CLEARANCE",
        "clearance": "DATA_CLEARANCE",
        "login": "DATA_LOGIN",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCheck:
    """What the language stage says; `screened` is True if it ran in full."""

    outcome: CheckOutcome
    analysis: Analysis
    screened: bool


def warm_language() -> None:
    """Load all that a first message would load; a reader calls it before it serves."""
    pipeline.warm()


def check_language(
    *,
    segments: tuple[Segment, ...],
    hidden: tuple[Segment, ...],
    links: tuple[Link, ...],
    file_names: tuple[str, ...],
    names: tuple[str, ...],
    own_domains: tuple[str, ...],
    read_in_full: bool = False,
    names_anyway: bool = False,
) -> LanguageCheck:
    """Language, intents and entities of a message, and the findings they make."""
    result = pipeline.analyse(
        ReadableText(
            segments=tuple(map(_segment, segments)),
            links=tuple(starmap(LinkText, links)),
            hidden=tuple(map(_segment, hidden)),
            file_names=file_names,
            names=names,
            own_domains=own_domains,
            read_in_full=read_in_full,
            names_anyway=names_anyway,
        )
    )
    findings = _merged(
        (
            *(finding for intent in result.intents for finding in _findings(intent)),
            *_likeness(result),
        )
    )
    return LanguageCheck(
        outcome=CheckOutcome(
            check=CHECK,
            status=CheckStatus.DONE,
            findings=findings,
            elapsed_seconds=result.elapsed_seconds,
        ),
        analysis=Analysis(
            language=result.language,
            intents=_intents(result.intents),
            entities=tuple(map(_entity, result.entities)),
            model_version=result.model_version,
            likeness=result.likeness,
            announces=result.announces,
            sketch=result.sketch,
            shape=result.shape,
            words=result.words,
            truncated=result.truncated,
            elapsed_seconds=result.elapsed_seconds,
        ),
        screened=result.screened,
    )


def _findings(intent: IntentResult) -> Iterator[Finding]:
    evidence = tuple(map(_evidence, intent.spans[:_MAX_EVIDENCE]))
    prefix = _MODEL if intent.origin == "model" else ""
    for code, strength in _codes(intent):
        if not prefix or code not in _RULES_ONLY:
            yield Finding(code=prefix + code, check=CHECK, strength=strength, evidence=evidence)


def _likeness(result: AnalysisResult) -> Iterator[Finding]:
    """Whether the whole reads like a lure or like honest mail; thresholds: `make calibrate`."""
    likeness = result.likeness
    if result.is_unfamiliar:
        yield Finding(code="READS_UNFAMILIAR", check=CHECK)
    if likeness is None:
        return
    evidence = tuple(map(_evidence, result.telling))
    for code, probability, weak, plain in (
        ("READS_LIKE_LURE", likeness, 0.45, 0.55),
        ("READS_VERY_LIKE_LURE", likeness, 0.65, 0.75),
        ("READS_MOST_LIKE_LURE", likeness, 0.8, 0.85),
        ("READS_LIKE_HONEST", 1 - likeness, 0.45, 0.6),
        ("READS_VERY_LIKE_HONEST", 1 - likeness, 0.97, 0.97),
    ):
        if probability >= weak:
            strength = 2 if probability >= plain else 1
            yield Finding(code=code, check=CHECK, strength=strength, evidence=evidence)


def _codes(intent: IntentResult) -> Iterator[tuple[str, int]]:
    strength = intent.strength
    attributes = intent.attributes
    if code := _PLAIN.get(intent.label):
        yield code, strength
    elif intent.label is IntentLabel.OFFPLATFORM:
        if "scheduling" in attributes:
            yield "OFFPLATFORM_SCHEDULING", strength
            return
        yield ("OFFPLATFORM" if "handle" in attributes else "OFFPLATFORM_NO_HANDLE"), strength
        if "obfuscated" in attributes:
            yield "HANDLE_OBFUSCATED", 2
        if "carried" in attributes:
            yield "HANDLE_CARRIED", 2
    else:
        codes = _BY_ATTRIBUTE.get(intent.label, {})
        for attribute in attributes:
            if code := codes.get(attribute):
                yield code, strength


def _merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding a code: the stronger one, with the evidence of both."""
    by_code: dict[str, Finding] = {}
    for finding in findings:
        first = by_code.get(finding.code)
        if first is None:
            by_code[finding.code] = finding
            continue
        by_code[finding.code] = Finding(
            code=finding.code,
            check=CHECK,
            strength=max(first.strength, finding.strength),
            evidence=tuple(dict.fromkeys((*first.evidence, *finding.evidence)))[:_MAX_EVIDENCE],
        )
    return tuple(by_code.values())


def _segment(segment: Segment) -> TextSegment:
    return TextSegment(
        source=segment.source.value, part=segment.part, text=segment.text, base=segment.base
    )


def _intents(results: Iterable[IntentResult]) -> tuple[Intent, ...]:
    """One intent a label, whoever found it: the stronger, with the words of both."""
    by_label: dict[str, Intent] = {}
    for result in results:
        name = result.label.value
        spans = tuple(map(_evidence, result.spans))
        first = by_label.get(name, Intent(label=name, strength=0, evidence=()))
        by_label[name] = Intent(
            label=name,
            strength=max(first.strength, result.strength),
            evidence=tuple(dict.fromkeys((*first.evidence, *spans))),
            attributes=tuple(sorted({*first.attributes, *result.attributes})),
        )
    return tuple(by_label[label.value] for label in IntentLabel if label.value in by_label)


def _evidence(span: Span) -> Evidence:
    return Evidence(
        source=Source(span.source), part=span.part, start=span.start, end=span.end, text=span.text
    )


def _entity(entity: EntityResult) -> Entity:
    span = entity.span
    return Entity(
        type=entity.type.value,
        text=span.text,
        value=entity.value,
        platform=entity.platform,
        source=Source(span.source),
        part=span.part,
        start=span.start,
        end=span.end,
        is_vague="vague" in entity.flags,
    )
