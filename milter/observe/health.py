"""Is this process fit to take mail, and if not, why: one plain line per component.

Components report for themselves; nothing is probed here.
"""


class Health:
    """What each component last said of itself; '' means well."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    def report(self, component: str, problem: str = "") -> None:
        """A component is well, or says in a few words what is wrong (never content of a mail)."""
        if problem:
            self._problems[component] = problem
        else:
            self._problems.pop(component, None)

    @property
    def is_ready(self) -> bool:
        """True while no component has a problem."""
        return not self._problems

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line per component that has a problem, in a stable order."""
        return tuple(f"{name}: {problem}" for name, problem in sorted(self._problems.items()))
