"""The memory that the settings ask for, as a front runs it.

Failure: `Unusable` for a key or a folder that cannot be used; a store that is away is no reason not
to start: mail flows without it.
"""

from milter.adapters.memory import EmptyHistory
from milter.ports import Clock, History
from milter.settings import Settings


class RunningHistory:
    """`history` is what pipeline and outbound gateway are given."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.history: History = EmptyHistory()

    async def aclose(self) -> None:
        """Finish what was begun."""
