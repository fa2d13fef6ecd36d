"""The public ARC test suite (Valimail): chain validation and signing, case by case.

docs/authentication.md lists the cases in which we differ, with the words of the RFC.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from milter.authentication.signatures import key_questions, verify_arc
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.message import scan_header
from tests.support import corpora
from tests.support.signing import found

FOLDER = corpora.ROOT / "torture" / "arc_test_suite"
# What the suite wants and we do not give.
DIFFERENT = {"ams_fields_c_na", "ams_fields_h_empty"}

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not() or "present"),
]


def cases() -> Iterator[tuple[str, bytes, dict[Question, Answer], dict[str, Any]]]:
    path = FOLDER / "tests_arc-draft-validation-tests.yml"
    if not path.is_file():
        return
    for group in yaml.safe_load_all(path.read_text("utf-8")):
        dns = {
            Question(name.lower(), "TXT"): found(text.replace("\n", "").encode())
            for name, text in (group.get("txt-records") or {}).items()
        }
        for name, case in group["tests"].items():
            yield name, case["message"].encode().replace(b"\n", b"\r\n"), dns, case


CASES = list(cases())


@pytest.mark.parametrize(("name", "raw", "dns", "case"), CASES, ids=[case[0] for case in CASES])
def test_chain_validation(
    name: str, raw: bytes, dns: dict[Question, Answer], case: dict[str, Any]
) -> None:
    header = scan_header(raw)
    questions = key_questions(raw, header)
    absent = Answer(status=AnswerStatus.NO_NAME)
    chain = verify_arc(raw, header, {one: dns.get(one, absent) for one in questions})
    wanted = "none" if case["cv"] is None else case["cv"].lower()
    if name in DIFFERENT:
        assert (wanted, chain.result) == ("pass", "fail")
    elif wanted:  # the suite leaves open what becomes of a chain that says it has failed
        assert chain.result == wanted, chain.reason
    else:
        assert chain.result == "fail"


def test_the_suite_was_read() -> None:
    assert len(CASES) == 171
    assert {case[0] for case in CASES} > DIFFERENT
