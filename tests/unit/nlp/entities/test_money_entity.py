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
