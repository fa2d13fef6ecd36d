"""The linear designs: some blocks of features, with kin or without, trained as the shipped model is.

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
from nlp.training.kin_fit import KinRows
from nlp.training.train import Task, train, whole_task

_NO_BLOCK: Final = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Which blocks it looks at (words, pieces, concepts, fields), and whether at kin."""

    blocks: tuple[bool, bool, bool, bool]
    kin: bool = False

    @property
    def asks_the_table(self) -> bool:
        """Whether words are looked up in the table of kin."""
        return self.kin or self.blocks[-1]

    def seen(self, mail: MailExample) -> tuple[Blocks, frozenset[int]]:
        """What it sees of a mail."""
        kept = zip(mail.blocks, self.blocks, strict=True)
        blocks = tuple(block if wanted else _NO_BLOCK for block, wanted in kept)
        return blocks, mail.kin if self.kin else frozenset()

    def task(self, mails: Sequence[MailExample], words: "np.ndarray[Any, Any]") -> Task:
        """What `train` is to learn from these mails."""
        rows = [self.seen(mail)[0] for mail in mails]
        kin = KinRows.of([mail.kin for mail in mails], words) if self.kin else None
        return replace(whole_task(mails), rows=rows, kin=kin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Log-odds for mails of writers left out, in their order, and the model that gave them."""

    scores: "np.ndarray[Any, Any]"
    model: LinearModel


def unseen(
    design: Linear,
    mails: Sequence[MailExample],
    words: "np.ndarray[Any, Any]",
    split: Split,
) -> Unseen:
    """The scores of one design."""
    learnt, left_out = split
    model, _ = train(design.task([mails[place] for place in learnt], words))
    scores = [log_odds(model, *design.seen(mails[place])) for place in left_out]
    return Unseen(scores=np.array(scores), model=model)


def log_odds(model: LinearModel, blocks: Blocks, kin: frozenset[int]) -> float:
    """The calibrated score, as the service has it but for the last step to a probability."""
    column = model.columns[0]
    total = float(model.totals(blocks, kin)[0])
    return column.slope * (column.scale * total + column.bias) + column.offset
