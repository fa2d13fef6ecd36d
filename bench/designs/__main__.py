"""`python -m bench.designs [--output FILE]`: compares designs on the same mails; docs/designs.md.

Reads train and dev, never the test split.
What is random has a fixed seed; only the milliseconds differ between runs. A first run asks the
sentence model for every word, which takes some minutes.
"""

import argparse
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.designs import textcat
from bench.designs.candidates import (
    BLOCKS,
    CONTEXT,
    FIELDS,
    PIECES,
    SHIPPED,
    TEXTCAT,
    Material,
    compare,
    read,
)
from bench.designs.table import Row, gap_interval, recall_of, table
from nlp.training.corpus import TrainingMail

REPORT: Final = Path(__file__).parents[2] / "docs" / "designs.md"
_AT: Final = 0.02


def main() -> None:
    """Read, train, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.designs")
    parser.add_argument("--output", type=Path, default=REPORT)
    parser.add_argument("--mails", type=int, default=12_000, help="at most so many, at even steps")
    arguments = parser.parse_args()
    material = read(arguments.mails)
    lines = [*report(compare(material), material)]
    arguments.output.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"wrote {arguments.output}")


def report(rows: Sequence[Row], material: Material) -> Iterator[str]:
    """The page."""
    mails = [one.mail for one in material.asked]
    lures = sum(mail.is_lure for mail in mails)
    hard = sum(mail.mail_class == "BENIGN_HARD" for mail in mails)
    writers = len({mail.writer for mail in mails})
    yield from (
        "# Designs compared",
        "",
        "Written by `python -m bench.designs` (after `make setup .venv/.dev`); do not edit. The",
        f"{len(mails)} mails of {writers} writers of train and dev are left out of all learning, and every design is asked",
        f"about them; all but *f* (and *g* as far as it is *f*) learn from {len(material.read) - len(mails)} mails of the others at even steps, *f* from all of theirs.",
        "The test split is not read. docs/evaluation.md has what the shipped whole does there.",
        "",
        *table(rows, mails),
        "",
        *_how(lures, hard),
        *_why(rows, mails),
    )


def _how(lures: int, hard: int) -> Iterator[str]:
    epochs = ", ".join(f"{kind} {count}" for kind, count in textcat.EPOCHS.items())
    yield from (
        "## How the numbers were made",
        "",
        f"*Recall at 1, 2, 5 %*: the share of the {lures} lures (LURE_*) above the score that this",
        f"share of the {hard} hardest honest mails (BENIGN_HARD) exceeds, one threshold for all",
        "languages. *Area*: the chance that a lure scores above such an honest mail, over",
        "all and within a language (fr and zh are both kinds of each; others are de, es, pt, ru, ko,",
        "ar). All learn lures and scams against everything else, as the shipped model does.",
        "",
        "*ms a mail*: CPU time of one thread, the median over 200 mails drawn at even steps,",
        f"{platform.machine()}, Python {platform.python_version()}, in this run. For *a* it is the",
        "language stage without the model (entities, masking, word lists, grammar); all the others",
        "read what it gives, and theirs is what comes on top. *On disk*: for *a* the word lists; for",
        "the linear designs what `make train` would write of the model of whole mails, its everyday",
        "words and fields (the model of sentences, which ships beside it, is not in it); for spaCy the",
        "pipeline; for *f* the file of the encoder's weights and what it was taught.",
        "",
        "- *a*: the score in decibans of the findings of rules and identity, nothing trained but the",
        "  screen's second look.",
        "- *b*, *c*, *d*: `nlp.training.train.train` on the whole mail: limits of the",
        "  vocabulary, regularisation, small whole numbers and calibration are those of `make train`.",
        "  The table of fields knows the words of all mails, not their classes.",
        '- *e*: blank "xx" pipelines on the words of the masked text, Han text by characters since',
        '  "xx" does not cut it; runs of up to three words; no vectors. Epochs are few',
        f"  ({epochs}); neither was tuned.",
        "- *f*: the encoder as it ships, taught by `make tune` (docs/decisions/0014).",
        "- *g*: the log-odds of *d* and *f* as the shipped blend weighs them, which was fitted on these mails",
        "  (three numbers). The time is that of a mail that the words leave open; the others are not read again.",
        "",
        "spaCy, the solvers and the order of training have fixed seeds.",
        "",
    )


def _why(rows: Sequence[Row], mails: Sequence[TrainingMail]) -> Iterator[str]:
    named = {row.name: row for row in rows}
    fields, context, shipped = named[FIELDS], named[CONTEXT], named[SHIPPED]
    ensemble = named[TEXTCAT["ensemble"]]
    writers = [mail.writer for mail in mails]

    def beyond(row: Row, other: Row) -> str:
        gap = recall_of(row, mails, _AT) - recall_of(other, mails, _AT)
        low, high = gap_interval(row, other, mails, writers, _AT)
        return f"{100 * gap:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f})"

    yield from (
        "## Why the shipped one",
        "",
        "What counts is recall at few false alarms, for what a mail costs a gateway, and a reason that",
        f"people can read. Recall at {100 * _AT:.0f} % of the hardest honest mails, with where it lies",
        "in 95 % of a thousand draws of as many writers:",
        "",
        f"- All blocks against pieces alone: {beyond(named[BLOCKS], named[PIECES])}.",
        f"- Fields beside them against the same without: {beyond(fields, named[BLOCKS])}, for "
        f"{fields.milliseconds - named[BLOCKS].milliseconds:.1f} ms.",
        f"- Reading in context alone against the words alone: {beyond(context, fields)}.",
        f"- Both together against the words alone: {beyond(shipped, fields)}, for",
        f"  {context.milliseconds:.0f} ms on one thread beside {fields.milliseconds:.1f}. Reading in",
        "  context knows what words do not, and the other way round; only mail that the words leave",
        "  open pays for it.",
        f"- spaCy's ensemble against the shipped one: {beyond(ensemble, shipped)},",
        f"  for {ensemble.milliseconds:.1f} ms.",
    )


if __name__ == "__main__":
    main()
