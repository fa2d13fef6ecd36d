"""dkimpy beside us: the same result where it gives one, and each of its known faults absent here.

Decision 0008 says why dkimpy verifies in tests and not in the gateway.
"""

import logging
import re
import time

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milter.authentication.seal import SealKey
from milter.authentication.signatures import verify_arc, verify_dkim
from milter.mail.dns import Answer, AnswerStatus
from milter.mail.message import scan_header
from milter.mail.reading import ArcChain
from tests.support.signing import (
    MESSAGE,
    NAME,
    Private,
    answers,
    ed25519_key,
    found,
    pem,
    record,
    rsa_key,
    sign,
)
from tests.support.suites import SEAL_NAME, seal_once

KEY = rsa_key()
NOW = 1_800_000_000
logging.getLogger("dkimpy").addHandler(logging.NullHandler())


def results(raw: bytes, dns=None) -> list[str]:
    return [
        one.result
        for one in verify_dkim(
            raw, scan_header(raw), answers(KEY) if dns is None else dns, unix_time=NOW
        )
    ]


def dkimpy_says(raw: bytes, text: bytes | None = None) -> bool:
    known = record(KEY) if text is None else text
    return dkim.verify(raw, dnsfunc=lambda name, timeout=5: known)


def chain(raw: bytes, dns=None) -> ArcChain:
    return verify_arc(raw, scan_header(raw), CHAIN_DNS if dns is None else dns, unix_time=NOW)


SEAL_KEY = SealKey(domain="gate.example", selector="seal1", private=KEY)
CHAIN_DNS = {SEAL_NAME: found(record(KEY)), **answers(KEY)}


# The same results.


@pytest.mark.parametrize(
    "canonical", ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
)
@pytest.mark.parametrize("key", [rsa_key(1024), rsa_key(2048), ed25519_key()])
def test_what_dkimpy_signs_passes(key: Private, canonical: str) -> None:
    header, _, body = canonical.encode().partition(b"/")
    kind = b"ed25519-sha256" if key is ed25519_key() else b"rsa-sha256"
    private = _seed(key) if key is ed25519_key() else pem(key)
    field = dkim.sign(
        MESSAGE,
        b"key1",
        b"signer.example",
        private,
        canonicalize=(header, body),
        signature_algorithm=kind,
    )
    raw = field + MESSAGE
    assert results(raw, answers(key)) == ["pass"]
    assert dkimpy_says(raw, record(key))
    changed = raw.replace(b"Hello", b"Hullo")
    assert results(changed, answers(key)) == ["fail"]
    assert not dkimpy_says(changed, record(key))


def _seed(key: Private) -> bytes:
    from base64 import b64encode

    from cryptography.hazmat.primitives import serialization as form

    raw = key.private_bytes(form.Encoding.Raw, form.PrivateFormat.Raw, form.NoEncryption())
    return b64encode(raw)


PIECES = st.lists(
    st.sampled_from([b"word", b" ", b"  ", b"\t", b"\r\n", b".", b"\xc3\xa9", b"=20", b"--b"]),
    max_size=25,
).map(b"".join)


@settings(max_examples=60, deadline=None)
@given(
    body=PIECES,
    subject=PIECES,
    canonical=st.sampled_from(["simple/simple", "relaxed/relaxed", "relaxed/simple"]),
)
def test_any_body_and_subject_that_dkimpy_signs_passes(
    body: bytes, subject: bytes, canonical: str
) -> None:
    folded = subject.replace(b"\r\n", b"\r\n\t").rstrip(b"\r\n\t ")
    # Over SMTP a body always ends with a line end; what dkimpy makes of another is its own.
    message = b"From: a@signer.example\r\nSubject: x" + folded + b"\r\n\r\n" + body + b"\r\n"
    header, _, mode = canonical.encode().partition(b"/")
    # dkimpy's own RSA is slow; 1024 bits do.
    field = dkim.sign(
        message, b"key1", b"signer.example", pem(rsa_key(1024)), canonicalize=(header, mode)
    )
    raw = field + message
    assert results(raw, answers(rsa_key(1024))) == ["pass"]
    assert results(raw + b"more\r\n", answers(rsa_key(1024))) == ["fail"]


def test_chains_of_ours_pass_dkimpy_and_those_of_dkimpy_pass_here() -> None:
    raw = sign(MESSAGE, KEY)
    for hop in range(3):
        raw = seal_once(raw, SEAL_KEY, CHAIN_DNS, edit=b"Hello edited")
        assert dkim.arc_verify(raw, dnsfunc=_dns)[0] == b"pass"
        assert chain(raw).instances == 2 * hop + 1
        raw = _sealed_by_dkimpy(raw)
        assert (chain(raw).result, chain(raw).instances) == ("pass", 2 * hop + 2)


def _dns(name: bytes, timeout: int = 5) -> bytes:
    return record(KEY)


def _sealed_by_dkimpy(raw: bytes) -> bytes:
    stamped = (
        b"Authentication-Results: gate.example; arc=pass; spf=pass smtp.mailfrom=b.example\r\n"
        + raw
    )
    fields = dkim.arc_sign(
        stamped,
        b"seal1",
        b"gate.example",
        pem(KEY),
        b"gate.example",
        include_headers=[b"from", b"to", b"subject"],
        timestamp=1_790_000_000,
    )
    return b"".join(fields) + raw


# Its faults (decision 0008), each absent here.


def test_runs_of_spaces_take_no_time() -> None:
    """dkimpy needs two seconds for 40 kB of spaces in one line, and its square for more."""
    raw = sign(MESSAGE.partition(b"Hello")[0] + b"a" + b" " * 4_000_000 + b"b\r\n", KEY)
    started = time.process_time()
    assert results(raw) == ["pass"]
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(status=AnswerStatus.FAILED), "temperror"),
        (Answer(status=AnswerStatus.NO_NAME), "permerror"),
        (found(b"v=DKIM1; p="), "permerror"),
        (found(b"v=DKIM1; p=broken"), "permerror"),
    ],
)
def test_reasons_are_kept_apart(answer: Answer, expected: str) -> None:
    """dkimpy says False to all four."""
    assert results(sign(MESSAGE, KEY), {NAME: answer}) == [expected]
    assert results(MESSAGE) == ["none"]


def test_all_signatures_are_looked_at_up_to_the_cap_and_the_body_once() -> None:
    """dkimpy looks at the first one, and would canonicalise the body for each."""
    raw = sign(sign(MESSAGE, KEY), KEY, selector="absent")
    assert results(raw) == ["temperror", "pass"]
    assert not dkimpy_says(raw, b"")
    field = raw.partition(b"Received:")[0]
    big = field * 10 + MESSAGE + b"a line of some length that goes on and on\r\n" * 200_000
    started = time.process_time()
    assert results(big) == ["temperror", "fail"] * 4 + ["policy"]
    assert time.process_time() - started < 2.0


def test_appended_content_does_not_pass() -> None:
    raw = sign(MESSAGE, KEY, length=20) + b"<b>Pay here</b>\r\n"
    assert dkimpy_says(raw)
    assert results(raw) == ["policy"]


def test_sha1_and_the_tags_of_keys_are_heeded() -> None:
    raw = sign(MESSAGE, KEY, algorithm="rsa-sha1")
    assert dkimpy_says(raw)
    assert results(raw) == ["permerror"]
    raw = sign(MESSAGE, KEY)
    for tags, expected in (
        ("h=sha1; ", "permerror"),
        ("t=y; ", "neutral"),
        ("s=tlsrpt; ", "permerror"),
    ):
        assert dkimpy_says(raw, record(KEY, tags)) or tags.startswith("s=")
        assert results(raw, answers(KEY, tags)) == [expected]


def test_nothing_escapes_as_an_exception() -> None:
    leading = b" " + sign(MESSAGE, KEY)
    with pytest.raises(IndexError):
        dkim.rfc822_parse(leading)
    assert len(results(leading)) == 1
    mixed = sign(MESSAGE, KEY, algorithm="ed25519-sha256")
    assert results(mixed) == ["permerror"]
    tabbed = seal_once(sign(MESSAGE, KEY), SEAL_KEY, CHAIN_DNS)
    for form in (b":\ti=1;", b":i=1;", b": a=b; i=1;"):
        odd = re.sub(rb"^(ARC-[A-Za-z-]+): i=1;", rb"\1" + form, tabbed, flags=re.MULTILINE)
        assert chain(odd).result in ("pass", "fail")
        assert chain(odd).instances in (0, 1)


@pytest.mark.parametrize(
    "line", [b"no colon here", b"J\xfcrgen: x", b"X-Odd : x", b"\x00\x01", b": x"]
)
def test_one_odd_line_in_the_header_costs_nothing_but_itself(line: bytes) -> None:
    raw = sign(MESSAGE, KEY).replace(b"\r\nTo: b@", b"\r\n" + line + b"\r\nTo: b@")
    assert results(raw) == ["pass"]


def test_a_seal_takes_its_results_from_us_and_is_whole_or_absent() -> None:
    """dkimpy takes them from the message, by a name that anybody may write there."""
    forged = b"Authentication-Results: GATE.example; dkim=pass header.d=bank.example\r\n" + sign(
        MESSAGE, KEY
    )
    raw = seal_once(forged, SEAL_KEY, CHAIN_DNS)
    assert [
        raw.count(name)
        for name in (b"ARC-Seal:", b"ARC-Message-Signature:", b"ARC-Authentication-Results:")
    ] == [1, 1, 1]
    head = raw.partition(b"\r\nAuthentication-Results:")[0]
    assert b"bank.example" not in head
    (one,) = chain(raw).sets
    assert (one.domain, one.authserv_id) == ("gate.example", "gate.example")
    assert [(each.method, each.result) for each in one.results] == [
        ("spf", "pass"),
        ("dkim", "pass"),
        ("arc", "none"),
    ]
