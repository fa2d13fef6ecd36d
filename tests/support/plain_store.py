"""A store in plain dicts: says what `HistoryStore` means, and is the oracle of its contract."""

from dataclasses import replace

from milter.adapters.history.store import (
    MAX_ENTRIES,
    MAX_MARKS,
    Answer,
    Batch,
    Counts,
    Entry,
    Mark,
    TrailRecord,
)


class PlainStore:
    """Implements `HistoryStore`."""

    def __init__(self) -> None:
        self.entries: dict[bytes, dict[bytes, Entry]] = {}
        self.marks: dict[bytes, dict[bytes, Mark]] = {}
        self.full: set[bytes] = set()

    async def read(self, dossiers, trails, now) -> Answer:
        return Answer(
            dossiers=tuple(
                tuple(
                    sorted(
                        (one for one in self.entries.get(key, {}).values() if one.expires > now),
                        key=lambda one: (one.at, one.event_id),
                    )
                )
                for key in dossiers
            ),
            trails=tuple(self._trail(key, now) for key in trails),
        )

    def _trail(self, key: bytes, now: int) -> TrailRecord:
        marks = [one for one in self.marks.get(key, {}).values() if one.expires > now]
        return TrailRecord(
            marks=tuple(sorted(marks, key=lambda one: (one.first, one.field))),
            is_full=key in self.full and bool(marks),
        )

    async def write(self, batch: Batch, now: int) -> None:
        for key, entry in batch.entries:
            self._add(self.entries.setdefault(key, {}), entry, now)
        for key, mark in batch.marks:
            self._mark(key, mark, now)

    def _add(self, dossier: dict[bytes, Entry], entry: Entry, now: int) -> None:
        if entry.expires <= now:
            return
        for old in [one.event_id for one in dossier.values() if one.expires <= now]:
            del dossier[old]
        dossier.setdefault(entry.event_id, entry)
        while len(dossier) > MAX_ENTRIES:
            groups: dict[bytes, int] = {}
            for one in dossier.values():
                groups[one.group] = groups.get(one.group, 0) + 1
            payer = min(groups, key=lambda group: (-groups[group], group))
            oldest = min(
                (one for one in dossier.values() if one.group == payer),
                key=lambda one: (one.at, one.event_id),
            )
            del dossier[oldest.event_id]

    def _mark(self, key: bytes, mark: Mark, now: int) -> None:
        if mark.expires <= now:
            return
        trail = self.marks.setdefault(key, {})
        for old in [one.field for one in trail.values() if one.expires <= now]:
            del trail[old]
        if not trail:
            self.full.discard(key)
        other = trail.get(mark.field)
        if other is None:
            if len(trail) >= MAX_MARKS:
                self.full.add(key)
                return
            trail[mark.field] = mark
            return
        earlier = min(other, mark, key=lambda one: one.first)
        trail[mark.field] = replace(
            earlier, last=max(other.last, mark.last), expires=max(other.expires, mark.expires)
        )

    async def forget_entries(self, dossier, event_ids) -> int:
        kept = self.entries.get(dossier, {})
        return sum(kept.pop(one, None) is not None for one in event_ids)

    async def forget_marks(self, trail, fields) -> int:
        kept = self.marks.get(trail, {})
        return sum(kept.pop(one, None) is not None for one in fields)

    async def dossiers(self):
        for key in sorted(key for key, kept in self.entries.items() if kept):
            yield key

    async def trails(self):
        for key in sorted(key for key, kept in self.marks.items() if kept):
            yield key

    async def expire(self, now) -> int:
        gone = 0
        for records in (*self.entries.values(), *self.marks.values()):
            for name in [name for name, one in records.items() if one.expires <= now]:
                del records[name]
                gone += 1
        return gone

    async def counts(self) -> Counts:
        return Counts(
            dossiers=sum(bool(kept) for kept in self.entries.values()),
            entries=sum(map(len, self.entries.values())),
            trails=sum(bool(kept) for kept in self.marks.values()),
            marks=sum(map(len, self.marks.values())),
        )

    async def close(self) -> None:
        pass
