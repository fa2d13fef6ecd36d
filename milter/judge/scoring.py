"""Findings to score, label and verdict. Pure: same findings, same table, same verdict.

The model is weight of evidence: log-odds in decibans add up, correlated evidence of one family is
capped, interactions add what is rare together, mitigation counts little once somebody asks for a
secret. Refuses to look at who sent a mail: there is nothing in a Finding to look at.

Failure: an unknown code weighs nothing and is listed as degraded; nothing raises.
"""

from collections.abc import Iterable, Mapping

from milter.judge.ledger import INTERACTION, Ledger, is_plain, ledger_of
from milter.judge.weights import FindingWeight, WeightTable
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.verdict import Label, Verdict, WeighedFinding

_PLAIN = 2


def score(
    outcomes: Iterable[CheckOutcome],
    *,
    table: WeightTable,
    info_from_db: float = 12.0,
    degraded: tuple[str, ...] = (),
    language: str = "und",
    versions: tuple[tuple[str, str], ...] = (),
) -> Verdict:
    """The verdict on what all checks found."""
    outcomes = tuple(outcomes)
    strongest = _strongest(finding for outcome in outcomes for finding in outcome.findings)
    failed = tuple(
        f"{outcome.check}: {outcome.reason}"
        for outcome in outcomes
        if outcome.status is CheckStatus.FAILED
    )
    unknown = tuple(f"no weight for {code}" for code in strongest if code not in table.findings)
    rows = _weigh(strongest, table)
    ledger = ledger_of(rows, table)
    return Verdict(
        label=_label(ledger, strongest, table, info_from_db),
        score_db=ledger.score_db,
        probability=probability(ledger.score_db, table),
        findings=rows,
        families=ledger.families,
        may_hold=_may_hold(ledger, strongest, table),
        degraded=(*degraded, *failed, *unknown),
        language=language,
        versions=(("weights", table.version), *versions),
    )


def probability(score_db: float, table: WeightTable) -> float:
    """Posterior probability of a lure among recruiting-like mail, from score and prior."""
    odds: float = 10.0 ** ((score_db + table.prior_db) / 10.0)
    return round(odds / (1.0 + odds), 6)


def _strongest(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding per code: the strongest, with the evidence of all."""
    best: dict[str, Finding] = {}
    for finding in findings:
        other = best.get(finding.code)
        if other is None:
            best[finding.code] = finding
            continue
        evidence = other.evidence + tuple(e for e in finding.evidence if e not in other.evidence)
        best[finding.code] = Finding(
            code=finding.code,
            check=other.check,
            strength=max(other.strength, finding.strength),
            evidence=evidence,
            note=other.note or finding.note,
        )
    return best


def _weigh(found: Mapping[str, Finding], table: WeightTable) -> tuple[WeighedFinding, ...]:
    part = _share_of_parts(found, table)
    rows = [
        WeighedFinding(
            finding=finding,
            family=row.family,
            weight_db=round(_row_weight(row, finding, found, table, part), 2),
            summary=row.summary,
        )
        for code, finding in found.items()
        if (row := table.findings.get(code)) is not None
    ]
    ordered = sorted(
        (*rows, *_interactions(found, table, part)), key=lambda w: (-w.weight_db, w.finding.code)
    )
    return tuple(ordered)


def _share_of_parts(found: Mapping[str, Finding], table: WeightTable) -> float:
    """Where the text was read as a whole, its parts count less: the whole has counted them."""
    families = {row.family for code in found if (row := table.findings.get(code)) is not None}
    return table.beside_whole if families.intersection(table.counter_families) else 1.0


def _row_weight(
    row: FindingWeight,
    finding: Finding,
    found: Mapping[str, Finding],
    table: WeightTable,
    part: float,
) -> float:
    if any(code not in found for code in row.needs) or any(code in found for code in row.yields_to):
        return 0.0
    weight = row.weight_db * (1.0 if finding.strength >= _PLAIN else table.weak_factor)
    of_text = row.family not in (*table.counter_families, *table.apart_from_text)
    return weight * part if of_text and weight > 0 else weight


def _interactions(
    found: Mapping[str, Finding], table: WeightTable, part: float
) -> list[WeighedFinding]:
    fired = []
    for rule in table.interactions:
        if any(code in found for code in rule.none_of):
            continue
        if not all(is_plain(found, code) for code in rule.plain):
            continue
        members = [[code for code in group if code in found] for group in rule.one_of_each]
        if not all(members):
            continue
        evidence = tuple(e for group in members for e in found[group[0]].evidence[:1])
        fired.append(
            WeighedFinding(
                finding=Finding(code=rule.name, check=INTERACTION, evidence=evidence),
                family="",
                weight_db=round(rule.weight_db * part, 2),
                summary=rule.summary,
            )
        )
    return fired


def _may_hold(ledger: Ledger, found: Mapping[str, Finding], table: WeightTable) -> bool:
    """Three families and the named combination (design: QUARANTINE)."""
    return (
        len(ledger.families) >= table.quarantine_families
        and any(code in found for code in table.hold_one_of)
        and any(code in found for code in table.hold_and_one_of)
        and not any(code in found for code in table.hold_none_of)
    )


def _label(
    ledger: Ledger, found: Mapping[str, Finding], table: WeightTable, info_from_db: float
) -> Label:
    enough = (
        ledger.score_db >= table.annotate_db and len(ledger.families) >= table.annotate_families
    )
    if not enough:
        return Label.INFO if ledger.score_db >= info_from_db else Label.CLEAN
    if any(c in found for c in table.malware_codes) and any(c in found for c in table.malware_with):
        return Label.LURE_MALWARE
    if any(code in found for code in table.scam_codes):
        return Label.SCAM
    return Label.LURE
