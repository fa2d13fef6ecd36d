"""Mails of train and dev, each judged by a model that has seen no mail of the same writer.

What fits weights and shows calibration must not have been learnt by heart, and a writer's next mail
is too much like the last: so whole writers are left out, not single mails. They are those whom the
encoder is never taught with (`nlp.training.context_fit`). Only how much its answers count beside the
words, some numbers for mails and for each label of sentences, was fitted on them.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.judged import Judged, judge
from nlp import pipeline
from nlp.model.fields import FieldTable
from nlp.training.context_fit import is_left_out
from nlp.training.corpus import read_corpus
from nlp.training.examples import examples
from nlp.training.fields_fit import fields_of
from nlp.training.teacher import known_words, vectors
from nlp.training.train import Learnt, learn


def judged_unseen() -> Iterator[Judged]:
    """The mails of the writers left out."""
    mails = read_corpus("train", "dev")
    known = known_words(mails)
    table = FieldTable(known, fields_of(vectors(known, mails)))
    read = list(examples(mails, table))
    left_out = is_left_out(read)
    context = pipeline.trained().context
    assert context is not None
    seen = [one for one, out in zip(read, left_out, strict=True) if not out]
    learnt = learn(seen, tuple(label.name for label in context.columns))
    unseen = [one.mail for one, out in zip(read, left_out, strict=True) if out]
    # Not forked: the teacher may have left threads behind, and a fork would wait for their locks.
    with ProcessPoolExecutor(
        2, mp_context=get_context("spawn"), initializer=_take, initargs=(learnt, table)
    ) as pool:
        yield from pool.map(judge, unseen, chunksize=50)


def _take(learnt: Learnt, table: FieldTable) -> None:
    """In a new process: the model that has not seen them, with the encoder that ships."""
    pipeline.warm()
    component = pipeline.trained()
    assert component.context is not None
    component.take(learnt.sentences, learnt.whole, table, learnt.familiar, component.context)
