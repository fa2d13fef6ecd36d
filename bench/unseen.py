"""Mails of train and dev, each judged by a model that has seen no mail of the same writer.

What fits weights and shows calibration must not have been learnt by heart, and a writer's next mail
is too much like the last: so whole writers are left out, not single mails.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from bench.judged import Judged, judge
from nlp import pipeline
from nlp.components.model import NAME, IntentModel
from nlp.model.kin import KinTable
from nlp.training.corpus import read_corpus
from nlp.training.examples import MailExample, examples
from nlp.training.familiar_fit import familiar_of
from nlp.training.kin_fit import fields_of
from nlp.training.teacher import known_words, vectors
from nlp.training.train import sentence_task, train, whole_task

_FOLDS = 4


def judged_unseen() -> Iterator[Judged]:
    """All mails of train and dev, fold by fold."""
    mails = read_corpus("train", "dev")
    known = known_words(mails)
    words = vectors(known, mails).astype(np.float32)
    table = KinTable(known, fields_of(words))
    read = list(examples(mails, table))
    groups = [mail.writer for mail in mails]
    folds = GroupKFold(_FOLDS).split(read, groups=groups)
    # Not forked: the teacher may have left threads behind, and a fork would wait for their locks.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_fold, read, words, table, *fold) for fold in folds]
        for job in jobs:
            yield from job.result()


def _fold(
    read: Sequence[MailExample],
    words: "np.ndarray[Any, Any]",
    table: KinTable,
    seen: "np.ndarray[Any, Any]",
    unseen: "np.ndarray[Any, Any]",
) -> list[Judged]:
    component = pipeline.pipeline().get_pipe(NAME)
    assert isinstance(component, IntentModel)
    pipeline.warm()
    learnt = [read[place] for place in seen]
    sentences, _ = train(sentence_task(learnt, words))
    whole, _ = train(whole_task(learnt))
    component.take(sentences, whole, table, familiar_of(learnt))
    return [judge(read[place].mail) for place in unseen]
