"""Judged mails in tables: each counts once, in the row of its class."""

import pytest

from bench.evaluation import mails, reliability, screen, stages
from bench.evaluation.groups import (
    LONG,
    MIDDLE,
    SHORT,
    Group,
    Outcome,
    grouped,
    held,
    length_of,
    outcome_of,
    tagged,
    words_in,
)
from bench.judged import Judged
from milter.mail.verdict import Label, Verdict
from nlp.training.corpus import MarkedText, TrainingMail


def judged(
    mail_class: str, label: Label, *, score: float = 0.0, holds: bool = False, **of_mail: str
) -> Judged:
    verdict = Verdict(label=label, score_db=score, probability=0.75, may_hold=holds)
    mail = TrainingMail(
        mail_id="en-A1-1",
        language=of_mail.get("language", "en"),
        split="dev",
        case="a-case",
        mail_class=mail_class,
        sender="freemail",
        position="cold",
        subject=MarkedText(text=""),
        body=MarkedText(text=of_mail.get("body", "a few words")),
    )
    return Judged(mail=mail, verdict=verdict, rules_alone=verdict, analysis=None, screened=True)


HELD = judged("LURE_RECRUIT", Label.LURE, score=40.0, holds=True)
TAGGED = judged("LURE_EVENT", Label.LURE, score=40.0)
MISSED = judged("LURE_MALWARE", Label.INFO, score=14.0)
WRONG = judged("BENIGN_HARD", Label.SCAM, score=22.0)
RIGHT = judged("BENIGN_EASY", Label.CLEAN)


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (HELD, Outcome.HELD),
        (TAGGED, Outcome.TAGGED),
        (MISSED, Outcome.INFO),
        (WRONG, Outcome.TAGGED),
        (RIGHT, Outcome.CLEAN),
    ],
)
def test_the_strongest_outcome_counts(one, outcome):
    assert outcome_of(one) is outcome


def test_groups_by_class():
    group = Group.of([HELD, TAGGED, MISSED, WRONG, RIGHT])
    assert group.lures == (HELD, TAGGED, MISSED)
    assert group.honest == (WRONG, RIGHT)
    assert (tagged(group.lures).hits, held(group.lures).hits) == (2, 1)
    assert group["REPORTED"] == ()


def test_an_ordered_key_keeps_empty_rows():
    groups = grouped([HELD], lambda one: one.mail.position, ("thread", "cold"))
    assert [*groups] == ["thread", "cold"]
    assert groups["thread"].lures == ()
    assert groups["cold"].lures == (HELD,)


def test_the_confusion_table_counts_every_mail_once():
    lines = [*mails.confusion([HELD, TAGGED, MISSED, WRONG, WRONG, RIGHT])]
    assert "| LURE_RECRUIT | 1 | 0 | 0 | 0 | 1 | 1 of 1 (100 %, 21–100) |" in lines
    assert "| BENIGN_HARD | 2 | 0 | 0 | 2 | 0 | 2 of 2 (100 %, 34–100) |" in lines
    assert "| LURE_MALWARE | 1 | 0 | 1 | 0 | 0 | 0 of 1 (0 %, 0–79) |" in lines
    assert "| REPORTED | 0 | 0 | 0 | 0 | 0 | – |" in lines


def test_languages_stand_beside_english():
    foreign = judged("LURE_EVENT", Label.CLEAN, language="ko")
    lines = [*mails.sections([HELD, foreign, WRONG])]
    assert "| ko | -100 (-100 to +12) | – |" in lines
    assert not any(line.startswith(("| en | -", "| en | +")) for line in lines)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dear Dr Okafor,\nwe pay 900 euros - soon.", 8),
        ("您好，我们在找顾问", 4),
        ("안녕하세요 박사님", 2),
        ("我们用 WhatsApp 联系", 4),
        ("", 0),
    ],
)
def test_words(text, count):
    assert words_in(text) == count


def test_lengths_meet_at_their_borders():
    lengths = [length_of(judged("SCAM", Label.SCAM, body="word " * n)) for n in (40, 41, 110, 111)]
    assert lengths == [SHORT, MIDDLE, MIDDLE, LONG]


def test_scams_come_true_and_the_unread_are_left_out_of_the_model():
    scam = judged("SCAM", Label.SCAM)
    verdict, model = reliability.said_of([HELD, scam, WRONG])
    assert verdict.truth == [True, True, False]
    assert verdict.probabilities == [0.75] * 3
    assert model.probabilities == []


def test_the_picture_is_the_same_for_the_same_numbers(tmp_path):
    said = [reliability.said_of([HELD, WRONG])[0]]
    for name in ("one.png", "other.png"):
        reliability.draw(said, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_a_stage_has_its_median_and_its_percentile():
    rows = [dict.fromkeys(stages.STAGES, seconds / 1000) for seconds in (1.0, 2.0, 10.0)]
    lines = [*stages.section(rows)]
    assert "| screen | 2.00 | 10.00 |" in lines
    assert "| all | 10.00 | 50.00 |" in lines


def test_every_stage_is_timed_on_a_real_mail():
    (row,) = stages.measured([MISSED.mail])
    assert [*row] == [*stages.STAGES]
    assert all(seconds > 0 for seconds in row.values())


def test_the_screen_is_counted_by_split_and_class():
    rows = [screen.Screened(HELD.mail, False, True), screen.Screened(WRONG.mail, True, True)]
    lines = [*screen.section(rows)]
    assert "| dev | lures | 0 of 1 (0 %, 0–79) | 1 of 1 (100 %, 21–100) |" in lines
    assert "| dev | hard | 1 of 1 (100 %, 21–100) | 1 of 1 (100 %, 21–100) |" in lines
    assert "| dev | easy | – | – |" in lines
