"""The account of a score is its sum, whatever was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.judge.ledger import MITIGATION, ledger_of
from milter.judge.scoring import probability, score
from milter.judge.weights import parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.settings.shipped import shipped_text

TABLE = parse_weights(shipped_text("weights.toml"))
CODES = sorted(TABLE.findings)


def verdict_of(found: dict[str, int]):
    findings = tuple(Finding(code=c, check="test", strength=s) for c, s in found.items())
    outcome = CheckOutcome(check="test", status=CheckStatus.DONE, findings=findings)
    return score([outcome], table=TABLE)


@given(st.dictionaries(st.sampled_from(CODES), st.sampled_from([1, 2]), max_size=len(CODES)))
def test_rows_and_caps_are_the_score(found):
    verdict = verdict_of(found)
    ledger = ledger_of(verdict.findings, TABLE)
    rows = (*ledger.evidence, *ledger.against, *ledger.interactions, *ledger.facts)
    total = sum(r.weight_db for r in rows) + sum(c.correction_db for c in ledger.caps)
    assert len(rows) == len(verdict.findings)
    assert total == pytest.approx(verdict.score_db, abs=0.006)
    assert probability(total, TABLE) == pytest.approx(verdict.probability, abs=0.001)
    for family in set(ledger.families) - set(TABLE.counter_families):
        counted = sum(r.weight_db for r in ledger.evidence if r.family == family)
        counted += sum(c.correction_db for c in ledger.caps if c.family == family)
        assert counted <= TABLE.family_cap_db + 0.006


def test_a_family_counts_up_to_its_cap():
    ledger = ledger_of(verdict_of({"OFFPLATFORM": 2, "HANDLE_OBFUSCATED": 2}).findings, TABLE)
    (cap,) = ledger.caps
    assert (cap.family, cap.sum_db, cap.correction_db) == ("channel", 16.0, -2.0)
    assert ledger.score_db == 14.0


def test_mitigation_hits_the_floor_only_beside_a_plain_request():
    codes = {"KNOWN_ORGANISATION": 2, "AUTH_ALIGNED": 2}
    assert ledger_of(verdict_of(codes).findings, TABLE).caps == ()
    assert ledger_of(verdict_of({**codes, "SENSITIVE": 1}).findings, TABLE).caps == ()
    (cap,) = ledger_of(verdict_of({**codes, "SENSITIVE": 2}).findings, TABLE).caps
    assert (cap.family, cap.sum_db, cap.correction_db) == (MITIGATION, -7.0, 4.0)
