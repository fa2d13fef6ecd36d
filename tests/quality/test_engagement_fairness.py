"""Who somebody is moves no score in a story either: one story, other names, services and numbers.

What is swapped is swapped in the notification and in the mails alike; the score of every mail, its
findings and its disposition stay exactly what they are.
"""

import pytest

from tests.support.history_stores import opened
from tests.support.house import House, Sent, WorldClock

PLAIN = {
    "name": "Daria Kamau",
    "app": "WhatsApp",
    "number": "+44 7700 900123",
    "provider": "gmail.com",
}
SWAPS = {
    "name": ["Wei Zhang", "Kevin Chen", "Ivan Smirnov", "Layla Haddad", "Emily Campbell",
             "Priya Sharma", "Chiamaka Okafor", "Thu Nguyen"],
    "app": ["WeChat", "Telegram", "Signal", "Viber", "LINE"],
    "number": ["+86 138 0013 8000", "+7 912 345-67-89", "+1 613 555 0142", "+98 912 345 6789"],
    "provider": ["qq.com", "mail.ru", "proton.me", "naver.com", "outlook.com"],
}  # fmt: skip
CASES = [(factor, value) for factor, values in SWAPS.items() for value in values]


async def told(folder, words):
    """Score, findings and disposition of every mail of the story."""
    clock = WorldClock()
    async with opened("plain", folder, clock) as history:
        house = House(history, clock)
        await house.receive_notice(words["name"], "We collect assessments on clock drift.")
        found = []
        for days, text in (
            (3, "As I wrote on LinkedIn, I would rather go on by {app}: {number}. It is about the "
                "assessments on clock drift."),
            (20, "Our client, whom I cannot name yet, pays 1,200 USD for a short written report on "
                 "clock drift."),
            (30, "For the next one they would like what is not public: internal planning. Please "
                 "do not mention it to your employer."),
        ):  # fmt: skip
            clock.pass_by(days=days)
            judged = await house.receive(
                Sent(
                    sender=f"desk.41@{words['provider']}",
                    name=words["name"],
                    text=text.format(**words),
                )
            )
            found.append(
                (
                    judged.verdict.score_db,
                    tuple((one.finding.code, one.weight_db) for one in judged.verdict.findings),
                    judged.dispositions[0].action,
                )
            )
        return found


@pytest.mark.parametrize(("factor", "value"), CASES)
async def test_a_story_weighs_the_same_whoever_it_is_of(tmp_path, factor, value):
    plain = await told(tmp_path / "plain", PLAIN)
    assert {"RELAY_THEN_DIRECT"} <= {code for code, _ in plain[0][1]}
    assert {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"} <= {code for code, _ in plain[2][1]}
    assert await told(tmp_path / "other", PLAIN | {factor: value}) == plain
