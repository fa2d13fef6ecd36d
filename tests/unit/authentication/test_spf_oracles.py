"""The SPF cases through three other implementations; where they differ, the RFC's word is with us.

Every difference is listed here with its section; a new one, or one that is gone, fails. See also
docs/authentication.md.
"""

from contextlib import ExitStack

import spf

from milter.mail.dns import AnswerStatus, Question
from tests.support.second_opinion import ask_mail_spf, ask_mailauth_policy
from tests.support.zone import DnsServer
from tests.unit.authentication.test_spf import CASES, evaluate

PYSPF_DIFFERS = {
    "redirect-costs-nothing-before-a-match": "4.6.4: terms that are evaluated count",
    "dns-failure-means-no-match": "5.5: an error of the PTR look-up means no match",
    "dns-failure-of-one-name": "5.5: that name is skipped",
    "redirect-in-upper-case": "12: names are case-insensitive (RFC 5234 2.3)",
    "unknown-modifiers-however-often": "6: ignored, no matter how often",
    "no-labels-at-all": "7.1: the number of labels is not zero",
    "open-brace": "7.1: macro-expand",
    "r-before-digits": "7.1: transformers",
    "unknown-delimiter": "7.1: delimiter",
    "two-labels-cut-from-the-left": "7.3: successive labels are removed",
}
MAIL_SPF_DIFFERS = {
    "label-too-long": "4.3: none; it raises",
    "empty-label": "4.3: none; it raises",
    "redirect-costs-nothing-before-a-match": "4.6.4: terms that are evaluated count",
    "empty-label-in-a-name": "4.8: no match or permerror; it raises",
    "dns-failure-means-no-match": "5.5: an error of the PTR look-up means no match",
    "whole-ipv6-is-not-ipv4": "5.6: an IPv4 client is no address of ::/0",
    "mapped-network-matches-no-ipv4": "5: an IPv4 client is never mapped",
    "unknown-modifier-with-a-bad-macro": "12: unknown-modifier is a macro-string",
    "other-delimiter": "7.4: %{l-} of strong-bad is strong.bad",
    "upper-case-letter-escapes": "7.3: + is not unreserved (RFC 3986 2.3)",
}
# It takes ten hosts in the order of the response, which is not ours to say.
MAIL_SPF_BY_CHANCE = {"eleven-mx-hosts"}
MAILAUTH_DIFFERS: dict[str, str] = {}


def _lookup(zone):
    def lookup(name, qtype, strict=True, timeout=20):
        answer = zone.answer(Question(name.lower().rstrip("."), qtype))
        if answer.status is AnswerStatus.FAILED:
            raise spf.TempError("DNS")
        found = []
        for record in answer.records:
            value = record.decode("utf-8") if qtype != "TXT" else (record,)
            if qtype == "MX":
                preference, _, host = record.decode().partition(" ")
                value = (int(preference), host)
            found.append(((name, qtype), value))
        return found

    return lookup


def _differences(cases, theirs):
    differ = {}
    for case, result in zip(cases, theirs, strict=True):
        ours = evaluate(case.zone, case.client, case.mail_from, case.helo).result
        if result != ours and result not in case.results:
            differ[case.name] = (ours, result)
    return differ


def test_pyspf_differs_as_listed(monkeypatch):
    theirs = []
    for case in CASES:
        monkeypatch.setattr(spf, "DNSLookup", _lookup(case.zone))
        theirs.append(spf.query(i=case.client, s=case.mail_from, h=case.helo).check()[0])
    differ = _differences(CASES, theirs)
    assert set(differ) == set(PYSPF_DIFFERS), differ


def test_mail_spf_differs_as_listed():
    cases = [
        case
        for case in CASES
        if case.helo and not case.helo.startswith("[") and case.name not in MAIL_SPF_BY_CHANCE
    ]
    lines = []
    with ExitStack() as stack:
        zones = {id(case.zone): case.zone for case in cases}
        ports = {key: stack.enter_context(DnsServer(zone)).port for key, zone in zones.items()}
        for case in cases:
            scope = "mfrom" if case.mail_from else "helo"
            who = case.mail_from or case.helo
            lines.append(f"{ports[id(case.zone)]}\t{case.client}\t{scope}\t{who}\t{case.helo}")
        differ = _differences(cases, ask_mail_spf(lines))
    assert set(differ) == set(MAIL_SPF_DIFFERS), differ


def test_mailauth_differs_as_listed():
    asked = [
        {
            "zone": case.zone.names,
            "spf": {"sender": case.mail_from, "ip": case.client, "helo": case.helo, "mta": "us"},
        }
        for case in CASES
    ]
    differ = _differences(CASES, [answer["result"] for answer in ask_mailauth_policy(asked)])
    assert set(differ) == set(MAILAUTH_DIFFERS), differ
