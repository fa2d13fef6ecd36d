"""What a design costs: milliseconds a mail beyond the rules, and bytes on disk.

The CPU time of one thread, so that other work on the machine is not in it: the median over 200 mails
drawn at even steps, after some that load what is loaded at first use.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from bench.designs.linear import Linear, log_odds
from bench.designs.reading import MaskedMail, segments_of, stretches_of
from bench.designs.textcat import probability
from nlp import lexicon, pipeline
from nlp.analysis import ReadableText
from nlp.components.model import seen_in
from nlp.encoder.weights import weights_file
from nlp.entities.everyday import folded_everyday, words_in
from nlp.intents.concepts import Page
from nlp.intents.grammar import Match
from nlp.language import identify
from nlp.model.context import ContextModel
from nlp.model.features import piece_features, without_names, words_of
from nlp.model.fields import FieldTable
from nlp.model.linear import LinearModel
from nlp.training.corpus import TrainingMail

MAILS: Final = 200
_WARMING: Final = 20


class _NoFields(FieldTable):
    """Looks nothing up: what a design without fields pays."""

    def __init__(self) -> None:
        super().__init__((), ())

    def fields_of(self, text: str) -> set[str]:
        return set()


@dataclass(frozen=True, slots=True)
class Ruled:
    """A mail after the rules: what the linear designs start from."""

    page: Page
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """MAILS mails at even steps, in every form that a design starts from."""

    mails: tuple[TrainingMail, ...]
    masked: tuple[MaskedMail, ...]
    ruled: tuple[Ruled, ...]
    table: FieldTable

    @classmethod
    def of(
        cls,
        mails: Sequence[TrainingMail],
        masked: Sequence[MaskedMail],
        table: FieldTable,
    ) -> "Drawn":
        """From all mails."""
        places = np.linspace(0, len(mails) - 1, MAILS).astype(int)
        chosen = tuple(mails[place] for place in places)
        return cls(
            mails=chosen,
            masked=tuple(masked[place] for place in places),
            ruled=tuple(map(ruled, chosen)),
            table=table,
        )


def milliseconds(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """The median CPU time of `work` on an item."""
    taken = []
    with threadpool_limits(1):
        for item in items[:_WARMING]:
            work(item)
        for item in items:
            started = time.thread_time()
            work(item)
            taken.append(time.thread_time() - started)
    return 1000 * statistics.median(taken)


def of_rules(drawn: Drawn) -> float:
    """The language stage without the trained component: entities, masking, word lists, grammar."""
    component = pipeline.trained()
    whole, component.whole = component.whole, None
    try:
        return milliseconds(
            lambda mail: pipeline.analyse(ReadableText(segments=segments_of(mail))), drawn.mails
        )
    finally:
        component.whole = whole


def ruled(mail: TrainingMail) -> Ruled:
    """A mail with its page and the matches of the rules, ready for a linear design."""
    language = identify(pipeline._sample(segments_of(mail)))
    lists = pipeline.word_lists_for((language.code, *language.others))
    with pipeline.pipeline().memory_zone():
        doc = pipeline._document(pipeline.pipeline(), stretches_of(mail), lists)
        return Ruled(doc._.page, tuple(doc._.matches))


def of_linear(design: Linear, model: LinearModel, drawn: Drawn) -> float:
    """Features and sums; a design of pieces alone makes no other features."""
    table = drawn.table if design.asks_the_table else _NoFields()

    def whole(mail: Ruled) -> float:
        places = range(len(mail.page.sentences))
        seen = seen_in(mail.page, mail.matches, places, table)
        return log_odds(model, tuple(map(frozenset, seen.blocks())))

    def pieces(mail: Ruled) -> float:
        page = mail.page
        common = words_in(page.language)
        left = without_names(page.text, 0, len(page.text), page.capitals, common)
        found = piece_features(words_of(left))
        return log_odds(model, (frozenset(), frozenset(found), frozenset(), frozenset()))

    return milliseconds(whole if design.blocks[0] else pieces, drawn.ruled)


def of_textcat(nlp: Any, drawn: Drawn) -> float:
    """The classifier on words that stand ready."""
    return milliseconds(lambda mail: probability(nlp, mail.words), drawn.masked)


def of_context(context: ContextModel, texts: Sequence[list[tuple[int, str]]]) -> float:
    """The encoder on what it is given to read."""
    return milliseconds(context.read, texts)


def bytes_of_rules() -> int:
    """Word lists and grammar."""
    with as_file(files(lexicon)) as folder:
        return sum(
            path.stat().st_size
            for path in folder.rglob("*")
            if path.suffix != ".pyc" and path.is_file()
        )


def bytes_of_linear(design: Linear, model: LinearModel, drawn: Drawn) -> int:
    """What `make train` would write for it."""
    lists = [*folded_everyday(), *(drawn.table.words if design.asks_the_table else ())]
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        saved = sum(path.stat().st_size for path in Path(folder).iterdir())
    return saved + len("\n".join(lists).encode())


def bytes_of_context(context: ContextModel) -> int:
    """The file of the encoder's weights and what it was taught beyond."""
    with tempfile.TemporaryDirectory() as folder:
        context.save(Path(folder))
        saved = sum(path.stat().st_size for path in Path(folder).iterdir())
    return weights_file().stat().st_size + saved
