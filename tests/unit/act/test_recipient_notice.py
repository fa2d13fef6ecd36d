"""The separate mail about protected mail: which mail it is about, the banner, and nothing that acts."""

import email
import email.policy
import html
from dataclasses import replace
from email.message import EmailMessage

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.act.plan import ActOptions
from milter.act.recipient_notice import NoticeSender, RecipientNotice, compose_notice
from milter.mail.address import NULL_PATH
from milter.mail.envelope import Connection, Envelope, Transaction
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.reading import Facts, HeaderFacts, NamedMailbox, Reading
from milter.mail.verdict import Action, Disposition, Label, Mode, Verdict, WeighedFinding
from milter.read.message_reader import read_message
from tests.support.holds import NOW, recipient
from tests.unit.act.by_hand import TEXTS

OPTIONS = ActOptions(
    mode=Mode.ANNOTATE, texts=TEXTS, banner_key=b"key", contact="Security, security@example.org"
)
SENDER = NoticeSender(hostname="gw.example.org", contact="security@example.org")
RECIPIENTS = (recipient("ina@example.org", b"NOTIFY=SUCCESS"), recipient("ole@example.org"))
RAW = b"From: mara@example.net\r\nSubject: x\r\nMessage-ID: <a1@example.net>\r\n\r\nbody\r\n"


def notice(
    language: str = "en",
    *,
    subject: str = "A small study",
    message_id: str = "<a1@example.net>",
    may_hold: bool = False,
    raw: bytes = RAW,
    options: ActOptions = OPTIONS,
) -> RecipientNotice:
    header = HeaderFacts(
        header_from=(NamedMailbox(display_name="Mara", address="mara@example.net", domain="e"),),
        subject=subject,
        message_id=message_id,
    )
    evidence = Evidence(source=Source.BODY, part="1", start=0, end=9, text="on Signal")
    finding = Finding(code="OFFPLATFORM", check="language", evidence=(evidence,))
    weighed = WeighedFinding(finding=finding, family="channel", weight_db=6, summary="")
    return compose_notice(
        Transaction(
            transaction_id="t1",
            role="mx",
            received_at=NOW,
            connection=Connection(client_ip="192.0.2.1"),
            envelope=Envelope(reverse_path=NULL_PATH, recipients=RECIPIENTS),
            raw=raw,
        ),
        recipients=RECIPIENTS,
        reading=Reading(size_bytes=len(raw), header=header),
        verdict=Verdict(
            label=Label.LURE, score_db=30, probability=0.3, findings=(weighed,), may_hold=may_hold
        ),
        disposition=Disposition(
            action=Action.ANNOTATE, rule="r", recipients=RECIPIENTS, banner_language=language
        ),
        options=options,
        sender=SENDER,
        now=NOW,
    )


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return " ".join(part.get_content().split())


def test_it_belongs_to_the_mail_and_causes_no_answer() -> None:
    made = notice()
    message = parsed(made.raw)
    assert message["From"] == "Note from your mail security <lurewall@gw.example.org>"
    assert message["To"] == "undisclosed-recipients:;"
    assert message["Reply-To"] == "security@example.org"
    assert message["Subject"] == 'Note about "A small study"'
    assert message["In-Reply-To"] == message["References"] == "<a1@example.net>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@gw.example.org>")
    assert made.recipients == RECIPIENTS
    assert b"ina@" not in made.raw


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("strong", [False, True])
def test_both_parts_say_what_the_banner_would(language: str, strong: bool) -> None:
    message = parsed(notice(language, may_hold=strong).raw)
    words = TEXTS.languages[language]
    title = words.sentences["strong_title" if strong else "notice_title"]
    for kind in ("plain", "html"):
        text = "".join(html.unescape(text_of(message, kind)).split())
        assert "".join(title.split()) in text
        assert "mara[at]example[.]net" in text
        assert "onSignal" in text
        assert "Asmallstudy" in text
    page = text_of(message, "html")
    assert f'<html lang="{words.tag}" dir="{words.direction}">' in page
    assert message["Content-Language"] == words.tag
    assert all(len(line) <= 998 for line in notice(language).raw.split(b"\r\n"))


def test_what_the_sender_wrote_does_not_act() -> None:
    nasty = 'Offer\r\nBcc: all@example.org\r\n\r\n<img src=x> https://evil.example "\u202egnp'
    message = parsed(notice(subject=nasty).raw)
    assert message["Bcc"] is None
    assert "https://" not in message["Subject"]
    assert "<img" not in text_of(message, "html")
    assert "\u202e" not in text_of(message, "plain")


@pytest.mark.parametrize(
    "message_id", ["", "<a b@c>", "<a@b>\r\nX: y", "a@b", "<ä@b>", "<a@b> <c@d>"]
)
def test_a_message_id_that_is_none_is_not_repeated(message_id: str) -> None:
    message = parsed(notice(message_id=message_id).raw)
    assert message["In-Reply-To"] is None
    assert message["X"] is None


def test_a_mail_without_subject_is_named_all_the_same() -> None:
    assert parsed(notice(subject="").raw)["Subject"] == 'Note about "-"'


def test_the_same_notice_has_the_same_octets_and_another_mail_another_id() -> None:
    assert notice().raw == notice().raw
    other = parsed(notice(raw=RAW.replace(b"a1@", b"a2@")).raw)
    assert other["Message-ID"] != parsed(notice().raw)["Message-ID"]


def test_our_own_words_in_it_are_known_again() -> None:
    read = read_message(notice().raw, Facts(banner_key=b"key"))
    seen = " ".join(segment.text for segment in read.segments)
    assert "You have received the mail" in seen
    assert "private channel" not in seen
    foreign = read_message(notice().raw, Facts(banner_key=b"other"))
    assert "private channel" in " ".join(segment.text for segment in foreign.segments)


def test_the_link_comes_only_where_one_is_configured() -> None:
    assert b"href" not in notice().raw
    linked = notice(options=replace(OPTIONS, report_url="https://intranet.example.org/r"))
    assert 'href="https://intranet.example.org/r"' in text_of(parsed(linked.raw), "html")
