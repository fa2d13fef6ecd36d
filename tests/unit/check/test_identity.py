"""What address fields say: facts without weight, near misses, and nothing about who somebody is."""

import itertools
from dataclasses import replace

import pytest

from milter.check.identity import (
    Standing,
    check_identity,
    is_aligned,
    looks_like,
    parse_known,
    related,
)
from milter.mail.analysis import Analysis, Entity, Intent
from milter.mail.finding import Source
from milter.mail.reading import AuthResult, HeaderFacts, NamedMailbox, Reading
from milter.settings.shipped import shipped_text

KNOWN = parse_known(
    shipped_text("known.toml"),
    own=["northlab.test"],
    organisations=["partner.test"],
    expert_networks=["panel.test"],
)


def mailbox(address: str, name: str = "") -> NamedMailbox:
    return NamedMailbox(display_name=name, address=address, domain=address.rpartition("@")[2])


def dmarc(result: str, domain: str) -> AuthResult:
    return AuthResult(
        method="dmarc",
        result=result,
        authserv_id="edge.test",
        properties=(("header", "from", domain),),
    )


def codes(
    sender="x@firm.test", *, name="", auth=(), reply_to=(), link_hosts=(), analysis=None, **header
):
    reading = Reading(
        size_bytes=0,
        header=HeaderFacts(
            header_from=(mailbox(sender, name),),
            reply_to=tuple(mailbox(address) for address in reply_to),
            **header,
        ),
        auth_results=tuple(auth),
        link_hosts=tuple(link_hosts),
        analysis=analysis,
    )
    return {finding.code for finding in check_identity(reading, known=KNOWN)}


@pytest.mark.parametrize(
    ("sender", "auth", "expected"),
    [
        ("x@gmail.com", (), {"SENDER_FREEMAIL"}),
        ("x@gmail.com", [dmarc("pass", "gmail.com")], {"SENDER_FREEMAIL", "AUTH_ALIGNED"}),
        ("x@firm.test", (), {"SENDER_UNALIGNED"}),
        ("x@firm.test", [dmarc("fail", "firm.test")], {"SENDER_UNALIGNED", "AUTH_FAILED"}),
        ("x@firm.test", [dmarc("pass", "firm.test")], {"SENDER_OWN_DOMAIN", "AUTH_ALIGNED"}),
        ("x@firm.test", [dmarc("pass", "other.test")], {"SENDER_UNALIGNED"}),
        (
            "x@a.partner.test",
            [dmarc("pass", "partner.test")],
            {"KNOWN_SENDER", "KNOWN_ORGANISATION", "AUTH_ALIGNED"},
        ),
        ("x@partner.test", (), {"SENDER_UNALIGNED"}),
        (
            "x@panel.test",
            [dmarc("pass", "panel.test")],
            {"KNOWN_SENDER", "KNOWN_EXPERT_NETWORK", "AUTH_ALIGNED"},
        ),
        ("n@linkedin.com", [dmarc("pass", "linkedin.com")], {"KNOWN_SENDER", "AUTH_ALIGNED"}),
        ("n@linkedin.com", (), {"SENDER_UNALIGNED"}),
        # A dead DNS leaves it open: neither unaligned nor known.
        ("x@firm.test", [dmarc("temperror", "firm.test")], {"SENDER_OWN_DOMAIN"}),
        ("x@partner.test", [dmarc("temperror", "partner.test")], {"SENDER_OWN_DOMAIN"}),
        ("x@gmail.com", [dmarc("temperror", "gmail.com")], {"SENDER_FREEMAIL"}),
    ],
)
def test_standing(sender, auth, expected):
    assert codes(sender, auth=auth) == expected


def dkim(domain: str, result: str = "pass") -> AuthResult:
    return AuthResult(
        method="dkim", result=result, authserv_id="us", properties=(("header", "d", domain),)
    )


@pytest.mark.parametrize(
    ("domain", "results", "aligned"),
    [
        ("firm.test", [dkim("firm.test")], True),
        ("mail.firm.test", [dkim("firm.test")], True),
        # Who signs below a name need not own it: tenants of a host do.
        ("hosting.test", [dkim("tenant.hosting.test")], False),
        ("hosting.test", [dkim("tenant.hosting.test"), dmarc("pass", "hosting.test")], True),
        ("firm.test", [dkim("firm.test", "fail")], False),
        ("firm.test", [dkim("firm.test"), dmarc("fail", "firm.test")], False),
        ("firm.test", [dkim("firm.test"), dmarc("none", "firm.test")], True),
        ("firm.test", [dkim("firm.test"), dmarc("permerror", "")], True),
        ("firm.test", [dkim("badfirm.test")], False),
        ("firm.test", [dmarc("temperror", "firm.test")], False),
    ],
)
def test_who_vouches_for_a_domain(domain, results, aligned):
    assert is_aligned(domain, results) is aligned


def test_a_listed_sealer_vouches_as_an_aligned_result_does():
    reading = Reading(
        size_bytes=0,
        header=HeaderFacts(header_from=(mailbox("x@partner.test"),)),
        auth_results=(dmarc("fail", "partner.test"),),
    )
    found = check_identity(reading, known=KNOWN, standing=Standing(is_sealed=True))
    assert {one.code for one in found} == {"AUTH_ALIGNED", "KNOWN_SENDER", "KNOWN_ORGANISATION"}


@pytest.mark.parametrize(
    ("one", "other", "organisation", "expected"),
    [
        ("a.firm.test", "b.firm.test", "firm.test", True),
        ("a.firm.test", "b.firm.test", "", False),
        ("tenant.hosting.test", "hosting.test", "tenant.hosting.test", False),
        ("tenant.hosting.test", "hosting.test", "", True),
        ("firm.test", "badfirm.test", "firm.test", False),
    ],
)
def test_the_organisation_that_the_dns_names_decides_what_is_related(
    one, other, organisation, expected
):
    assert related(one, other, organisation) is expected


def findings_in(organisation, sender="x@hr.firm.test", **told):
    reading = Reading(
        size_bytes=0,
        header=HeaderFacts(
            header_from=(mailbox(sender, told.pop("name", "")),),
            reply_to=tuple(map(mailbox, told.pop("reply_to", ()))),
        ),
        **told,
    )
    found = check_identity(reading, known=KNOWN, standing=Standing(organisation=organisation))
    return {one.code for one in found}


@pytest.mark.parametrize(
    ("organisation", "told", "code", "expected"),
    [
        ("", {"reply_to": ["jobs@recruit.firm.test"]}, "REPLY_TO_ELSEWHERE", True),
        ("firm.test", {"reply_to": ["jobs@recruit.firm.test"]}, "REPLY_TO_ELSEWHERE", False),
        ("", {"reply_to": ["jobs@firm.test"]}, "REPLY_TO_ELSEWHERE", False),
        ("hr.firm.test", {"reply_to": ["jobs@firm.test"]}, "REPLY_TO_ELSEWHERE", True),
        ("firm.test", {"link_hosts": ("jobs.firm.test",)}, "POSTING_LINK", True),
        ("hr.firm.test", {"link_hosts": ("firm.test",)}, "POSTING_LINK", False),
        ("firm.test", {"name": "ann@mail.firm.test"}, "DISPLAY_NAME_ADDRESS", False),
        ("", {"name": "ann@mail.firm.test"}, "DISPLAY_NAME_ADDRESS", True),
    ],
)
def test_where_the_dns_names_the_organisation_it_decides(organisation, told, code, expected):
    assert (code in findings_in(organisation, **told)) is expected


def test_every_free_mail_service_is_one_class():
    seen = {frozenset(codes(f"x@{domain}")) for domain in KNOWN.free_mail}
    assert seen == {frozenset({"SENDER_FREEMAIL"})}


def test_names_move_nothing():
    names = [
        "Emily Foster",
        "Zhang Wei",
        "Layla Haddad",
        "Иван Смирнов",
        "지우 김",
        "Ngũgĩ",
        "陳怡婷",
    ]
    assert len({frozenset(codes(name=name)) for name in names}) == 1


@pytest.mark.parametrize(
    ("sender", "reply_to", "header", "fires"),
    [
        ("x@firm.test", ["y@proton.me"], {}, True),
        ("x@gmail.com", ["y@gmail.com"], {}, True),
        ("x@gmail.com", ["x@gmail.com"], {}, False),
        ("x@firm.test", ["y@unknown.test"], {}, True),
        ("x@firm.test", ["y@mail.firm.test"], {}, False),
        ("x@mail.firm.test", ["y@firm.test"], {}, False),
        ("x@firm.test", ["y@reply.linkedin.com"], {}, False),
        ("x@firm.test", ["y@unknown.test"], {"list_id": "<l.test>"}, False),
        ("x@firm.test", ["y@unknown.test"], {"is_bulk": True}, False),
        ("x@firm.test", [], {}, False),
    ],
)
def test_reply_to(sender, reply_to, header, fires):
    assert ("REPLY_TO_ELSEWHERE" in codes(sender, reply_to=reply_to, **header)) is fires


@pytest.mark.parametrize(
    ("name", "fires"),
    [
        ("boss@northlab.test", True),
        ("'boss@northlab.test'", True),
        ("x@firm.test", False),
        ("x@mail.firm.test", False),
        ("A. Name", False),
        ("me @ work", False),
    ],
)
def test_display_name_that_is_another_address(name, fires):
    assert ("DISPLAY_NAME_ADDRESS" in codes(name=name)) is fires


@pytest.mark.parametrize(
    ("domain", "own", "alike"),
    [
        ("n0rthlab.test", "northlab.test", True),
        ("nortlab.test", "northlab.test", True),
        ("norhtlab.test", "northlab.test", True),
        ("north-lab.test", "northlab.test", True),
        ("northlab.co", "northlab.test", True),
        ("norrnal.test", "normal.test", True),
        ("northlab.test", "northlab.test", False),
        ("southlab.test", "northlab.test", False),
        ("labs.test", "labx.test", False),
        ("unrelated.test", "northlab.test", False),
    ],
)
def test_lookalike(domain, own, alike):
    assert looks_like(domain, own) is alike


def test_own_domain_and_its_parts_are_no_lookalike():
    assert "LOOKALIKE_DOMAIN" not in codes("x@hr.northlab.test")
    assert "LOOKALIKE_DOMAIN" in codes("x@northlabs.test")


def test_corporate_claim_needs_free_mail_an_offer_and_an_organisation():
    org = Entity(
        type="org", text="Orenda Search", value="orenda search", platform="",
        source=Source.SIGNATURE, part="1", start=0, end=13,
    )  # fmt: skip
    offer = Intent(label="approach", strength=2, evidence=())
    for entities, intents, sender in itertools.product(
        [(org,), (replace(org, is_vague=True),), ()],
        [(offer,), ()],
        ["x@gmail.com", "x@firm.test"],
    ):
        analysis = Analysis(language="en", entities=entities, intents=intents)
        fires = "CORPORATE_CLAIM_FREEMAIL" in codes(sender, analysis=analysis)
        is_named = any(not entity.is_vague for entity in entities)
        assert fires is bool(is_named and intents and sender == "x@gmail.com")


@pytest.mark.parametrize(
    ("host", "fires"),
    [
        ("jobs.firm.test", True),
        ("firm.test", True),
        ("firm.test.evil.test", False),
        ("other.test", False),
    ],
)
def test_posting_link(host, fires):
    assert ("POSTING_LINK" in codes(link_hosts=[host])) is fires


def test_no_finding_without_exactly_one_header_from():
    header = HeaderFacts(header_from=(mailbox("a@gmail.com"), mailbox("b@firm.test")))
    reading = Reading(size_bytes=0, header=header)
    assert check_identity(reading, known=KNOWN) == ()


def test_dkim_alone_aligns_relaxed():
    result = AuthResult(
        method="dkim", result="pass", authserv_id="e", properties=(("header", "d", "firm.test"),)
    )
    assert is_aligned("mail.firm.test", [result])
    assert not is_aligned("firm.test.evil.test", [result])
    assert not is_aligned("", [result])
