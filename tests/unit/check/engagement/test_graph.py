"""Handles with several personas, personas with several of our people; and honest colleagues."""

from dataclasses import replace

import pytest

from milter.check.engagement.campaigns import campaign_findings
from milter.check.engagement.graph import graph_findings
from milter.mail.engagement import Recollection, Seen, Trail, Trait, TraitKind, address_trait
from tests.support.past import conduct, dossier, mail, origin

HANDLE = Trait(TraitKind.HANDLE, "telegram:dk_07")
PHONE = Trait(TraitKind.PHONE, "+6581234567")
NEW = mail("anna@free.test", "Anna Keller", traits=(HANDLE, PHONE))
BANDS = tuple(f"band{number}" for number in range(24))


def seen(persona, recipient, days=10.0, number=""):
    first = origin(days, number or f"{persona}-{recipient}")
    return Seen(persona=persona, recipient=recipient, first=first, last_at=first.at)


def recalled(*trails, events=()):
    return Recollection(
        dossiers=(dossier(*events),), trails=tuple(Trail(trait=t, seen=s) for t, s in trails)
    )


def graph(new, *trails, events=(), event_id="own"):
    held = recalled(*trails, events=events)
    return {one.code: one for one in graph_findings(new, held, event_id=event_id)}


def strengths(found):
    return {code: one.strength for code, one in found.items()}


def test_a_handle_of_another_persona_names_the_earlier_message():
    found = graph(NEW, (HANDLE, (seen("otto@other.test", "bob@org.test", number="b1"),)))
    assert strengths(found) == {"HANDLE_OF_SEVERAL": 1}
    evidence = found["HANDLE_OF_SEVERAL"].evidence[0]
    assert evidence.part == "<b1@past>"
    assert evidence.text == "2026-11-10 handle given by otto@other.test"
    assert "first seen 2026-11-10" in found["HANDLE_OF_SEVERAL"].note
    assert "bob" not in repr(found["HANDLE_OF_SEVERAL"])


@pytest.mark.parametrize(("persona", "expected"), [("Otto Weiss", 2), ("Anna Keller", None)])
def test_another_name_makes_it_plain_and_the_same_name_is_one_persona(persona, expected):
    events = (conduct("otto@other.test", persona),)
    found = graph(NEW, (HANDLE, (seen("otto@other.test", "jane@org.test"),)), events=events)
    assert strengths(found).get("HANDLE_OF_SEVERAL") == expected


def test_three_personas_are_plain_without_names():
    pairs = (seen("otto@other.test", "bob@org.test"), seen("ida@free.test", "bob@org.test"))
    assert strengths(graph(NEW, (PHONE, pairs)))["HANDLE_OF_SEVERAL"] == 2


@pytest.mark.parametrize(
    ("new", "persona"),
    [
        (NEW, "anna@free.test"),  # the writer's own earlier mail
        (mail("a@firm.test", traits=(PHONE,), is_aligned=True), "b@firm.test"),
        (mail("a@firm.test", traits=(PHONE,), is_aligned=True), "b@de.firm.test"),
        (mail("ann.a@gmail.com", traits=(PHONE,), is_free_mail=True), "anna+x@googlemail.com"),
    ],
)
def test_the_writer_and_colleagues_share_a_number(new, persona):
    assert graph(new, (PHONE, (seen(persona, "jane@org.test"),))) == {}


def test_two_boxes_of_one_free_provider_are_no_colleagues():
    found = graph(NEW, (PHONE, (seen("otto@free.test", "jane@org.test"),)))
    assert strengths(found) == {"HANDLE_OF_SEVERAL": 1}


def test_our_own_addresses_and_whoever_writes_from_his_own_are_nobodys_handle():
    ours, own = address_trait("info@org.test"), address_trait("otto@other.test")
    new = replace(NEW, traits=(ours, own))
    found = graph(
        new,
        (ours, (seen("otto@other.test", "bob@org.test"),)),
        (own, (seen("otto@other.test", "bob@org.test"),)),
    )
    assert found == {}


@pytest.mark.parametrize(
    ("people", "fields", "expected"),
    [
        (1, {}, None),
        (2, {}, 1),
        (3, {}, 2),
        (3, {"is_aligned": True, "is_free_mail": False}, 1),
        (3, {"is_bulk": True}, None),
    ],
)
def test_a_persona_that_turns_to_others_of_ours(people, fields, expected):
    new = replace(NEW, traits=(), **fields)
    pairs = tuple(seen(new.address, f"p{number}@org.test") for number in range(people))
    found = graph(new, (address_trait(new.address), pairs))
    assert strengths(found).get("PERSONA_TO_STAFF") == expected


def test_one_message_to_a_group_is_one():
    group = tuple(seen(NEW.address, f"p{number}@org.test", number="g") for number in range(5))
    own = address_trait(NEW.address)
    assert graph(NEW, (own, group)) == {}
    assert graph(NEW, (own, group), event_id="g") == {}


def campaign(new, *trails, is_known=False):
    held = recalled(*trails)
    found = campaign_findings(new, held, event_id="own", is_known=is_known)
    return [(one.strength, one.note) for one in found]


def texts(pairs, bands=2):
    return [(Trait(TraitKind.TEXT, band), pairs) for band in BANDS[:bands]]


TEXT = replace(NEW, bands=BANDS, traits=())
OTHERS = tuple(seen(f"x{n}@free.test", f"p{n}@org.test") for n in range(3))
SAME = tuple(seen(NEW.address, f"p{n}@org.test") for n in range(3))


def test_the_same_text_to_others_of_ours():
    assert campaign(TEXT, *texts(OTHERS)) == [
        (2, "3 others of our people since 2026-11-10, by 3 other senders")
    ]
    assert campaign(TEXT, *texts(SAME[:2])) == [(1, "2 others of our people since 2026-11-10")]
    assert campaign(TEXT, *texts(SAME))[0][0] == 2
    assert campaign(TEXT, *texts(OTHERS[:1])) == []


def test_one_shared_band_is_chance():
    assert campaign(TEXT, *texts(OTHERS, bands=1)) == []


def test_what_is_no_campaign():
    assert campaign(replace(TEXT, is_bulk=True), *texts(OTHERS)) == []
    firm = replace(TEXT, is_aligned=True, is_free_mail=False, domain="firm.test")
    assert campaign(firm, *texts(OTHERS), is_known=True) == []
    assert campaign(replace(TEXT, is_aligned=False), *texts(OTHERS), is_known=True) != []
    old = tuple(seen(f"x{n}@free.test", f"p{n}@org.test", days=91) for n in range(3))
    assert campaign(TEXT, *texts(old)) == []


def test_the_order_of_moves_needs_a_second_factor():
    shape = "approach profile no_client paid_report @reach"
    trait = Trait(TraitKind.SHAPE, shape)
    new = replace(NEW, shape=shape)
    assert campaign(new, (trait, OTHERS)) == []
    assert campaign(new, (trait, OTHERS), (HANDLE, OTHERS))[0][0] == 2
    long = f"{shape} secrecy travel_meet"
    week = tuple(replace(one, last_at=new.at) for one in OTHERS)
    assert campaign(replace(new, shape=long), (Trait(TraitKind.SHAPE, long), week))[0][0] == 2
    assert campaign(replace(new, shape=long), (Trait(TraitKind.SHAPE, long), OTHERS)) == []


@pytest.mark.parametrize(
    ("writer_days", "expected"), [(20.0, None), (5.0, 1)], ids=["the writer first", "the other"]
)
def test_who_gave_a_number_first_is_not_marked_by_who_names_it_later(writer_days, expected):
    pairs = (
        seen("otto@other.test", "bob@org.test", days=10),
        seen(NEW.address, "jane@org.test", days=writer_days),
    )
    assert strengths(graph(NEW, (PHONE, pairs))).get("HANDLE_OF_SEVERAL") == expected


def test_an_aligned_house_is_never_plain():
    pairs = (seen("otto@other.test", "bob@org.test"), seen("ida@free.test", "bob@org.test"))
    house = mail("a@firm.test", traits=(PHONE,), is_aligned=True)
    assert strengths(graph(house, (PHONE, pairs)))["HANDLE_OF_SEVERAL"] == 1
