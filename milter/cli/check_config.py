"""`lurewall check-config FILE`: all errors at once, each with file, key and what would be right.

Exit codes: 0 usable (warnings are printed), 2 not usable.
"""

from pathlib import Path
from typing import Annotated

import typer

from milter.app.service_plan import machine_problems
from milter.cli.options import USAGE, fail, say
from milter.settings import ConfigurationError, load_settings


def check_config(
    file: Annotated[Path, typer.Argument(help="gateway.toml")],
    machine: Annotated[
        bool, typer.Option(help="Also ask this machine: keys, folders, ports.")
    ] = True,
) -> None:
    """Say every mistake in a configuration file at once."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    try:
        loaded = load_settings(octets, source=str(file))
    except ConfigurationError as error:
        say(error.problems)
        raise typer.Exit(USAGE) from None
    problems = machine_problems(loaded.settings, source=str(file)) if machine else []
    say((*loaded.warnings, *problems))
    if any(not problem.is_warning for problem in problems):
        raise typer.Exit(USAGE)
    print(f"{file}: usable ({len(loaded.warnings)} warnings)")
