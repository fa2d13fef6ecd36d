"""The command line: `lurewall COMMAND`. Each command is a module; heavy imports happen inside.

Exit codes are a contract: 0 done, 1 some input or act failed (named on standard error), 2 wrong
usage or configuration. Machine-readable output goes to standard output, all else to standard error.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from milter.cli import (
    apply,
    arc_record,
    check_config,
    explain,
    hunt,
    memory,
    quarantine,
    scan,
    serve,
)

app = typer.Typer(
    name="lurewall",
    help="Mail gateway filter against recruiting lures and their off-platform follow-ups.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lurewall {version('lurewall')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


app.command("serve")(serve.serve)
app.command("demo")(serve.demo)
app.command("scan")(scan.scan)
app.command("apply")(apply.apply)
app.command("explain")(explain.explain)
app.command("check-config")(check_config.check_config)
app.command("arc-record")(arc_record.arc_record)
app.command("hunt")(hunt.hunt)
app.command("erase")(memory.erase)
app.command("export")(memory.export)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(memory.app, name="memory")


def main() -> None:
    """Entry point of the `lurewall` command."""
    app()
