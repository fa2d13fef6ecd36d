"""Every torture file, with no key to be had and with one that fits nothing: a result, in no time."""

import re
import time

import pytest

from milter.authentication.arc import is_arc_field
from milter.authentication.seal import SealKey, seal
from milter.authentication.signatures import key_questions, verify_arc, verify_dkim
from milter.mail.dns import Answer, AnswerStatus
from milter.mail.message import scan_header
from tests.support import corpora
from tests.support.second_opinion import Case, ask_mailauth
from tests.support.signing import found, record, rsa_key
from tests.support.suites import SEAL_NAME

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not() or "present"),
]


def test_every_file_has_a_result_and_none_passes_without_its_key() -> None:
    other = found(record(rsa_key(2048)))
    failed = Answer(status=AnswerStatus.FAILED)
    signed = sealed = 0
    for name, raw in corpora.torture():
        started = time.process_time()
        header = scan_header(raw)
        questions = key_questions(raw, header)
        for answer, expected in ((failed, "temperror"), (other, "fail")):
            answers = dict.fromkeys(questions, answer)
            dkim = verify_dkim(raw, header, answers)
            arc = verify_arc(raw, header, answers)
            assert "pass" not in {one.result for one in dkim}, name
            assert arc.result in ("none", "fail"), name
            if questions and arc.result == "none":
                wanted = {expected} if expected == "temperror" else {"fail", "permerror", "policy"}
                assert {one.result for one in dkim} & wanted, (name, dkim)
        assert time.process_time() - started < 2.0, name
        signed += dkim[0].result != "none"
        sealed += arc.result != "none"
    assert signed > 100
    assert sealed > 100


def test_whatever_we_seal_verifies_here_and_by_mailauth() -> None:
    """All files that begin like a message, as they would come over SMTP.

    Where the header holds a line that is no field, verifiers differ on where the body begins.
    """
    key = SealKey(domain="gate.example", selector="seal1", private=rsa_key(2048))
    dns = {SEAL_NAME: found(record(rsa_key(2048)))}
    cases = {}
    for name, stored in corpora.torture():
        raw = re.sub(rb"\A>?From .*\r\n", b"", re.sub(rb"\r\n|\r|\n", b"\r\n", stored)) + b"\r\n"
        header = scan_header(raw)
        if raw[:1] in b" \t" or header.first_junk >= 0 or any(map(is_arc_field, header.fields)):
            continue
        fields = seal(
            raw,
            header,
            status="none",
            results=b"gate.example; none",
            key=key,
            unix_time=1_790_000_000,
        )
        sealed = b"".join(each + b":" + value + b"\r\n" for each, value in fields) + raw
        assert verify_arc(sealed, scan_header(sealed), dns).result == "pass", name
        cases[name] = Case(raw=sealed, dns=dns)
    assert len(cases) > 1_500
    opinions = ask_mailauth(list(cases.values()))
    assert [name for name, one in zip(cases, opinions, strict=True) if one.arc != "pass"] == []
