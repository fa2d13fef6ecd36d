"""`lurewall serve` runs the gateway, `lurewall demo` shows it with sample mail.

Exit codes: 0 after an orderly stop, 2 where configuration, ports or readers do not allow a start.
"""

from pathlib import Path
from typing import Annotated

import typer

from milter.cli.options import fail, say
from milter.settings import ConfigurationError


def serve(
    config: Annotated[Path, typer.Option("--config", help="gateway.toml")],
) -> None:
    """Run the gateway until SIGTERM; SIGHUP reloads the configuration."""
    from milter.app import supervisor
    from milter.app.fronts import FrontFailed
    from milter.app.service import ServicePlan
    from milter.app.service_plan import load_plan
    from milter.app.sockets import AddressUnavailable

    is_running = False

    def load() -> ServicePlan:
        nonlocal is_running
        plan = load_plan(config, in_service=is_running)
        is_running = True
        return plan

    try:
        supervisor.serve(load)
    except ConfigurationError as error:
        say(error.problems)
        raise typer.Exit(2) from None
    except (AddressUnavailable, FrontFailed) as error:
        fail(str(error))


def demo() -> None:
    """Start a gateway on embedded defaults, send sample mail through it, show what became of it."""
    from milter.demo.run import run_demo

    raise typer.Exit(run_demo())
