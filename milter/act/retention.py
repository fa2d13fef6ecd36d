"""What time does to holds: notices, the warning before expiry, expiry, the end of tombstones.

`Housekeeper.run` is called every few seconds by one front; nothing here is on the path of a
message. What the contact has been told stands as marks in the store, so a crash repeats a notice
and never loses one. Refuses to expire what has not been announced for the promised time, unless
the contact could not be reached for long. Release and deletion by people: act/quarantine.py.

**Failure:** a notice that fails is tried again, later each time, and counted; a hold that is busy
or damaged is passed over and counted; CannotKeep ends the run, the next one goes on.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from milter.act.quarantine import OPEN_STATES, moved
from milter.mail.quarantine import (
    FINAL_STATES,
    AuditAct,
    AuditEntry,
    HoldEntry,
    HoldState,
    Mark,
    QuarantineRecord,
)
from milter.ports import HoldBusy, HoldDamaged, HoldMissing, HoldStore, NoticeFailed, Notifier

ACTOR = "lurewall"
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """How long, how early, how often. The retention itself is in each record (`expires_at`)."""

    warn_before: timedelta = timedelta(days=7)
    unannounced_grace: timedelta = timedelta(days=30)
    tombstones: timedelta = timedelta(days=90)
    notice_interval: timedelta = timedelta(seconds=60)
    notice_size: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HousekeepingReport:
    """What one run did and found, for metrics and the mail log."""

    recovered: tuple[str, ...] = ()
    notified: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    notices_failed: int = 0
    expired: tuple[str, ...] = ()
    expired_unannounced: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    held: int = 0
    oldest_received_at: datetime | None = None
    decided: tuple[tuple[HoldState, int], ...] = ()


class _Known(NamedTuple):
    """A hold whose record can be read, with the dates that matter here."""

    entry: HoldEntry
    received_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.entry.state in OPEN_STATES

    def warn_from(self, rules: RetentionRules) -> datetime:
        """When expiry is announced; at once if the whole retention is shorter than the warning."""
        return max(self.received_at, self.expires_at - rules.warn_before)

    def expires_from(self, rules: RetentionRules) -> datetime:
        """When the hold may go: after its retention and the full time after the warning."""
        if self.entry.warned_at is None:
            return self.expires_at + rules.unannounced_grace
        lead = self.expires_at - self.warn_from(rules)
        return max(self.expires_at, self.entry.warned_at + lead)


class Housekeeper:
    """Reads each record once and keeps its dates, so a round costs one look at the names."""

    def __init__(
        self, store: HoldStore, notifier: Notifier | None, rules: RetentionRules | None = None
    ) -> None:
        """Without a notifier there is nobody to warn, and holds expire when their time is up."""
        self._store = store
        self._notifier = notifier
        self._rules = rules or RetentionRules()
        if notifier is None:
            self._rules = replace(self._rules, unannounced_grace=timedelta(0))
        self._known: dict[tuple[str, HoldState], _Known] = {}
        self._damaged: set[tuple[str, HoldState]] = set()
        self._last_attempt = datetime.min.replace(tzinfo=UTC)
        self._last_kind = Mark.WARNED
        self._failures = 0

    async def run(self, now: datetime) -> HousekeepingReport | None:
        """One round of everything; None if another process is at it."""
        async with self._store.housekeeping() as ours:
            return await self._round(now) if ours else None

    async def expire(self, now: datetime) -> HousekeepingReport:
        """Only expiry: what is due goes, and the report says what went."""
        await self._learn()
        expired: list[str] = []
        unannounced: list[str] = []
        for known in self._known.values():
            if known.is_open and known.expires_from(self._rules) <= now:
                quarantine_id = known.entry.quarantine_id
                if await self._expire_one(quarantine_id, now):
                    expired.append(quarantine_id)
                    if known.entry.warned_at is None:
                        unannounced.append(quarantine_id)
        return HousekeepingReport(expired=tuple(expired), expired_unannounced=tuple(unannounced))

    async def _round(self, now: datetime) -> HousekeepingReport:
        recovered = await self._store.recover(now)
        await self._learn()
        failures = self._failures
        mark, told = await self._tell(now)
        report = await self.expire(now)
        forgotten = await self._forget(now)
        waiting = [
            known.received_at
            for known in self._known.values()
            if known.is_open and known.entry.quarantine_id not in report.expired
        ]
        return replace(
            report,
            recovered=recovered,
            notified=told if mark is Mark.NOTIFIED else (),
            warned=told if mark is Mark.WARNED else (),
            notices_failed=int(self._failures > failures),
            forgotten=forgotten,
            damaged=tuple(sorted(quarantine_id for quarantine_id, _ in self._damaged)),
            held=len(waiting),
            oldest_received_at=min(waiting, default=None),
            decided=self._decided(),
        )

    def _decided(self) -> tuple[tuple[HoldState, int], ...]:
        """How many tombstones there are of each final state."""
        states = Counter(known.entry.state for known in self._known.values())
        return tuple((state, states[state]) for state in sorted(FINAL_STATES))

    async def _learn(self) -> None:
        """Bring `_known` up to date; only what is new is opened."""
        before, self._known = self._known, {}
        damaged_before, self._damaged = self._damaged, set()
        for entry in await self._store.entries():
            key = entry.quarantine_id, entry.state
            if key in before:
                self._known[key] = before[key]._replace(entry=entry)
            elif key in damaged_before:
                self._damaged.add(key)
            elif entry.state is not HoldState.PENDING:
                try:
                    record = await self._store.find(entry.quarantine_id)
                except HoldMissing:
                    continue
                except HoldDamaged:
                    self._damaged.add(key)
                    continue
                if record.state is entry.state:
                    self._known[key] = _Known(
                        entry, record.received_at, record.expires_at, record.decided_at
                    )

    async def _tell(self, now: datetime) -> tuple[Mark, tuple[str, ...]]:
        """At most one notice: about new holds or about holds that will expire, by turns."""
        first = Mark.NOTIFIED if self._last_kind is Mark.WARNED else Mark.WARNED
        if self._notifier is None or now < self._next_notice():
            return first, ()
        for mark in (first, self._last_kind):
            due = self._due(mark, now)
            records = await self._still_open(due[: self._rules.notice_size])
            if records:
                self._last_kind = mark
                return mark, await self._send(self._notifier, mark, records, now)
        return first, ()

    def _next_notice(self) -> datetime:
        """The marks count as well: another process may have sent the last notice."""
        last = self._last_attempt
        for known in self._known.values():
            last = max(last, known.entry.notified_at or last, known.entry.warned_at or last)
        pause = self._rules.notice_interval * (1 << min(self._failures, 16))
        return last + min(pause, max(_LONGEST_PAUSE, self._rules.notice_interval))

    def _due(self, mark: Mark, now: datetime) -> list[str]:
        waiting = [
            known
            for known in self._known.values()
            if known.is_open
            and (
                known.entry.notified_at is None
                if mark is Mark.NOTIFIED
                else known.entry.warned_at is None and known.warn_from(self._rules) <= now
            )
        ]
        waiting.sort(key=lambda known: known.received_at)
        return [known.entry.quarantine_id for known in waiting]

    async def _still_open(self, quarantine_ids: Sequence[str]) -> list[QuarantineRecord]:
        records: list[QuarantineRecord] = []
        for quarantine_id in quarantine_ids:
            with suppress(HoldMissing, HoldDamaged):
                record = await self._store.find(quarantine_id)
                if record.state in OPEN_STATES:
                    records.append(record)
        return records

    async def _send(
        self, notifier: Notifier, mark: Mark, records: Sequence[QuarantineRecord], now: datetime
    ) -> tuple[str, ...]:
        self._last_attempt = now
        try:
            if mark is Mark.WARNED:
                await notifier.expiring(records)
            elif len(records) == 1:
                await notifier.held(records[0])
            else:
                await notifier.digest(records)
        except NoticeFailed:
            self._failures += 1
            return ()
        self._failures = 0
        told = tuple(record.quarantine_id for record in records)
        await self._store.mark(told, mark, now)
        act = AuditAct.WARN if mark is Mark.WARNED else AuditAct.NOTIFY
        for quarantine_id in told:
            await self._audit(now, act, quarantine_id)
        return told

    async def _expire_one(self, quarantine_id: str, now: datetime) -> bool:
        try:
            async with self._store.exclusive(quarantine_id) as record:
                if record.state not in OPEN_STATES:
                    return False
                await self._audit(now, AuditAct.EXPIRE, quarantine_id)
                expired = moved(record, HoldState.EXPIRED, by=ACTOR, at=now)
                await self._store.replace(expired)
                return True
        except (HoldBusy, HoldMissing, HoldDamaged):
            return False

    async def _forget(self, now: datetime) -> tuple[str, ...]:
        """The tombstone's end; the audit log keeps what was done."""
        forgotten: list[str] = []
        for known in self._known.values():
            done_at = known.decided_at or known.expires_at
            if known.entry.state in FINAL_STATES and done_at + self._rules.tombstones <= now:
                await self._audit(now, AuditAct.FORGET, known.entry.quarantine_id)
                await self._store.forget(known.entry.quarantine_id)
                forgotten.append(known.entry.quarantine_id)
        return tuple(forgotten)

    async def _audit(self, now: datetime, act: AuditAct, quarantine_id: str) -> None:
        entry = AuditEntry(at=now, who=ACTOR, act=act, quarantine_id=quarantine_id)
        await self._store.audit(entry)
