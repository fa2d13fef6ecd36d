"""What a milter gives a message back with: the MTA keeps the mail, and is told what to change.

A milter cannot split a message: the same changes apply to all recipients that stay. Recipients
that are held with us are `removed`; where nobody stays, the MTA is told to discard. `hold_reason`
asks the MTA to hold the whole message in its own queue.

Standards: RFC 3463 (the reply's enhanced status code).
Failure: ValueError is our own bug; the listener then answers 451.
"""

from dataclasses import dataclass

from milter.mail.edit import Edit
from milter.mail.envelope import Recipient
from milter.mail.reply import Reply

RELEASE_FIELD = b"X-Lurewall-Release"
"""The field that carries a one-time token of `ports.ReleaseTokens`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handback:
    """The answer at the end of a message.

    `reply` is negative where the MTA shall refuse the mail, and then nothing else is set. `raw` is
    the message with all `edits` made.
    """

    reply: Reply
    raw: bytes = b""
    edits: tuple[Edit, ...] = ()
    removed: tuple[Recipient, ...] = ()
    discard: bool = False
    hold_reason: str = ""

    def __post_init__(self) -> None:
        changes = bool(self.edits or self.removed or self.discard or self.hold_reason)
        if not self.reply.is_positive and changes:
            raise ValueError("a refused message is not changed")
        if self.discard and (self.edits or self.hold_reason):
            raise ValueError("a discarded message is not changed")
