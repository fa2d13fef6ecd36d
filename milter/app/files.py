"""Judges stored messages the way a gateway would: the pipeline over files, without a network.

Builds a transaction from what the file itself says of its envelope (Return-Path, Delivered-To, To)
unless told otherwise. Refuses to deliver or hold anything.
Failure: ReadersUnavailable when no reader starts; a message that kills readers gives a degraded
assessment like in service.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

from milter.act.plan import Acted
from milter.adapters.memory import EmptyHistory
from milter.app.clock import SystemClock
from milter.app.from_settings import pipeline_options
from milter.mail.address import NULL_PATH, Path, PathError, parse_path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.message import field_value, scan_header, unfold
from milter.mail.reading import AuthResult, Facts, IntegrityReport
from milter.mail.verdict import Action, Mode
from milter.pipeline import Assessment, Pipeline
from milter.ports import Examined, Examiner, History
from milter.read.addresses import parse_mailboxes
from milter.readers.pool import PoolSettings, ReaderPool
from milter.readers.reader import ReaderSetup
from milter.settings import Settings

_NOBODY = Path(raw=b"undisclosed@invalid.invalid")
_MOST_RECIPIENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How stored messages are judged.

    `wants_text` keeps the text in the reading, to be shown; `believes_notices` takes the form of a
    network's notification with its signature fields for a genuine one.
    """

    settings: Settings
    trusted_authserv_ids: tuple[str, ...] = ()
    mode: Mode = Mode.ENFORCE
    by_date_header: bool = False
    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()
    readers: int = 1
    wants_text: bool = False
    believes_notices: bool = False


class Believing:
    """Readers whose notices of networks count as signed: stored mail passed a server long ago.

    For mail whose results nobody recorded; keys of old signatures are gone from the DNS.
    """

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner

    async def examine(self, raw: bytes, facts: Facts, deadline: float) -> Examined:
        """The reading, with a pass for every signature of the network."""
        examined = await self._examiner.examine(raw, facts, deadline)
        notice = examined.reading.notice
        if notice is None:
            return examined
        passed = tuple(
            AuthResult(
                method="dkim",
                result="pass",
                authserv_id="",
                properties=(("header", "d", one.domain), ("header", "b", one.beginning)),
            )
            for one in notice.signatures
            if one.domain in notice.signing_domains
        )
        results = (*examined.reading.auth_results, *passed)
        return replace(examined, reading=replace(examined.reading, auth_results=results))

    async def verify(
        self, original: bytes, edited: bytes, facts: Facts, deadline: float
    ) -> IntegrityReport:
        """As the readers say."""
        return await self._examiner.verify(original, edited, facts, deadline)


class _Silent:
    """Nobody counts or logs while files are judged."""

    def reader_waited(self, seconds: float) -> None: ...

    def reader_ended(self, reason: str, detail: str) -> None: ...

    def template_ended(self, detail: str) -> None: ...


class FileJudge:
    """An async context: readers run while it is open. `told` is what the pipeline judges by."""

    def __init__(self, options: FileOptions, *, history: History | None = None) -> None:
        self._options = options
        self._clock = SystemClock()
        self._pool = ReaderPool(
            PoolSettings(
                setup=ReaderSetup(memory_bytes=options.settings.reader_memory_bytes),
                readers=options.readers,
                queue_limit=options.readers * 8,
            ),
            _Silent(),
        )
        told = pipeline_options(
            options.settings,
            banner_key=secrets.token_bytes(32),
            mode=options.mode,
            trusted=options.trusted_authserv_ids,
        )
        self.told = replace(told, facts=replace(told.facts, wants_text=options.wants_text))
        examiner: Examiner = self._pool
        if options.believes_notices:
            examiner = Believing(self._pool)
        self._pipeline = Pipeline(
            examiner=examiner,
            history=history or EmptyHistory(),
            clock=self._clock,
            options=self.told,
        )

    async def __aenter__(self) -> "FileJudge":
        await self._pool.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.close()

    async def assess(self, raw: bytes) -> Assessment:
        """What the gateway would believe and do."""
        return await self.assess_transaction(self.transaction(raw))

    async def assess_transaction(self, transaction: Transaction) -> Assessment:
        """The same, where the caller knows more of the envelope."""
        return await self._pipeline.assess(transaction)

    async def apply(self, raw: bytes) -> tuple[Assessment, Acted]:
        """The same, and the message as it would leave (or be released)."""
        transaction = self.transaction(raw)
        assessment = await self._pipeline.assess(transaction)
        # A message that would be refused leaves nowhere; show it as it would be annotated.
        dispositions = tuple(
            replace(disposition, action=Action.QUARANTINE)
            if disposition.action in (Action.REJECT, Action.DEFER)
            else disposition
            for disposition in assessment.dispositions
        )
        planned = await self._pipeline.plan(
            transaction, replace(assessment, dispositions=dispositions)
        )
        return assessment, planned.acted[0][1]

    def transaction(self, raw: bytes) -> Transaction:
        """The message with the envelope that it tells of."""
        header = scan_header(raw)
        stated = {
            name: unfold(field_value(raw, field))
            for name in (b"return-path", b"delivered-to", b"to", b"date")
            if (field := header.first(name)) is not None
        }
        received_at = self._clock.now()
        if self._options.by_date_header:
            received_at = date_of(stated.get(b"date", b"")) or received_at
        return Transaction(
            transaction_id=secrets.token_hex(8),
            role="file",
            received_at=received_at,
            connection=Connection(client_ip="", listener="file"),
            envelope=Envelope(
                reverse_path=self._reverse_path(stated), recipients=self._recipients(stated)
            ),
            raw=raw,
        )

    def _reverse_path(self, stated: dict[bytes, bytes]) -> Path:
        if self._options.mail_from is not None:
            return _path(self._options.mail_from.encode("utf-8")) or NULL_PATH
        return _path(stated.get(b"return-path", b"")) or NULL_PATH

    def _recipients(self, stated: dict[bytes, bytes]) -> tuple[Recipient, ...]:
        """Told, else Delivered-To, else To; a message to nobody is judged for nobody we know."""
        if self._options.rcpt_to:
            named = [address.encode("utf-8") for address in self._options.rcpt_to]
        else:
            field = stated.get(b"delivered-to") or stated.get(b"to", b"")
            named = [
                one.address.encode("utf-8") for one in parse_mailboxes(field, _MOST_RECIPIENTS)
            ]
        paths = dict.fromkeys(path for one in named if (path := _path(one)) and not path.is_null)
        return tuple(Recipient(path=path) for path in paths) or (Recipient(path=_NOBODY),)


def _path(octets: bytes) -> Path | None:
    octets = octets.strip()
    if not octets.startswith(b"<"):
        octets = b"<" + octets + b">"
    try:
        return parse_path(octets, smtputf8=True)[0]
    except PathError:
        return None


def date_of(value: bytes) -> datetime | None:
    """The Date field as aware UTC; None where it is no date."""
    try:
        date = parsedate_to_datetime(value.decode("ascii", "replace").strip())
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return None
