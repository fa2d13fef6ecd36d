"""What an analyst ruled quiets what came before it, and nothing that came after."""

from datetime import UTC, datetime, timedelta

import pytest

from milter.check.engagement.direct_mail import DirectMail
from milter.check.engagement.past import past_of
from milter.check.engagement.stages import engagement_with, stage_findings
from milter.mail.engagement import Conduct, Dossier, Origin, Recollection, Ruling, Stage

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PERSONA = "p@free.test"


def origin(days: int) -> Origin:
    return Origin(event_id=f"e{days}", at=NOW - timedelta(days=days))


def said(*events: Conduct | Ruling) -> dict[str, str]:
    mail = DirectMail(
        at=NOW, address=PERSONA, domain="free.test", recipients=("a@org.test",),
        plain=frozenset({"SENSITIVE"}),
    )  # fmt: skip
    held = Recollection(dossiers=(Dossier(recipient="a@org.test", events=events),))
    (dossier,) = past_of(held, at=NOW, is_itself=lambda _event: False).dossiers
    engagement = engagement_with(mail, dossier, follows=(), window=timedelta(days=365))
    return {one.code: one.note for one in stage_findings(mail, engagement)}


def marked(days: int) -> Conduct:
    return Conduct(origin=origin(days), address=PERSONA, stage=Stage.TASK, codes=("MARKED",))


def ruling(days: int, stage: Stage) -> Ruling:
    return Ruling(origin=origin(days), address=PERSONA, stage=stage)


def test_without_a_ruling_a_marked_mail_counts() -> None:
    assert set(said(marked(20))) == {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"}


def test_ruled_harmless_marks_nobody() -> None:
    assert said(marked(20), ruling(10, Stage.NONE)) == {}


@pytest.mark.parametrize("stage", [Stage.NONE, Stage.MOVE])
def test_what_comes_after_counts_in_full(stage: Stage) -> None:
    found = said(marked(20), ruling(10, stage), marked(5))
    assert "PERSONA_MARKED" in found
    assert found["ENGAGEMENT_ESCALATES"].startswith("task on 2026-11-20")


def test_a_lower_stage_is_told_as_ruled() -> None:
    found = said(marked(20), ruling(10, Stage.MOVE))
    assert "PERSONA_MARKED" in found
    assert found["ENGAGEMENT_ESCALATES"].startswith("move on")
