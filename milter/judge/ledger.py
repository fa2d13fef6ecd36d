"""How the rows of a verdict add up to its score: sums per family, what caps took off, the total.

`scoring` adds up with it and `explain` shows it, so that the account is the sum. Pure; refuses to
weigh anything: a row comes with its weight. Units: decibans.

Failure: none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from milter.judge.weights import WeightTable
from milter.mail.finding import Finding
from milter.mail.verdict import WeighedFinding

_PLAIN = 2
# A finding that names no check but this was made of others.
INTERACTION = "interaction"
MITIGATION = "mitigation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """Rows that together count for less than their sum; `family` is `mitigation` for the floor."""

    family: str
    codes: tuple[str, ...]
    sum_db: float
    counted_db: float

    @property
    def correction_db(self) -> float:
        """What has to be added to the rows: negative for evidence, positive for mitigation."""
        return round(self.counted_db - self.sum_db, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Rows and caps; the score is their sum. `families` are those that count as having evidence."""

    evidence: tuple[WeighedFinding, ...]
    against: tuple[WeighedFinding, ...]
    interactions: tuple[WeighedFinding, ...]
    facts: tuple[WeighedFinding, ...]
    caps: tuple[Cap, ...]
    families: tuple[str, ...]
    score_db: float


def ledger_of(rows: Iterable[WeighedFinding], table: WeightTable) -> Ledger:
    """The account of weighed rows, interactions among them."""
    rows = tuple(rows)
    interactions = tuple(row for row in rows if row.finding.check == INTERACTION)
    single = [row for row in rows if row.finding.check != INTERACTION]
    evidence = tuple(row for row in single if row.weight_db > 0)
    against = tuple(row for row in single if row.weight_db < 0)
    floor = _floor(against, {row.finding.code: row.finding for row in single}, table)
    caps = (*_family_caps(evidence, table), *floor)
    counted = sum(row.weight_db for row in rows) + sum(cap.correction_db for cap in caps)
    return Ledger(
        evidence=evidence,
        against=against,
        interactions=interactions,
        facts=tuple(row for row in single if row.weight_db == 0),
        caps=caps,
        families=_families(evidence, table),
        score_db=round(counted, 2),
    )


def _families(evidence: tuple[WeighedFinding, ...], table: WeightTable) -> tuple[str, ...]:
    """Those that have evidence; beside how the whole reads, one faint sign in it is none."""
    parts = [row for row in evidence if row.family not in table.counter_families]
    if len(parts) == 1 < len(evidence):
        (part,) = parts
        if part.finding.strength < _PLAIN and part.family not in table.apart_from_text:
            evidence = tuple(row for row in evidence if row is not part)
    return tuple(sorted({row.family for row in evidence}))


def _family_caps(evidence: Iterable[WeighedFinding], table: WeightTable) -> Iterable[Cap]:
    """Signals of one family correlate; how the whole reads is one signal in steps."""
    by_family: dict[str, list[WeighedFinding]] = {}
    for row in evidence:
        by_family.setdefault(row.family, []).append(row)
    for family, rows in sorted(by_family.items()):
        if family in table.counter_families:
            continue
        if (total := sum(row.weight_db for row in rows)) > table.family_cap_db:
            yield _cap(family, rows, total, table.family_cap_db)


def _floor(
    against: Iterable[WeighedFinding], found: Mapping[str, Finding], table: WeightTable
) -> Iterable[Cap]:
    """Mitigation counts little once somebody plainly asks for a secret.

    What the text itself says against it is no alibi of a sender, and is not capped like one.
    """
    rows = [row for row in against if row.family not in table.counter_families]
    total = sum(row.weight_db for row in rows)
    asks = any(is_plain(found, code) for code in table.mitigation_capped_by)
    if asks and total < table.mitigation_floor_db:
        yield _cap(MITIGATION, rows, total, table.mitigation_floor_db)


def is_plain(found: Mapping[str, Finding], code: str) -> bool:
    """Whether it was found with full strength."""
    return code in found and found[code].strength >= _PLAIN


def _cap(family: str, rows: Iterable[WeighedFinding], total: float, counted: float) -> Cap:
    codes = tuple(row.finding.code for row in rows)
    return Cap(family=family, codes=codes, sum_db=round(total, 2), counted_db=counted)
