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
