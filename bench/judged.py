"""Mails of the corpus through reading, language, identity and weights, as a front would judge them.

Each becomes a whole message that arrives from the world (`bench.arrival`), and is authenticated by the
gateway's own check. No network and no processes: the same code in one loop. Octets of any origin are
taken as from behind a server whose results are believed.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Final, TypeVar

from bench.arrival import OPTIONS, authenticator, loop, notice_before, transaction_of
from milter.app.from_settings import known_domains
from milter.check.engagement.engagement import EngagementCheck
from milter.check.identity import UNKNOWN_STANDING, KnownDomains, Standing, check_identity
from milter.examine import examine
from milter.judge.scoring import score
from milter.judge.weights import WeightTable, parse_weights
from milter.mail.analysis import Analysis
from milter.mail.engagement import Dossier, Recollection
from milter.mail.envelope import Transaction
from milter.mail.finding import CheckOutcome, CheckStatus
from milter.mail.reading import Facts, Reading
from milter.mail.verdict import Label, Verdict
from milter.settings import load_settings
from milter.settings.shipped import shipped_text
from nlp.training.corpus import TrainingMail

_AUTHSERV: Final = "bench.test"
FACTS: Final = Facts(
    role="before_queue",
    trusted_authserv_ids=(_AUTHSERV,),
    own_authserv_id="gateway.test",
    own_domains=("example.org",),
)
_AT_THE_EDGE: Final = Facts(
    role="mx", own_authserv_id=OPTIONS.authserv_id, own_domains=("example.org",)
)
_DEADLINE_SECONDS: Final = 60.0
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


def judge(mail: TrainingMail) -> Judged:
    """Judge one mail of the corpus."""
    transaction = transaction_of(mail)
    reading, standing = loop().run_until_complete(_arrived(transaction))
    identity = identity_of(reading, standing)
    memory = _memory_of(transaction, reading, identity, _recalled(mail))
    return Judged(
        mail=mail,
        verdict=scored(reading, identity, memory),
        rules_alone=scored(_without_model(reading), identity, memory),
        analysis=reading.analysis,
        screened=reading.screened,
    )


async def _arrived(transaction: Transaction) -> tuple[Reading, Standing]:
    """The mail as a front has it before it asks its checks."""
    running = authenticator().begin(transaction, time.monotonic() + _DEADLINE_SECONDS)
    reading = examine(transaction.raw, await running.told(_AT_THE_EDGE))
    found = await running.finish(reading)
    running.close()
    standing = Standing(organisation=found.organisation, is_sealed=bool(found.sealer))
    return replace(reading, auth_results=found.results), standing


def _recalled(mail: TrainingMail) -> Recollection:
    """What memory holds when the mail comes: the notification before it, if its story has one."""
    notice = notice_before(mail)
    if notice is None:
        return Recollection()
    reading, standing = loop().run_until_complete(_arrived(notice))
    identity = identity_of(reading, standing)
    check = _engagement(notice, reading, identity)
    events = check.memories(scored(reading, identity)).events
    return Recollection(
        dossiers=tuple(Dossier(recipient=person, events=(event,)) for person, event in events)
    )


def _memory_of(
    transaction: Transaction, reading: Reading, identity: CheckOutcome, recalled: Recollection
) -> CheckOutcome:
    check = _engagement(transaction, reading, identity)
    check.recalled = recalled
    return CheckOutcome(check="engagement", status=CheckStatus.DONE, findings=check.findings())


def _engagement(
    transaction: Transaction, reading: Reading, identity: CheckOutcome
) -> EngagementCheck:
    found = tuple(one for each in (*reading.outcomes, identity) for one in each.findings)
    return EngagementCheck(transaction=transaction, reading=reading, known=_known(), found=found)


async def told_of(mail: TrainingMail) -> tuple[bytes, Facts]:
    """The octets of the mail, and what a reader is told about them."""
    transaction = transaction_of(mail)
    running = authenticator().begin(transaction, time.monotonic() + _DEADLINE_SECONDS)
    facts = await running.told(_AT_THE_EDGE)
    running.close()
    return transaction.raw, facts


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


def identity_of(reading: Reading, standing: Standing = UNKNOWN_STANDING) -> CheckOutcome:
    """What the identity check says, with the domains that the shipped settings know."""
    return CheckOutcome(
        check="identity",
        status=CheckStatus.DONE,
        findings=check_identity(reading, known=_known(), standing=standing),
    )


def scored(reading: Reading, *outcomes: CheckOutcome) -> Verdict:
    """The shipped weights on all that was found."""
    return score((*reading.outcomes, *outcomes), table=_weights())


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
