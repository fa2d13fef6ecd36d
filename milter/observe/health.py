"""Is this process fit to take mail, and if not, why: one plain line per component.

Components report for themselves, or are asked for their own word; nothing is probed here.
"""

from collections.abc import Callable


class Health:
    """What each component last said of itself; '' means well."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}
        self._followed: dict[str, Callable[[], str]] = {}

    def report(self, component: str, problem: str = "") -> None:
        """A component is well, or says in a few words what is wrong (never content of a mail)."""
        if problem:
            self._problems[component] = problem
        else:
            self._problems.pop(component, None)

    def follow(self, component: str, ask: Callable[[], str]) -> None:
        """Ask this component, whenever it matters, for what it would report."""
        self._followed[component] = ask

    @property
    def is_ready(self) -> bool:
        """True while no component has a problem."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line per component that has a problem, in a stable order."""
        problems = self._problems | {name: ask() for name, ask in self._followed.items()}
        return tuple(f"{name}: {problem}" for name, problem in sorted(problems.items()) if problem)
