"""A real Prometheus of a test's own, with the shipped rules at a hundred and fiftieth of their time."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.gateway import eventually
from tests.support.ports import free_port

CONFIG = Path(__file__).parents[2] / "config" / "prometheus"
PROMETHEUS = shutil.which("prometheus") or ""
PROMTOOL = shutil.which("promtool") or ""
# A window of five minutes becomes two seconds: ten scrapes.
SPEED = 150
SCRAPE = "200ms"

_DURATION = re.compile(r"(\[|for: )(\d+)([mh])")
_SECONDS = {"m": 60, "h": 3600}


def why_not() -> str:
    """Why Prometheus cannot be started here, or ''."""
    return "" if PROMETHEUS else "the Debian package prometheus is not installed"


def hastened(rules: str) -> str:
    """The rules with every duration divided by SPEED; a day and five seconds of delay as well."""

    def shorter(match: re.Match[str]) -> str:
        milliseconds = int(match[2]) * _SECONDS[match[3]] * 1000 // SPEED
        return f"{match[1]}{milliseconds}ms"

    return (
        _DURATION.sub(shorter, rules)
        .replace("3 * 86400", "2")
        .replace(" > 5\n        for: ", " > 0.4\n        for: ")
    )


class Prometheus:
    """A running server; `query` gives the samples of an instant query."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def query(self, expression: str) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return result

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = self._get("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def is_up(self) -> bool:
        try:
            return bool(self.query("up"))
        except OSError:
            return False

    def _get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(folder: Path, *, admin_port: int, rules: str) -> Iterator[Prometheus]:
    """Prometheus that scrapes the gateway behind `admin_port` five times a second."""
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "lurewall.rules.yml").write_text(rules)
    shipped = (CONFIG / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(
        shipped.replace("15s", SCRAPE).replace("127.0.0.1:9125", f"127.0.0.1:{admin_port}")
    )
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        server = Prometheus(port)
        eventually(server.is_up, seconds=60)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def hold_still(seconds: float) -> None:
    """Let Prometheus scrape for a while."""
    time.sleep(seconds)
