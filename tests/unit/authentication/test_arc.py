"""ARC chains by our own hand: what fails, what is asked for, and that hostile ones cost little."""

import re
import time
from dataclasses import replace

import pytest

from milter.authentication.seal import SealKey, key_record, load_seal_key, seal
from milter.authentication.signatures import key_questions, verify_arc
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.message import scan_header
from milter.mail.reading import ArcChain
from tests.support.signing import (
    MESSAGE,
    answers,
    ed25519_key,
    found,
    pem,
    record,
    rsa_key,
    sign,
)
from tests.support.suites import SEAL_NAME, seal_once

KEY = SealKey(domain="gate.example", selector="seal1", private=rsa_key(2048))
DNS = {SEAL_NAME: found(record(rsa_key(2048))), **answers(rsa_key(2048))}
NOW = 1_800_000_000


def chain(raw: bytes, dns: dict[Question, Answer] | None = None) -> ArcChain:
    return verify_arc(raw, scan_header(raw), DNS if dns is None else dns, unix_time=NOW)


def questions(raw: bytes) -> tuple[Question, ...]:
    return key_questions(raw, scan_header(raw))


def of(hops: int) -> bytes:
    raw = MESSAGE
    for _ in range(hops):
        raw = seal_once(raw, KEY, DNS, edit=b"Hello edited")
    return raw


def test_no_chain() -> None:
    assert chain(MESSAGE) == ArcChain()
    assert questions(MESSAGE) == ()


def test_a_chain_tells_who_said_what() -> None:
    found_chain = chain(of(3))
    assert (found_chain.result, found_chain.reason, found_chain.instances) == ("pass", "", 3)
    assert found_chain.sealers == ("gate.example",) * 3
    assert [one.instance for one in found_chain.sets] == [1, 2, 3]
    assert found_chain.newest_results[0].properties == (("smtp", "mailfrom", "signer.example"),)
    assert questions(of(3)) == (SEAL_NAME,)


@pytest.mark.parametrize(
    ("status", "is_temporary"),
    [(AnswerStatus.FAILED, True), (AnswerStatus.NO_NAME, False), (AnswerStatus.NO_RECORD, False)],
)
def test_without_its_key_a_chain_fails(status: AnswerStatus, is_temporary: bool) -> None:
    found_chain = chain(of(1), {SEAL_NAME: Answer(status=status)})
    assert (found_chain.result, found_chain.is_temporary) == ("fail", is_temporary)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=3;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=1;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=0;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=51;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=200;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=two;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=2; i=2;"),
        (rb"ARC-Seal: i=2;", b"ARC-Seal: i=2; h=from;"),
        (rb"ARC-Seal:", b"X-Seal:"),
        (rb"ARC-Authentication-Results:", b"X-Results:"),
        (rb"ARC-Message-Signature:", b"X-Signature:"),
        (rb"ARC-Authentication-Results: i=2;", b"ARC-Authentication-Results: x; i=2;"),
        (rb"cv=pass", b"cv=none"),
        (rb"cv=none", b"cv=pass"),
        (rb"a=rsa-sha256; cv=pass", b"a=rsa-sha1; cv=pass"),
        (rb"d=gate.example;\r\n\ts=seal1;", b"d=gate.example;\r\n\ts=;"),
        (rb"h=from:from:", b"h=arc-seal:from:from:"),
        (rb"h=from:from:", b"h="),
    ],
)
def test_what_has_not_the_form_of_a_chain_fails_without_a_question(
    before: bytes, after: bytes
) -> None:
    raw = re.sub(before, after, of(2), count=1)
    assert raw != of(2)
    assert chain(raw).result == "fail"
    assert chain(raw).reason
    assert questions(raw) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"spf=pass", b"spf=fail"),
        (b"Hello", b"Hullo"),
        (b"Subject:", b"Subject: x"),
        (b"t=1790000000", b"t=1790000001"),
    ],
)
@pytest.mark.parametrize("which", [1, -1])
def test_changes_break_it(before: bytes, after: bytes, which: int) -> None:
    raw = of(3)
    pieces = raw.split(before)
    changed = after.join(pieces[:2]) + before * (len(pieces) > 2) + before.join(pieces[2:])
    if which == -1:
        changed = before.join(pieces[:-1]) + after + pieces[-1]
    assert changed != raw
    assert chain(changed).result == "fail"


def test_a_closed_chain_fails_whatever_it_says_and_asks_nothing() -> None:
    broken = of(1).replace(b"Hello edited", b"Hello there")
    raw = seal_once(broken, KEY, DNS)
    assert b"cv=fail" in raw
    found_chain = chain(raw)
    assert (found_chain.result, found_chain.is_closed) == ("fail", True)
    assert questions(raw) == ()
    assert seal_once(raw, KEY, DNS) == raw


def test_a_chain_of_fifty_passes_in_little_time_and_gets_no_more() -> None:
    raw = of(50)
    started = time.process_time()
    assert chain(raw).result == "pass"
    assert time.process_time() - started < 1.0
    assert seal_once(raw, KEY, DNS) == raw


def test_a_chain_of_sixty_costs_nothing() -> None:
    raw = of(1)
    fields = raw[: raw.index(b"Received:")]
    more = b"".join(
        re.sub(rb"(: )i=1;", rb"\g<1>i=%d;" % number, fields) for number in range(60, 1, -1)
    )
    started = time.process_time()
    assert chain(more + raw).result == "fail"
    assert questions(more + raw) == ()
    assert time.process_time() - started < 0.2


def test_fifty_sealers_are_fifty_one_questions_at_most() -> None:
    raw = MESSAGE
    dns = {}
    for number in range(50):
        key = replace(KEY, selector=f"s{number}")
        dns[Question(f"s{number}._domainkey.gate.example", "TXT")] = found(record(rsa_key(2048)))
        raw = seal_once(raw, key, dns)
    assert len(questions(raw)) == 50
    assert chain(raw, dns).result == "pass"


def test_a_message_signature_that_has_expired_fails() -> None:
    raw = sign(
        MESSAGE,
        rsa_key(2048),
        version="i=1; ",
        name="ARC-Message-Signature",
        tags=" t=1600000000; x=1700000000;",
        domain="gate.example",
        selector="seal1",
    )
    raw = (
        b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=gate.example; s=seal1; b=AAAA\r\nARC-Authentication-Results: i=1; x; none\r\n"
        + raw
    )
    assert "expired" in chain(raw).reason


def test_comments_before_the_instance_of_results() -> None:
    raw = of(1).replace(
        b"ARC-Authentication-Results: i=1;",
        b"ARC-Authentication-Results: (a comment) i (b) = 1 (c);",
    )
    assert chain(raw).instances == 1
    assert "seal 1" in chain(raw).reason


def test_seals_of_ed25519_verify() -> None:
    """We do not make them, others may."""
    raw = sign(MESSAGE, ed25519_key(), version="i=1; ", name="ARC-Message-Signature")
    assert questions(raw) == ()  # no whole set
    fields = b"ARC-Authentication-Results: i=1; x; none\r\n"
    raw = (
        b"ARC-Seal: i=1; a=ed25519-sha256; cv=none; d=signer.example; s=key1; b=AAAA\r\n"
        + fields
        + raw
    )
    assert chain(raw, answers(ed25519_key())).reason == "seal 1 is broken"


# Sealing.


def test_what_is_sealed_twice_is_the_same() -> None:
    header = scan_header(MESSAGE)
    made = [
        seal(MESSAGE, header, status="none", results=b"gate.example; none", key=KEY, unix_time=NOW)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert [name for name, _ in made[0]] == [
        b"ARC-Seal",
        b"ARC-Message-Signature",
        b"ARC-Authentication-Results",
    ]


def test_no_line_of_a_seal_is_long() -> None:
    many = MESSAGE.replace(b"To: b@", b"To: c@recipient.example\r\n" * 200 + b"To: b@")
    fields = seal(
        many,
        scan_header(many),
        status="none",
        results=b"gate.example; none",
        key=KEY,
        unix_time=NOW,
    )
    lines = b"".join(name + b":" + value + b"\r\n" for name, value in fields).split(b"\r\n")
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (pem(rsa_key(1024)), "1024 bits"),
    ],
)
def test_keys_that_cannot_seal(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_seal_key(text, domain="gate.example", selector="s")


def test_a_key_of_another_kind_or_with_a_password_cannot_seal() -> None:
    from cryptography.hazmat.primitives import serialization as form

    other = ed25519_key().private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    locked = rsa_key().private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"x")
    )
    for text, reason in ((other, "no RSA key"), (locked, "password")):
        with pytest.raises(ValueError, match=reason):
            load_seal_key(text, domain="gate.example", selector="s")


def test_the_record_to_publish_verifies_what_the_key_seals() -> None:
    key = load_seal_key(pem(rsa_key(2048, 1)), domain="gate.example", selector="s9")
    name, text = key_record(key)
    assert name == "s9._domainkey.gate.example"
    dns = {Question(name, "TXT"): found(text.encode())}
    assert chain(seal_once(MESSAGE, key, dns), dns).result == "pass"
