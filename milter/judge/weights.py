"""The weight table: which finding weighs how much, in which family, and what goes together.

Detection code never contains a weight; this table is data (config/weights.toml), an administrator
overrides single weights by code. Refuses weights above the cap, unknown codes and unknown
families. Units: decibans, 10·log10 of a likelihood ratio.
Failure: WeightError with one sentence; `settings` reports it as a configuration problem.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


class WeightError(ValueError):
    """The weight table is wrong; the message says which code and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingWeight:
    """One row: a positive weight is evidence, a negative one mitigation.

    `needs`: codes without which the row weighs nothing. `yields_to`: codes that silence it.
    """

    code: str
    family: str
    weight_db: float
    summary: str
    needs: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Findings that are rare together in honest mail; has no family.

    Fires when every group of `one_of_each` has a member among the findings, every code of `plain`
    was found with full strength, and none of `none_of` was found.
    """

    name: str
    one_of_each: tuple[tuple[str, ...], ...]
    none_of: tuple[str, ...]
    plain: tuple[str, ...]
    weight_db: float
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightTable:
    """The whole table; see config/weights.toml for what each number means."""

    version: str
    prior_db: float
    annotate_db: float
    annotate_families: int
    quarantine_db: float
    quarantine_families: int
    family_cap_db: float
    max_finding_db: float
    weak_factor: float
    mitigation_floor_db: float
    mitigation_capped_by: tuple[str, ...]
    counter_families: tuple[str, ...]
    beside_whole: float
    apart_from_text: tuple[str, ...]
    hold_one_of: tuple[str, ...]
    hold_and_one_of: tuple[str, ...]
    hold_none_of: tuple[str, ...]
    malware_codes: tuple[str, ...]
    malware_with: tuple[str, ...]
    scam_codes: tuple[str, ...]
    findings: Mapping[str, FindingWeight]
    interactions: tuple[Interaction, ...]

    def with_overrides(self, overrides: Mapping[str, float]) -> "WeightTable":
        """The table with an administrator's weights in place of the shipped ones."""
        if not overrides:
            return self
        findings = dict(self.findings)
        for code, weight_db in overrides.items():
            if code not in findings:
                raise WeightError(f"{code} is no finding code; see config/weights.toml")
            findings[code] = replace(findings[code], weight_db=float(weight_db))
        return _checked(replace(self, findings=findings, version=self.version + "+local"))


def parse_weights(text: str) -> WeightTable:
    """The table from the text of weights.toml; raises WeightError."""
    try:
        document = tomllib.loads(text)
        scale, hold, labels = document["scale"], document["hold"], document["labels"]
        findings = {
            code: _finding(code, family, row)
            for family, rows in document["findings"].items()
            for code, row in rows.items()
        }
        model = document["model"]
        twins = _twins(findings, model)
        findings |= twins
        # What mitigates is silent beside the model's finding, too: no reply buys trust.
        findings |= {
            code: replace(row, yields_to=_with_twins(row.yields_to, model["prefix"], twins))
            for code, row in findings.items()
            if row.weight_db < 0
        }
        interactions = tuple(
            _for_twins(_interaction(row), model["prefix"], twins)
            for row in document["interactions"]
        )
        table = WeightTable(
            version=document["version"],
            findings=findings,
            interactions=interactions,
            prior_db=scale["prior_db"],
            annotate_db=scale["annotate_db"],
            annotate_families=scale["annotate_families"],
            quarantine_db=scale["quarantine_db"],
            quarantine_families=scale["quarantine_families"],
            family_cap_db=scale["family_cap_db"],
            max_finding_db=scale["max_finding_db"],
            weak_factor=scale["weak_factor"],
            mitigation_floor_db=scale["mitigation_floor_db"],
            mitigation_capped_by=tuple(scale["mitigation_capped_by"]),
            counter_families=tuple(scale["counter_families"]),
            beside_whole=scale["beside_whole"],
            apart_from_text=tuple(scale["apart_from_text"]),
            hold_one_of=_with_twins(hold["one_of"], model["prefix"], twins),
            hold_and_one_of=_with_twins(hold["and_one_of"], model["prefix"], twins),
            hold_none_of=tuple(hold["none_of"]),
            malware_codes=tuple(labels["lure_malware"]),
            malware_with=tuple(labels["lure_malware_with"]),
            scam_codes=tuple(labels["scam"]),
        )
    except tomllib.TOMLDecodeError as error:
        raise WeightError(f"is not valid TOML: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise WeightError(f"lacks or misuses {error}") from None
    return _checked(table)


def _finding(code: str, family: str, row: Mapping[str, Any]) -> FindingWeight:
    return FindingWeight(
        code=code,
        family=family,
        weight_db=float(row["db"]),
        summary=row["summary"],
        needs=tuple(row.get("needs", ())),
        yields_to=tuple(row.get("yields_to", ())),
    )


def _twins(
    findings: Mapping[str, FindingWeight], model: Mapping[str, Any]
) -> dict[str, FindingWeight]:
    """What the trained model finds by itself: silent where the rules found the same."""
    twins = {}
    for code in model["codes"]:
        row = findings[code]
        twins[model["prefix"] + code] = replace(
            row,
            code=model["prefix"] + code,
            weight_db=round(row.weight_db * model["factor"], 2),
            summary=f"{row.summary} (trained model)",
            yields_to=(code, *row.yields_to),
        )
    return twins


def _with_twins(
    codes: Iterable[str], prefix: str, twins: Mapping[str, FindingWeight]
) -> tuple[str, ...]:
    """The codes, each followed by its twin if it has one."""
    return tuple(
        each for code in codes for each in (code, prefix + code) if each == code or each in twins
    )


def _for_twins(rule: Interaction, prefix: str, twins: Mapping[str, FindingWeight]) -> Interaction:
    """The rule with twins beside their codes wherever one of several is asked for."""
    return replace(
        rule, one_of_each=tuple(_with_twins(group, prefix, twins) for group in rule.one_of_each)
    )


def _interaction(row: Mapping[str, Any]) -> Interaction:
    return Interaction(
        name=row["name"],
        one_of_each=tuple(tuple(group) for group in row["one_of_each"]),
        none_of=tuple(row.get("none_of", ())),
        plain=tuple(row.get("plain", ())),
        weight_db=float(row["db"]),
        summary=row["summary"],
    )


def _checked(table: WeightTable) -> WeightTable:
    known = set(table.findings)
    for row in table.findings.values():
        if row.weight_db > table.max_finding_db:
            raise WeightError(
                f"{row.code} weighs over {table.max_finding_db:g} dB: nothing tags alone"
            )
        _known(row.code, (*row.needs, *row.yields_to), known)
    for rule in table.interactions:
        if abs(rule.weight_db) > table.max_finding_db:
            raise WeightError(f"{rule.name} weighs over {table.max_finding_db:g} dB")
        codes = (
            *(code for group in rule.one_of_each for code in group),
            *rule.none_of,
            *rule.plain,
        )
        _known(rule.name, codes, known)
    held_by = (*table.hold_one_of, *table.hold_and_one_of, *table.hold_none_of)
    _known("[hold]", held_by, known)
    _known("[scale]", table.mitigation_capped_by, known)
    _known("[labels]", (*table.malware_codes, *table.malware_with, *table.scam_codes), known)
    return table


def _known(place: str, codes: tuple[str, ...], known: set[str]) -> None:
    for code in codes:
        if code not in known:
            raise WeightError(f"{place} names {code}, which is no finding code")
