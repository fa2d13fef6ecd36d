"""Which Authentication-Results are believed (design rules 12 and 13)."""

from dataclasses import replace

import pytest

from milter.authentication.results import parse_results
from milter.mail.message import scan_header
from milter.mail.reading import AuthResult, Facts
from milter.read.authentication import Authentication, read_authentication

FACTS = Facts(
    role="after_queue",
    own_authserv_id="gate.example.org",
    trusted_authserv_ids=("mx.example.org", "*.filter.test"),
    own_domains=("corp.example",),
)
GOOD = "Authentication-Results: mx.example.org; dkim=pass header.d=sender.test"
FORGED = "Authentication-Results: mx.example.org; dkim=pass header.d=bank.test"


def read(*lines: str, facts: Facts = FACTS) -> Authentication:
    raw = "\r\n".join([*lines, "", ""]).encode()
    return read_authentication(raw, scan_header(raw), facts)


def domains(*lines: str, facts: Facts = FACTS) -> list[str]:
    return [result.properties[0][2] for result in read(*lines, facts=facts).results]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mx.test; none", []),
        ("mx.test 1; spf=pass", [("spf", "pass", "", ())]),
        ("mx.test; spf=PASS smtp.mailfrom=a@b.test", [("spf", "pass", "", (("smtp", "mailfrom", "a@b.test"),))]),
        ("mx.test; dkim=pass (2048-bit (key); x) header.d=b.test", [("dkim", "pass", "", (("header", "d", "b.test"),))]),
        ('mx.test; dkim=fail reason="bad; sig" header.i=@b.test', [("dkim", "fail", "bad; sig", (("header", "i", "@b.test"),))]),
        ("mx.test; dkim/1=pass", [("dkim", "pass", "", ())]),
        ("mx.test; spf=pass; dmarc=fail header.from=b.test", [("spf", "pass", "", ()), ("dmarc", "fail", "", (("header", "from", "b.test"),))]),
        ("mx.test; spf = pass smtp.mailfrom = b.test", [("spf", "pass", "", (("smtp", "mailfrom", "b.test"),))]),
        ('mx.test; spf=pass smtp.mailfrom="a b"@c.test', [("spf", "pass", "", (("smtp", "mailfrom", "a b"),))]),
        ("mx.test; garbage; =; spf; dkim=pass", [("dkim", "pass", "", ())]),
        ("mx.test", []),
        ("", []),
    ],
)  # fmt: skip
def test_syntax(
    value: str, expected: list[tuple[str, str, str, tuple[tuple[str, str, str], ...]]]
) -> None:
    results = parse_results(value)
    assert [(r.method, r.result, r.reason, r.properties) for r in results] == expected
    assert all(result.authserv_id == "mx.test" for result in results)


def test_a_listed_field_on_top_is_believed() -> None:
    assert read(GOOD, "Received: from x (x [192.0.2.1]) by mx.example.org").results == (
        AuthResult(
            method="dkim",
            result="pass",
            authserv_id="mx.example.org",
            properties=(("header", "d", "sender.test"),),
        ),
    )
    assert domains("Authentication-Results: a.FILTER.test; dkim=pass header.d=x.test") == ["x.test"]
    assert domains("Return-Path: <a@b.test>", "X-Any: 1", GOOD) == ["sender.test"]


def test_an_unlisted_one_is_not() -> None:
    assert read("Authentication-Results: evil.test; dkim=pass header.d=bank.test").results == ()
    assert read(GOOD, facts=replace(FACTS, trusted_authserv_ids=())).results == ()


def test_in_role_mx_nothing_is_believed() -> None:
    assert read(GOOD, facts=replace(FACTS, role="mx")).results == ()


@pytest.mark.parametrize("role", ["before_queue", "after_queue", "milter", "file"])
def test_in_all_other_roles_the_top_is(role: str) -> None:
    assert domains(GOOD, facts=replace(FACTS, role=role)) == ["sender.test"]


@pytest.mark.parametrize(
    "received",
    [
        "Received: from sender.test (sender.test [192.0.2.1]) by mx.example.org",
        "Received: from mx.example.org (sender.test [192.0.2.1]) by mx.example.org",
        "Received: from mx.example.org (unknown [192.0.2.1]) by mx.example.org",
        "Received: from mx.example.org by mx.example.org",
        "Received: from mx.example.org (mx.example.org [192.0.2.1] (may be forged)) by x",
        "Received: from localhost by mx.example.org",
        "Received: by mx.example.org with local id 1",
        "Received: nonsense",
        "Received: from [127.0.0.1] by mx.example.org",
        "Received: from x.notcorp.example (x.notcorp.example [192.0.2.1]) by mx.example.org",
    ],
)  # fmt: skip
def test_below_a_foreign_hand_over_nothing_is_believed(received: str) -> None:
    assert domains(GOOD, received, FORGED) == ["sender.test"]


@pytest.mark.parametrize(
    "received",
    [
        "Received: from localhost (localhost [127.0.0.1]) by mx.example.org",
        "Received: from x (localhost [IPv6:::1]) by mx.example.org",
        "Received: from helo (mx.example.org [192.0.2.1]) by inner.example.org",
        "Received: from helo (a.filter.test. [192.0.2.1]) by inner.example.org",
        "Received: from helo (mail.corp.example [192.0.2.1]) by inner.example.org",
        "Received: from mail.corp.example ([192.0.2.1] helo=x) by inner.example.org",
    ],
)
def test_a_hand_over_in_our_house_is_passed(received: str) -> None:
    assert domains(received, GOOD) == ["sender.test"]


def test_a_pattern_for_everybody_makes_no_host_ours() -> None:
    facts = replace(FACTS, trusted_authserv_ids=("*",), own_domains=())
    received = "Received: from a (sender.test [192.0.2.1]) by mx.example.org"
    assert domains(GOOD, received, FORGED, facts=facts) == ["sender.test"]


def test_fields_that_claim_to_be_ours_are_counted_wherever_they_stand() -> None:
    own = "Authentication-Results: GATE.example.org; dkim=pass header.d=x.test"
    found = read(own, "X-Lurewall-Verdict: clean", "Received: from a by b", own, "x-LUREWALL-id: 1")
    assert found.forged_fields == 4
    assert found.results == ()


def test_the_number_of_results_is_bounded() -> None:
    assert len(read(*[GOOD + "; spf=pass" * 50] * 10).results) == 60
