"""DMARC by RFC 9989 (dmarc_cases.toml), what it may cost, and what it never asks."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.authentication.dmarc import author_of, check_dmarc
from milter.authentication.dmarc_record import walk_names
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.reading import AuthResult, NamedMailbox
from tests.support.zone import Zone, solve

FILE = Path(__file__).with_name("dmarc_cases.toml")
CASES = [
    (group["section"].partition(":")[0], Zone(group["zone"]), case)
    for group in tomllib.loads(FILE.read_text("utf-8"))["group"]
    for case in group["cases"]
]


def mailboxes(addresses):
    return tuple(
        NamedMailbox(
            display_name="", address=one, domain=one.rpartition("@")[2] if "@" in one else ""
        )
        for one in addresses
    )


def results(case):
    found = []
    for method, properties in (("dkim", ("header", "d")), ("spf", ("smtp", "mailfrom"))):
        told = case.get(method, [])
        for one in [told] if isinstance(told, str) else told:
            result, _, domain = one.partition(" ")
            found.append(
                AuthResult(
                    method=method, result=result, authserv_id="us",
                    properties=((*properties, domain),) if domain else (),
                )
            )  # fmt: skip
    return tuple(found)


def judge(zone, case, asked=None):
    author = author_of(mailboxes(case["from"]), from_fields=case.get("fields", 1))
    return solve(
        lambda answers: check_dmarc(author, results(case), answers, authserv_id="us"),
        zone,
        asked=asked,
    )


@pytest.mark.parametrize(
    ("section", "zone", "case"),
    CASES,
    ids=lambda one: one["name"] if isinstance(one, dict) else None,
)
def test_the_rfc_says(section, zone, case):
    asked = []
    answer = judge(zone, case, asked)
    result = answer.result
    assert result.result == case["result"], result.reason
    properties = {f"{ptype}.{name}": value for ptype, name, value in result.properties}
    if result.result == "fail":
        assert properties["policy.dmarc"] == case["policy"]
    if "organisation" in case:
        assert answer.organisation == case["organisation"]
    if result.result == "permerror":
        assert result.reason
        assert asked == []
    else:
        assert properties["header.from"].isascii()


def test_a_walk_of_any_name_has_at_most_eight_questions():
    for labels in range(1, 60):
        names = walk_names(".".join(["a"] * labels))
        assert len(names) == min(labels, 8)
        assert names[-1] == "a"


def test_the_walk_of_the_rfc_s_example():
    assert walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
        "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com",
    )  # fmt: skip


def test_signers_of_other_organisations_cost_nothing():
    zone = {"_dmarc.one.test": ["TXT v=DMARC1; p=reject"]}
    many = [f"pass a.b.c.d.e.f.g.h.n{number}.test" for number in range(50)]
    asked = []
    answer = judge(zone, {"from": ["x@one.test"], "dkim": many}, asked)
    assert answer.result.result == "fail"
    assert {question.name for question in asked} == {"_dmarc.one.test", "_dmarc.test"}


def test_strict_alignment_walks_for_no_signer():
    zone = {"_dmarc.one.test": ["TXT v=DMARC1; p=reject; adkim=s"]}
    asked = []
    judge(zone, {"from": ["x@one.test"], "dkim": ["pass a.one.test"]}, asked)
    assert {question.name for question in asked} == {"_dmarc.one.test", "_dmarc.test"}


def test_the_helo_name_counts_for_the_null_sender():
    zone = {"_dmarc.one.test": ["TXT v=DMARC1; p=reject"]}
    spf = AuthResult(
        method="spf", result="pass", authserv_id="us", properties=(("smtp", "helo", "mx.one.test"),)
    )
    author = author_of(mailboxes(["x@one.test"]), from_fields=1)
    answer = solve(lambda answers: check_dmarc(author, (spf,), answers, authserv_id="us"), zone)
    assert answer.result.result == "pass"


@pytest.mark.parametrize(
    "record",
    [
        "v=DMARC1;" + "p=reject;" * 20_000,
        "v=DMARC1; p=reject" + "; x" * 30_000,
        "v=DMARC1;" * 9_000,
    ],
)
def test_a_huge_record_is_read_as_far_as_it_is_one(record):
    answer = judge({"_dmarc.one.test": [f"TXT {record}"]}, {"from": ["x@one.test"]})
    assert answer.result.result in ("fail", "none")


@given(st.lists(st.binary(max_size=80), max_size=3), st.text(max_size=40))
def test_whatever_is_published_it_ends_with_a_result(records, domain):
    zone = Zone({})
    answers = {
        Question(f"_dmarc.{name}", "TXT"): Answer(
            status=AnswerStatus.FOUND, records=tuple(b"v=DMARC1;" + one for one in records)
        )
        for name in ("one.test", "test")
    }
    author = author_of(mailboxes([f"x@{domain}", "x@one.test"]), from_fields=1)
    assert author.problem or author.domain == "one.test"
    author = author_of(mailboxes(["x@one.test"]), from_fields=1)

    def evaluate(known):
        return check_dmarc(author, (), {**answers, **known}, authserv_id="us")

    assert solve(evaluate, zone).result.result in {"none", "fail"}
