"""The DMARC cases through mailauth, which has RFC 9989, too; every difference is listed with why.

Its DMARC takes passing domains only, so cases about temporary errors of DKIM and SPF are left out.
Mail::DMARC and OpenDMARC of Debian 12 follow the obsolete RFC 7489 and its list of suffixes.
"""

from milter.authentication.dmarc import vouching_domains
from tests.support.second_opinion import ask_mailauth_policy
from tests.unit.authentication.test_dmarc import CASES, judge, results

# RFC 9989 leaves each of these to the receiver.
DIFFERS = {
    "whether-it-exists-cannot-be-had": "4.10.1: it failed for sure, the milder policy counts",
    "literal": "5.3.1: an author that is no domain name; it says none",
    "address-as-a-domain": "5.3.1: an author that is no domain name; it says none",
    "no-domain": "5.3.1: an author that is no domain name; it says none",
}


def test_mailauth_differs_as_listed():
    cases = [
        (zone, case)
        for _, zone, case in CASES
        if "temperror" not in str(case.get("dkim", "")) + case.get("spf", "")
    ]
    asked = []
    for zone, case in cases:
        passing = vouching_domains(results(case))
        asked.append({
            "zone": zone.names,
            "dmarc": {
                "headerFrom": case["from"],
                "fromFields": case.get("fields", 1),
                "spfDomains": [{"domain": d} for method, d in passing if method == "spf"],
                "dkimDomains": [{"domain": d} for method, d in passing if method == "dkim"],
            },
        })  # fmt: skip
    differ = {}
    for (zone, case), theirs in zip(cases, ask_mailauth_policy(asked), strict=True):
        ours = judge(zone, case)
        properties = {name: value for ptype, name, value in ours.result.properties}
        said = [(ours.result.result, theirs["result"])]
        if ours.result.result == "fail":
            said.append((properties["dmarc"], theirs["policy"]))
        if ours.organisation and ours.result.result in ("pass", "fail"):
            said.append((ours.organisation, theirs["organisation"]))
        if any(one != other for one, other in said):
            differ[case["name"]] = said
    assert set(differ) == set(DIFFERS), differ
