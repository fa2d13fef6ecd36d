"""SPF by RFC 7208, section by section (spf_cases.toml), and what hostile records cost."""

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.authentication.spf import (
    MAX_ASKING_TERMS,
    check_spf,
    spf_identity,
)
from milter.authentication.spf_record import RecordError, parse_record
from milter.mail.address import NULL_PATH, parse_path
from milter.mail.dns import Needs, Question
from milter.mail.envelope import Connection, Envelope
from tests.support.zone import Zone, solve

FILE = Path(__file__).with_name("spf_cases.toml")


@dataclass(frozen=True)
class Case:
    section: str
    name: str
    client: str
    mail_from: str
    helo: str
    results: tuple[str, ...]
    zone: Zone


def load() -> list[Case]:
    return [
        Case(group["section"], name, client, mail_from, helo, tuple(result.split("|")), zone)
        for group in tomllib.loads(FILE.read_text("utf-8"))["group"]
        for zone in [Zone(group["zone"])]
        for name, client, mail_from, helo, result in group["cases"]
    ]


CASES = load()


def identity(client, mail_from, helo="h.test"):
    path = NULL_PATH
    if mail_from:
        path, _ = parse_path(f"<{mail_from}>".encode(), smtputf8=True)
    return spf_identity(Connection(client_ip=client, helo=helo), Envelope(reverse_path=path))


def evaluate(zone, client, mail_from, helo="h.test", asked=None):
    who = identity(client, mail_from, helo)
    return solve(lambda answers: check_spf(who, answers, authserv_id="us"), zone, asked=asked)


def test_there_are_cases_for_every_section_and_no_name_twice():
    assert len(CASES) >= 120
    sections = {case.section.partition(":")[0] for case in CASES}
    assert {"5.1", "5.2", "5.3", "5.4", "5.5", "5.7", "6", "7", "appendix A.1"} <= sections
    assert len({(case.section, case.name) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.section.split(':')[0]} {case.name}"
)
def test_the_rfc_says(case):
    asked = []
    result = evaluate(case.zone, case.client, case.mail_from, case.helo, asked)
    assert result.result in case.results, result.reason
    assert (result.reason != "") == (result.result in ("permerror", "temperror"))
    assert not any(question.name.startswith(("why.", "gone.exp")) for question in asked)
    [(ptype, scope, domain)] = result.properties
    assert (ptype, scope) == ("smtp", "mailfrom" if case.mail_from else "helo")
    assert domain == (case.mail_from.rpartition("@")[2].lower() or case.helo)


@pytest.mark.parametrize("client", ["", "unknown", "192.0.2", "192.0.2.1.5", "::g", "a b", "\0"])
def test_a_client_that_is_no_address_gives_none_and_asks_nothing(client):
    asked = []
    result = evaluate({"x.test": ["TXT v=spf1 +all"]}, client, "a@x.test", asked=asked)
    assert (result.result, asked) == ("none", [])


def test_an_international_sender_is_asked_for_by_its_a_labels():
    zone = {"xn--mller-kva.test": ["TXT v=spf1 exists:%{d}.x.test -all"],
            "xn--mller-kva.test.x.test": ["A 127.0.0.2"]}  # fmt: skip
    result = evaluate(zone, "192.0.2.1", "a@müller.test")
    assert result.result == "pass"
    assert result.properties == (("smtp", "mailfrom", "xn--mller-kva.test"),)


def test_a_local_part_beyond_ascii_matches_no_macro():
    zone = {"x.test": ["TXT v=spf1 exists:%{l}.x.test ip4:192.0.2.1 -all"]}
    asked = []
    assert evaluate(zone, "192.0.2.1", "jürgen@x.test", asked=asked).result == "pass"
    assert asked == [Question("x.test", "TXT")]


def test_an_ipv6_client_does_not_meet_the_void_limit_at_hosts_of_ipv4():
    zone = {
        "x.test": [
            "TXT v=spf1 mx ip6:2001:db8::/32 -all",
            *(f"MX {n} m{n}.x.test" for n in range(8)),
        ],
        **{f"m{n}.x.test": [f"A 192.0.2.{n}"] for n in range(8)},
    }
    assert evaluate(zone, "2001:db8::1", "a@x.test").result == "pass"


def bomb(depth, width):
    """Includes of includes, each domain naming `width` others."""
    records = {}
    for level in range(depth):
        for place in range(width):
            names = " ".join(f"include:n{level + 1}-{other}.b.test" for other in range(width))
            records[f"n{level}-{place}.b.test"] = [f"TXT v=spf1 {names} -all"]
    for place in range(width):
        records[f"n{depth}-{place}.b.test"] = ["TXT v=spf1 ?all"]
    return {"b.test": ["TXT v=spf1 include:n0-0.b.test -all"], **records}


HOSTILE = {
    "tree of includes": bomb(6, 10),
    "mx with a hundred hosts": {
        "b.test": ["TXT v=spf1 mx -all", *(f"MX {n} m{n}.b.test" for n in range(100))]
    },
    "a record of 100 kB": {"b.test": ["TXT v=spf1 " + "ip4:198.51.100.1 " * 6_000 + "-all"]},
    "a name with an empty label redirected to": {"b.test": ["TXT v=spf1 redirect=a..b.test"]},
    "ptr of a client with a hundred names": {
        "b.test": ["TXT v=spf1 " + "ptr " * 11 + "-all"],
        "1.2.0.192.in-addr.arpa": [f"PTR p{n}.b.test" for n in range(100)],
    },
    "many empty answers": {
        "b.test": ["TXT v=spf1 " + " ".join(f"exists:e{n}.b.test" for n in range(10)) + " -all"]
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_records_end_soon_as_permerror(name):
    asked = []
    result = evaluate(HOSTILE[name], "192.0.2.1", "a@b.test", asked=asked)
    assert result.result == "permerror"
    assert len(asked) <= 1 + MAX_ASKING_TERMS * 11


def test_a_name_of_two_thousand_macros_costs_no_more_than_its_end():
    domain = ".".join("a" * 100) + ".test"
    zone = {
        domain: ["TXT v=spf1 " + " ".join(["exists:" + "%{d}" * 195 + ".b.test"] * 10) + " ?all"]
    }
    started = time.perf_counter()
    assert evaluate(zone, "192.0.2.1", f"a@{domain}").result == "permerror"
    assert time.perf_counter() - started < 0.5


def test_names_of_thousands_of_addresses_do_not_hold_up_a_front():
    many = [f"A 198.51.{n // 250}.{n % 250}" for n in range(4_000)]
    zone = {
        "b.test": ["TXT v=spf1 " + " ".join(f"a:n{n}.b.test" for n in range(10)) + " -all"],
        **{f"n{n}.b.test": many for n in range(10)},
    }
    who, dns, answers = identity("192.0.2.1", "a@b.test"), Zone(zone), {}
    seconds = 0.0
    while True:
        started = time.process_time()
        found = check_spf(who, answers, authserv_id="us")
        seconds += time.process_time() - started
        if not isinstance(found, Needs):
            break
        answers.update({one: dns.answer(one) for one in found.questions})
    assert found.result == "fail"
    assert seconds < 0.5


def test_the_most_that_ten_terms_can_ask():
    zone = {
        "b.test": ["TXT v=spf1 " + " ".join(f"mx:d{n}.b.test" for n in range(10)) + " -all"],
        **{f"d{n}.b.test": [f"MX {m} m{m}.d{n}.b.test" for m in range(10)] for n in range(10)},
        **{f"m{m}.d{n}.b.test": ["A 198.51.100.1"] for n in range(10) for m in range(10)},
    }
    asked = []
    assert evaluate(zone, "192.0.2.1", "a@b.test", asked=asked).result == "fail"
    assert len(asked) == 111


def test_a_few_includes_are_asked_for_in_one_round():
    zone = Zone({
        "x.test": ["TXT v=spf1 " + " ".join(f"include:i{n}.test" for n in range(9)) + " -all"],
        **{f"i{n}.test": ["TXT v=spf1 ?all"] for n in range(9)},
    })  # fmt: skip
    who, answers, rounds = identity("192.0.2.1", "a@x.test"), {}, []
    while isinstance(needs := check_spf(who, answers, authserv_id="us"), Needs):
        rounds.append(len(needs.questions))
        answers.update({one: zone.answer(one) for one in needs.questions})
    assert (needs.result, rounds) == ("fail", [1, 5, 4])


def test_all_hosts_of_an_mx_are_asked_for_at_once():
    zone = Zone({"x.test": ["TXT v=spf1 mx -all", *(f"MX {n} m{n}.x.test" for n in range(10))]})
    who = identity("192.0.2.1", "a@x.test")
    questions = [Question("x.test", "TXT"), Question("x.test", "MX")]
    needs = check_spf(who, {one: zone.answer(one) for one in questions}, authserv_id="us")
    assert isinstance(needs, Needs)
    assert len(needs.questions) == 10


TERMS = st.sampled_from(
    ["all", "a", "mx", "ptr", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "include:x.test", "include:%{d}",
     "exists:%{ir}.%{l1r-}.x.test", "a:%{p}/0//0", "redirect=x.test", "redirect=%{o}", "exp=%{d}", "foo=%{s}",
     "ptr:%{h}", "mx:y.test//64", "a/33", "moo", "%{d}", "include:", "-", "~all", "?a:y.test", "\xff"]
)  # fmt: skip


@given(
    st.lists(TERMS, max_size=14),
    st.lists(TERMS, max_size=14),
    st.sampled_from(["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "nonsense"]),
    st.sampled_from(["a@x.test", "strong-bad@y.test", "", '"a b"@x.test']),
)
def test_whatever_is_published_it_ends_with_a_result_within_bounds(one, other, client, mail_from):
    zone = {
        "x.test": ["TXT v=spf1 " + " ".join(one), "A 192.0.2.9", "MX 10 y.test"],
        "y.test": ["TXT v=spf1 " + " ".join(other), "MX 0 ."],
        "1.2.0.192.in-addr.arpa": ["PTR x.test", "PTR y.test"],
    }
    asked = []
    result = evaluate(zone, client, mail_from, "x.test", asked)
    assert result.result in {
        "none",
        "neutral",
        "pass",
        "fail",
        "softfail",
        "temperror",
        "permerror",
    }
    assert len(asked) <= 1 + MAX_ASKING_TERMS * 11


@given(st.binary(max_size=300))
def test_whatever_octets_a_record_has_it_is_a_record_or_an_error(octets):
    try:
        record = parse_record(b"v=spf1 " + octets)
    except RecordError:
        return
    assert octets.isascii()
    assert len(record.directives) <= octets.count(b" ") + 1
