"""One transaction in, one plan out: examine, check, judge, act. Knows neither SMTP nor milter.

`assess` asks a reader and the checks, and decides; `plan` turns decisions into octets: edited
messages for the next hop, holds for the quarantine. Neither delivers nor writes: `relay.delivery`
does. A reader's claims are taken as claims: `act` checks every span.

Failure: what cannot be judged follows policy (delivered marked degraded, or deferred); what cannot
be edited exactly goes out with headers only. An exception here is our own bug: 451 4.3.0.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from milter.act.plan import Acted, ActOptions, act_on
from milter.check import authentication
from milter.check.authentication import Authenticated, Authentication, Authenticator
from milter.check.engagement import direct_mail as engagement_check
from milter.check.engagement.contacts import notice_findings
from milter.check.engagement.engagement import EngagementCheck, Windows
from milter.check.identity import KnownDomains, Standing, check_identity
from milter.check.runner import Check, run_checks
from milter.judge.explain import reason_codes
from milter.judge.policy import Policy, enforced, severity
from milter.judge.scoring import score
from milter.judge.weights import WeightTable
from milter.mail.envelope import Transaction
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.plan import Group, Plan, add_group
from milter.mail.quarantine import Hold
from milter.mail.reading import Facts, HeaderFacts, Reading
from milter.mail.reply import OwnReply, own_reply
from milter.mail.verdict import Action, Disposition, Verdict
from milter.ports import Clock, ExaminationFailed, Examined, Examiner, History

_LARGE_OCTETS = 1_000_000
_CONTENT_REFUSED = own_reply(550, "5.7.1", "Message refused by policy")
_CANNOT_JUDGE = own_reply(451, "4.7.1", "Message cannot be examined now, try again later")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOptions:
    """What a pipeline is told once, from settings; `verify_share` of the time proves an edit."""

    policy: Policy
    weights: WeightTable
    known: KnownDomains
    facts: Facts
    act: ActOptions
    windows: Windows = field(default_factory=Windows)
    deadline_seconds: float = 10.0
    info_from_db: float = 12.0
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What we believe of a message and what shall happen to it, before any octet is changed.

    `intended` is the strictest action that enforce mode would take. `reading` is None if no reader
    could examine it. `first_failure` says why a reader had to be replaced on the way, or is ''.
    `authenticated` is what we verified ourselves; None where we are not the first to meet the mail.
    """

    reading: Reading | None
    verdict: Verdict
    dispositions: tuple[Disposition, ...]
    intended: Action
    deadline: float
    authenticated: Authenticated | None = None
    first_failure: str = ""
    elapsed_seconds: float = 0.0

    @property
    def header(self) -> HeaderFacts:
        """Header facts, empty ones where nothing was examined."""
        return self.reading.header if self.reading else HeaderFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what was done to the octets per disposition, for observation."""

    plan: Plan
    acted: tuple[tuple[Disposition, Acted], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One message with all that was found outside of a reader."""

    reading: Reading
    engagement: EngagementCheck
    outcomes: tuple[CheckOutcome, ...]


class Pipeline:
    """Examine, check, judge, act: one call per message, no state between messages."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        history: History,
        clock: Clock,
        options: PipelineOptions,
        authenticator: Authenticator | None = None,
    ) -> None:
        self._examiner = examiner
        self._authenticator = authenticator
        self._history = history
        self._clock = clock
        self._options = options

    async def assess(self, transaction: Transaction) -> Assessment:
        """Verdict and dispositions for one message, within the deadline."""
        options = self._options
        started = self._clock.monotonic()
        deadline = started + options.deadline_seconds
        first_failure = ""
        running = self._begin_authentication(transaction, deadline)
        try:
            examined = await self._examine(transaction, running, deadline)
        except ExaminationFailed as failure:
            first_failure, reading = failure.reason, None
            authenticated = await running.finish(None) if running else None
            verdict = score(
                (),
                table=options.weights,
                degraded=(f"examination: {failure.reason}",),
                versions=options.versions,
            )
        else:
            first_failure = examined.first_failure
            reading, authenticated, verdict = await self._judge(
                transaction, examined, running, deadline
            )
        finally:
            if running:
                running.close()
        dispositions, intended = self._decide(transaction, reading, verdict)
        return Assessment(
            reading=reading,
            verdict=verdict,
            dispositions=dispositions,
            intended=intended,
            deadline=deadline,
            authenticated=authenticated,
            first_failure=first_failure,
            elapsed_seconds=self._clock.monotonic() - started,
        )

    async def plan(self, transaction: Transaction, assessment: Assessment) -> Planned:
        """Octets for every disposition; what cannot be edited exactly keeps its body."""
        reply = _reply_for_everybody(assessment.dispositions)
        if reply is not None:
            return Planned(plan=Plan(reply=reply))
        acted = [
            (disposition, await self._act(transaction, assessment, disposition))
            for disposition in assessment.dispositions
        ]
        groups: list[Group] = []
        holds: list[Hold] = []
        for disposition, done in acted:
            if disposition.action in (Action.QUARANTINE, Action.REJECT):
                # A rejection for some recipients only: one reply covers all, so it is held.
                holds.append(_hold(transaction, assessment, disposition, done))
            else:
                add_group(groups, disposition, done.raw)
        return Planned(plan=Plan(groups=tuple(groups), holds=tuple(holds)), acted=tuple(acted))

    def _begin_authentication(
        self, transaction: Transaction, deadline: float
    ) -> Authentication | None:
        authenticator = self._authenticator
        if authenticator is None or not authenticator.wants(transaction):
            return None
        return authenticator.begin(transaction, deadline)

    async def _examine(
        self, transaction: Transaction, running: Authentication | None, deadline: float
    ) -> Examined:
        facts = await self._facts(transaction, running)
        return await self._examiner.examine(transaction.raw, facts, deadline)

    async def _facts(self, transaction: Transaction, running: Authentication | None) -> Facts:
        facts = self._facts_for(transaction)
        return await running.told(facts) if running is not None else facts

    def _decide(
        self, transaction: Transaction, reading: Reading | None, verdict: Verdict
    ) -> tuple[tuple[Disposition, ...], Action]:
        """Dispositions in the mode that is set, and the strictest that enforce mode would take."""
        decided = [
            policy.decide(
                verdict,
                reading.header if reading else HeaderFacts(),
                transaction.envelope.recipients,
                role=transaction.role,
                today=transaction.received_at.date(),
                judged=reading is not None,
            )
            for policy in (self._options.policy, enforced(self._options.policy))
        ]
        return decided[0], max((one.action for one in decided[1]), key=severity)

    def _facts_for(self, transaction: Transaction) -> Facts:
        facts = self._options.facts
        # Design rule 13: in role mx nobody stands in front of us, so nobody's results count.
        trusted = () if transaction.role == "mx" else facts.trusted_authserv_ids
        return replace(
            facts,
            role=transaction.role,
            client_name=transaction.connection.client_name,
            trusted_authserv_ids=trusted,
            # Whatever an SMTP listener takes has been checked or normalised on its way in.
            lines_checked=transaction.role not in ("file", "milter"),
        )

    async def _judge(
        self,
        transaction: Transaction,
        examined: Examined,
        running: Authentication | None,
        deadline: float,
    ) -> tuple[Reading, Authenticated | None, Verdict]:
        """Check, score and remember; a mail of a persona who is at it already is read in full."""
        reading = examined.reading
        authenticated = await running.finish(reading) if running else None
        case = await self._check(transaction, reading, authenticated, deadline)
        # A fault of memory's own costs its part, never the mail.
        problems: list[str] = []
        try:
            if case.engagement.wants_full_reading:
                facts = replace(await self._facts(transaction, running), read_in_full=True)
                again = await self._examiner.examine(transaction.raw, facts, deadline)
                case = await self._check(transaction, again.reading, authenticated, deadline)
        except ExaminationFailed as failure:
            problems.append(f"not read in full: {failure.reason}")
        except Exception as error:
            problems.append(f"not read in full: raised {type(error).__name__}")
        verdict = self._scored(case, authenticated, examined.first_failure)
        try:
            await self._history.remember(case.engagement.memories(verdict))
        except Exception as error:
            problems.append(f"not remembered: raised {type(error).__name__}")
        if problems:
            verdict = replace(verdict, degraded=(*verdict.degraded, *problems))
        return case.reading, authenticated, verdict

    async def _check(
        self,
        transaction: Transaction,
        reading: Reading,
        authenticated: Authenticated | None,
        deadline: float,
    ) -> "_Case":
        """Ask everything that is asked outside of a reader."""
        if authenticated is not None:
            reading = replace(reading, auth_results=authenticated.results)
        standing = Standing(
            organisation=authenticated.organisation if authenticated else "",
            is_sealed=bool(authenticated and authenticated.sealer),
        )
        known = self._options.known
        identity = Check(
            name="identity",
            ask=lambda: (
                *check_identity(reading, known=known, standing=standing),
                # Asks no history, so it is found where memory is out of reach, too.
                *notice_findings(transaction, reading),
            ),
        )
        outcomes = await run_checks((identity,), clock=self._clock, deadline=deadline)
        engagement = EngagementCheck(
            transaction=transaction,
            reading=reading,
            known=known,
            found=tuple(
                finding
                for outcome in (*reading.outcomes, *outcomes)
                for finding in outcome.findings
            ),
            windows=self._options.windows,
        )

        async def remembered() -> tuple[Finding, ...]:
            await engagement.recall(self._history)
            return engagement.findings()

        asked = Check(name=engagement_check.CHECK, ask=remembered)
        outcomes += await run_checks((asked,), clock=self._clock, deadline=deadline)
        return _Case(reading=reading, engagement=engagement, outcomes=outcomes)

    def _scored(
        self, case: "_Case", authenticated: Authenticated | None, first_failure: str
    ) -> Verdict:
        options = self._options
        analysis = case.reading.analysis
        model = (("language", analysis.model_version),) if analysis else ()
        return score(
            (*case.reading.outcomes, *_authentication_outcome(authenticated), *case.outcomes),
            table=options.weights,
            info_from_db=options.info_from_db,
            degraded=tuple(_missing(authenticated, first_failure)),
            language=analysis.language if analysis else "und",
            versions=(*options.versions, *model),
        )

    async def _act(
        self, transaction: Transaction, assessment: Assessment, disposition: Disposition
    ) -> Acted:
        """Edit, prove the edit, and seal what leaves."""
        authenticated = assessment.authenticated
        acted = await self._proved(transaction, assessment, disposition)
        seal = partial(
            acted.sealed,
            self._options.act,
            reading=assessment.reading,
            verified=authenticated.results if authenticated else None,
            received_at=transaction.received_at,
        )
        if self._options.act.seal and len(acted.raw) > _LARGE_OCTETS:
            # A body is hashed as it leaves: others of this front must not wait for a large one.
            return await asyncio.to_thread(seal)
        return seal()

    async def _proved(
        self, transaction: Transaction, assessment: Assessment, disposition: Disposition
    ) -> Acted:
        """Edit, then prove the edit; on any doubt headers only, and the doubt is counted."""
        options = self._options
        acted = act_on(
            transaction.raw,
            reading=assessment.reading,
            verdict=assessment.verdict,
            verified=assessment.authenticated.results if assessment.authenticated else None,
            disposition=disposition,
            transaction_id=transaction.transaction_id,
            reasons=reason_codes(assessment.verdict),
            options=options.act,
        )
        if not acted.edits_body:
            return acted
        try:
            report = await self._examiner.verify(
                transaction.raw, acted.raw, self._facts_for(transaction), assessment.deadline
            )
            problem = report.problem
        except ExaminationFailed as failure:
            problem = f"not verified: {failure.reason}"
        return acted.headers_only(problem) if problem else acted


def _missing(authenticated: Authenticated | None, first_failure: str) -> Iterator[str]:
    if first_failure:
        yield f"text only after {first_failure}"
    if authenticated is not None and authenticated.leaves_author_open:
        yield "no DNS answer about the author"


def _authentication_outcome(authenticated: Authenticated | None) -> tuple[CheckOutcome, ...]:
    """A fault of our own in authentication is told like that of any check."""
    if authenticated is None or not authenticated.problem:
        return ()
    return (
        CheckOutcome(
            check=authentication.CHECK,
            status=CheckStatus.FAILED,
            reason=authenticated.problem,
            elapsed_seconds=authenticated.seconds,
        ),
    )


def _reply_for_everybody(dispositions: Sequence[Disposition]) -> OwnReply | None:
    """A reply of ours where all recipients are refused, or any is deferred."""
    actions = {disposition.action for disposition in dispositions}
    if Action.DEFER in actions:
        return _CANNOT_JUDGE
    return _CONTENT_REFUSED if actions == {Action.REJECT} else None


def _hold(
    transaction: Transaction, assessment: Assessment, disposition: Disposition, acted: Acted
) -> Hold:
    header = assessment.header
    return Hold(
        transaction_id=transaction.transaction_id,
        envelope=transaction.envelope.for_recipients(disposition.recipients),
        role=transaction.role,
        raw=transaction.raw,
        release_raw=acted.raw,
        verdict=assessment.verdict,
        rule=disposition.rule,
        received_at=transaction.received_at,
        client_ip=transaction.connection.client_ip,
        subject=header.subject,
        header_from=header.header_from[0].address if header.header_from else "",
    )
