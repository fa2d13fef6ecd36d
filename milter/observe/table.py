"""Metrics with closed labels, and their values as plain families: what our table is made of.

All children exist from the start: a counter that is not there cannot be alerted on. A word that is
not on its label's list counts as `other`.

Failure: none; counting never fails a mail.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import EnumMeta, StrEnum
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OTHER = "other"

# From a quick look to the longest wait that a peer bears (smtpd_proxy_timeout is 100 s).
_MILLISECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
SECONDS = (*_MILLISECONDS, 1.0, 2.5, 5.0, 10.0, 30.0, 100.0)


class Merge(StrEnum):
    """How the values of several fronts become one: each has its own part, or all see the same."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric with its samples as plain values; a sample is name, labels and value."""

    name: str
    kind: str
    help: str
    merge: Merge
    samples: tuple[tuple[str, tuple[tuple[str, str], ...], float], ...]


class _Bounded:
    """A metric with one child for each combination of its closed label values."""

    __slots__ = ("_allowed", "_children")

    def __init__(self, parent: Any, labels: dict[str, Iterable[str]]) -> None:
        # An enum is complete; any other list may grow elsewhere before it grows here.
        lists = [
            tuple(words) if isinstance(words, EnumMeta) else (*words, OTHER)
            for words in labels.values()
        ]
        self._allowed = [frozenset(words) for words in lists]
        self._children: dict[tuple[str, ...], Any] = {
            combination: parent.labels(*combination) if combination else parent
            for combination in product(*lists)
        }

    def _child(self, values: tuple[str, ...]) -> Any:
        child = self._children.get(values)
        if child is None:
            known = zip(values, self._allowed, strict=True)
            child = self._children[tuple(v if v in words else OTHER for v, words in known)]
        return child


class Count(_Bounded):
    """A counter."""

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count once, or `by` times; labels in the order of the table."""
        self._child(labels).inc(by)


class Level(_Bounded):
    """A gauge."""

    def set(self, *labels: str, to: float) -> None:
        """The value now."""
        self._child(labels).set(to)

    def change(self, *labels: str, by: float) -> None:
        """Go up or down."""
        self._child(labels).inc(by)

    def follow(self, *labels: str, read: Callable[[], float]) -> None:
        """Ask `read` whenever the metrics are read."""
        self._child(labels).set_function(read)


class Spread(_Bounded):
    """A histogram."""

    def observe(self, *labels: str, value: float) -> None:
        """Add one observation, in the unit of the name."""
        self._child(labels).observe(value)


class Table:
    """Registers metrics and gives their values out as plain families."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._maxima: set[str] = set()

    def _count(self, name: str, help_text: str, **labels: Iterable[str]) -> Count:
        return Count(Counter(name, help_text, tuple(labels), registry=self._registry), labels)

    def _level(
        self, name: str, help_text: str, merge: Merge = Merge.SUM, **labels: Iterable[str]
    ) -> Level:
        if merge is Merge.MAX:
            self._maxima.add(name)
        return Level(Gauge(name, help_text, tuple(labels), registry=self._registry), labels)

    def _spread(
        self,
        name: str,
        help_text: str,
        buckets: tuple[float, ...] = SECONDS,
        **labels: Iterable[str],
    ) -> Spread:
        parent = Histogram(name, help_text, tuple(labels), buckets=buckets, registry=self._registry)
        return Spread(parent, labels)

    def families(self) -> tuple[Family, ...]:
        """All values now."""
        return tuple(
            Family(
                name=metric.name,
                kind=metric.type,
                help=metric.documentation,
                merge=Merge.MAX if metric.name in self._maxima else Merge.SUM,
                samples=tuple(
                    (sample.name, tuple(sample.labels.items()), sample.value)
                    for sample in metric.samples
                    if not sample.name.endswith("_created")
                ),
            )
            for metric in self._registry.collect()
        )
