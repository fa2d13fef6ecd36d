"""What happened to a message, told to metrics, mail log and health; decisions are made elsewhere.

One place turns the values of a finished transaction into counters and one line of the log. No
content, no address beyond what the mail log's setting allows.
Failure: none; counting never fails a mail.
"""

from collections.abc import Mapping, Sequence

from milter.check.authentication import Authenticated
from milter.judge.policy import severity
from milter.listen.refusal import RefusalReason
from milter.mail.edit import SealOutcome
from milter.mail.envelope import Connection, Transaction
from milter.mail.finding import CheckStatus
from milter.mail.plan import Outcome
from milter.mail.reading import Reading
from milter.mail.reply import Reply
from milter.mail.verdict import Action, Disposition
from milter.observe.health import Health
from milter.observe.maillog import MailLog
from milter.observe.metrics import Metrics
from milter.pipeline import Assessment, Planned
from milter.ports import NextHopFailed

_NEXT_HOP = "next hop"
_BEFORE_MAIL = frozenset({"connect", "greeting", "ehlo", "starttls", "xclient"})
_READER_FAILURES = {
    "timeout": "reader_timeout",
    "crash": "reader_crash",
    "overload": "reader_overload",
}


class Observation:
    """Implements `listen.gateway.Observer` and takes the gateway's own events."""

    def __init__(self, *, metrics: Metrics, log: MailLog, health: Health) -> None:
        self._metrics = metrics
        self._log = log
        self._health = health

    # The front's events.

    def connected(self, connection: Connection) -> None:
        role = connection.listener
        self._metrics.connections.add(role)
        self._metrics.connections_open.change(role, by=1)

    def disconnected(self, connection: Connection, seconds: float) -> None:
        self._metrics.connections_open.change(connection.listener, by=-1)
        self._log.connection(connection, seconds=seconds)

    def refused(self, connection: Connection, reason: RefusalReason, reply: Reply) -> None:
        self._metrics.refusals.add(reason.value)

    def data_received(self, transaction: Transaction) -> None:
        self._metrics.message_bytes.observe(value=float(len(transaction.raw)))

    def replied(self, transaction: Transaction, reply: Reply, *, peer_gone: bool) -> None:
        self._metrics.replies.add(transaction.role, str(reply.code)[0])
        if peer_gone and reply.is_positive:
            # The peer never heard the 250: it will send again, and that is a duplicate.
            self._log.problem("peer_gone", transaction_id=transaction.transaction_id)

    def failed(self, connection: Connection, transaction_id: str, error: Exception) -> None:
        self._log.problem("fault", error=error, transaction_id=transaction_id)

    def unjudged(self, connection: Connection, reason: RefusalReason) -> None:
        self._metrics.degraded.add(reason.value)
        self._log.problem("unjudged", detail=reason.value)

    def broke_protocol(self, connection: Connection, detail: str) -> None:
        self._metrics.refusals.add(RefusalReason.MILTER_PROTOCOL.value)
        self._log.problem("milter", detail=detail)

    # The next hop's.

    def next_hop_replied(self, stage: str, reply: Reply, *, seconds: float | None = None) -> None:
        """It answered at a stage; `seconds` for the answer to a message."""
        self._metrics.next_hop_replies.add(stage, str(reply.code)[0])
        if seconds is not None:
            self._metrics.next_hop_seconds.observe(value=seconds)
        self._health.report(_NEXT_HOP)

    def next_hop_failed(self, failure: NextHopFailed) -> None:
        """No session, or none that was usable."""
        self._metrics.next_hop_failures.add(failure.stage, failure.cause)
        self._health.report(_NEXT_HOP, f"{failure.cause} at {failure.stage}")
        # From MAIL on, the next hop's words may quote the mail (they are for its sender).
        words = failure.detail if failure.stage in _BEFORE_MAIL else ""
        self._log.problem("next_hop", detail=f"{failure.stage} {failure.cause} {words}".rstrip())

    # The quarantine's.

    def quarantine_written(self, seconds: float) -> None:
        """The holds of one message are on disk."""
        self._metrics.quarantine_write_seconds.observe(value=seconds)

    # The resolver's.

    def dns_answered(self, outcome: str, seconds: float) -> None:
        """A question was answered, from the cache or not."""
        self._metrics.dns_questions.add(outcome)
        if outcome not in ("cached", "joined"):
            self._metrics.dns_seconds.observe(value=seconds)

    def dns_is_down(self, is_down: bool) -> None:
        """No name server answers any more, or one does again."""
        self._metrics.dns_down.set(to=float(is_down))
        self._log.problem("dns_down" if is_down else "dns_back")

    # The memory's.

    def memory_trouble(self, what: str) -> None:
        """Something was not kept, or does not open; one word, and a reason."""
        self._metrics.history_trouble.add(what.partition(":")[0])
        self._log.problem("history", detail=what)

    def history_answered(self, operation: str, outcome: str, seconds: float) -> None:
        """The memory answered, or was not waited for, or not even asked."""
        self._metrics.history_operations.add(operation, outcome)
        if outcome != "open":
            self._metrics.history_seconds.observe(operation, value=seconds)

    def history_breaker(self, operation: str, is_open: bool) -> None:
        """The memory is not asked any more, or is again."""
        self._metrics.history_breaker_open.set(operation, to=float(is_open))
        self._log.problem("history_away" if is_open else "history_back", detail=operation)

    def history_journal(self, waiting: int, replayed: int, dropped: int) -> None:
        """What waits for the memory, was written to it, or is lost."""
        self._metrics.history_journal_records.set(to=float(waiting))
        self._metrics.history_journal_replayed.add(by=replayed)
        self._metrics.history_journal_dropped.add(by=dropped)

    # The gateway's.

    def fault(self, transaction_id: str, error: Exception) -> None:
        """An exception of our own on the way of a message."""
        self._log.problem("fault", error=error, transaction_id=transaction_id)

    def released_passed(self, transaction: Transaction) -> None:
        """Mail of our own came back through the filter with its token."""
        self._metrics.released_passed.add()
        self._log.release(
            quarantine_id="", outcome="passed", decided_by=f"token {transaction.transaction_id}"
        )

    def recipient_notice_sent(self) -> None:
        """Recipients of protected mail were told what a banner would have said."""
        self._metrics.notices.add("protected", "sent")

    def recipient_notice_failed(self, transaction_id: str, reason: str) -> None:
        """They were not; `reason` is a stage and code of the next hop, or one word of ours."""
        self._metrics.notices.add("protected", "failed")
        self._log.problem("protected_notice", detail=reason, transaction_id=transaction_id)

    def message(
        self,
        transaction: Transaction,
        assessment: Assessment,
        planned: Planned,
        outcome: Outcome,
        seconds: float,
    ) -> None:
        """A transaction has its reply."""
        strictest = max(
            (disposition.action for disposition in assessment.dispositions),
            key=severity,
            default=Action.DELIVER,
        )
        metrics = self._metrics
        metrics.messages.add(transaction.role, strictest.value)
        metrics.intended.add(assessment.intended.value)
        metrics.message_seconds.observe(transaction.role, value=seconds)
        self._count_fates(outcome)
        self._count_verdict(assessment)
        self._tell_holds(planned, outcome)
        if assessment.reading is not None:
            self._count_reading(assessment.reading)
        self._count_authentication(assessment.authenticated)
        banner = self._count_edits(planned)
        stages = dict(assessment.reading.elapsed_seconds) if assessment.reading else {}
        self._log.message(
            transaction,
            outcome,
            verdict=assessment.verdict,
            dispositions=assessment.dispositions,
            intended=assessment.intended.value,
            header_from=next((m.address for m in assessment.header.header_from), ""),
            banner=banner,
            seal=",".join(sorted(_seals(planned))),
            authentication=_result_words(assessment),
            first_failure=assessment.first_failure,
            seconds=_seconds(stages, assessment, seconds),
        )

    def passed_out(
        self,
        transaction: Transaction,
        outcome: Outcome,
        dispositions: Sequence[Disposition],
        seconds: float,
    ) -> None:
        """A mail of our own people went out, as it was."""
        self._metrics.messages.add(transaction.role, Action.DELIVER.value)
        self._metrics.message_seconds.observe(transaction.role, value=seconds)
        self._count_fates(outcome)
        self._log.message(
            transaction, outcome, dispositions=dispositions, seconds={"total": seconds}
        )

    def _count_fates(self, outcome: Outcome) -> None:
        metrics = self._metrics
        for _recipient, fate in outcome.fates:
            metrics.recipients.add(fate.value)
        metrics.duplicates_avoided.add(by=outcome.duplicates_avoided)
        metrics.journal_failures.add(by=float(outcome.journal_failed))
        if outcome.stage == "quarantine" and not outcome.reply.is_positive:
            metrics.hold_failures.add()

    def _tell_holds(self, planned: Planned, outcome: Outcome) -> None:
        if not outcome.reply.is_positive:
            return
        for quarantine_id, hold in zip(outcome.quarantine_ids, planned.plan.holds, strict=True):
            self._metrics.holds.add(hold.verdict.label.value)
            self._log.hold(quarantine_id, hold)

    def _count_verdict(self, assessment: Assessment) -> None:
        metrics, verdict = self._metrics, assessment.verdict
        metrics.verdicts.add(verdict.label.value)
        for family in {weighed.family for weighed in verdict.findings if weighed.family}:
            metrics.findings.add(family)
        if assessment.first_failure:
            metrics.degraded.add(_READER_FAILURES.get(assessment.first_failure, "other"))
        if assessment.reading is not None and assessment.reading.text_only:
            metrics.degraded.add("text_only")
        for reason in verdict.degraded:
            check, separator, why = reason.partition(": ")
            if separator and check != "examination":
                metrics.checks_failed.add(check)
                metrics.degraded.add("history" if why.startswith("history") else "check_failed")

    def _count_reading(self, reading: Reading) -> None:
        metrics = self._metrics
        metrics.screened.add("full" if reading.screened else "screen")
        elapsed = dict(reading.elapsed_seconds)
        language = elapsed.get("language", 0.0)
        metrics.language_seconds.observe(value=language)
        metrics.read_seconds.observe(value=sum(elapsed.values()) - language)
        if reading.analysis is not None:
            for label in {intent.label for intent in reading.analysis.intents}:
                metrics.intents.add(label)
            for platform in {e.platform for e in reading.analysis.entities if e.platform}:
                metrics.platforms.add(platform)
        for outcome in reading.outcomes:
            if outcome.status is CheckStatus.FAILED:
                metrics.checks_failed.add(outcome.check)

    def _count_authentication(self, authenticated: Authenticated | None) -> None:
        if authenticated is None:
            return
        metrics = self._metrics
        if authenticated.leaves_author_open:
            metrics.degraded.add("dns")
        for result in authenticated.results:
            metrics.authentication_results.add(result.method, result.result)
        metrics.authentication_seconds.observe(value=authenticated.seconds)
        metrics.authentication_lookups.add(by=float(authenticated.lookups))

    def _count_edits(self, planned: Planned) -> str:
        """Counts per annotated group and hold; the word for the mail log."""
        word = ""
        forged = max((acted.forged_fields for _, acted in planned.acted), default=0)
        self._metrics.forged_headers.add(by=float(forged))
        for disposition, acted in planned.acted:
            if acted.seal is not SealOutcome.NOT_WANTED:
                self._metrics.seals.add(acted.seal.value)
            if acted.seal is SealOutcome.INTEGRITY:
                self._metrics.integrity_mismatches.add()
                self._log.problem("integrity", detail="seal", is_fatal=True)
            if disposition.action not in (Action.ANNOTATE, Action.QUARANTINE):
                continue
            word = acted.banner.value
            self._metrics.banners.add(word)
            if acted.problem:
                self._metrics.integrity_mismatches.add()
                self._log.problem("integrity", detail=acted.problem, is_fatal=True)
        return word


def _seals(planned: Planned) -> set[str]:
    """What became of the seal for each group of recipients, where one is configured."""
    outcomes = {acted.seal for _, acted in planned.acted}
    return {outcome.value for outcome in outcomes if outcome is not SealOutcome.NOT_WANTED}


def _result_words(assessment: Assessment) -> list[str]:
    """`spf=pass` and so on: our own results, or those that were believed."""
    results = assessment.reading.auth_results if assessment.reading else ()
    if assessment.authenticated is not None:
        results = assessment.authenticated.results
    return [f"{result.method}={result.result}" for result in results]


def _seconds(stages: Mapping[str, float], assessment: Assessment, total: float) -> dict[str, float]:
    return {**stages, "judgement": assessment.elapsed_seconds, "total": total}
