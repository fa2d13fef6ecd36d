"""What the trained model finds, weighed beside the rules."""

import pytest

from milter.judge.scoring import score
from milter.judge.weights import WeightTable, parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.verdict import Verdict
from milter.settings.shipped import shipped_text

TABLE: WeightTable = parse_weights(shipped_text("weights.toml"))


def verdict_of(*codes: str) -> Verdict:
    findings = tuple(Finding(code=code, check="test") for code in codes)
    outcome = CheckOutcome(check="test", status=CheckStatus.DONE, findings=findings)
    return score((outcome,), table=TABLE)


def test_a_twin_weighs_four_fifths_and_only_where_the_rules_are_silent():
    assert verdict_of("MODEL_SENSITIVE").score_db == pytest.approx(8)
    both = verdict_of("SENSITIVE", "MODEL_SENSITIVE")
    assert both.score_db == verdict_of("SENSITIVE").score_db == 10


def test_a_twin_stands_for_its_code_in_interactions():
    by_rules = {row.finding.code for row in verdict_of("PAID_REPORT_WRITTEN", "SENSITIVE").findings}
    by_model = {
        row.finding.code for row in verdict_of("PAID_REPORT_WRITTEN", "MODEL_SENSITIVE").findings
    }
    assert "R2" in by_rules & by_model


def test_no_finding_of_the_model_tags_alone():
    for code, row in TABLE.findings.items():
        if code.startswith(("MODEL_", "READS_")):
            assert row.weight_db <= TABLE.max_finding_db
            assert verdict_of(code).label.value in ("clean", "info")


def test_what_the_text_says_against_it_is_not_capped_like_an_alibi():
    codes = ("SENSITIVE", "SECRECY", "OFFPLATFORM")
    against = verdict_of(*codes, "READS_LIKE_HONEST")
    weight = TABLE.findings["READS_LIKE_HONEST"].weight_db
    assert weight < TABLE.mitigation_floor_db
    parts = TABLE.beside_whole * verdict_of(*codes).score_db
    assert against.score_db == pytest.approx(parts + weight, abs=0.1)


def test_parts_count_less_where_the_whole_was_read_but_the_sender_does_not():
    alone = verdict_of("OFFPLATFORM", "CORPORATE_CLAIM_FREEMAIL")
    beside = verdict_of("OFFPLATFORM", "CORPORATE_CLAIM_FREEMAIL", "READS_LIKE_LURE")
    weights = {row.finding.code: row.weight_db for row in beside.findings}
    before = {row.finding.code: row.weight_db for row in alone.findings}
    assert weights["OFFPLATFORM"] == pytest.approx(TABLE.beside_whole * before["OFFPLATFORM"])
    assert weights["CORPORATE_CLAIM_FREEMAIL"] == before["CORPORATE_CLAIM_FREEMAIL"]


def test_what_reads_like_honest_mail_is_never_held():
    codes = ("SENSITIVE", "SECRECY", "OFFPLATFORM", "PAID_REPORT_WRITTEN", "MONEY_ODD", "NO_CLIENT")
    assert verdict_of(*codes).may_hold
    assert not verdict_of(*codes, "READS_LIKE_HONEST").may_hold


def test_what_the_model_is_no_judge_of_counts_as_read_but_little_against():
    codes = ("SENSITIVE", "SECRECY", "OFFPLATFORM")
    unfamiliar = verdict_of(*codes, "READS_UNFAMILIAR")
    weight = TABLE.findings["READS_UNFAMILIAR"].weight_db
    assert TABLE.findings["READS_LIKE_HONEST"].weight_db < weight < 0
    parts = TABLE.beside_whole * verdict_of(*codes).score_db
    assert unfamiliar.score_db == pytest.approx(parts + weight, abs=0.1)
