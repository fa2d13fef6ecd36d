"""Metrics of many fronts as one: merged by each metric's own rule, written as Prometheus text.

A counter must never fall, so what a dead front had counted is kept. Asking the fronts is the
supervisor's work.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from milter.observe.table import Family, Merge

TEXT_CONTENT_TYPE = CONTENT_TYPE_LATEST

_SampleKey = tuple[str, tuple[tuple[str, str], ...]]


def merge_families(sources: Iterable[Iterable[Family]]) -> tuple[Family, ...]:
    """One family per name; samples with equal labels are added up, or the greatest is taken."""
    first: dict[str, Family] = {}
    values: dict[str, dict[_SampleKey, float]] = {}
    for families in sources:
        for family in families:
            first.setdefault(family.name, family)
            merged = values.setdefault(family.name, {})
            take_greatest = first[family.name].merge is Merge.MAX
            for name, labels, value in family.samples:
                key = (name, labels)
                if key not in merged:
                    merged[key] = value
                elif take_greatest:
                    merged[key] = max(merged[key], value)
                else:
                    merged[key] += value
    return tuple(
        Family(
            name=family.name,
            kind=family.kind,
            help=family.help,
            merge=family.merge,
            samples=tuple((*key, value) for key, value in values[family.name].items()),
        )
        for family in first.values()
    )


class Ledger:
    """The last known metrics of every front, and the sum of what dead fronts had counted."""

    def __init__(self) -> None:
        self._live: dict[str, tuple[Family, ...]] = {}
        self._retired: tuple[Family, ...] = ()

    def record(self, front: str, families: tuple[Family, ...]) -> None:
        """What a front says now."""
        self._live[front] = families

    def retire(self, front: str) -> None:
        """A front is dead: its counters stay, its gauges go."""
        families = self._live.pop(front, ())
        counted = tuple(family for family in families if family.kind != "gauge")
        self._retired = merge_families((self._retired, counted))

    def merged(self, *others: tuple[Family, ...]) -> tuple[Family, ...]:
        """Everything as one, together with `others`."""
        return merge_families((self._retired, *self._live.values(), *others))


class _Plain(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.help, family.kind)
            for name, labels, value in family.samples:
                metric.add_sample(name, dict(labels), value)
            yield metric


def text_exposition(families: Iterable[Family]) -> bytes:
    """The text format that Prometheus reads (`TEXT_CONTENT_TYPE`)."""
    return generate_latest(_Plain(families))
