"""Every key of gateway.toml: type, default, unit, one sentence.

Names carry their unit (`_seconds`, `_bytes`, `_db`). Unknown keys are errors: a misspelt limit
that is silently ignored is worse than a gateway that does not start.
Failure: pydantic's ValidationError; `load` turns it into problems.
"""

from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
)

from milter.mail.verdict import Action, Mode

Network = IPv4Network | IPv6Network
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[\w .-]+$")]
DomainName = Annotated[
    str,
    StringConstraints(to_lower=True, max_length=253, pattern=r"^[^\s@]+\.[^\s@.]+$|^localhost$"),
]
Address = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^\s@]+@[^\s@]+$")]
Port = Annotated[int, Field(ge=0, le=65535)]
LanguageCode = Literal["en", "fr", "de", "es", "pt", "zh-hans", "zh-hant", "ru", "ko", "ar"]


HostAndPort = Annotated[
    str, StringConstraints(pattern=r"^([\w.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$")
]


def _octal(value: object) -> object:
    """File modes are written as people know them: "0660"."""
    if isinstance(value, str) and value and set(value) <= set("01234567"):
        return int(value, 8)
    raise ValueError('is no file mode; write it in octal within quotes, e.g. "0660"')


class Section(BaseModel):
    """A table of the file: frozen, and no key beside those named here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Listener(Section):
    """One address to take mail on (`[[listen]]`)."""

    role: Literal["mx", "before_queue", "after_queue", "outbound", "milter"]
    address: str = "127.0.0.1"
    port: Port = 10025
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    require_tls: bool = False
    xclient_from: tuple[Network, ...] = ()
    xforward_from: tuple[Network, ...] = ()
    proxy_from: tuple[Network, ...] = ()
    bare_line_ends: Literal["reject", "normalise"] = "reject"
    # Which servers may come: MTAs to a milter over TCP, our own mail servers to role outbound.
    allow_from: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    # Outbound only: the server that takes the mail on.
    relay_to: HostAndPort | None = None
    # Milter only: a Unix socket instead of address and port.
    socket: Path | None = None
    socket_group: str | None = None
    socket_mode: Annotated[int, BeforeValidator(_octal), Field(ge=0, le=0o777)] = 0o660
    # Milter only: where held mail is kept, and the server that released mail goes to.
    hold_with: Literal["own", "mta"] = "own"
    release_to: HostAndPort | None = None
    judge_authenticated: bool = False
    # Milter only: our own people's mail, which is not judged; memory hears who wrote to whom.
    outbound: bool = False


class NextHopSettings(Section):
    """Where mail goes on to (`[next_hop]`)."""

    host: str = Field(min_length=1)
    port: Port = 25
    protocol: Literal["smtp", "lmtp"] = "smtp"
    tls: Literal["none", "opportunistic", "verify"] = "none"
    tls_ca_file: Path | None = None
    client_facts: Literal["none", "xforward", "xclient"] = "xforward"
    pool_connections: PositiveInt = 20
    idle_seconds: PositiveFloat = 30.0
    connect_seconds: PositiveFloat = 10.0
    reply_seconds: PositiveFloat = 60.0
    end_of_data_seconds: PositiveFloat = 80.0


class Limits(Section):
    """What one peer may ask of us (`[limits]`)."""

    message_bytes: PositiveInt = 50_000_000
    line_bytes: Annotated[int, Field(ge=1000, le=1_048_576)] = 65_536
    recipients: PositiveInt = 1000
    connections: PositiveInt = 500
    connections_per_address: PositiveInt = 50
    connections_per_network: PositiveInt = 100
    bytes_in_flight: PositiveInt = 500_000_000
    errors: PositiveInt = 10
    received_fields: PositiveInt = 50
    command_seconds: PositiveFloat = 300.0
    data_block_seconds: PositiveFloat = 180.0
    data_seconds: PositiveFloat = 600.0


class Judgement(Section):
    """How long a judgement may take and what happens when there is none (`[judgement]`)."""

    deadline_seconds: Annotated[float, Field(gt=0, le=90)] = 10.0
    cannot_judge: Literal["deliver", "defer"] = "deliver"
    info_from_db: float = 12.0
    known_organisations: tuple[DomainName, ...] = ()
    known_expert_networks: tuple[DomainName, ...] = ()


class AuthenticationSettings(Section):
    """SPF, DKIM, ARC and DMARC of incoming mail (`[authentication]`).

    `verify`: auto where we are the first of the house to meet the mail (role mx; before_queue and
    milter where no trusted_authserv_ids are set and the client is not one of our own networks).
    `lookups` count for keys, SPF and DMARC each; `seconds` are at most half of the judgement's. A
    name server is an address, or address:port with an IPv6 address in brackets; without any those
    of the machine are asked.
    """

    verify: Literal["auto", "always", "never"] = "auto"
    nameservers: tuple[str, ...] = ()
    lookups: Annotated[int, Field(ge=8, le=200)] = 40
    seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    trusted_arc_sealers: tuple[DomainName, ...] = ()


class ArcKey(Section):
    """A key that seals from a day on (`[[arc.keys]]`); the newest whose day has come is used."""

    selector: Annotated[
        str,
        StringConstraints(
            to_lower=True, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
        ),
    ]
    key_file: Path
    begins: date = Field(default=date(2000, 1, 1), alias="from")


class Arc(Section):
    """The ARC seal on what leaves (`[arc]`); without this table nothing is sealed."""

    domain: DomainName
    seal: Literal["edited", "all"] = "edited"
    keys: Annotated[tuple[ArcKey, ...], Field(min_length=1)]


class Annotate(Section):
    """What a tagged mail looks like (`[annotate]`)."""

    banner: bool = True
    subject_tag: Annotated[str, StringConstraints(max_length=40)] = ""
    language: LanguageCode = "en"
    languages: dict[DomainName, LanguageCode] = {}
    follow_message_language: bool = False
    report_url: Annotated[str, StringConstraints(pattern=r"^https://\S+$")] | None = None
    observe_header: bool = False
    notice_for_protected: bool = False
    banners_file: Path | None = None


class QuarantineSettings(Section):
    """Durable holds (`[quarantine]`); folders default to below `state_dir`."""

    folder: Path | None = None
    key_file: Path | None = None
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    notice_interval_seconds: PositiveFloat = 60.0


class Admin(Section):
    """The port for /metrics, /healthz and /readyz (`[admin]`)."""

    address: str = "127.0.0.1"
    port: Port = 9125
    token_file: Path | None = None


class MailLog(Section):
    """JSON lines of few named events (`[mail_log]`)."""

    file: Path | None = None
    addresses: Literal["hash", "domain", "full"] = "domain"


class RedisSettings(Section):
    """The Redis that all gateways share (`[history.redis]`).

    `url` is redis://, rediss:// or unix://; with `sentinels` they are asked who is the master of
    `service`, and `url` may be left out. `password_file` holds one line.
    """

    url: Annotated[str, StringConstraints(pattern=r"^(redis|rediss|unix)://\S+$")] | None = None
    sentinels: tuple[HostAndPort, ...] = ()
    service: Name = "lurewall"
    username: str | None = None
    password_file: Path | None = None
    tls_ca_file: Path | None = None
    database: Annotated[int, Field(ge=0, le=1023)] = 0
    connections: PositiveInt = 16


class HistorySettings(Section):
    """Memory of engagements (`[history]`); 'none' judges each message alone.

    `budget_seconds` is what a mail may wait for the store, for a look-up and for what it leaves
    behind each. `key_file` hashes and seals; after a rotation the former keys stand in
    `old_key_files` until the longest retention is over.
    """

    store: Literal["sqlite", "redis", "none"] = "sqlite"
    folder: Path | None = None
    key_file: Path | None = None
    old_key_files: tuple[Path, ...] = ()
    redis: RedisSettings | None = None
    budget_seconds: Annotated[float, Field(gt=0, le=5)] = 0.05
    journal_bytes: PositiveInt = 50_000_000
    contact_window_days: Annotated[int, Field(ge=1, le=365)] = 45
    engagement_window_days: Annotated[int, Field(ge=1, le=3650)] = 365
    keep_contacts_days: Annotated[int, Field(ge=1, le=3650)] = 365
    keep_conduct_days: Annotated[int, Field(ge=1, le=3650)] = 365
    keep_traits_days: Annotated[int, Field(ge=1, le=3650)] = 365
    keep_texts_days: Annotated[int, Field(ge=1, le=3650)] = 90
    keep_rulings_days: Annotated[int, Field(ge=1, le=3650)] = 730


class PolicyRow(Section):
    """One row of the ordered policy table (`[[policy]]`), first match wins per recipient.

    `recipients`: an address, a domain, `*`, or `file:PATH` with one of those a line.
    """

    name: Name
    recipients: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    annotate_from_db: float = Field(default=20.0, ge=0)
    quarantine_from_db: float = Field(default=35.0, ge=0)
    annotate_info: bool = False
    at_most: Action = Action.QUARANTINE
    hold_as: Literal["quarantine", "reject"] = "quarantine"
    language: LanguageCode | None = None


class AllowRow(Section):
    """A sender that is delivered unmarked (`[[allow]]`): only with aligned authentication."""

    name: Name
    header_from: Annotated[tuple[str, ...], Field(min_length=1)]
    recipients: tuple[str, ...] = ("*",)
    owner: Annotated[str, StringConstraints(min_length=1)]
    expires: date


class Settings(Section):
    """The whole file."""

    mode: Mode = Mode.OBSERVE
    hostname: DomainName = "localhost"
    domains: tuple[DomainName, ...] = ()
    contact: Address | None = None
    contact_name: str = ""
    authserv_id: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[\w.-]+$")] | None = (
        None
    )
    trusted_authserv_ids: tuple[Annotated[str, StringConstraints(to_lower=True)], ...] = ()
    inner_hop_trusts_us: bool = False
    state_dir: Path = Path("/var/lib/lurewall")
    user: str | None = None
    fronts: Annotated[int, Field(ge=1, le=64)] = 1
    readers: Annotated[int, Field(ge=1, le=64)] = 2
    reader_memory_bytes: PositiveInt = 1_500_000_000
    drain_seconds: PositiveFloat = 60.0
    listen: Annotated[tuple[Listener, ...], Field(min_length=1)]
    next_hop: NextHopSettings | None = None
    limits: Limits = Limits()
    judgement: Judgement = Judgement()
    authentication: AuthenticationSettings = AuthenticationSettings()
    arc: Arc | None = None
    annotate: Annotate = Annotate()
    quarantine: QuarantineSettings = QuarantineSettings()
    admin: Admin = Admin()
    mail_log: MailLog = MailLog()
    history: HistorySettings = HistorySettings()
    policy: tuple[PolicyRow, ...] = ()
    allow: tuple[AllowRow, ...] = ()
    weights: dict[str, float] = {}
    weights_file: Path | None = None

    @property
    def outgoing_hop(self) -> NextHopSettings:
        """Where notices and released mail go; behind a milter alone `[next_hop]` may be missing."""
        return self.next_hop or self.release_hop

    @property
    def release_hop(self) -> NextHopSettings:
        """Where mail goes that a milter held: the first `release_to`, else `[next_hop]`."""
        places = [one.release_to for one in self.listen if one.release_to]
        if self.next_hop is not None and not places:
            return self.next_hop
        return _hop_to((*places, "localhost:25")[0])

    @property
    def outbound_hop(self) -> NextHopSettings:
        """Where mail of our own people goes on to."""
        return _hop_to(next((one.relay_to for one in self.listen if one.relay_to), "localhost:25"))

    @property
    def own_authserv_id(self) -> str:
        """The authserv-id under which we add results: configured, else the host name."""
        return self.authserv_id or self.hostname

    @property
    def quarantine_folder(self) -> Path:
        """Where holds are kept."""
        return self.quarantine.folder or self.state_dir / "quarantine"

    @property
    def quarantine_key_file(self) -> Path:
        """The key that encrypts holds."""
        return self.quarantine.key_file or self.state_dir / "quarantine.key"

    @property
    def history_folder(self) -> Path:
        """Where the embedded memory lies, and the journal of what a store could not take."""
        return self.history.folder or self.state_dir / "history"

    @property
    def history_key_file(self) -> Path:
        """The key that hashes and seals what memory keeps."""
        return self.history.key_file or self.state_dir / "history.key"

    @property
    def token_folder(self) -> Path:
        """Where release tokens lie."""
        return self.state_dir / "release"

    @property
    def journal_folder(self) -> Path:
        """Where the journal of split transactions lies."""
        return self.state_dir / "journal"


def _hop_to(place: str) -> NextHopSettings:
    host, _, port = place.rpartition(":")
    return NextHopSettings(host=host.strip("[]"), port=int(port), client_facts="none")
