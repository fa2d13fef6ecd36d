"""SPF and DMARC in zones made by dice, the same through mailauth: no difference."""

from random import Random

from milter.authentication.dmarc import vouching_domains
from tests.support.second_opinion import ask_mailauth_policy
from tests.support.zone import Zone
from tests.unit.authentication.test_dmarc import judge, results
from tests.unit.authentication.test_spf import evaluate

CASES = 1_500
HOSTS = ("x.test", "y.test", "z.x.test", "sub.y.test", "_s.x.test", "gone.test", "a..b.test")
NAMED = (
    *HOSTS,
    *("%{d}", "%{o}", "%{i}.x.test", "%{ir}.%{v}.x.test", "%{l}.x.test", "%{d1}.test", "%{h}"),
    *("%{p}", "%{d2r}.test", "%{s}.x.test", "%%.x.test", "%{l1r+-}._s.x.test", "%{D}", "localhost"),
)
CLIENTS = ("192.0.2.1", "198.51.100.7", "2001:db8::1", "203.0.113.5")
SENDERS = ("ann@x.test", "strong-bad+w@y.test", "ann@z.x.test", "")
WHOLE = ("all", "ptr", "a/24", "a//64", "mx/24", "ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip4:1.2.3")
WHOLE += ("ip6:2001:db8::1", "ip6:2001:db8::/32", "ip6:x", "All", "A", "MX:y.test", "bogus", "a:")
NAMES = ("a:", "mx:", "ptr:", "include:", "include:", "exists:", "redirect=", "exp=", "foo=")

DOMAINS = ("test", "a.test", "b.a.test", "c.b.a.test", "d.test", "x.d.test", "suffix", "a.suffix")
DOMAINS += ("b.a.suffix", "1.2.3.4.5.6.7.8.a.test", "3.4.5.6.7.8.a.test")
TAGS = ("p=none", "p=reject", "p=quarantine", "p=Reject", "p=bogus", "sp=none", "sp=reject", "sp=x")
TAGS += (
    "np=none",
    "np=reject",
    "np=?",
    "psd=y",
    "psd=n",
    "psd=u",
    "psd=Y",
    "t=y",
    "t=n",
    "adkim=s",
)
TAGS += ("aspf=s", "aspf=S", "rua=mailto:a@b.c", "rua=nobody", "pct=0", "junk", "p = reject", "=x")


def spf_record(dice: Random) -> str:
    terms = ["v=spf1"]
    for _ in range(dice.randrange(7)):
        plain = dice.random() < 0.5
        term = dice.choice(WHOLE) if plain else dice.choice(NAMES) + dice.choice(NAMED)
        terms.append(dice.choice(("", "", "", "+", "-", "~", "?")) * ("=" not in term) + term)
    return "TXT " + " ".join(terms)


def spf_zone(dice: Random) -> dict[str, list[str]]:
    zone = {"1.2.0.192.in-addr.arpa": ["PTR " + dice.choice(HOSTS[:4])]}
    owners = (*HOSTS[:5], "test.test", "192.0.2.1.x.test", "ann.x.test", "mx.helo.test")
    for name in owners:
        lines = [spf_record(dice)] * (dice.random() < 0.8)
        lines += [spf_record(dice)] * (dice.random() < 0.06)
        lines += ["A " + dice.choice(CLIENTS[:2])] * (dice.random() < 0.6)
        lines += ["AAAA 2001:db8::1"] * (dice.random() < 0.3)
        lines += [f"MX {n} {dice.choice(HOSTS[:6])}" for n in range(dice.choice((0, 0, 1, 3)))]
        lines += [dice.choice(("FAIL", "FAIL TXT", "FAIL A", "FAIL MX"))] * (dice.random() < 0.03)
        zone[name] = lines
    return zone


def test_spf_as_mailauth_has_it():
    dice = Random(7)
    cases = [(spf_zone(dice), dice.choice(CLIENTS), dice.choice(SENDERS)) for _ in range(CASES)]
    helo = "mx.helo.test"
    asked = [
        {"zone": zone, "spf": {"sender": sender, "ip": client, "helo": helo, "mta": "us"}}
        for zone, client, sender in cases
    ]
    ours = [evaluate(zone, client, sender, helo).result for zone, client, sender in cases]
    theirs = [answer["result"] for answer in ask_mailauth_policy(asked)]
    differ = [
        number for number, pair in enumerate(zip(ours, theirs, strict=True)) if len({*pair}) > 1
    ]
    assert differ == []
    assert len(set(ours)) == 7


def dmarc_record(dice: Random) -> str:
    version = dice.choice(("v=DMARC1",) * 8 + ("v=dmarc1", "v = DMARC1", "V=DMARC1"))
    return "TXT " + "; ".join([version, *(dice.choice(TAGS) for _ in range(dice.randrange(6)))])


def dmarc_zone(dice: Random) -> dict[str, list[str]]:
    zone = {name: ["A 192.0.2.1"] for name in DOMAINS if dice.random() < 0.4}
    for name in DOMAINS:
        lines = [dmarc_record(dice) for _ in range(dice.choice((0, 0, 1, 1, 1, 1, 2)))]
        if lines:
            zone[f"_dmarc.{name}"] = ["FAIL"] if dice.random() < 0.06 else lines
    return zone


def dmarc_case(dice: Random) -> dict[str, object]:
    def name() -> str:
        return dice.choice(("", "y.")) + dice.choice(DOMAINS[1:])

    return {
        "from": [f"x@{name()}" for _ in range(dice.choice((1,) * 9 + (2,)))],
        "dkim": [
            f"{dice.choice(('pass', 'pass', 'fail'))} {name()}" for _ in range(dice.randrange(3))
        ],
        "spf": f"{dice.choice(('pass', 'fail'))} {name()}",
    }


def test_dmarc_as_mailauth_has_it():
    dice = Random(7)
    cases = [(dmarc_zone(dice), dmarc_case(dice)) for _ in range(CASES)]
    asked = []
    for zone, case in cases:
        passing = vouching_domains(results(case))
        told = {
            f"{m}Domains": [{"domain": d} for n, d in passing if n == m] for m in ("spf", "dkim")
        }
        asked.append({"zone": zone, "dmarc": {"headerFrom": case["from"], "fromFields": 1, **told}})
    seen = set()
    for (zone, case), theirs in zip(cases, ask_mailauth_policy(asked), strict=True):
        ours = judge(Zone(zone), case)
        seen.add(ours.result.result)
        assert ours.result.result == theirs["result"], (zone, case)
        if ours.result.result == "fail":
            assert ("policy", "dmarc", theirs["policy"]) in ours.result.properties, (zone, case)
        if ours.organisation and ours.result.result in ("pass", "fail"):
            assert ours.organisation == theirs["organisation"], (zone, case)
    assert seen == {"none", "pass", "fail", "permerror", "temperror"}
