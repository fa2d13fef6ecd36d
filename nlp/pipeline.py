"""Text in, language, intents and entities out.

The screen decides first: what it lets go costs no spaCy. The rest is normalised, its entities are
masked, and the masked text goes through the pipeline as one document. Words of the newest text and
the subject make labels; signature and carried text (attachments, QR codes, calendar, cards) can
only offer a handle or add weight; quoted text labels nothing.

A trained component slots in behind the rules: it reads the same masked document and writes a span
group of its own; what the rules found stays apart.

Failure: none on any text. Text beyond the cap is left out and `truncated` says so.
"""

import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from nlp import lexicon
from nlp.analysis import (
    AnalysisResult,
    EntityResult,
    EntityType,
    IntentResult,
    ReadableText,
    Span,
    TextSegment,
)
from nlp.entities import find_entities
from nlp.intents.decide import Decision, decide
from nlp.language import identify
from nlp.masking import Masked, mask
from nlp.normalise import normalise
from nlp.screen import Screen

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

MAX_CHARACTERS: Final = 20_000
_MAX_CARRIED: Final = 4_000
_LANGUAGE_SAMPLE: Final = 1_200
_SECTIONS: Final = frozenset({"subject", "body", "signature", "attachment", "qr", "ics", "vcard"})
_OWN: Final = frozenset({"subject", "body"})
_CARRIED: Final = frozenset({"attachment", "qr", "ics", "vcard"})
_CAPITALISED: Final = re.compile(
    r"[A-ZÀ-ÖØ-ÞА-ЯЁ][\w&.'’-]{0,40}(?:\s(?:[A-ZÀ-ÖØ-ÞА-ЯЁ&][\w&.'’-]{0,40}|(?:de|du|of|und|y|e)\b)){0,5}"
    r"|(?<=[A-Za-z] )[\u3400-\u9fff\uac00-\ud7a3]{2,12}"
)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A segment's masked text and where it stands in the document."""

    segment: TextSegment
    masked: Masked
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.masked.text)


def analyse(readable: ReadableText) -> AnalysisResult:
    """Language always; intents and entities if the screen lets the text through."""
    started = time.perf_counter()
    language = identify(_sample(readable.segments))
    if not _screen().passes((*readable.segments, *readable.hidden), readable.links).passed:
        return AnalysisResult(
            language=language.code,
            intents=(),
            entities=(),
            screened=False,
            model_version=model_version(),
            elapsed_seconds=time.perf_counter() - started,
        )
    entities = find_entities(readable)
    stretches, truncated = _masked(readable.segments, entities)
    languages = word_lists_for((language.code, *language.others))
    decisions = _decisions(stretches, entities, languages)
    return AnalysisResult(
        language=language.code,
        intents=tuple(_intent(decision, stretches) for decision in decisions),
        entities=entities,
        screened=True,
        model_version=model_version(),
        truncated=truncated,
        elapsed_seconds=time.perf_counter() - started,
    )


def warm() -> None:
    """Load everything that a first message would load; a reader calls it before it serves."""
    text = "We would like to invite you to continue on another app."
    _screen()
    for language in lists():
        _decisions(
            [_Stretch(TextSegment(source="body", part="", text=text), _plain(text), 0)],
            (),
            ("any", language),
        )
    analyse(ReadableText(segments=(TextSegment(source="body", part="", text=text),)))


@lru_cache(maxsize=1)
def lists() -> tuple[str, ...]:
    """The languages that have a word list."""
    names = (path.name for path in files(lexicon).joinpath("intents").iterdir())
    stems = {name.removesuffix(".toml") for name in names if name.endswith(".toml")}
    return tuple(sorted(stems - {"grammar", "any"}))


def word_lists_for(codes: Iterable[str]) -> tuple[str, ...]:
    """The lists to read a text of these languages with; English where there is none."""
    known = [name for code in codes if (name := code.partition("-")[0]) in lists()]
    return ("any", *(dict.fromkeys(known) or ("en",)))


@lru_cache(maxsize=1)
def model_version() -> str:
    """Names the word lists and the grammar by their content: same version, same findings."""
    digest = hashlib.sha256()
    for path in sorted(files(lexicon).joinpath("intents").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            digest.update(path.read_bytes())
    return f"rules-{digest.hexdigest()[:12]}"


@lru_cache(maxsize=1)
def _screen() -> Screen:
    return Screen()


@lru_cache(maxsize=1)
def pipeline() -> "Pipeline":
    """The spaCy pipeline, built at first use: spaCy costs half a second to import."""
    import spacy

    from nlp.components import page, rules, tokenizer  # each registers what it names

    nlp = spacy.blank("xx", config={"nlp": {"tokenizer": {"@tokenizers": tokenizer.NAME}}})
    # Shape, prefix and the like of every new word: a third of the cost, and nothing here asks.
    nlp.vocab.lex_attr_getters = {}  # type: ignore[attr-defined]
    nlp.add_pipe(page.NAME)
    nlp.add_pipe(rules.NAME)
    return nlp


def _decisions(
    stretches: list[_Stretch], entities: tuple[EntityResult, ...], languages: tuple[str, ...]
) -> list[Decision]:
    text = "\n\n".join(stretch.masked.text for stretch in stretches)
    nlp = pipeline()
    with nlp.memory_zone():
        doc = nlp.make_doc(text)
        doc.user_data["sections"] = tuple(
            (stretch.segment.source, stretch.start, stretch.end) for stretch in stretches
        )
        doc.user_data["names"] = _names(stretches)
        doc.user_data["languages"] = languages
        doc = nlp(doc)
        return decide(doc._.matches, doc._.page, _facts(entities))


def _sample(segments: tuple[TextSegment, ...]) -> str:
    """The head of the newest text, else of whatever there is; the subject behind it."""
    bodies = [segment.text for segment in segments if segment.source == "body"]
    others = [segment.text for segment in segments if segment.source != "body"]
    return "\n".join([*bodies, *others])[:_LANGUAGE_SAMPLE]


def _masked(
    segments: tuple[TextSegment, ...], entities: tuple[EntityResult, ...]
) -> tuple[list[_Stretch], bool]:
    """The segments that speak, folded and masked, up to the cap."""
    stretches: list[_Stretch] = []
    start = 0
    truncated = False
    for segment in segments:
        if segment.source not in _SECTIONS:
            continue
        cap = _MAX_CARRIED if segment.source in _CARRIED else MAX_CHARACTERS
        room = min(cap, MAX_CHARACTERS - start)
        truncated = truncated or len(segment.text) > room
        if room <= 0:
            break
        view = normalise(segment.text[:room])
        own = [
            entity
            for entity in entities
            if entity.span.source == segment.source
            and entity.span.part == segment.part
            and segment.base <= entity.span.start
            and entity.span.end <= segment.base + room
        ]
        masked = mask(view, own, segment.base)
        stretches.append(_Stretch(segment, masked, start))
        start += len(masked.text) + 2
    return stretches, truncated


def _names(stretches: list[_Stretch]) -> tuple[tuple[int, int], ...]:
    """Runs of capitalised words in the body: all that a rule may know of a name is that it is one."""
    return tuple(
        (stretch.start + first, stretch.start + last)
        for stretch in stretches
        if stretch.segment.source == "body"
        for match in _CAPITALISED.finditer(stretch.masked.view.text)
        if (first := stretch.masked.position(match.start()))
        < (last := stretch.masked.position(match.end()))
    )


def _facts(entities: tuple[EntityResult, ...]) -> frozenset[str]:
    """What the recognisers know about ways to answer."""
    facts: set[str] = set()
    for entity in entities:
        is_handle = entity.type is EntityType.HANDLE
        is_contact = (
            is_handle
            or entity.type is EntityType.PHONE
            or (entity.type is EntityType.EMAILADDR and "freemail" in entity.flags)
        )
        if "hidden" in entity.flags or not (is_contact or entity.type is EntityType.PLATFORM):
            continue
        source = entity.span.source
        if is_contact and source in _OWN:
            facts.add("handle")
        elif is_contact and source == "signature":
            facts.add("signature_handle")
        elif is_handle and source in _CARRIED:
            facts.add("carried_handle")
        if is_handle and source in {"subject", "body", "signature"}:
            facts.add("own_handle")
        if "obfuscated" in entity.flags and source in _SECTIONS:
            facts.add("obfuscated")
    return frozenset(facts)


def _intent(decision: Decision, stretches: list[_Stretch]) -> IntentResult:
    spans = [span for place in decision.spans if (span := _span(place, stretches))]
    return IntentResult(
        label=decision.label,
        strength=decision.strength,
        spans=tuple(spans),
        attributes=tuple(sorted(decision.attributes)),
    )


def _span(place: tuple[int, int], stretches: list[_Stretch]) -> Span | None:
    """A stretch of the document in the text as written."""
    start, end = place
    for stretch in stretches:
        if stretch.start <= start < stretch.end:
            segment = stretch.segment
            last = min(end, stretch.end) - stretch.start
            first, last = stretch.masked.original_span(start - stretch.start, last)
            return Span(
                source=segment.source,
                part=segment.part,
                start=segment.base + first,
                end=segment.base + last,
                text=segment.text[first:last],
            )
    return None


def _plain(text: str) -> Masked:
    return mask(normalise(text), (), 0)
