"""`make calibrate`: what the weights are worth on mail that the model has not learnt from.

Judges train and dev by models that saw no mail of the same writer (bench/unseen.py), and ordinary
real mail by the shipped one, and writes docs/calibration.md: the reliability of the model's opinion,
what each threshold would tag, and what a regression with the weights' own bounds would give each
finding beside that opinion. Changes nothing: config/weights.toml is edited by hand after reading it.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize
from sklearn.model_selection import KFold

from bench.evaluation.ordinary import raw_mails
from bench.judged import in_processes, judge_raw
from bench.real import with_crlf
from bench.unseen import judged_unseen
from milter.judge.ledger import INTERACTION
from milter.mail.verdict import Verdict
from milter.settings.shipped import shipped_text

REPORT: Final = Path(__file__).parents[1] / "docs" / "calibration.md"
_CLASSES: Final = ("LURE", "SCAM", "BENIGN_HARD", "BENIGN_EASY", "REPORTED", "REAL")
_THRESHOLDS: Final = (10, 12, 15, 20, 25, 30, 35)
_BINS: Final = 10
_DB: Final = 10 / np.log(10)
_MOST_NATS: Final = 10 / _DB
_REAL_COUNTS: Final = 3.0  # one honest mail of the corpus stands for few, a real one for many
_PULL: Final = 3.0
_PRIOR_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Row:
    """A mail past the screen."""

    kind: str
    verdict: Verdict
    likeness: float


def main() -> None:
    """Judge, fit and write the report."""
    total = dict.fromkeys(_CLASSES, 0)
    rows: list[Row] = []
    for one in judged_unseen():
        kind = "LURE" if one.mail.is_lure else one.mail.mail_class
        total[kind] += 1
        likeness = one.analysis.likeness if one.analysis else None
        if one.screened:
            rows.append(Row(kind, one.verdict, 0.5 if likeness is None else likeness))
    for row in in_processes(_real, raw_mails()):
        total["REAL"] += 1
        if row is not None:
            rows.append(row)
    lines = [*_head(total), *_reliability(rows), *_at_thresholds(rows, total), *_fitted(rows)]
    REPORT.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"wrote {REPORT}")


def _real(record: tuple[str, str, str]) -> Row | None:
    reading, verdict = judge_raw(with_crlf(record[2].encode("latin-1")))
    if not reading.screened:
        return None
    likeness = reading.analysis.likeness if reading.analysis else None
    return Row("REAL", verdict, 0.5 if likeness is None else likeness)


def _head(total: dict[str, int]) -> Iterator[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in total.items())
    yield from (
        "# Calibration",
        "",
        "Written by `make calibrate`; do not edit. Mails of train and dev, each judged by a model that",
        "has seen no mail of the same writer (those of `nlp.training.context_fit`), and the ordinary real mail of",
        "../shared/corpora judged by the shipped model, which has seen none of it. Mail that follows a talk on a",
        "network comes after its notification, as in docs/evaluation.md. Everything else is as shipped.",
        f"{counts}.",
        "",
    )


def _reliability(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Does the model mean what it says?"
    yield ""
    yield "Mails of the corpus past the screen, by how like a lure or scam the model says they read."
    yield ""
    yield "| says | mails | mean of what it says | lures and scams |"
    yield "|---|---|---|---|"
    corpus = [row for row in rows if row.kind != "REAL"]
    for number in range(_BINS):
        here = [row for row in corpus if min(int(row.likeness * _BINS), _BINS - 1) == number]
        if here:
            said = np.mean([row.likeness for row in here])
            true = np.mean([row.kind in ("LURE", "SCAM") for row in here])
            low, high = number / _BINS, (number + 1) / _BINS
            yield f"| {low:.1f}–{high:.1f} | {len(here)} | {said:.2f} | {true:.2f} |"
    brier = np.mean([(row.likeness - (row.kind in ("LURE", "SCAM"))) ** 2 for row in corpus])
    yield ""
    yield f"Brier score {brier:.3f}."
    yield ""


def _at_thresholds(rows: Sequence[Row], total: dict[str, int]) -> Iterator[str]:
    yield "## What a threshold would tag"
    yield ""
    yield "Share of all mails of a kind (of REAL: their number) at or above a score, with evidence of two"
    yield "families; 20 dB is shipped."
    yield ""
    yield "| dB | " + " | ".join(_CLASSES) + " |"
    yield "|---|" + "---|" * len(_CLASSES)
    for threshold in _THRESHOLDS:
        cells = []
        for kind in _CLASSES:
            hits = sum(
                row.verdict.score_db >= threshold and len(row.verdict.families) >= 2
                for row in rows
                if row.kind == kind
            )
            cells.append(str(hits) if kind == "REAL" else f"{hits / max(1, total[kind]):.3f}")
        yield f"| {threshold} | " + " | ".join(cells) + " |"
    yield ""


def _fitted(rows: Sequence[Row]) -> Iterator[str]:
    """Bounded regression of lure or scam on findings and on the likeness in steps."""
    shipped = _shipped()
    names = [*shipped, *(f"likeness over {step}" for step in _STEPS)]
    data = np.array([_vector(row, names) for row in rows])
    truth = np.array([row.kind in ("LURE", "SCAM") for row in rows], dtype=float)
    counts = np.array([_REAL_COUNTS if row.kind == "REAL" else 1.0 for row in rows])
    prior = np.array([shipped.get(name, 0.0) / _DB * _PRIOR_SHARE for name in names])
    scores = np.zeros(len(rows))
    for seen, unseen in KFold(5, shuffle=True, random_state=0).split(data):
        fit = _fit(data[seen], truth[seen], counts[seen], prior)
        scores[unseen] = data[unseen] @ fit[1:]
    fit = _fit(data, truth, counts, prior)
    yield "## What a regression would give"
    yield ""
    yield "Logistic regression with the bounds of the table (evidence 0 to 10 dB, mitigation never above"
    yield "0), pulled towards a quarter of the shipped weight, real mail counted three times; five folds."
    yield "It says what a finding adds beside the likeness, which has counted the same words already:"
    yield "that is why the shipped table lets parts count less beside the whole (`beside_whole`)."
    yield ""
    yield "| finding | shipped dB | beside the likeness dB |"
    yield "|---|---|---|"
    for name, weight in sorted(zip(names, fit[1:], strict=True), key=lambda pair: -pair[1]):
        if abs(weight * _DB) >= 0.05:
            known = f"{shipped[name]:g}" if name in shipped else "–"
            yield f"| {name} | {known} | {weight * _DB:.1f} |"
    yield ""
    yield "| hard honest mail tagged | lures tagged by the regression | by the shipped score |"
    yield "|---|---|---|"
    kinds = np.array([row.kind for row in rows])
    shipped_scores = np.array([row.verdict.score_db for row in rows])
    for share in (0.01, 0.02, 0.03, 0.05):
        cells = [
            f"{(each[kinds == 'LURE'] > np.quantile(each[kinds == 'BENIGN_HARD'], 1 - share)).mean():.3f}"
            for each in (scores, shipped_scores)
        ]
        yield f"| {share:.0%} | {cells[0]} | {cells[1]} |"


_STEPS: Final = (0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.985, 0.995)


_TABLE: Final = tomllib.loads(shipped_text("weights.toml"))


def _shipped() -> dict[str, float]:
    """Weights of findings and interactions of the text, by code."""
    apart = (*_TABLE["scale"]["apart_from_text"], *_TABLE["scale"]["counter_families"])
    weights = {
        code: float(row["db"])
        for family, of_it in _TABLE["findings"].items()
        if family not in apart
        for code, row in of_it.items()
    }
    return weights | {row["name"]: float(row["db"]) for row in _TABLE["interactions"]}


def _vector(row: Row, names: Sequence[str]) -> list[float]:
    """What was found, by strength; what only the model found counts at its factor."""
    found = {weighed.finding.code: weighed for weighed in row.verdict.findings}
    values = []
    for name in names:
        weighed = found.get(name) or found.get(_TABLE["model"]["prefix"] + name)
        value = 0.0
        if name.startswith("likeness over "):
            value = float(row.likeness >= float(name.rsplit(" ", 1)[1]))
        elif weighed is not None:
            weak = weighed.finding.check != INTERACTION and weighed.finding.strength < 2
            value = _TABLE["scale"]["weak_factor"] if weak else 1.0
            value *= 1.0 if name in found else _TABLE["model"]["factor"]
        values.append(value)
    return values


def _fit(
    data: "np.ndarray[Any, Any]",
    truth: "np.ndarray[Any, Any]",
    counts: "np.ndarray[Any, Any]",
    prior: "np.ndarray[Any, Any]",
) -> "np.ndarray[Any, Any]":
    sign = 2 * truth - 1

    def loss(point: "np.ndarray[Any, Any]") -> tuple[float, "np.ndarray[Any, Any]"]:
        margin = sign * (data @ point[1:] + point[0])
        slope = -sign * counts / (1 + np.exp(np.clip(margin, -50, 50)))
        pull = point[1:] - prior
        value = (counts * np.logaddexp(0, -margin)).sum() + _PULL * (pull**2).sum()
        return float(value), np.concatenate([[slope.sum()], data.T @ slope + 2 * _PULL * pull])

    bounds = [(None, None)] + [(-_MOST_NATS, 0) if one < 0 else (0, _MOST_NATS) for one in prior]
    start = np.concatenate([[-3.0], prior])
    fitted: np.ndarray[Any, Any] = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds
    ).x
    return fitted


if __name__ == "__main__":
    main()
