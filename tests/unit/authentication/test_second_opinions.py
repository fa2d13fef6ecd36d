"""mailauth and Mail::DKIM beside us: one result over all suites but for the cases that are listed.

docs/authentication.md names every case in which one of them differs, with the words of the RFC.
"""

import re
from pathlib import Path

import pytest

from milter.authentication.signatures import key_questions, verify_arc, verify_dkim
from milter.mail.message import scan_header
from tests.support import corpora
from tests.support.second_opinion import Case, Opinion, ask_mail_dkim, ask_mailauth
from tests.support.signing import found, record, rsa_key
from tests.support.suites import arc_suite, mail_dkim_corpus, sealed_by_us, signed_by_us

PAGE = (Path(__file__).parents[3] / "docs" / "authentication.md").read_text("utf-8")
LISTED = {
    verifier: set(
        re.findall(r"`([^`]+)`", " ".join(re.findall(rf"^\|.*\| {verifier} \|$", PAGE, re.M)))
    )
    for verifier in ("mailauth", "Mail::DKIM", "both")
}
VERIFIERS = {"mailauth": ask_mailauth, "Mail::DKIM": ask_mail_dkim}
SUITES = {
    "signed": lambda: list(signed_by_us()),
    "sealed": lambda: list(sealed_by_us()),
    "mail-dkim": lambda: list(mail_dkim_corpus()),
    "arc": lambda: [(name, case) for name, case, _ in arc_suite()],
}


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("suite", SUITES)
def test_agreement(suite: str, verifier: str) -> None:
    """Each differs exactly in the cases that are listed for it."""
    cases = SUITES[suite]()
    if not cases:
        pytest.skip(corpora.why_not())
    opinions = VERIFIERS[verifier]([case for _, case in cases])
    different = {
        name
        for (name, case), opinion in zip(cases, opinions, strict=True)
        if ours(case) != theirs(case, opinion)
    }
    names = {name for name, _ in cases}
    assert different == (LISTED[verifier] | LISTED["both"]) & names


def ours(case: Case) -> tuple[bool, bool]:
    """Does any signature pass, and does the chain?"""
    header = scan_header(case.raw)
    dkim = verify_dkim(case.raw, header, case.dns, unix_time=case.unix_time)
    arc = verify_arc(case.raw, header, case.dns, unix_time=case.unix_time)
    return any(one.result == "pass" for one in dkim), arc.result == "pass"


def theirs(case: Case, opinion: Opinion) -> tuple[bool, bool]:
    return "pass" in opinion.dkim, opinion.arc == "pass"


def test_every_suite_has_passes_and_failures() -> None:
    """Agreement of verifiers that find nothing would be worth nothing."""
    for suite in ("signed", "sealed"):
        results = [ours(case) for _, case in SUITES[suite]()]
        index = 0 if suite == "signed" else 1
        assert {result[index] for result in results} == {True, False}
    sealed = dict(sealed_by_us())
    assert [ours(sealed[f"pass {hop}"])[1] for hop in range(1, 5)] == [True] * 4


def test_temporary_failures_are_told_apart_by_mailauth_too() -> None:
    cases = dict(signed_by_us())
    (opinion,) = ask_mailauth([cases["record failing dns"]])
    assert opinion.dkim == ("temperror",)


@pytest.mark.corpora
def test_on_real_mail_the_same_bodies_are_unchanged() -> None:
    """Nobody has their keys any more, but the hash of a body needs none."""
    if corpora.why_not():
        pytest.skip(corpora.why_not())
    other = found(record(rsa_key(2048)))
    cases = []
    for _, stored in corpora.messages("list_mail", 300):
        raw = stored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        questions = key_questions(raw, scan_header(raw))
        if questions and b"rsa-sha1" not in raw:
            cases.append(Case(raw=raw, dns=dict.fromkeys(questions, other)))
    mine = [
        [
            one.reason == "the body was changed"
            for one in verify_dkim(case.raw, scan_header(case.raw), case.dns)
            if one.result != "none"
        ]
        for case in cases
    ]
    theirs = [
        ["body hash" in one for one in opinion.comments[:-1] if "not signed" not in one]
        for opinion in ask_mailauth(cases)
    ]
    assert mine == theirs
    unchanged = sum(not changed for one in mine for changed in one)
    assert unchanged > 150
