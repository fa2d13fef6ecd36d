"""Writes the two dashboards: `python config/grafana/build.py`. The panels are the tables below.

The JSON files are what Grafana imports; a test compares them with what this would write, and asks a
real Prometheus every query.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
_WIDTH, _HEIGHT = 8, 8
_I: Final = 'instance=~"$instance"'
_RATE: Final = "[$__rate_interval]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: `kind` is timeseries, stat or table; targets are (query, legend)."""

    title: str
    targets: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    stacked: bool = False
    text: str = ""


def _by(label: str, metric: str, more: str = "") -> tuple[str, str]:
    """The rate of a counter, a line for each value of a label."""
    legend = " ".join(f"{{{{{name}}}}}" for name in label.split(", "))
    return f"sum by ({label}) (rate({metric}{{{_I}{more}}}{_RATE}))", legend


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{{_I}}}{_RATE})))",
            f"p{share * 100:.0f}",
        )
        for share in (0.5, 0.95, 0.99)
    )


SECURITY: Final = (
    Panel(title="Mail by disposition", targets=(_by("disposition", "lurewall_messages_total"),),
          unit="ops", stacked=True, text="What happened to messages, in the mode that is set"),
    Panel(title="What enforce mode would do",
          targets=(_by("disposition", "lurewall_intended_total", ', disposition!="deliver"'),),
          unit="ops", stacked=True, text="For planning the step from observe to enforce"),
    Panel(title="Verdicts but clean", targets=(_by("label", "lurewall_verdicts_total", ', label!="clean"'),),
          unit="ops", stacked=True),
    Panel(title="Intents", targets=(_by("intent", "lurewall_intents_total"),), unit="ops",
          text="What senders ask for (docs/labels.md)"),
    Panel(title="Families of findings", targets=(_by("family", "lurewall_findings_total"),), unit="ops"),
    Panel(title="Messengers and networks named", targets=(_by("platform", "lurewall_platforms_total"),),
          unit="ops", text="Counted, never weighed: a brand moves no score"),
    Panel(title="Stage of language work", targets=(_by("stage", "lurewall_screened_total"),), unit="ops",
          stacked=True, text="screen: let go at once; full: read sentence by sentence"),
    Panel(title="Held now", kind="stat",
          targets=((f"max(lurewall_quarantine_held{{{_I}}})", "held"),)),
    Panel(title="Oldest hold", kind="stat", unit="s",
          targets=((f"max(lurewall_quarantine_oldest_age_seconds{{{_I}}})", "age"),)),
    Panel(title="Holds", targets=(_by("label", "lurewall_holds_total"),), unit="ops", stacked=True),
    Panel(title="Feedback: what became of holds", kind="table",
          targets=((f"max by (decision) (lurewall_quarantine_decided{{{_I}}})", "{{decision}}"),),
          text="Released is a false alarm, deleted a confirmation, expired neither"),
    Panel(title="Banners", targets=(_by("outcome", "lurewall_banners_total"),), unit="ops", stacked=True),
    Panel(title="ARC seals", targets=(_by("outcome", "lurewall_arc_seals_total"),), unit="ops", stacked=True),
    Panel(title="Forged headers removed", targets=((f"sum(rate(lurewall_forged_headers_total{{{_I}}}{_RATE}))",
          "forged"),), unit="ops"),
    Panel(title="Authentication that did not pass",
          targets=(_by("method, result", "lurewall_authentication_results_total", ', result!~"pass|none"'),),
          unit="ops", text="SPF, DKIM, DMARC and ARC where this gateway verifies (docs/authentication.md)"),
    Panel(title="Notices by mail", targets=(_by("outcome", "lurewall_notices_total"),), unit="ops"),
    Panel(title="Verdicts with something missing", targets=(_by("reason", "lurewall_degraded_total"),),
          unit="ops", stacked=True),
)  # fmt: skip

OPERATIONS: Final = (
    Panel(title="Mail by role", targets=(_by("role", "lurewall_messages_total"),), unit="ops", stacked=True),
    Panel(title="Final replies", targets=(_by("reply_class", "lurewall_replies_total"),), unit="ops",
          stacked=True, text="Class of the reply that senders really got"),
    Panel(title="Our own refusals", targets=(_by("reason", "lurewall_refusals_total"),), unit="ops"),
    Panel(title="From the final dot to our reply", targets=_quantiles("lurewall_message_seconds"), unit="s"),
    Panel(title="Reading", targets=_quantiles("lurewall_read_seconds"), unit="s"),
    Panel(title="Language", targets=_quantiles("lurewall_language_seconds"), unit="s"),
    Panel(title="Wait for a reader", targets=_quantiles("lurewall_reader_wait_seconds"), unit="s"),
    Panel(title="Next hop", targets=_quantiles("lurewall_next_hop_seconds"), unit="s"),
    Panel(title="Quarantine write", targets=_quantiles("lurewall_quarantine_write_seconds"), unit="s"),
    Panel(title="Replies of the next hop", targets=(_by("stage, reply_class", "lurewall_next_hop_replies_total"),),
          unit="ops"),
    Panel(title="Failures of the next hop", targets=(_by("stage, cause", "lurewall_next_hop_failures_total"),),
          unit="ops"),
    Panel(title="Recipients", targets=(_by("fate", "lurewall_recipients_total"),), unit="ops", stacked=True),
    Panel(title="Connections open", targets=((f"sum by (role) (lurewall_connections_open{{{_I}}})", "{{role}}"),)),
    Panel(title="Octets in flight", unit="bytes",
          targets=((f"sum(lurewall_in_flight_bytes{{{_I}}})", "in flight"),)),
    Panel(title="Readers", targets=((f"sum by (state) (lurewall_readers{{{_I}}})", "{{state}}"),), stacked=True),
    Panel(title="Readers replaced", targets=(_by("reason", "lurewall_readers_ended_total"),), unit="ops"),
    Panel(title="Fronts", kind="stat", targets=((f"sum by (state) (lurewall_fronts{{{_I}}})", "{{state}}"),)),
    Panel(title="Reloads", targets=(_by("result", "lurewall_reloads_total"),), unit="ops"),
    Panel(title="What must not happen", targets=(
        (f"sum(rate(lurewall_integrity_mismatches_total{{{_I}}}{_RATE}))", "integrity mismatch"),
        (f"sum(rate(lurewall_hold_failures_total{{{_I}}}{_RATE}))", "hold not written"),
        (f"sum(rate(lurewall_journal_failures_total{{{_I}}}{_RATE}))", "journal not written"),
        (f"sum(rate(lurewall_log_lines_lost_total{{{_I}}}{_RATE}))", "log line lost"),
        (f"sum(rate(lurewall_checks_failed_total{{{_I}}}{_RATE}))", "check failed")), unit="ops"),
    Panel(title="DNS questions", targets=(_by("outcome", "lurewall_dns_questions_total"),), unit="ops",
          stacked=True, text="cached and joined cost nothing; failed gives temperror"),
    Panel(title="DNS down", kind="stat", targets=((f"max(lurewall_dns_down{{{_I}}})", "down"),)),
    Panel(title="DNS, where it is asked", targets=_quantiles("lurewall_dns_seconds"), unit="s"),
    Panel(title="Authentication", targets=_quantiles("lurewall_authentication_seconds"), unit="s"),
    Panel(title="Memory", targets=(_by("operation, outcome", "lurewall_history_operations_total"),), unit="ops",
          text="open: not even asked, the verdict says that history is unavailable"),
    Panel(title="Memory, where it is asked", targets=_quantiles("lurewall_history_seconds"), unit="s"),
    Panel(title="Memory away", targets=(
        (f"max by (operation) (lurewall_history_breaker_open{{{_I}}})", "{{operation}} away"),
        (f"sum(lurewall_history_journal_records{{{_I}}})", "messages kept aside"))),
    Panel(title="Duplicates avoided", targets=((f"sum(rate(lurewall_duplicates_avoided_total{{{_I}}}{_RATE}))",
          "avoided"),), unit="ops"),
    Panel(title="Size of messages", targets=_quantiles("lurewall_message_bytes"), unit="bytes"),
)  # fmt: skip

DASHBOARDS: Final = {
    "security": ("Lurewall: security", SECURITY),
    "operations": ("Lurewall: mail operations", OPERATIONS),
}


def dashboard(name: str) -> dict[str, Any]:
    """One dashboard as Grafana imports it."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"lurewall-{name}",
        "title": title,
        "tags": ["lurewall"],
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus"},
                {
                    "name": "instance",
                    "type": "query",
                    "datasource": {"type": "prometheus", "uid": "${datasource}"},
                    "query": "label_values(lurewall_build_info, instance)",
                    "includeAll": True,
                    "multi": True,
                    "refresh": 2,
                },
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 30} if panel.stacked else {}
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.text,
        "type": panel.kind,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {
            "x": number % 3 * _WIDTH,
            "y": number // 3 * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": custom}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "expr": query,
                "legendFormat": legend,
                "instant": panel.kind != "timeseries",
            }
            for place, (query, legend) in enumerate(panel.targets)
        ],
    }


def written(name: str) -> str:
    """The text of the file."""
    return json.dumps(dashboard(name), indent=1) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(written(each), "utf-8")
