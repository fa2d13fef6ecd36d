"""`[arc]`: what is refused, what is warned of, and the DNS record that the command line prints."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from milter.app.from_settings import seal_options
from milter.app.service_plan import machine_problems
from milter.cli import app
from milter.ports import Unusable
from milter.settings import load_settings
from milter.settings.rules import rule_problems
from tests.support.signing import pem, public_text, rsa_key
from tests.unit.settings.test_wrong_configurations import GOOD, problems_of

KEY = '[[arc.keys]]\nselector = "{0}"\nkey_file = "{1}"\nfrom = {2}\n'
ARC = '[arc]\ndomain = "gate.example"\n'


def configured(tmp_path: Path, *selectors: str, mode: str = "annotate") -> str:
    text = f'mode = "{mode}"\n{GOOD}{ARC}'
    for number, selector in enumerate(selectors):
        file = tmp_path / f"{selector}.pem"
        file.write_bytes(pem(rsa_key(2048, number % 2)))
        file.chmod(0o640)
        text += KEY.format(selector, file, f"202{number}-01-01")
    return text


def problems(text: str, tmp_path: Path) -> dict[str, str]:
    settings = load_settings(text.encode(), source="gateway.toml").settings
    return {one.key: one.message for one in machine_problems(settings, source="gateway.toml")}


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (ARC, "arc.keys", "required"),
        (
            '[arc]\ndomain = "localhost"\n' + KEY.format("a", "/k", "2026-01-01"),
            "arc.domain",
            "no name",
        ),
        (
            '[arc]\ndomain = "a..example"\n' + KEY.format("a", "/k", "2026-01-01"),
            "arc.domain",
            "no name",
        ),
        (ARC + KEY.format("a b", "/k", "2026-01-01"), "arc.keys[0].selector", "form"),
        (ARC + KEY.format("a", "/k", "2026-01-01") * 2, "arc.keys[1].selector", "twice"),
        (
            ARC + KEY.format("a", "/k", "2026-01-01") + KEY.format("b", "/k", "2026-01-01"),
            "arc.keys[1].from",
            "twice",
        ),
        (ARC + KEY.format("a", "/k", '"soon"'), "arc.keys[0].from", "soon"),
        (ARC + 'seal = "some"\n' + KEY.format("a", "/k", "2026-01-01"), "arc.seal", "edited"),
    ],
)
def test_what_cannot_be_used(text: str, key: str, message: str) -> None:
    errors = [one for one in problems_of(GOOD + text) if not one[2]]
    assert any(one[0] == key and message in one[1] for one in errors), errors


def test_keys_that_the_machine_refuses(tmp_path: Path) -> None:
    text = configured(tmp_path, "good", "weak", "other", "absent", "open")
    (tmp_path / "open.pem").chmod(0o644)
    (tmp_path / "weak.pem").write_bytes(pem(rsa_key(1024)))
    (tmp_path / "other.pem").write_bytes(b"no key")
    (tmp_path / "absent.pem").unlink()
    found = problems(text, tmp_path)
    assert "arc.keys[0].key_file" not in found
    assert "1024 bits" in found["arc.keys[1].key_file"]
    assert "no private key" in found["arc.keys[2].key_file"]
    assert "cannot read" in found["arc.keys[3].key_file"]
    assert "mode 0644" in found["arc.keys[4].key_file"]


def test_a_key_that_cannot_be_read_keeps_a_front_from_starting(tmp_path: Path) -> None:
    text = configured(tmp_path, "a")
    (tmp_path / "a.pem").unlink()
    with pytest.raises(Unusable, match="cannot read"):
        seal_options(load_settings(text.encode(), source="x").settings)


def test_the_newest_key_whose_day_has_come(tmp_path: Path) -> None:
    settings = load_settings(configured(tmp_path, "a", "b", "c").encode(), source="x").settings
    options = seal_options(settings)
    assert options is not None
    assert [options.key_on(date(year, 6, 1)) is not None for year in (2019, 2020)] == [False, True]
    chosen = [options.key_on(date(year, 1, 1)) for year in (2020, 2021, 2022, 2030)]
    assert [key.selector for key in chosen if key] == ["a", "b", "c", "c"]
    assert options.seals_all is False
    assert seal_options(load_settings(GOOD.encode(), source="x").settings) is None


def test_warnings(tmp_path: Path) -> None:
    observing = load_settings(
        configured(tmp_path, "a", mode="observe").encode(), source="x"
    ).settings
    assert "arc" in {one.key for one in rule_problems(observing, source="x") if one.is_warning}
    annotating = load_settings(configured(tmp_path, "a").encode(), source="x").settings
    blind = load_settings(
        (configured(tmp_path, "a") + '[authentication]\nverify = "never"\n').encode(), source="x"
    ).settings
    assert any("seals nothing" in one.message for one in rule_problems(blind, source="x"))
    early = {one.key for one in rule_problems(annotating, source="x", today=date(2019, 1, 1))}
    assert "arc.keys" in early
    assert "arc.keys" not in {one.key for one in rule_problems(annotating, source="x")}


def test_arc_record_prints_what_the_dns_must_hold(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(configured(tmp_path, "a", "b"))
    done = CliRunner().invoke(app, ["arc-record", str(file)])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "; seals from 2020-01-01"
    assert lines[1].startswith('a._domainkey.gate.example. 3600 IN TXT ( "v=DKIM1; k=rsa; p=')
    strings = lines[3].split('"')[1::2]
    assert max(map(len, strings)) == 255
    assert "".join(strings) == f"v=DKIM1; k=rsa; p={public_text(rsa_key(2048, 1))}"


def test_arc_record_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD)
    assert CliRunner().invoke(app, ["arc-record", str(file)]).exit_code == 2
    file.write_text(configured(tmp_path, "a"))
    (tmp_path / "a.pem").write_bytes(b"")
    assert CliRunner().invoke(app, ["arc-record", str(file)]).exit_code == 2
    assert CliRunner().invoke(app, ["arc-record", str(tmp_path / "absent")]).exit_code == 2
