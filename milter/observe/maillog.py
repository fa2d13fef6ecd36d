"""The mail log: a closed set of events, one JSON line each, one method each.

Holds who, when and what became of a mail; never a subject, never content, never the text of an
exception or of a reply to a mail (both may quote it). Addresses appear only as far as the
configuration allows.

Failure: a line that cannot be written is counted as lost; logging never fails a mail.
"""

import hashlib
import hmac
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any, BinaryIO

import msgspec
import structlog

from milter.mail.address import Path
from milter.mail.envelope import Connection, Transaction
from milter.mail.plan import Outcome
from milter.mail.quarantine import Hold
from milter.mail.verdict import Disposition, Verdict
from milter.observe.place import place_of

_MOST_ADDRESSES = 20
_MOST_FINDINGS = 40
_MOST_RESULTS = 20
_UNPLAIN = re.compile(r"[^\w .,:;@=+/()\[\]#-]")


class Addresses(StrEnum):
    """How much of an address the log may show."""

    HASH = "hash"
    DOMAIN = "domain"
    FULL = "full"


class Level(StrEnum):
    """How urgent an event is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLogSettings:
    """Where the log goes (None: standard output) and what it may show.

    `address_key` keys the hashes, so that a list of known addresses does not reveal them.
    """

    file: FilePath | None = None
    addresses: Addresses = Addresses.DOMAIN
    address_key: bytes = b""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailLog:
    """Writes events; `process` says which process of the gateway speaks."""

    def __init__(
        self,
        settings: MailLogSettings,
        *,
        process: str,
        now: Callable[[], datetime] = _utc_now,
        on_lost: Callable[[], None] = lambda: None,
        stream: BinaryIO | None = None,
    ) -> None:
        self._settings = settings
        self._process = process
        self._now = now
        self._on_lost = on_lost
        self._owned = None
        if stream is None and settings.file is not None:
            # Appended in one write a line, so that all processes may share one file.
            stream = self._owned = settings.file.open("ab")
        self._write = structlog.wrap_logger(
            structlog.BytesLogger(stream or sys.stdout.buffer),
            processors=[_render],
            wrapper_class=structlog.BoundLogger,
        ).msg

    def close(self) -> None:
        """Close the file that was opened here."""
        if self._owned is not None:
            self._owned.close()

    def started(
        self, *, version: str, configuration: str, mode: str, listeners: Iterable[str]
    ) -> None:
        """A process takes up its work; `configuration` is the hash of the file."""
        self._emit(
            "started",
            version=version,
            configuration=configuration,
            mode=mode,
            listeners=list(listeners),
        )

    def reload(self, *, accepted: bool, configuration: str = "", problems: int = 0) -> None:
        """A new configuration was put in force, or refused whole."""
        self._emit(
            "reload",
            Level.INFO if accepted else Level.ERROR,
            result="accepted" if accepted else "refused",
            configuration=configuration,
            problems=problems,
        )

    def stopped(self, *, reason: str) -> None:
        """A process ends its work in good order."""
        self._emit("stopped", reason=reason)

    def connection(self, connection: Connection, *, seconds: float) -> None:
        """A peer has gone."""
        self._emit(
            "connection",
            listener=connection.listener,
            client_ip=self._client(connection.client_ip),
            tls=connection.tls,
            seconds=round(seconds, 3),
        )

    def message(
        self,
        transaction: Transaction,
        outcome: Outcome,
        *,
        verdict: Verdict | None = None,
        dispositions: Sequence[Disposition] = (),
        intended: str = "",
        header_from: str = "",
        banner: str = "",
        seal: str = "",
        authentication: Sequence[str] = (),
        first_failure: str = "",
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """One transaction from MAIL to its final reply, and what became of it."""
        envelope = transaction.envelope
        fates: dict[str, int] = {}
        for _recipient, fate in outcome.fates:
            fates[fate] = fates.get(fate, 0) + 1
        facts: dict[str, Any] = {
            "transaction_id": transaction.transaction_id,
            "role": transaction.role,
            "queue_id": transaction.queue_id,
            "client_ip": self._client(transaction.connection.client_ip),
            "reverse_path": self._path(envelope.reverse_path),
            "recipients": self._paths(recipient.path for recipient in envelope.recipients),
            "recipient_count": len(envelope.recipients),
            "size_bytes": len(transaction.raw),
            "header_from": self._address(header_from) if header_from else "",
            "rules": sorted({f"{row.rule}={row.action.value}" for row in dispositions}),
            "intended": intended,
            "fates": fates,
            "reply_code": outcome.reply.code,
            "enhanced_code": outcome.reply.enhanced,
            "is_next_hops": outcome.is_next_hops,
            "stage": outcome.stage,
            "cause": outcome.cause,
            "ambiguous": outcome.ambiguous,
            "quarantine_ids": list(outcome.quarantine_ids),
            "banner": banner,
            "seal": seal,
            # A believed field may hold any word: only those that look like results are told.
            "authentication": [
                _UNPLAIN.sub("?", word)[:40] for word in authentication[:_MOST_RESULTS]
            ],
            "first_failure": first_failure,
            "seconds": {name: round(value, 4) for name, value in (seconds or {}).items()},
        }
        if verdict is not None:
            facts |= {
                "label": verdict.label.value,
                "score_db": round(verdict.score_db, 1),
                "findings": [row.finding.code for row in verdict.findings[:_MOST_FINDINGS]],
                "degraded": list(verdict.degraded),
                "language": verdict.language,
            }
        is_odd = outcome.reply.code >= 400 or bool(first_failure)
        self._emit("message", Level.WARNING if is_odd else Level.INFO, **facts)

    def hold(self, quarantine_id: str, hold: Hold) -> None:
        """A message is in the quarantine, durably."""
        self._emit(
            "hold",
            quarantine_id=quarantine_id,
            transaction_id=hold.transaction_id,
            reverse_path=self._path(hold.envelope.reverse_path),
            recipients=self._paths(r.path for r in hold.envelope.recipients),
            recipient_count=len(hold.envelope.recipients),
            label=hold.verdict.label.value,
            rule=hold.rule,
            size_bytes=len(hold.raw),
        )

    def release(
        self, *, quarantine_id: str, outcome: str, decided_by: str, reply_code: int = 0
    ) -> None:
        """A hold was released, deleted or has expired, or the next hop would not take it."""
        self._emit(
            "release",
            quarantine_id=quarantine_id,
            outcome=outcome,
            decided_by=self._address(decided_by) if "@" in decided_by else decided_by,
            reply_code=reply_code,
        )

    def problem(
        self,
        kind: str,
        *,
        detail: str = "",
        error: BaseException | None = None,
        transaction_id: str = "",
        is_fatal: bool = False,
    ) -> None:
        """Something is wrong with us or a neighbour; `kind` is one word, `detail` never content."""
        self._emit(
            "problem",
            Level.ERROR if is_fatal or error is not None else Level.WARNING,
            kind=kind,
            detail=_UNPLAIN.sub("?", detail)[:200],
            error=place_of(error) if error is not None else "",
            transaction_id=transaction_id,
        )

    def _emit(self, event: str, level: Level = Level.INFO, /, **facts: Any) -> None:
        head = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "level": level.value,
            "process": self._process,
        }
        try:
            self._write(event, **head, **facts)
        except (OSError, ValueError):
            # A full disk or a closed pipe; ValueError is Python's word for a closed stream.
            self._on_lost()

    def _client(self, client_ip: str) -> str:
        if self._settings.addresses is Addresses.HASH:
            return self._hashed(client_ip)
        return client_ip

    def _paths(self, paths: Iterable[Path]) -> list[str]:
        shown = dict.fromkeys(map(self._path, paths))
        return list(shown)[:_MOST_ADDRESSES]

    def _path(self, path: Path) -> str:
        if path.is_null:
            return "<>"
        if path.mailbox is None:
            return "postmaster"
        return self._address(path.mailbox.address)

    def _address(self, address: str) -> str:
        local_part, _, domain = address.rpartition("@")
        match self._settings.addresses:
            case Addresses.FULL:
                return address
            case Addresses.DOMAIN:
                return f"@{domain}" if local_part else "@"
            case _:
                return self._hashed(address)

    def _hashed(self, text: str) -> str:
        key = self._settings.address_key
        digest = hmac.new(key, text.lower().encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest.hexdigest()[:16]


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    """One JSON line: time, level, event, then the facts in their order."""
    head = {name: event.pop(name) for name in ("time", "level", "event")}
    try:
        return msgspec.json.encode(head | dict(event))
    except UnicodeEncodeError:
        # A lone surrogate from a peer's octets cannot be written as UTF-8.
        plain = {k: v if isinstance(v, int | float) else ascii(v) for k, v in event.items()}
        return msgspec.json.encode(head | plain)
