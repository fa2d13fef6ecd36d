"""Pictures of the dashboards: a small renderer of their panels' queries, for want of a Grafana.

`python -m bench.dashboards`: starts the gateway under a mixed load and a real Prometheus (Debian
package), asks each panel's queries over the last minutes, draws them with the panel's title and
unit, and writes docs/dashboards/*.png. It shows data and grouping, not Grafana's looks.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

import matplotlib

from bench.mix import mix
from bench.processes import CLIENT_CORE, Tree, free_port, wait_for
from bench.real import real_mail
from bench.smtp import Sender, SinkProtocol
from bench.systems import start_lurewall

ROOT: Final = Path(__file__).parents[1]
_SECONDS: Final = 150.0
_UNITS: Final = {"ops": "per second", "s": "seconds", "bytes": "octets", "short": ""}


async def _load(port: int, until: float) -> None:
    raws = [sample.raw for sample in (*mix(300, lambda raw: raw), *real_mail(300))]
    number = 0
    while time.monotonic() < until:
        sender = await Sender.connect(port)
        # A little like a day: busier and calmer by turns.
        pause = 0.02 + 0.03 * (int(time.monotonic() / 15) % 3)
        for _ in range(40):
            await sender.send(raws[number % len(raws)])
            number += 1
            await asyncio.sleep(pause)
        await sender.close()


def _ask(port: int, query: str, start: float, end: float) -> list[dict[str, Any]]:
    parameters = {
        "query": query.replace("$instance", ".*").replace("$__rate_interval", "15s"),
        "start": str(start),
        "end": str(end),
        "step": "2",
    }
    url = f"http://127.0.0.1:{port}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return result


def _draw(name: str, port: int, start: float, end: float, path: Path) -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot

    shown = json.loads((ROOT / "config" / "grafana" / f"{name}.json").read_text("utf-8"))
    panels = shown["panels"]
    rows = (len(panels) + 2) // 3
    figure, axes = pyplot.subplots(rows, 3, figsize=(18, 3.4 * rows))
    for axis, panel in zip(axes.flat, panels, strict=False):
        axis.set_title(panel["title"], fontsize=10)
        axis.set_ylabel(_UNITS[panel["fieldConfig"]["defaults"]["unit"]], fontsize=8)
        axis.tick_params(labelsize=7)
        lines = []
        for target in panel["targets"]:
            for series in _ask(port, target["expr"], start, end):
                legend = target["legendFormat"]
                for label, value in series["metric"].items():
                    legend = legend.replace(f"{{{{{label}}}}}", value)
                values = [(float(at) - start, float(value)) for at, value in series["values"]]
                lines.append((max((v for _, v in values if v == v), default=0.0), legend, values))
        for _, legend, values in sorted(lines, reverse=True)[:10]:
            axis.plot(*zip(*values, strict=True), label=legend, linewidth=1.2)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        if lines:
            axis.legend(fontsize=6, loc="upper left", ncols=2)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    figure.suptitle(f"{shown['title']} (drawn by bench/dashboards.py, ten greatest series a panel)")
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    figure.savefig(path, dpi=65)


async def _run(folder: Path, output: Path) -> None:
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(lambda: SinkProtocol(lambda raw: None), "127.0.0.1", 0)
    home = folder / "gateway"
    home.mkdir()
    system = await asyncio.to_thread(start_lurewall, home, sink.sockets[0].getsockname()[1])
    port = free_port()
    shipped = (ROOT / "config" / "prometheus" / "prometheus.yml").read_text("utf-8")
    (folder / "lurewall.rules.yml").write_text("groups: []\n", "utf-8")
    (folder / "prometheus.yml").write_text(
        shipped.replace("15s", "1s").replace("127.0.0.1:9125", f"127.0.0.1:{system.admin_port}")
    )
    watcher = Tree(
        ["prometheus", f"--config.file={folder}/prometheus.yml",
         f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
        output=folder / "prometheus.log", core=CLIENT_CORE,
    )  # fmt: skip
    try:
        ready = f"http://127.0.0.1:{port}/-/ready"
        await asyncio.to_thread(wait_for, lambda: urllib.request.urlopen(ready), "prometheus")
        start = time.time()
        await _load(system.port, time.monotonic() + _SECONDS)
        for name in ("security", "operations"):
            _draw(name, port, start + 20, time.time(), output / f"{name}.png")
    finally:
        watcher.stop()
        system.tree.stop()


def main() -> int:
    """Draw both dashboards."""
    if not shutil.which("prometheus"):
        print("the Debian package prometheus is not installed", file=sys.stderr)
        return 1
    output = ROOT / "docs" / "dashboards"
    output.mkdir(exist_ok=True)
    os.sched_setaffinity(0, {CLIENT_CORE})
    with tempfile.TemporaryDirectory(prefix="lurewall-dashboards-") as folder:
        asyncio.run(_run(Path(folder), output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
