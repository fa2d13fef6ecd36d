"""What each stage costs a mail, in one process."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final
from unittest.mock import patch

from bench.arrival import loop
from bench.evaluation.shares import quantile
from bench.judged import identity_of, scored, told_of
from milter.examine import examine, warm
from nlp import pipeline
from nlp.analysis import LinkText, TextSegment
from nlp.screen import Screen, ScreenResult
from nlp.training.corpus import TrainingMail

STAGES: Final = ("read", "screen", "language", "identity", "score")
_WARMING: Final = 20
_TIMES: Final = 3


class _TimedScreen(Screen):
    """The screen as it ships, which notes how long its last decision took."""

    seconds = 0.0

    def passes(
        self, segments: Sequence[TextSegment], links: Sequence[LinkText] = ()
    ) -> ScreenResult:
        started = time.perf_counter()
        result = super().passes(segments, links)
        self.seconds = time.perf_counter() - started
        return result


def measured(mails: Sequence[TrainingMail]) -> list[dict[str, float]]:
    """Seconds of every stage for every mail, the least of a few times: the rest is other work."""
    warm()
    screen = _TimedScreen()
    with patch.object(pipeline, "_screen", lambda: screen):
        # What is loaded at first use is not a mail's cost.
        for mail in mails[:_WARMING]:
            _seconds(mail, screen)
        return [_least([_seconds(mail, screen) for _ in range(_TIMES)]) for mail in mails]


def _least(times: Sequence[dict[str, float]]) -> dict[str, float]:
    return {stage: min(each[stage] for each in times) for stage in STAGES}


def _seconds(mail: TrainingMail, screen: Any) -> dict[str, float]:
    raw, facts = loop().run_until_complete(told_of(mail))
    reading = examine(raw, facts)
    spent = dict(reading.elapsed_seconds)
    language = spent.pop("language")
    started = time.perf_counter()
    identity = identity_of(reading)
    judged = time.perf_counter()
    scored(reading, identity)
    return {
        "read": sum(spent.values()),
        "screen": screen.seconds,
        "language": language - screen.seconds,
        "identity": judged - started,
        "score": time.perf_counter() - judged,
    }


def section(rows: Sequence[dict[str, float]]) -> Iterator[str]:
    """Median and 95th percentile of each stage."""
    yield from (
        "## Time of each stage",
        "",
        "The mails of the first tables in one process after a warm start, by the wall clock, each",
        f"mail {_TIMES} times and of every stage the least. *Read*: MIME, header, text, edit sites,",
        "octets. *Screen*: its decision. *Language*: all of the language check but the screen (the",
        "language of the text, entities, masking, rules, model; next to nothing where the screen",
        "stops a mail). *Identity* and *score*: as a front does them. Milliseconds; a percentile is",
        "over mails, so the rows do not add up. docs/benchmarks.md has the gateway as a whole.",
        "",
        "| stage | median | 95th percentile |",
        "|---|---:|---:|",
    )
    for stage in STAGES:
        yield _row(stage, [row[stage] for row in rows])
    yield _row("all", [sum(row.values()) for row in rows])
    yield ""


def _row(name: str, seconds: Sequence[float]) -> str:
    return (
        f"| {name} | {1000 * quantile(seconds, 0.5):.2f} | {1000 * quantile(seconds, 0.95):.2f} |"
    )
