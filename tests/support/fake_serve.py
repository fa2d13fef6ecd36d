"""Main of a supervisor with fake fronts: `python -m tests.support.fake_serve FILE`.

The file holds what the fake fronts read, and for the supervisor `fronts`, `grace`, `listen` (ports
with commas), `admin` (a port), `token`; `bad=...` makes the configuration invalid.
"""

import sys
from pathlib import Path

from milter.app.fronts import FrontFailed
from milter.app.service import ServicePlan
from milter.app.sockets import AddressUnavailable, ListenAddress
from milter.app.supervisor import serve
from milter.observe.maillog import MailLogSettings
from milter.settings.load import ConfigurationError, Problem


def load() -> ServicePlan:
    octets = Path(sys.argv[1]).read_bytes()
    options = dict(line.split("=", 1) for line in octets.decode().splitlines())
    if "bad" in options:
        raise ConfigurationError(
            (
                Problem(file="f", key="bad", message="is wrong"),
                Problem(file="f", key="b2", message="x"),
            )
        )
    ports = [int(port) for port in options["listen"].split(",")]
    return ServicePlan(
        configuration=octets,
        source=sys.argv[1],
        version="1",
        mode="observe",
        listeners={
            f"listener {port}": ListenAddress(host="127.0.0.1", port=port) for port in ports
        },
        admin=ListenAddress(host="127.0.0.1", port=int(options["admin"])),
        admin_token=options.get("token", ""),
        mail_log=MailLogSettings(),
        fronts=int(options.get("fronts", "2")),
        drain_seconds=float(options.get("grace", "20")),
        start_seconds=float(options.get("start_seconds", "30")),
    )


if __name__ == "__main__":
    try:
        serve(load, builder="tests.support.fake_front:build")
    except (AddressUnavailable, FrontFailed, ConfigurationError) as error:
        sys.exit(f"refused: {error}")
