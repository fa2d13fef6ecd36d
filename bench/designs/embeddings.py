"""What tells points of mails apart: points are those of the encoder that ships (`nlp.encoder`)."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nlp.model.context import Blend, ContextModel
from nlp.training.context_fit import network_of


def logistic() -> Any:
    """A plane between the points."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=0.02, max_iter=2_000, random_state=0)
    )


class Network(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The network that ships, as scikit-learn asks for classifiers."""

    def fit(self, points: "np.ndarray[Any, Any]", truth: "np.ndarray[Any, Any]") -> "Network":
        """Learn."""
        self.classes_ = np.array([False, True])
        self.model_ = ContextModel(*network_of(points, truth), Blend(0.0, 1.0, 0.0))
        return self

    def decision_function(self, points: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Log-odds."""
        return np.array([self.model_.score(point) for point in points])

    def predict(self, points: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Whether it is likelier a lure than not."""
        return self.decision_function(points) > 0
