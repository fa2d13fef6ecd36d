"""Hostile signatures, keys and chains: never an exception, little time, the right class of result."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milter.authentication.arc import MAX_INSTANCES
from milter.authentication.dkim import MAX_SIGNATURES
from milter.authentication.keys import MAX_RECORD_OCTETS, MAX_RECORDS
from milter.authentication.seal import SealKey
from milter.authentication.signatures import key_answers, key_questions, verify_arc, verify_dkim
from milter.authentication.taglist import parse_tags, without_signature
from milter.mail.dns import Answer, Question
from milter.mail.message import scan_header
from milter.mail.reading import Facts
from milter.readers.frames import MAX_FACTS_BYTES, RequestKind, encode_request
from tests.support.signing import (
    MESSAGE,
    NAME,
    NAMES,
    answers,
    found,
    public_text,
    record,
    rsa_key,
    sign,
)
from tests.support.suites import SEAL_NAME, seal_once

KEY = rsa_key(2048)
SEAL_KEY = SealKey(domain="gate.example", selector="seal1", private=KEY)
DNS = {SEAL_NAME: found(record(KEY)), **answers(KEY)}
SEALED = seal_once(seal_once(sign(MESSAGE, KEY), SEAL_KEY, DNS), SEAL_KEY, DNS)
RESULTS = {"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"}
NOW = 1_800_000_000
SECONDS = 1.5


def both(raw: bytes, dns: dict[Question, Answer] = DNS) -> tuple[list[str], str]:
    """Results of DKIM and ARC, within bounds of time and number."""
    started = time.process_time()
    header = scan_header(raw)
    questions = key_questions(raw, header)
    dkim = verify_dkim(raw, header, dns, unix_time=NOW)
    arc = verify_arc(raw, header, dns, unix_time=NOW)
    assert time.process_time() - started < SECONDS
    assert len(questions) <= MAX_SIGNATURES + MAX_INSTANCES + 1
    assert all(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", one.name) for one in questions)
    assert all(len(one.name) <= 253 and one.kind == "TXT" for one in questions)
    assert 1 <= len(dkim) <= MAX_SIGNATURES + 1
    assert {one.result for one in dkim} <= RESULTS
    assert arc.result in ("none", "pass", "fail")
    assert all(len(one.reason) < 100 for one in dkim)
    return [one.result for one in dkim], arc.result


def test_what_is_good_passes() -> None:
    assert both(SEALED) == (["pass"], "pass")


@settings(max_examples=300, deadline=None)
@given(
    place=st.integers(0, len(SEALED)),
    length=st.integers(0, 40),
    octets=st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b";", b"=", b"b=", b"i=1;", b"\r\n", b"\r\n ", b":", b"\x00", b"(", b'"', b" \t" * 9]
        ),
    ),
)
def test_any_damage_is_a_result(place: int, length: int, octets: bytes) -> None:
    dkim, arc = both(SEALED[:place] + octets + SEALED[place + length :])
    assert dkim
    assert arc


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_are_a_tag_list_or_none(octets: bytes) -> None:
    tags = parse_tags(octets)
    assert tags is None or all(tags)
    assert len(without_signature(octets)) <= len(octets)
    both(b"DKIM-Signature: " + octets + b"\r\nARC-Seal: " + octets + b"\r\n" + MESSAGE)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='v=DKIM1;kprsah:*tys \t"\\é', max_size=80).map(lambda text: text.encode()),
    )
)
def test_any_octets_are_a_key_record_or_not(octets: bytes) -> None:
    dkim, _ = both(sign(MESSAGE, KEY), {NAME: found(octets)})
    assert dkim[0] in ("permerror", "neutral", "policy", "fail")


HEAD, BODY = SEALED.split(b"\r\n\r\n", 1)
LONG = {
    "spaces in the body": HEAD + b"\r\n\r\n" + b" " * 1_000_000 + b"x\r\n",
    "spaces and words in the body": HEAD + b"\r\n\r\n" + b"  x" * 333_000 + b"\r\n",
    "tabs and lines in the body": HEAD + b"\r\n\r\n" + b"\t \r\n" * 250_000,
    "spaces in the subject": SEALED.replace(b"Subject:", b"Subject:" + b" " * 900_000),
    "spaces in a signature": SEALED.replace(
        b"DKIM-Signature:", b"DKIM-Signature:" + b" " * 900_000
    ),
    "folds in a signature": SEALED.replace(
        b"DKIM-Signature:", b"DKIM-Signature:" + b"\r\n " * 300_000
    ),
    "semicolons in a signature": SEALED.replace(
        b"DKIM-Signature:", b"DKIM-Signature:" + b";" * 15_000
    ),
    "tags in a signature": b"DKIM-Signature: "
    + b";".join(b"a%d=b" % n for n in range(1_500))
    + b"\r\n"
    + SEALED,
    "spaces in a seal": SEALED.replace(b"ARC-Seal:", b"ARC-Seal:" + b"\t" * 900_000),
    "comments in results": SEALED.replace(
        b"ARC-Authentication-Results:", b"ARC-Authentication-Results:" + b"(" * 15_000
    ),
    "open quotes in results": SEALED.replace(b"spf=pass", b'"' * 15_001 + b"spf=pass"),
    "many fields": b"From: a@b.example\r\n" * 1_900 + SEALED,
    "many small fields": b"a:\r\n" * 200_000 + SEALED,
    "lines without colon": b"no colon\r\n" * 90_000 + SEALED,
    "nothing but a header": b"DKIM-Signature: v=1;\r\n" * 40_000,
}


EXPECTED = {
    "spaces in the body": (["fail"], "fail"),
    "spaces and words in the body": (["fail"], "fail"),
    "tabs and lines in the body": (["fail"], "fail"),
    "spaces in the subject": (["pass"], "pass"),  # relaxed: nothing was changed
    "spaces in a signature": (["neutral"], "pass"),
    "folds in a signature": (["neutral"], "pass"),
    "semicolons in a signature": (["neutral"], "fail"),
    "tags in a signature": (["neutral", "pass"], "pass"),
    "spaces in a seal": (["neutral"], "fail"),
    "comments in results": (["pass"], "fail"),
    "open quotes in results": (["pass"], "fail"),
    "many fields": (["policy"], "fail"),
    "many small fields": (["neutral"], "fail"),
    "lines without colon": (["pass"], "pass"),
    "nothing but a header": (["neutral"], "fail"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_things_take_little_time_and_get_the_right_class(name: str) -> None:
    assert both(LONG[name]) == EXPECTED[name]


def test_names_in_h_cost_no_more_than_the_header_has() -> None:
    names = ":".join([NAMES] * 300)
    raw = sign(MESSAGE, KEY, names=names[:14_000])
    assert both(raw)[0] == ["pass"]
    assert both(sign(MESSAGE, KEY, names=":".join([NAMES] * 600)))[0] == ["neutral"]


def test_fifty_signatures_over_a_large_body_hash_it_once() -> None:
    raw = sign(MESSAGE + b"a line of text  with spaces\r\n" * 150_000, KEY)
    field = raw[: raw.index(b"Received:")]
    dkim, _ = both(field * 49 + raw)
    assert dkim == ["pass"] * 8 + ["policy"]


@pytest.mark.parametrize(
    "text",
    [
        b"v=DKIM1; p=" + b"A" * 100_000,
        b"v=DKIM1; n=" + b" " * 100_000 + b"; p=" + public_text(KEY).encode(),
        b";" * 100_000,
        b"v=DKIM1; " + b"x=y;" * 25_000,
        b"v=DKIM1; p=" + public_text(rsa_key(4096)).encode() * 5,
    ],
)
def test_key_records_of_a_hundred_kilobytes(text: bytes) -> None:
    assert both(sign(MESSAGE, KEY), {NAME: found(text)})[0] == ["permerror"]


def test_all_answers_to_all_questions_fit_into_one_frame() -> None:
    questions = tuple(
        Question(f"{'s' * 60}{number}._domainkey.{'d' * 60}.{'e' * 60}.example", "TXT")
        for number in range(MAX_SIGNATURES + MAX_INSTANCES + 1)
    )
    for count in (1, MAX_RECORDS, MAX_RECORDS + 1, 100):
        dns = dict.fromkeys(questions, found(*[b"x" * (MAX_RECORD_OCTETS * 2)] * count))
        facts = Facts(key_answers=key_answers(questions, dns))
        octets = encode_request(1, RequestKind.EXAMINE, facts, (b"",), 1.0)
        assert len(octets) < MAX_FACTS_BYTES


@pytest.mark.parametrize("bits", [512, 768, 1023, 4097, 8192, 16384])
def test_keys_out_of_bounds_are_refused_and_take_no_time(bits: int) -> None:
    raw = sign(MESSAGE, KEY)
    dkim, _ = both(raw, {NAME: found(_record(bits, 65537))})
    assert dkim == ["policy"]


def test_a_long_exponent_is_refused() -> None:
    raw = sign(MESSAGE, KEY)
    assert both(raw, {NAME: found(_record(2048, (1 << 2000) + 1))})[0] in (
        ["policy"],
        ["permerror"],
    )


def _record(bits: int, exponent: int) -> bytes:
    """A key that nobody has: the modulus is any odd number."""
    from base64 import b64encode

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = RSAPublicNumbers(exponent, (1 << (bits - 1)) + 12345).public_key()
    except ValueError:
        pytest.skip("the library refuses such a key itself")
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"p=" + b64encode(octets)
