"""Amounts, currencies, bases and odd ways of paying, in every supported language."""

import pytest

from nlp.analysis import EntityType
from tests.support.entities import entities, texts_of, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("honorarium 1,500 USD", "1500 USD"),
        ("honorarium of $1,500.50", "1500.5 USD"),
        ("Honorar 2.000 €", "2000 EUR"),
        ("1.500,50 EUR", "1500.5 EUR"),
        ("rémunérée 2 000 €", "2000 EUR"),
        ("2\u202f000 €", "2000 EUR"),
        ("CHF 1'500", "1500 CHF"),
        ("£750 a piece", "750 GBP per_piece"),
        ("5k USD", "5000 USD"),
        ("$5k", "5000 USD"),
        ("2.5 million euros", "2500000 EUR"),
        ("$8.5 billion", "8500000000 USD"),
        ("CA$ 300", "300 CAD"),
        ("R$ 800 por texto", "800 BRL per_piece"),
        ("$400/h", "400 USD per_hour"),
        ("US$ 50 an hour", "50 USD per_hour"),
        ("1,500 USD per page", "1500 USD per_page"),
        ("200 € pro Seite", "200 EUR per_page"),
        ("300 € la pièce", "300 EUR per_piece"),
        ("300 euros por informe", "300 EUR per_piece"),
        ("5 тыс. руб. за статью", "5000 RUB per_piece"),
        ("1500 دولار لكل تقرير", "1500 USD per_piece"),
        ("١٥٠٠ دولار", "1500 USD"),
        ("稿费每篇500元", "500 CNY per_piece"),
        ("两千元一篇", "2000 CNY per_piece"),
        ("一千五百美元", "1500 USD"),
        ("3万元", "30000 CNY"),
        ("稿費一萬元", "10000 CNY"),
        ("건당 50만원", "500000 KRW per_piece"),
        ("원고료 30만 원", "300000 KRW"),
        ("300 USDT", "300 USDT"),
        ("0.5 BTC", "0.5 BTC"),
        ("$1,500–3,000", "1500-3000 USD"),
        ("1.500 bis 3.000 Euro", "1500-3000 EUR"),
        ("60–70 k€", "60000-70000 EUR"),
        ("500到800元", "500-800 CNY"),
        ("800 euros par mois", "800 EUR per_month"),
    ],
)
def test_amounts(text: str, value: str) -> None:
    assert values(EntityType.MONEY, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "we have 1500 users",
        "version 1.500",
        "in 2025 we moved",
        "cash flow statement",
        "bitcoin is in the news",
        "a gift card for her birthday",
        "6 to 8 pages",
        "room 400",
        "3万人",
    ],
)
def test_numbers_that_are_no_money(text: str) -> None:
    assert values(EntityType.MONEY, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "We pay 1,500 USD in cash.",
        "The fee is 300 USDT.",
        "2 000 €, réglés en espèces",
        "Honorar 500 €, auch bar möglich",
        "pagamos 300 euros en efectivo",
        "Pagamos 300 euros em dinheiro",
        "гонорар 5000 руб. наличными",
        "稿费500元，可以付现金",
        "원고료 30만 원, 현금으로 드립니다",
        "ندفع 1500 دولار نقدا",
        "We transfer 400 USD to your personal account.",
    ],
)
def test_odd_channels_are_flagged_on_the_amount(text: str) -> None:
    found = [e for e in entities(text) if e.type == EntityType.MONEY]
    assert found
    assert any("odd_channel" in e.flags and any(c.isdigit() for c in e.value) for e in found)


def test_an_odd_channel_in_another_sentence_is_not_the_amounts() -> None:
    found = [
        e
        for e in entities("The fee is 300 USD. We never pay in cash.")
        if e.type == EntityType.MONEY
    ]
    assert [(e.value, e.flags) for e in found] == [("300 USD", ()), ("cash", ("odd_channel",))]


def test_ways_of_paying_without_amount() -> None:
    text = "Transfer, cash at the meeting or USDT, as you like."
    assert values(EntityType.MONEY, text) == ["cash", "USDT"]


def test_piecework_is_flagged() -> None:
    found = [
        e for e in entities("500 USD per report, 40 USD per hour") if e.type == EntityType.MONEY
    ]
    assert [e.flags for e in found] == [("per_piece",), ()]


def test_the_span_covers_currency_and_amount() -> None:
    assert texts_of(EntityType.MONEY, "for $ 1,500 or 2.000 €.") == ["$ 1,500", "2.000 €"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("eight thousand US dollars", "8000 USD"),
        ("two hundred and fifty euros", "250 EUR"),
        ("fünfhundert Euro", "500 EUR"),
        ("zweitausend Euro", "2000 EUR"),
        ("cinq cents euros", "500 EUR"),
        ("mil quinientos euros", "1500 EUR"),
        ("dois mil reais", "2000 BRL"),
        ("пять тысяч рублей", "5000 RUB"),
        ("مئتي دولار", "200 USD"),
        ("오십만 원", "500000 KRW"),
        ("150 000 FCFA", "150000 XOF"),
        ("6 млн сумов", "6000000 UZS"),
        ("3 900 бел. рублей", "3900 BYN"),
        ("20 lakh rupees", "2000000 INR"),
        ("250,- Euro", "250 EUR"),
    ],
)
def test_amounts_in_words_and_further_currencies(text: str, value: str) -> None:
    assert values(EntityType.MONEY, text) == [value]


@pytest.mark.parametrize(
    "text",
    ["one won the match", "two real problems", "five try it", "two hundred guests, eight days"],
)
def test_number_words_without_money(text: str) -> None:
    assert values(EntityType.MONEY, text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300 to 500 euros", "300-500 EUR"),
        ("between 300 and 500 euros", "300-500 EUR"),
        ("five hundred dollars", "500 USD"),
        ("mille euros", "1000 EUR"),
        ("deux mille euros", "2000 EUR"),
        ("两千块", "2000 CNY"),
        ("五千元", "5000 CNY"),
        ("3만 원", "30000 KRW"),
        ("10 тыс. рублей", "10000 RUB"),
        ("ألف دولار", "1000 USD"),
        ("ألفي دولار", "2000 USD"),
        ("خمسة آلاف دولار", "5000 USD"),
        ("新台幣5000元", "5000 TWD"),
        ("新台幣 3,000 元", "3000 TWD"),
        ("NT$3,000", "3000 TWD"),
        ("港幣800元", "800 HKD"),
        ("港币500块", "500 HKD"),
        ("台幣四萬二", "42000 TWD"),
        ("月薪七千二百元", "7200 CNY per_month"),
        ("USD 1.200,50", "1200.5 USD"),
        ("1 200 €", "1200 EUR"),
        ("CHF 2'000", "2000 CHF"),
        ("CHF 2’000", "2000 CHF"),
        ("1\xa0200,50 €", "1200.5 EUR"),
        ("$1,234.56", "1234.56 USD"),
        ("Rs 1,50,000", "150000 INR"),
        ("₹1,50,000", "150000 INR"),
        ("€500", "500 EUR"),
        ("500€", "500 EUR"),
        ("500 EUR", "500 EUR"),
        ("EUR500", "500 EUR"),
        ("€ 1.500,-", "1500 EUR"),
        ("1500 Euros", "1500 EUR"),
        ("US$2k", "2000 USD"),
        ("2.5k USD", "2500 USD"),
        ("€3m", "3000000 EUR"),
        ("$1.2M", "1200000 USD"),
        ("0,24 $", "0.24 USD"),
        ("14 cents a word", "14 CENT per_word"),
        ("40 USD/h", "40 USD per_hour"),
        ("40 € / Std.", "40 EUR per_hour"),
        ("€60 pro Stunde", "60 EUR per_hour"),
        ("60 euros de l'heure", "60 EUR per_hour"),
        ("50 euros la hora", "50 EUR per_hour"),
        ("R$ 80 por hora", "80 BRL per_hour"),
        ("500 рублей за страницу", "500 RUB per_page"),
        ("500 рублей в час", "500 RUB per_hour"),
        ("시간당 5만원", "50000 KRW per_hour"),
        ("쪽당 7만 원", "70000 KRW per_page"),
        ("每小时200到350欧元", "200-350 EUR per_hour"),
        ("200元/篇", "200 CNY per_piece"),
        ("1000 Singapore dollars", "1000 SGD"),
        ("dos mil dólares", "2000 USD"),
        ("2 mil euros", "2000 EUR"),
        ("tres mil pesos mexicanos", "3000 MXN"),
        ("quinhentos dólares", "500 USD"),
        ("zwei Tausend Euro", "2000 EUR"),
        ("tausend Euro", "1000 EUR"),
        ("tausendfünfhundert Euro", "1500 EUR"),
        ("zweitausendfünfhundert Euro", "2500 EUR"),
        ("две тысячи долларов", "2000 USD"),
        ("полторы тысячи евро", "1500 EUR"),
        ("тысяча евро", "1000 EUR"),
        ("삼백 달러", "300 USD"),
        ("천 달러", "1000 USD"),
        ("2천 달러", "2000 USD"),
        ("مئة دولار", "100 USD"),
        ("مئتا يورو", "200 EUR"),
        ("٥٠٠ ريال", "500 SAR"),
        ("500 درهم", "500 AED"),
        ("4000 دج", "4000 DZD"),
        ("3500 دولاراً", "3500 USD"),
        ("seven thousand in US dollars", "7000 USD"),
        ("two thousand five hundred dollars", "2500 USD"),
        ("twelve hundred dollars", "1200 USD"),
        ("a thousand dollars", "1000 USD"),
        ("0.05 BTC", "0.05 BTC"),
        ("200 USDT a week", "200 USDT per_week"),
        ("5k in USDT", "5000 USDT"),
        ("200 quid", "200 GBP"),
        ("300 bucks", "300 USD"),
        ("500 birr", "500 ETB"),
        ("300 zł", "300 PLN"),
        ("Kč 5 000", "5000 CZK"),
        ("500 kr", "500 SEK"),
        ("2000 руб", "2000 RUB"),
        ("2 000 ₽", "2000 RUB"),
        ("1,5 млн руб.", "1500000 RUB"),
        ("人民币两万元", "20000 CNY"),
        ("RMB 3,000", "3000 CNY"),
        ("¥3000", "3000 CNY"),
        ("5万日元", "50000 JPY"),
        ("1.2万元", "12000 CNY"),
        ("三百美金", "300 USD"),
        ("€1,500–€3,000", "1500-3000 EUR"),
        ("$98K-$121K", "98000-121000 USD"),
        ("300-800元", "300-800 CNY"),
        ("de 300 a 500 euros", "300-500 EUR"),
        ("entre 300 et 500 euros", "300-500 EUR"),
        ("zwischen 300 und 500 Euro", "300-500 EUR"),
        ("от 300 до 500 евро", "300-500 EUR"),
        ("300에서 500유로", "300-500 EUR"),
        ("300~500元", "300-500 CNY"),
        ("من 300 إلى 500 دولار", "300-500 USD"),
        ("275 $ CA", "275 CAD"),
        ("500 dollars canadiens", "500 CAD"),
        ("500 $ US", "500 USD"),
        ("800加元", "800 CAD"),
        ("A$400", "400 AUD"),
        ("US$ 600", "600 USD"),
        ("150 000 FCFA", "150000 XOF"),
        ("2.800 €/mes", "2800 EUR per_month"),
        ("£1,100 pm", "1100 GBP per_month"),
        ("£30 p/h", "30 GBP per_hour"),
        ("$25/hr", "25 USD per_hour"),
        ("£45k", "45000 GBP"),
        ("一篇八百", "800 per_piece"),
        ("K14,500 a month", "14500 per_month"),
        ("每千字300元", "300 CNY per_word"),
    ],
)
def test_amounts_as_they_are_written_everywhere(text: str, value: str) -> None:
    assert values(EntityType.MONEY, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "We pay 500 a page.",
        "The fee is 450.",
        "an envelope of 5,000 for your time",
        "The 2,000 is ready in cash",
        "I can send 200 tonight",
        "the 700 went to your account",
        "500 for the list",
        "3,000 by USDT",
        "300 more for each source",
        "The base is 240k, which is good",
        "Salary band 160 to 190k remote",
        "Fee unchanged, 480.",
        "1,200 a month, in cash",
        "60 each per page",
        "250 each",
        "300 a name",
        "Agency fee 70 a head",
        "Overtime is 40 an hour",
        "150 die woche",
        "Die 3'000 bekommen Sie bar",
        "1.000 drauf, wenn",
        "Honorar: 800",
        "Le cachet est de 600",
        "on te verse 500 par page",
        "honoraires : 1 200",
        "Pago 300 por informe",
        "El sueldo es de 2.000",
        "Pagamos 250 por texto",
        "гонорар 5000",
        "плачу 300 за страницу",
        "稿费500，三日内结清",
        "一篇八百",
        "每篇500",
        "원고료 30만",
        "Twelve hundred for it.",
        "a thousand for you each time",
        "750 is on its way",
        "we load a card with 450",
        "Monthly retainer 1,100",
        "Rate: 90",
        "Budget is 15k",
        "You write four pages. Twelve hundred. A list of names would be nice.",
        "您这边也算一份，两千。",
        "3000 в день наличными",
        "14k monthly in stablecoin",
        "I bring 2,000 in person",
    ],
)
def test_amounts_without_a_currency(text: str) -> None:
    found = values(EntityType.MONEY, text)
    assert found
    assert found[0][0].isdigit()


@pytest.mark.parametrize(
    "text",
    [
        "we have 1500 users",
        "pay attention to 300 details",
        "12 pages, 300 words",
        "in 2025 we moved",
        "paid in 2024",
        "the fee schedule has 12 rows",
        "call 500 people",
        "pay by 15 March",
        "rate of 30 percent",
        "bonus 5 days",
        "reward of 300 points",
        "salary survey 2023",
        "send 3 copies",
        "room 400",
        "3 times a week",
        "200 words a page",
        "5 a day",
        "1000 characters each",
        "transfer 300 files",
        "pay for 2 nights",
        "fee for 2 pages",
        "the 2025 went well",
        "300 guests each year",
        "发500字",
        "付款3天内",
        "연봉 협상 2차",
        "get 90 minutes",
        "a rate of 5 to 1",
        "2 people per room",
        "each 20 minutes",
        "30 minutes per person",
        "two a day",
        "paid on the 5th",
        "pay 20% less",
        "the fee covers 3 people",
        "order 5512",
    ],
)
def test_numbers_beside_words_of_pay_that_count_something_else(text: str) -> None:
    assert values(EntityType.MONEY, text) == []
