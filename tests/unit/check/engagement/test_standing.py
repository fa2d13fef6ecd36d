"""Who is known by our own people's mail, and who wrote first."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from milter.check.engagement.direct_mail import DirectMail, address_trait
from milter.check.engagement.standing import standing
from milter.judge.weights import parse_weights
from milter.mail.engagement import Origin, Recollection, Seen, Trail, Trait, TraitKind
from milter.settings.shipped import shipped_text
from tests.support.past import NOW

MAIL = DirectMail(
    at=NOW, address="mara@firm.test", domain="firm.test", recipients=("robin@example.org",)
)


def seen(recipient: str, days: float, persona: str = "") -> Seen:
    at: datetime = NOW - timedelta(days=days)
    return Seen(persona=persona, recipient=recipient, first=Origin(event_id="x", at=at), last_at=at)


def codes(mail: DirectMail, *trails: tuple[Trait, tuple[Seen, ...]]) -> list[str]:
    recalled = Recollection(trails=tuple(Trail(trait=trait, seen=marks) for trait, marks in trails))
    return [finding.code for finding in standing(mail, recalled)]


THREE = tuple(seen(f"{name}@example.org", 100) for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("mail", "marks", "known"),
    [
        (MAIL, THREE, True),
        (MAIL, THREE[:2], False),
        (MAIL, tuple(replace(one, first=replace(one.first, at=NOW)) for one in THREE), False),
        (MAIL, (THREE[0], seen("b@example.org", 1), seen("c@example.org", 1)), True),
        (replace(MAIL, is_free_mail=True), THREE, False),
    ],
)
def test_an_organisation_is_known_after_ninety_days_and_three_writers(mail, marks, known):
    trait = Trait(TraitKind.WROTE, "@firm.test")
    assert ("KNOWN_ORGANISATION" in codes(mail, (trait, marks))) is known


def test_answers_count_for_an_organisation():
    answered = Trait(TraitKind.ANSWERED, "@firm.test")
    assert codes(MAIL, (answered, THREE)) == ["KNOWN_ORGANISATION"]


def test_who_wrote_first():
    wrote = (Trait(TraitKind.WROTE, MAIL.address), (seen("robin@example.org", 9),))
    came = address_trait(MAIL.address)
    later, before = seen("robin@example.org", 5), seen("robin@example.org", 20)
    assert codes(MAIL, wrote) == ["TWO_WAY_THREAD"]
    assert codes(MAIL, wrote, (came, (later,))) == ["TWO_WAY_THREAD"]
    assert codes(MAIL, wrote, (came, (before,))) == []
    of_another = (Trait(TraitKind.WROTE, MAIL.address), (seen("sam@example.org", 9),))
    assert codes(MAIL, of_another) == []
    answer = (Trait(TraitKind.ANSWERED, MAIL.address), (seen("robin@example.org", 9),))
    assert codes(MAIL, answer) == []


def test_a_reply_buys_no_trust_whoever_finds_the_change_of_channel():
    table = parse_weights(shipped_text("weights.toml"))
    yields = set(table.findings["TWO_WAY_THREAD"].yields_to)
    for code in ("OFFPLATFORM", "SENSITIVE", "MONEY_ODD"):
        assert {code, f"MODEL_{code}"} <= yields
    assert {"PERSONA_MOVED", "ENGAGEMENT_ESCALATES", "REPLY_TO_DRIFT"} <= yields
