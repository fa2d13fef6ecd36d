"""What of a recollection is a message's past: not itself, nothing later, and what was ruled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from milter.check.engagement.claims import claim_findings
from milter.check.engagement.graph import graph_findings
from milter.check.engagement.past import past_of
from milter.mail.engagement import Recollection, Ruling, Seen, Stage, Trail, Trait, TraitKind
from tests.support.past import NOW, conduct, dossier, mail, origin

NUMBER = Trait(TraitKind.PHONE, "+447700900123")
FIRST = conduct("desk@proton.me", "Mara Quell", days=9, stage=Stage.MOVE, traits=(NUMBER,))
NEXT = mail("otto.w@outlook.com", "Otto Weiss", traits=(NUMBER,), is_free_mail=True)
SEEN = Seen(
    persona="desk@proton.me", recipient="bob@org.test", first=origin(9, "b"),
    last_at=NOW - timedelta(days=9),
)  # fmt: skip


def ruling(days, stage=Stage.NONE, address="desk@proton.me"):
    return Ruling(origin=origin(days, f"r{days}"), address=address, stage=stage, by="analyst")


def held(*events):
    return Recollection(dossiers=(dossier(*events),), trails=(Trail(trait=NUMBER, seen=(SEEN,)),))


def codes(recalled, *, itself=""):
    past = past_of(recalled, at=NOW, is_itself=lambda one: one.origin.event_id == itself)
    claims = claim_findings(
        NEXT, past.dossiers, {}, contact_window=timedelta(days=45),
        engagement_window=timedelta(days=365),
    )  # fmt: skip
    return {one.code for one in (*claims, *graph_findings(NEXT, past, event_id="own"))}


def test_an_earlier_persona_counts():
    assert codes(held(FIRST)) == {"PERSONA_MOVED", "HANDLE_OF_SEVERAL"}


def test_ruled_harmless_is_no_trace_of_a_persona_in_any_finding():
    assert codes(held(FIRST, ruling(5))) == set()


@pytest.mark.parametrize(
    "other",
    [ruling(12), ruling(5, address="x@y.test"), ruling(5, Stage.APPROACH)],
    ids=["before it", "of somebody else", "not harmless"],
)
def test_other_rulings_leave_the_trace(other):
    assert codes(held(FIRST, other)) == {"PERSONA_MOVED", "HANDLE_OF_SEVERAL"}


def test_the_message_itself_and_what_came_later_are_no_past():
    later = replace(FIRST, origin=origin(-1, "later"))
    recalled = replace(held(later), trails=())
    assert codes(recalled) == set()
    assert codes(replace(held(FIRST), trails=()), itself="c1") == set()


def test_where_answers_went_stays_known_of_the_harmless():
    first = replace(FIRST, reply_to=("office@firm.test",), follows=("n1",))
    past = past_of(held(first, ruling(5)), at=NOW, is_itself=lambda _one: False)
    (kept, _) = past.dossiers[0].events
    assert (kept.reply_to, kept.follows, kept.traits) == (("office@firm.test",), ("n1",), ())
