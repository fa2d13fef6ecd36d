"""Mails of the corpus through reading, language, identity and weights, as a front would judge them.

Each becomes a whole message: the header says what `sender` stands for (free mail, a domain that
nothing vouches for, an aligned one, a platform's relay), and a trusted server's
Authentication-Results vouch for it or not. No network and no processes: the same code in one loop.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from email.header import Header
from functools import lru_cache
from itertools import islice
from typing import Final, TypeVar

from milter.app.from_settings import known_domains
from milter.check.identity import KnownDomains, check_identity
from milter.examine import examine
from milter.judge.scoring import score
from milter.judge.weights import WeightTable, parse_weights
from milter.mail.analysis import Analysis
from milter.mail.finding import CheckOutcome, CheckStatus
from milter.mail.reading import Facts, Reading
from milter.mail.verdict import Label, Verdict
from milter.settings import load_settings
from milter.settings.shipped import shipped_text
from nlp.training.corpus import TrainingMail

_AUTHSERV: Final = "bench.test"
_FREE_MAIL: Final = ("gmail.com", "outlook.com", "yahoo.com", "163.com", "mail.ru", "proton.me")
_RELAY: Final = "linkedin.com"
FACTS: Final = Facts(
    role="before_queue",
    trusted_authserv_ids=(_AUTHSERV,),
    own_authserv_id="gateway.test",
    own_domains=("example.org",),
)
_TAGGED: Final = frozenset({Label.LURE, Label.LURE_MALWARE, Label.SCAM})

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one mail of the corpus."""

    mail: TrainingMail
    verdict: Verdict
    rules_alone: Verdict
    analysis: Analysis | None
    screened: bool

    @property
    def is_tagged(self) -> bool:
        """At least annotated."""
        return is_tagged(self.verdict)

    @property
    def is_held(self) -> bool:
        """Quarantined by the default policy in enforce mode."""
        return is_held(self.verdict)


def is_tagged(verdict: Verdict) -> bool:
    """Whether the default policy would at least annotate it."""
    return verdict.label in _TAGGED


def is_held(verdict: Verdict) -> bool:
    """Whether the default policy would quarantine it."""
    return verdict.label in _TAGGED and verdict.may_hold and verdict.score_db >= 35.0


def message_of(mail: TrainingMail) -> bytes:
    """The mail as it would arrive, with CRLF."""
    chosen = int(hashlib.sha256(mail.case.encode()).hexdigest()[:8], 16)
    domain = f"firm{chosen % 9973}.example.net"
    local = f"desk.{chosen % 997}"
    if mail.sender == "freemail":
        domain = _FREE_MAIL[chosen % len(_FREE_MAIL)]
    elif mail.sender == "relay":
        domain = _RELAY
    lines = []
    if mail.sender in ("aligned", "relay"):
        lines.append(
            f"Authentication-Results: {_AUTHSERV}; dmarc=pass header.from={domain}; "
            f"dkim=pass header.d={domain}"
        )
    name = Header(mail.name, "utf-8").encode() + " " if mail.name else ""
    lines += [
        f"From: {name}<{local}@{domain}>",
        "To: someone@example.org",
        f"Subject: {Header(mail.subject.text, 'utf-8', maxlinelen=10**6).encode()}",
        f"Message-ID: <{chosen:08x}@{domain}>",
        "Date: Tue, 03 Nov 2026 09:00:00 +0000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        mail.body.text,
        "",
    ]
    return "\r\n".join("\n".join(lines).split("\n")).encode("utf-8")


def judge(mail: TrainingMail) -> Judged:
    """Judge one mail of the corpus."""
    reading = examine(message_of(mail), FACTS)
    return Judged(
        mail=mail,
        verdict=verdict_of(reading),
        rules_alone=verdict_of(_without_model(reading)),
        analysis=reading.analysis,
        screened=reading.screened,
    )


def _without_model(reading: Reading) -> Reading:
    """The reading as it would be had nothing been trained (but for the screen's second look)."""
    outcomes = tuple(
        replace(
            outcome,
            findings=tuple(
                one for one in outcome.findings if not one.code.startswith(("MODEL_", "READS_"))
            ),
        )
        for outcome in reading.outcomes
    )
    return replace(reading, outcomes=outcomes)


def judge_raw(raw: bytes) -> tuple[Reading, Verdict]:
    """Judge octets of any origin; nothing vouches for them."""
    reading = examine(raw, FACTS)
    return reading, verdict_of(reading)


def verdict_of(reading: Reading) -> Verdict:
    """The verdict on a reading, by the shipped weights."""
    return scored(reading, identity_of(reading))


def identity_of(reading: Reading) -> CheckOutcome:
    """What the identity check says, with the domains that the shipped settings know."""
    return CheckOutcome(
        check="identity",
        status=CheckStatus.DONE,
        findings=check_identity(reading, known=_known()),
    )


def scored(reading: Reading, identity: CheckOutcome) -> Verdict:
    """The shipped weights on all that was found."""
    return score((*reading.outcomes, identity), table=_weights())


def in_processes(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work` on every item, in order, on all cores."""
    waiting = iter(items)
    with ProcessPoolExecutor(2) as pool:
        while batch := [*islice(waiting, 2_000)]:
            yield from pool.map(work, batch, chunksize=20)


@lru_cache(maxsize=1)
def _known() -> KnownDomains:
    return known_domains(_settings())


@lru_cache(maxsize=1)
def _weights() -> WeightTable:
    return parse_weights(shipped_text("weights.toml"))


@lru_cache(maxsize=1)
def _settings():  # type: ignore[no-untyped-def]
    text = shipped_text("gateway.toml")
    return load_settings(text.encode(), source="shipped").settings
