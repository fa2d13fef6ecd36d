"""Every metric of a front, in one table, with bounded labels.

All label sets exist from the start (a counter that is not there cannot be alerted on), a word that
is not on a label's list counts as `other`, and no label ever holds an address, a domain, a handle
or any word of a mail. Names follow the Prometheus naming advice: one prefix, base units,
`_total`, `_seconds`, `_bytes`, `_info`. Merging fronts and writing text is `exposition`'s.

Failure: none; counting never fails a mail.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import EnumMeta, StrEnum
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from milter.mail.edit import BannerOutcome, SealOutcome
from milter.mail.plan import Fate
from milter.mail.verdict import Action, Label, Mode

OTHER = "other"

ROLES = ("mx", "before_queue", "after_queue", "milter")
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
DECISIONS = ("released", "deleted", "expired")
NOTICES = ("held", "expiring", "protected")

# From a quick look to the longest wait that a peer bears (smtpd_proxy_timeout is 100 s).
_MILLISECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
_SECONDS = (*_MILLISECONDS, 1.0, 2.5, 5.0, 10.0, 30.0, 100.0)
_BYTES = (1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6)


class Merge(StrEnum):
    """How the values of several fronts become one: each has its own part, or all see the same."""

    SUM = "sum"
    MAX = "max"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric with its samples as plain values; a sample is name, labels and value."""

    name: str
    kind: str
    help: str
    merge: Merge
    samples: tuple[tuple[str, tuple[tuple[str, str], ...], float], ...]


class _Bounded:
    """A metric with one child for each combination of its closed label values."""

    __slots__ = ("_allowed", "_children")

    def __init__(self, parent: Any, labels: dict[str, Iterable[str]]) -> None:
        # An enum is complete; any other list may grow elsewhere before it grows here.
        lists = [
            tuple(words) if isinstance(words, EnumMeta) else (*words, OTHER)
            for words in labels.values()
        ]
        self._allowed = [frozenset(words) for words in lists]
        self._children: dict[tuple[str, ...], Any] = {
            combination: parent.labels(*combination) if combination else parent
            for combination in product(*lists)
        }

    def _child(self, values: tuple[str, ...]) -> Any:
        child = self._children.get(values)
        if child is None:
            known = zip(values, self._allowed, strict=True)
            child = self._children[tuple(v if v in words else OTHER for v, words in known)]
        return child


class Count(_Bounded):
    """A counter."""

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count once, or `by` times; labels in the order of the table."""
        self._child(labels).inc(by)


class Level(_Bounded):
    """A gauge."""

    def set(self, *labels: str, to: float) -> None:
        """The value now."""
        self._child(labels).set(to)

    def change(self, *labels: str, by: float) -> None:
        """Go up or down."""
        self._child(labels).inc(by)

    def follow(self, *labels: str, read: Callable[[], float]) -> None:
        """Ask `read` whenever the metrics are read."""
        self._child(labels).set_function(read)


class Spread(_Bounded):
    """A histogram."""

    def observe(self, *labels: str, value: float) -> None:
        """Add one observation, in the unit of the name."""
        self._child(labels).observe(value)


class _Table:
    """Registers metrics and gives their values out as plain families."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._maxima: set[str] = set()

    def _count(self, name: str, help_text: str, **labels: Iterable[str]) -> Count:
        return Count(Counter(name, help_text, tuple(labels), registry=self._registry), labels)

    def _level(
        self, name: str, help_text: str, merge: Merge = Merge.SUM, **labels: Iterable[str]
    ) -> Level:
        if merge is Merge.MAX:
            self._maxima.add(name)
        return Level(Gauge(name, help_text, tuple(labels), registry=self._registry), labels)

    def _spread(
        self,
        name: str,
        help_text: str,
        buckets: tuple[float, ...] = _SECONDS,
        **labels: Iterable[str],
    ) -> Spread:
        parent = Histogram(name, help_text, tuple(labels), buckets=buckets, registry=self._registry)
        return Spread(parent, labels)

    def families(self) -> tuple[Family, ...]:
        """All values now."""
        return tuple(
            Family(
                name=metric.name,
                kind=metric.type,
                help=metric.documentation,
                merge=Merge.MAX if metric.name in self._maxima else Merge.SUM,
                samples=tuple(
                    (sample.name, tuple(sample.labels.items()), sample.value)
                    for sample in metric.samples
                    if not sample.name.endswith("_created")
                ),
            )
            for metric in self._registry.collect()
        )


class Metrics(_Table):
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


class SupervisorMetrics(_Table):
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
