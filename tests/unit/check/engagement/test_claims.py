"""No trace, moved, handed over, drifted: found where a persona does it, and not among honest people."""

from datetime import timedelta

import pytest

from milter.check.engagement.claims import claim_findings
from milter.check.engagement.matching import best_match
from milter.mail.engagement import PlatformContact, Trait, TraitKind
from tests.support.past import JANE, conduct, contact, dossier, mail

SAYS_SO = {"plain": {"PLATFORM_CLAIM"}}
HANDLE = Trait(TraitKind.HANDLE, "telegram:dk_07")
OLD = "daria@northbridge.example"


def findings(new, *events):
    """Code, strength and note of what is found, as the pipeline asks."""
    held = dossier(*events)
    window = timedelta(days=45)
    contacts = [one for one in held.events if isinstance(one, PlatformContact)]
    match = best_match(new, contacts, window=window)
    return tuple(
        claim_findings(
            new,
            (held,),
            {JANE: match} if match else {},
            contact_window=window,
            engagement_window=timedelta(days=365),
        )
    )


def found(new, *events):
    return {one.code: one.strength for one in findings(new, *events)}


@pytest.mark.parametrize(
    ("fields", "events", "strength"),
    [
        (SAYS_SO, (), 1),
        (SAYS_SO, (contact("Olga Smirnova", days=80),), 2),
        (SAYS_SO, (contact("Olga Smirnova", days=20),), 2),
        (SAYS_SO, (contact("Olga Smirnova", days=100),), 1),
        (SAYS_SO, (contact("Daria Kamau", days=80),), 2),
        ({"plain": {"MODEL_PLATFORM_CLAIM"}}, (), 1),
        ({"codes": {"MODEL_PLATFORM_CLAIM"}}, (), 0),
        (SAYS_SO | {"only_saw": True}, (contact("Olga Smirnova"),), 0),
        ({}, (contact("Olga Smirnova"),), 0),
        # It may be of this one: same name, a first name, no name, an address that it gave.
        (SAYS_SO, (contact("Daria Kamau"),), 0),
        (SAYS_SO, (contact("Daria", first_name_only=True),), 0),
        (SAYS_SO, (contact(""),), 0),
        (SAYS_SO, (contact("Olga", hints=(Trait(TraitKind.ADDRESS, "d@free.test"),)),), 0),
        # The talk goes on when the notice is older than the window.
        (SAYS_SO, (conduct("d@free.test", "Daria Kamau", days=60, follows=("n0",)),), 0),
        # What comes later is no trace.
        (SAYS_SO, (contact("Daria Kamau", days=-1),), 1),
    ],
)
def test_a_claim_without_trace(fields, events, strength) -> None:
    new = mail("d@free.test", "Daria Kamau", **fields)
    assert found(new, *events).get("CLAIM_WITHOUT_TRACE", 0) == strength


def test_the_note_says_that_notices_may_be_off() -> None:
    (one,) = findings(mail("d@free.test", "Daria Kamau", **SAYS_SO))
    assert "switched off" in one.note
    (one,) = findings(mail("d@free.test", "Daria Kamau", **SAYS_SO), contact("Olga Smirnova"))
    assert "switched off" not in one.note


@pytest.mark.parametrize(
    ("address", "name", "fields", "earlier", "strength"),
    [
        ("d@free.test", "Daria Kamau", {"traits": (HANDLE,)}, {"traits": (HANDLE,)}, 2),
        ("d@free.test", "Somebody Else", {"traits": (HANDLE,)}, {"traits": (HANDLE,)}, 2),
        ("d@free.test", "Olga", {}, {"traits": (Trait(TraitKind.ADDRESS, "d@free.test"),)}, 2),
        ("d@free.test", "Olga", {}, {"reply_to": ("d@free.test",)}, 2),
        ("d@free.test", "Daria Kamau", {"references": ("<c1@past>",)}, {}, 2),
        ("d@other.test", "Daria Kamau", {"references": ("<r0>",)}, {"references": ("<r0>",)}, 2),
        ("d@free.test", "Daria", {"references": ("<c1@past>",)}, {}, 1),
        # A name alone, a thread alone, another's address named by both.
        ("d@free.test", "Daria Kamau", {}, {}, 0),
        ("bob@customer.test", "Bob Foster", {"references": ("<c1@past>",)}, {}, 0),
        (
            "bob@customer.test",
            "Bob Foster",
            {"traits": (Trait(TraitKind.ADDRESS, "info@fair.test"),)},
            {"traits": (Trait(TraitKind.ADDRESS, "info@fair.test"),)},
            0,
        ),
        # The same house: another address of the domain, a colleague, the domain that bears its name.
        ("dk@northbridge.example", "Daria Kamau", {"traits": (HANDLE,)}, {"traits": (HANDLE,)}, 0),
        ("o@eu.northbridge.example", "Olga", {"references": ("<c1@past>",)}, {}, 0),
        (
            "daria@northbridge-advisory.example",
            "Daria Kamau",
            {"references": ("<c1@past>",), "is_aligned": True},
            {"organisation": "Northbridge Advisory"},
            0,
        ),
        # Our own people answer in the thread.
        ("bob@org.test", "Daria Kamau", {"references": ("<c1@past>",)}, {}, 0),
        # The same address has not moved.
        (OLD, "Daria Kamau", {"traits": (HANDLE,)}, {"traits": (HANDLE,)}, 0),
    ],
)
def test_a_persona_moves(address, name, fields, earlier, strength) -> None:
    new = mail(address, name, **fields)
    seen = found(new, conduct(OLD, "Daria Kamau", **earlier))
    assert seen.get("PERSONA_MOVED", 0) == strength


def test_free_mail_is_no_house() -> None:
    earlier = conduct("daria@free.test", "Daria Kamau", is_free_mail=True, traits=(HANDLE,))
    assert found(mail("dk7@free.test", "Daria Kamau", traits=(HANDLE,)), earlier) == {
        "PERSONA_MOVED": 2
    }


def test_who_follows_the_same_contact_from_elsewhere_has_moved() -> None:
    notice = contact("Daria Kamau", days=20)
    earlier = conduct(OLD, "Daria Kamau", follows=("n1",))
    new = mail("d@free.test", "Daria Kamau", **SAYS_SO)
    assert found(new, notice, earlier) == {"PERSONA_MOVED": 2}


def test_what_is_later_or_too_old_is_no_past() -> None:
    new = mail("d@free.test", "Daria Kamau", traits=(HANDLE,), reply_to=("x@else.test",))
    for days in (-1, 366):
        assert found(new, conduct(OLD, "Daria Kamau", days=days, traits=(HANDLE,))) == {}


@pytest.mark.parametrize(
    ("name", "fields", "earlier", "strength"),
    [
        ("Olga Smirnova", {"spoken": "Daria Kamau"}, {"announces": True}, 2),
        ("Olga Smirnova", {"spoken": "Daria Kamau"}, {}, 1),
        ("Olga Smirnova", {"spoken": "Daria Kamau", "references": ("<c1@past>",)}, {}, 2),
        ("Olga Smirnova", {"references": ("<c1@past>",)}, {"announces": True}, 2),
        ("Olga Smirnova", {"plain": {"PAID_REPORT_WRITTEN"}}, {"announces": True}, 1),
        ("Olga Smirnova", {"spoken": "Daria Volkova"}, {}, 0),
        ("Olga Smirnova", {"spoken": "Daria"}, {}, 0),
        (
            "Olga Smirnova",
            {"spoken": "Daria", "organisations": ("northbridge",)},
            {"organisation": "Northbridge Advisory"},
            1,
        ),
        ("Olga Smirnova", {}, {"announces": True}, 0),
        ("Olga Smirnova", {"references": ("<c1@past>",)}, {}, 0),
        ("Daria Kamau", {"spoken": "Daria Kamau"}, {"announces": True}, 0),
    ],
)
def test_a_persona_hands_over(name, fields, earlier, strength) -> None:
    spoken = fields.get("spoken", "")
    rest = {key: value for key, value in fields.items() if key != "spoken"}
    new = mail("olga@free.test", name, writers=(name,), names=(name, spoken), **rest)
    seen = found(new, conduct(OLD, "Daria Kamau", **earlier))
    assert seen.get("PERSONA_HANDED_OVER", 0) == strength


def test_a_colleague_of_the_same_house_is_no_handover() -> None:
    new = mail("olga@northbridge.example", "Olga", names=("Olga", "Daria Kamau"), writers=("Olga",))
    assert found(new, conduct(OLD, "Daria Kamau", announces=True)) == {}


def test_an_announcement_is_forgotten() -> None:
    new = mail("olga@free.test", "Olga", plain={"PAID_REPORT_WRITTEN"})
    assert found(new, conduct(OLD, "Daria Kamau", days=61, announces=True)) == {}


@pytest.mark.parametrize(
    ("address", "reply_to", "earlier", "drifts"),
    [
        (OLD, ("dk@else.test",), {}, True),
        (OLD, (), {}, False),
        (OLD, ("office@northbridge.example",), {}, False),
        (OLD, ("dk@else.test",), {"reply_to": ("dk@else.test",)}, False),
        (OLD, ("team@else.test",), {"reply_to": ("dk@else.test",)}, False),
        ("d@free.test", ("dk7@free.test",), {"is_free_mail": True}, True),
        (OLD, ("jane@org.test",), {}, False),
    ],
)
def test_answers_are_led_elsewhere(address, reply_to, earlier, drifts) -> None:
    new = mail(address, "Daria Kamau", reply_to=reply_to)
    seen = found(new, conduct(address, "Daria Kamau", **earlier))
    assert ("REPLY_TO_DRIFT" in seen) is drifts


def test_a_first_mail_cannot_drift() -> None:
    assert found(mail(OLD, "Daria Kamau", reply_to=("dk@else.test",))) == {}


def test_evidence_tells_day_and_field_and_none_of_our_people() -> None:
    new = mail("d@free.test", "Daria Kamau", traits=(HANDLE,))
    (one,) = findings(new, conduct(OLD, "Daria Kamau", traits=(HANDLE,)))
    (evidence,) = one.evidence
    assert evidence.part == "<c1@past>"
    assert evidence.text == (
        "2026-11-13: Daria Kamau <daria@northbridge.example>, gave handle telegram:dk_07"
    )
    assert JANE not in evidence.text + one.note
