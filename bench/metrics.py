"""What counting costs: an ordinary registry against the library's multiprocess mode.

`python -m bench.metrics` prints microseconds for one `inc` and one `observe` in either mode, the
number of series, and the time of one exposition. Each mode runs in a process of its own, for the
library chooses it when it is imported.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Final

_TIMES: Final = 200_000


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(_TIMES):
        work()
    return (time.perf_counter() - started) / _TIMES * 1e6


def _measure() -> None:
    from prometheus_client import CollectorRegistry, Counter, Histogram

    from milter.mail.labels import INTENT_LABELS, PLATFORM_IDS
    from milter.observe.exposition import text_exposition
    from milter.observe.metrics import Metrics, Words

    registry = CollectorRegistry()
    count = Counter("a", "a", ("label",), registry=registry).labels("x")
    spread = Histogram("b", "b", ("label",), registry=registry).labels("x")
    mode = "multiprocess" if "PROMETHEUS_MULTIPROC_DIR" in os.environ else "ordinary"
    print(
        f"{mode}: inc {_timed(count.inc):.2f} us, observe {_timed(lambda: spread.observe(0.1)):.2f} us"
    )
    if mode == "ordinary":
        metrics = Metrics(Words(intents=INTENT_LABELS, platforms=PLATFORM_IDS))
        started = time.perf_counter()
        families = metrics.families()
        text = text_exposition(families)
        series = sum(len(family.samples) for family in families)
        print(f"one front: {series} series, {len(text)} octets, "
              f"{(time.perf_counter() - started) * 1000:.1f} ms")  # fmt: skip


def main() -> None:
    """Run both modes."""
    if "--measure" in sys.argv:
        _measure()
        return
    with tempfile.TemporaryDirectory() as folder:
        for extra in ({}, {"PROMETHEUS_MULTIPROC_DIR": folder}):
            subprocess.run(
                [sys.executable, "-m", "bench.metrics", "--measure"],
                env={**os.environ, **extra}, check=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
