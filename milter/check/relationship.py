"""What history knows of the sender and our people: the relationship check.

Asks the `History` port; with the empty adapter it knows nobody. A reply from our side never
lowers the weight of a change of channel or of an inside request: that rule stands in the weight
table (`yields_to`), not here.

Failure: HistoryUnavailable passes up to `runner`: a failed outcome, and the mail flows.
"""

from milter.mail.envelope import Transaction
from milter.mail.finding import Finding
from milter.mail.reading import Reading
from milter.ports import History

CHECK = "relationship"
KNOWN_AFTER_DAYS = 90
KNOWN_WITH_WRITERS = 3


async def check_relationship(
    transaction: Transaction, reading: Reading, *, history: History
) -> tuple[Finding, ...]:
    """KNOWN_ORGANISATION by history (design §6), TWO_WAY_THREAD if the recipient wrote first."""
    if len(reading.header.header_from) != 1:
        return ()
    known = await history.relationship(
        header_from=reading.header.header_from[0].address,
        recipients=[
            recipient.path.mailbox.address
            for recipient in transaction.envelope.recipients
            if recipient.path.mailbox
        ],
        at=transaction.received_at,
    )
    findings = []
    if known.known_days >= KNOWN_AFTER_DAYS and known.our_writers >= KNOWN_WITH_WRITERS:
        findings.append(Finding(code="KNOWN_ORGANISATION", check=CHECK))
    if known.recipient_wrote_first:
        findings.append(Finding(code="TWO_WAY_THREAD", check=CHECK))
    return tuple(findings)
