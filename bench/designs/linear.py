"""The linear designs: some blocks of features, trained as the shipped model is.

Each is trained with `nlp.training.train.train`: the same vocabulary limits, weights in small whole
numbers and calibration as `make train`, and gives its calibrated log-odds for the writers left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from bench.designs.reading import Split
from nlp.model.linear import LinearModel
from nlp.training.examples import Blocks, MailExample
from nlp.training.train import Task, train, whole_task

_NO_BLOCK: Final = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Which blocks it looks at (words, pieces, concepts, fields)."""

    blocks: tuple[bool, bool, bool, bool]

    @property
    def asks_the_table(self) -> bool:
        """Whether words are looked up in the table of fields."""
        return self.blocks[-1]

    def seen(self, mail: MailExample) -> Blocks:
        """What it sees of a mail."""
        kept = zip(mail.blocks, self.blocks, strict=True)
        return tuple(block if wanted else _NO_BLOCK for block, wanted in kept)

    def task(self, mails: Sequence[MailExample]) -> Task:
        """What `train` is to learn from these mails."""
        return replace(whole_task(mails), rows=[self.seen(mail) for mail in mails])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Log-odds for mails of writers left out, in their order, and the model that gave them."""

    scores: "np.ndarray[Any, Any]"
    model: LinearModel


def unseen(
    design: Linear,
    mails: Sequence[MailExample],
    split: Split,
) -> Unseen:
    """The scores of one design."""
    learnt, left_out = split
    model, _ = train(design.task([mails[place] for place in learnt]))
    scores = [log_odds(model, design.seen(mails[place])) for place in left_out]
    return Unseen(scores=np.array(scores), model=model)


def log_odds(model: LinearModel, blocks: Blocks) -> float:
    """The calibrated score, as the service has it but for the last step to a probability."""
    column = model.columns[0]
    total = float(model.totals(blocks)[0])
    return column.slope * (column.scale * total + column.bias) + column.offset
