"""Accounts to pay to are known by shape and check digits, and never for cards."""

import pytest

from nlp.analysis import EntityType, LinkText
from nlp.entities import find_entities
from tests.support.entities import readable, texts_of, values

PAYMENT = EntityType.PAYMENT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pay to DE89370400440532013000 thanks", "iban:DE89370400440532013000"),
        ("IBAN: gb29 nwbk 6016 1331 9268 19 this week", "iban:GB29NWBK60161331926819"),
        ("FR14 2004 1010 0505 0001 3M02 606, merci", "iban:FR1420041010050500013M02606"),
        ("BTC 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "btc:1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("to 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy.", "btc:3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        (
            "to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq please",
            "btc:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        ),
        (
            "ETH 0x52908400098527886E0F7030069857D2E4169EE7",
            "evm:0x52908400098527886e0f7030069857d2e4169ee7",
        ),
        ("TRC20 TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL", "tron:TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL"),
        ("https://www.PayPal.me/AnnaK", "paypal:annak"),
        ("wise.com/pay/me/annak12", "wise:annak12"),
        ("https://revolut.me/annak?x=1", "revolut:annak"),
        ("my Revolut tag is @AnnaK", "revolut:annak"),
        ("Cash App: $annak", "cashapp:annak"),
    ],
)
def test_accounts(text, value):
    assert values(PAYMENT, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1111",
        "DE89370400440532013001",  # check digits
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
        "commit 52908400098527886e0f7030069857d2e4169ee7",
        "paypal.com/home, revolut.com and wise.com",
    ],
)
def test_no_accounts(text):
    assert values(PAYMENT, text) == []


def test_a_word_behind_an_account_is_no_part_of_it():
    assert texts_of(PAYMENT, "DE89 3704 0044 0532 0130 00 this week") == [
        "DE89 3704 0044 0532 0130 00"
    ]


def test_a_link_that_the_text_hides_is_an_account_too():
    link = LinkText("https://paypal.me/annak", "here", "1")
    found = find_entities(readable("Pay here please.", links=(link,)))
    assert [one.value for one in found if one.type is PAYMENT] == ["paypal:annak"]
