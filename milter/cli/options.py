"""What several commands take: configuration file, trust, clock; and how they fail.

Failure: a configuration that cannot be used ends the command with exit code 2 and every problem on
standard error.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from milter.settings import ConfigurationError, Problem, Settings, load_settings

USAGE = 2
FAILED = 1

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="gateway.toml; without it, built-in defaults.")
]
TrustedIds = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-authserv-id",
        help="Believe Authentication-Results of this authserv-id (pattern) on top of the file.",
    ),
]
Memory = Annotated[
    str, typer.Option("--memory", help="Memory of engagements: only 'none' in this version.")
]

# What judges files where no configuration is given: no listener is ever started from it.
_DEFAULTS = b"""
[[listen]]
role = "before_queue"
[next_hop]
host = "127.0.0.1"
"""


class ClockChoice(StrEnum):
    """Which time a judgement of a file goes by."""

    NOW = "now"
    DATE_HEADER = "date-header"


Clock = Annotated[ClockChoice, typer.Option(help="Whose time counts.")]
MailFrom = Annotated[str | None, typer.Option(help="Reverse-path; else Return-Path.")]
RcptTo = Annotated[list[str] | None, typer.Option(help="Recipients; else Delivered-To, else To.")]


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Say it on standard error and end."""
    print(f"lurewall: {message}", file=sys.stderr)
    raise typer.Exit(code)


def say(problems: tuple[Problem, ...]) -> None:
    """All problems on standard error, one a line."""
    for problem in problems:
        print(problem, file=sys.stderr)


def settings_from(config: Path | None, *, quiet: bool = False) -> Settings:
    """Settings of a file or the defaults; ends the command where they cannot be used."""
    octets, source = _DEFAULTS, "built-in defaults"
    if config is not None:
        source = str(config)
        try:
            octets = config.read_bytes()
        except OSError as error:
            fail(f"cannot read {config}: {error.strerror}")
    try:
        loaded = load_settings(octets, source=source)
    except ConfigurationError as error:
        say(error.problems)
        raise typer.Exit(USAGE) from None
    if config is not None and not quiet:
        say(loaded.warnings)
    return loaded.settings


def refuse_memory(memory: str) -> None:
    """Judging with memory needs a store, which this version does not have."""
    if memory != "none":
        fail(f"--memory {memory}: this version judges each message alone; use --memory none")
