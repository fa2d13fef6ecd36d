"""Trains the model that ships: `make train`, deterministic.

Logistic regressions over the features of `nlp.model.features`: one for each label of sentences, one for
whole mails (lure or scam, or not). How mails and sentences read in context the encoder was taught before
(`make tune`); here its answers are weighed (`nlp.training.context_fit`). The train and dev splits are
fitted; folds by writer give the predictions that calibrate each column (Platt) and set its thresholds,
since what will be read was written by others. The test split is never read here.

Failure: FileNotFoundError where no encoder was taught.
"""

import argparse
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from nlp import pipeline
from nlp.components.model import NAME, WHOLE, IntentModel
from nlp.model.context import ContextModel
from nlp.model.familiar import Familiar
from nlp.model.fields import FieldTable
from nlp.model.linear import Column, LinearModel
from nlp.training.calibration import ORDINARY_COUNTS, platt, said_from
from nlp.training.context_fit import ByWords, fitted
from nlp.training.corpus import LURE_CLASSES, read_corpus
from nlp.training.examples import Blocks, MailExample, examples
from nlp.training.familiar_fit import familiar_of
from nlp.training.fields_fit import fields_of
from nlp.training.teacher import known_words, vectors

DATA: Final = Path(__file__).parents[1] / "model" / "data"
_FOLDS: Final = 4
_LEAST_POSITIVE: Final = 40
_LEAST_SEEN: Final = (2, 3, 2, 2)
_TO_SEE: Final = frozenset({*LURE_CLASSES, "SCAM"})
# From where on the second look of the screen lets mail pass that has the cues, and mail that has not: the
# first loses hardly any lure of writers not seen, the second follows from the share of real ordinary mail
# that may pass (docs/evaluation.md).
_SCREEN_FROM: Final = (0.2, 0.8)
_KEPT: Final = {"sentences": 40_000, "whole": 150_000, "screen": 25_000}
_STEPS: Final = 127
# Weights become whole numbers: finer ones cost several times as long.
_TOLERANCE: Final = 0.01
_REGULARISATION: Final = {"sentences": 1.0, "whole": 3.0, "screen": 0.5}
_BALANCE: Final = {"screen": "balanced"}
# Nearly all that comes is honest: a label that is heard there is as bad as three in lures and scams.
_HONEST_COUNTS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Rows of features with the truth of each column, and the writer of each row.

    `counts` is how often each row counts where not once, `weighs` how much where thresholds are set.
    """

    name: str
    rows: list[Blocks]
    truth: "np.ndarray[Any, Any]"
    columns: tuple[str, ...]
    groups: "np.ndarray[Any, Any]"
    counts: "np.ndarray[Any, Any] | None" = None
    weighs: "np.ndarray[Any, Any] | None" = None


def labels_of(mails: Sequence[MailExample]) -> tuple[str, ...]:
    """The labels of sentences that have enough examples, in the order of their names."""
    counts = Counter(name for mail in mails for row in mail.sentences for name in row.names)
    return tuple(sorted(name for name, count in counts.items() if count >= _LEAST_POSITIVE))


def sentence_task(mails: Sequence[MailExample], columns: tuple[str, ...]) -> Task:
    """Every sentence of every labelled mail; columns are labels (`labels_of`)."""
    rows = [sentence for mail in mails for sentence in mail.sentences]
    groups = [mail.mail.writer for mail in mails for _ in mail.sentences]
    truth = np.array([[name in row.names for name in columns] for row in rows])
    return Task(
        name="sentences",
        rows=[row.blocks for row in rows],
        truth=truth,
        columns=columns,
        groups=np.array(groups),
        weighs=np.array(
            [
                1.0 if mail.mail.mail_class in _TO_SEE else _HONEST_COUNTS
                for mail in mails
                for _ in mail.sentences
            ]
        ),
    )


def whole_task(mails: Sequence[MailExample]) -> Task:
    """Every mail; the one column is whether it is a lure or a scam, which live by the same moves."""
    return Task(
        name="whole",
        rows=[mail.blocks for mail in mails],
        truth=np.array([[mail.mail.mail_class in _TO_SEE] for mail in mails]),
        columns=(WHOLE,),
        groups=np.array([mail.mail.writer for mail in mails]),
        counts=np.array(
            [ORDINARY_COUNTS if one.mail.mail_class == "BENIGN_EASY" else 1.0 for one in mails]
        ),
    )


def screen_task(mails: Sequence[MailExample]) -> Task:
    """Lures and scams against ordinary mail: what is hard to tell is for the full stage to tell."""
    kept = [mail for mail in mails if mail.mail.mail_class in (*_TO_SEE, "BENIGN_EASY")]
    return Task(
        name="screen",
        rows=[mail.screen for mail in kept],
        truth=np.array([[mail.mail.mail_class in _TO_SEE] for mail in kept]),
        columns=("screen",),
        groups=np.array([mail.mail.writer for mail in kept]),
    )


def vocabulary_of(rows: Sequence[Blocks]) -> dict[str, int]:
    """Features seen often enough, in the order of their names."""
    seen = [Counter[str]() for _ in rows[0]]
    for blocks in rows:
        for counter, block in zip(seen, blocks, strict=True):
            counter.update(block)
    names = sorted(
        name
        for counter, least in zip(seen, _LEAST_SEEN[: len(seen)], strict=True)
        for name, count in counter.items()
        if count >= least
    )
    return {name: place for place, name in enumerate(names)}


def matrix_of(rows: Sequence[Blocks], vocabulary: dict[str, int]) -> csr_matrix:
    """The rows as the service sums them: each block divided by the root of what is known of it."""
    data: list[float] = []
    indices: list[int] = []
    starts = [0]
    for blocks in rows:
        for block in blocks:
            known = sorted(place for name in block if (place := vocabulary.get(name)) is not None)
            indices += known
            data += [1.0 / max(1, len(known)) ** 0.5] * len(known)
        starts.append(len(indices))
    matrix = csr_matrix((data, indices, starts), shape=(len(rows), len(vocabulary)))
    matrix.sort_indices()  # what the solver takes for granted
    return matrix


def rareness(matrix: csr_matrix) -> "np.ndarray[Any, Any]":
    """How much a feature counts for being rare (inverse document frequency)."""
    seen = np.asarray((matrix > 0).sum(axis=0)).ravel()
    rare: np.ndarray[Any, Any] = np.log((1 + matrix.shape[0]) / (1 + seen)) + 1
    return rare


def fit(
    task: Task, matrix: csr_matrix, picked: "np.ndarray[Any, Any]"
) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """Weights (features by columns, rareness in them) and biases; `matrix` has the picked rows."""
    truth = task.truth[picked]
    counts = None if task.counts is None else task.counts[picked]
    rare = rareness(matrix)
    matrix = (matrix @ diags(rare)).tocsr()
    matrix.sort_indices()  # other processes only read it
    fitted_columns = Parallel(n_jobs=-1 if truth.shape[1] > 1 else 1)(
        delayed(_column)(task.name, matrix, column, counts) for column in truth.T
    )
    weights, biases = map(np.array, zip(*fitted_columns, strict=True))
    return weights.T * rare[:, None], biases


def _column(
    name: str,
    matrix: csr_matrix,
    truth: "np.ndarray[Any, Any]",
    counts: "np.ndarray[Any, Any] | None",
) -> tuple["np.ndarray[Any, Any]", float]:
    """The weights of one column, and its bias."""
    model = LogisticRegression(
        C=_REGULARISATION[name], solver="liblinear", dual=True, max_iter=2_000, tol=_TOLERANCE,
        random_state=0, class_weight=_BALANCE.get(name),
    )  # fmt: skip
    model.fit(matrix, truth, sample_weight=counts)
    return model.coef_[0], float(model.intercept_[0])


def held_out_scores(task: Task) -> "np.ndarray[Any, Any]":
    """For every row the scores of models that have not seen its writer."""
    scores = np.zeros(task.truth.shape)
    for seen, unseen in GroupKFold(_FOLDS).split(task.rows, groups=task.groups):
        vocabulary = vocabulary_of([task.rows[place] for place in seen])
        weights, biases = fit(
            task, matrix_of([task.rows[place] for place in seen], vocabulary), seen
        )
        scores[unseen] = (
            matrix_of([task.rows[place] for place in unseen], vocabulary) @ weights + biases
        )
    return scores


def train(task: Task) -> tuple[LinearModel, "np.ndarray[Any, Any]"]:
    """The model, and the held-out probabilities that its calibration stands on."""
    scores = held_out_scores(task)
    vocabulary, weights, biases = _fitted(task)
    scales = np.abs(weights).max(axis=0) / _STEPS
    probabilities = np.zeros(scores.shape)
    columns = []
    weighs = np.ones(len(task.rows)) if task.weighs is None else task.weighs
    for place, name in enumerate(task.columns):
        truth = task.truth[:, place]
        slope, offset = platt(truth, scores[:, place])
        probabilities[:, place] = 1 / (1 + np.exp(-(slope * scores[:, place] + offset)))
        weak, plain = said_from(probabilities[:, place], truth, weighs)
        columns.append(
            Column(
                name=name, scale=float(scales[place]), bias=float(biases[place]),
                slope=slope, offset=offset, weak=weak, plain=plain,
            )
        )  # fmt: skip
    steps = np.round(weights / scales).astype(np.int8)
    return LinearModel(vocabulary, steps, tuple(columns)), probabilities


def _fitted(task: Task) -> tuple[dict[str, int], "np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """The strongest features, refitted without the others, their weights and the biases."""
    vocabulary = vocabulary_of(task.rows)
    every = np.arange(len(task.rows))
    weights, _ = fit(task, matrix_of(task.rows, vocabulary), every)
    order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")
    strongest = set(order[: _KEPT[task.name]].tolist())
    names = sorted(name for name, place in vocabulary.items() if place in strongest)
    vocabulary = {name: place for place, name in enumerate(names)}
    weights, biases = fit(task, matrix_of(task.rows, vocabulary), every)
    return vocabulary, weights, biases


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is learnt from words, and what models say of the mails and sentences of other writers."""

    sentences: LinearModel
    whole: LinearModel
    familiar: Familiar
    by_words: ByWords


def learn(read: Sequence[MailExample], columns: tuple[str, ...]) -> Learnt:
    """All that some mails teach of words; `columns` are the labels of sentences."""
    task = sentence_task(read, columns)
    sentences, heard = train(task)
    whole, likely = train(whole_task(read))
    assert task.weighs is not None
    return Learnt(sentences, whole, familiar_of(read), ByWords(likely[:, 0], heard, task.weighs))


def main() -> None:
    """Train and write the pipeline."""
    parser = argparse.ArgumentParser(prog="python -m nlp.training.train")
    parser.add_argument("--output", type=Path, default=DATA)
    arguments = parser.parse_args()
    context = ContextModel.load(DATA / NAME)
    mails = read_corpus("train", "dev")
    known = known_words(mails)
    table = FieldTable(known, fields_of(vectors(known, mails)))
    read = list(examples(mails, table))
    nlp = pipeline.untrained()
    component = nlp.get_pipe(NAME)
    assert isinstance(component, IntentModel)
    # Those that the encoder was taught: what is heard in both ways has to be the same.
    learnt = learn(read, tuple(label.name for label in context.columns))
    truth = whole_task(read).truth[:, 0]
    context = fitted(context, read, truth, learnt.by_words)
    component.take(learnt.sentences, learnt.whole, table, learnt.familiar, context)
    # Beside what there is, so that nothing is lost if this stops: the encoder took long to teach.
    written = arguments.output.with_name(f"{arguments.output.name}.new")
    shutil.rmtree(written, ignore_errors=True)
    nlp.to_disk(written)
    screen, _ = train(screen_task(read))
    column = replace(screen.columns[0], weak=_SCREEN_FROM[0], plain=_SCREEN_FROM[1])
    screen.with_columns((column,)).save(written / "screen")
    shutil.rmtree(arguments.output, ignore_errors=True)
    written.rename(arguments.output)
    print(f"{len(read)} mails; wrote {arguments.output}")


if __name__ == "__main__":
    main()
