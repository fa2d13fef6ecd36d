"""People, organisations, places, roles, sectors, clearances, dates, files."""

import pytest

from nlp.analysis import EntityType, ReadableText
from nlp.entities import find_entities
from tests.support.entities import entities, readable, texts_of, values

# Given and family names of many naming systems, combined at random: no real person is meant.
NAMES = [
    "Emily Campbell", "Geneviève Tremblay", "Élodie Lefèvre", "Zhang Wei", "Wei Zhang", "Hsu Chia-Hao", "Wong Ka Yan",
    "Kevin Zhang", "Kim Min-jun", "Haruka Sato", "Nguyễn Thu Hà", "Priya Iyer", "Harpreet Singh", "Layla Mansour", "Omar al-Khalil",
    "Youssef Ben Saleh", "Shirin Ahmadi", "Zeynep Yılmaz", "Olga Smirnova", "Дарья Смирнова", "Олександр Коваленко", "Katarzyna Kowalska",
    "Tomáš Dvořák", "Lucía García Rojas", "João da Silva", "Lukas von Schneider", "Søren Lindqvist", "Eleni Papadopoulos", "Chiamaka Okafor",
    "Thabo Ndlovu", "Noa Ben-David", "Kateri Whiteduck", "Seán O'Brien", "Jean-Luc Moreau", "MARIA ROSSI",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "frame",
    [
        "Hello, my name is {}, and I write about a paper.",
        "Bonjour, je m'appelle {}, et je vous écris.",
        "Guten Tag, ich heiße {}, es geht um einen Text.",
        "Hola, mi nombre es {}, le escribo.",
        "Olá, meu nome é {}, escrevo.",
        "Здравствуйте, меня зовут {}, пишу вам.",
        "Thanks for your time.\n\nBest regards,\n{}\nAdvisor",
        "Merci.\n\nCordialement,\n{}",
        "Danke.\n\nMit freundlichen Grüßen\n{}",
        "Dear {},\n\nthank you.",
    ],
)
def test_names_of_every_naming_system(name: str, frame: str) -> None:
    assert name in texts_of(EntityType.PERSON, frame.format(name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("您好，我叫李静，来自启明研究社。", "李静"),
        ("您好，我叫欧阳晓丽。", "欧阳晓丽"),
        ("王伟您好，请看附件。", "王伟"),
        ("尊敬的陈教授：", "陈"),
        ("谢谢！\n李静 敬上", "李静"),
        ("此致\n敬礼\n李静", "李静"),
        ("제 이름은 김지우입니다.", "김지우"),
        ("김지우님, 안녕하세요.", "김지우"),
        ("감사합니다.\n박민준 드림", "박민준"),
        ("佐藤陽菜と申します。", "佐藤陽菜"),
        ("اسمي ليلى منصور، أكتب إليك", "ليلى منصور"),
        ("السيد عمر منصور، تحية طيبة", "عمر منصور"),
        ("مع التحية\nليلى منصور", "ليلى منصور"),
        ("Regards\nmaria", "maria"),
        ("ok see you\n- Maria", "Maria"),
        ("Mr. Okafor will join.", "Okafor"),
        ("I'm Grace from Northbridge Advisory", "Grace"),
    ],
)
def test_names_in_other_frames(text: str, name: str) -> None:
    assert name in texts_of(EntityType.PERSON, text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nplease read.",
        "Hi team,",
        "Sehr geehrte Damen und Herren,",
        "I am Available",
        "at 9 a.m. IN ROOM 3",
        "Dear Hiring Manager,",
        "此致",
    ],
)
def test_words_that_are_no_names(text: str) -> None:
    assert values(EntityType.PERSON, text) == []


def test_display_names_are_people_wherever_they_recur() -> None:
    found = find_entities(
        readable("as zhang wei told me; zhang weiss did not", names=("Zhang Wei via LinkedIn",))
    )
    people = [(e.span.source, e.span.text, e.value) for e in found if e.type == EntityType.PERSON]
    assert people == [
        ("body", "zhang wei", "zhang wei"),
        ("header", "Zhang Wei via LinkedIn", "zhang wei"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I work with Northbridge Advisory in research", "Northbridge Advisory"),
        ("Orenda Search Ltd. is small", "Orenda Search Ltd"),
        ("Bei der Valmont Beratung GmbH", "Valmont Beratung GmbH"),
        ("L'Institut Valmont organise", "Institut Valmont"),
        ("the University of Northbridge", "University of Northbridge"),
        ("ООО «Северный мост» ищет", "ООО «Северный мост»"),
        ("来自启明研究社。", "启明研究社"),
        ("我在北桥咨询有限公司工作", "北桥咨询有限公司"),
        ("북교컨설팅에서 일합니다", "북교컨설팅"),
        ("من شركة الأفق للاستشارات.", "شركة الأفق للاستشارات"),
        ("on behalf of Northbridge, I write", "Northbridge"),
    ],
)
def test_organisations(text: str, name: str) -> None:
    assert name in texts_of(EntityType.ORG, text)


@pytest.mark.parametrize(
    "text",
    [
        "A partner of ours would like a paper.",
        "Our client prefers discretion.",
        "Notre client souhaite une note.",
        "le donneur d'ordre",
        "Unser Auftraggeber wünscht ein Papier.",
        "un cliente necesita un informe",
        "nosso cliente quer",
        "заказчику нужна записка",
        "委托方想约一篇",
        "의뢰처는 밝히기 어렵습니다",
        "يريد عميلنا تقريرا",
    ],
)
def test_principals_without_a_name_are_vague(text: str) -> None:
    assert [e.flags for e in entities(text) if e.type == EntityType.ORG] == [("vague",)]


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("I am a recruiter", EntityType.ROLE, "recruiter"),
        ("chasseur de têtes", EntityType.ROLE, "recruiter"),
        ("我是猎头", EntityType.ROLE, "recruiter"),
        ("старший научный сотрудник", EntityType.ROLE, "researcher"),
        ("satellites and propulsion", EntityType.SECTOR, "aerospace"),
        ("关于半导体政策", EntityType.SECTOR, "semiconductors"),
        ("über Künstliche Intelligenz", EntityType.SECTOR, "ai"),
        ("your security clearance", EntityType.CLEARANCE, "clearance"),
        ("TS/SCI required", EntityType.CLEARANCE, "top_secret"),
        ("habilitation secret défense", EntityType.CLEARANCE, "clearance"),
        ("форма допуска", EntityType.CLEARANCE, "clearance"),
        ("护照扫描件", EntityType.CLEARANCE, "passport"),
        ("based in Lisbon since May", EntityType.LOCATION, "lisbon"),
        ("meet you in São Paulo, all paid", EntityType.LOCATION, "são paulo"),
        ("basé à Lyon", EntityType.LOCATION, "lyon"),
        ("来新加坡见面", EntityType.LOCATION, "新加坡"),
    ],
)
def test_roles_sectors_clearances_places(text: str, type_: EntityType, value: str) -> None:
    assert value in values(type_, text)


@pytest.mark.parametrize(
    "text", ["a clear path", "secret garden", "the nave is Gothic", "based in fact"]
)
def test_plain_words_are_no_clearance_sector_or_place(text: str) -> None:
    kinds = {EntityType.CLEARANCE, EntityType.SECTOR, EntityType.LOCATION}
    assert [e for e in entities(text) if e.type in kinds] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on 2026-03-12", "2026-03-12"),
        ("am 12.03.2026", "2026-03-12"),
        ("le 13/03/2026", "2026-03-13"),
        ("03/13/2026", "2026-03-13"),
        ("03/04/2026", "03/04/2026"),
        ("12 March 2026", "2026-03-12"),
        ("March 12th, 2026", "2026-03-12"),
        ("12 mars 2026", "2026-03-12"),
        ("1er mai 2026", "2026-05-01"),
        ("12. März 2026", "2026-03-12"),
        ("12 de marzo de 2026", "2026-03-12"),
        ("12 de março", "--03-12"),
        ("12 марта 2026 г.", "2026-03-12"),
        ("2026年3月12日", "2026-03-12"),
        ("3月12日见面", "--03-12"),
        ("2026년 3월 12일", "2026-03-12"),
        ("12 مارس 2026", "2026-03-12"),
        ("12 Mar 2026", "2026-03-12"),
    ],
)
def test_dates(text: str, value: str) -> None:
    assert values(EntityType.DATE, text) == [value]


@pytest.mark.parametrize(
    "text", ["you may 5", "1.2.3", "2026-13-45", "may I ask", "in March", "10.11.12.13"]
)
def test_no_dates(text: str) -> None:
    assert [v for v in values(EntityType.DATE, text) if v != "--05-05"] == []


def test_files_in_text_and_attached() -> None:
    assert values(EntityType.FILE, "open Offer_2026.pdf.exe please") == ["offer_2026.pdf.exe"]
    assert values(EntityType.FILE, "see https://example.org/a.pdf") == []
    found = find_entities(ReadableText(segments=(), file_names=("Task.ZIP",)))
    assert [(e.type, e.value, e.span.source) for e in found] == [
        (EntityType.FILE, "task.zip", "attachment")
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Gruß\nTamara von LinkedIn", "tamara"),
        ("Soy Ana de Telegram.", "ana"),
        ("Je suis Julie de Viadeo", "julie"),
    ],
)
def test_a_name_ends_before_the_service_it_is_known_from(text: str, name: str) -> None:
    assert values(EntityType.PERSON, text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Como combinamos no LinkedIn, o projeto segue.",
        "Falamos em LinkedIn na semana passada.",
        "Как договорились в LinkedIn, пишите на почту.",
        "Write to me in WhatsApp, please.",
        "On s'est parlé en LinkedIn hier, merci.",
    ],
)
def test_a_network_is_no_place(text):
    found = [one for one in entities(text) if one.type is EntityType.LOCATION]
    assert found == []
