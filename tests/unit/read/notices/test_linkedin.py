"""What the reader says of LinkedIn's notices: kind, member, thread, words, signatures."""

import pytest

from milter.examine import examine
from milter.mail.reading import Facts, Reading
from milter.read.notices.words import own_text
from tests.support.notices import HINTS, RECIPIENT_HEADLINE, THREAD, Notice, signed

DIGEST = {
    "sender": "LinkedIn", "address": "messaging-digest-noreply@linkedin.com", "reply_to": "",
    "subject": "Mara just messaged you", "template": "email_member_message_v2", "klass": "",
    "shown": "Mara",
}  # fmt: skip
PARTS = [("plain", "html"), ("plain",), ("html",)]


def read(**what) -> Reading:
    return examine(signed(Notice(**what).raw()), Facts(wants_text=True))


def words(reading: Reading) -> str:
    """What stands where the notice says that the member's words are."""
    notice = reading.notice
    text = ""
    for segment in reading.segments:
        if segment.part == notice.words_part:
            text = text.ljust(segment.base) + segment.text
    return text[notice.words_start : notice.words_end]


@pytest.mark.parametrize("parts", PARTS)
def test_a_recruiters_inmail(parts):
    reading = read(parts=parts, headline="Senior Consultant at Northbridge Advisory")
    notice = reading.notice
    assert (notice.platform, notice.kind, notice.persona) == ("linkedin", "inmail", "Mara Quell")
    assert (notice.organisation, notice.role) == ("Northbridge Advisory", "Senior Consultant")
    assert notice.thread == THREAD
    assert notice.is_from_platform
    assert notice.answers_on_platform
    said = words(reading)
    assert said.startswith("Hello Robin,")
    assert said.endswith("Mara")
    assert HINTS in said
    assert RECIPIENT_HEADLINE not in said


@pytest.mark.parametrize("parts", PARTS)
def test_a_digest_has_the_first_name_from_its_subject(parts):
    reading = read(parts=parts, **DIGEST)
    assert reading.notice.kind == "message"
    assert (reading.notice.persona, reading.notice.first_name_only) == ("Mara", True)
    assert words(reading).startswith("Hello Robin,")


def test_a_digest_that_shows_the_whole_name_gives_it():
    notice = read(**(DIGEST | {"shown": "Mara Quell"})).notice
    assert (notice.persona, notice.first_name_only) == ("Mara Quell", False)


@pytest.mark.parametrize(
    ("what", "kind", "persona"),
    [
        ({"address": "hit-reply@linkedin.com", "template": "email_member_message_v2", "klass": "", "subject": "Re: paper"}, "message", "Mara Quell"),
        ({"address": "invitations@linkedin.com", "template": "email_m2m_invite_single_01", "klass": "", "subject": "I want to connect"}, "invitation", "Mara Quell"),
        ({"address": "invitations@linkedin.com", "template": "email_m2m_invite_digest_02", "klass": "", "sender": "Mara Quell via LinkedIn"}, "invitation", "Mara Quell"),
        ({"address": "anything-new@linkedin.com", "template": "email_hire_inmail_reminder_77"}, "inmail", "Mara Quell"),
        ({"template": "", "klass": "INMAIL"}, "inmail", "Mara Quell"),
        ({"template": "jobs_applicant_applied", "klass": "", "sender": "LinkedIn", "subject": "Your application was sent to Quellwerk", "shown": "Quellwerk"}, "application", ""),
        ({"template": "email_job_alert_digest_01", "klass": "SAVEDSEARCH", "sender": "LinkedIn Job Alerts"}, "other", ""),
        ({"template": "email_pymk_02", "klass": "", "sender": "LinkedIn", "subject": "Robin, add Mara Quell - Consultant"}, "other", ""),
        ({"template": "email_security_x", "klass": "", "sender": "LinkedIn"}, "other", ""),
        ({"template": "", "klass": "", "address": "newsletters-noreply@linkedin.com"}, "other", ""),
        ({"template": "", "klass": "", "address": "news@e.linkedin.com"}, "other", ""),
    ],
)  # fmt: skip
def test_kinds_go_by_template_class_and_subject_never_by_local_part(what, kind, persona):
    notice = read(**what).notice
    assert (notice.kind, notice.persona) == (kind, persona)


def test_an_application_names_the_company():
    notice = read(
        template="jobs_applicant_applied", klass="", sender="LinkedIn",
        subject="Your application to Analyst at Quellwerk",
    ).notice  # fmt: skip
    assert (notice.organisation, notice.role) == ("Quellwerk", "Analyst")


def test_ordinary_mail_is_no_notice():
    raw = b"From: Mara Quell <m@firm.example>\r\nTo: a@werk.test\r\nSubject: x\r\n\r\nHello.\r\n"
    assert examine(raw, Facts()).notice is None


@pytest.mark.parametrize(
    "what",
    [
        {"address": "inmail@linkedln-mail.example"},
        {
            "address": "m@mail.example",
            "template": "",
            "klass": "",
            "sender": "Mara Quell via LinkedIn",
        },
    ],
)
def test_the_form_without_the_network_is_told_as_such(what):
    notice = read(**what).notice
    assert notice.platform == "linkedin"
    assert not notice.is_from_platform


def test_what_signatures_cover_stands_once_and_is_named():
    raw = signed(Notice().raw(), "linkedin.com")
    assert set(examine(raw, Facts()).notice.signatures[0].covers) >= {"from", "to", "date"}
    twice = b"To: Someone <else@werk.test>\r\n" + raw
    assert "to" not in examine(twice, Facts()).notice.signatures[0].covers
    part = signed(Notice().raw(), "linkedin.com", length=10)
    assert examine(part, Facts()).notice.signatures[0].covers == ()


def test_entities_of_a_notice_are_there_though_the_screen_lets_it_go():
    quiet = {"message": "See you.\nMara\nmara@northbridge-advisory.example", "subject": "Hi"}
    reading = read(**quiet)
    assert "mara@northbridge-advisory.example" in {e.value for e in reading.analysis.entities}
    assert not reading.screened
    assert reading.analysis.intents == ()
    assert reading.analysis.likeness is None
    raw = Notice(**quiet).raw().replace(b"@linkedin.com", b"@firm.example")
    plain = raw.replace(b"X-LinkedIn", b"X-Firm")
    assert examine(plain, Facts()).notice is None
    assert not examine(plain, Facts()).screened
    assert examine(plain, Facts(read_in_full=True)).screened


def test_the_members_own_text_is_what_stands_between_head_and_foot():
    for parts in PARTS:
        reading = read(parts=parts)
        said = own_text(reading.segments, reading.notice)
        assert HINTS in said
        assert RECIPIENT_HEADLINE not in said
        assert "LinkedIn" not in said
