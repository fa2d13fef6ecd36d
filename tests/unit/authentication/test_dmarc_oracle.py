"""The DMARC cases through two other implementations; every difference is listed with why.

mailauth has RFC 9989, too. Its DMARC takes passing domains only, so cases about temporary errors of
DKIM and SPF are left out. Mail::DMARC of Debian 12 follows the obsolete RFC 7489 with its list of
suffixes: asked are the cases that end in pass, fail or none, and whether it ends so as well.
"""

from contextlib import ExitStack, suppress
from pathlib import Path

from milter.authentication.dmarc import vouching_domains
from tests.support.second_opinion import ask_mail_dmarc, ask_mailauth_policy
from tests.support.zone import DnsServer, Zone
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


_SUFFIXES = ("com", "net", "org", "test", "example", "tld", "suffix", "co.tld")
_WALK = "RFC 9989 4.10: the walk up the tree and psd= say where an organisation ends"
MAIL_DMARC_DIFFERS = {
    "spaces": "RFC 9989 4.8: white space may stand around the equals sign",
    "upper-case-tags-are-others": "RFC 6376 3.2: names of tags are case-sensitive",
    "version-is-exact": "RFC 9989 4.7: the value must match precisely",
    "a-tag-twice": "RFC 6376 3.2: such a list is invalid as a whole",
    "bad-policy-but-reports": "RFC 9989 4.7: taken as p=none where reports are asked for",
    "bad-policy-leaves-no-sp-either": "RFC 9989 4.7: as above",
    "bad-sp-but-reports": "RFC 9989 4.7: as above",
    "bad-np": "RFC 9989 4.7: np= is younger than RFC 7489",
    "psd-n-parts-it-from-above": _WALK,
    "psd-n-parts-it-from-below": _WALK,
    "suffix-for-a-name-that-exists": _WALK,
    "suffix-for-a-name-that-does-not": _WALK,
    "suffix-below": _WALK,
    "suffix-parts-neighbours": _WALK,
    "suffix-of-two-labels": _WALK,
    "suffix-of-two-labels-parts": _WALK,
    "twelve-labels-shortened-to-seven": _WALK,
    "whether-it-exists-cannot-be-had": "RFC 7489 6.6.3: no DMARC for names that are not there",
    "u-labels": "RFC 9989 5.3.1: U-labels of the author are made A-labels",
    "u-labels-of-the-signer": "RFC 9989 5.3.1: as above, of whoever signs",
    "single-label": "it takes no author without a suffix for one",
}


def test_mail_dmarc_differs_as_listed(tmp_path: Path):
    suffixes = tmp_path / "suffixes"
    suffixes.write_text("\n".join(_SUFFIXES) + "\n")
    cases = [(zone, case) for _, zone, case in CASES if _is_for_mail_dmarc(zone, case)]
    assert len(cases) > 70
    with ExitStack() as stack:
        ports = {id(zone): stack.enter_context(_served(zone)).port for zone, _ in cases}
        answers = ask_mail_dmarc([_asked(ports[id(z)], case) for z, case in cases], suffixes)
    differ = {
        case["name"]: (judge(zone, case).result.result, theirs["result"])
        for (zone, case), theirs in zip(cases, answers, strict=True)
        if judge(zone, case).result.result != theirs["result"]
    }
    assert set(differ) == set(MAIL_DMARC_DIFFERS), differ


def _is_for_mail_dmarc(zone: Zone, case: dict) -> bool:
    has_errors = "temperror" in str(case.get("dkim", "")) + case.get("spf", "")
    is_plain = len(case["from"]) == 1 and case.get("fields", 1) == 1 and not has_errors
    return is_plain and judge(zone, case).result.result in ("pass", "fail", "none")


def _served(zone: Zone) -> DnsServer:
    """The zone, and an address for every author: RFC 7489 wants names that are there."""
    full = Zone(zone.names)
    for _, of_zone, case in CASES:
        for author in case["from"] if of_zone is zone else ():
            with suppress(UnicodeError):
                name = author.rpartition("@")[2].lower().encode("idna").decode()
                full.names.setdefault(name, []).append("A 192.0.2.1")
    return DnsServer(full)


def _asked(port: int, case: dict) -> dict[str, object]:
    found: dict[str, list] = {"dkim": [], "spf": []}
    for one in results(case):
        domain = one.properties[0][2] if one.properties else ""
        found[one.method].append([one.result, domain])
    return {"port": port, "from": case["from"][0], **found}
