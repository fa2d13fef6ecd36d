"""A real MTA with the gateway as its milter, and a sink behind: how people run role milter."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from milter.demo.inner_server import Delivered, InnerServer
from tests.support import postfix, sendmail
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import inner_server
from tests.support.ports import free_port

Mta = postfix.Instance | sendmail.Instance

# Postfix must hand on what it got: no missing fields added, no long lines folded.
_TRANSPARENT = {"local_header_rewrite_clients": "", "smtp_line_length_limit": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """Where the filter listens, and how an MTA is told."""

    kind: str
    path: Path | None
    port: int

    def mta(self, sink_port: int, port: int, default: str, first: int = 0) -> Any:
        """The MTA as a context; `first` is the port of a filter that it asks before ours."""
        if self.kind == "postfix":
            return _postfix(self, sink_port, port, default, first)
        return _sendmail(self, sink_port, port, default, first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A client's view: `mta` takes mail, `gateway` judges it, `sink` has what went on."""

    mta: Mta
    gateway: Gateway
    sink: InnerServer
    where: _Where
    where_held_by_mta: _Where

    @contextmanager
    def beside(
        self, *, kind: str = "", default: str = "tempfail", held_by_mta: bool = False,
        first: int = 0,
    ) -> Iterator["Behind"]:  # fmt: skip
        """Another MTA before the same gateway and sink: of another kind, with another default
        action, with another filter before ours, or at the listener that leaves holding to the MTA,
        which has a socket of the other kind.
        """
        where = self.where_held_by_mta if held_by_mta else self.where
        where = replace(where, kind=kind or where.kind)
        with where.mta(self.sink.port, free_port(), default, first) as mta:
            yield replace(self, mta=mta)

    def send(
        self, raw: bytes, *to: str, sender: str = "a@sender.test", parameters: str = ""
    ) -> bytes:
        """One mail in a session of its own; the reply that ends it."""
        with Peer(self.mta.port, timeout=120) as peer:
            peer.hello()
            return peer.send(raw, to=list(to), sender=sender, parameters=parameters)

    def copies(self, recipient: str) -> list[Delivered]:
        """All that arrived for a recipient, once the MTA's queue is empty."""
        self.mta.wait_empty()
        wanted = recipient.encode()
        return [message for message in self.sink.messages if wanted in message.recipients]

    def only(self, recipient: str) -> Delivered:
        """The one mail for a recipient; waits for it."""
        eventually(lambda: self.copies(recipient))
        (message,) = self.copies(recipient)
        return message


@contextmanager
def behind(
    kind: str, folder: Path, *, unix: bool = True, default: str = "tempfail", more: str = "",
    **options: Any,
) -> Iterator[Behind]:  # fmt: skip
    """`kind` is postfix or sendmail; `default` is what the MTA does without the filter.

    Released mail goes to the same MTA and passes the filter again.
    """
    with ExitStack() as stack:
        sink = stack.enter_context(inner_server())
        port = free_port()
        above = stack.enter_context(_folder_of_a_socket())
        # As docs/milter.md says: Postfix's group may connect.
        group = "postfix" if kind == "postfix" else "root"
        path, port_beside = above / "milter.sock", free_port()
        socket = f'socket = "{path}"\nsocket_group = "{group}"\n'
        listen = f'release_to = "127.0.0.1:{port}"\n' + (socket if unix else "")
        beside = '[[listen]]\nrole = "milter"\nhold_with = "mta"\n'
        beside += f"port = {port_beside}\n" if unix else socket
        running = stack.enter_context(
            gateway(
                folder, inner_port=port, role="milter", listen=listen, more=beside + more, **options
            )
        )
        there = _Where(kind=kind, path=path if unix else None, port=running.port)
        other = _Where(kind=kind, path=None if unix else path, port=port_beside)
        mta = stack.enter_context(there.mta(sink.port, port, default))
        yield Behind(mta=mta, gateway=running, sink=sink, where=there, where_held_by_mta=other)


@contextmanager
def _folder_of_a_socket() -> Iterator[Path]:
    """Not below pytest's folder, which only its owner may enter: Postfix gives up root."""
    folder = Path(tempfile.mkdtemp(prefix="lurewall-milter-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postfix(where: _Where, sink_port: int, port: int, default: str, first: int) -> Any:
    milter = f"inet:127.0.0.1:{first}, " if first else ""
    milter += f"unix:{where.path}" if where.path else f"inet:127.0.0.1:{where.port}"
    return postfix.postfix(
        "mta",
        port=port,
        settings={
            **_TRANSPARENT,
            "default_transport": f"smtp:[127.0.0.1]:{sink_port}",
            "smtpd_milters": milter,
            "non_smtpd_milters": milter,
            "milter_default_action": default,
            "milter_connect_timeout": "10s",
            "milter_command_timeout": "30s",
            "milter_content_timeout": "120s",
        },
    )


def _sendmail(where: _Where, sink_port: int, port: int, default: str, first: int) -> Any:
    place = sendmail.unix(where.path) if where.path else sendmail.inet(where.port)
    flag = {"tempfail": "T", "reject": "R", "accept": ""}[default]
    ours = sendmail.Filter(socket=place, default=flag)
    before = [sendmail.Filter(socket=sendmail.inet(first), name="first")] if first else []
    return sendmail.sendmail(sink_port, *before, ours, port=port)
