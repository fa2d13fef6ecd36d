"""Shares with their intervals, bins of probabilities, quantiles. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959964  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """Between 0 and 1; of nothing, 0."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; of nothing, all there is."""
        if not self.total:
            return 0.0, 1.0
        square = _Z * _Z / self.total
        middle = self.value + square / 2
        spread = _Z * math.sqrt(
            self.value * (1 - self.value) / self.total + square / 4 / self.total
        )
        low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
        # Rounding must not leave the share itself outside.
        return max(0.0, min(low, self.value)), min(1.0, max(high, self.value))

    def __str__(self) -> str:
        if not self.total:
            return "–"
        low, high = self.interval
        percent = f"{100 * self.value:.0f} %, {100 * low:.0f}–{100 * high:.0f}"
        return f"{self.hits} of {self.total} ({percent})"


def share(flags: Sequence[bool]) -> Share:
    """How many are true."""
    return Share(sum(flags), len(flags))


@dataclass(frozen=True, slots=True)
class Gap:
    """A share less another, with Newcombe's 95 % interval (his tenth method, from Wilson's)."""

    one: Share
    other: Share

    @property
    def value(self) -> float:
        """The difference."""
        return self.one.value - self.other.value

    @property
    def interval(self) -> tuple[float, float]:
        """Where the difference may lie."""
        (low, high), (other_low, other_high) = self.one.interval, self.other.interval
        below = math.hypot(self.one.value - low, other_high - self.other.value)
        above = math.hypot(high - self.one.value, self.other.value - other_low)
        return self.value - below, self.value + above

    @property
    def is_clear(self) -> bool:
        """Whether zero is outside of it."""
        low, high = self.interval
        return low > 0 or high < 0

    def __str__(self) -> str:
        if not (self.one.total and self.other.total):
            return "–"
        low, high = self.interval
        text = f"{100 * self.value:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"
        return f"**{text}**" if self.is_clear else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The mails whose probability lies from `low` to below `high` (in the last, up to it)."""

    low: float
    high: float
    said: float
    came_true: Share


def bins_of(probabilities: Sequence[float], truth: Sequence[bool], count: int = 10) -> list[Bin]:
    """Bins of equal width; one without mails has nothing said."""
    places = [min(int(one * count), count - 1) for one in probabilities]
    bins = []
    for number in range(count):
        inside = [at for at, place in enumerate(places) if place == number]
        said = [probabilities[at] for at in inside]
        bins.append(
            Bin(
                low=number / count,
                high=(number + 1) / count,
                said=sum(said) / len(said) if said else 0.0,
                came_true=share([truth[at] for at in inside]),
            )
        )
    return bins


def brier(probabilities: Sequence[float], truth: Sequence[bool]) -> float:
    """The mean square of what was said less what was so: 0 is perfect."""
    pairs = zip(probabilities, truth, strict=True)
    return sum((said - so) ** 2 for said, so in pairs) / len(probabilities)


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of what was said and what came true, each bin by its mails."""
    total = sum(one.came_true.total for one in bins)
    return sum(abs(one.said - one.came_true.value) * one.came_true.total for one in bins) / total


def quantile(values: Sequence[float], part: float) -> float:
    """The least value that at least this part of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
