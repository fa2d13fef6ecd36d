"""The memory that the settings ask for, as a front runs it.

Failure: `Unusable` for a key or a file that cannot be used; a store that is away is no reason not
to start: mail flows without it.
"""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Final

from milter.adapters.history.batch_journal import BatchJournal
from milter.adapters.history.guard import GuardedStore, GuardOptions, Watch
from milter.adapters.history.redis_client import RedisClient, RedisOptions
from milter.adapters.history.redis_store import RedisStore
from milter.adapters.history.sealed import MemoryKey, Retention, SealedHistory
from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import HistoryStore
from milter.adapters.keys import load_key, load_or_create_key
from milter.adapters.memory import EmptyHistory
from milter.ports import Clock, History, Unusable
from milter.settings import Settings

FILE: Final = "memory.db"


class RunningHistory:
    """`history` is what pipeline and outbound gateway use; `sealed` is None without memory.

    With `watch` the store is guarded, as the way of a mail needs it; people can wait.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        told: Callable[[str], None],
        watch: Watch | None = None,
    ) -> None:
        self.history: History = EmptyHistory()
        self.sealed: SealedHistory | None = None
        if settings.history.store == "none":
            return
        store = _store(settings)
        self.sealed = SealedHistory(
            store=store if watch is None else _guarded(store, settings, clock, watch),
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


def history_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """What keeps this machine from having the memory that the settings ask for; asks no store."""
    told = settings.history
    if told.store == "none":
        return
    found = list(_file_problems(settings))
    yield from found
    if told.redis is not None and not found:
        try:
            RedisClient(redis_options(settings))
        except Unusable as error:
            yield "history.redis.url", str(error).removeprefix("history.redis.url: ")


def _file_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    told = settings.history
    # The key of an embedded memory is made at the first start.
    if told.store == "redis" or settings.history_key_file.exists():
        yield from _trouble("history.key_file", load_key, settings.history_key_file)
    for index, path in enumerate(told.old_key_files):
        yield from _trouble(f"history.old_key_files[{index}]", load_key, path)
    if told.redis is not None:
        yield from _trouble("history.redis.password_file", _password, told.redis.password_file)
        yield from _trouble("history.redis.tls_ca_file", _authorities, told.redis.tls_ca_file)


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


def _guarded(store: HistoryStore, settings: Settings, clock: Clock, watch: Watch) -> GuardedStore:
    """Each front has its share of what may be kept aside."""
    return GuardedStore(
        store,
        BatchJournal(
            settings.history_folder / "journal",
            most_bytes=settings.history.journal_bytes // settings.fronts,
        ),
        clock,
        watch=watch,
        jitter=SystemRandom().random,
        options=GuardOptions(budget=settings.history.budget_seconds),
    )


def _store(settings: Settings) -> HistoryStore:
    if settings.history.store == "redis":
        return RedisStore(redis_options(settings))
    return SqliteStore(settings.history_folder / FILE)


def redis_options(settings: Settings) -> RedisOptions:
    """What the settings say of the shared store; the password is read now."""
    told = settings.history.redis
    if told is None:
        raise Unusable("history.redis.url: is missing")
    return RedisOptions(
        url=told.url or "",
        sentinels=tuple(map(_place, told.sentinels)),
        service=told.service,
        username=told.username,
        password=None if told.password_file is None else _password(told.password_file),
        tls_ca=told.tls_ca_file,
        database=told.database,
        connections=told.connections,
    )


def _place(told: str) -> tuple[str, int]:
    host, _, port = told.rpartition(":")
    return host.strip("[]"), int(port)


def _password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise Unusable(f"{path}: cannot read the password: {type(error).__name__}") from error


def _authorities(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = f"{path}: cannot read certificates in PEM form: {type(error).__name__}"
        raise Unusable(reason) from error


def _trouble(
    key: str, use: Callable[[Path], object], path: Path | None
) -> Iterator[tuple[str, str]]:
    try:
        if path is not None:
            use(path)
    except Unusable as error:
        yield key, str(error)
