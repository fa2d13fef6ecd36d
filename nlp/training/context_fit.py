"""How much reading in context counts beside the words, where these leave it open.

In service both are asked of mail that somebody else wrote, so the writers that the encoder is never
taught (`nlp.training.tune`) say so: a regression over two numbers a mail; of a long mail the head is read here. Failure: ValueError if the
corpus has none of their mails.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from nlp.model.context import OPEN_FROM, OPEN_TO, Blend, ContextModel
from nlp.training.examples import MailExample

# A tenth of all mails, every language, some of the first and some of the last who wrote.
LEFT_OUT: Final = frozenset({"P1", "P2", "P3", "P4", "L1", "M1", "J8", "K3", "G44", "N6"})
Numbers = np.ndarray[Any, Any]


def is_left_out(read: Iterable[MailExample]) -> Numbers:
    """Whether the encoder is never taught with a mail."""
    return np.array([one.mail.writer in LEFT_OUT for one in read])


def fitted(
    context: ContextModel, read: Sequence[MailExample], truth: Numbers, by_words: Numbers
) -> ContextModel:
    """The same with its blend; `by_words` are held-out probabilities of the words alone."""
    asked = is_left_out(read) & (by_words >= OPEN_FROM) & (by_words <= OPEN_TO)
    places = np.flatnonzero(asked).tolist()
    scores = [context.score([(0, read[place].context)]) for place in places]
    words = np.log(by_words[places] / (1 - by_words[places]))
    model = LogisticRegression(C=1.0, max_iter=1_000)
    model.fit(np.column_stack([words, scores]), truth[places])
    weight, weight_of_context = model.coef_[0].tolist()
    blend = Blend(weight, weight_of_context, float(model.intercept_[0]))
    return ContextModel(changes=context.changes, head=context.head, blend=blend)
