"""Builds a front from its configuration: the only place where the gateway's parts meet.

`build_front` is what a front process calls. A front is: readers, pipeline, next hop, journal,
quarantine with its housekeeping, and one listener per socket; all told what to do by values from
`from_settings`.
Failure: what keeps a front from starting is raised with one line for the operator.
"""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from milter.act.recipient_notice import NoticeSender
from milter.act.retention import Housekeeper, HousekeepingReport, RetentionRules
from milter.adapters.dns_resolver import DnsResolver
from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.journal import FileJournal
from milter.adapters.keys import load_or_create_key
from milter.adapters.notifier import MailNotifier, NoticeOptions
from milter.adapters.release_tokens import FileReleaseTokens
from milter.app.clock import SystemClock
from milter.app.from_settings import (
    act_options,
    admission_limits,
    authentication_options,
    listener_options,
    metric_words,
    milter_options,
    next_hop_options,
    outbound_hop_options,
    pipeline_options,
    release_hop_options,
    resolver_options,
    seal_options,
)
from milter.app.gateway import MailGateway
from milter.app.history import RunningHistory
from milter.app.milter_gateway import MilterGateway
from milter.app.observation import Observation
from milter.app.observed import ObservedNextHop, ObservedQuarantine
from milter.app.outbound_gateway import OutboundFilter, OutboundGateway
from milter.app.recipient_notices import RecipientNotices
from milter.app.service_plan import listener_name, mail_log_settings
from milter.app.version import VERSION
from milter.check.authentication import Authenticator
from milter.check.identity import KnownDomains
from milter.listen.admission import Admission
from milter.listen.gateway import Filter, Gateway
from milter.listen.listener import SmtpListener
from milter.listen.milter_server import MilterListener
from milter.observe.health import Health
from milter.observe.maillog import MailLog
from milter.observe.metrics import Build, Metrics
from milter.observe.reader_events import ReaderEvents
from milter.pipeline import Pipeline
from milter.ports import NextHop
from milter.readers.pool import PoolSettings, ReaderPool
from milter.readers.reader import ReaderSetup
from milter.relay.delivery import Delivery
from milter.relay.marked_next_hop import MarkedNextHop
from milter.relay.next_hop import SmtpNextHop
from milter.settings import Settings, load_settings
from milter.settings.model import Listener

_HOUSEKEEPING_SECONDS = 5.0
_NOTICES_GRACE_SECONDS = 10.0


class MailFront:
    """All of one front process; implements `front_process.Front`."""

    def __init__(
        self, settings: Settings, sockets: Mapping[str, socket.socket], name: str, build: Build
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        self._clock = SystemClock()
        self.health = Health()
        self.metrics = Metrics(metric_words(), build)
        key = load_or_create_key(settings.quarantine_key_file)
        self.log = MailLog(
            mail_log_settings(settings, key),
            process=name,
            on_lost=self.metrics.log_lines_lost.add,
        )
        self._quarantine = FilesQuarantine(
            settings.quarantine_folder,
            key,
            retention=timedelta(days=settings.quarantine.retention_days),
        )
        settings.journal_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._journal = FileJournal(
            settings.journal_folder, key=_derived(key, b"journal"), clock=self._clock
        )
        self._tokens = FileReleaseTokens(settings.token_folder)
        self._smtp = SmtpNextHop(next_hop_options(settings), self._clock)
        self._readers = ReaderPool(
            PoolSettings(
                setup=ReaderSetup(
                    memory_bytes=settings.reader_memory_bytes, user=settings.user or ""
                ),
                readers=settings.readers,
            ),
            ReaderEvents(self.metrics, self.log),
        )
        self._observation = Observation(metrics=self.metrics, log=self.log, health=self.health)
        self._resolver = DnsResolver(
            resolver_options(settings),
            self._clock,
            told=self._observation.dns_answered,
            down=self._observation.dns_is_down,
        )
        self._next_hop = ObservedNextHop(self._smtp, self._observation, self._clock)
        self._admission = Admission(admission_limits(settings))
        self._release = SmtpNextHop(release_hop_options(settings), self._clock)
        self._outbound = SmtpNextHop(outbound_hop_options(settings), self._clock)
        self._history = RunningHistory(
            settings,
            self._clock,
            told=self._observation.memory_trouble,
            watch=self._observation,
        )
        self._notices = self._recipient_notices(_derived(key, b"banner"))
        self._listeners = self._make_listeners(_derived(key, b"banner"))
        self._housekeeper = Housekeeper(self._quarantine, self._notifier(), self._retention())
        self._housekeeping: asyncio.Task[None] | None = None
        self._damaged: set[str] = set()
        self.health.follow("readers", lambda: self._readers.problem)
        self.metrics.readers.follow("busy", read=lambda: float(self._readers.busy))
        self.metrics.readers.follow("idle", read=lambda: float(self._readers.idle))
        self.metrics.bytes_in_flight.follow(read=lambda: float(self._admission.bytes_in_flight))

    async def start(self) -> None:
        """Recover holds, warm the readers, then take mail."""
        if self._settings.authentication.verify != "never" and not self._resolver.has_servers:
            self.log.problem("no_name_servers", detail="set authentication.nameservers")
        await self._quarantine.recover(self._clock.now())
        await self._readers.start()
        for notices in self._notices.values():
            notices.start()
        for name, listener in self._listeners.items():
            await listener.start_on([self._sockets[name]])
        self._housekeeping = asyncio.create_task(self._keep_house())

    async def drain(self, grace_seconds: float) -> None:
        """No new mail, running transactions to their end, then everything else."""
        self._smtp.keep_none()
        self._release.keep_none()
        self._outbound.keep_none()
        await asyncio.gather(
            *(listener.drain(grace_seconds) for listener in self._listeners.values())
        )
        grace = min(grace_seconds, _NOTICES_GRACE_SECONDS)
        await asyncio.gather(*(notices.drain(grace) for notices in self._notices.values()))
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._housekeeping
        await self._readers.close()
        await self._smtp.aclose()
        await self._release.aclose()
        await self._outbound.aclose()
        await self._history.aclose()
        await self._resolver.aclose()
        self._quarantine.close()
        self._journal.close()
        self.log.close()

    def _make_listeners(self, banner_key: bytes) -> dict[str, SmtpListener | MilterListener]:
        options = pipeline_options(
            self._settings, banner_key=banner_key, seal=seal_options(self._settings)
        )
        pipeline = Pipeline(
            examiner=self._readers,
            history=self._history.history,
            clock=self._clock,
            options=options,
            authenticator=Authenticator(
                resolver=self._resolver,
                clock=self._clock,
                options=authentication_options(self._settings),
            ),
        )
        quarantine = ObservedQuarantine(self._quarantine, self._observation, self._clock)
        inbound = MailGateway(
            pipeline=pipeline,
            delivery=self._delivery(self._next_hop, quarantine),
            next_hop=self._next_hop,
            observation=self._observation,
            clock=self._clock,
            notices=self._notices.get("smtp"),
        )

        def listener(one: Listener) -> SmtpListener | MilterListener:
            match one.role:
                case "milter" if one.outbound:
                    return self._milter_listener(one, self._outbound_filter(options.known))
                case "milter":
                    return self._milter_listener(
                        one, self._milter_gateway(one, pipeline, quarantine)
                    )
                case "outbound":
                    return self._smtp_listener(
                        one, self._outbound_gateway(quarantine, options.known)
                    )
                case _:
                    return self._smtp_listener(one, inbound)

        return {
            listener_name(index, one.role): listener(one)
            for index, one in enumerate(self._settings.listen)
        }

    def _smtp_listener(self, listener: Listener, gateway: Gateway) -> SmtpListener:
        return SmtpListener(
            options=listener_options(self._settings, listener),
            gateway=gateway,
            observer=self._observation,
            admission=self._admission,
            clock=self._clock,
        )

    def _outbound_gateway(
        self, quarantine: ObservedQuarantine, known: KnownDomains
    ) -> OutboundGateway:
        next_hop = ObservedNextHop(self._outbound, self._observation, self._clock)
        return OutboundGateway(
            delivery=self._delivery(next_hop, quarantine),
            next_hop=next_hop,
            history=self._history.history,
            known=known,
            observation=self._observation,
            clock=self._clock,
        )

    def _outbound_filter(self, known: KnownDomains) -> OutboundFilter:
        return OutboundFilter(
            history=self._history.history,
            known=known,
            observation=self._observation,
            clock=self._clock,
        )

    def _delivery(self, next_hop: NextHop, quarantine: ObservedQuarantine) -> Delivery:
        return Delivery(next_hop=next_hop, quarantine=quarantine, journal=self._journal)

    def _milter_gateway(
        self, listener: Listener, pipeline: Pipeline, quarantine: ObservedQuarantine
    ) -> MilterGateway:
        return MilterGateway(
            pipeline=pipeline,
            quarantine=quarantine,
            tokens=self._tokens,
            observation=self._observation,
            clock=self._clock,
            hold_with_mta=listener.hold_with == "mta",
            notices=self._notices.get("milter"),
        )

    def _milter_listener(self, listener: Listener, gateway: Filter) -> MilterListener:
        return MilterListener(
            options=milter_options(self._settings, listener),
            gateway=gateway,
            observer=self._observation,
            admission=self._admission,
            clock=self._clock,
        )

    def _notifier(self) -> MailNotifier | None:
        settings = self._settings
        if settings.contact is None:
            return None
        options = NoticeOptions(
            contact=settings.contact,
            header_from=f"lurewall@{settings.hostname}",
            hostname=settings.hostname,
            language=settings.annotate.language,
        )
        next_hop: NextHop = self._next_hop
        if all(one.role == "milter" for one in settings.listen):
            # Notices go through the MTA that asks us about every mail.
            next_hop = MarkedNextHop(next_hop, self._tokens)
        return MailNotifier(next_hop, options, self._clock)

    def _recipient_notices(self, banner_key: bytes) -> dict[str, RecipientNotices]:
        """By protocol: behind a milter a notice goes where released mail goes, with a token."""
        settings = self._settings
        if not settings.annotate.notice_for_protected:
            return {}
        release = ObservedNextHop(self._release, self._observation, self._clock)
        hops: dict[str, NextHop] = {
            "smtp": self._next_hop,
            "milter": MarkedNextHop(release, self._tokens),
        }
        roles = {"milter" if one.role == "milter" else "smtp" for one in settings.listen}
        return {
            role: RecipientNotices(
                next_hop=hops[role],
                options=act_options(settings, banner_key=banner_key, mode=settings.mode),
                sender=NoticeSender(hostname=settings.hostname, contact=settings.contact or ""),
                observation=self._observation,
                clock=self._clock,
            )
            for role in roles
        }

    def _retention(self) -> RetentionRules:
        seconds = self._settings.quarantine.notice_interval_seconds
        return RetentionRules(notice_interval=timedelta(seconds=seconds))

    async def _keep_house(self) -> None:
        """Retention and notices, every few seconds; one front of all does it."""
        while True:
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            now = self._clock.now()
            try:
                await self._history.keep_house()
            except Exception as error:  # holds expire and notices go out all the same
                self.log.problem("history", error=error)
            try:
                report = await self._housekeeper.run(now)
            except Exception as error:  # mail flows without it; it is tried again
                self.log.problem("housekeeping", error=error)
                continue
            if report is not None:
                self._count(report, now)

    def _count(self, report: HousekeepingReport, now: datetime) -> None:
        metrics = self.metrics
        metrics.notices.add("held", "sent", by=len(report.notified))
        metrics.notices.add("expiring", "sent", by=len(report.warned))
        metrics.notices.add("held", "failed", by=report.notices_failed)
        metrics.holds_expired.add(by=len(report.expired))
        metrics.quarantine_held.set(to=report.held)
        for state, count in report.decided:
            metrics.quarantine_decided.set(state, to=count)
        oldest = report.oldest_received_at
        age = (now - oldest).total_seconds() if oldest else 0.0
        metrics.quarantine_oldest_seconds.set(to=age)
        for quarantine_id in report.expired:
            self.log.release(quarantine_id=quarantine_id, outcome="expired", decided_by="retention")
        for kind, quarantine_ids in (
            ("recovered_hold", report.recovered),
            # A damaged hold stays until somebody removes it: told once, not every round.
            ("damaged_hold", set(report.damaged) - self._damaged),
            ("expired_unannounced", report.expired_unannounced),
        ):
            for quarantine_id in quarantine_ids:
                self.log.problem(kind, detail=quarantine_id)
        self._damaged = set(report.damaged)


def build_front(
    configuration: bytes, source: str, sockets: Mapping[str, socket.socket], name: str
) -> MailFront:
    """What `front_process` calls."""
    settings = load_settings(configuration, source=source).settings
    options = pipeline_options(settings, banner_key=b"")
    build = Build(
        version=VERSION,
        weights=options.weights.version,
        configuration=hashlib.sha256(configuration).hexdigest()[:12],
        mode=settings.mode,
    )
    return MailFront(settings, sockets, name, build)


def _derived(key: bytes, purpose: bytes) -> bytes:
    """One key file, a key for each purpose."""
    return hmac.new(key, purpose, hashlib.sha256).digest()
