"""Settings to the frozen options that the parts take: the only place that knows both sides.

Failure: what `settings.rules` has let through builds; anything else is our own bug.
"""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from milter.act.banner_texts import LANGUAGES, BannerTexts, parse_banner_texts
from milter.act.plan import ActOptions
from milter.act.seal import SealOptions
from milter.adapters.dns_resolver import NameServer, ResolverOptions, system_servers
from milter.app.version import VERSION
from milter.check.authentication import AuthenticationOptions
from milter.check.engagement.engagement import Windows
from milter.check.identity import KnownDomains, parse_known
from milter.judge.policy import Allow, Policy, Row
from milter.judge.weights import WeightTable, parse_weights
from milter.listen.admission import AdmissionLimits
from milter.listen.options import ListenerOptions, MilterOptions
from milter.listen.refusal import RefusalReason
from milter.mail.address import to_a_labels
from milter.mail.envelope import Recipient
from milter.mail.labels import INTENT_LABELS, PLATFORM_IDS
from milter.mail.reading import Facts
from milter.mail.verdict import Action, Mode
from milter.observe.metrics import Words
from milter.pipeline import PipelineOptions
from milter.relay.failure import Cause
from milter.relay.options import NextHopOptions, Timeouts, TlsPolicy
from milter.settings import Settings
from milter.settings.arc_keys import seal_key
from milter.settings.model import Listener, NextHopSettings
from milter.settings.name_servers import parse_name_server
from milter.settings.recipients import parse_recipients
from milter.settings.rules import load_weights
from milter.settings.shipped import shipped_text


def pipeline_options(
    settings: Settings,
    *,
    banner_key: bytes,
    mode: Mode | None = None,
    trusted: tuple[str, ...] = (),
    seal: SealOptions | None = None,
) -> PipelineOptions:
    """All that a pipeline is told; `mode` and `trusted` overrule the settings (files, tests).

    `seal` is given by a front alone: nobody else reads its keys.
    """
    weights = load_weights(settings)
    mode = mode or settings.mode
    return PipelineOptions(
        policy=policy(settings, weights, mode=mode),
        weights=weights,
        known=known_domains(settings),
        facts=facts(settings, banner_key, trusted=trusted),
        act=replace(act_options(settings, banner_key=banner_key, mode=mode), seal=seal),
        windows=Windows(
            contact=timedelta(days=settings.history.contact_window_days),
            engagement=timedelta(days=settings.history.engagement_window_days),
        ),
        deadline_seconds=settings.judgement.deadline_seconds,
        info_from_db=settings.judgement.info_from_db,
        versions=VERSIONS,
    )


def act_options(settings: Settings, *, banner_key: bytes, mode: Mode) -> ActOptions:
    """How a marked mail looks."""
    annotate = settings.annotate
    contact = ", ".join(filter(None, (settings.contact_name, settings.contact)))
    return ActOptions(
        mode=mode,
        texts=banner_texts(settings),
        banner_key=banner_key,
        own_authserv_id=settings.own_authserv_id,
        banner=annotate.banner,
        subject_tag=annotate.subject_tag,
        contact=contact,
        report_url=annotate.report_url or "",
        observe_header=annotate.observe_header,
    )


def seal_options(settings: Settings) -> SealOptions | None:
    """`[arc]` with its keys read; raises Unusable."""
    if settings.arc is None:
        return None
    return SealOptions(
        keys=tuple((key.begins, seal_key(settings.arc, key)) for key in settings.arc.keys),
        seals_all=settings.arc.seal == "all",
    )


def banner_texts(settings: Settings) -> BannerTexts:
    """The shipped words, overlaid by the administrator's."""
    texts = [shipped_text("banners.toml")]
    if settings.annotate.banners_file is not None:
        texts.append(settings.annotate.banners_file.read_text(encoding="utf-8"))
    return parse_banner_texts(*texts)


def known_domains(settings: Settings) -> KnownDomains:
    """The shipped lists with the administrator's additions."""
    return parse_known(
        shipped_text("known.toml"),
        own=settings.domains,
        organisations=settings.judgement.known_organisations,
        expert_networks=settings.judgement.known_expert_networks,
    )


def policy(settings: Settings, weights: WeightTable, *, mode: Mode | None = None) -> Policy:
    """The table of `[[policy]]` and `[[allow]]`, with the row `default` at its end."""
    rows = [
        Row(
            name=row.name,
            matches=_matcher(row.recipients),
            annotate_from_db=row.annotate_from_db,
            quarantine_from_db=row.quarantine_from_db,
            annotate_info=row.annotate_info,
            at_most=row.at_most,
            hold_as=Action(row.hold_as),
            language=row.language,
        )
        for row in settings.policy
    ]
    rows.append(
        Row(
            name="default",
            matches=lambda _recipient: True,
            annotate_from_db=weights.annotate_db,
            quarantine_from_db=weights.quarantine_db,
        )
    )
    allow = tuple(
        Allow(
            name=row.name,
            senders=frozenset(sender.lower().lstrip("@") for sender in row.header_from),
            matches=_matcher(row.recipients),
            expires=row.expires,
        )
        for row in settings.allow
    )
    return Policy(
        mode=mode or settings.mode,
        rows=tuple(rows),
        allow=allow,
        cannot_judge=Action(settings.judgement.cannot_judge),
        annotate_families=weights.annotate_families,
        language_of=_language(settings),
    )


def facts(settings: Settings, banner_key: bytes, *, trusted: tuple[str, ...] = ()) -> Facts:
    """What readers are told about every message."""
    return Facts(
        own_authserv_id=settings.own_authserv_id,
        trusted_authserv_ids=(*settings.trusted_authserv_ids, *trusted),
        own_domains=settings.domains,
        banner_key=banner_key,
    )


def authentication_options(settings: Settings) -> AuthenticationOptions:
    """`[authentication]` as the check takes it."""
    told = settings.authentication
    return AuthenticationOptions(
        authserv_id=settings.own_authserv_id,
        verify=told.verify,
        believes_others=bool(settings.trusted_authserv_ids),
        lookups=told.lookups,
        seconds=told.seconds,
        trusted_arc_sealers=frozenset(told.trusted_arc_sealers),
    )


def resolver_options(settings: Settings) -> ResolverOptions:
    """The configured name servers, or those of the machine."""
    named = (parse_name_server(one) for one in settings.authentication.nameservers)
    servers = tuple(NameServer(address=address, port=port) for address, port in named)
    return ResolverOptions(servers=servers or system_servers())


VERSIONS = (("lurewall", VERSION),)
"""Versions that every verdict names beside those of weights and language."""


def next_hop_options(settings: Settings) -> NextHopOptions:
    """`[next_hop]` as the relay takes it."""
    return _hop_options(settings, settings.outgoing_hop)


def release_hop_options(settings: Settings) -> NextHopOptions:
    """Where mail that a milter held is released to."""
    return _hop_options(settings, settings.release_hop)


def outbound_hop_options(settings: Settings) -> NextHopOptions:
    """Where mail of our own people goes on to."""
    return _hop_options(settings, settings.outbound_hop)


def _hop_options(settings: Settings, hop: NextHopSettings) -> NextHopOptions:
    context = None
    if hop.tls_ca_file is not None:
        context = ssl.create_default_context(cafile=str(hop.tls_ca_file))
    return NextHopOptions(
        host=hop.host,
        port=hop.port,
        lmtp=hop.protocol == "lmtp",
        tls=TlsPolicy(hop.tls),
        ssl_context=context,
        helo_name=settings.hostname,
        send_xforward=hop.client_facts == "xforward",
        send_xclient=hop.client_facts == "xclient",
        pool_size=hop.pool_connections,
        idle_seconds=hop.idle_seconds,
        timeouts=Timeouts(
            connect=hop.connect_seconds,
            command=hop.reply_seconds,
            end_of_data=hop.end_of_data_seconds,
        ),
    )


def admission_limits(settings: Settings) -> AdmissionLimits:
    """`[limits]` as far as it concerns all connections together."""
    limits = settings.limits
    return AdmissionLimits(
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        connections_per_network=limits.connections_per_network,
        bytes_in_flight=limits.bytes_in_flight,
    )


def listener_options(settings: Settings, listener: Listener) -> ListenerOptions:
    """One `[[listen]]` as the SMTP front takes it."""
    limits = settings.limits
    if listener.role == "milter":
        raise ValueError("a milter listener is no SMTP listener")
    return ListenerOptions(
        role=listener.role,
        hostname=settings.hostname,
        name=listener.role,
        domains=frozenset(settings.domains),
        tls_context=_server_tls(listener),
        require_tls=listener.require_tls,
        allow_from=listener.allow_from,
        xclient_from=listener.xclient_from,
        xforward_from=listener.xforward_from,
        proxy_from=listener.proxy_from,
        bare_line_ends=listener.bare_line_ends,
        max_message_bytes=limits.message_bytes,
        max_line_bytes=limits.line_bytes,
        max_recipients=limits.recipients,
        max_errors=limits.errors,
        max_received_fields=limits.received_fields,
        command_seconds=limits.command_seconds,
        data_block_seconds=limits.data_block_seconds,
        data_seconds=limits.data_seconds,
    )


def milter_options(settings: Settings, listener: Listener) -> MilterOptions:
    """One `[[listen]]` of role milter."""
    return MilterOptions(
        allow_from=listener.allow_from,
        max_message_bytes=settings.limits.message_bytes,
        defer_too_large=settings.judgement.cannot_judge == "defer",
        pass_authenticated=not (listener.judge_authenticated or listener.outbound),
    )


def metric_words() -> Words:
    """The closed lists that become label values."""
    return Words(
        refusals=tuple(RefusalReason),
        intents=INTENT_LABELS,
        platforms=PLATFORM_IDS,
        families=tuple(dict.fromkeys(row.family for row in _shipped_weights().findings.values())),
        checks=("identity", "engagement", "language", "authentication"),
        causes=tuple(Cause),
    )


def _shipped_weights() -> WeightTable:
    return parse_weights(shipped_text("weights.toml"))


def _server_tls(listener: Listener) -> ssl.SSLContext | None:
    if listener.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listener.tls_certificate, listener.tls_key)
    return context


def _matcher(patterns: tuple[str, ...]) -> Callable[[Recipient], bool]:
    recipients = parse_recipients(patterns)
    return lambda recipient: recipient.path in recipients


def _language(settings: Settings) -> Callable[[Recipient, str], str]:
    """The banner's language: by recipient domain, else the message's, else the default."""
    annotate = settings.annotate
    by_domain = {to_a_labels(name) or name: code for name, code in annotate.languages.items()}

    def language(recipient: Recipient, message_language: str) -> str:
        mailbox = recipient.path.mailbox
        if mailbox is not None and mailbox.domain in by_domain:
            return by_domain[mailbox.domain]
        if annotate.follow_message_language and message_language in LANGUAGES:
            return message_language
        return annotate.language

    return language
