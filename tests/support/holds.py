"""Holds, a clock, a scripted next hop and an inbox of notices for the quarantine's tests."""

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from milter.adapters.files_quarantine import FilesQuarantine
from milter.mail.address import NULL_PATH
from milter.mail.address import Path as MailPath
from milter.mail.envelope import Connection, Envelope, Recipient
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.quarantine import Hold, HoldState, QuarantineRecord
from milter.mail.reply import Reply
from milter.mail.verdict import Label, Verdict, WeighedFinding
from milter.ports import DataReply, NextHopFailed, NoticeFailed

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = bytes(range(32))
RAW = (
    b"From: Mara Lind <mara@consult.example.net>\r\nSubject: Report\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nWrite to me on another channel.\r\n"
    + b"A line of no interest.\r\n"
    * 700
)
RELEASE_RAW = b"X-Lurewall-Verdict: lure\r\n" + RAW
OK = Reply(code=250, lines=(b"2.0.0 Ok: queued as 4F",))
T = TypeVar("T")
GO_ON = Reply(code=250, lines=(b"2.1.0 Ok",))


class Clock:
    """A clock that a test sets."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def recipient(address: str, *parameters: bytes) -> Recipient:
    return Recipient(path=MailPath(raw=address.encode()), parameters=parameters)


def verdict() -> Verdict:
    evidence = Evidence(source=Source.BODY, part="1", start=0, end=15, text="another channel")
    findings = (
        WeighedFinding(
            finding=Finding(code="OFFPLATFORM", check="language", evidence=(evidence,)),
            family="channel",
            weight_db=8.0,
            summary="Moves the talk to another channel",
        ),
        WeighedFinding(
            finding=Finding(code="NOTED", check="identity"),
            family="identity",
            weight_db=0.0,
            summary="Weighs nothing",
        ),
    )
    return Verdict(label=Label.LURE, score_db=36.5, probability=0.97, findings=findings)


def hold(**changes: Any) -> Hold:
    """A hold for two recipients."""
    plain = Hold(
        transaction_id="t1",
        envelope=Envelope(
            reverse_path=MailPath(raw=b"mara@consult.example.net"),
            mail_parameters=(b"SIZE=1000", b"BODY=8BITMIME", b"RET=HDRS", b"ENVID=QQ314159"),
            recipients=(
                recipient("ina@example.org", b"NOTIFY=FAILURE", b"ORCPT=rfc822;ina@example.org"),
                recipient("ole@example.org"),
            ),
        ),
        role="before_queue",
        raw=RAW,
        release_raw=RELEASE_RAW,
        verdict=verdict(),
        rule="default",
        received_at=NOW,
        client_ip="192.0.2.7",
        subject="Report",
        header_from="mara@consult.example.net",
    )
    return replace(plain, **changes)


def open_store(folder: Path, **options: Any) -> FilesQuarantine:
    return FilesQuarantine(folder, KEY, **({"reserve_bytes": 0} | options))


async def held(store: FilesQuarantine, *holds: Hold) -> tuple[str, ...]:
    """Committed holds."""
    quarantine_ids = await store.write_pending(holds or (hold(),))
    await store.commit(quarantine_ids)
    return quarantine_ids


def null_sender(original: Hold) -> Hold:
    return replace(original, envelope=replace(original.envelope, reverse_path=NULL_PATH))


class ScriptedHop:
    """A next hop that answers as told: per recipient, for MAIL, for the data; or fails."""

    def __init__(
        self,
        *,
        mail: Reply | NextHopFailed = GO_ON,
        rcpt: dict[bytes, Reply] | None = None,
        data: DataReply | NextHopFailed | None = None,
        opening: NextHopFailed | None = None,
        before_data: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.sent: list[tuple[bytes, tuple[bytes, ...], tuple[Recipient, ...], bytes]] = []
        self.connections: list[Connection] = []
        self.closed = 0
        self.mail = mail
        self.rcpt = rcpt or {}
        self.data = data or DataReply(reply=OK, stage="end_of_data")
        self.before_data = before_data or at_once
        self._opening = opening

    async def open(self, connection: Connection) -> "ScriptedSession":
        self.connections.append(connection)
        if self._opening:
            raise self._opening
        return ScriptedSession(self)

    async def keywords(self) -> dict[str, str]:
        return {}


class ScriptedSession:
    """One conversation with a `ScriptedHop`."""

    def __init__(self, hop: ScriptedHop) -> None:
        self._hop = hop
        self._envelope: tuple[bytes, tuple[bytes, ...]] = (b"", ())
        self._accepted: list[Recipient] = []

    @property
    def keywords(self) -> dict[str, str]:
        return {}

    async def mail(self, reverse_path: MailPath, parameters: Sequence[bytes]) -> Reply:
        self._envelope = reverse_path.raw, tuple(parameters)
        return answered(self._hop.mail)

    async def rcpt(self, recipient: Recipient) -> Reply:
        reply = self._hop.rcpt.get(recipient.path.raw, GO_ON)
        if reply.is_positive:
            self._accepted.append(recipient)
        return reply

    async def data(self, raw: bytes) -> DataReply:
        await self._hop.before_data()
        self._hop.sent.append((*self._envelope, tuple(self._accepted), raw))
        return answered(self._hop.data)

    async def reset(self) -> None:
        return None

    async def close(self) -> None:
        self._hop.closed += 1


async def at_once() -> None:
    """Nothing happens before the data."""


def answered(answer: T | NextHopFailed) -> T:
    if isinstance(answer, NextHopFailed):
        raise answer
    return answer


def failure(stage: str, *, ambiguous: bool = False) -> NextHopFailed:
    reply = Reply(code=451, lines=(b"4.4.2 Connection lost",))
    return NextHopFailed(reply=reply, stage=stage, ambiguous=ambiguous, cause="lost")


class Inbox:
    """A notifier that remembers what it was to tell, or fails."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, tuple[str, ...]]] = []
        self.fails = False

    async def held(self, record: QuarantineRecord) -> None:
        self._take("held", [record])

    async def digest(self, records: Sequence[QuarantineRecord]) -> None:
        self._take("digest", records)

    async def expiring(self, records: Sequence[QuarantineRecord]) -> None:
        self._take("expiring", records)

    def _take(self, kind: str, records: Sequence[QuarantineRecord]) -> None:
        if self.fails:
            raise NoticeFailed("rcpt: 550")
        assert all(one.state in (HoldState.HELD, HoldState.RELEASING) for one in records)
        self.notices.append((kind, tuple(record.quarantine_id for record in records)))


def in_child(work: Callable[[int], object]) -> tuple[int, bytes]:
    """Run `work(pipe)` in a forked child; its exit status (negative: signal) and what it wrote."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 70
        with suppress(BaseException):
            os.close(reading)
            work(writing)
            code = 0
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), said


def days(count: float) -> timedelta:
    return timedelta(days=count)
