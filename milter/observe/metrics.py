"""Every metric of a front, in one table, with bounded labels.

All label sets exist from the start (a counter that is not there cannot be alerted on), a word that
is not on a label's list counts as `other`, and no label ever holds an address, a domain, a handle
or any word of a mail. Names follow the Prometheus naming advice: one prefix, base units,
`_total`, `_seconds`, `_bytes`, `_info`. Merging fronts and writing text is `exposition`'s.

Failure: none; counting never fails a mail.
"""

from dataclasses import dataclass

from prometheus_client import Gauge

from milter.mail.edit import BannerOutcome, SealOutcome
from milter.mail.plan import Fate
from milter.mail.verdict import Action, Label, Mode
from milter.observe.table import Merge, Table

ROLES = ("mx", "before_queue", "after_queue", "outbound", "milter")
STAGES = (
    "connect",
    "greeting",
    "ehlo",
    "starttls",
    "auth",
    "mail",
    "rcpt",
    "data",
    "end_of_data",
    "rset",
)
REPLY_CLASSES = ("2", "3", "4", "5")
END_REASONS = ("timeout", "crash", "exception", "garbage", "recycled", "not_started", "closed")
DEGRADED_REASONS = (
    "text_only",
    "reader_timeout",
    "reader_crash",
    "reader_overload",
    "check_failed",
    "history",
    "dns",
    "too_large",
)
AUTHENTICATION_METHODS = ("spf", "dkim", "dmarc", "arc")
AUTHENTICATION_RESULTS = (
    "none",
    "neutral",
    "pass",
    "fail",
    "softfail",
    "policy",
    "temperror",
    "permerror",
)
DNS_OUTCOMES = ("cached", "joined", "found", "no_record", "no_name", "failed")
HISTORY_OPERATIONS = ("read", "write", "replay")
DECISIONS = ("released", "deleted", "expired")
NOTICES = ("held", "expiring", "protected")
_BYTES = (1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The closed lists that other parts of the gateway own; each becomes a label's values."""

    refusals: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What runs: versions and the hash of the configuration, for the `_info` metric."""

    version: str = ""
    model: str = ""
    weights: str = ""
    configuration: str = ""
    mode: Mode = Mode.OBSERVE


class Metrics(Table):
    """The metrics of one front; attributes are used as `metrics.verdicts.add(label)`."""

    def __init__(self, words: Words = Words(), build: Build = Build()) -> None:
        super().__init__()
        count, level, spread = self._count, self._level, self._spread

        # Peers
        self.connections = count("lurewall_connections_total", "Connections accepted", role=ROLES)
        self.connections_open = level(
            "lurewall_connections_open", "Connections open now", role=ROLES
        )
        self.refusals = count(
            "lurewall_refusals_total",
            "Connections, commands and messages refused by ourselves",
            reason=words.refusals,
        )
        self.bytes_in_flight = level(
            "lurewall_in_flight_bytes", "Octets of messages held in memory now"
        )

        # Messages
        self.messages = count(
            "lurewall_messages_total",
            "Messages by the strictest disposition among their recipients",
            role=ROLES,
            disposition=Action,
        )
        self.released_passed = count(
            "lurewall_released_passed_total",
            "Messages of our own that came back through the milter with their token",
        )
        self.intended = count(
            "lurewall_intended_total",
            "Messages by the strictest disposition that enforce mode would give",
            disposition=Action,
        )
        self.recipients = count(
            "lurewall_recipients_total", "Recipients by what became of their mail", fate=Fate
        )
        self.replies = count(
            "lurewall_replies_total",
            "Final replies to messages by class of the reply actually sent",
            role=ROLES,
            reply_class=REPLY_CLASSES,
        )
        self.message_seconds = spread(
            "lurewall_message_seconds", "From the final dot to our reply", role=ROLES
        )
        self.message_bytes = spread(
            "lurewall_message_bytes", "Size of messages as received", buckets=_BYTES
        )

        # Judgement
        self.verdicts = count("lurewall_verdicts_total", "Verdicts by label", label=Label)
        self.findings = count(
            "lurewall_findings_total", "Findings by family", family=words.families
        )
        self.intents = count(
            "lurewall_intents_total", "Intents found in messages", intent=words.intents
        )
        self.platforms = count(
            "lurewall_platforms_total",
            "Messages that name or link a messenger or network",
            platform=words.platforms,
        )
        self.screened = count(
            "lurewall_screened_total",
            "Messages by the last stage of language work that they reached",
            stage=("screen", "full"),
        )
        self.degraded = count(
            "lurewall_degraded_total",
            "Verdicts made while something was missing",
            reason=DEGRADED_REASONS,
        )
        self.checks_failed = count(
            "lurewall_checks_failed_total",
            "Checks that raised or ran out of time",
            check=words.checks,
        )
        self.read_seconds = spread("lurewall_read_seconds", "Reading one message, in a reader")
        self.language_seconds = spread(
            "lurewall_language_seconds", "Language work for one message, in a reader"
        )

        # Authentication
        self.authentication_results = count(
            "lurewall_authentication_results_total",
            "Results that we found ourselves, by method; a message has one a signature",
            method=AUTHENTICATION_METHODS,
            result=AUTHENTICATION_RESULTS,
        )
        self.authentication_seconds = spread(
            "lurewall_authentication_seconds",
            "From the start of a message's look-ups to its last result, the reader's time within",
        )
        self.authentication_lookups = count(
            "lurewall_authentication_lookups_total",
            "DNS questions that messages asked, cached ones too",
        )
        self.dns_questions = count(
            "lurewall_dns_questions_total",
            "DNS questions by how they were answered",
            outcome=DNS_OUTCOMES,
        )
        self.history_trouble = count(
            "lurewall_history_trouble_total",
            "Memories that were lost or do not open",
            what=("lost", "unreadable"),
        )
        self.history_operations = count(
            "lurewall_history_operations_total",
            "Look-ups and writes of the memory, and steps of replay, by how they ended",
            operation=HISTORY_OPERATIONS,
            outcome=("ok", "timeout", "refused", "open"),
        )
        self.history_seconds = spread(
            "lurewall_history_seconds",
            "The memory's answers, those not waited for to the end too",
            operation=HISTORY_OPERATIONS,
        )
        self.history_breaker_open = level(
            "lurewall_history_breaker_open",
            "1 while a front does not ask the memory any more",
            merge=Merge.MAX,
            operation=("read", "write"),
        )
        self.history_journal_records = level(
            "lurewall_history_journal_records",
            "Messages whose memories wait in the journal for the store",
        )
        self.history_journal_replayed = count(
            "lurewall_history_journal_replayed_total", "Messages of the journal that were written"
        )
        self.history_journal_dropped = count(
            "lurewall_history_journal_dropped_total",
            "Messages whose memories neither store nor journal could take",
        )
        self.dns_down = level(
            "lurewall_dns_down", "1 while no name server answers a front", merge=Merge.MAX
        )
        self.dns_seconds = spread(
            "lurewall_dns_seconds", "Questions that were not in the cache, to their answer"
        )

        # Edits
        self.banners = count(
            "lurewall_banners_total",
            "Annotated messages by what became of the banner",
            outcome=BannerOutcome,
        )
        self.seals = count(
            "lurewall_arc_seals_total",
            "Messages that leave, by what became of the ARC seal",
            outcome=SealOutcome,
        )
        self.integrity_mismatches = count(
            "lurewall_integrity_mismatches_total",
            "Edited messages that failed the re-scan; the original went out",
        )
        self.forged_headers = count(
            "lurewall_forged_headers_total", "Incoming header fields in our name, removed"
        )

        # Readers
        self.readers_ended = count(
            "lurewall_readers_ended_total", "Readers that were replaced", reason=END_REASONS
        )
        self.templates_ended = count(
            "lurewall_templates_ended_total", "Deaths of the process that readers are forked from"
        )
        self.readers = level("lurewall_readers", "Readers now", state=("busy", "idle"))
        self.reader_wait_seconds = spread(
            "lurewall_reader_wait_seconds", "Wait of a message for a free reader"
        )

        # Next hop
        self.next_hop_replies = count(
            "lurewall_next_hop_replies_total",
            "Replies of the next hop",
            stage=STAGES,
            reply_class=REPLY_CLASSES,
        )
        self.next_hop_failures = count(
            "lurewall_next_hop_failures_total",
            "Conversations with the next hop that gave no usable reply",
            stage=STAGES,
            cause=words.causes,
        )
        self.next_hop_seconds = spread(
            "lurewall_next_hop_seconds", "From our final dot to the next hop's reply"
        )
        self.duplicates_avoided = count(
            "lurewall_duplicates_avoided_total",
            "Recipients skipped because a deferred transaction had served them",
        )
        self.journal_failures = count(
            "lurewall_journal_failures_total", "Journal entries that could not be written"
        )

        # Quarantine
        self.holds = count("lurewall_holds_total", "Messages held", label=Label)
        self.holds_expired = count(
            "lurewall_holds_expired_total", "Held messages that nobody decided upon in time"
        )
        self.hold_failures = count(
            "lurewall_hold_failures_total", "Durable writes that failed; the peer got 4xx"
        )
        self.notices = count(
            "lurewall_notices_total",
            "Notices by mail: of holds to the contact, of protected mail to its recipients",
            kind=NOTICES,
            outcome=("sent", "failed"),
        )
        self.quarantine_write_seconds = spread(
            "lurewall_quarantine_write_seconds", "Durable write of the holds of one message"
        )
        # Every front looks into the same folder, so their values are not added up.
        self.quarantine_held = level(
            "lurewall_quarantine_held", "Messages held now", merge=Merge.MAX
        )
        self.quarantine_decided = level(
            "lurewall_quarantine_decided",
            "Holds decided upon, as long as their tombstones are kept",
            merge=Merge.MAX,
            decision=DECISIONS,
        )
        self.quarantine_oldest_seconds = level(
            "lurewall_quarantine_oldest_age_seconds", "Age of the oldest hold", merge=Merge.MAX
        )

        # Ourselves
        self.log_lines_lost = count(
            "lurewall_log_lines_lost_total", "Lines of the mail log that could not be written"
        )
        info = Gauge(
            "lurewall_build_info",
            "Versions, mode and hash of the configuration",
            ("version", "model", "weights", "configuration", "mode"),
            registry=self._registry,
        )
        self._maxima.add("lurewall_build_info")
        info.labels(build.version, build.model, build.weights, build.configuration, build.mode).set(
            1
        )


class SupervisorMetrics(Table):
    """The metrics of the supervisor itself."""

    def __init__(self) -> None:
        super().__init__()
        count = self._count
        self.fronts = self._level(
            "lurewall_fronts", "Front processes now", state=("ready", "not_ready")
        )
        self.fronts_ended = count(
            "lurewall_fronts_ended_total", "Front processes that died and were started again"
        )
        self.front_stale = count(
            "lurewall_front_stale_total",
            "Times that a front gave no metrics in time and its last ones were used",
        )
        self.reloads = count(
            "lurewall_reloads_total",
            "Reloads of the configuration",
            result=("accepted", "refused"),
        )
