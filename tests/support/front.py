"""A gateway behind the SMTP front that does what a test tells it, and a listener on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from milter.listen.admission import Admission, AdmissionLimits
from milter.listen.listener import SmtpListener
from milter.listen.options import ListenerOptions
from milter.listen.refusal import RefusalReason
from milter.mail.address import Path
from milter.mail.envelope import Connection, Recipient, Transaction
from milter.mail.reply import Reply, own_reply
from milter.ports import DataReply, NextHopFailed

KEYWORDS = {
    "PIPELINING": "",
    "SIZE": "52428800",
    "8BITMIME": "",
    "SMTPUTF8": "",
    "DSN": "",
    "ENHANCEDSTATUSCODES": "",
}
OPTIONS = ListenerOptions(
    role="mx",
    hostname="mx.example.org",
    name="test",
    domains=frozenset({"example.org", "xn--bcher-kva.example"}),
    command_seconds=10,
    data_block_seconds=10,
    data_seconds=20,
)
TRANSACTION_ID = "0123456789abcdef"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
UNREACHABLE = NextHopFailed(
    reply=own_reply(451, "4.4.1", "Destination is not reachable, try again later"),
    stage="connect",
)


class FixedClock:
    """Always the same time."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass
class FakeSession:
    """One next-hop session; replies come from the gateway's table."""

    gateway: "FakeGateway"
    keywords: dict[str, str]
    calls: list[str] = field(default_factory=list)
    closed: int = 0

    async def mail(self, reverse_path: Path, parameters: Sequence[bytes]) -> Reply:
        self.calls.append("mail")
        return self._answer("mail", reverse_path.raw, Reply(code=250, lines=(b"2.1.0 Ok",)))

    async def rcpt(self, recipient: Recipient) -> Reply:
        self.calls.append("rcpt")
        return self._answer("rcpt", recipient.path.raw, Reply(code=250, lines=(b"2.1.5 Ok",)))

    async def data(self, raw: bytes) -> DataReply:
        raise AssertionError("delivery is the gateway's")

    async def reset(self) -> None:
        self.calls.append("reset")

    async def close(self) -> None:
        self.closed += 1

    def _answer(self, stage: str, raw: bytes, otherwise: Reply) -> Reply:
        answer = self.gateway.answers.get(f"{stage} {raw.decode()}") or self.gateway.answers.get(
            stage
        )
        if isinstance(answer, Exception):
            raise answer
        return answer or otherwise


@dataclass
class FakeGateway:
    """Keeps what is submitted; `answers` by stage, or by stage and path, replies or exceptions."""

    answers: dict[str, Reply | Exception] = field(default_factory=dict)
    announced: dict[str, str] = field(default_factory=lambda: dict(KEYWORDS))
    session_keywords: dict[str, str] | None = None
    submitted: list[Transaction] = field(default_factory=list)
    sessions: list[FakeSession] = field(default_factory=list)
    opened_for: list[Connection] = field(default_factory=list)
    # A submit waits for this, so that a test can act while a message is under way.
    may_finish: asyncio.Event = field(default_factory=asyncio.Event)
    submitting: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_finish.set()

    async def keywords(self) -> dict[str, str]:
        if isinstance(failure := self.answers.get("keywords"), Exception):
            raise failure
        return dict(self.announced)

    async def open(self, connection: Connection) -> FakeSession:
        if isinstance(failure := self.answers.get("open"), Exception):
            raise failure
        keywords = self.announced if self.session_keywords is None else self.session_keywords
        session = FakeSession(self, dict(keywords))
        self.sessions.append(session)
        self.opened_for.append(connection)
        return session

    async def submit(self, transaction: Transaction, session: Any) -> Reply:
        self.submitting.set()
        await self.may_finish.wait()
        answer = self.answers.get("submit")
        if isinstance(answer, Exception):
            raise answer
        self.submitted.append(transaction)
        return answer or Reply(code=250, lines=(b"2.0.0 Ok: queued as 4711",))


@dataclass
class FakeObserver:
    """Remembers what it is told."""

    connections: list[Connection] = field(default_factory=list)
    ended: list[Connection] = field(default_factory=list)
    refusals: list[RefusalReason] = field(default_factory=list)
    received: list[Transaction] = field(default_factory=list)
    replies: list[tuple[Reply, bool]] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    let_through: list[RefusalReason] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def connected(self, connection: Connection) -> None:
        self.connections.append(connection)

    def disconnected(self, connection: Connection, seconds: float) -> None:
        self.ended.append(connection)

    def refused(self, connection: Connection, reason: RefusalReason, reply: Reply) -> None:
        self.refusals.append(reason)

    def data_received(self, transaction: Transaction) -> None:
        self.received.append(transaction)

    def replied(self, transaction: Transaction, reply: Reply, *, peer_gone: bool) -> None:
        self.replies.append((reply, peer_gone))

    def failed(self, connection: Connection, transaction_id: str, error: Exception) -> None:
        self.failures.append((transaction_id, error))

    def unjudged(self, connection: Connection, reason: RefusalReason) -> None:
        self.let_through.append(reason)

    def broke_protocol(self, connection: Connection, detail: str) -> None:
        self.broken.append(detail)


@dataclass
class Peer:
    """A client that sends octets and reads replies."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def line(self) -> bytes:
        """One reply line without its line end, b'' at the end of the connection."""
        async with asyncio.timeout(10):
            try:
                return (await self.reader.readline()).removesuffix(b"\r\n")
            except ConnectionError:
                return b""

    async def reply(self) -> list[bytes]:
        """All lines of one reply."""
        lines = [await self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(await self.line())
        return lines

    async def ask(self, line: bytes) -> bytes:
        """The last line of the reply to a command."""
        self.send(line + b"\r\n")
        return (await self.reply())[-1]

    async def begin(self, *recipients: bytes) -> bytes:
        """Greeting to DATA; the reply to DATA."""
        await self.reply()
        await self.ask(b"EHLO client.example.net")
        await self.ask(b"MAIL FROM:<a@example.net>")
        for recipient in recipients or (b"b@example.org",):
            await self.ask(b"RCPT TO:<" + recipient + b">")
        return await self.ask(b"DATA")

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, TimeoutError):
            await self.writer.wait_closed()


@dataclass
class RunningFront:
    """A listener with its fakes."""

    listener: SmtpListener
    gateway: FakeGateway
    observer: FakeObserver
    admission: Admission
    peers: list[Peer] = field(default_factory=list)

    async def connect(self, **options: Any) -> Peer:
        host, port = self.listener.addresses[0]
        reader, writer = await asyncio.open_connection(host, port, limit=2**22, **options)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        return peer


@asynccontextmanager
async def running_front(
    *,
    gateway: FakeGateway | None = None,
    limits: AdmissionLimits | None = None,
    new_id: Callable[[], str] = lambda: TRANSACTION_ID,
    **options: Any,
) -> AsyncIterator[RunningFront]:
    """A listener on a free loopback port; stopped, and every peer closed, at the end."""
    gateway = gateway or FakeGateway()
    observer = FakeObserver()
    admission = Admission(limits or AdmissionLimits())
    listener = SmtpListener(
        options=replace(OPTIONS, **options),
        gateway=gateway,
        observer=observer,
        admission=admission,
        clock=FixedClock(),
        new_id=new_id,
    )
    await listener.start("127.0.0.1", 0)
    front = RunningFront(listener, gateway, observer, admission)
    try:
        yield front
    finally:
        gateway.may_finish.set()
        for peer in front.peers:
            await peer.close()
        await listener.drain(0)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is about to become true; fails after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
