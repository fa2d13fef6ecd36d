"""The table of matches: what makes a mail follow a platform contact, and what never does."""

from datetime import timedelta

import pytest

from milter.check.engagement.matching import best_match, follows_finding, match_contact, same_trait
from milter.mail.engagement import Trait, TraitKind
from tests.support.past import NOW, contact, dossier, mail

WINDOW = timedelta(days=45)
SAYS_SO = {"plain": {"PLATFORM_CLAIM"}}
ORG = {"organisations": ("northbridge advisory",)}
WORDS = {"words": frozenset({"hydrofoil", "lattice", "ballast"})}
NOTICE = {"organisation": "Northbridge Advisory Ltd", "words": ("hydrofoil", "lattice", "sonar")}


@pytest.mark.parametrize(
    ("name", "fields", "strength", "factors"),
    [
        ("Daria Kamau", {}, 0, ()),
        ("Daria Kamau", ORG, 2, ("name", "organisation")),
        ("Daria Kamau", WORDS, 2, ("name", "words")),
        ("Daria Kamau", SAYS_SO, 2, ("name", "says so")),
        ("Kamau, Daria", ORG | SAYS_SO, 2, ("name", "organisation", "says so")),
        ("Daria Kamau", {"words": frozenset({"hydrofoil"})}, 0, ()),
        ("Daria Kamau", {"codes": {"MODEL_PLATFORM_CLAIM"}}, 0, ()),
        ("Daria Kamau", {"plain": {"MODEL_PLATFORM_CLAIM"}}, 2, ("name", "says so")),
        ("Daria Kamau", SAYS_SO | {"only_saw": True}, 0, ()),
        ("Daria", ORG, 0, ()),
        ("Daria", ORG | SAYS_SO, 1, ("first name", "organisation", "says so")),
        ("Daria K.", SAYS_SO, 0, ()),
        ("D. Kamau", WORDS | SAYS_SO, 1, ("first name", "words", "says so")),
        ("Daria J. Kamau", SAYS_SO, 1, ("most of the name", "says so")),
        ("Daria J. Kamau", ORG | SAYS_SO, 2, ("most of the name", "organisation", "says so")),
        ("Olga Smirnova", ORG | WORDS | SAYS_SO, 0, ()),
        ("", ORG | WORDS | SAYS_SO, 0, ()),
    ],
)
def test_names_need_second_factors(name, fields, strength, factors) -> None:
    found = match_contact(mail("d@free.test", name, **fields), contact("Daria Kamau", **NOTICE))
    assert (found.strength if found else 0) == strength
    assert (found.factors if found else ()) == factors


def test_a_notice_with_a_first_name_only_needs_two() -> None:
    notice = contact("Daria", first_name_only=True, **NOTICE)
    assert match_contact(mail("d@free.test", "Daria Kamau", **SAYS_SO), notice) is None
    found = match_contact(mail("d@free.test", "Daria Kamau", **SAYS_SO, **ORG), notice)
    assert found is not None
    assert found.strength == 1


@pytest.mark.parametrize(
    ("hint", "address", "fields", "strength"),
    [
        (Trait(TraitKind.ADDRESS, "dk@other.test"), "dk@other.test", {}, 2),
        (Trait(TraitKind.ADDRESS, "dk@other.test"), "x@free.test", {"reply_to": ("dk@other.test",)}, 2),
        (Trait(TraitKind.ADDRESS, "dk@other.test"), "olga@mail.other.test", {}, 2),
        (Trait(TraitKind.ADDRESS, "dk@free.test"), "someone@free.test", {}, 0),
        (Trait(TraitKind.DOMAIN, "other.test"), "olga@other.test", {}, 2),
        (Trait(TraitKind.DOMAIN, "other.test"), "olga@another.test", {}, 0),
        (
            Trait(TraitKind.HANDLE, "telegram:dk_07"),
            "x@free.test",
            {"traits": (Trait(TraitKind.HANDLE, "telegram:dk_07"),)},
            2,
        ),
        (
            Trait(TraitKind.PHONE, "+442079460000"),
            "x@free.test",
            {"traits": (Trait(TraitKind.PHONE, "02079460000"),)},
            2,
        ),
        # Our own people's addresses are no hint, whoever names them.
        (Trait(TraitKind.ADDRESS, "jane@org.test"), "bob@org.test", {}, 0),
        (
            Trait(TraitKind.ADDRESS, "jane@org.test"),
            "x@free.test",
            {"traits": (Trait(TraitKind.ADDRESS, "jane@org.test"),)},
            0,
        ),
    ],
)  # fmt: skip
def test_a_hard_hint_decides_whatever_the_name(hint, address, fields, strength) -> None:
    found = match_contact(mail(address, "Olga", **fields), contact("Daria Kamau", hints=(hint,)))
    assert (found.strength if found else 0) == strength


def test_numbers_are_one_with_and_without_their_country() -> None:
    def phone(value: str) -> Trait:
        return Trait(TraitKind.PHONE, value)

    assert same_trait(phone("+442079460000"), phone("02079460000"))
    assert not same_trait(phone("+442079460000"), phone("460000"))
    assert not same_trait(phone("442079460000"), Trait(TraitKind.HANDLE, "442079460000"))


def test_time_is_a_precondition_and_the_future_never_matches() -> None:
    new = mail("d@free.test", "Daria Kamau", **SAYS_SO)
    for days, matches in ((0, True), (45, True), (45.01, False), (-0.01, False), (-20, False)):
        found = best_match(new, (contact("Daria Kamau", days=days),), window=WINDOW)
        assert (found is not None) is matches, days


def test_the_strongest_match_wins_then_the_latest() -> None:
    hint = Trait(TraitKind.ADDRESS, "d@free.test")
    old = contact("Daria Kamau", days=30, number="old", hints=(hint,))
    new = contact("Daria Kamau", days=2, number="new")
    first = contact("Daria", days=1, number="first", organisation="Northbridge Advisory")
    written = mail("d@free.test", "Daria Kamau", **SAYS_SO, **ORG)
    for order in ((old, new, first), (first, new, old)):
        found = best_match(written, order, window=WINDOW)
        assert found is not None
        assert found.contact.origin.event_id == "old"
    found = best_match(written, (first, new), window=WINDOW)
    assert found is not None
    assert found.contact.origin.event_id == "new"


@pytest.mark.parametrize(
    ("address", "fields", "code"),
    [
        ("dk@northbridge-advisory.example", {"is_aligned": True}, "RELAY_SAME_ORGANISATION"),
        ("dk@northbridge.example", {"is_aligned": True}, "RELAY_SAME_ORGANISATION"),
        ("dk@northbridge-advisory.example", {"is_aligned": False}, "RELAY_THEN_DIRECT"),
        ("dk@northbridge-careers.example", {"is_aligned": True}, "RELAY_THEN_DIRECT"),
        ("dk@advisory.example", {"is_aligned": True}, "RELAY_THEN_DIRECT"),
        ("dk@free.test", {"is_aligned": True}, "RELAY_THEN_DIRECT"),
        ("dk@ats.example", {"is_aligned": True, "codes": {"KNOWN_SENDER"}}, ""),
        ("dk@org.test", {"is_aligned": True}, ""),
        ("dk@org.test", {"is_aligned": False}, "RELAY_THEN_DIRECT"),
    ],
)
def test_from_the_house_that_was_named_or_from_elsewhere(address, fields, code) -> None:
    fields = {"plain": {"PLATFORM_CLAIM"}, **fields}
    written = mail(address, "Daria Kamau", **fields)
    found = match_contact(written, contact("Daria Kamau", **NOTICE))
    assert found is not None
    finding = follows_finding(written, found)
    assert (finding.code if finding else "") == code


def test_evidence_names_the_earlier_message() -> None:
    hint = Trait(TraitKind.HANDLE, "telegram:dk_07")
    written = mail("x@free.test", "Olga", traits=(hint,))
    found = match_contact(written, contact("Daria Kamau", hints=(hint,)))
    assert found is not None
    finding = follows_finding(written, found)
    assert finding is not None
    (evidence,) = finding.evidence
    assert evidence.part == "<n1@past>"
    assert evidence.text == ("2026-11-13, linkedin: Daria Kamau, gave handle telegram:dk_07")
    assert dossier(contact("Daria Kamau")).events[0].origin.at < NOW
