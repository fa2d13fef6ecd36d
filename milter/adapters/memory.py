"""The empty memory: knows nobody, costs nothing. Implements `ports.History`."""

from collections.abc import Sequence
from datetime import datetime

from milter.ports import Relationship

_UNKNOWN = Relationship()


class EmptyHistory:
    """Judges each message alone."""

    async def relationship(
        self, *, header_from: str, recipients: Sequence[str], at: datetime
    ) -> Relationship:
        return _UNKNOWN
