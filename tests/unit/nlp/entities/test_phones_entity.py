"""Telephone numbers: written, dictated, in other digits, and the numbers that are something else."""

import pytest

from nlp.analysis import EntityType
from nlp.entities.phones import e164
from tests.support.entities import texts_of, values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call +44 7700 900123 now", "+447700900123"),
        ("call +44-7700-900123.", "+447700900123"),
        ("General Counsel\n+44 7700 900123", "+447700900123"),
        ("+49 (0)171 2345678", "+491712345678"),
        ("0044 7700 900123", "+447700900123"),
        ("+1 (514) 555-0123", "+15145550123"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("+８６１３８００１３８０００", "+8613800138000"),
        ("+999 12 345 6789", "+999123456789"),  # no such country: still a number
        ("Tel: 0171 2345678", "01712345678"),
        ("tél. 06 12 34 56 78", "0612345678"),
        ("(514) 555-0123", "5145550123"),
        ("514-555-0123", "5145550123"),
        ("phone 514.555.0123", "5145550123"),
        ("1-800-555-0123", "18005550123"),
        ("514 555 0123", "5145550123"),
        ("06.12.34.56.78", "0612345678"),
        ("8 (912) 345-67-89", "89123456789"),
        ("11 95550-0164", "11955500164"),
        ("手机13800138000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("전화 010-1234-5678", "01012345678"),
        ("هاتف: ٠٥٠١٢٣٤٥٦٧", "0501234567"),
        ("هاتف ۰۹۱۲۱۲۳۴۵۶۷", "09121234567"),
        ("моб. 8 912 345-67-89", "89123456789"),
        ("Tel.+34 936 00 23 23", "+34936002323"),
        ("tel:+44-7700-900123", "+447700900123"),
        ("+ 4 4 7 7 0 0 9 0 0 1 2 3", "+447700900123"),
        ("plus four four, seven seven double zero nine hundred one two three", "+447700900123"),
        ("oh seven seven double-zero nine double zero one two three", "07700900123"),
        (
            "plus trente-trois six douze trente-quatre cinquante-six soixante-dix-huit",
            "+33612345678",
        ),
        ("zéro six quatre-vingt-dix-sept douze trente-quatre cinquante-six", "0697123456"),
        ("null eins sieben eins zwei drei vier fünf sechs sieben", "0171234567"),
        ("plus neunundvierzig eins sieben eins dreiundzwanzig vierundvierzig", "+491712344"),
        ("seis uno dos tres cuatro cinco seis siete ocho", "612345678"),
        ("nove um dois três quatro cinco seis sete oito", "912345678"),
        ("плюс семь девять один два три четыре пять шесть семь восемь девять", "+79123456789"),
        ("صفر خمسة صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة", "0501234567"),
        ("一三八零零一三八零零零", "13800138000"),
        ("幺三八 零零幺三 八零零零", "13800138000"),
        ("공일공 일이삼사 오육칠팔", "01012345678"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    assert values(EntityType.PHONE, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "order 20231145678",
        "Order no. 514-555-0123",
        "invoice #0171 2345678",
        "订单号 13800138000",
        "Bestellnummer 0171 2345678",
        "IBAN DE89 3704 0044 0532 0130 00",
        "on 2025-03-12 10:00",
        "12.03.2025 14:30",
        "1998-2003 2004",
        "at 192.168.100.200",
        "version 10.15.7600.1",
        "$1 500 000",
        "+5 000 000 EUR",
        "1.500.000 euros",
        "3 000 000 €",
        "index 000000000000..7670e93f0152",
        "RDX: 0000000000000200",
        "GPG: 03B0 0D6C 0040 0710 4AFA",
        "two or three of them, maybe four or five, six at most",
        "会议号 123 456 789",
        "二零二四年三月十二日",
        "isbn 978-0-306-40615-7",
        "1234567",
        "pages 100-110",
        "a1b2c3d4e5f6",
    ],
)
def test_numbers_that_are_something_else(text: str) -> None:
    assert values(EntityType.PHONE, text) == []


def test_the_span_is_the_number_alone() -> None:
    assert texts_of(EntityType.PHONE, "Call me: +44 7700 900123, ask for Ana.") == [
        "+44 7700 900123"
    ]
    assert texts_of(EntityType.PHONE, "(+44 7700 900123)") == ["+44 7700 900123"]


def test_two_numbers_on_a_line() -> None:
    assert values(EntityType.PHONE, "Tel +44 7700 900123 / +44 7700 900124") == [
        "+447700900123",
        "+447700900124",
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("%2B447700900123", "+447700900123"),
        ("٠٥٠ ١٢٣ ٤٥٦٧", "0501234567"),
        ("514-555-0123", "5145550123"),
    ],
)
def test_e164_where_the_country_is_clear(written: str, value: str) -> None:
    assert e164(written) == value
