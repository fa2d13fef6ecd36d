"""Calendars and cards as a person reads them."""

import pytest

from milter.mail.finding import Source
from milter.read.carried.cards import is_card, read_card
from tests.support.carriers import calendar, card


def calendar_text(*lines: str) -> str:
    return read_card(calendar(*lines).decode().replace("\r\n", "\n")).text


def card_lines(*lines: str, version: str = "3.0") -> list[str]:
    text = read_card(card(*lines, version=version).decode().replace("\r\n", "\n")).text
    return text.split("\n")[2:]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TEL;TYPE=CELL,VOICE:+44 7700 900123", "tel: +44 7700 900123"),
        ("TEL;WORK;CELL:+44 7700 900123", "tel: +44 7700 900123"),
        ("TEL;TYPE=WhatsApp:+44 7700 900123", "tel whatsapp: +44 7700 900123"),
        ("TEL;VALUE=uri;TYPE=cell:tel:+44-7700-900123", "tel: tel:+44-7700-900123"),
        ("IMPP;X-SERVICE-TYPE=Telegram:x-apple:mira_k", "telegram: x-apple:mira_k"),
        ("IMPP:xmpp:mira@example.net", "xmpp:mira@example.net"),
        ("X-SOCIALPROFILE;type=telegram;x-user=mira:https://t.me/mira_k", "telegram: https://t.me/mira_k"),
        ("X-SOCIALPROFILE;TYPE=\"line\":mira_k", "line: mira_k"),
        ("X-WECHAT:mira_desk7", "wechat: mira_desk7"),
        ("NOTE:one\\, two\\; three\\\\four", "one, two; three\\four"),
        ("ORG:Example;Desk", "Example Desk"),
        ("URL;TYPE=home:https://t.me/mira_k", "https://t.me/mira_k"),
        ("item3.URL:https://t.me/mira_k", "https://t.me/mira_k"),
        ("NOTE;ENCODING=QUOTED-PRINTABLE:caf=C3=A9 =40mira", "café @mira"),
        ("NOTE;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:caf=E9", "café"),
        ("a line that is no property", "a line that is no property"),
    ],
)  # fmt: skip
def test_a_property_becomes_a_line(line: str, expected: str) -> None:
    assert card_lines(line) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg",
        "X-PICTURE;ENCODING=BASE64:/9j/4AAQSkZJRg",
        "UID:urn:uuid:4fbe8971",
        "REV:20261128T120000Z",
        "NOTE:",
        "X-MS-OLK-DEFAULT:x",
    ],
)
def test_housekeeping_is_left_out(line: str) -> None:
    assert card_lines(line) == []


def test_a_label_of_the_group_names_the_service() -> None:
    said = card_lines("item1.TEL:+44 7700 900123", "item1.X-ABLabel:WhatsApp")
    assert said == ["tel WhatsApp: +44 7700 900123"]
    said = card_lines("item1.TEL:+44 7700 900123", "item1.X-ABLabel:_$!<Other>!$_")
    assert said == ["tel: +44 7700 900123"]


def test_folded_lines_are_joined_in_the_middle_of_words() -> None:
    assert calendar_text("DESCRIPTION:Write on Tele", " gram: @mi", "\tra_k") == (
        "Write on Telegram: @mira_k"
    )


def test_soft_line_breaks_of_old_cards_are_joined() -> None:
    said = card_lines(
        "NOTE;ENCODING=QUOTED-PRINTABLE:Tele=", "gram=3A =", " =40mira_k", version="2.1"
    )
    assert said == ["Telegram: @mira_k"]


def test_an_event_is_read() -> None:
    text = calendar_text(
        "SUMMARY:Talk",
        "ORGANIZER;CN=\"Mira: Desk\":mailto:mira@example.net",
        "ATTENDEE:mailto:someone@example.org",
        "LOCATION:WhatsApp +44 7700 900123",
        "DESCRIPTION:first\\nsecond",
        "X-ALT-DESC;FMTTYPE=text/html:<p>third <a href=\"https://t.me/mira_k\">here</a></p>",
    )  # fmt: skip
    assert text.split("\n") == [
        "Talk",
        "organizer: Mira: Desk mailto:mira@example.net",
        "WhatsApp +44 7700 900123",
        "first",
        "second",
        "third here",
    ]


def test_links_in_styled_descriptions_are_kept() -> None:
    read = read_card("BEGIN:VCALENDAR\nX-ALT-DESC:<a href='https://t.me/mira_k'>here</a>")
    assert read.targets == ("https://t.me/mira_k",)
    assert read.source is Source.ICS


@pytest.mark.parametrize("text", ["BEGIN:VCARD\nN:x", "\ufeff begin:vcard", "\n\nBEGIN:VCALENDAR"])
def test_what_is_a_card(text: str) -> None:
    assert is_card(text)


def test_a_card_of_many_lines_ends() -> None:
    text = "BEGIN:VCARD\n" + "NOTE:" + "=" * 50_000 + "\n" + 'NOTE;"' * 20_000 + "\n" * 20_000
    assert len(read_card(text).text) < 100_000
