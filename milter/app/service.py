"""What the supervisor must know of a configuration; the fronts get the octets themselves."""

import hashlib
from dataclasses import dataclass

from milter.app.sockets import ListenAddress
from milter.observe.maillog import MailLogSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One validated configuration: its octets, and the part that concerns processes.

    `listeners` name the sockets that fronts inherit. `admin_token` empty: no token is asked for.
    """

    configuration: bytes
    source: str
    version: str
    mode: str
    listeners: dict[str, ListenAddress]
    admin: ListenAddress
    mail_log: MailLogSettings
    admin_token: str = ""
    fronts: int = 1
    drain_seconds: float = 60.0
    start_seconds: float = 90.0

    @property
    def configuration_hash(self) -> str:
        """Short name of the configuration in force, for logs and metrics."""
        return hashlib.sha256(self.configuration).hexdigest()[:12]
