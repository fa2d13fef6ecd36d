"""The public ARC test suite (Valimail): chain validation and signing, case by case.

docs/authentication.md lists the cases in which we differ, with the words of the RFC.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from milter.authentication.seal import SealKey, seal
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


def signing_cases() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    path = FOLDER / "tests_arc-draft-sign-tests.yml"
    for group in yaml.safe_load_all(path.read_text("utf-8")) if path.is_file() else ():
        for name, case in group["tests"].items():
            yield name, group, case


SIGNING = list(signing_cases())


@pytest.mark.parametrize(("name", "group", "case"), SIGNING, ids=[case[0] for case in SIGNING])
def test_signing(name: str, group: dict[str, Any], case: dict[str, Any]) -> None:
    """The suite wants its own order of tags; we are held to instance, cv= and that it verifies."""
    raw = case["message"].encode().replace(b"\n", b"\r\n")
    header = scan_header(raw)
    dns = {
        Question(each.lower(), "TXT"): found(text.replace("\n", "").encode())
        for each, text in group["txt-records"].items()
    }
    private = load_pem_private_key(group["privatekey"].encode(), password=None)
    assert isinstance(private, RSAPrivateKey)
    fields = seal(
        raw,
        header,
        status=verify_arc(raw, header, dns).result,
        results=f"{case['srv-id']}; none".encode(),
        key=SealKey(domain=group["domain"], selector=group["sel"], private=private),
        unix_time=int(case["t"]),
    )
    if not case["AS"]:
        assert fields == ()
        return
    wanted = {
        tag.partition("=")[0].strip(): tag.partition("=")[2].strip()
        for tag in case["AS"].split(";")
    }
    assert f" i={wanted['i']};".encode() in fields[0][1]
    assert f" cv={wanted['cv'].lower()};".encode() in fields[0][1]
    sealed = b"".join(each + b":" + value + b"\r\n" for each, value in fields) + raw
    chain = verify_arc(sealed, scan_header(sealed), dns)
    assert chain.result == ("fail" if wanted["cv"].lower() == "fail" else "pass")
    assert chain.instances == int(wanted["i"])
