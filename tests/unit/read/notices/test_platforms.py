"""The table of networks, and notices of others than LinkedIn."""

import re
import tomllib
from importlib.resources import files

import pytest

from milter.examine import examine
from milter.mail.reading import Facts
from milter.read import notices
from milter.read.notices.platforms import table

DATA = tomllib.loads(files(notices).joinpath("platforms.toml").read_text("utf-8"))
KINDS = {"message", "inmail", "invitation", "application", "other"}
TOPICS = {"form", "domains", "aliases", "signing", "reply_hosts", "templates", "classes", "thread"}


@pytest.mark.parametrize("platform", DATA["platform"], ids=lambda one: one["id"])
def test_every_entry_is_whole_and_says_what_was_checked(platform):
    subjects = {f"subjects.{language}" for language in DATA["subjects"]}
    assert set(platform["checked"]) <= TOPICS | subjects
    assert platform["names"]
    assert platform["domains"]
    assert platform["signing"]
    kinds = {*platform.get("templates", {}), *platform.get("classes", {})}
    assert kinds <= KINDS
    hosts = [*platform["domains"], *platform["signing"], *platform.get("reply_hosts", ())]
    assert all(re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", host) for host in hosts)


def test_no_domain_belongs_to_two():
    domains = [
        domain for one in DATA["platform"] for domain in (*one["domains"], *one.get("aliases", ()))
    ]
    assert len(domains) == len(set(domains)) == len(table().by_domain)


def test_every_network_that_identity_knows_is_in_the_table_or_sends_nothing_of_persons():
    known = tomllib.loads(open_text())["platforms"]
    missing = {one for one in known if one not in table().by_domain}
    assert missing == {"monster.com", "jobteaser.com", "seek.com.au", "51job.com"}


def open_text() -> str:
    from milter.settings.shipped import shipped_text

    return shipped_text("known.toml")


def read(sender: str, subject: str, body: str = "Hello.", **fields: str):
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    raw = (
        f"From: {sender}\r\nTo: Robin Keller <r.keller@werk.test>\r\nSubject: {subject}\r\n{more}"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
    return examine(raw.encode(), Facts()).notice


@pytest.mark.parametrize(
    ("sender", "subject", "platform", "kind", "persona"),
    [
        ("XING <mailrobot@mail.xing.com>", "Jörn Quell hat dir eine Nachricht geschickt", "xing", "message", "Jörn Quell"),
        ("XING <mailrobot@mail.xing.com>", "Neue Nachricht von Jörn Quell", "xing", "message", "Jörn Quell"),
        ("XING <mailrobot@mail.xing.com>", "Jörn Quell möchte Sie als Kontakt hinzufügen", "xing", "invitation", "Jörn Quell"),
        ("XING Jobs <jobs@mail.xing.com>", "12 neue Stellen", "xing", "other", ""),
        ("Mara Quell <maraquell5_abc@indeedemail.com>", "Re: Analyst", "indeed", "message", "Mara Quell"),
        ("Indeed <alert@indeed.com>", "12 new jobs", "indeed", "other", ""),
        ("Indeed <donotreply@jobalert.indeed.com>", "New message from nobody", "indeed", "other", ""),
        ("Handshake <handshake@notifications.joinhandshake.com>", "Quellwerk sent you a new message", "handshake", "message", "Quellwerk"),
        ("Mara Quell via Handshake <handshake@notifications.joinhandshake.com>", "Mara Quell sent you a message", "handshake", "message", "Mara Quell"),
        ("ResearchGate <no-reply@researchgatemail.net>", "Mara Quell sent you a message", "researchgate", "message", "Mara Quell"),
        ("ResearchGate <no-reply@researchgatemail.net>", "Robin, we found new jobs you may be interested in", "researchgate", "other", ""),
        ("Academia.edu <updates@academia-mail.com>", "Mara Quell sent you a message", "academia", "message", "Mara Quell"),
        ("Academia.edu <updates@academia-mail.com>", "Robin, is this your paper?", "academia", "other", ""),
        ("Glassdoor Jobs <noreply@glassdoor.com>", "Engineer at Quellwerk", "glassdoor", "other", ""),
        ("ZipRecruiter <no-reply@ziprecruiter.com>", "New message from Mara Quell", "ziprecruiter", "message", "Mara Quell"),
        ("HeadHunter <noreply@hh.ru>", "Новое сообщение от Мира Ключевская", "headhunter", "message", "Мира Ключевская"),
        ("HeadHunter <noreply@hh.ru>", "Новые вакансии по вашему поиску", "headhunter", "other", ""),
        ("智联招聘 <service@zhaopin.com.cn>", "林若溪给您发送了一条消息", "zhaopin", "message", "林若溪"),
        ("InfoJobs <ofertas@push.infojobs.net>", "Nuevo mensaje de Íñigo Quell", "infojobs", "message", "Íñigo Quell"),
        ("사람인 <noreply@saramin.co.kr>", "다온 님이 메시지를 보냈습니다", "saramin", "message", "다온"),
        ("Naukri <info@naukri.com>", "New message from Mara Quell", "naukri", "message", "Mara Quell"),
        ("Bayt.com <jobs@bayt.com>", "New jobs matching Engineer", "bayt", "other", ""),
    ],
)  # fmt: skip
def test_other_networks(sender, subject, platform, kind, persona):
    notice = read(sender, subject)
    assert (notice.platform, notice.kind, notice.persona) == (platform, kind, persona)
    assert notice.is_from_platform == (not sender.endswith("@jobalert.indeed.com>"))
    assert not notice.is_form_checked


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("Mara Quell <mara@indeed.example>", "New message from Mara"),
        ("Mara Quell <mara@xing.com.example>", "Neue Nachricht von Mara"),
        ("Mara Quell <mara@notxing.com>", "Neue Nachricht von Mara"),
        ("LinkedIn Fans <list@fans.example>", "Mara just messaged you"),
        ("Mara via Mailman <list@fans.example>", "Mara just messaged you"),
    ],
)
def test_what_only_sounds_like_a_network_is_none(sender, subject):
    assert read(sender, subject) is None


def test_answers_may_go_to_a_persons_alias_at_the_network():
    sender = "Mara Quell <maraquell5_abc@indeedemail.com>"
    assert read(sender, "x").answers_on_platform
    assert read(sender, "x", Reply_To="<other_z@indeedemail.com>").answers_on_platform
    assert not read(sender, "x", Reply_To="<mara@gmail.com>").answers_on_platform


def test_no_text_makes_the_recogniser_slow():
    rules = ("-" * 30 + "\n") * 4_000
    names = "Mara Quell, a at B\n" * 4_000
    spaces = "Mara Quell " + " at" * 50_000 + "\n"
    for body in (rules, names, spaces, rules + names, "\u034f\u00a0" * 40_000):
        notice = read(
            "Mara Quell <x@linkedin.com>", "a" * 250 + " please add me to your ", body,
            X_LinkedIn_Template="email_member_message_v2",
        )  # fmt: skip
        assert notice.kind == "message"
