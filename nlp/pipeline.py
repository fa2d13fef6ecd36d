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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Final

from nlp import lexicon, model
from nlp.analysis import (
    AnalysisResult,
    EntityResult,
    EntityType,
    IntentLabel,
    IntentResult,
    ReadableText,
    Span,
    TextSegment,
)
from nlp.announced import announces_somebody
from nlp.encoder.layers import LAYERS
from nlp.encoder.weights import DIGEST
from nlp.entities import find_entities
from nlp.entities.everyday import FUNCTION, words_in
from nlp.entities.extensions import EXTENSION
from nlp.intents.decide import Decision, decide
from nlp.language import identify
from nlp.masking import TOKENS, Masked, mask
from nlp.model.decide import decided
from nlp.normalise import normalise
from nlp.screen import Screen
from nlp.sketch import bands_of, own_words, rare_words, shape_of

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline
    from spacy.tokens import Doc

    from nlp.components.model import Heard, IntentModel

MAX_CHARACTERS: Final = 20_000
_MAX_CARRIED: Final = 4_000
_LANGUAGE_SAMPLE: Final = 1_200
_SECTIONS: Final = frozenset({"subject", "body", "signature", "attachment", "qr", "ics", "vcard"})
_OWN: Final = frozenset({"subject", "body"})
_CARRIED: Final = frozenset({"attachment", "qr", "ics", "vcard"})
# A Latin name ends where Han or Hangul goes on without a blank ("Kim老师您好").
_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_REST: Final = rf"(?:[&.'’-]|[^\W{_UNSPACED}]){{0,40}}"
_CAPITALISED: Final = re.compile(
    rf"[A-ZÀ-ÖØ-ÞА-ЯЁ]{_REST}(?:\s(?:[A-ZÀ-ÖØ-ÞА-ЯЁ&]{_REST}|(?:de|du|of|und|y|e)\b)){{0,5}}"
    r"|(?<=[A-Za-z] )[\u3400-\u9fff\uac00-\ud7a3]{2,12}"
)

# A name that is known to be a place, a language or a date is nobody's employer; nor is a person.
_NO_EMPLOYER: Final = frozenset(TOKENS[kind] for kind in ("place", "origin", "date"))
_APART: Final = "\n\n"
_LETTERS: Final = re.compile(rf"[^\W\d_{_UNSPACED}]+")


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
    """Language always; intents and entities if the screen lets the text through, or is not asked."""
    started = time.perf_counter()
    language = identify(_sample(readable.segments))
    if not (readable.read_in_full or _passes(readable)):
        entities = find_entities(readable) if readable.names_anyway else ()
        return AnalysisResult(
            language=language.code,
            intents=(),
            entities=entities,
            screened=False,
            model_version=model_version(),
            words=rare_words(masked_words(readable, entities)) if readable.names_anyway else (),
            elapsed_seconds=time.perf_counter() - started,
        )
    entities = find_entities(readable)
    stretches, truncated = _masked(readable.segments, entities)
    # A name in another language is no reason to read the text by its word lists.
    language = identify(_sample(nameless(readable.segments, entities)))
    languages = word_lists_for((language.code, *language.others))
    facts = _facts(entities)
    decisions, heard, shape = _read(stretches, facts, languages)
    words = _own_words(stretches)
    is_report = any(decision.label is IntentLabel.REPORTED for decision in decisions)
    return AnalysisResult(
        language=language.code,
        intents=(
            *(_intent(decision, stretches) for decision in decisions),
            *(
                _intent(decision, stretches, "model")
                for decision in decided(heard, facts, is_report=is_report)
            ),
        ),
        entities=entities,
        screened=True,
        model_version=model_version(),
        likeness=heard.lure,
        telling=tuple(span for place in heard.telling if (span := _span(place, stretches))),
        is_unfamiliar=heard.is_unfamiliar,
        announces=announces_somebody(readable.segments, languages),
        sketch=bands_of(words),
        shape=shape,
        words=rare_words(words),
        truncated=truncated,
        elapsed_seconds=time.perf_counter() - started,
    )


def _passes(readable: ReadableText) -> bool:
    return _screen().passes((*readable.segments, *readable.hidden), readable.links).passed


def warm() -> None:
    """Load everything that a first message would load; a reader calls it before it serves."""
    text = "We would like to invite you to continue on another app."
    _screen()
    rare_words(text.split())
    for language in lists():
        _read(
            [_Stretch(TextSegment(source="body", part="", text=text), _plain(text), 0)],
            frozenset(),
            ("any", language),
        )
    analyse(ReadableText(segments=(TextSegment(source="body", part="", text=text),)))
    trained().warm()
    for language in lists():
        words_in(language)


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
    """Names word lists, grammar and trained data by their content: same version, same findings."""
    digest = hashlib.sha256(f"{DIGEST} {LAYERS}".encode())
    for path in (*_data_files(files(lexicon)), *_data_files(files(model).joinpath("data"))):
        digest.update(path.read_bytes())
    return f"lists-{digest.hexdigest()[:12]}"


def _data_files(folder: Traversable) -> Iterator[Traversable]:
    """All files but code in a fixed order; none where there is no such folder."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.is_dir():
            yield from _data_files(path)
        elif not path.name.endswith((".py", ".pyc")):
            yield path


@lru_cache(maxsize=1)
def _screen() -> Screen:
    return Screen()


@lru_cache(maxsize=1)
def pipeline() -> "Pipeline":
    """The spaCy pipeline that ships, loaded at first use: spaCy costs half a second to import."""
    nlp = untrained()
    data = files(model).joinpath("data")
    with as_file(data) as folder:
        if (folder / "meta.json").is_file():
            nlp.from_disk(folder)
    # Shape, prefix and the like of every new word: a third of the cost, and nothing here asks.
    nlp.vocab.lex_attr_getters = {}  # type: ignore[attr-defined]
    return nlp


def trained() -> "IntentModel":
    """The trained component of the pipeline that ships."""
    component: IntentModel = pipeline().get_pipe("lurewall_model")  # type: ignore[assignment]
    return component


def untrained() -> "Pipeline":
    """The same components without what training gives them."""
    import spacy

    # Each registers what it names.
    from nlp.components import model as trained
    from nlp.components import page, rules, tokenizer

    nlp = spacy.blank("xx", config={"nlp": {"tokenizer": {"@tokenizers": tokenizer.NAME}}})
    for name in (page.NAME, rules.NAME, trained.NAME):
        nlp.add_pipe(name)
    return nlp


def _read(
    stretches: list[_Stretch], facts: frozenset[str], languages: tuple[str, ...]
) -> tuple[list[Decision], "Heard", str]:
    """What the rules decide, what the model heard, and the order of moves."""
    with pipeline().memory_zone():
        doc = _document(pipeline(), stretches, languages)
        page = doc._.page
        decisions = decide(doc._.matches, page, facts)
        body = [(one.start, one.end) for one in stretches if one.segment.source == "body"]
        starts = [sentence.start for sentence in page.sentences]
        return decisions, doc._.said, shape_of(page.text, body, starts, decisions)


def masked_words(readable: ReadableText, entities: tuple[EntityResult, ...]) -> list[str]:
    """The sender's own words of the newest text, without anybody's name."""
    return _own_words(_masked(readable.segments, entities)[0])


def _own_words(stretches: list[_Stretch]) -> list[str]:
    own = [replace(one, start=0) for one in stretches if one.segment.source == "body"]
    return [word for one in own for word in own_words(one.masked.text, _capitals([one]))]


def _document(nlp: "Pipeline", stretches: list[_Stretch], languages: tuple[str, ...]) -> "Doc":
    """The masked text as one document that has gone through a pipeline."""
    doc = nlp.make_doc(_APART.join(stretch.masked.text for stretch in stretches))
    doc.user_data["sections"] = tuple(
        (stretch.segment.source, stretch.start, stretch.end) for stretch in stretches
    )
    doc.user_data["names"] = _names(stretches)
    doc.user_data["capitals"] = _capitals(stretches)
    doc.user_data["languages"] = languages
    doc.user_data["spelled"] = _APART.join(stretch.masked.spelled for stretch in stretches)
    return nlp(doc)


def _sample(segments: tuple[TextSegment, ...]) -> str:
    """The head of the newest text, else of whatever there is; the subject behind it."""
    bodies = [segment.text for segment in segments if segment.source == "body"]
    others = [segment.text for segment in segments if segment.source != "body"]
    return "\n".join([*bodies, *others])[:_LANGUAGE_SAMPLE]


def nameless(
    segments: tuple[TextSegment, ...], entities: tuple[EntityResult, ...]
) -> tuple[TextSegment, ...]:
    """The segments with a blank for every entity."""
    spans = sorted(
        {(one.span.part, one.span.source, one.span.start, one.span.end) for one in entities}
    )
    result = []
    for segment in segments:
        pieces: list[str] = []
        done = 0
        for part, source, first, last in spans:
            start, end = first - segment.base, last - segment.base
            if (part, source) == (segment.part, segment.source) and done <= start < end:
                pieces.append(segment.text[done:start])
                done = end
        pieces.append(segment.text[done:])
        result.append(replace(segment, text=" ".join(pieces)))
    return tuple(result)


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
        start += len(masked.text) + len(_APART)
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
        and stretch.masked.text[first:last].rstrip(".,-'") not in _NO_EMPLOYER
        and TOKENS["person"] not in stretch.masked.text[max(0, first - 1) : last]
        and match.group().lower() not in FUNCTION
    )


def _capitals(stretches: list[_Stretch]) -> tuple[tuple[int, int], ...]:
    """Every word that is written with a capital letter, be it within ("eBay")."""
    return tuple(
        (stretch.start + first, stretch.start + last)
        for stretch in stretches
        for match in _LETTERS.finditer(stretch.masked.view.text)
        if match.group() != match.group().lower()
        and (first := stretch.masked.position(match.start()))
        < (last := stretch.masked.position(match.end()))
    )


def _facts(entities: tuple[EntityResult, ...]) -> frozenset[str]:
    """What the recognisers know about ways to answer."""
    facts: set[str] = set()
    for entity in entities:
        is_handle = entity.type is EntityType.HANDLE
        is_contact = (
            is_handle
            or (entity.type is EntityType.PHONE and EXTENSION not in entity.flags)
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


def _intent(decision: Decision, stretches: list[_Stretch], origin: str = "rules") -> IntentResult:
    spans = [span for place in decision.spans if (span := _span(place, stretches))]
    return IntentResult(
        label=decision.label,
        strength=decision.strength,
        spans=tuple(spans),
        attributes=tuple(sorted(decision.attributes)),
        origin=origin,
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
