"""The weight table and the rules of design §6: prototypes by disposition, caps, floors, interactions."""

import itertools

import pytest

from milter.judge.scoring import probability, score
from milter.judge.weights import WeightError, parse_weights
from milter.mail.finding import CheckOutcome, CheckStatus, Evidence, Finding, Source
from milter.mail.verdict import Label
from milter.settings.shipped import shipped_text

TABLE = parse_weights(shipped_text("weights.toml"))


def verdict_of(*codes: str, weak: tuple[str, ...] = (), failed: str = ""):
    findings = tuple(
        Finding(code=code, check="test", strength=1 if code in weak else 2) for code in codes
    )
    outcomes = [CheckOutcome(check="test", status=CheckStatus.DONE, findings=findings)]
    if failed:
        outcomes.append(CheckOutcome(check=failed, status=CheckStatus.FAILED, reason="timeout"))
    return score(outcomes, table=TABLE)


PASS, INFO, TAG, HOLD = "pass", "info", "tag", "hold"


def result(verdict) -> str:
    if verdict.score_db >= TABLE.annotate_db and len(verdict.families) >= 2:
        hold = verdict.may_hold and verdict.score_db >= TABLE.quarantine_db
        return HOLD if hold else TAG
    return INFO if verdict.score_db >= 12 else PASS


# Prototypes of the tradecraft reference, by what happens to the mail, not by decibans.
PROTOTYPES = {
    "platform chain, then free mail with a messenger, unnamed client, paid paper": (
        ["OFFPLATFORM", "NO_CLIENT", "PAID_REPORT_WRITTEN", "MONEY_VAGUE", "RELAY_THEN_DIRECT",
         "APPROACH", "SENDER_FREEMAIL"],
        HOLD,
    ),
    "think-tank paper offer, partner unnamed, trip, long term, four staff hit": (
        ["NO_CLIENT", "PAID_REPORT_WRITTEN", "TRIAL", "TRAVEL_MEET", "MONEY_VAGUE",
         "SAME_TEXT_TO_STAFF", "APPROACH", "SENDER_OWN_DOMAIN"],
        TAG,
    ),
    "paid expert call pushed to inside figures, fee doubled": (
        ["NO_CLIENT", "PAID_REPORT_CALL", "SENSITIVE", "MONEY_VAGUE", "SENDER_OWN_DOMAIN",
         "AUTH_ALIGNED"],
        TAG,
    ),
    "same from a known, aligned expert network": (
        ["NO_CLIENT", "PAID_REPORT_CALL", "SENSITIVE", "MONEY_VAGUE", "KNOWN_EXPERT_NETWORK",
         "COMPLIANCE_TEXT", "AUTH_ALIGNED", "KNOWN_SENDER"],
        TAG,
    ),
    "talk invitation, stipend, current project detail, free mail": (
        ["TRAVEL_MEET", "MONEY_VAGUE", "SENSITIVE", "APPROACH", "SENDER_FREEMAIL",
         "CORPORATE_CLAIM_FREEMAIL"],
        TAG,
    ),
    "private mail only, do not tell employer, unnamed client": (
        ["OFFPLATFORM_NO_HANDLE", "SECRECY", "NO_CLIENT", "APPROACH", "SENDER_FREEMAIL"],
        TAG,
    ),
    "dream job with archive, messenger, free mail, brand claimed": (
        ["LURE_FILE", "OFFPLATFORM", "APPROACH", "CORPORATE_CLAIM_FREEMAIL", "SENDER_FREEMAIL"],
        TAG,
    ),
    "terse off-platform follow-up without memory": (
        ["OFFPLATFORM", "PLATFORM_CLAIM", "SENDER_FREEMAIL"],
        TAG,
    ),
    "the same from an own unknown domain that is vouched for": (
        ["OFFPLATFORM", "PLATFORM_CLAIM", "SENDER_OWN_DOMAIN", "AUTH_ALIGNED"],
        INFO,
    ),
    "unknown expert network, compliance text": (
        ["NO_CLIENT", "PAID_REPORT_CALL", "MONEY_VAGUE", "COMPLIANCE_TEXT", "AUTH_ALIGNED",
         "SENDER_OWN_DOMAIN"],
        PASS,
    ),
    "small agency on free mail, messenger, confidential client, full terms": (
        ["OFFPLATFORM", "NO_CLIENT", "FULL_TERMS", "APPROACH", "SENDER_FREEMAIL",
         "CORPORATE_CLAIM_FREEMAIL"],
        PASS,
    ),
    "known colleague: move to another messenger?": (["OFFPLATFORM", "SENDER_FREEMAIL"], PASS),
    "named employer scheduling by messenger, aligned": (
        ["OFFPLATFORM_SCHEDULING", "NAMED_EMPLOYER", "AUTH_ALIGNED", "POSTING_LINK",
         "SENDER_OWN_DOMAIN", "APPROACH"],
        PASS,
    ),
    "platform relay, client confidential": (["NO_CLIENT", "KNOWN_SENDER", "AUTH_ALIGNED"], PASS),
}  # fmt: skip


@pytest.mark.parametrize("name", PROTOTYPES)
def test_prototype(name):
    codes, expected = PROTOTYPES[name]
    assert result(verdict_of(*codes)) == expected


def test_no_single_finding_tags():
    for code in TABLE.findings:
        assert result(verdict_of(code)) in (PASS, INFO), code


def test_family_cap_holds_for_every_pair_in_a_family():
    for one, other in itertools.combinations(TABLE.findings.values(), 2):
        if one.family in TABLE.counter_families:
            continue  # steps of one opinion: see the test below
        if one.family == other.family and one.weight_db > 0 and other.weight_db > 0:
            verdict = verdict_of(one.code, other.code)
            together = sum(w.weight_db for w in verdict.findings if not w.family)
            assert verdict.score_db - together <= TABLE.family_cap_db


def test_how_the_whole_reads_never_tags_alone():
    whole = [row.code for row in TABLE.findings.values() if row.family in TABLE.counter_families]
    reads = [code for code in whole if TABLE.findings[code].weight_db > 0]
    assert verdict_of(*reads).families == ("whole",)
    assert 0 < verdict_of(*reads).score_db < TABLE.annotate_db
    assert verdict_of(*reads).label is Label.INFO
    assert verdict_of(*reads, "NO_CLIENT").label is Label.LURE


def test_beside_the_whole_one_faint_sign_in_the_text_is_no_second_family():
    whole = [row.code for row in TABLE.findings.values() if row.family in TABLE.counter_families]
    reads = [code for code in whole if TABLE.findings[code].weight_db > 0]
    faint = verdict_of(*reads, "MODEL_SENSITIVE", weak=("MODEL_SENSITIVE",))
    assert faint.families == ("whole",)
    assert faint.label is Label.INFO
    assert faint.score_db >= TABLE.annotate_db
    two = ("MODEL_SENSITIVE", "NO_CLIENT")
    assert verdict_of(*reads, *two, weak=two).label is Label.LURE
    # What no text makes is another matter, and so is a text that was not read as a whole.
    assert len(verdict_of(*reads, "RELAY_THEN_DIRECT", weak=("RELAY_THEN_DIRECT",)).families) == 2
    assert len(verdict_of("SENSITIVE", weak=("SENSITIVE",)).families) == 1


def test_weak_finding_counts_sixty_percent():
    assert verdict_of("NO_CLIENT", weak=("NO_CLIENT",)).score_db == pytest.approx(1.8)


def test_mitigation_is_floored_once_a_secret_is_asked_for():
    lenient = ["KNOWN_ORGANISATION", "AUTH_ALIGNED", "FULL_TERMS"]
    assert verdict_of(*lenient).score_db == pytest.approx(-10)
    assert verdict_of("SENSITIVE", *lenient).score_db == pytest.approx(10 - 3)


def test_known_organisation_needs_alignment():
    assert verdict_of("KNOWN_ORGANISATION").score_db == 0


def test_known_organisation_is_not_added_to_known_network():
    verdict = verdict_of(
        "KNOWN_ORGANISATION", "KNOWN_EXPERT_NETWORK", "COMPLIANCE_TEXT", "AUTH_ALIGNED"
    )
    assert verdict.score_db == pytest.approx(-11)


def test_a_reply_of_ours_is_no_alibi_for_a_change_of_channel():
    assert verdict_of("OFFPLATFORM", "TWO_WAY_THREAD").score_db == pytest.approx(6)
    assert verdict_of("NO_CLIENT", "TWO_WAY_THREAD").score_db == pytest.approx(-4)


def test_r9_is_void_when_full_terms_are_stated():
    lure = verdict_of("OFFPLATFORM", "APPROACH", "VAGUE_OFFER", "SENDER_FREEMAIL")
    honest = verdict_of("OFFPLATFORM", "APPROACH", "FULL_TERMS", "SENDER_FREEMAIL")
    assert lure.score_db - honest.score_db == pytest.approx(3 + 10 + 3)


def test_r10_needs_a_plain_refusal_to_name_the_client():
    plain = verdict_of("NO_CLIENT", "PAID_REPORT_WRITTEN")
    weak = verdict_of("NO_CLIENT", "PAID_REPORT_WRITTEN", weak=("NO_CLIENT",))
    assert plain.score_db == pytest.approx(17)
    assert weak.score_db == pytest.approx(8.8)


def test_labels():
    assert verdict_of("LURE_FILE", "OFFPLATFORM", "APPROACH", "SENDER_FREEMAIL").label is (
        Label.LURE_MALWARE
    )
    assert verdict_of("SCAM_TASK", "OFFPLATFORM", "MONEY_ODD").label is Label.SCAM
    assert verdict_of("OFFPLATFORM", "PLATFORM_CLAIM", "SENDER_FREEMAIL").label is Label.LURE
    assert verdict_of().label is Label.CLEAN


def test_failed_check_is_listed_and_never_clean():
    assert verdict_of(failed="language").degraded == ("language: timeout",)


def test_unknown_code_is_listed():
    assert verdict_of("NOT_A_CODE").degraded == ("no weight for NOT_A_CODE",)


def test_same_code_twice_weighs_once_and_keeps_all_evidence():
    spans = [Evidence(source=Source.BODY, part="1", start=i, end=i + 1, text="x") for i in (0, 5)]
    findings = tuple(Finding(code="NO_CLIENT", check="t", evidence=(span,)) for span in spans)
    outcome = CheckOutcome(check="t", status=CheckStatus.DONE, findings=findings)
    verdict = score([outcome], table=TABLE)
    assert verdict.score_db == 3
    assert verdict.findings[0].finding.evidence == tuple(spans)


def test_probability_follows_the_prior():
    assert probability(20, TABLE) == pytest.approx(0.0477, abs=0.001)
    assert probability(35, TABLE) == pytest.approx(0.613, abs=0.001)


def test_order_of_findings_does_not_matter():
    codes = ["OFFPLATFORM", "NO_CLIENT", "PAID_REPORT_WRITTEN", "SENDER_FREEMAIL", "FULL_TERMS"]
    scores = {verdict_of(*order).score_db for order in itertools.permutations(codes)}
    assert len(scores) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("OFFPLATFORM = { db = 6,", "OFFPLATFORM = { db = 11,"),
        ('one_of = ["PAID_REPORT_WRITTEN"', 'one_of = ["PAID_REPORT_WRITEN"'),
        ("prior_db = -33.0", "prior = -33.0"),
    ],
)
def test_a_wrong_table_is_refused(change, says):
    text = shipped_text("weights.toml")
    assert change in text
    with pytest.raises(WeightError):
        parse_weights(text.replace(change, says))


def test_overrides_are_checked():
    changed = TABLE.with_overrides({"OFFPLATFORM": 7})
    assert changed.findings["OFFPLATFORM"].weight_db == 7
    assert changed.version == TABLE.version + "+local"
    assert TABLE.with_overrides({}).version == TABLE.version, "as shipped"
    with pytest.raises(WeightError, match="no finding code"):
        TABLE.with_overrides({"OFF_PLATFORM": 7})
    with pytest.raises(WeightError, match="over 10 dB"):
        TABLE.with_overrides({"OFFPLATFORM": 10.5})
