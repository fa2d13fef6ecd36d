"""Engagements as they unfold: each mail of a story with its disposition and the reason by name.

The stories run through a whole gateway in one process (`tests.support.house`), once for each store.
"""

from dataclasses import dataclass, replace

import pytest

from milter.mail.verdict import Action
from tests.support.history_stores import EVERY_STORE, opened
from tests.support.house import TAGGED, House, Sent, WorldClock


@dataclass(frozen=True, kw_only=True)
class Follow:
    """What somebody wrote on a network, then by mail; in one language."""

    on_network: str
    by_mail: str


FOLLOW_UPS = {
    "en": Follow(
        on_network="I listened to your talk on optical clocks. We collect assessments on clock "
        "drift and would value your view.",
        by_mail="As I wrote on LinkedIn, I would rather go on by WhatsApp: +44 7700 900123. "
        "It is about the assessments on clock drift.",
    ),
    "fr": Follow(
        on_network="J'ai écouté votre exposé sur les horloges optiques. Nous réunissons des "
        "évaluations sur la dérive des horloges.",
        by_mail="Comme je vous l'ai écrit sur LinkedIn, je préfère continuer sur WhatsApp : "
        "+33 6 39 98 01 23. Il s'agit des évaluations sur la dérive des horloges.",
    ),
    "de": Follow(
        on_network="Ich habe Ihren Vortrag über optische Uhren gehört. Wir sammeln "
        "Einschätzungen zur Uhrendrift.",
        by_mail="Wie auf LinkedIn geschrieben, würde ich lieber über WhatsApp weitermachen: "
        "+49 1512 3456789. Es geht um die Einschätzungen zur Uhrendrift.",
    ),
    "es": Follow(
        on_network="Escuché su charla sobre relojes ópticos. Reunimos evaluaciones sobre la "
        "deriva de los relojes.",
        by_mail="Como le escribí por LinkedIn, prefiero seguir por WhatsApp: +34 600 123 456. "
        "Se trata de las evaluaciones sobre la deriva de los relojes.",
    ),
    "pt": Follow(
        on_network="Ouvi a sua palestra sobre relógios óticos. Reunimos avaliações sobre a "
        "deriva dos relógios.",
        by_mail="Como lhe escrevi no LinkedIn, prefiro continuar pelo WhatsApp: +351 912 345 678. "
        "Trata-se das avaliações sobre a deriva dos relógios.",
    ),
    "zh-hans": Follow(
        on_network="我听了您关于光学时钟的报告。我们正在收集关于时钟漂移的评估。",
        by_mail="正如我在领英上所写，我们还是加微信继续聊吧，微信号：clock_desk88。是关于时钟漂移评估的事。",
    ),
    "zh-hant": Follow(
        on_network="我聽了您關於光學時鐘的演講。我們正在收集關於時鐘漂移的評估。",
        by_mail="如我在領英上所寫，我們還是加LINE繼續聊吧，LINE ID：clockdesk88。是關於時鐘漂移評估的事。",
    ),
    "ru": Follow(
        on_network="Я слушал ваш доклад об оптических часах. Мы собираем оценки дрейфа часов.",
        by_mail="Как я писал в LinkedIn, лучше продолжим в WhatsApp: +7 912 345-67-89. "
        "Речь об оценках дрейфа часов.",
    ),
    "ko": Follow(
        on_network="광시계에 관한 강연을 들었습니다. 저희는 시계 드리프트에 대한 평가를 모으고 있습니다.",
        by_mail="링크드인에서 말씀드린 대로 카카오톡으로 이어서 이야기했으면 합니다. "
        "카카오톡 아이디: clockdesk88. 시계 드리프트 평가에 관한 일입니다.",
    ),
    "ar": Follow(
        on_network="استمعت إلى محاضرتك عن الساعات الضوئية. نجمع تقييمات عن انحراف الساعات.",
        by_mail="كما كتبت لك على لينكد إن، أفضل أن نكمل على واتساب: ‎+971 50 123 4567. "
        "الأمر يتعلق بتقييمات انحراف الساعات.",
    ),
}


BRANDT = "t.brandt.research@proton.me"
BRANDT_ON_NETWORK = "We prepare a study on port automation and read your papers."
# The pause before each mail, what it says, and why it is marked.
BRANDT_STEPS = (
    (
        {"days": 6},
        "Following up on my LinkedIn message: could we talk on Signal instead? My number is "
        "+44 7700 900456. The study on port automation is about to begin.",
        {"RELAY_THEN_DIRECT", "OFFPLATFORM"},
    ),
    (
        {"weeks": 2},
        "Our client, whom I cannot name yet, would pay 1,200 USD for a short written report "
        "of six pages on port automation. A first small sample would do.",
        {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"},
    ),
    (
        {"weeks": 4},
        "The client liked it. They invite you to a private meeting in Dubai, flight and hotel "
        "paid, and will hand you the fee in cash.",
        {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"},
    ),
    (
        {"weeks": 4},
        "For the next paper they would like what is not public: internal planning of your "
        "department and who decides. Please do not mention it to your employer.",
        {"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"},
    ),
)


def action(assessment) -> Action:
    (disposition,) = assessment.dispositions
    return disposition.action


def codes(assessment) -> set[str]:
    return {row.finding.code for row in assessment.verdict.findings if row.weight_db}


def evidence(assessment, code: str):
    (row,) = [row for row in assessment.verdict.findings if row.finding.code == code]
    return row.finding.evidence


@pytest.fixture(params=EVERY_STORE)
async def house(request, tmp_path):
    clock = WorldClock()
    async with opened(request.param, tmp_path, clock) as history:
        yield House(history, clock)


@pytest.mark.parametrize("language", FOLLOW_UPS)
async def test_follow_up_of_a_platform_message_names_the_earlier_message(house, language):
    said = FOLLOW_UPS[language]
    first = await house.receive_notice("Daria Kamau", said.on_network)
    assert action(first) is Action.DELIVER
    house.clock.pass_by(days=3)
    mail = Sent(sender="daria.k.consult@gmail.com", name="Daria Kamau", text=said.by_mail)
    second = await house.receive(mail)
    assert action(second) in (Action.ANNOTATE, Action.QUARANTINE)
    assert "RELAY_THEN_DIRECT" in codes(second)
    (told,) = evidence(second, "RELAY_THEN_DIRECT")
    assert "2046-03-02" in told.text
    assert "Daria Kamau" in told.text
    assert told.part.endswith("prod.linkedin.com>")


async def test_follow_up_after_the_window_is_no_follow_up(house):
    said = FOLLOW_UPS["en"]
    await house.receive_notice("Daria Kamau", said.on_network)
    house.clock.pass_by(days=60)
    mail = Sent(sender="daria.k.consult@gmail.com", name="Daria Kamau", text=said.by_mail)
    assert "RELAY_THEN_DIRECT" not in codes(await house.receive(mail))


async def test_honest_twin_from_the_organisation_it_named(house):
    await house.receive_notice(
        "Maude Pelletier",
        "I recruit for Halden Optics. They look for a senior metrology engineer.",
        headline="Senior Consultant at Corvane Talent",
    )
    house.clock.pass_by(days=2)
    mail = Sent(
        sender="m.pelletier@corvane-talent.com",
        name="Maude Pelletier",
        subject="Senior metrology engineer, Halden Optics",
        text="Hello,\n\nas mentioned on LinkedIn, Halden Optics in Ottawa has opened a permanent "
        "position as senior metrology engineer, 98,000 to 115,000 CAD. The posting is at "
        "https://jobs.corvane-talent.com/2291.\n\nMaude Pelletier\nCorvane Talent Inc., Gatineau",
    )
    second = await house.receive(mail)
    assert action(second) is Action.DELIVER
    assert "RELAY_SAME_ORGANISATION" in codes(second)
    assert "RELAY_THEN_DIRECT" not in codes(second)


async def test_another_of_the_same_name_is_not_the_same(house):
    await house.receive_notice("Wei Zhang", "We look for a speaker on fusion magnets.")
    house.clock.pass_by(days=2)
    mail = Sent(
        sender="wei.zhang@gmail.com",
        name="Wei Zhang",
        text="Hi, this is Wei from the climbing club. Are you coming on Thursday evening?",
    )
    second = await house.receive(mail)
    assert action(second) is Action.DELIVER
    assert not {"RELAY_THEN_DIRECT", "PERSONA_MOVED"} & codes(second)


async def test_escalation_over_eleven_weeks(house):
    first = await house.receive_notice("Tomas Brandt", BRANDT_ON_NETWORK)
    assert action(first) is Action.DELIVER
    for pause, text, reasons in BRANDT_STEPS:
        house.clock.pass_by(**pause)
        mail = Sent(sender=BRANDT, name="Tomas Brandt", text=text)
        judged = await house.receive(mail)
        assert judged.verdict.label in TAGGED
        assert reasons <= codes(judged)


async def test_the_persona_that_changes_its_address_keeps_its_stage(house):
    text = (
        "Following up on LinkedIn: let us go on by Telegram, @brandt_desk. The client pays "
        "1,500 USD for a written report on port automation and stays unnamed for now."
    )
    await house.receive(Sent(sender="t.brandt@proton.me", name="Tomas Brandt", text=text))
    house.clock.pass_by(weeks=3)
    mail = Sent(
        sender="brandt.office@outlook.com",
        name="T. Brandt",
        text="New mailbox, same Telegram: @brandt_desk. The client now offers a paid trip to "
        "Dubai to meet in person, hotel included.",
    )
    judged = await house.receive(mail)
    assert {"PERSONA_MOVED", "ENGAGEMENT_ESCALATES"} <= codes(judged)
    assert judged.verdict.label in TAGGED


async def test_a_mail_the_screen_let_go_is_read_in_full_where_the_persona_is_at_it(house):
    text = (
        "As discussed on LinkedIn, write to me on Signal, +44 7700 900456. My client stays "
        "unnamed and pays 1,500 USD for a written report."
    )
    await house.receive(Sent(sender="t.brandt@proton.me", name="Tomas Brandt", text=text))
    house.clock.pass_by(weeks=1)
    quiet = "Good morning, thank you, the parcel is here. Have a nice weekend."
    judged = await house.receive(Sent(sender="t.brandt@proton.me", name="Tomas Brandt", text=quiet))
    assert judged.reading.screened
    assert "PERSONA_MARKED" in codes(judged)
    other = await house.receive(Sent(sender="a.b@proton.me", name="A B", text=quiet))
    assert not other.reading.screened


async def test_a_mail_that_comes_again_is_not_its_own_past(house):
    sent = Sent(sender="t.brandt@proton.me", name="Tomas Brandt", text=FOLLOW_UPS["en"].by_mail)
    transaction = house.transaction(sent)
    first = await house.receive_again(transaction)
    house.clock.pass_by(minutes=20)
    again = await house.receive_again(replace(transaction, received_at=house.clock.now()))
    assert first.verdict.label in TAGGED
    assert again.verdict.findings == first.verdict.findings
