"""One mailbox, one number, one name: however it is written, it is one trait."""

import pytest

from milter.check.engagement.direct_mail import traits_of
from milter.check.language import check_language
from milter.mail.engagement import Trait, TraitKind, address_trait
from milter.mail.finding import Source
from milter.mail.reading import Segment

PHONE = Trait(TraitKind.PHONE, "+6581234567")
TELEGRAM = Trait(TraitKind.HANDLE, "telegram:expert_desk")
WECHAT = Trait(TraitKind.HANDLE, "wechat:anna_k88")


def traits(text):
    """All that a mail gives, from a text that is read whatever the screen says."""
    checked = check_language(
        segments=(Segment(source=Source.BODY, part="1", text=text, base=0),), hidden=(), links=(),
        file_names=(), names=(), own_domains=(), read_in_full=True,
    )  # fmt: skip
    return set(traits_of(checked.analysis.entities))


@pytest.mark.parametrize(
    ("text", "trait"),
    [
        ("Write me on https://wa.me/6581234567", PHONE),
        ("My WhatsApp is +65 8123 4567", PHONE),
        ("https://api.whatsapp.com/send?phone=006581234567", PHONE),
        ("Call 0065 8123 4567, tel", PHONE),
        ("On Telegram I am @Expert_Desk", TELEGRAM),
        ("https://t.me/Expert_Desk", TELEGRAM),
        ("tg://resolve?domain=expert_desk", TELEGRAM),
        ("WeChat: Anna_K88", WECHAT),
        ("my WeChat id is ANNA_k88", WECHAT),
        ("pay DE89 3704 0044 0532 0130 00", Trait(TraitKind.PAYMENT, "iban:DE89370400440532013000")),
        ("anna.k+jobs@googlemail.com", address_trait("annak@gmail.com")),
        ("anna.k (at) gmail (dot) com", address_trait("annak@gmail.com")),
    ],
)  # fmt: skip
def test_spellings_are_one_trait(text, trait):
    assert traits(text) == {trait}


def test_dots_mean_something_elsewhere_and_tags_nowhere():
    assert address_trait("A.B+x@Firm.test") == Trait(TraitKind.ADDRESS, "a.b@firm.test")
    assert address_trait("+@firm.test").value == "+@firm.test"


def test_an_extension_is_nobodys_number():
    assert traits("please dial ext. 3302") == set()
