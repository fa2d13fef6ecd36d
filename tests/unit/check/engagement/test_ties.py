"""What ties a mail to an earlier persona, and how much a tie may say of who writes now."""

from datetime import timedelta

from milter.check.engagement.past import past_of
from milter.check.engagement.stages import engagement_with, stage_findings
from milter.mail.engagement import Recollection, Ruling, Stage, Trait, TraitKind
from tests.support.past import NOW, conduct, dossier, mail, origin

NUMBER = Trait(TraitKind.PHONE, "+447700900123")
NAMED = Trait(TraitKind.ADDRESS, "olga@honest.test")
LURE = conduct(
    "desk@proton.me", "Desk", stage=Stage.TASK, codes=("MARKED",), traits=(NUMBER, NAMED)
)


def marked(new, *events):
    held = Recollection(dossiers=(dossier(*events),))
    (past,) = past_of(held, at=NOW, is_itself=lambda _event: False).dossiers
    engagement = engagement_with(new, past, follows=(), window=timedelta(days=365))
    return [one.strength for one in stage_findings(new, engagement) if one.code == "PERSONA_MARKED"]


def test_the_same_address_is_the_same_persona():
    assert marked(mail("desk@proton.me"), LURE) == [2]


def test_a_number_that_a_lure_named_marks_its_owner_weakly():
    assert marked(mail("olga@honest.test", traits=(NUMBER,)), LURE) == [1]


def test_an_address_that_a_lure_named_marks_nobody():
    assert marked(mail("olga@honest.test"), LURE) == []
    assert marked(mail("sam@firm.test", traits=(NAMED,)), LURE) == []


def test_what_is_dated_later_counts_for_nothing():
    later = conduct("desk@proton.me", "Desk", days=-1, codes=("MARKED",), stage=Stage.TASK)
    assert marked(mail("desk@proton.me"), later) == []


def test_a_ruling_quiets_what_came_before_it_only():
    ruling = Ruling(origin=origin(3, "r"), address="desk@proton.me", by="analyst")
    assert marked(mail("desk@proton.me"), LURE, ruling) == []
    again = conduct("desk@proton.me", "Desk", days=1, number="c2", codes=("MARKED",))
    assert marked(mail("desk@proton.me"), LURE, ruling, again) == [2]
    assert ruling.origin.at < NOW
