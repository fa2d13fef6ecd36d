"""A configuration file to what the supervisor needs of it: read, validate whole, name sockets.

Failure: ConfigurationError with every problem, of the file and of the machine.
"""

from pathlib import Path

from milter.adapters.keys import load_key, load_or_create_key
from milter.app.history import history_problems
from milter.app.service import ServicePlan
from milter.app.sockets import ListenAddress
from milter.app.version import VERSION
from milter.observe.maillog import Addresses, MailLogSettings
from milter.ports import Unusable
from milter.settings import ConfigurationError, Loaded, Problem, Settings, load_settings
from milter.settings.arc_keys import seal_key
from milter.settings.model import Listener
from milter.settings.rules import environment_problems


def load_plan(file: Path, *, in_service: bool = False) -> ServicePlan:
    """The plan for a file; `in_service` leaves out whether ports are free: some are ours."""
    octets, loaded = read_settings(file)
    source = str(file)
    problems = [
        problem
        for problem in machine_problems(loaded.settings, source=source)
        if not (in_service and problem.key.endswith(".port"))
    ]
    if problems:
        raise ConfigurationError(tuple(problems))
    return _plan(octets, source, loaded.settings)


def machine_problems(settings: Settings, *, source: str) -> list[Problem]:
    """What this machine and this version say to the settings; creates nothing."""
    problems = list(environment_problems(settings, source=source))
    if settings.quarantine_key_file.exists():
        try:
            load_key(settings.quarantine_key_file)
        except Unusable as error:
            problems.append(Problem(file=source, key="quarantine.key_file", message=str(error)))
    if settings.arc is not None:
        for index, key in enumerate(settings.arc.keys):
            try:
                seal_key(settings.arc, key)
            except Unusable as error:
                name = f"arc.keys[{index}].key_file"
                problems.append(Problem(file=source, key=name, message=str(error)))
    problems.extend(
        Problem(file=source, key=key, message=text) for key, text in history_problems(settings)
    )
    return problems


def read_settings(file: Path) -> tuple[bytes, Loaded]:
    """Octets and settings of a file; a file that cannot be read is a problem like any other."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        problem = Problem(file=str(file), key="(file)", message=f"cannot read: {error.strerror}")
        raise ConfigurationError((problem,)) from None
    return octets, load_settings(octets, source=str(file))


def listener_name(index: int, role: str) -> str:
    """The name under which a front finds the socket of `[[listen]]` number `index`."""
    return f"{index}:{role}"


def _address(listener: Listener) -> ListenAddress:
    if listener.socket is None:
        return ListenAddress(host=listener.address, port=listener.port)
    return ListenAddress(
        path=str(listener.socket), group=listener.socket_group or "", mode=listener.socket_mode
    )


def _plan(octets: bytes, source: str, settings: Settings) -> ServicePlan:
    settings.state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        key = load_or_create_key(settings.quarantine_key_file)
        token = _token(settings)
    except Unusable as error:
        problem = Problem(file=source, key="quarantine.key_file", message=str(error))
        raise ConfigurationError((problem,)) from None
    return ServicePlan(
        configuration=octets,
        source=source,
        version=VERSION,
        mode=settings.mode.value,
        listeners={
            listener_name(index, one.role): _address(one)
            for index, one in enumerate(settings.listen)
        },
        admin=ListenAddress(host=settings.admin.address, port=settings.admin.port),
        mail_log=mail_log_settings(settings, key),
        admin_token=token,
        fronts=settings.fronts,
        drain_seconds=settings.drain_seconds,
    )


def mail_log_settings(settings: Settings, key: bytes) -> MailLogSettings:
    """Where the mail log goes and how much of an address it shows."""
    return MailLogSettings(
        file=settings.mail_log.file,
        addresses=Addresses(settings.mail_log.addresses),
        address_key=key,
    )


def _token(settings: Settings) -> str:
    if settings.admin.token_file is None:
        return ""
    try:
        return settings.admin.token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"cannot read {settings.admin.token_file}: {type(error).__name__}") from None
