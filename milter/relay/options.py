"""How to reach a next hop, and how long to wait for it."""

from dataclasses import dataclass, field
from enum import StrEnum
from ssl import SSLContext


class TlsPolicy(StrEnum):
    """When to speak TLS; `opportunistic` encrypts where offered and trusts any certificate."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds per stage; `block` is for each block of content (RFC 5321 §4.5.3.2 advises more).

    A proxy must answer before its own peer gives up: 600 s at the end of data in RFC 5321, 100 s
    in Postfix's smtpd_proxy_timeout, so a before-queue filter sets `end_of_data` below that.
    """

    connect: float = 10.0
    greeting: float = 30.0
    command: float = 60.0
    block: float = 60.0
    end_of_data: float = 300.0
    rset: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHopOptions:
    """One next hop: `host` and `port`, or `unix_path`; never both.

    `ssl_context` replaces the default one of the policy; `tls_name` replaces `host` as the name
    that the certificate must bear. `pool_size` bounds idle connections, not open ones: a bound on
    those would let slow peers block the others; the listener bounds connections.
    """

    host: str = ""
    port: int = 25
    unix_path: str = ""
    lmtp: bool = False
    tls: TlsPolicy = TlsPolicy.NONE
    ssl_context: SSLContext | None = None
    tls_name: str = ""
    helo_name: str = "localhost"
    send_xforward: bool = True
    send_xclient: bool = False
    pool_size: int = 20
    idle_seconds: float = 30.0
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        if bool(self.host) == bool(self.unix_path):
            raise ValueError("a next hop is a host or a Unix socket")
