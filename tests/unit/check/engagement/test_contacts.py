"""When a notice of a network becomes a contact, and for whom; every trick that must not make one.

Signatures and DNS are real: the mail is signed, verified by a reader and judged with the results of
our own authentication.
"""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.check.engagement.contacts import contact_of, notice_findings
from milter.check.identity import parse_known
from milter.examine import examine
from milter.mail.address import parse_path
from milter.mail.engagement import Origin, Trait, TraitKind, address_trait
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.reading import AuthResult, Facts
from milter.settings.shipped import shipped_text
from tests.support.notices import AT, TO, Notice, signed, zone
from tests.support.zone import FakeResolver

ZONE = zone("linkedin.com", "mailb.linkedin.com", "e.linkedin.com", "firm.example")
KNOWN = parse_known(shipped_text("known.toml"), own=("werk.test",))
OPTIONS = AuthenticationOptions(authserv_id="us.test")
HARD = {
    Trait(TraitKind.ADDRESS, "mara.quell@northbridge-advisory.example"),
    Trait(TraitKind.DOMAIN, "northbridge-advisory.example"),
    Trait(TraitKind.PHONE, "+447700900123"),
}


class Clock:
    def now(self):
        return AT

    def monotonic(self):
        return time.monotonic()


def path(address):
    return parse_path(f"<{address}>".encode(), smtputf8=False)[0]


def transaction(raw, *recipients, at=AT):
    return Transaction(
        transaction_id="t1", role="mx", received_at=at, raw=raw,
        connection=Connection(client_ip="203.0.113.1", helo="mx.test"),
        envelope=Envelope(
            reverse_path=path("m-x@bounce.linkedin.com"),
            recipients=tuple(Recipient(path=path(one)) for one in recipients or (TO,)),
        ),
    )  # fmt: skip


async def judged(raw, *recipients, at=AT, dns=ZONE, change=None):
    """The contact and the codes that were found."""
    what = transaction(raw, *recipients, at=at)
    authenticator = Authenticator(resolver=FakeResolver(dns), clock=Clock(), options=OPTIONS)
    running = authenticator.begin(what, time.monotonic() + 5)
    reading = examine(raw, await running.told(Facts(own_domains=("werk.test",))))
    results = (await running.finish(reading)).results
    running.close()
    reading = replace(reading, auth_results=change(results) if change else results)
    origin = Origin(event_id="e", at=at)
    found = contact_of(what, reading, KNOWN, origin)
    return found, [(one.code, one.strength) for one in notice_findings(what, reading)]


def mail(**what):
    return signed(Notice(**what).raw())


FORGED = [("NOTICE_NOT_GENUINE", 2)]
WEAKLY = [("NOTICE_NOT_GENUINE", 1)]


async def test_a_genuine_inmail_is_a_contact_with_hints():
    found, codes = await judged(mail(headline="Senior Consultant at Northbridge Advisory"))
    contact = found.contact
    assert found.recipients == (TO,)
    assert (contact.platform, contact.notice, contact.persona) == (
        "linkedin",
        "inmail",
        "Mara Quell",
    )
    assert contact.organisation == "Northbridge Advisory"
    assert set(contact.hints) == HARD
    assert codes == []


async def test_hints_are_neither_the_networks_nor_the_recipients_own():
    message = f"Hi, is {TO} yours? See https://www.linkedin.com/in/mara or write to help@linkedin.com\nMara"
    found, _ = await judged(mail(message=message))
    assert found.contact.hints == ()


async def test_free_mail_is_a_hint_by_its_address_and_not_by_its_domain():
    found, _ = await judged(mail(message="Write to mara.quell.consult@gmail.com\nMara"))
    assert found.contact.hints == (address_trait("mara.quell.consult@gmail.com"),)


async def test_a_handle_is_a_hint():
    found, _ = await judged(mail(message="My WeChat ID is mara_q77.\nMara"))
    assert found.contact.hints == (Trait(TraitKind.HANDLE, "wechat:mara_q77"),)


@pytest.mark.parametrize(
    "what",
    [
        {"template": "email_job_alert_digest_01", "klass": "SAVEDSEARCH"},
        {"template": "email_pymk_02", "klass": ""},
        {"template": "jobs_applicant_applied", "klass": "", "sender": "LinkedIn", "message": "Sent.", "subject": "Your application was sent to Quellwerk"},
    ],
)  # fmt: skip
async def test_what_no_person_sent_is_no_contact(what):
    assert await judged(mail(**what)) == (None, [])


async def test_the_recipient_of_a_sub_address_is_the_same_person():
    found, codes = await judged(mail(to="r.keller+li@werk.test"), "R.Keller@werk.test")
    assert (found.recipients, codes) == ((TO,), [])


async def test_only_those_who_stand_in_to_get_the_contact():
    found, codes = await judged(mail(), TO, "other@werk.test")
    assert found.recipients == (TO,)
    assert codes == WEAKLY


async def test_a_replay_to_somebody_else_is_no_contact():
    assert await judged(mail(), "other@werk.test") == (None, WEAKLY)


@pytest.mark.parametrize("field", [b"Cc: <other@werk.test>\r\n", b"To: <other@werk.test>\r\n"])
async def test_a_recipient_added_in_a_field_that_is_not_signed_gets_none(field):
    found, codes = await judged(field + mail(), "other@werk.test")
    assert found is None
    assert codes


@pytest.mark.parametrize(
    "field",
    [
        b"To: <other@werk.test>\r\n", b"Date: Thu, 14 Jan 2027 15:00:00 +0000\r\n",
        b"Subject: something else\r\n", b"X-LinkedIn-Template: email_member_message_v2\r\n",
    ],
)  # fmt: skip
async def test_a_field_that_stands_twice_is_not_signed(field):
    found, _ = await judged(field + mail())
    assert found is None


async def test_a_second_from_breaks_the_signature():
    found, codes = await judged(b"From: Other <o@firm.example>\r\n" + mail())
    assert (found, codes) == (None, FORGED)


@pytest.mark.parametrize(
    ("reply_to", "is_contact"),
    [
        ("", True),
        ("Mara <x@reply.linkedin.com>", True),
        ("Mara <mara@gmail.com>", False),
        ("Mara <x@reply.linkedin.com>, Mara <mara@gmail.com>", False),
        ("Mara <x@reply.linkedin.com.firm.example>", False),
        ("Mara <x@xreply.linkedin.com>", False),
    ],
)
async def test_answers_must_stay_on_the_network(reply_to, is_contact):
    found, codes = await judged(mail(reply_to=reply_to))
    assert (found is not None, codes) == (is_contact, [] if is_contact else FORGED)


@pytest.mark.parametrize(
    "field",
    [
        b"Reply-To: <mara@gmail.com>\r\n", b"Reply-To: <other@reply.linkedin.com>\r\n",
        b"Mail-Reply-To: <mara@gmail.com>\r\n", b"Mail-Followup-To: <mara@gmail.com>\r\n",
    ],
)  # fmt: skip
async def test_one_more_field_for_answers_leads_away(field):
    assert await judged(field + mail()) == (None, FORGED)


@pytest.mark.parametrize("value", ['"mara@gmail.com":;', "mara at gmail.com", "mara@gmail"])
async def test_a_reply_to_that_programs_read_in_their_own_way_leads_away(value):
    raw = mail(reply_to="").replace(b"List-Unsub", f"Reply-To: {value}\r\nList-Unsub".encode(), 1)
    assert await judged(raw) == (None, FORGED)


@pytest.mark.parametrize(
    "field", [b"Cc: <a@firm.example>\r\nCc: <b@firm.example>\r\n", b"Content-Type: text/html\r\n"]
)
async def test_a_field_of_whatever_name_that_stands_twice_was_added(field):
    assert (await judged(field + mail()))[0] is None


async def test_an_encoding_that_is_not_signed_makes_other_words_of_the_same_octets():
    for encoding, is_contact in ((b"8bit", True), (b"base64", False), (b"Quoted-Printable", False)):
        found, _ = await judged(b"Content-Transfer-Encoding: " + encoding + b"\r\n" + mail())
        assert (found is not None) == is_contact


async def test_a_copy_that_a_forwarder_sends_on_unchanged():
    received = b"Received: from a.example by b.example; Thu, 14 Jan 2027 15:00:01 +0000\r\n"
    fields = b"Return-Path: <fwd@firm.example>\r\nDelivered-To: private@firm.example\r\n" + received
    # To the address that the network knows it is as good as the original,
    assert (await judged(fields + mail()))[0] is not None
    # to another one it cannot be told from a replay.
    private = mail(to="private@firm.example")
    assert await judged(fields + private, TO) == (None, WEAKLY)


async def test_a_sealer_that_we_trust_spares_a_copy_that_was_changed_on_the_way():
    changed = mail().replace(b"nozzle cooling", b"[list] nozzle cooling")

    def sealed(results):
        return tuple(
            replace(one, properties=(*one.properties, ("policy", "dmarc", "none")))
            if one.method == "dmarc" else one
            for one in results
        )  # fmt: skip

    assert await judged(changed) == (None, FORGED)
    assert await judged(changed, change=sealed) == (None, [])


async def test_a_template_added_under_the_signature_of_a_marketing_mail_counts_nothing():
    names = "Date:From:Subject:MIME-Version:Content-Type:To"
    raw = signed(
        Notice(template="", klass="", sender="LinkedIn", subject="News").raw(), names=names
    )
    found, _ = await judged(b"X-LinkedIn-Template: email_member_message_v2\r\n" + raw)
    assert found is None


@pytest.mark.parametrize("left_out", ["To:", "From:Subject:", "Date:", "X-LinkedIn-Template"])
async def test_what_is_relied_on_must_be_signed(left_out):
    names = "Date:From:Subject:MIME-Version:To:X-LinkedIn-Template".replace(left_out, "")
    found, _ = await judged(signed(Notice().raw(), names=names.strip(":")))
    assert found is None


async def test_only_the_networks_own_domain_vouches():
    for domain in ("mailb.linkedin.com", "e.linkedin.com"):
        # DMARC passes, so nobody is accused; and nobody who may only sign for a part gets through.
        assert await judged(signed(Notice().raw(), domain)) == (None, [])
    assert await judged(signed(Notice().raw(), "firm.example")) == (None, FORGED)


async def test_no_signature_and_broken_ones_are_forged():
    assert await judged(Notice().raw()) == (None, FORGED)
    assert await judged(mail().replace(b"nozzle cooling", b"nozzle heating")) == (None, FORGED)


async def test_a_length_tag_lets_anybody_add_to_the_body():
    raw = signed(Notice().raw(), length=400)
    assert await judged(raw) == (None, FORGED)

    def believes(results):
        return tuple(
            replace(one, result="pass") if one.method == "dkim" else one for one in results
        )

    assert (await judged(raw, change=believes))[0] is None


async def test_a_narrow_signature_beside_the_good_one_is_told_apart():
    narrow = signed(mail(), "linkedin.com", names="From")
    found, _ = await judged(narrow.replace(b"; bh=", b";  bh=", 1))
    assert found is not None

    def without_marks(results):
        return tuple(
            replace(one, properties=tuple(p for p in one.properties if p[1] in ("d", "from")))
            for one in results
        )

    # A server that does not say which signature passed may mean the narrow one.
    assert (await judged(narrow, change=without_marks))[0] is None


async def test_results_of_a_server_that_names_only_the_identity_count():
    def identity_only(results):
        return tuple(
            AuthResult(
                method=one.method, result=one.result, authserv_id="edge.test",
                properties=(("header", "i", "@" + {k: v for _, k, v in one.properties}["d"]),),
            )
            for one in results
            if one.method == "dkim"
        )  # fmt: skip

    assert (await judged(mail(), change=identity_only))[0] is not None


@pytest.mark.parametrize(
    ("age", "is_contact"),
    [(timedelta(minutes=-50), True), (timedelta(hours=-2), False), (timedelta(days=4), True), (timedelta(days=6), False)],
)  # fmt: skip
async def test_a_notice_that_comes_late_is_a_replay(age, is_contact):
    found, codes = await judged(mail(), at=AT + age)
    assert (found is not None, codes) == (is_contact, [])


async def test_a_dead_dns_accuses_nobody():
    found = await judged(mail(), dns={name: ["FAIL"] for name in ZONE})
    assert found == (None, [])


async def test_nobody_is_accused_where_nobody_authenticated():
    assert await judged(mail(), change=lambda results: ()) == (None, [])


@pytest.mark.parametrize(
    ("what", "codes"),
    [
        ({"address": "inmail-hit-reply@linkedln.com"}, FORGED),
        ({"address": "mara@firm.example", "template": "", "klass": "", "sender": "Mara Quell via LinkedIn", "subject": "Mara just messaged you"}, FORGED),
        ({"address": "mara@firm.example", "template": "", "klass": "", "sender": "Mara Quell via LinkedIn", "subject": "Lunch"}, []),
    ],
)  # fmt: skip
async def test_look_alikes_are_told_by_their_form(what, codes):
    raw = signed(Notice(**what).raw(), "firm.example", names="Date:From:Subject:To")
    assert await judged(raw) == (None, codes)
