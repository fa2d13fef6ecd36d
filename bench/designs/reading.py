"""The mails of train and dev as the designs see them, read once, and the folds that all share.

Folds leave out whole writers (`TrainingMail.writer`).
Failure: none of its own; what reading raises ends the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.model_selection import GroupKFold

from bench.judged import in_processes, judge
from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.entities import find_entities
from nlp.masking import NAMES, Masked
from nlp.model.features import words_of
from nlp.training.corpus import TrainingMail

FOLDS: Final = 4
Fold = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedMail:
    """A mail whose identities are words of their kind, and what rules alone make of it.

    `text` keeps the spelling, for embeddings; `words` are folded, Han and Hangul by the character,
    for spaCy's classifiers: the same tokens as the linear models have.
    """

    text: str
    words: str
    rules_db: float


def read_masked(mails: Sequence[TrainingMail]) -> list[MaskedMail]:
    """Every mail, on all cores."""
    return list(in_processes(_masked_mail, mails))


def segments_of(mail: TrainingMail) -> tuple[TextSegment, ...]:
    """Subject and body, as training reads them (`nlp.training.examples`)."""
    return tuple(
        TextSegment(source=source, part=part, text=marked.text)
        for source, part, marked in (("subject", "", mail.subject), ("body", "1", mail.body))
        if marked.text
    )


def folds_of(mails: Sequence[TrainingMail]) -> list[Fold]:
    """Places seen and unseen, fold by fold; no writer is on both sides."""
    groups = [mail.writer for mail in mails]
    return list(GroupKFold(FOLDS).split(groups, groups=groups))


def stretches_of(mail: TrainingMail) -> list[pipeline._Stretch]:
    """Subject and body with their entities masked, as the pipeline masks them."""
    segments = segments_of(mail)
    readable = ReadableText(segments=segments, names=(mail.name,) if mail.name else ())
    return pipeline._masked(segments, find_entities(readable))[0]


def _masked_mail(mail: TrainingMail) -> MaskedMail:
    masked = [stretch.masked for stretch in stretches_of(mail)]
    folded = words_of("\n".join(one.text for one in masked))
    return MaskedMail(
        text="\n".join(map(in_words, masked)),
        words=" ".join(NAMES.get(word, word) for word in folded),
        rules_db=judge(mail).rules_alone.score_db,
    )


def in_words(masked: Masked) -> str:
    """Masked text in the spelling of the mail, the name of its kind for every mask."""
    runs = zip(masked.cuts, masked.cuts[1:], masked.origins, masked.origins[1:], strict=False)
    return "".join(
        NAMES.get(masked.text[first:last], masked.view.text[start:end]).replace("_", " ")
        for first, last, start, end in runs
    )
