"""The memory that the settings ask for, as a front runs it.

Failure: `Unusable` for a key or a file that cannot be used; a store that is away is no reason not
to start: mail flows without it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from milter.adapters.history.sealed import MemoryKey, Retention, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.adapters.keys import load_key, load_or_create_key
from milter.adapters.memory import EmptyHistory
from milter.ports import Clock, History
from milter.settings import Settings

FILE: Final = "memory.db"


class RunningHistory:
    """`history` is what pipeline and outbound gateway use; `sealed` is None without memory."""

    def __init__(self, settings: Settings, clock: Clock, *, told: Callable[[str], None]) -> None:
        self.history: History = EmptyHistory()
        self.sealed: SealedHistory | None = None
        if settings.history.store == "none":
            return
        self.sealed = SealedHistory(
            store=_store(settings),
            keys=memory_keys(settings),
            clock=clock,
            retention=retention(settings),
            told=told,
        )
        self.history = self.sealed

    async def keep_house(self) -> int:
        """Forget what has expired, in a bounded step; how many records went."""
        return await self.sealed.store.expire(self.sealed.now()) if self.sealed else 0

    async def aclose(self) -> None:
        """Finish what was begun."""
        if self.sealed is not None:
            await self.sealed.store.close()


def memory_keys(settings: Settings) -> tuple[MemoryKey, ...]:
    """The key in use, made at the first start of an embedded memory, and the former ones."""
    path = settings.history_key_file
    shared = settings.history.store == "redis"
    newest = load_key(path) if shared else load_or_create_key(path)
    return tuple(map(MemoryKey, (newest, *map(load_key, settings.history.old_key_files))))


def retention(settings: Settings) -> Retention:
    """How long each kind is kept."""
    told = settings.history
    return Retention(
        contacts=timedelta(days=told.keep_contacts_days),
        conduct=timedelta(days=told.keep_conduct_days),
        rulings=timedelta(days=told.keep_rulings_days),
        traits=timedelta(days=told.keep_traits_days),
        texts=timedelta(days=told.keep_texts_days),
    )


def _store(settings: Settings) -> HistoryStore:
    return SqliteStore(settings.history_folder / FILE)
