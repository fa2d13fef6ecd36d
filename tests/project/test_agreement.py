"""Code, configuration and documents agree: standards, finding codes, commands, shipped files."""

import re
import tomllib
from pathlib import Path

import pytest

from milter.judge.weights import parse_weights
from milter.settings.shipped import shipped, shipped_text

ROOT = Path(__file__).parents[2]
SOURCES = [path for package in ("milter", "nlp") for path in sorted((ROOT / package).rglob("*.py"))]
TABLE = parse_weights(shipped_text("weights.toml"))
_RFC = re.compile(r"RFC (\d{3,5})")
_CODE = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"')
_CHECKS = ("identity", "engagement", "language")


def test_standards_ledger_names_exactly_what_the_code_names():
    cited = {rfc for path in SOURCES for rfc in _RFC.findall(path.read_text("utf-8"))}
    ledger = set(_RFC.findall((ROOT / "docs" / "standards.md").read_text("utf-8")))
    assert cited == ledger


@pytest.mark.parametrize("check", _CHECKS)
def test_every_code_that_a_check_can_find_has_a_weight(check):
    place = ROOT / "milter" / "check"
    modules = sorted((place / check).glob("*.py")) or [place / f"{check}.py"]
    text = "\n".join(module.read_text("utf-8") for module in modules)
    codes = {code for code in _CODE.findall(text) if code in TABLE.findings or "_" in code}
    assert codes
    assert codes - set(TABLE.findings) == set()


def test_every_banner_topic_is_about_known_codes():
    topics = tomllib.loads(shipped_text("banners.toml"))["topics"]
    known = {*TABLE.findings, *(rule.name for rule in TABLE.interactions)}
    assert {code for codes in topics.values() for code in codes} - known == set()


def test_every_command_is_documented():
    from milter.cli import app

    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    names = [command.name for command in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    assert {"serve", "demo", "scan", "explain", "apply", "check-config", "quarantine"} <= set(names)
    assert [name for name in names if f"lurewall {name}" not in page] == []


@pytest.mark.parametrize("name", ["gateway.toml", "weights.toml", "known.toml", "banners.toml"])
def test_shipped_files_are_there(name):
    assert shipped(name).is_file()


def test_readme_links_only_to_documents_that_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"`(docs/[\w./-]+)`", text))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_no_file_names_a_machine_or_a_registry():
    tracked = [
        path
        for folder in ("milter", "nlp", "config", "docs", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".toml", ".md", ".sh"}
    ]
    pattern = re.compile(r"pypi\.org|pythonhosted|deb\.debian\.org|(?<![\w./])/work/")
    assert [str(path) for path in tracked if pattern.search(path.read_text("utf-8"))] in (
        [],
        [str(Path(__file__))],
    )
