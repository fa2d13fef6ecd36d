"""What the screen lets through of the corpus: by its cues alone, and with its trained second look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bench.evaluation.shares import share
from bench.judged import in_processes
from nlp.analysis import TextSegment
from nlp.screen import Screen
from nlp.training.corpus import LURE_CLASSES, TrainingMail

_KINDS: Final = (
    ("lures", LURE_CLASSES),
    ("scams", frozenset({"SCAM"})),
    ("hard", frozenset({"BENIGN_HARD"})),
    ("easy", frozenset({"BENIGN_EASY"})),
)


@dataclass(frozen=True, slots=True)
class Screened:
    """Whether a mail passed."""

    mail: TrainingMail
    by_cues: bool
    by_both: bool


def screened(mails: Sequence[TrainingMail]) -> list[Screened]:
    """Subject and body of every mail under both screens."""
    return list(in_processes(_screened, mails))


def section(rows: Sequence[Screened]) -> Iterator[str]:
    """A row for each split and kind."""
    yield from (
        "## The screen on the corpus",
        "",
        "Subject and body of every mail, as text, without header and links. The second look was",
        "trained on train and dev, so its share there is no measure of mail that it has not seen;",
        "the word lists of the cues were written with train and dev in view. What it lets through of",
        "real mail stands in the last table.",
        "",
        "| split | class | past by cues | past in all |",
        "|---|---|---|---|",
    )
    for split in dict.fromkeys(row.mail.split for row in rows):
        for name, classes in _KINDS:
            of_it = [
                row for row in rows if row.mail.split == split and row.mail.mail_class in classes
            ]
            cues = share([row.by_cues for row in of_it])
            yield f"| {split} | {name} | {cues} | {share([row.by_both for row in of_it])} |"
    yield ""


def _screened(mail: TrainingMail) -> Screened:
    segments = tuple(
        TextSegment(source=source, part=part, text=marked.text)
        for source, part, marked in (("subject", "", mail.subject), ("body", "1", mail.body))
        if marked.text
    )
    by_cues, by_both = (screen.passes(segments).passed for screen in _screens())
    return Screened(mail, by_cues, by_both)


@lru_cache(maxsize=1)
def _screens() -> tuple[Screen, Screen]:
    return Screen(second_look=False), Screen()
