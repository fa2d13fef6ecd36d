"""How one listener behaves: frozen, built from settings by `app`."""

import ssl
from dataclasses import dataclass
from typing import Literal

from milter.listen.peers import Networks

Role = Literal["mx", "before_queue", "after_queue", "outbound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """Role, names, limits and times of a listener.

    `domains` (A-labels) is what role mx takes mail for, `allow_from` whom role outbound takes mail
    from; other roles ignore them. `greeting` follows
    the host name in the 220 line. `command_seconds` is the time for one whole command line,
    `data_block_seconds` the longest silence within DATA, `data_seconds` the whole of DATA.
    """

    role: Role
    hostname: str
    name: str = ""
    domains: frozenset[str] = frozenset()
    greeting: str = "ESMTP"
    tls_context: ssl.SSLContext | None = None
    require_tls: bool = False
    allow_from: Networks = ()
    xclient_from: Networks = ()
    xforward_from: Networks = ()
    proxy_from: Networks = ()
    bare_line_ends: Literal["reject", "normalise"] = "reject"
    max_message_bytes: int = 50_000_000
    max_line_bytes: int = 65_536
    max_command_bytes: int = 2_048
    max_recipients: int = 1_000
    max_errors: int = 10
    max_received_fields: int = 50
    command_seconds: float = 300.0
    data_block_seconds: float = 180.0
    data_seconds: float = 600.0

    @property
    def may_reject(self) -> bool:
        """False in after_queue: that mail was accepted long ago, a 5xx of ours would bounce it."""
        return self.role != "after_queue"

    @property
    def normalises(self) -> bool:
        """True where bare CR and LF become CRLF instead of a refusal."""
        return self.bare_line_ends == "normalise" or not self.may_reject


@dataclass(frozen=True, slots=True, kw_only=True)
class MilterOptions:
    """Peers and limits of a milter listener.

    `allow_from` are the networks that an MTA may come from over TCP; whoever can open our Unix
    socket may use it. `defer_too_large`: what is larger than we take is deferred, else let through
    unjudged. `pass_authenticated`: mail of clients that logged in is not looked at.
    """

    name: str = "milter"
    allow_from: Networks = ()
    max_message_bytes: int = 50_000_000
    defer_too_large: bool = False
    pass_authenticated: bool = True
