"""How long to wait before starting again what has died."""

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 10.0
_HEALTHY_SECONDS = 30.0


class Backoff:
    """Doubles the pause while a process keeps dying young; one that lived long starts afresh."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def pause_after(self, lived_seconds: float) -> float:
        """The pause before the next start, given how long the last one lived."""
        if lived_seconds >= _HEALTHY_SECONDS:
            self._next = _FIRST_SECONDS
        pause = self._next
        self._next = min(self._next * 2, _LONGEST_SECONDS)
        return pause
