"""`lurewall --version`, which bug reports and benchmarks quote."""

from importlib.metadata import version

from typer.testing import CliRunner

from milter.cli import app


def test_version_is_that_of_the_package():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"lurewall {version('lurewall')}\n")


def test_help_still_names_every_command():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("serve", "demo", "scan", "apply", "explain", "check-config", "quarantine"):
        assert command in result.stdout
    assert "Options of the command itself" not in result.stdout
