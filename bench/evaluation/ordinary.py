"""Ordinary real mail from beside the project: counted, never kept or shown."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.evaluation.shares import share
from bench.judged import in_processes, is_held, is_tagged, judge_raw
from bench.real import ROOT, with_crlf

_SETS: Final = ("spamassassin", "enron", "csdmc2010", "list_mail")
_HAM: Final = frozenset({"ham", "hard_ham", "list_mail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """What became of one mail; `codes` are the findings that weigh."""

    name: str
    mail_id: str
    screened: bool
    tagged: bool
    held: bool
    codes: str


def ordinary() -> list[Ordinary]:
    """Every mail of the sets that is labelled as wanted; none where there are no sets."""
    return list(in_processes(_judged, raw_mails()))


def raw_mails() -> Iterator[tuple[str, str, str]]:
    """Set, id and octets (as Latin-1 text) of each."""
    for name in _SETS:
        path = ROOT / name / f"{name}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for record in map(json.loads, lines):
                    if record.get("label") in _HAM:
                        yield name, record["id"], record["raw"]


def _judged(record: tuple[str, str, str]) -> Ordinary:
    name, mail_id, raw = record
    reading, verdict = judge_raw(with_crlf(raw.encode("latin-1")))
    weighing = [row for row in verdict.findings if row.weight_db and row.family != "context"]
    return Ordinary(
        name=name,
        mail_id=mail_id,
        screened=reading.screened,
        tagged=is_tagged(verdict),
        held=is_held(verdict),
        codes=", ".join(row.finding.code for row in weighing),
    )


def section(rows: Sequence[Ordinary]) -> Iterator[str]:
    """A row for each set, and each mail that is tagged."""
    if not rows:
        return
    yield from (
        "## Ordinary real mail",
        "",
        "The parts of ../shared/corpora that are not held out, whole messages as they were stored;",
        "nothing vouches for any sender, so all count as unaligned. *Past the screen* is the share",
        "that reaches the full language stage, with Wilson's 95 % interval.",
        "",
        "| set | mails | past the screen | tagged | held |",
        "|---|---|---|---|---|",
    )
    for name in [*dict.fromkeys(row.name for row in rows), "all"]:
        of_it = [row for row in rows if name in (row.name, "all")]
        passed = share([row.screened for row in of_it])
        low, high = passed.interval
        yield (
            f"| {name} | {len(of_it)} | {passed.hits} ({100 * passed.value:.1f} %, "
            f"{100 * low:.1f}–{100 * high:.1f}) | {sum(row.tagged for row in of_it)} "
            f"| {sum(row.held for row in of_it)} |"
        )
    yield from ("", "Each that is tagged, with the findings that weigh:", "")
    for row in rows:
        if row.tagged:
            yield f"- {row.name} `{row.mail_id}`{' (held)' if row.held else ''}: {row.codes}"
