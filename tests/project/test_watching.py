"""Alert rules, runbooks and dashboards belong together and are what their sources say."""

import re
import subprocess
from pathlib import Path

import pytest

from config.grafana import build as dashboards
from tests.support import prometheus as support

ROOT = Path(__file__).parents[2]
RULES = (support.CONFIG / "lurewall.rules.yml").read_text()
ALERTS = re.findall(r"alert: (\w+)", RULES)
RUNBOOKS = re.findall(r"runbook: (\S+)", RULES)

needs_promtool = pytest.mark.skipif(
    not support.PROMTOOL, reason="promtool comes with Debian's package prometheus"
)


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("test", "rules", "lurewall.rules.test.yml")],
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [support.PROMTOOL, *arguments], cwd=support.CONFIG, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_a_runbook_and_a_real_fault() -> None:
    unit_tests = (support.CONFIG / "lurewall.rules.test.yml").read_text()
    faults = (ROOT / "tests/integration/test_prometheus.py").read_text()
    assert len(ALERTS) == len(RUNBOOKS) == len(set(ALERTS))
    for alert, runbook in zip(ALERTS, RUNBOOKS, strict=True):
        assert f"alertname: {alert}\n        exp_alerts:\n          - exp_labels" in unit_tests
        assert (ROOT / runbook).read_text().startswith(f"# {alert}\n")
        assert f'fires("{alert}")' in faults or f'"{alert}" in watched.watcher.firing()' in faults
        assert f'clears("{alert}")' in faults


def test_every_alert_is_in_the_table_of_runbooks() -> None:
    table = (ROOT / "docs/runbooks/README.md").read_text()
    rows = set(re.findall(r"^\| \[(\w+)\]\(([\w-]+\.md)\)", table, re.MULTILINE))
    assert rows == {(alert, Path(page).name) for alert, page in zip(ALERTS, RUNBOOKS, strict=True)}


@pytest.mark.parametrize("name", dashboards.DASHBOARDS)
def test_the_dashboards_are_what_their_tables_say(name: str) -> None:
    assert (dashboards.FOLDER / f"{name}.json").read_text("utf-8") == dashboards.written(name)


def test_titles_of_panels_are_unique() -> None:
    for name in dashboards.DASHBOARDS:
        titles = [panel["title"] for panel in dashboards.dashboard(name)["panels"]]
        assert len(titles) == len(set(titles))
