"""The administrative port: /metrics, /healthz and /readyz over a very small HTTP.

GET and HEAD only, one request a connection, everything bounded: this is no web server and is not
meant for the mail network. Where a token is configured, /metrics asks for it, and the health pages
give their reasons only to those who have it (a probe needs the status alone).

**Standards:** RFC 9110 (methods, status codes), RFC 9112 §3 (request line), RFC 6750 §2.1 (token).
Failure: anything else than a plain request gets 400, 404, 405 or 401 and a closed connection.
"""

import asyncio
import hmac
import socket
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from milter.observe.exposition import TEXT_CONTENT_TYPE

_MAX_HEAD_BYTES = 8 * 1024
_HEAD_SECONDS = 5.0
_MAX_CONNECTIONS = 32
_PLAIN = "text/plain; charset=utf-8"


class AdminSource(Protocol):
    """Who knows what the pages show. An empty tuple of reasons means well."""

    async def metrics_text(self) -> bytes:
        """The metrics of the whole gateway."""
        ...

    async def liveness(self) -> tuple[str, ...]:
        """Why the gateway is not alive."""
        ...

    async def readiness(self) -> tuple[str, ...]:
        """Why the gateway should not get mail just now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    status: HTTPStatus
    body: bytes
    content_type: str = _PLAIN
    extra: str = ""

    def encode(self, *, with_body: bool) -> bytes:
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            f"Content-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\n"
            f"{self.extra}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode("ascii") + (self.body if with_body else b"")


class AdminServer:
    """Serves one listening socket until closed."""

    def __init__(self, source: AdminSource, token: str = "") -> None:
        self._source = source
        self._token = token.encode()
        self._server: asyncio.Server | None = None
        self._connections = 0

    async def start(self, listener: socket.socket) -> None:
        """Answer on this socket, which stays the caller's."""
        self._server = await asyncio.start_server(
            self._serve, sock=listener.dup(), limit=_MAX_HEAD_BYTES
        )

    async def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= _MAX_CONNECTIONS:
                async with asyncio.timeout(_HEAD_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                method, response = await self._respond(head)
                writer.write(response.encode(with_body=method != b"HEAD"))
                async with asyncio.timeout(_HEAD_SECONDS):
                    await writer.drain()
        except (
            TimeoutError,
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            pass
        finally:
            self._connections -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _respond(self, head: bytes) -> tuple[bytes, _Response]:
        request_line, *fields = head.split(b"\r\n")
        words = request_line.split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return b"", _text(HTTPStatus.BAD_REQUEST)
        method, target, _version = words
        if method not in (b"GET", b"HEAD"):
            return method, _text(HTTPStatus.METHOD_NOT_ALLOWED, extra="Allow: GET, HEAD\r\n")
        is_trusted = self._is_trusted(fields)
        match target.partition(b"?")[0]:
            case b"/metrics":
                if not is_trusted:
                    challenge = "WWW-Authenticate: Bearer\r\n"
                    return method, _text(HTTPStatus.UNAUTHORIZED, extra=challenge)
                text = await self._source.metrics_text()
                return method, _Response(
                    status=HTTPStatus.OK, body=text, content_type=TEXT_CONTENT_TYPE
                )
            case b"/healthz":
                return method, _health(await self._source.liveness(), is_trusted)
            case b"/readyz":
                return method, _health(await self._source.readiness(), is_trusted)
            case _:
                return method, _text(HTTPStatus.NOT_FOUND)

    def _is_trusted(self, fields: list[bytes]) -> bool:
        if not self._token:
            return True
        for field in fields:
            name, _, value = field.partition(b":")
            scheme, _, token = value.strip().partition(b" ")
            if name.lower() == b"authorization" and scheme.lower() == b"bearer":
                return hmac.compare_digest(token.strip(), self._token)
        return False


def _text(status: HTTPStatus, *, extra: str = "") -> _Response:
    return _Response(status=status, body=f"{status.phrase}\n".encode(), extra=extra)


def _health(reasons: tuple[str, ...], is_trusted: bool) -> _Response:
    if not reasons:
        return _Response(status=HTTPStatus.OK, body=b"ok\n")
    shown = reasons if is_trusted else ("not well",)
    body = "".join(f"{reason}\n" for reason in shown).encode("utf-8", "replace")
    return _Response(status=HTTPStatus.SERVICE_UNAVAILABLE, body=body)
