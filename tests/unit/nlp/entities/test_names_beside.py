"""Names beside a number or handle, after kin and posts, in greetings and under a sentence."""

import pytest

from nlp.analysis import EntityType
from tests.support.entities import texts_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("For access write to Eitan (@eitan.l on Telegram).", "Eitan"),
        ("Complaints go to Marisol, 1-505-555-0150.", "Marisol"),
        ("sonst Büro bei Moni, (030) 23125-188.", "Moni"),
        ("專員古佩珊，07-5550183", "古佩珊"),
        ("急事請打爸爸阮光輝 0955 501 276。", "阮光輝"),
        ("사장 형남길 010-5550-4439", "형남길"),
        ("답하지 말고 도경완 파트장에게 알려 주세요.", "도경완"),
        ("السائق بلال حسين، هاتف 055 555 2217", "بلال حسين"),
        ("يا عدنان، وصلتك الرسالة؟", "عدنان"),
        ("司机潘阿順舉牌等您，店长阿強，星期一休息。", "阿強"),
        ("外籍居民Niloufar Rahimi将教波斯菜。", "Niloufar Rahimi"),
        ("请带身份证，Yuki、阿丽都来。", "Yuki"),
        ("Thanks Arjun. Before the call could you write?", "Arjun"),
        ("Meine Chefin Jing wartet auf Sie.", "Jing"),
        ("Il y aura le pain que mon fils Marcel apporte.", "Marcel"),
        ("Звоните Шамилю вечером.", "Шамилю"),
        ("I will be there tomorrow.\nRen", "Ren"),
    ],
)
def test_names_by_what_stands_around_them(text: str, name: str) -> None:
    assert name in texts_of(EntityType.PERSON, text)


@pytest.mark.parametrize(
    "text",
    [
        "im Büro, Handy: +49 171 5550183",
        "Ok, I'll write tomorrow.",
        "Ahoj!\n\nJsme tým.",
        "يا شباب، الملعب جاهز",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert texts_of(EntityType.PERSON, text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dear Ms Oduya,\n\nFreya Lund, Larkmoor Perspectives, +44 20 7946 0018.", "Freya Lund"),
        ("Sunday is fine, Ji-hye. Bring the folder.", "Ji-hye"),
        ("Lokman, Freya: the shift moves to nine", "Freya"),
        ("Meet at seven. Lokman drives, two seats are left.", "Lokman"),
        ("Sehr geehrter Herr Ingenieur Lund,\n\nanbei die Pläne.", "Lund"),
        ("取卡请到前台找刘若琳，电话0571-8812 3306", "刘若琳"),
        ("發票請交賴若琳，分機5507", "賴若琳"),
        ("담당 류지안에게 연락 주세요.", "류지안"),
        ("어제 '에밀리 포스터'라는 사람에게서 제안을 받았습니다.", "에밀리 포스터"),
        ("السائق بلال حسين وجواله معك", "بلال حسين"),
    ],
)
def test_who_stands_beside_a_house_a_post_or_a_verb(text: str, name: str) -> None:
    assert name in texts_of(EntityType.PERSON, text)


@pytest.mark.parametrize(
    "text",
    [
        "Hola, doctora. Lo prometido sigue en pie.",
        "Boa noite. Mande a lista, por favor.",
        "Perfeito, fica para amanhã.",
        "Sehr geehrte Frau Präsidentin,\n\nwir laden Sie ein.",
        "Señor Subdirector:\n\nle escribo por la plaza.",
        "Até breve.\n\nAtenciosamente,\n\nComissão de Seleção",
        "الأستاذ الفاضل، نرفق العقد.",
        "أرسل الرقم اليوم. السرية ضرورية.",
        "사무관님, 공고문은 저도 있습니다.",
        "심사 결과 안내",
        "学长您好，方案已发。",
    ],
)
def test_words_where_a_name_could_stand_are_nobody(text: str) -> None:
    assert texts_of(EntityType.PERSON, text) == []
