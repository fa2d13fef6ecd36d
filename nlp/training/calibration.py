"""What scores on held-out rows mean: their weights in a probability, and from where on it is said.

Failure: ValueError where all rows are true or none is.
"""

from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

Numbers = np.ndarray[Any, Any]

# Of ordinary mail, nearly all that comes, the corpus holds the least.
ORDINARY_COUNTS: Final = 4.0
WEAK_PRECISION: Final = 0.7
PLAIN_PRECISION: Final = 0.9
# What is said is at least so likely, however few wrong ones were seen.
_LEAST: Final = 0.25
_NEVER: Final = 1.1


def platt(truth: Numbers, *scores: Numbers) -> tuple[float, ...]:
    """How much each of the scores of a row weighs in its log-odds, and last the offset."""
    model = LogisticRegression(C=1e6, solver="lbfgs", max_iter=1_000)
    rows = np.column_stack(scores)
    spread = rows.std(axis=0) + 1e-12
    model.fit(rows / spread, truth)
    return *(model.coef_[0] / spread).tolist(), float(model.intercept_[0])


def said_from(probabilities: Numbers, truth: Numbers, weighs: Numbers) -> tuple[float, float]:
    """The probabilities from which something is said, implied and plainly; above 1 for never."""
    weak, plain = (
        _threshold(probabilities, truth, weighs, precision)
        for precision in (WEAK_PRECISION, PLAIN_PRECISION)
    )
    return weak, max(weak, plain)


def _threshold(probabilities: Numbers, truth: Numbers, weighs: Numbers, precision: float) -> float:
    """The lowest probability above which at least this share is true."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum((truth * weighs)[order]) / np.cumsum(weighs[order])
    likely = probabilities[order]
    # Of equal ones all or none are said.
    is_last = np.append(likely[1:] < likely[:-1], True)
    enough = likely[is_last & (right >= precision)]
    return max(_LEAST, float(enough[-1])) if len(enough) else _NEVER
