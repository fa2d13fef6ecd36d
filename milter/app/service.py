"""What the supervisor must know of a configuration; the fronts get the octets themselves."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version

from milter.app.sockets import ListenAddress
from milter.observe.maillog import Addresses, MailLogSettings
from milter.settings.load import load_settings


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


def plan_service(configuration: bytes, source: str, *, address_key: bytes = b"") -> ServicePlan:
    """Validate a configuration whole; raises ConfigurationError, or OSError for the token file.

    A listener is named by its address, which is also how the fronts find its socket.
    """
    settings = load_settings(configuration, source=source).settings
    addresses = [ListenAddress(host=row.address, port=row.port) for row in settings.listen]
    token_file = settings.admin.token_file
    return ServicePlan(
        configuration=configuration,
        source=source,
        version=version("lurewall"),
        mode=settings.mode.value,
        listeners={str(address): address for address in addresses},
        admin=ListenAddress(host=settings.admin.address, port=settings.admin.port),
        admin_token=token_file.read_text("utf-8").strip() if token_file else "",
        mail_log=MailLogSettings(
            file=settings.mail_log.file,
            addresses=Addresses(settings.mail_log.addresses),
            address_key=address_key,
        ),
        fronts=settings.fronts,
        drain_seconds=settings.drain_seconds,
    )
