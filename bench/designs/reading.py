"""The mails of train and dev as the designs see them, read once, and which of them all are asked about.

Whole writers are left out, the same as for the encoder (`nlp.training.context_fit`).
Failure: none of its own; what reading raises ends the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.judged import in_processes, judge
from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.entities import find_entities
from nlp.masking import NAMES
from nlp.model.features import words_of
from nlp.training.context_fit import LEFT_OUT
from nlp.training.corpus import TrainingMail

# Places that are learnt from, and places that are asked about.
Split = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedMail:
    """A mail whose identities are words of their kind, and what rules alone make of it.

    `words` are folded, Han and Hangul by the character, for spaCy's classifiers: the same tokens as
    the linear models have.
    """

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


def split_of(mails: Sequence[TrainingMail]) -> Split:
    """No writer is on both sides."""
    left_out = np.array([mail.writer in LEFT_OUT for mail in mails])
    return np.flatnonzero(~left_out), np.flatnonzero(left_out)


def stretches_of(mail: TrainingMail) -> list[pipeline._Stretch]:
    """Subject and body with their entities masked, as the pipeline masks them."""
    segments = segments_of(mail)
    readable = ReadableText(segments=segments, names=(mail.name,) if mail.name else ())
    return pipeline._masked(segments, find_entities(readable))[0]


def _masked_mail(mail: TrainingMail) -> MaskedMail:
    masked = [stretch.masked for stretch in stretches_of(mail)]
    folded = words_of("\n".join(one.text for one in masked))
    return MaskedMail(
        words=" ".join(NAMES.get(word, word) for word in folded),
        rules_db=judge(mail).rules_alone.score_db,
    )
