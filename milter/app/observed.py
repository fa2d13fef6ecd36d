"""The next hop and the quarantine with a counter beside each call; they decide and change nothing.

Every reply and every failure of the next hop is counted where it arises, whoever asked: the
listener at MAIL and RCPT, the delivery at the end of data.
Failure: what the wrapped port raises.
"""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from milter.app.observation import Observation
from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient
from milter.mail.quarantine import Hold, QuarantineRecord
from milter.mail.reply import Reply
from milter.ports import (
    Clock,
    DataReply,
    NextHop,
    NextHopFailed,
    NextHopSession,
    Quarantine,
)

Answer = TypeVar("Answer")


class ObservedNextHop:
    """Implements `ports.NextHop`."""

    def __init__(self, next_hop: NextHop, observation: Observation, clock: Clock) -> None:
        self._next_hop = next_hop
        self._observation = observation
        self._clock = clock

    async def open(self, connection: Connection) -> NextHopSession:
        session = await _told(self._next_hop.open(connection), self._observation)
        return ObservedSession(session, self._observation, self._clock)

    async def keywords(self) -> dict[str, str]:
        return await _told(self._next_hop.keywords(), self._observation)


class ObservedSession:
    """Implements `ports.NextHopSession`."""

    def __init__(self, session: NextHopSession, observation: Observation, clock: Clock) -> None:
        self._session = session
        self._observation = observation
        self._clock = clock

    @property
    def keywords(self) -> dict[str, str]:
        return self._session.keywords

    async def mail(self, reverse_path: Path, parameters: Sequence[bytes]) -> Reply:
        reply = await _told(self._session.mail(reverse_path, parameters), self._observation)
        self._observation.next_hop_replied("mail", reply)
        return reply

    async def rcpt(self, recipient: Recipient) -> Reply:
        reply = await _told(self._session.rcpt(recipient), self._observation)
        self._observation.next_hop_replied("rcpt", reply)
        return reply

    async def data(self, raw: bytes) -> DataReply:
        started = self._clock.monotonic()
        answer = await _told(self._session.data(raw), self._observation)
        seconds = self._clock.monotonic() - started
        self._observation.next_hop_replied(answer.stage, answer.reply, seconds=seconds)
        return answer

    async def reset(self) -> None:
        await _told(self._session.reset(), self._observation)

    async def close(self) -> None:
        await self._session.close()


async def _told(asked: Awaitable[Answer], observation: Observation) -> Answer:
    """What was asked for; a failure is told on its way through."""
    try:
        return await asked
    except NextHopFailed as failure:
        observation.next_hop_failed(failure)
        raise


class ObservedQuarantine:
    """Implements `ports.Quarantine`, with the time of its durable writes."""

    def __init__(self, quarantine: Quarantine, observation: Observation, clock: Clock) -> None:
        self._quarantine = quarantine
        self._observation = observation
        self._clock = clock

    async def write_pending(self, holds: Sequence[Hold]) -> tuple[str, ...]:
        started = self._clock.monotonic()
        quarantine_ids = await self._quarantine.write_pending(holds)
        self._observation.quarantine_written(self._clock.monotonic() - started)
        return quarantine_ids

    async def commit(self, quarantine_ids: Sequence[str]) -> None:
        await self._quarantine.commit(quarantine_ids)

    async def drop(self, quarantine_ids: Sequence[str]) -> None:
        await self._quarantine.drop(quarantine_ids)

    async def list_records(self) -> tuple[QuarantineRecord, ...]:
        return await self._quarantine.list_records()
