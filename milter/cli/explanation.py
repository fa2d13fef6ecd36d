"""Why a stored mail gets its verdict, as values: what the terminal view, the page and JSON show.

Puts together what pipeline, ledger and reading say. Refuses to judge anew: thresholds come from
the policy row that decided. Failure: none; where nobody could read the mail it says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from milter.cli.highlight import Passage, passages
from milter.cli.report import as_json, strictest
from milter.judge.ledger import Ledger, ledger_of
from milter.judge.policy import Policy
from milter.judge.weights import WeightTable
from milter.mail.analysis import Entity
from milter.mail.finding import Evidence
from milter.mail.reading import NamedMailbox, Part, Reading
from milter.mail.verdict import Verdict, WeighedFinding
from milter.pipeline import Assessment, PipelineOptions

_PLAIN = 2
_SCREENED_OUT = (
    "full language stage not run: the screen saw too few cues of a recruiting lure, so there are "
    "no language findings and no entities"
)

# Of a file nobody knows who brought it, and a result of today's DNS would not be that of its day.
_NOBODY_VOUCHES = "none believed; for files the DNS is not asked (see --trust-authserv-id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the ledger; `number` stands at its evidence in the text, 0 for an interaction."""

    number: int
    weighed: WeighedFinding
    note: str

    @property
    def side(self) -> str:
        """`for`, `against` or `fact`."""
        weight = self.weighed.weight_db
        return "for" if weight > 0 else "against" if weight < 0 else "fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that a disposition asks for, and whether it is there."""

    text: str
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is said of one message."""

    title: str
    facts: tuple[tuple[str, str], ...]
    disposition: str
    rules: tuple[str, ...]
    verdict: Verdict
    prior_db: float
    needs: tuple[Need, ...]
    ledger: Ledger
    rows: tuple[Row, ...]
    passages: tuple[Passage, ...]
    missing: tuple[str, ...]
    entities: tuple[Entity, ...]

    def side(self, side: str) -> tuple[Row, ...]:
        """The single findings of a side, in the order of the ledger."""
        return tuple(row for row in self.rows if row.number and row.side == side)

    @property
    def interactions(self) -> tuple[Row, ...]:
        """What counts because it stands together."""
        return tuple(row for row in self.rows if not row.number)

    @property
    def likely(self) -> str:
        """The probability in words that never claim to be sure."""
        percent = self.verdict.probability * 100
        return (
            "over 99.9 %"
            if percent > 99.9
            else "under 0.1 %"
            if percent < 0.1
            else f"{percent:.1f} %"
        )

    @property
    def log_odds_db(self) -> float:
        """Prior and score: what the probability is made of."""
        return round(self.prior_db + self.ledger.score_db, 2)


def explain_assessment(title: str, assessment: Assessment, told: PipelineOptions) -> Explanation:
    """The explanation of one assessment that was made with `told`."""
    verdict, reading, table = assessment.verdict, assessment.reading, told.weights
    ledger = ledger_of(verdict.findings, table)
    rows = tuple(_rows(ledger, table))
    evidence = _highlighted(rows)
    return Explanation(
        title=title,
        facts=tuple(_facts(reading)) if reading else (),
        disposition=strictest(assessment),
        rules=tuple(dict.fromkeys(one.rule for one in assessment.dispositions)),
        verdict=verdict,
        prior_db=table.prior_db,
        needs=tuple(_needs(assessment, told.policy, table, ledger)),
        ledger=ledger,
        rows=rows,
        passages=passages(reading.segments if reading else (), evidence),
        missing=tuple(_missing(verdict, reading)),
        entities=reading.analysis.entities if reading and reading.analysis else (),
    )


def explanation_json(
    path: str, index: int, assessment: Assessment, explanation: Explanation
) -> dict[str, Any]:
    """The object of `scan` and, under `ledger`, how its score adds up."""
    ledger = explanation.ledger
    return {
        **as_json(path, index, assessment),
        "ledger": {
            "prior_db": explanation.prior_db,
            "rows": [
                {
                    "code": row.weighed.finding.code,
                    "family": row.weighed.family,
                    "kind": row.side if row.number else "interaction",
                    "weight_db": row.weighed.weight_db,
                    "note": row.note,
                }
                for row in explanation.rows
            ],
            "caps": [
                {
                    "family": cap.family,
                    "codes": list(cap.codes),
                    "sum_db": cap.sum_db,
                    "counted_db": cap.counted_db,
                    "correction_db": cap.correction_db,
                }
                for cap in ledger.caps
            ],
            "score_db": ledger.score_db,
            "log_odds_db": explanation.log_odds_db,
            "families": list(ledger.families),
            "needs": [{"text": need.text, "met": need.is_met} for need in explanation.needs],
            "missing": list(explanation.missing),
        },
    }


def _rows(ledger: Ledger, table: WeightTable) -> Iterator[Row]:
    single = (*ledger.evidence, *sorted(ledger.against, key=lambda w: w.weight_db), *ledger.facts)
    present = {weighed.finding.code for weighed in single}
    for number, weighed in enumerate(single, start=1):
        yield Row(number=number, weighed=weighed, note=_note(weighed, present, table))
    for weighed in ledger.interactions:
        yield Row(number=0, weighed=weighed, note="")


def _highlighted(rows: tuple[Row, ...]) -> dict[int, tuple[Evidence, ...]]:
    """What the text shows: evidence that counts by itself or together, each set of spans once."""
    together = {one for row in rows if not row.number for one in row.weighed.finding.evidence}
    shown: dict[tuple[Evidence, ...], int] = {}
    for row in rows:
        evidence = row.weighed.finding.evidence
        if row.number and evidence and (row.side != "fact" or together & set(evidence)):
            shown.setdefault(evidence, row.number)
    return {number: evidence for evidence, number in shown.items()}


def _note(weighed: WeighedFinding, present: set[str], table: WeightTable) -> str:
    """What the table made of it: half heard, or silent and why."""
    row = table.findings.get(weighed.finding.code)
    if row is None or row.weight_db == 0:
        return ""
    if missing := [code for code in row.needs if code not in present]:
        return f"{row.weight_db:+g} dB only with {', '.join(missing)}"
    if louder := [code for code in row.yields_to if code in present]:
        return f"{row.weight_db:+g} dB silent beside {', '.join(louder)}"
    if weighed.finding.strength < _PLAIN:
        return f"weak: {table.weak_factor:.0%} of {row.weight_db:+g} dB"
    return ""


def _facts(reading: Reading) -> Iterator[tuple[str, str]]:
    header = reading.header
    yield "From", _mailboxes(header.header_from)
    yield "Reply-To", _mailboxes(header.reply_to)
    yield "To", _mailboxes(header.to[:5]) + (" …" if len(header.to) > 5 else "")
    yield "Subject", header.subject
    yield "Date", header.date
    yield "Message-ID", header.message_id
    believed = [
        " ".join(filter(None, (one.method + "=" + one.result, _properties(one.properties))))
        + f" (by {one.authserv_id})"
        for one in reading.auth_results
    ]
    yield "Authentication", "; ".join(believed) or _NOBODY_VOUCHES
    if reading.forged_auth_fields:
        yield "Forged", f"{reading.forged_auth_fields} Authentication-Results in our name"
    files = [part for part in reading.parts if part.filename or part.path in reading.uninspected]
    yield "Files", "; ".join(_part(part) for part in files)


def _mailboxes(boxes: tuple[NamedMailbox, ...]) -> str:
    return ", ".join(
        f"{box.display_name} <{box.address}>" if box.display_name else box.address for box in boxes
    )


def _properties(properties: tuple[tuple[str, str, str], ...]) -> str:
    return " ".join(f"{kind}.{name}={value}" for kind, name, value in properties)


def _part(part: Part) -> str:
    name = part.filename or "(no name)"
    return f"{name} [{part.path}, {part.media_type}, {part.body_end - part.body_start} octets]"


def _needs(
    assessment: Assessment, policy: Policy, table: WeightTable, ledger: Ledger
) -> Iterator[Need]:
    """What the rows that decided ask for, then what a hold asks for besides."""
    verdict = assessment.verdict
    found = {weighed.finding.code for weighed in verdict.findings}
    count = len(verdict.families)
    counted = f"has {count}"
    if faint := {row.family for row in ledger.evidence}.difference(verdict.families):
        counted += f"; one faint sign of {', '.join(sorted(faint))} is none"
    used = {one.rule for one in assessment.dispositions}
    thresholds = dict.fromkeys(
        (row.annotate_from_db, row.quarantine_from_db) for row in policy.rows if row.name in used
    )
    for annotate, hold in thresholds or {(table.annotate_db, table.quarantine_db): None}:
        yield Need(
            text=f"annotate: {annotate:g} dB (has {verdict.score_db:g})",
            is_met=verdict.score_db >= annotate,
        )
        yield Need(
            text=f"annotate: {policy.annotate_families} families ({counted})",
            is_met=count >= policy.annotate_families,
        )
        yield Need(
            text=f"hold: {hold:g} dB (has {verdict.score_db:g})", is_met=verdict.score_db >= hold
        )
    yield Need(
        text=f"hold: {table.quarantine_families} families ({counted})",
        is_met=count >= table.quarantine_families,
    )
    for codes in (table.hold_one_of, table.hold_and_one_of):
        has = [code for code in codes if code in found]
        # The model's twins would double the list.
        named = dict.fromkeys(code.removeprefix("MODEL_") for code in has or codes)
        yield Need(text=f"hold: {' or '.join(named)}", is_met=bool(has))
    against = [code for code in table.hold_none_of if code in found]
    yield Need(text=f"hold: no {', '.join(against or table.hold_none_of)}", is_met=not against)


def _missing(verdict: Verdict, reading: Reading | None) -> Iterator[str]:
    yield from verdict.degraded
    if reading is None:
        yield "no reader could examine this mail: no text, no findings"
        return
    if not reading.screened:
        yield _SCREENED_OUT
    if reading.analysis and reading.analysis.truncated:
        yield "the text is long: only its beginning was analysed"
    by_path = {part.path: part for part in reading.parts}
    for path in reading.uninspected:
        known = by_path.get(path)
        yield f"not looked into: {_part(known) if known else f'part {path}'}"
    yield from (f"defect of form: {defect.value}" for defect in reading.defects)
    yield "no memory: the mail was judged alone, without earlier mail of the same people"
