"""Amounts as people say them: slang, numbers in words, without a currency beside one that has it."""

import pytest

from nlp.analysis import EntityType
from tests.support.entities import texts_of, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("another two grand if it is fresh", "2000"),
        ("she drops 2.5 racks for names", "2500"),
        ("40 косарей за табличку", "40000"),
        ("С нас 38 тыщ + счётчики", "38000"),
        ("хранение 450 р. в сезон", "450 RUB"),
        ("700р/ч за репетицию", "700 RUB per_hour"),
        ("по 300 рэ с носа", "300 RUB"),
        ("1,2к евро сразу", "1200 EUR"),
        ("2,2 T€ im Monat", "2200 EUR"),
        ("Arbeit hundertzwanzig Euro", "120 EUR"),
        ("sechstausend HK-Dollar", "6000 HKD"),
        ("fünfundzwanzigtausend Franken", "25000 CHF"),
        ("500 balles tout de suite", "500 EUR"),
        ("400 piasses d'avance", "400 CAD"),
        ("une prime de 94 k$", "94000 USD"),
        ("juntamos 48 lucas", "48000"),
        ("faltam uns 90 pila", "90 BRL"),
        ("三千蚊過咗數", "3000 HKD"),
        ("兩嚿水當飲茶", "200 HKD"),
        ("签字费10w。问题找我", "100000"),
        ("定金壹万元整打对公账户", "10000 CNY"),
        ("到场即付一万迪拉姆", "10000 AED"),
        ("代書費NTD 8,000另計", "8000 TWD"),
        ("入會NT1,999。", "1999 TWD"),
        ("再給0.004 BTC都可以", "0.004 BTC"),
        ("운임은 FEU당 1,850불입니다", "1850 USD"),
        ("사이닝 2천만 원.", "20000000 KRW"),
        ("요금은 3만5천 원", "35000 KRW"),
        ("دفع ٧٠٠ د.أ. عربون", "700 JOD"),
        ("بدل نقل ٤٠ د.ب. شهريا", "40 BHD"),
        ("Rate: USD nine hundred", "900 USD"),
        ("a thirty-euro voucher", "30 EUR"),
    ],
)
def test_slang_and_words(text: str, value: str) -> None:
    assert value in values(EntityType.MONEY, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Rate: USD 900, then 1.8K when it is new", "1800"),
        ("GBP 1,750 per paper, rising to 4k once trusted", "4000"),
        ("180 € por folio, tope 2,5K. Conteste", "2500"),
        ("Стоимость 4 500 руб., кресло +300.", "300"),
        ("引荐一位2,000元，成了再谢五千。", "5000"),
        ("兩頁八千元，保證金1,500隔天退", "1500"),
        ("一單40元，日領2000-3000！", "2000-3000"),
        ("簽約金30萬。", "300000"),
        ("1인 3만5천, 늦지 마세요", "35000"),
        ("이직 축하금 천오백.", "1500"),
        ("口述一千/次，走现金", "1000"),
    ],
)
def test_amounts_without_a_currency(text: str, value: str) -> None:
    assert value in {found.partition(" ")[0] for found in values(EntityType.MONEY, text)}


@pytest.mark.parametrize(
    "text", ["Tamar owes a tenner", "нашёл полтинник сдачи", "nen Zwanni ausgelegt"]
)
def test_coined_words_are_amounts_by_themselves(text: str) -> None:
    assert len(values(EntityType.MONEY, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "reçu avec un grand sourire",
        "two grand pianos and three grand slams",
        "ein riesen Problem",
        "2 racks of servers",
        "Building A-9 W, Fifth Floor",
        "3 불가능한 일",
        "Windows NT 4 at the point",
        "a volume of 550,000/day",
        "2 pavos para Navidad",
        "五千字以內，三萬人參加",
        "3만 명이 모였고 2천 개가 남았다",
        "第三百五十号",
        "字数八千，面积五千",
        "ext. 300",
    ],
)
def test_counts_and_things_are_no_money(text: str) -> None:
    assert values(EntityType.MONEY, text) == []


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("We pay 400 euros a page, 700 for a table.", "700"),
        ("Le doy 200 euros por cada hoja y 600 si me deja copiar.", "600"),
        ("Wir zahlen 800 Euro statt 400.", "400"),
        ("Pay is fixed: agreed at 118k.", "118k"),
        ("An hour of it is worth 400 to him.", "400"),
        ("You get 75 for telling me.", "75"),
    ],
)
def test_amounts_beside_another_or_in_thousands(text: str, amount: str) -> None:
    assert any(amount in found for found in texts_of(EntityType.MONEY, text))


@pytest.mark.parametrize(
    "text",
    [
        "We pay 400 euros and 12 for each of 3 visits",
        "The file has 118k lines",
        "You get 30 days of leave",
    ],
)
def test_counts_beside_an_amount_are_none(text: str) -> None:
    found = texts_of(EntityType.MONEY, text)
    assert not any(number in one for one in found for number in ("12", "118", "30"))
