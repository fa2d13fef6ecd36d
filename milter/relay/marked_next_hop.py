"""A next hop for mail of our own that may pass this filter again: each message carries a token.

The milter front redeems the token, takes the field away and lets the message pass as it is. Without
it a released mail would be caught again, and a notice about a lure judged like one.

Failure: as the next hop's; where no token can be written, NextHopFailed at stage data with 451.
"""

from collections.abc import Sequence

from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient
from milter.mail.handback import RELEASE_FIELD
from milter.mail.reply import Reply, own_reply
from milter.ports import (
    CannotKeep,
    DataReply,
    NextHop,
    NextHopFailed,
    NextHopSession,
    ReleaseTokens,
)

_NO_TOKEN = own_reply(451, "4.3.0", "No release token could be written")


class MarkedNextHop:
    """Implements `ports.NextHop`."""

    def __init__(self, next_hop: NextHop, tokens: ReleaseTokens) -> None:
        self._next_hop = next_hop
        self._tokens = tokens

    async def open(self, connection: Connection) -> NextHopSession:
        return _MarkedSession(await self._next_hop.open(connection), self._tokens)

    async def keywords(self) -> dict[str, str]:
        return await self._next_hop.keywords()


class _MarkedSession:
    """Implements `ports.NextHopSession`."""

    def __init__(self, session: NextHopSession, tokens: ReleaseTokens) -> None:
        self._session = session
        self._tokens = tokens

    @property
    def keywords(self) -> dict[str, str]:
        return self._session.keywords

    async def mail(self, reverse_path: Path, parameters: Sequence[bytes]) -> Reply:
        return await self._session.mail(reverse_path, parameters)

    async def rcpt(self, recipient: Recipient) -> Reply:
        return await self._session.rcpt(recipient)

    async def data(self, raw: bytes) -> DataReply:
        try:
            token = await self._tokens.issue(raw)
        except CannotKeep as error:
            raise NextHopFailed(reply=_NO_TOKEN, stage="data", detail=str(error)) from None
        return await self._session.data(RELEASE_FIELD + b": " + token + b"\r\n" + raw)

    async def reset(self) -> None:
        await self._session.reset()

    async def close(self) -> None:
        await self._session.close()
