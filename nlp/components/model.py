"""The trained component: what each sentence says, and whether the whole reads like a lure.

Reads the same masked page as the rules and writes results of its own: `doc._.said` and the span
group `model`. Where the words do not rule out that the whole is like a lure, it reads it in context.
Of text that is unlike all it has learnt from it says nothing, nor without data (a fresh pipeline,
before training).
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components import page as _page  # noqa: F401 (registers doc._.page)
from nlp.encoder.weights import Floats
from nlp.entities.everyday import words_in
from nlp.intents.concepts import Page
from nlp.intents.decide import PASSAGE_WORDS
from nlp.intents.grammar import Match, grammar
from nlp.masking import TOKENS
from nlp.model.bank import Bank, Known, all_of
from nlp.model.context import OPEN_FROM, ContextModel, probability_of, spelled
from nlp.model.familiar import Familiar
from nlp.model.features import (
    WHO,
    concept_features,
    length_of,
    piece_features,
    rule_features,
    without_names,
    word_features,
    words_of,
)
from nlp.model.fields import FieldTable
from nlp.model.linear import LinearModel

NAME = "lurewall_model"
GROUP = "model"
WHOLE = "lure"
_OWN = frozenset({"subject", "body"})
_MAX_SENTENCES = 80
_CHAT_WORDS = 8
_GREETING_WORDS = 4
_WHO_ONE_IS = frozenset({"<name>", "introduction"})
# "I come from ...", "my mother tongue is ...": beside the name of an origin these say no more.
_WHERE_FROM = _WHO_ONE_IS | {"follow_up", "me", "my_handle", "employer_intro", "prior"}
_LIKELY = 0.5
_MOST_TELLING = 3
_ROW = itemgetter(0)
_SENTENCES, _WHOLE = 0, 1  # the places of the models in the bank

if not Doc.has_extension("said"):
    Doc.set_extension("said", default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """A label in a sentence, with its calibrated probability; the span counts in masked text."""

    name: str
    probability: float
    strength: int
    span: tuple[int, int]


@dataclass(slots=True)
class Heard:
    """All that the model says of a document; `lure` is None where it has no opinion.

    `is_unfamiliar` says that it has none because the text is unlike all that it has learnt from.
    """

    said: list[Said] = field(default_factory=list)
    lure: float | None = None
    is_unfamiliar: bool = False
    telling: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of some sentences the model looks at: runs of words, words, concepts, fields.

    `sentences` are those that say more than who somebody is.
    """

    runs: set[str]
    words: list[str]
    concepts: set[str]
    fields: set[str]
    sentences: list[int]

    def blocks(self) -> tuple[set[str], set[str], set[str], set[str]]:
        """The names of all features, block by block."""
        return self.runs, piece_features(self.words), self.concepts, self.fields


class IntentModel:
    """Callable on a document, as spaCy wants it."""

    def __init__(self) -> None:
        self.sentences: LinearModel | None = None
        self.whole: LinearModel | None = None
        self.table = FieldTable((), ())
        self.familiar = Familiar((), {})
        self.context: ContextModel | None = None
        self._bank = Bank()

    def take(
        self,
        sentences: LinearModel,
        whole: LinearModel,
        table: FieldTable,
        familiar: Familiar,
        context: ContextModel,
    ) -> None:
        """What training gives: the models, the words that have a field, and those that mails share."""
        labels = tuple(column.name for column in sentences.columns)
        if tuple(label.name for label in context.columns) != labels:
            raise ValueError("labels in context are not those by words")
        self.sentences, self.whole, self.table = sentences, whole, table
        self.familiar, self.context = familiar, context
        self._bank = Bank(sentences, whole)

    def warm(self) -> None:
        """Load what a first mail would load."""
        if self.context is not None:
            self.context.warm()

    def __call__(self, doc: Doc) -> Doc:
        doc._.said = self.hear(doc._.page, doc._.matches)
        doc.spans[GROUP] = [
            span
            for said in doc._.said.said
            if (
                span := doc.char_span(
                    said.span[0], said.span[1], label=said.name, alignment_mode="expand"
                )
            )
        ]
        return doc

    def hear(self, page: Page, matches: Sequence[Match]) -> Heard:
        """Labels of sentences and the likeness of the whole."""
        own = [index for index, one in enumerate(page.sentences) if one.section in _OWN]
        if self.sentences is None or self.whole is None or not own:
            return Heard()
        seen = {
            index: seen_in(page, matches, [index], self.table) for index in own[:_MAX_SENTENCES]
        }
        told = {
            index: one
            for index, one in seen.items()
            if not self.familiar.is_foreign(one.words, page.language)
        }
        words = [word for one in told.values() for word in one.words]
        if not told or not self.familiar.is_known(words, page.language):
            return Heard(is_unfamiliar=True)
        known = {
            index: self._bank.known(one.runs, one.words, one.concepts, one.fields)
            for index, one in told.items()
        }
        whole = self._bank.totals(_WHOLE, [all_of(list(known.values()))])
        by_words = float(self.whole.log_odds(whole)[0, 0])
        lure = probability_of(by_words)
        alone: dict[int, float] = {}
        in_context: Mapping[int, Floats] = {}
        if lure >= OPEN_FROM:  # else it is neither read again, nor anything telling in it
            alone = self._alone(known)
            if self.context is not None:
                spoken = [index for one in told.values() for index in one.sentences]
                sentences = zip(spoken, spelled(page, spoken, words_in(page.language)), strict=True)
                reading = self.context.read(sorted(sentences, key=lambda one: -alone[one[0]]))
                in_context = reading.labels
                lure = probability_of(self.context.log_odds(by_words, reading))
        return Heard(
            said=within_passage(self._said(page, known, in_context), page),
            lure=lure,
            telling=_telling(page, alone) if lure >= _LIKELY else [],
        )

    def _alone(self, known: Mapping[int, Known]) -> dict[int, float]:
        """How much each sentence speaks for a lure."""
        totals = self._bank.totals(_WHOLE, list(known.values()))[:, 0]
        return dict(zip(known, totals.tolist(), strict=True))

    def _said(
        self, page: Page, known: Mapping[int, Known], in_context: Mapping[int, Floats]
    ) -> list[Said]:
        """The labels of all sentences, heard in the words of each and, where it was read, in context."""
        assert self.sentences is not None
        totals = self._bank.totals(_SENTENCES, list(known.values()))
        indices = list(known)
        said = [one for one in self.sentences.said(totals) if indices[one[0]] not in in_context]
        if self.context is not None and in_context:
            by_words = self.sentences.log_odds(totals)
            for row, index in enumerate(indices):
                if index in in_context:
                    heard = self.context.said(by_words[row], in_context[index])
                    said += ((row, *one) for one in heard)
        spans = [(page.sentences[index].start, page.sentences[index].end) for index in indices]
        return [
            Said(name, probability, strength, spans[row])
            for row, name, probability, strength in sorted(said, key=_ROW)
        ]

    def to_disk(self, path: str | Path, **_: Any) -> None:
        if self.sentences is not None and self.whole is not None and self.context is not None:
            self.sentences.save(Path(path) / "sentences")
            self.whole.save(Path(path) / "whole")
            self.context.save(Path(path))
            self.table.save(Path(path))
            self.familiar.save(Path(path))

    def from_disk(self, path: str | Path, **_: Any) -> "IntentModel":
        folder = Path(path)
        self.take(
            LinearModel.load(folder / "sentences"),
            LinearModel.load(folder / "whole"),
            FieldTable.load(folder),
            Familiar.load(folder),
            ContextModel.load(folder),
        )
        return self


def _telling(page: Page, alone: Mapping[int, float]) -> list[tuple[int, int]]:
    """The sentences that make it read like a lure, at most three."""
    ranked = sorted(((total, index) for index, total in alone.items()), reverse=True)
    best = (page.sentences[index] for total, index in ranked[:_MOST_TELLING] if total > 0)
    return sorted((sentence.start, sentence.end) for sentence in best)


def within_passage(said: list[Said], page: Page) -> list[Said]:
    """Lure-side labels of the passage that says most, as for the rules; all others stay."""
    lure = {label.value for label in grammar().lure}
    asked = [one for one in said if one.name.partition(".")[0] in lure]
    best: set[int] = set()
    for first in asked:
        passage = [
            other
            for other in asked
            if other.span[0] >= first.span[0]
            and page.words_between(first.span[0], other.span[1]) <= PASSAGE_WORDS
        ]
        if len({one.name for one in passage}) > len({one.name for one in asked if id(one) in best}):
            best = {id(one) for one in passage}
    return [one for one in said if id(one) in best or one.name.partition(".")[0] not in lure]


def seen_in(
    page: Page,
    matches: Sequence[Match],
    indices: Sequence[int],
    table: FieldTable,
) -> Seen:
    """What the model sees of some sentences."""
    common = words_in(page.language)
    words: list[str] = []
    runs: set[str] = set()
    fields: set[str] = set()
    told: list[int] = []
    for index in indices:
        sentence = page.sentences[index]
        left = without_names(page.text, sentence.start, sentence.end, page.capitals, common)
        here = words_of(left)
        length = length_of(here)
        if length <= _CHAT_WORDS and _is_chat(page, index, length, common):
            continue
        told.append(index)
        runs |= word_features(here)
        words += here
        fields |= table.fields_of(left)
    concepts = concept_features(page.by_sentence[index] for index in told)
    concepts |= rule_features(_matches_in(page, told, matches))
    return Seen(runs=runs, words=words, concepts=concepts, fields=fields, sentences=told)


def _is_chat(page: Page, index: int, words: float, common: Container[str]) -> bool:
    """Whether a short sentence says no more than who somebody is or where from: greetings, wishes.

    One that names nobody is if it is as short as a greeting.
    """
    sentence = page.sentences[index]
    text = page.text[sentence.start : sentence.end]
    if (
        words > _GREETING_WORDS
        and WHO.isdisjoint(text)
        and all(
            page.text[first:last] in common
            for first, last in page.capitals
            if sentence.start <= first < sentence.end
        )
    ):
        return False
    said = _WHERE_FROM if TOKENS["origin"] in text else _WHO_ONE_IS
    return all(
        concept in said or not WHO.isdisjoint(page.text[hit.start : hit.end])
        for concept, hits in page.by_sentence[index].items()
        for hit in hits
    )


def _matches_in(page: Page, indices: Sequence[int], matches: Sequence[Match]) -> Iterable[Match]:
    spans = [(page.sentences[index].start, page.sentences[index].end) for index in indices]
    return (
        match for match in matches if any(start <= match.spans[0][0] < end for start, end in spans)
    )


@Language.factory(
    NAME, assigns=["doc._.said", "doc.spans"], requires=["doc._.page", "doc._.matches"]
)
def create(nlp: Language, name: str) -> IntentModel:
    """An empty model; its data come with the pipeline."""
    return IntentModel()
