"""DKIM results, each class of RFC 8601 §2.7.1 kept apart."""

import pytest

from milter.authentication.signatures import key_answers, key_questions, verify_dkim
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.message import scan_header
from milter.mail.reading import AuthResult
from tests.support.signing import (
    DOMAIN,
    MESSAGE,
    NAME,
    NAMES,
    answers,
    body_of,
    ed25519_key,
    found,
    public_text,
    record,
    rsa_key,
    sign,
)

KEY = rsa_key()
NOW = 1_800_000_000


def verify(
    raw: bytes, dns: dict[Question, Answer] | None = None, unix_time: int = NOW
) -> list[AuthResult]:
    known = answers(KEY) if dns is None else dns
    return list(verify_dkim(raw, scan_header(raw), known, unix_time=unix_time))


def result(
    raw: bytes, dns: dict[Question, Answer] | None = None, unix_time: int = NOW
) -> tuple[str, str]:
    (one,) = verify(raw, dns, unix_time)
    return one.result, one.reason


@pytest.mark.parametrize(
    "canonical",
    ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"],
)
@pytest.mark.parametrize("key", [rsa_key(1024), rsa_key(2048), rsa_key(4096), ed25519_key()])
def test_good_signatures_pass(key, canonical: str) -> None:
    raw = sign(MESSAGE, key, canonical=canonical)
    assert result(raw, answers(key)) == ("pass", "")
    assert result(raw.replace(b"Hello", b"Hullo"), answers(key))[0] == "fail"
    assert result(raw.replace(b"Subject:  two", b"Subject:  too"), answers(key))[0] == "fail"
    assert result(raw, answers(rsa_key(2048, 1)))[0] in ("fail", "permerror")


def test_no_signature_is_none() -> None:
    assert result(MESSAGE) == ("none", "no signature")


def test_a_result_names_what_it_is_about() -> None:
    (one,) = verify(sign(MESSAGE, KEY, tags=" i=a@sub.signer.example;"))
    properties = {name: value for place, name, value in one.properties if place == "header"}
    assert one.result == "pass"
    assert one.authserv_id == ""
    assert properties.keys() == {"d", "i", "s", "a", "b"}
    assert (properties["d"], properties["s"]) == (DOMAIN, "key1")
    assert (properties["i"], properties["a"]) == ("a@sub.signer.example", "rsa-sha256")
    assert len(properties["b"]) == 8


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (AnswerStatus.FAILED, "temperror"),
        (AnswerStatus.NO_NAME, "permerror"),
        (AnswerStatus.NO_RECORD, "permerror"),
    ],
)
def test_a_key_that_is_absent_is_not_one_that_could_not_be_asked_for(
    status: AnswerStatus, expected: str
) -> None:
    assert result(sign(MESSAGE, KEY), {NAME: Answer(status=status)})[0] == expected


def test_a_key_that_nobody_asked_for_is_temporary() -> None:
    assert result(sign(MESSAGE, KEY), {})[0] == "temperror"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "permerror"),
        (b"v=DKIM1; p=", "permerror"),
        (b"v=DKIM1; k=rsa", "permerror"),
        (b"v=DKIM2; p=AAAA", "permerror"),
        (b"k=rsa; v=DKIM1; p=" + public_text(KEY).encode(), "permerror"),
        (b"v=spf1 -all", "permerror"),
        (b"v=DKIM1; p=AAAA", "permerror"),
        (b"v=DKIM1; p=***", "permerror"),
        (b"v=DKIM1; p=AAAA; p=AAAA", "permerror"),
        (b"\xff\xfe\x00", "permerror"),
        (record(KEY, "s=tlsrpt; "), "permerror"),
        (record(KEY, "h=sha1; "), "permerror"),
        (record(KEY).replace(b"k=rsa", b"k=dsa"), "permerror"),
        (record(KEY).replace(b"k=rsa", b"k=ed25519"), "permerror"),
        (record(ed25519_key()), "permerror"),
        (record(ed25519_key()).replace(b"ed25519", b"rsa"), "permerror"),
        (record(KEY, "t=y; "), "neutral"),
        (record(KEY, "t=y:s; "), "neutral"),
        (record(KEY, "t=s; "), "pass"),
        (record(KEY, "h=sha1 : sha256; "), "pass"),
        (record(KEY, "s=email; "), "pass"),
        (record(KEY, "s=tlsrpt:*; "), "pass"),
        (record(KEY, "n=a note; x_1=unknown; g=; "), "pass"),
        (record(KEY).removeprefix(b"v=DKIM1; k=rsa; "), "pass"),
        (record(KEY) + b" ; ", "pass"),
    ],
)
def test_key_records(text: bytes, expected: str) -> None:
    assert result(sign(MESSAGE, KEY), {NAME: found(text)})[0] == expected


def test_a_failing_signature_of_a_domain_that_tests_is_no_failure() -> None:
    raw = sign(MESSAGE, KEY).replace(b"Hello", b"Hullo")
    assert result(raw, answers(KEY, "t=y; "))[0] == "neutral"


def test_a_strict_key_signs_for_its_own_domain_only() -> None:
    raw = sign(MESSAGE, KEY, tags=" i=a@sub.signer.example;")
    assert result(raw)[0] == "pass"
    assert result(raw, answers(KEY, "t=s; "))[0] == "permerror"
    assert (
        result(sign(MESSAGE, KEY, tags=" i=a@signer.example;"), answers(KEY, "t=s; "))[0] == "pass"
    )


def test_a_bare_rsa_key_is_taken_too() -> None:
    from base64 import b64encode

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    octets = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert result(sign(MESSAGE, KEY), {NAME: found(b"p=" + b64encode(octets))})[0] == "pass"


def test_more_than_one_record() -> None:
    raw, key, other = sign(MESSAGE, KEY), record(KEY), record(rsa_key(1024))
    assert result(raw, {NAME: found(key, b"v=spf1 -all")})[0] == "pass"
    assert result(raw, {NAME: found(b"some text", key)})[0] == "pass"
    assert result(raw, {NAME: found(key, other)}) == ("permerror", "more than one key record")
    assert result(raw, {NAME: found(key, *[b"text"] * 9)})[0] == "permerror"
    assert result(raw, {NAME: found(b"text", b"more text")}) == ("permerror", "no key")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (" x=1700000000;", "policy"),
        (" t=1900000000;", "policy"),
        (" t=1799990000; x=1800100000;", "pass"),
        (" t=1800000100;", "pass"),
        (" t=1799990000; x=1799990000;", "neutral"),
        (" t=soon;", "neutral"),
        (" x=-1;", "neutral"),
        (" t=" + "9" * 13 + ";", "neutral"),
        (" l=1x;", "neutral"),
        (" q=dns/txt;", "pass"),
        (" q=http:dns/txt;", "pass"),
        (" q=http;", "neutral"),
        (" i=@signer.example;", "pass"),
        (" i=@evilsigner.example;", "permerror"),
        (" i=a@other.example;", "permerror"),
        (" i=signer.example;", "neutral"),
        (" z=From:x|To:y; unknown=1;", "pass"),
        (" a=rsa-sha256;", "neutral"),
        (" ;", "neutral"),
        (" novalue;", "neutral"),
        (" 1a=x;", "neutral"),
    ],
)
def test_tags_of_a_signature(tags: str, expected: str) -> None:
    assert result(sign(MESSAGE, KEY, tags=tags))[0] == expected


def test_times_do_not_count_where_the_time_is_not_known() -> None:
    raw = sign(MESSAGE, KEY, tags=" t=1600000000; x=1700000000;")
    assert result(raw, unix_time=0)[0] == "pass"
    assert result(raw, unix_time=1_700_000_000)[0] == "pass"
    assert result(raw, unix_time=1_700_010_000) == ("policy", "the signature has expired")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": ""}, "neutral"),
        ({"version": "v=2; "}, "neutral"),
        ({"version": "V=1; "}, "neutral"),
        ({"domain": ""}, "neutral"),
        ({"domain": "localhost"}, "neutral"),
        ({"domain": "a..example"}, "neutral"),
        ({"domain": "-a.example"}, "neutral"),
        ({"domain": "a b.example"}, "neutral"),
        ({"domain": "x" * 64 + ".example"}, "neutral"),
        ({"domain": ".".join(["x" * 60] * 4)}, "neutral"),
        ({"selector": ""}, "neutral"),
        ({"selector": "../../etc"}, "neutral"),
        ({"names": ""}, "neutral"),
        ({"names": "to:subject"}, "permerror"),
        ({"names": "from:to::subject:"}, "pass"),
        ({"names": "from:b\xe9d"}, "neutral"),
        ({"canonical": "relaxed/strict"}, "neutral"),
        ({"algorithm": "rsa-sha512"}, "neutral"),
        ({"algorithm": "rsa-sha1"}, "permerror"),
        ({"algorithm": "ed25519-sha256"}, "permerror"),
    ],
)
def test_other_signatures(change: dict[str, str], expected: str) -> None:
    assert result(sign(MESSAGE, KEY, **change))[0] == expected


def test_names_in_any_case_and_order_count_from_the_bottom() -> None:
    twice = MESSAGE.replace(b"To: b@", b"To: first@recipient.example\r\nTo: b@")
    raw = sign(twice, KEY, names="SUBJECT:To:From:TO:to")
    assert result(raw)[0] == "pass"
    assert result(raw.replace(b"To: first@", b"To: other@"))[0] == "fail"
    one = sign(twice, KEY, names="from:to")
    assert result(one.replace(b"To: first@", b"To: other@"))[0] == "pass"
    assert result(one.replace(b"To: b@", b"To: c@"))[0] == "fail"


def test_a_signature_may_cover_another_but_not_itself() -> None:
    inner = sign(MESSAGE, KEY)
    raw = sign(inner, KEY, names=NAMES + ":dkim-signature:dkim-signature")
    assert [one.result for one in verify(raw)] == ["pass", "pass"]


def test_a_second_from_that_is_not_signed_does_not_pass() -> None:
    raw = sign(MESSAGE, KEY)
    on_top = b"From: The Bank <info@bank.example>\r\n" + raw
    assert result(on_top) == ("policy", "a From field is not signed")
    # Signed once too often, the second one breaks the signature.
    oversigned = sign(MESSAGE, KEY, names=NAMES + ":from:subject")
    assert result(oversigned)[0] == "pass"
    assert result(b"From: The Bank <info@bank.example>\r\n" + oversigned)[0] == "fail"
    assert result(b"Subject: another\r\n" + oversigned)[0] == "fail"
    # Two that are both signed are the signer's own fault, not a forgery.
    both = MESSAGE.replace(b"To: b@", b"From: Second <b@signer.example>\r\nTo: b@")
    assert result(sign(both, KEY, names="from:from:to"))[0] == "pass"


def test_a_message_without_from() -> None:
    assert result(sign(b"To: a@b.example\r\n\r\nx\r\n", KEY)) == ("permerror", "there is no From")


def test_internationalised_domains_and_identities() -> None:
    dns = {Question("key1._domainkey.xn--bcher-kva.example", "TXT"): found(record(KEY))}
    raw = sign(MESSAGE, KEY, domain="bücher.example", tags=" i=jürgen@bücher.example;")
    assert key_questions(raw, scan_header(raw)) == tuple(dns)
    (one,) = verify(raw, dns)
    assert one.result == "pass"
    assert ("header", "d", "xn--bcher-kva.example") in one.properties
    assert ("header", "i", "jürgen@bücher.example") in one.properties


def test_eight_bit_fields_are_hashed_as_they_are() -> None:
    odd = MESSAGE.replace(b"A Person", b"J\xfcrgen \xf0\x9f\x98\x80")
    assert result(sign(odd, KEY))[0] == "pass"


def test_the_appended_body_is_policy_and_a_whole_length_passes() -> None:
    whole = len(body_of(MESSAGE.partition(b"\r\n\r\n")[2], "relaxed"))
    raw = sign(MESSAGE, KEY, length=whole)
    assert result(raw)[0] == "pass"
    assert result(raw + b"Click here\r\n") == ("policy", "l= leaves a part of the body unsigned")
    assert result(sign(MESSAGE, KEY, length=0))[0] == "policy"
    assert result(sign(MESSAGE, KEY, length=whole + 1))[0] == "fail"
    # White space that the canonical form drops is nothing appended.
    assert result(raw + b"\r\n\r\n")[0] == "pass"


def test_the_signature_is_hashed_without_its_value_wherever_it_stands() -> None:
    raw = sign(MESSAGE, KEY)
    start = raw.index(b"\tb=")
    end = raw.index(b"\r\nReceived")
    value = raw[start + 3 : end]
    for other in (b" " + value, value + b"\r\n\t ", value.replace(b"\r\n\t ", b"")):
        assert result(raw[: start + 3] + other + raw[end:])[0] == "pass"
    assert result(raw[: start + 3] + b"AAAA" + value + raw[end:])[0] == "fail"


def test_questions_are_asked_once_and_only_for_signatures_that_can_pass() -> None:
    raw = sign(sign(MESSAGE, KEY), KEY, canonical="simple/simple")
    raw = sign(raw, KEY, algorithm="rsa-sha1", selector="old")
    raw = sign(raw, KEY, names="to", selector="nofrom")
    raw = b"DKIM-Signature: garbage\r\n" + raw
    assert key_questions(raw, scan_header(raw)) == (NAME,)
    assert key_questions(MESSAGE, scan_header(MESSAGE)) == ()
    assert [one.result for one in verify(raw)] == [
        "neutral",
        "permerror",
        "permerror",
        "pass",
        "pass",
    ]


def test_only_eight_signatures_are_looked_at() -> None:
    raw = MESSAGE
    for number in range(50):
        raw = sign(raw, rsa_key(1024), selector=f"s{number}")
    questions = key_questions(raw, scan_header(raw))
    assert questions == tuple(
        Question(f"s{number}._domainkey.signer.example", "TXT") for number in range(49, 41, -1)
    )
    dns = {question: found(record(rsa_key(1024))) for question in questions}
    results = verify(raw, dns)
    assert [one.result for one in results] == ["pass"] * 8 + ["policy"]
    assert results[-1].reason == "42 more signatures were not looked at"


def test_answers_reach_a_reader_within_bounds() -> None:
    raw = sign(MESSAGE, KEY)
    questions = key_questions(raw, scan_header(raw))
    huge = {
        NAME: found(*[b"v=DKIM1; p=" + b"A" * 100_000] * 40),
        Question("a.example", "A"): found(),
    }
    handed = key_answers(questions, huge)
    assert [question for question, _ in handed] == [NAME]
    assert sum(len(text) for text in handed[0][1].records) < 25_000
    assert result(raw, dict(handed)) == result(raw, huge)
    assert result(raw, dict(handed))[0] == "permerror"
    assert key_answers(questions, answers(KEY)) == tuple(answers(KEY).items())
    assert key_answers(questions, {}) == ()
