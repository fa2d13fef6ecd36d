"""What a member writes is judged in the notice that relays it; what the notice says for itself is not.

A known network vouches for its frame alone: its own words about it and its offers are no evidence, and
being a notice is no alibi for a text that asks for what is not public.
"""

import pytest

from milter.mail.verdict import Action
from tests.support.history_stores import EVERY_STORE, opened
from tests.support.house import TAGGED, House, WorldClock

HONEST = {
    "a few polite words": "It would be good to be in touch.",
    "a study": "We prepare a study on port automation and read your papers.",
    "a vacancy": "Hi Anna, we are hiring a senior data engineer at Nordwind Energy in Hamburg, "
    "85-95k, hybrid. The posting is on our careers page. Shall we talk this week?",
    "a retained search": "Je recrute pour un groupe coté dont je vous dirai le nom au téléphone. "
    "Poste de directeur financier à Lyon, CDI, 120 k€. Puis-je vous appeler jeudi ?",
    "an old colleague": "恭喜你换了新工作！有空一起喝咖啡吗？",
}
LURES = {
    "en": "We would pay 500 for a short report on your ministry's plans. Please write to me on "
    "WhatsApp +44 7700 900123, no need to mention it to your colleagues.",
    "fr": "Mon client, qui préfère rester discret, paie 600 euros une note sur les projets non "
    "publiés de votre ministère. Écrivez-moi plutôt sur Signal : +33 6 39 98 01 23.",
    "zh": "我们的合作方暂不公开，想请您写一份关于贵单位内部规划的报告，每篇三千元。请加微信 clockdesk88 详谈，不必告诉同事。",
}


@pytest.fixture
async def house(tmp_path):
    clock = WorldClock()
    async with opened(EVERY_STORE[0], tmp_path, clock) as history:
        yield House(history, clock)


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
async def test_the_frame_of_a_notice_marks_nobody(house, text):
    got = await house.receive_notice("Tomas Brandt", text)
    assert [one.action for one in got.dispositions] == [Action.DELIVER]


@pytest.mark.parametrize("text", LURES.values(), ids=LURES)
async def test_the_frame_of_a_notice_is_no_alibi(house, text):
    got = await house.receive_notice("Tomas Brandt", text)
    assert [one.action for one in got.dispositions] != [Action.DELIVER]
    assert got.verdict.label in TAGGED
