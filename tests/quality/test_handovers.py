"""A persona hands over, moves or leads answers elsewhere; and honest houses that do what looks alike."""

import pytest

from milter.mail.verdict import Action
from tests.support.history_stores import EVERY_STORE, opened
from tests.support.house import TAGGED, House, Sent, WorldClock

# What the persona wrote first, and what the one writes whom it announced.
HANDOVERS = {
    "en": (
        "Dear Rose, as discussed on LinkedIn I am on WhatsApp, +44 7700 900123. My client pays 1,500 "
        "for a short written report and stays unnamed. My client will write to you directly.",
        "Dear Rose, Daria Kamau gave me your address. We would pay 1,500 for the report, as she said.",
    ),
    "fr": (
        "Bonjour Rose, comme évoqué sur LinkedIn je suis sur WhatsApp, +33 6 39 98 01 23. Mon client "
        "souhaite une note de huit pages, rémunérée 1 500 €, et reste discret. Mon client vous "
        "écrira directement.",
        "Bonjour Rose, Daria Kamau m'a donné votre adresse. Nous paierions 1 500 € pour la note.",
    ),
    "de": (
        "Guten Tag Rose, wie auf LinkedIn besprochen erreichen Sie mich über WhatsApp, "
        "+49 151 23456789. Unser Auftraggeber zahlt 1.500 € für ein kurzes Papier, nennen darf ich "
        "ihn nicht. Unser Auftraggeber wird Ihnen direkt schreiben.",
        "Guten Tag Rose, Daria Kamau hat mir Ihre Adresse gegeben. Wir zahlen 1.500 € für das Papier.",
    ),
    "zh-hans": (
        "Rose您好，如我们在领英上所谈，请加我微信继续聊，微信号：daria_desk88。客户想约一篇分析稿，按篇付酬，"
        "委托方暂时不方便透露。客户会直接给您发邮件。",
        "Rose您好，Daria Kamau 给了我您的邮箱。分析稿我们按篇付酬，每篇一千五百美元。",
    ),
    "ru": (
        "Здравствуйте, Роза! Как мы обсуждали в LinkedIn, пишите мне в Telegram: @daria_desk. "
        "Заказчику нужна аналитическая записка, оплата 1500 долларов, назвать его не могу. "
        "Наш заказчик напишет вам сам.",
        "Здравствуйте, Роза! Daria Kamau дала мне ваш адрес. За записку платим 1500 долларов.",
    ),
}  # fmt: skip
HIRING = (
    "Dear Rose, as mentioned on LinkedIn, Halden Optics in Ottawa has opened a permanent position as "
    "senior metrology engineer, 98,000 to 115,000 CAD. My colleague Olga Smirnova will write to you "
    "about the interview.\n\nDaria Kamau\nCorvane Talent Inc."
)


def codes(assessment) -> set[str]:
    return {row.finding.code for row in assessment.verdict.findings}


@pytest.fixture
async def house(tmp_path):
    clock = WorldClock()
    async with opened(EVERY_STORE[0], tmp_path, clock) as history:
        yield House(history, clock)


@pytest.mark.parametrize("language", HANDOVERS)
async def test_the_client_whom_a_persona_announced(house, language):
    before, after = HANDOVERS[language]
    first = await house.receive(Sent(sender="dk.desk@gmail.com", name="Daria Kamau", text=before))
    assert first.verdict.label in TAGGED
    house.clock.pass_by(days=9)
    mail = Sent(sender="office@meridian-papers.net", name="Ilse Verhoeven", text=after)
    second = await house.receive(mail)
    (row,) = [one for one in second.verdict.findings if one.finding.code == "PERSONA_HANDED_OVER"]
    assert row.finding.strength == 2
    assert "Daria Kamau <dk.desk@gmail.com>" in row.finding.evidence[0].text
    assert "announced somebody" in row.finding.note


async def test_a_stranger_who_names_nobody_takes_nothing_over(house):
    before, _ = HANDOVERS["en"]
    await house.receive(Sent(sender="dk.desk@gmail.com", name="Daria Kamau", text=before))
    house.clock.pass_by(days=9)
    text = "Dear Rose, the minutes of Tuesday are attached. See you at the harbour meeting."
    mail = Sent(sender="ilse@harbour-office.net", name="Ilse Verhoeven", text=text)
    second = await house.receive(mail)
    assert [one.action for one in second.dispositions] == [Action.DELIVER]
    assert not {"PERSONA_HANDED_OVER", "PERSONA_MOVED"} & codes(second)


async def test_a_colleague_of_the_same_house_takes_nothing_over(house):
    await house.receive_notice("Daria Kamau", "Halden Optics looks for an engineer.")
    house.clock.pass_by(days=1)
    await house.receive(Sent(sender="d.kamau@corvane-talent.com", name="Daria Kamau", text=HIRING))
    house.clock.pass_by(days=2)
    text = "Dear Rose, Daria Kamau asked me to find a date. Would Tuesday at ten suit you?"
    mail = Sent(sender="o.smirnova@corvane-talent.com", name="Olga Smirnova", text=text)
    second = await house.receive(mail)
    assert [one.action for one in second.dispositions] == [Action.DELIVER]
    assert not {"PERSONA_HANDED_OVER", "PERSONA_MOVED"} & codes(second)


async def test_answers_are_led_elsewhere(house):
    before, _ = HANDOVERS["en"]
    await house.receive(Sent(sender="dk@meridian-papers.net", name="Daria Kamau", text=before))
    house.clock.pass_by(days=5)
    mail = Sent(
        sender="dk@meridian-papers.net",
        name="Daria Kamau",
        text="Dear Rose, any thoughts on the short report? The client pays 1,500 for it.",
        fields=(("Reply-To", "<kamau.desk@proton.me>"),),
    )
    assert "REPLY_TO_DRIFT" in codes(await house.receive(mail))
