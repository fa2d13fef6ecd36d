"""The one place that speaks with Redis: a bounded pool of connections, alone or by Sentinels.

Commands go as one pipeline, one round trip, without a transaction. Nothing is tried again in here
but a script that the server does not know; waiting and trying again are the caller's, who knows how
long a mail may wait. What the client library does by itself (retries, its own timeouts, a newer
protocol, telling the server its version) is off.

Callers share a bounded number of connections and wait for a turn. Any loss of the server, and any
word that it is a replica now, drops the idle connections, so that the next command resolves the
name, or asks the Sentinels, again.

**Standards:** RESP 2.
**Failure:** `StoreUnavailable` with one word: timeout, refused, lost, tls, busy, no_master,
readonly, loading, full, denied, misconfigured, cluster, garbage. `Unusable` for an address that is
none.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any, Final, TypeAlias

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff

from milter.adapters.history.store import StoreUnavailable
from milter.ports import Unusable

Command: TypeAlias = tuple[str | bytes | int, ...]
_TCP_ONLY: Final = ("socket_keepalive", "socket_keepalive_options")
_KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3}
# Most telling first: a lost connection may have a READONLY or a refusal as its cause.
_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (exceptions.ReadOnlyError, "readonly"),
    (exceptions.BusyLoadingError, "loading"),
    (exceptions.OutOfMemoryError, "full"),
    (exceptions.AuthenticationError, "denied"),
    (exceptions.AuthorizationError, "denied"),
    (exceptions.NoPermissionError, "denied"),
    (exceptions.MasterDownError, "no_master"),
    (MasterNotFoundError, "no_master"),
    (exceptions.AskError, "cluster"),
    (exceptions.ClusterError, "cluster"),
    (exceptions.InvalidResponse, "garbage"),
    (ConnectionRefusedError, "refused"),
    (ssl.SSLError, "tls"),
    (exceptions.TimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (exceptions.ConnectionError, "lost"),
    (OSError, "lost"),
)
_CODES: Final = {
    "MISCONF": "misconfigured",
    "NOREPLICAS": "misconfigured",
    "BUSY": "busy",
    "ACL": "denied",  # a command within a script
}
# The server stays, another connection to it would hear the same.
_SERVER_STAYS: Final = frozenset({"full", "denied", "misconfigured", "busy", "garbage", "cluster"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """Where the server is, and how long a socket waits.

    `url` is redis://, rediss:// or unix://. With `sentinels` they are asked for the master of
    `service`, and of the URL only its scheme counts (rediss://, or a CA: TLS). `timeout` bounds the
    answer to one command; a mail's own budget is shorter and is kept by whoever waits.
    """

    url: str = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = "lurewall"
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    database: int = 0
    connections: int = 16
    timeout: float = 1.0
    connect_timeout: float = 0.5
    client_name: str = "lurewall"
    name_space: str = "lurewall1"


class Script:
    """A script that the server keeps and is called by its digest."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """Sends commands."""

    def __init__(self, options: RedisOptions) -> None:
        self._redis, self._sentinel = _client(options)
        self._turns = asyncio.Semaphore(options.connections)

    async def run(self, calls: Sequence[tuple[Script, Command]]) -> list[int]:
        """Run scripts, each for the key that stands first; the server is told those it lacks."""
        commands: list[Command] = [("EVALSHA", script.digest, 1, *rest) for script, rest in calls]
        answers = await self.send(commands)
        unknown = [
            place for place, one in enumerate(answers) if isinstance(one, exceptions.NoScriptError)
        ]
        if unknown:
            texts = dict.fromkeys(calls[place][0].text for place in unknown)
            loads: list[Command] = [("SCRIPT LOAD", text) for text in texts]
            again = await self.send(loads + [commands[place] for place in unknown])
            for place, answer in zip(unknown, again[len(loads) :], strict=True):
                answers[place] = answer
        counts = await self._sound(answers)
        if not all(isinstance(one, int) for one in counts):
            raise StoreUnavailable("garbage")
        return counts

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to these commands, all of them sound."""
        return await self._sound(await self.send(commands))

    async def _sound(self, answers: list[Any]) -> list[Any]:
        """The answers, if none is an error."""
        for one in answers:
            if isinstance(one, Exception):
                raise await self._unavailable(one)
        return answers

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """One round trip; an error of a single command is its answer."""
        if not commands:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            async with self._turns:
                return await pipeline.execute(raise_on_error=False)
        except Exception as error:
            # Of garbage the client library makes any exception.
            raise await self._unavailable(error) from error

    async def close(self) -> None:
        """Give back all connections."""
        with suppress(exceptions.RedisError, OSError):
            await self._redis.aclose()
            if self._sentinel is not None:
                await self._sentinel.aclose()

    async def _unavailable(self, error: Exception) -> StoreUnavailable:
        word = _word(error)
        if word not in _SERVER_STAYS:
            with suppress(Exception):
                await self._redis.connection_pool.disconnect(inuse_connections=False)
        return StoreUnavailable(word)


def _word(error: BaseException) -> str:
    causes = list(_causes(error))
    for kind, word in _WORDS:
        if any(isinstance(one, kind) for one in causes):
            return word
    return _CODES.get(str(error).partition(" ")[0], "garbage")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _client(options: RedisOptions) -> tuple[Redis, Sentinel | None]:
    """The client over one bounded pool, and the Sentinels if there are any."""
    told = _told(options.url)
    connection = _connection(options)
    if not options.sentinels:
        login = {
            "username": options.username or told.pop("username", None),
            "password": options.password or told.pop("password", None),
        }
        settings = connection | {"db": options.database} | told | login
        if told.get("connection_class") is SSLConnection:
            settings |= _tls(options)
        elif "path" in told:
            settings = {key: one for key, one in settings.items() if key not in _TCP_ONLY}
        pool = ConnectionPool(max_connections=options.connections, **settings)
        return Redis.from_pool(pool), None
    tls: dict[str, Any] = {}
    if told.get("connection_class") is SSLConnection or options.tls_ca is not None:
        tls = {"ssl": True} | _tls(options)
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        options.sentinels,
        sentinel_kwargs=connection
        | tls
        | {"username": options.sentinel_username, "password": options.sentinel_password}
        | {"socket_timeout": options.connect_timeout},
    )
    master = sentinel.master_for(
        options.service,
        max_connections=options.connections,
        db=options.database,
        username=options.username,
        password=options.password,
        **connection,
        **tls,
    )
    return master, sentinel


def _told(url: str) -> dict[str, Any]:
    """What a URL says; options by query are refused, since they would win over ours."""
    if not url:
        return {}
    try:
        told = dict(parse_url(url))
    except ValueError as error:
        raise Unusable(f"history.redis.url: {error}") from error
    surplus = set(told) - {"username", "password", "host", "port", "path", "db", "connection_class"}
    if surplus:
        raise Unusable(f"history.redis.url: {', '.join(sorted(surplus))} cannot be set in the URL")
    return told


def _connection(options: RedisOptions) -> dict[str, Any]:
    """Everything that the client library would else choose by itself."""
    return {
        "protocol": 2,
        "socket_timeout": options.timeout,
        "socket_connect_timeout": options.connect_timeout,
        "socket_keepalive": True,
        "socket_keepalive_options": _KEEPALIVE,
        # Who waits for a mail has no time to ask first; an idle connection that was closed is
        # noticed without asking, one that is dead by keep-alive.
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),
        "client_name": options.client_name,
        "driver_info": None,
    }


def _tls(options: RedisOptions) -> dict[str, Any]:
    def path(one: Path | None) -> str | None:
        return None if one is None else str(one)

    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": path(options.tls_ca),
        "ssl_certfile": path(options.tls_certificate),
        "ssl_keyfile": path(options.tls_key),
    }
