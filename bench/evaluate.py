"""`make evaluate`: the whole judgement on the test split and on real mail; writes docs/evaluation.md.

`python -m bench.evaluate [--output FILE] [--no-real]`; docs/reliability.png goes beside the report.
Nothing is trained or tuned here. The test split was written by other writers than train and dev;
real mail is read from beside the project and only counted. The parts are in bench/evaluation/.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.evaluation import found, mails, ordinary, reliability, screen, stages
from bench.judged import in_processes, judge
from nlp.pipeline import model_version
from nlp.training.corpus import SPLITS, read_corpus

REPORT: Final = Path(__file__).parents[1] / "docs" / "evaluation.md"
_PICTURE: Final = "reliability.png"


def main() -> None:
    """Judge everything and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate")
    parser.add_argument("--output", type=Path, default=REPORT)
    parser.add_argument("--no-real", action="store_true")
    # For work on the report itself, so that nobody has to look at the test split for it.
    parser.add_argument("--split", choices=SPLITS, default="test", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    lines = [*_report(arguments.split, arguments.output.parent, with_real=not arguments.no_real)]
    arguments.output.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print(f"wrote {arguments.output}")


def _report(split: str, folder: Path, *, with_real: bool) -> Iterator[str]:
    of_split = read_corpus(split)
    read = SPLITS if split == "test" else tuple(name for name in SPLITS if name != "test")
    everything = read_corpus(*read)
    yield from _head(split, Counter(mail.split for mail in everything))
    # First, while nothing else of ours is running.
    times = stages.measured(of_split)
    judged = list(in_processes(judge, of_split))
    yield from mails.sections(judged)
    said = reliability.said_of(judged)
    reliability.draw(said, folder / _PICTURE)
    yield from reliability.section(said, _PICTURE)
    yield from found.labels(judged)
    yield from found.entities(judged)
    yield from stages.section(times)
    yield from screen.section(screen.screened(everything))
    if with_real:
        yield from ordinary.section(ordinary.ordinary())


def _head(split: str, counts: Counter[str]) -> Iterator[str]:
    corpus = ", ".join(f"{count} {name}" for name, count in counts.items())
    yield from (
        "# Evaluation",
        "",
        f"Written by `make evaluate`; do not edit. Every mail of the {split} split becomes a whole",
        "message and goes through reading, language, identity and the shipped weights, as a front",
        "would judge it (bench/judged.py): `sender` of the mail decides whether it comes from free",
        "mail, from a domain that nothing vouches for, or from an aligned one. Before a mail whose",
        "position is after_relay comes the network's notification of the same person (bench/arrival.py),",
        "so what memory finds of it is real; of earlier mail in a thread it knows nothing here.",
        "Lures and their honest twins share surface signals on purpose, so the false alarms here are",
        "those of the hardest honest mail.",
        "",
        f"Corpus: {corpus} mails. The model is trained on train and dev (`make train`); the test",
        "split was written by other writers and is read only here. Language data:",
        f"`{model_version()}`.",
        "",
    )


if __name__ == "__main__":
    main()
