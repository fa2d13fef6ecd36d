"""In which language a recipient reads: policy row, domain, message, default, in this order."""

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.app.from_settings import pipeline_options
from milter.mail.address import parse_path
from milter.mail.envelope import Recipient
from milter.mail.reading import HeaderFacts
from milter.mail.verdict import Label, Mode, Verdict
from milter.settings import load_settings
from tests.support.holds import NOW

SETTINGS = """
contact = "security@example.org"
[[listen]]
role = "before_queue"
[next_hop]
host = "127.0.0.1"
[annotate]
language = "de"
follow_message_language = {follow}
[annotate.languages]
"fr.example.org" = "fr"
"bücher.example" = "es"
[[policy]]
name = "seoul"
recipients = ["seoul.example.org", "kim@fr.example.org"]
language = "ko"
"""


def recipient(address: str) -> Recipient:
    return Recipient(path=parse_path(f"<{address}>".encode(), smtputf8=False)[0])


def languages(message: str, *addresses: str, follow: bool = False) -> list[str]:
    text = SETTINGS.format(follow=str(follow).lower())
    settings = load_settings(text.encode(), source="t").settings
    decided = pipeline_options(settings, banner_key=b"", mode=Mode.ANNOTATE).policy.decide(
        Verdict(label=Label.LURE, score_db=25, probability=0.1, language=message),
        HeaderFacts(),
        tuple(recipient(address) for address in addresses),
        role="before_queue",
        today=NOW.date(),
    )
    found = {
        one.path.raw.decode(): each.banner_language for each in decided for one in each.recipients
    }
    return [found[address] for address in addresses]


@pytest.mark.parametrize("follow", [False, True])
def test_row_before_domain_before_the_rest(follow: bool) -> None:
    addresses = ("a@seoul.example.org", "kim@fr.example.org", "b@FR.example.org")
    assert languages("ru", *addresses, follow=follow) == ["ko", "ko", "fr"]


def test_a_domain_is_the_same_in_unicode_and_on_the_wire() -> None:
    assert languages("ru", "a@xn--bcher-kva.example") == ["es"]


@pytest.mark.parametrize("message", LANGUAGES)
def test_the_message_is_followed_only_where_that_is_wanted(message: str) -> None:
    assert languages(message, "a@example.org", follow=True) == [message]
    assert languages(message, "a@example.org") == ["de"]


@pytest.mark.parametrize("message", ["und", "tlh", ""])
def test_a_message_in_no_language_of_ours_gets_the_default(message: str) -> None:
    assert languages(message, "a@example.org", follow=True) == ["de"]


def test_one_message_speaks_to_each_in_their_own() -> None:
    addresses = ("a@fr.example.org", "b@example.org", "c@fr.example.org")
    assert languages("en", *addresses) == ["fr", "de", "fr"]
