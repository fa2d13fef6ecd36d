"""Whom a message is verified for, with what, within which bounds, and what comes of it."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.mail.address import NULL_PATH, parse_path
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.envelope import Connection, Envelope, Transaction
from milter.mail.reading import (
    ArcChain,
    ArcSet,
    AuthResult,
    Facts,
    HeaderFacts,
    NamedMailbox,
    Reading,
)
from tests.support.zone import FakeResolver

NOW = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
ZONE = {
    "a.test": ["TXT v=spf1 ip4:203.0.113.1 -all"],
    "_dmarc.a.test": ["TXT v=DMARC1; p=reject"],
    "b.test": ["TXT v=spf1 ip4:203.0.113.1 -all"],
    "s._domainkey.a.test": ["TXT v=DKIM1; p=xyz"],
}
SIGNATURE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; c=relaxed/relaxed; h=From;"
    b" bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n"
)


ARC_SET = (
    b"ARC-Seal: i=N; a=rsa-sha256; cv=pass; d=n.test; s=kN; b=AAAA\r\n"
    b"ARC-Message-Signature: i=N; a=rsa-sha256; d=n.test; s=kN; h=From; bh=AAAA; b=AAAA\r\n"
    b"ARC-Authentication-Results: i=N; n.test; none\r\n"
)


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return time.monotonic()


def mail(sender="x@a.test", fields=b""):
    return fields + f"From: <{sender}>\r\nSubject: s\r\n\r\nb\r\n".encode()


def transaction(raw=b"", *, mail_from="x@a.test", role="mx", client="203.0.113.1", **connection):
    path = parse_path(f"<{mail_from}>".encode(), smtputf8=False)[0] if mail_from else NULL_PATH
    return Transaction(
        transaction_id="t1", role=role, received_at=NOW,
        connection=Connection(client_ip=client, helo="mx.a.test", **connection),
        envelope=Envelope(reverse_path=path), raw=raw or mail(),
    )  # fmt: skip


def reading(*senders, dkim="none", d="", arc=None):
    boxes = tuple(
        NamedMailbox(display_name="", address=one, domain=one.rpartition("@")[2])
        for one in senders or ("x@a.test",)
    )
    signed = AuthResult(
        method="dkim", result=dkim, authserv_id="", properties=(("header", "d", d),) if d else ()
    )
    return Reading(size_bytes=1, header=HeaderFacts(header_from=boxes), dkim=(signed,), arc=arc)


OPTIONS = AuthenticationOptions(authserv_id="us.test")


async def run(what=None, read=None, *, zone=ZONE, resolver=None, options=OPTIONS, seconds=5.0):
    clock = Clock()
    resolver = resolver or FakeResolver(zone)
    authenticator = Authenticator(resolver=resolver, clock=clock, options=options)
    running = authenticator.begin(what or transaction(), clock.monotonic() + seconds)
    facts = await running.told(Facts())
    found = await running.finish(read)
    running.close()
    return facts, found


def words(found):
    return [f"{result.method}={result.result}" for result in found.results]


@pytest.mark.parametrize(
    ("verify", "believes", "what", "wanted"),
    [
        ("auto", False, {"role": "mx"}, True),
        ("auto", True, {"role": "mx"}, True),
        ("auto", False, {"role": "mx", "client": "10.0.0.1"}, True),
        ("auto", False, {"role": "before_queue"}, True),
        ("auto", False, {"role": "milter"}, True),
        ("auto", True, {"role": "before_queue"}, False),
        ("auto", True, {"role": "milter"}, False),
        ("auto", False, {"role": "after_queue"}, False),
        ("auto", False, {"role": "milter", "client": "127.0.0.1"}, False),
        ("auto", False, {"role": "milter", "client": "::1"}, False),
        ("auto", False, {"role": "milter", "client": "::ffff:10.1.2.3"}, False),
        ("auto", False, {"role": "milter", "client": "fd00::1"}, False),
        ("auto", False, {"role": "before_queue", "client": "unknown"}, False),
        ("auto", False, {"role": "before_queue", "client": "2001:db8::1"}, True),
        ("auto", False, {"role": "mx", "auth_user": "ann"}, False),
        ("auto", False, {"role": "file"}, False),
        ("always", True, {"role": "after_queue"}, True),
        ("always", True, {"role": "milter", "client": "127.0.0.1"}, True),
        ("always", False, {"role": "file"}, False),
        ("always", False, {"role": "milter", "auth_user": "ann"}, False),
        ("never", False, {"role": "mx"}, False),
    ],
)
def test_who_is_verified(verify, believes, what, wanted):
    options = replace(OPTIONS, verify=verify, believes_others=believes)
    authenticator = Authenticator(resolver=FakeResolver({}), clock=Clock(), options=options)
    assert authenticator.wants(transaction(**what)) is wanted


async def test_the_reader_gets_its_keys_and_everybody_is_asked_once():
    resolver = FakeResolver(ZONE)
    facts, found = await run(
        transaction(mail(fields=SIGNATURE)), reading(dkim="pass", d="a.test"), resolver=resolver
    )
    assert facts.verify_signatures
    assert dict(facts.key_answers)[Question("s._domainkey.a.test", "TXT")].records == (
        b"v=DKIM1; p=xyz",
    )
    assert facts.unix_time == int(NOW.timestamp())
    assert words(found) == ["dkim=pass", "spf=pass", "dmarc=pass", "arc=none"]
    assert {result.authserv_id for result in found.results} == {"us.test"}
    assert found.organisation == "a.test"
    assert len(resolver.asked) == len(set(resolver.asked)) == found.lookups == 4


async def test_without_a_reading_only_spf_is_said():
    _, found = await run()
    assert words(found) == ["spf=pass"]


@pytest.mark.parametrize(
    ("senders", "fields", "problem"),
    [
        (("x@a.test", "y@b.test"), b"", "more than one domain in From"),
        (("x@a.test",), b"From: <x@a.test>\r\n", "more than one From field"),
        (("",), b"", "no domain in From"),
    ],
)
async def test_an_author_that_is_not_one_is_a_permanent_error(senders, fields, problem):
    _, found = await run(transaction(mail(fields=fields)), reading(*senders))
    [dmarc] = [result for result in found.results if result.method == "dmarc"]
    assert (dmarc.result, dmarc.reason) == ("permerror", problem)


async def test_a_domain_that_the_guess_missed_is_asked_for():
    _, found = await run(transaction(b"Subject: s\r\nFrom: x\r\n\r\n"), reading("x@a.test"))
    assert "dmarc=pass" in words(found)


class Silent:
    """Answers nothing before the deadline."""

    def __init__(self):
        self.asked = 0

    async def ask(self, questions, deadline):
        self.asked += len(questions)
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))
        return {question: Answer(status=AnswerStatus.FAILED) for question in questions}


async def test_a_dns_that_does_not_answer_costs_the_set_time_and_gives_temperror():
    started = time.monotonic()
    options = replace(OPTIONS, seconds=0.2)
    _, found = await run(read=reading(), resolver=Silent(), options=options)
    assert time.monotonic() - started < 1.0
    assert words(found)[1:3] == ["spf=temperror", "dmarc=temperror"]
    assert found.leaves_author_open


async def test_half_of_the_message_s_time_is_the_reader_s():
    started = time.monotonic()
    raw = mail(fields=SIGNATURE)
    await run(transaction(raw), resolver=Silent(), seconds=0.4)
    assert time.monotonic() - started < 0.39


async def test_a_bomb_in_spf_does_not_hide_that_the_author_is_forged():
    names = " ".join(f"mx:d{n}.b.test" for n in range(10))
    zone = {
        **ZONE,
        "b.test": [f"TXT v=spf1 {names} -all"],
        **{f"d{n}.b.test": [f"MX {m} m{m}.d{n}.b.test" for m in range(10)] for n in range(10)},
        **{f"m{m}.d{n}.b.test": ["A 198.51.100.1"] for n in range(10) for m in range(10)},
    }
    what = transaction(mail_from="x@b.test")
    _, found = await run(what, reading(), zone=zone, options=replace(OPTIONS, lookups=20))
    assert words(found) == ["dkim=none", "spf=temperror", "dmarc=fail", "arc=none"]
    assert found.lookups <= 20 + 2


async def test_signatures_by_the_hundred_ask_no_more_than_allowed():
    fields = b"".join(SIGNATURE.replace(b"s=s;", b"s=k%d;" % n) for n in range(100))
    resolver = FakeResolver(ZONE)
    facts, _ = await run(transaction(mail(fields=fields)), reading(), resolver=resolver,
                         options=replace(OPTIONS, lookups=8))  # fmt: skip
    asked = [one for one in resolver.asked if "_domainkey" in one.name]
    assert len(asked) <= 8
    assert len(facts.key_answers) >= len(asked)


async def test_a_sender_whose_names_are_silent_has_few_questions_under_way():
    fields = b"".join(SIGNATURE.replace(b"s=s;", b"s=k%d;" % n) for n in range(8))
    sets = b"".join(ARC_SET.replace(b"N", b"%d" % n) for n in range(1, 51))
    sets = sets.replace(b"cv=pass", b"cv=none", 1)
    resolver = Silent()
    what = transaction(mail(fields=sets + fields))
    _, found = await run(what, reading(), resolver=resolver, options=replace(OPTIONS, seconds=0.2))
    # Keys, SPF and the walk up to DMARC: each its first few, and then there is no time left.
    assert resolver.asked <= 8 + 1 + 2
    assert found.lookups == resolver.asked


async def test_a_fault_of_our_own_is_told_and_costs_no_mail():
    class Faulty:
        async def ask(self, questions, deadline):
            raise RuntimeError("a bug")

    facts, found = await run(read=reading(), resolver=Faulty())
    assert facts.verify_signatures
    assert (found.results, found.problem) == ((), "raised RuntimeError")


def chain(sealer="relay.test", result="pass", saw="pass", author="a.test"):
    dmarc = AuthResult(
        method="dmarc", result=saw, authserv_id=sealer, properties=(("header", "from", author),)
    )
    one = ArcSet(instance=1, domain=sealer, authserv_id=sealer, results=(dmarc,))
    return ArcChain(result=result, instances=1, sets=(one,))


@pytest.mark.parametrize(
    ("arc", "sealer"),
    [
        (chain(), "relay.test"),
        (chain(sealer="stranger.test"), ""),
        (chain(result="fail"), ""),
        (chain(saw="fail"), ""),
        (chain(author="b.test"), ""),
    ],
)
async def test_only_a_listed_sealer_of_a_good_chain_vouches(arc, sealer):
    options = replace(OPTIONS, trusted_arc_sealers=frozenset({"relay.test"}))
    what = transaction(client="198.51.100.9")
    _, found = await run(what, reading(arc=arc), options=options)
    assert found.sealer == sealer
    [dmarc] = [result for result in found.results if result.method == "dmarc"]
    assert dmarc.result == "fail"
    assert ("policy", "dmarc", "none" if sealer else "reject") in dmarc.properties
    [result] = [result for result in found.results if result.method == "arc"]
    assert result.properties == (("smtp", "remote-ip", "198.51.100.9"),)


async def test_the_last_sealer_counts_not_an_earlier_one():
    options = replace(OPTIONS, trusted_arc_sealers=frozenset({"relay.test"}))
    first = chain().sets[0]
    second = ArcSet(instance=2, domain="stranger.test", authserv_id="s", results=first.results)
    arc = ArcChain(result="pass", instances=2, sets=(first, second))
    _, found = await run(transaction(client="198.51.100.9"), reading(arc=arc), options=options)
    assert found.sealer == ""
