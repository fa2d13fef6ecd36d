"""What the points of mails say of lures, and how much it counts beside their words.

A network with one hidden layer over the numbers of a point; folds by writer give the scores that it
is weighed by beside the words where these leave it open, as in service both are asked of mail that
somebody else wrote.
Failure: none.
"""

import warnings
from typing import Any, Final

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier

from nlp.model.context import OPEN_FROM, OPEN_TO, Blend, ContextModel

_FOLDS: Final = 4
_UNITS: Final = 256
_EPOCHS: Final = 15
_BATCH: Final = 256
Numbers = np.ndarray[Any, Any]
_Network = tuple[Numbers, Numbers, Numbers, float]


def context_model(
    points: Numbers, truth: Numbers, groups: Numbers, by_words: Numbers
) -> ContextModel:
    """Learnt from points and truth; `by_words` are held-out probabilities of the words alone."""
    even = Blend(0.0, 1.0, 0.0)
    scores = np.zeros(len(truth))
    for seen, unseen in GroupKFold(_FOLDS).split(points, groups=groups):
        learnt = ContextModel(*network_of(points[seen], truth[seen]), even)
        scores[unseen] = [learnt.score(point) for point in points[unseen]]
    asked = (by_words >= OPEN_FROM) & (by_words <= OPEN_TO)
    both = np.column_stack([np.log(by_words[asked] / (1 - by_words[asked])), scores[asked]])
    blend = LogisticRegression(C=1.0, max_iter=1_000).fit(both, truth[asked])
    words, context = blend.coef_[0].tolist()
    return ContextModel(
        *network_of(points, truth), Blend(words, context, float(blend.intercept_[0]))
    )


def network_of(points: Numbers, truth: Numbers) -> _Network:
    """The hidden layer over the numbers as they come, and what its units say."""
    mean, spread = points.mean(axis=0), points.std(axis=0) + 1e-6
    network = MLPClassifier(
        (_UNITS,), alpha=0.1, batch_size=min(_BATCH, len(points)), learning_rate_init=5e-4,
        max_iter=_EPOCHS, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():  # it is to stop early: more epochs learn the writers by heart
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit((points - mean) / spread, truth)
    hidden = network.coefs_[0] / spread[:, None]
    hidden_bias = network.intercepts_[0] - mean @ hidden
    return (
        hidden.astype(np.float32), hidden_bias.astype(np.float32),
        network.coefs_[1][:, 0].astype(np.float32), float(network.intercepts_[1][0]),
    )  # fmt: skip
