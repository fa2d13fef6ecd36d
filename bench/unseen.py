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
from nlp.model.kin import KinTable
from nlp.training.corpus import read_corpus
from nlp.training.examples import MailExample, examples
from nlp.training.kin_fit import fields_of
from nlp.training.points import points
from nlp.training.teacher import known_words, vectors
from nlp.training.train import teach

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
    places = points([mail.context for mail in read])
    # Not forked: the teacher may have left threads behind, and a fork would wait for their locks.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_fold, read, words, table, places, *fold) for fold in folds]
        for job in jobs:
            yield from job.result()


def _fold(
    read: Sequence[MailExample],
    words: "np.ndarray[Any, Any]",
    table: KinTable,
    places: "np.ndarray[Any, Any]",
    seen: "np.ndarray[Any, Any]",
    unseen: "np.ndarray[Any, Any]",
) -> list[Judged]:
    pipeline.warm()
    component = pipeline.trained()
    teach(component, [read[place] for place in seen], words, table, places[seen])
    return [judge(read[place].mail) for place in unseen]
