"""A circuit breaker: after enough failures nobody asks for a while, then one asks for all.

Opens after some failures in a row, or when most attempts of a window failed. While open it refuses
at once; when the back-off is over it lets one attempt through, and closes or opens again (twice as
long, up to a bound) by what becomes of that one. The back-off is spread by jitter, so that many
gateways do not come back to a store in the same moment.

Times are monotonic and passed in. Failure: none.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOptions:
    """When it opens, and for how long."""

    in_a_row: int = 5
    window_seconds: float = 10.0
    window_least: int = 20
    first_wait: float = 0.5
    longest_wait: float = 30.0


class Breaker:
    """`jitter` gives numbers from 0 to 1; `told` hears whether it is open whenever that changes."""

    def __init__(
        self, options: BreakerOptions, *, jitter: Callable[[], float], told: Callable[[bool], None]
    ) -> None:
        self._options = options
        self._jitter = jitter
        self._told = told
        self._outcomes: deque[tuple[float, bool]] = deque()
        self._in_a_row = 0
        self._wait = 0.0
        self._until = 0.0
        self._is_probing = False
        self.is_open = False

    def allows(self, now: float) -> bool:
        """May somebody ask? Who hears True when it is open says later what became of it."""
        if not self.is_open:
            return True
        if self._is_probing or now < self._until:
            return False
        self._is_probing = True
        return True

    def wait(self, now: float) -> float:
        """Seconds until somebody may ask; while one asks for all, the shortest back-off."""
        if not self.is_open:
            return 0.0
        return self._options.first_wait if self._is_probing else max(0.0, self._until - now)

    def succeeded(self, now: float) -> None:
        """The store answered in time."""
        self._in_a_row = 0
        if not self.is_open:
            self._note(now, failed=False)
        elif self._is_probing:
            self.is_open = self._is_probing = False
            self._wait = 0.0
            self._outcomes.clear()
            self._told(False)

    def failed(self, now: float) -> None:
        """It did not."""
        self._in_a_row += 1
        if self.is_open:
            if self._is_probing:
                self._open(now)
            return
        self._note(now, failed=True)
        if self._in_a_row >= self._options.in_a_row or self._mostly_failed():
            self._open(now)
            self._told(True)

    def abandoned(self) -> None:
        """Whoever asked was stopped before there was an answer."""
        self._is_probing = False

    def _open(self, now: float) -> None:
        options = self._options
        self._wait = min(max(2 * self._wait, options.first_wait), options.longest_wait)
        self._until = now + self._wait * (0.5 + self._jitter() / 2)
        self._is_probing = False
        self.is_open = True

    def _note(self, now: float, *, failed: bool) -> None:
        self._outcomes.append((now, failed))
        while self._outcomes[0][0] <= now - self._options.window_seconds:
            self._outcomes.popleft()

    def _mostly_failed(self) -> bool:
        failures = sum(failed for _, failed in self._outcomes)
        return failures >= self._options.window_least and 2 * failures > len(self._outcomes)
