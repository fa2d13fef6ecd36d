"""Classifiers over points of mails, alone and together with the log-odds of a linear design."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from bench.designs.linear import Unseen
from bench.designs.reading import FOLDS, Fold


def alone(
    classifier: Callable[[], Any],
    points: "np.ndarray[Any, Any]",
    truth: "np.ndarray[Any, Any]",
    folds: Sequence[Fold],
) -> tuple["np.ndarray[Any, Any]", Any]:
    """Scores for mails of writers left out, and the classifier of the last fold."""
    scores = np.zeros(len(points))
    for learnt, left_out in folds:
        fitted = classifier().fit(points[learnt], truth[learnt])
        scores[left_out] = fitted.decision_function(points[left_out])
    return scores, fitted


def together(
    classifier: Callable[[], Any],
    points: "np.ndarray[Any, Any]",
    linear: Unseen,
    truth: "np.ndarray[Any, Any]",
    writers: "np.ndarray[Any, Any]",
    folds: Sequence[Fold],
) -> "np.ndarray[Any, Any]":
    """Both scores weighed by a logistic regression over what neither had learnt by writer."""
    scores = np.zeros(len(points))
    for (learnt, left_out), within in zip(folds, linear.within, strict=True):
        held_out = cross_val_predict(
            classifier(), points[learnt], truth[learnt], groups=writers[learnt],
            cv=GroupKFold(FOLDS), method="decision_function",
        )  # fmt: skip
        weigher = LogisticRegression(random_state=0)
        weigher.fit(np.column_stack([held_out, within]), truth[learnt])
        fitted = classifier().fit(points[learnt], truth[learnt])
        both = [fitted.decision_function(points[left_out]), linear.scores[left_out]]
        scores[left_out] = weigher.decision_function(np.column_stack(both))
    return scores
