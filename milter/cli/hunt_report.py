"""The report of a hunt: messages that belong together, as JSON, CSV and one HTML page.

Messages are one engagement where the evidence of one names another, or where one address writes to
the same person. Refuses to judge: it orders what was found. The page has no script, loads nothing,
and nothing of a sender is markup.

Standards: RFC 4180 (CSV), CSP Level 3 (meta element, hash of the style).
Failure: none.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

Row = dict[str, Any]
_COLUMNS = (
    "engagement", "at", "header_from", "name", "recipients", "subject", "disposition", "label",
    "score_db", "findings", "evidence", "message_id", "path", "index",
)  # fmt: skip
# A spreadsheet runs what begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def engagements(rows: Sequence[Row]) -> list[Row]:
    """The rows by engagement, the gravest first."""
    groups: list[list[Row]] = []
    group_of: dict[str, int] = {}
    for row in rows:
        keys = list(_keys(row))
        known = sorted({group_of[key] for key in keys if key in group_of})
        if known:
            first = known[0]
            for other in known[1:]:
                groups[first] += groups[other]
                groups[other] = []
            group_of.update({key: first for key, at in group_of.items() if at in known})
        else:
            first = len(groups)
            groups.append([])
        groups[first].append(row)
        group_of.update(dict.fromkeys(keys, first))
    found = [_engagement(sorted(group, key=lambda row: row["at"])) for group in groups if group]
    return sorted(found, key=lambda one: (-one["score_db"], one["first"]))


def as_document(found: Sequence[Row], *, messages: int, judged: int) -> Row:
    """The JSON report."""
    return {"messages": messages, "judged": judged, "engagements": list(found)}


def as_csv(found: Sequence[Row]) -> str:
    """One line a message."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for number, engagement in enumerate(found, 1):
        for row in engagement["messages"]:
            told = {
                **row,
                "engagement": number,
                "recipients": " ".join(row["recipients"]),
                "label": row["verdict"]["label"],
                "score_db": row["verdict"]["score_db"],
                "findings": " ".join(one["code"] for one in row["findings"]),
                "evidence": "; ".join(text for _, text in _earlier(row)),
            }
            writer.writerow([_cell(told[name]) for name in _COLUMNS])
    return text.getvalue()


def as_page(document: Row) -> str:
    """The HTML report."""
    style = (files("milter.cli") / "hunt.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return _template().render(
        it=document,
        earlier=_earlier,
        style=Markup(style),  # noqa: S704 - ours
        style_hash=Markup(f"sha256-{digest}"),  # noqa: S704 - base64
    )


def _keys(row: Row) -> Iterable[str]:
    if row["message_id"]:
        yield row["message_id"]
    for recipient in row["recipients"]:
        yield f"{row['header_from']} {recipient}"
    for message_id, _ in _earlier(row):
        if message_id:
            yield message_id


def _earlier(row: Row) -> list[tuple[str, str]]:
    """Message-ID and words of every earlier mail that is evidence, each once."""
    told = (
        (one["part"], one["text"])
        for finding in row["findings"]
        for one in finding["evidence"]
        if one["source"] == "history"
    )
    return list(dict.fromkeys(told))


def _engagement(rows: list[Row]) -> Row:
    return {
        "first": rows[0]["at"],
        "last": rows[-1]["at"],
        "score_db": max(row["verdict"]["score_db"] for row in rows),
        "addresses": sorted({row["header_from"] for row in rows}),
        "names": sorted({row["name"] for row in rows if row["name"]}),
        "recipients": sorted({one for row in rows for one in row["recipients"]}),
        "handles": sorted({one for row in rows for one in row["handles"]}),
        "messages": rows,
    }


def _cell(value: object) -> object:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else value


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string((files("milter.cli") / "hunt.html.jinja").read_text("utf-8"))
