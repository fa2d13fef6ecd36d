"""How well scores separate, and the table of docs/designs.md. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.metrics import roc_auc_score

from nlp.training.corpus import TrainingMail

SHARES: Final = (0.01, 0.02, 0.05)
LANGUAGES: Final = ("en", "fr", "zh", "others")
Scores = Sequence[float] | np.ndarray[Any, Any]
_HONEST: Final = "BENIGN_HARD"
_SEED: Final = 0
_DRAWS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One design: its scores for mails of writers left out (higher is more like a lure), its cost."""

    name: str
    scores: "np.ndarray[Any, Any]"
    milliseconds: float
    size: int


def recall_at(lures: Scores, honest: Scores, share: float) -> float:
    """The share of lures above the score that at most `share` of the honest mails exceed."""
    allowed = int(share * len(honest))
    threshold = sorted(honest, reverse=True)[allowed]
    return float(np.mean(np.asarray(lures) > threshold))


def recall_of(row: Row, mails: Sequence[TrainingMail], share: float) -> float:
    """The same for a design."""
    lures = [mail.is_lure for mail in mails]
    honest = [mail.mail_class == _HONEST for mail in mails]
    return recall_at(row.scores[lures], row.scores[honest], share)


def gap_interval(
    row: Row, other: Row, mails: Sequence[TrainingMail], writers: Sequence[str], share: float
) -> tuple[float, float]:
    """Where the recall of one less that of the other lies in 95 % of draws of as many writers."""
    lures = np.array([mail.is_lure for mail in mails])
    honest = np.array([mail.mail_class == _HONEST for mail in mails])
    names = np.array(writers)
    of_writer = [np.nonzero(names == name)[0] for name in sorted(set(writers))]
    chance = np.random.default_rng(_SEED)
    gaps = []
    for _ in range(_DRAWS):
        drawn = chance.integers(len(of_writer), size=len(of_writer))
        places = np.concatenate([of_writer[one] for one in drawn])
        some_lures, some_honest = places[lures[places]], places[honest[places]]
        recalls = [
            recall_at(each.scores[some_lures], each.scores[some_honest], share)
            for each in (row, other)
        ]
        gaps.append(recalls[0] - recalls[1])
    low, high = np.quantile(gaps, [0.025, 0.975])
    return float(low), float(high)


def area(lures: Scores, honest: Scores) -> float:
    """The chance that a lure scores above an honest mail, a tie counting half."""
    truth = [1] * len(lures) + [0] * len(honest)
    return float(roc_auc_score(truth, [*lures, *honest]))


def language_of(mail: TrainingMail) -> str:
    """The column a mail counts in."""
    code = mail.language[:2]
    return code if code in LANGUAGES else "others"


def table(rows: Sequence[Row], mails: Sequence[TrainingMail]) -> Iterator[str]:
    """The lines of the table."""
    shares = " | ".join(f"recall at {100 * share:.0f} %" for share in SHARES)
    yield f"| design | {shares} | area | {' | '.join(LANGUAGES)} | ms a mail | on disk |"
    yield "|---|" + "---:|" * (len(SHARES) + len(LANGUAGES) + 3)
    lures = np.array([mail.is_lure for mail in mails])
    honest = np.array([mail.mail_class == _HONEST for mail in mails])
    languages = np.array([language_of(mail) for mail in mails])
    for row in rows:
        recalls = [recall_of(row, mails, share) for share in SHARES]
        areas = [
            area(row.scores[lures & of_it], row.scores[honest & of_it])
            for of_it in (np.full(len(mails), True), *(languages == name for name in LANGUAGES))
        ]
        yield (
            f"| {row.name} | {' | '.join(f'{100 * one:.0f} %' for one in recalls)} "
            f"| {' | '.join(f'{one:.3f}' for one in areas)} "
            f"| {row.milliseconds:.1f} | {_megabytes(row.size)} |"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
