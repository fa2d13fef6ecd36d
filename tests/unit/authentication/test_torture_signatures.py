"""Every torture file, with no key to be had and with one that fits nothing: a result, in no time."""

import time

import pytest

from milter.authentication.signatures import key_questions, verify_arc, verify_dkim
from milter.mail.dns import Answer, AnswerStatus
from milter.mail.message import scan_header
from tests.support import corpora
from tests.support.signing import found, record, rsa_key

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
