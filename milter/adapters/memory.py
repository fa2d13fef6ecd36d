"""The empty memory: knows nobody, costs nothing. Implements `ports.History`."""

from milter.mail.engagement import Dossier, Inquiry, Memories, Recollection, Trail


class EmptyHistory:
    """Judges each message alone."""

    async def recall(self, inquiry: Inquiry) -> Recollection:
        """Nothing of anybody."""
        return Recollection(
            dossiers=tuple(Dossier(recipient=one) for one in inquiry.recipients),
            trails=tuple(Trail(trait=one) for one in inquiry.traits),
        )

    async def remember(self, memories: Memories) -> None:
        """Forget at once."""
