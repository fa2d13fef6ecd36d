"""Mail of our own to the next hop: notices to the contact and to recipients.

One transaction with a null reverse-path; nobody answers such mail, so it can cause no loop. Refuses
to compose and to decide when to try again.

**Standards:** RFC 5321 §4.5.5 (null reverse-path), RFC 3834 §3.3, RFC 6531 (SMTPUTF8).
**Failure:** NoticeFailed with the stage and code; final where trying again is no use or would
double what may have been taken.
"""

from collections.abc import Sequence
from contextlib import suppress

from milter.mail.address import NULL_PATH
from milter.mail.envelope import Connection, Recipient
from milter.mail.reply import Reply
from milter.ports import NextHop, NextHopFailed, NextHopSession, NoticeFailed


async def send_own_mail(next_hop: NextHop, recipients: Sequence[Recipient], raw: bytes) -> None:
    """Send to all recipients that the next hop takes; raises NoticeFailed if it takes none."""
    try:
        session = await next_hop.open(Connection(client_ip="127.0.0.1", listener="notice"))
        try:
            await _transact(session, recipients, raw)
        finally:
            with suppress(NextHopFailed):
                await session.close()
    except NextHopFailed as failure:
        reason = f"{failure.stage}: {failure.cause}"
        raise NoticeFailed(reason, is_final=failure.ambiguous) from failure


async def _transact(session: NextHopSession, recipients: Sequence[Recipient], raw: bytes) -> None:
    is_ascii = all(one.path.raw.isascii() for one in recipients)
    parameters = () if is_ascii else (b"SMTPUTF8",)
    _require("mail", await session.mail(NULL_PATH, parameters))
    # What the peer asked about delivery reports concerns its mail, not ours: paths only.
    answers = [await session.rcpt(Recipient(path=one.path)) for one in recipients]
    if not any(reply.is_positive for reply in answers):
        _require("rcpt", answers[0])
    _require("data", (await session.data(raw)).reply)


def _require(stage: str, reply: Reply) -> None:
    if not reply.is_positive:
        raise NoticeFailed(f"{stage}: {reply.code}", is_final=reply.is_permanent)
