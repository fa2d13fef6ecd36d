"""Listening sockets, bound once by the supervisor and shared by all fronts.

A socket that a new configuration keeps is handed on as it is, with the connections that wait in
it: a reload refuses nobody.

Failure: `AddressUnavailable`, one line for the operator.
"""

import errno
import os
import shutil
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BACKLOG = 1024


class AddressUnavailable(Exception):
    """An address cannot be listened on; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """A TCP address of ours (port 0 lets the kernel choose), or the path of a Unix socket.

    A path with other rights is the same address.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    group: str = field(default="", compare=False)
    mode: int = field(default=0o660, compare=False)

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind(address: ListenAddress) -> socket.socket:
    """A non-blocking listening socket; raises AddressUnavailable."""
    if address.path:
        return _bind_path(address)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressUnavailable(f"{address}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise AddressUnavailable(f"{address}: {reason}") from None
    return listener


def _bind_path(address: ListenAddress) -> socket.socket:
    """A Unix socket with its owner group and mode; a dead one of the same name is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead(address.path)
        listener.bind(address.path)
        _give_rights(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except (OSError, LookupError) as error:
        listener.close()
        raise _unavailable(address, error) from None
    return listener


def _give_rights(address: ListenAddress) -> None:
    Path(address.path).chmod(address.mode)
    if address.group:
        shutil.chown(address.path, group=address.group)


def _unavailable(address: ListenAddress, error: OSError | LookupError) -> AddressUnavailable:
    return AddressUnavailable(f"{address}: {getattr(error, 'strerror', None) or error}")


def _remove_dead(path: str) -> None:
    """Remove a socket that nobody listens on; raises OSError for anything else of that name."""
    if not Path(path).exists():
        return
    if not Path(path).is_socket():
        raise OSError(errno.EEXIST, "is there and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            pass  # somebody listens who is too busy to take it
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE).lower())


def bound_to(listener: socket.socket) -> str:
    """The address that a socket really has, as people write it."""
    name = listener.getsockname()
    if isinstance(name, str):
        return name
    return str(ListenAddress(host=name[0], port=name[1]))


def bind_all(
    wanted: Iterable[ListenAddress], held: Mapping[ListenAddress, socket.socket]
) -> dict[ListenAddress, socket.socket]:
    """Sockets for all wanted addresses, those already held as they are; all or none."""
    sockets: dict[ListenAddress, socket.socket] = {}
    try:
        for address in wanted:
            kept = held.get(address)
            if kept is not None and address.path:
                _give_rights(address)
            sockets[address] = kept or bind(address)
    except (OSError, LookupError) as error:
        close_others(sockets, kept=held)
        raise _unavailable(address, error) from None
    except AddressUnavailable:
        close_others(sockets, kept=held)
        raise
    return sockets


def close_others(
    sockets: Mapping[ListenAddress, socket.socket], *, kept: Mapping[ListenAddress, socket.socket]
) -> None:
    """Close those that are not kept."""
    for address, listener in sockets.items():
        if address not in kept:
            listener.close()
