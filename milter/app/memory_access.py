"""The memory for commands: requests of a person, an analyst's ruling, counts; each is audited.

The audit log is that of the quarantine: one place tells who looked at what. It names a person by a
keyed hash only, or erasing would leave a trace of whom.

Failure: `Unusable` for keys and folders; `HistoryUnavailable` where the store does not answer.
"""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.history import person
from milter.adapters.history.sealed import SealedHistory
from milter.adapters.history.store import Counts, StoreUnavailable
from milter.adapters.keys import load_or_create_key
from milter.app.clock import SystemClock
from milter.app.history import RunningHistory
from milter.check.engagement.direct_mail import person_of
from milter.mail.engagement import KeptEvent, KeptSighting, Memories, Origin, Ruling, Stage
from milter.mail.quarantine import AuditAct, AuditEntry
from milter.ports import HistoryUnavailable, Unusable
from milter.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAccess:
    """What people may ask of the memory; `who` stands in the audit log."""

    history: SealedHistory
    audit_log: FilesQuarantine
    audit_key: bytes
    clock: SystemClock
    who: str

    async def export(self, address: str) -> AsyncIterator[KeptEvent | KeptSighting]:
        """Everything that is kept of the owner of an address."""
        await self._audit(AuditAct.EXPORT, address)
        async for kept in person.kept_of(self.history, address):
            yield kept

    async def erase(self, address: str, told: Callable[[int], None]) -> int:
        """Erase it; how many records there were."""
        count = await person.erase(self.history, address, told=told)
        await self._audit(AuditAct.ERASE, address, f" records={count}")
        return count

    async def rule(self, persona: str, recipient: str, stage: Stage, reason: str) -> None:
        """What came so far from this persona to this recipient weighs at most that stage."""
        ruling = Ruling(
            origin=Origin(event_id=uuid4().hex, at=self.clock.now()),
            address=persona.lower(),
            stage=stage,
            by=self.who,
            reason=reason,
        )
        await self.history.store.write(
            self.history.batch(Memories(events=((person_of(recipient), ruling),))),
            self.history.now(),
        )
        await self._audit(AuditAct.RULE, persona, f" stage={stage.name.lower()}")

    async def counts(self) -> Counts:
        """How much is kept."""
        return await self.history.store.counts()

    async def _audit(self, act: AuditAct, address: str, more: str = "") -> None:
        name = hmac.digest(self.audit_key, address.lower().encode(), "sha256").hex()[:16]
        await self.audit_log.audit(
            AuditEntry(at=self.clock.now(), who=self.who, act=act, detail=name + more)
        )


def make_key(file: Path) -> None:
    """A new key; raises Unusable."""
    load_or_create_key(file)


@asynccontextmanager
async def open_memory(settings: Settings, who: str) -> AsyncIterator[MemoryAccess]:
    """Open store and audit log, and close them after use."""
    clock = SystemClock()
    running = RunningHistory(settings, clock, told=lambda _what: None)
    if running.sealed is None:
        raise Unusable("history.store is 'none': nothing is remembered")
    key = load_or_create_key(settings.quarantine_key_file)
    audit_log = FilesQuarantine(
        settings.quarantine_folder,
        key,
        retention=timedelta(days=settings.quarantine.retention_days),
    )
    try:
        yield MemoryAccess(
            history=running.sealed, audit_log=audit_log, audit_key=key, clock=clock, who=who
        )
    except StoreUnavailable as error:
        raise HistoryUnavailable(str(error)) from error
    finally:
        audit_log.close()
        await running.aclose()
