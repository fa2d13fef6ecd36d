"""The corpus as the model sees it: features and labels of every sentence and of every mail.

Each mail goes through the same reading as in service (entities, masking, page, rules), without the
screen. A sentence has the labels of the spans that it holds at least half of.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.components.model import seen_in
from nlp.entities import find_entities
from nlp.entities.everyday import words_in
from nlp.language import identify
from nlp.model.context import spelled
from nlp.model.features import screen_features, without_names, words_of
from nlp.model.fields import FieldTable
from nlp.screen import Screen
from nlp.training.corpus import MarkedText, TrainingMail

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

Blocks = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceExample:
    """A sentence of subject or body, with the names of its labels (`label` or `label.attribute`)."""

    blocks: Blocks
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailExample:
    """A mail, its sentences if labels are marked, the features of the whole, what the screen sees.

    `context` holds the sentences that the encoder reads, as it reads them; `told` are their places
    among all.
    """

    mail: TrainingMail
    sentences: tuple[SentenceExample, ...]
    blocks: Blocks
    context: tuple[str, ...]
    told: tuple[int, ...]
    screen: Blocks
    passed: bool


def examples(mails: Sequence[TrainingMail], table: FieldTable) -> Iterator[MailExample]:
    """One example for each mail, read on all cores."""
    # Not forked: the teacher may have left threads behind, and a fork would wait for their locks.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(example, table=table), mails, chunksize=500)


def example(mail: TrainingMail, table: FieldTable) -> MailExample:
    """Read one mail of the corpus."""
    segments = tuple(
        TextSegment(source=source, part=part, text=marked.text)
        for source, part, marked in (("subject", "", mail.subject), ("body", "1", mail.body))
        if marked.text
    )
    names = (mail.name,) if mail.name else ()
    readable = ReadableText(segments=segments, names=names)
    entities = find_entities(readable)
    stretches, _ = pipeline._masked(segments, entities)
    language = identify(pipeline._sample(pipeline.nameless(segments, entities)))
    lists = pipeline.word_lists_for((language.code, *language.others))
    nlp = _untrained()
    with nlp.memory_zone():
        doc = pipeline._document(nlp, stretches, lists)
        page = doc._.page
        sentences: list[SentenceExample] = []
        # Where no label is marked, a sentence teaches nothing.
        marked_up = page.sentences if mail.labels_marked else ()
        for index, sentence in enumerate(marked_up):
            stretch = next(one for one in stretches if one.start <= sentence.start < one.end)
            first, last = stretch.masked.original_span(
                sentence.start - stretch.start, min(sentence.end, stretch.end) - stretch.start
            )
            marked = mail.subject if stretch.segment.source == "subject" else mail.body
            seen = seen_in(page, doc._.matches, [index], table)
            sentences.append(
                SentenceExample(
                    blocks=tuple(map(frozenset, seen.blocks())),
                    names=_names(marked, first, last),
                )
            )
        common = words_in(page.language)
        whole = without_names(page.text, 0, len(page.text), page.capitals, common)
        words = [word for word in words_of(whole) if word in common or not word.islower()]
        seen = seen_in(page, doc._.matches, range(len(page.sentences)), table)
        context = tuple(spelled(page, seen.sentences, common))
    screened = _screen().passes(segments)
    return MailExample(
        mail=mail,
        screen=tuple(map(frozenset, screen_features(words, screened.cues))),
        passed=screened.passed,
        sentences=tuple(sentences),
        blocks=tuple(map(frozenset, seen.blocks())),
        context=context,
        told=tuple(seen.sentences),
    )


@lru_cache(maxsize=1)
def _untrained() -> "Pipeline":
    """What was trained before is not to be heard while the next is trained, nor need it be there."""
    return pipeline.untrained()


@lru_cache(maxsize=1)
def _screen() -> Screen:
    """The cues alone, as they are before the second look is trained."""
    return Screen(second_look=False)


def _names(marked: MarkedText, first: int, last: int) -> frozenset[str]:
    names: set[str] = set()
    for span in marked.spans:
        shared = min(span.end, last) - max(span.start, first)
        if span.is_entity or shared * 2 < min(span.end - span.start, last - first) or shared <= 0:
            continue
        label = span.label.lower()
        names.add(f"{label}.{span.attribute}" if span.attribute else label)
    return frozenset(names)
