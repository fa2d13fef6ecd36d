"""Contacts that stand only in an attachment, a picture or a link: how many of them are found.

Every hiding place holds each of the contacts below in turn, in an invented mail whose text says
only that a contact is attached. What is asked for is the handle (service and normalised value)
among the entities of a whole examination, so reading and recognition are measured together. The
last test is the control: the same places with nothing to find.
"""

import gzip
from collections.abc import Callable
from typing import Final

import pytest

from milter.examine import examine
from milter.mail.finding import Source
from milter.mail.reading import Facts
from tests.support import carriers, old_office

LEAST_FOUND: Final = 0.9

# Deep links of messengers, one or more a service, with the handle that each is.
LINKS: Final = {
    "https://wa.me/447700900123": "whatsapp:+447700900123",
    "https://api.whatsapp.com/send?phone=447700900124": "whatsapp:+447700900124",
    "https://t.me/mira_kovac": "telegram:mira_kovac",
    "https://t.me/+447700900125": "telegram:+447700900125",
    "tg://resolve?domain=mira_desk": "telegram:mira_desk",
    "https://signal.me/#p/+447700900126": "signal:+447700900126",
    "https://line.me/ti/p/~mira.desk": "line:mira.desk",
    "https://u.wechat.com/kIgR4pTzQw8": "wechat",
    "weixin://dl/chat?mira_desk7": "wechat:mira_desk7",
    "https://open.kakao.com/o/sA1bC2dE": "kakaotalk",
    "https://invite.viber.com/?g2=AQB1x2y3z4": "viber",
    "https://zalo.me/84912345678": "zalo:+84912345678",
    "https://qm.qq.com/q/aBcDeFgH12": "qq",
    "https://work.weixin.qq.com/u/vc1a2b3c4d5e": "wecom",
    "https://discord.gg/aBcD1234": "discord",
    "https://matrix.to/#/@mira:example.org": "matrix:@mira:example.org",
    "https://account.wire.com/user-profile/?id=0b1c2d3e-1111-4222-8333-444455556666": "wire",
    "https://threema.id/ABCD1234": "threema:abcd1234",
    "https://join.skype.com/invite/aBcD1234": "skype",
    "https://m.me/mira.kovac": "messenger:mira.kovac",
    "https://ig.me/m/mira_kovac": "instagram:mira_kovac",
    "https://www.snapchat.com/add/mira-kovac": "snapchat:mira-kovac",
    "https://vk.me/mira_kovac": "vk:mira_kovac",
    "https://applink.feishu.cn/client/chat/open?openId=ou_1a2b3c4d": "lark",
}
# The same as people write it.
WORDS: Final = {
    "WhatsApp: +44 7700 900123": "whatsapp:+447700900123",
    "Write to me on WhatsApp +1 202 555 0143": "whatsapp:+12025550143",
    "Telegram: @mira_kovac": "telegram:mira_kovac",
    "Find me on Telegram as @mira_desk": "telegram:mira_desk",
    "Signal: mira.42": "signal:mira.42",
    "My Signal username is mira_desk.77": "signal:mira_desk.77",
    "WeChat ID: mira_desk7": "wechat:mira_desk7",
    "WeChat: mirakovac88": "wechat:mirakovac88",
    "LINE ID: mira.desk": "line:mira.desk",
    "KakaoTalk ID: miradesk": "kakaotalk:miradesk",
    "Viber: +44 7700 900127": "viber:+447700900127",
    "Zalo: +84 912 345 678": "zalo:+84912345678",
    "QQ: 1357924680": "qq:1357924680",
    "Discord: mira_kovac": "discord:mira_kovac",
    "Matrix: @mira:example.org": "matrix:@mira:example.org",
    "Wire: @mirakovac": "wire:mirakovac",
    "Threema ID: ABCD1234": "threema:abcd1234",
    "Skype: live:mira.kovac": "skype:live:mira.kovac",
    "Snapchat: mira-kovac": "snapchat:mira-kovac",
    "Instagram: @mira_kovac": "instagram:mira_kovac",
    "https://t.me/mira_third": "telegram:mira_third",
    "https://wa.me/447700900128": "whatsapp:+447700900128",
}
_OCTETS = "application/octet-stream"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_DULL_PAGE = ["Short overview", "Two sections and a table", "here"]


def _attached(octets: bytes, media_type: str, name: str) -> bytes:
    return carriers.mail((octets, media_type, name))


def _html(inner: str) -> bytes:
    return carriers.mail(html=carriers.HTML_COVER + inner)


BY_LINK: Final[dict[str, Callable[[str], bytes]]] = {
    "picture": lambda link: _attached(carriers.picture(link), "image/png", "a.png"),
    "turned in a photo": lambda link: _attached(
        carriers.picture(link, "JPEG", size=1_400, angle=20), "image/jpeg", "a.jpg"
    ),
    "inline picture": lambda link: carriers.mail(
        (carriers.picture(link, "GIF"), "image/gif", "cid:one"),
        html=f'{carriers.HTML_COVER}<img src="cid:one">',
    ),
    "data URI": lambda link: _html(carriers.data_uri(carriers.picture(link))),
    "code on a PDF page": lambda link: _attached(
        carriers.pdf(_DULL_PAGE, code=link), "application/pdf", "a.pdf"
    ),
    "code drawn on a PDF page": lambda link: _attached(
        carriers.pdf(_DULL_PAGE, code=link, drawn=True), "application/pdf", "a.pdf"
    ),
    "code in a Word file": lambda link: _attached(
        carriers.docx("Overview", image=carriers.picture(link)), _WORD_TYPE, "a.docx"
    ),
    "link of a PDF page": lambda link: _attached(
        carriers.pdf(_DULL_PAGE, links={"here": link}), "application/pdf", "a.pdf"
    ),
    "link of a Word file": lambda link: _attached(
        carriers.docx("Overview", link=(link, "the form")), _WORD_TYPE, "a.docx"
    ),
    "link of an Excel file": lambda link: _attached(
        carriers.xlsx("Overview", link=(link, "the form")), _OCTETS, "a.xlsx"
    ),
    "link of a slide": lambda link: _attached(
        carriers.pptx("Overview", link=(link, "the form")), _OCTETS, "a.pptx"
    ),
    "code in an old Word file": lambda link: _attached(
        old_office.doc("Overview", picture=carriers.picture(link)), "application/msword", "a.doc"
    ),
    "link of an old Word file": lambda link: _attached(
        old_office.doc("See ", old_office.field(f' HYPERLINK "{link}" ', "the form")),
        "application/msword",
        "a.doc",
    ),
    "link of an old Excel file": lambda link: _attached(
        old_office.xls(old_office.shared("Overview"), old_office.sheet_link(link)),
        _OCTETS,
        "a.xls",
    ),
    "link of an old slide": lambda link: _attached(
        old_office.ppt("Overview", links=[old_office.slide_link(link, "the form")]),
        _OCTETS,
        "a.ppt",
    ),
    "code in an archive": lambda link: _attached(
        carriers.zipped({"JD/code.png": carriers.picture(link)}), "application/zip", "JD.zip"
    ),
    "link of a Word file in an archive": lambda link: _attached(
        carriers.zipped({"JD.docx": carriers.docx("Overview", link=(link, "the form"))}),
        _OCTETS,
        "JD.zip",
    ),
    "URL of a card": lambda link: _attached(carriers.card(f"URL:{link}"), _OCTETS, "a.vcf"),
    "link under other words": lambda link: _html(f'<a href="{link}">the company page</a>'),
}
BY_WORDS: Final[dict[str, Callable[[str], bytes]]] = {
    "text of a PDF": lambda words: _attached(
        carriers.pdf([*_DULL_PAGE, words], pages_before=1), "application/pdf", "a.pdf"
    ),
    "text of a Word file": lambda words: _attached(
        carriers.docx(f"Overview\n{words}"), _WORD_TYPE, "a.docx"
    ),
    "footer of a Word file": lambda words: _attached(
        carriers.docx(words, part="footer2"), _OCTETS, "a.docx"
    ),
    "shared string of Excel": lambda words: _attached(carriers.xlsx(words), _OCTETS, "a.xlsx"),
    "cell of Excel": lambda words: _attached(carriers.xlsx(words, inline=True), _OCTETS, "a.xlsx"),
    "slide": lambda words: _attached(carriers.pptx(words), _OCTETS, "a.pptx"),
    "OpenDocument text": lambda words: _attached(carriers.odt(words), _OCTETS, "a.odt"),
    "calendar": lambda words: _attached(
        carriers.calendar("SUMMARY:Talk", *_folded(f"DESCRIPTION:An hour\\n{_escaped(words)}")),
        "text/calendar",
        "a.ics",
    ),
    "calendar of a wrong type": lambda words: _attached(
        carriers.calendar(f"LOCATION:{_escaped(words)}"), _OCTETS, "a.ics"
    ),
    "card": lambda words: _attached(
        carriers.card(*_folded(f"NOTE:{_escaped(words)}")), "text/vcard", "a.vcf"
    ),
    "old card": lambda words: _attached(
        carriers.card(
            "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=", _quoted(words), version="2.1"
        ),
        _OCTETS,
        "a.vcf",
    ),
    "attached mail": lambda words: _attached(
        carriers.attached_message(f"{words}\r\n"), _OCTETS, "a.eml"
    ),
    "forwarded mail": lambda words: carriers.raw_mail(
        f"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n{words}\r\n"
    ),
    "file in an attached mail": lambda words: _attached(
        carriers.attached_message("See the file.\r\n", (carriers.docx(words), _OCTETS, "b.docx")),
        _OCTETS,
        "a.eml",
    ),
    "old Word file": lambda words: _attached(
        old_office.doc("Overview\r", f"{words}\r"), "application/msword", "a.doc"
    ),
    "old Excel file": lambda words: _attached(
        old_office.xls(old_office.shared("Overview", words)), _OCTETS, "a.xls"
    ),
    "comment of an old Excel file": lambda words: _attached(
        old_office.xls(old_office.text_box(words)), _OCTETS, "a.xls"
    ),
    "old slide": lambda words: _attached(
        old_office.ppt("Overview", words), "application/vnd.ms-powerpoint", "a.ppt"
    ),
    "saved Outlook item": lambda words: _attached(
        old_office.msg("A question", words), "application/vnd.ms-outlook", "a.msg"
    ),
    "text in an archive": lambda words: _attached(
        carriers.zipped({"contact.txt": words}), "application/zip", "JD.zip"
    ),
    "PDF in an archive in an archive": lambda words: _attached(
        carriers.zipped({"a.zip": carriers.zipped({"b.pdf": carriers.pdf([*_DULL_PAGE, words])})}),
        _OCTETS,
        "JD.zip",
    ),
    "mail in a packed tar": lambda words: _attached(
        gzip.compress(carriers.tarred({"a.eml": carriers.attached_message(f"{words}\r\n")})),
        "application/gzip",
        "JD.tar.gz",
    ),
    "hidden text of HTML": lambda words: _html(f'<div style="display:none">{words}</div>'),
}


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> list[str]:
    """RFC 5545 §3.1, in the middle of words."""
    return [line[:20], *(f" {line[at : at + 15]}" for at in range(20, len(line), 15))]


def _quoted(words: str) -> str:
    return "".join(f"={ord(char):02X}" if char in "+@:=" else char for char in words)


def handles(raw: bytes) -> set[str]:
    """The handles of a whole examination: their services, and service and name."""
    analysis = examine(raw, Facts(wants_text=True)).analysis
    assert analysis is not None
    found = [entity for entity in analysis.entities if entity.type == "handle"]
    return {entity.platform for entity in found} | {entity.value for entity in found}


def missed(place: Callable[[str], bytes], contacts: dict[str, str]) -> list[str]:
    return [said for said, handle in contacts.items() if handle not in handles(place(said))]


def test_there_are_contacts_enough() -> None:
    assert min(len(LINKS), len(WORDS)) >= 20
    assert len({handle.partition(":")[0] for handle in (*LINKS.values(), *WORDS.values())}) >= 20


@pytest.mark.parametrize("place", BY_LINK)
def test_links_are_found(place: str) -> None:
    lost = missed(BY_LINK[place], LINKS)
    assert len(lost) <= (1 - LEAST_FOUND) * len(LINKS), lost


@pytest.mark.parametrize("place", BY_WORDS)
def test_words_are_found(place: str) -> None:
    lost = missed(BY_WORDS[place], WORDS)
    assert len(lost) <= (1 - LEAST_FOUND) * len(WORDS), lost


@pytest.mark.parametrize("place", [*BY_LINK, *BY_WORDS])
def test_where_there_is_no_contact_none_is_found(place: str) -> None:
    if place in BY_LINK:
        assert handles(BY_LINK[place]("https://www.example.com/overview")) == set()
    else:
        assert handles(BY_WORDS[place]("The room is booked from nine to eleven.")) == set()


@pytest.mark.parametrize(
    "place",
    [
        place
        for place in [*BY_LINK, *BY_WORDS]
        if "HTML" not in place and "other words" not in place
    ],
)
def test_what_is_carried_is_said_to_be(place: str) -> None:
    build = BY_LINK.get(place)
    raw = build("https://t.me/mira_kovac") if build else BY_WORDS[place]("Telegram: @mira_kovac")
    reading = examine(raw, Facts(wants_text=True))
    codes = {finding.code for finding in reading.outcomes[0].findings}
    # What somebody else wrote in a mail that is passed on is no offer of the sender.
    assert ("HANDLE_CARRIED" in codes) is (place != "forwarded mail")
    sources = {segment.source for segment in reading.segments}
    assert sources & {Source.ATTACHMENT, Source.QR, Source.ICS, Source.VCARD, Source.QUOTED}
