"""What no single key can say, and what only the machine can answer.

`rule_problems` is pure but for the files that the settings name (weights, recipient lists).
`environment_problems` asks the machine: folders writable, certificates readable, ports free.
`serve` and `check-config` call it. Keys are looked at by `app.service_plan`.
Failure: problems are returned, all of them; nothing raises.
"""

import os
import re
import socket
import tempfile
from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from milter.act.banner_texts import BannerTextsError, parse_banner_texts
from milter.judge.weights import WeightError, WeightTable, parse_weights
from milter.mail.address import to_a_labels
from milter.mail.verdict import Mode
from milter.settings.load import Problem
from milter.settings.model import Listener, Settings
from milter.settings.name_servers import parse_name_server
from milter.settings.recipients import PatternError, Recipients, parse_recipients
from milter.settings.shipped import shipped_text

# Postfix gives a before-queue filter 100 s (smtpd_proxy_timeout) from the dot to the reply.
_PROXY_SECONDS = 95.0


def load_weights(settings: Settings) -> WeightTable:
    """The shipped table, or the configured one, with the overrides of `[weights]`."""
    if settings.weights_file is None:
        text = shipped_text("weights.toml")
    else:
        try:
            text = settings.weights_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WeightError(f"cannot read it: {type(error).__name__}") from None
    return parse_weights(text).with_overrides(settings.weights)


def rule_problems(
    settings: Settings, *, source: str, today: date | None = None
) -> tuple[Problem, ...]:
    """Every rule that the settings break, and warnings."""
    found = (
        *((key, text, False) for key, text in _errors(settings)),
        *((key, text, True) for key, text in _warnings(settings, today or date.today())),
    )
    return tuple(
        Problem(file=source, key=key, message=text, is_warning=warning)
        for key, text, warning in found
    )


def environment_problems(settings: Settings, *, source: str) -> tuple[Problem, ...]:
    """What the machine says to these settings; creates nothing."""
    found = [
        *_folder_problems("state_dir", settings.state_dir),
        *_folder_problems("quarantine.folder", settings.quarantine_folder),
        *_folder_problems("history.folder", settings.history_folder),
        *_tls_problems(settings),
        *_port_problems(settings),
        *_socket_problems(settings),
    ]
    return tuple(Problem(file=source, key=key, message=text) for key, text in found)


def _errors(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.mode is Mode.ENFORCE and settings.contact is None:
        yield (
            "contact",
            "is required in enforce mode: every hold notifies somebody; write an address",
        )
    for index, listener in enumerate(settings.listen):
        yield from _listener_errors(settings, listener, f"listen[{index}]")
    yield from _next_hop_errors(settings)
    for index, pattern in enumerate(settings.trusted_authserv_ids):
        if fnmatchcase(settings.own_authserv_id, pattern):
            yield (
                f"trusted_authserv_ids[{index}]",
                f"{pattern!r} matches our own authserv-id {settings.own_authserv_id!r}: forged "
                "results would be believed; name only the servers in front of us",
            )
    slowest = settings.judgement.deadline_seconds + settings.outgoing_hop.end_of_data_seconds
    if any(one.role == "before_queue" for one in settings.listen) and slowest > _PROXY_SECONDS:
        yield (
            "next_hop.end_of_data_seconds",
            f"and judgement.deadline_seconds are {slowest:g} s together; role before_queue must "
            f"answer within {_PROXY_SECONDS:g} s, well inside smtpd_proxy_timeout (100 s)",
        )
    yield from _authentication_errors(settings)
    yield from _arc_errors(settings)
    yield from _history_errors(settings)
    yield from _policy_errors(settings)
    yield from _banner_errors(settings)
    yield from _weight_errors(settings)
    if settings.limits.message_bytes > settings.limits.bytes_in_flight:
        yield "limits.bytes_in_flight", "is smaller than limits.message_bytes; make it larger"


def _authentication_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    told = settings.authentication
    for index, server in enumerate(told.nameservers):
        try:
            parse_name_server(server)
        except ValueError as error:
            yield f"authentication.nameservers[{index}]", f"{server!r} {error}"


def _arc_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.arc is None:
        return
    if "." not in (to_a_labels(settings.arc.domain) or ""):
        yield "arc.domain", f"{settings.arc.domain!r} is no name under which a key could stand"
    keys = settings.arc.keys
    for name, values in (
        ("selector", [key.selector for key in keys]),
        ("from", [str(key.begins) for key in keys]),
    ):
        for index, value in enumerate(values):
            if value in values[:index]:
                yield f"arc.keys[{index}].{name}", f"{value!r} stands twice; each key has its own"


def _history_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    told = settings.history
    if told.store == "redis":
        if told.redis is None or not (told.redis.url or told.redis.sentinels):
            yield "history.redis.url", "is missing: name the server, or its sentinels"
        if told.key_file is None:
            yield (
                "history.key_file",
                "is required with store = 'redis': all gateways need the same key, so make one "
                "(lurewall memory new-key FILE) and copy it to each",
            )
    elif told.redis is not None:
        yield "history.redis", f"has no effect with store = {told.store!r}; remove it"
    if told.contact_window_days > told.keep_contacts_days:
        yield "history.contact_window_days", "is longer than contacts are kept"
    if settings.history_key_file in told.old_key_files:
        yield "history.old_key_files", "names the key in use; list former keys only"


def _listener_errors(settings: Settings, listener: Listener, key: str) -> Iterator[tuple[str, str]]:
    if listener.role == "mx" and not settings.domains:
        yield "domains", "is empty; role mx accepts mail only for listed domains, so list yours"
    if listener.require_tls and not (listener.tls_certificate and listener.tls_key):
        yield (
            f"{key}.require_tls",
            "is set, but tls_certificate and tls_key are not: plain text would be all there is; "
            "name both files",
        )
    if bool(listener.tls_certificate) != bool(listener.tls_key):
        yield f"{key}.tls_key", "tls_certificate and tls_key belong together; name both or none"
    yield from _outbound_errors(settings, listener, key)
    yield from _milter_errors(settings, listener, key)


def _outbound_errors(settings: Settings, listener: Listener, key: str) -> Iterator[tuple[str, str]]:
    if listener.role not in ("outbound", "milter") and "allow_from" in listener.model_fields_set:
        yield f"{key}.allow_from", "is for roles outbound and milter; remove it"
    if listener.role != "outbound":
        if listener.relay_to is not None:
            yield f"{key}.relay_to", "is for role outbound; remove it"
        return
    if listener.relay_to is None:
        yield f"{key}.relay_to", "is missing: name the server (host:port) that takes the mail on"
    if not settings.domains:
        yield "domains", "is empty; role outbound remembers mail of listed domains, so list yours"
    first = next(one.relay_to for one in settings.listen if one.role == "outbound")
    if listener.relay_to != first:
        yield (
            f"{key}.relay_to",
            f"is another than {first} of a listener above; there is one way out",
        )


def _next_hop_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    hop = settings.next_hop
    if hop is None and any(one.role not in ("milter", "outbound") for one in settings.listen):
        yield "next_hop", "is missing: every role but milter relays mail; name the inner server"
    if hop is not None and hop.tls == "verify" and hop.host.replace(".", "").isdigit():
        yield "next_hop.host", "is an address; tls = 'verify' needs the name in the certificate"


_FOR_MILTER = (
    "socket",
    "socket_group",
    "socket_mode",
    "hold_with",
    "release_to",
    "judge_authenticated",
    "outbound",
)
_NOT_FOR_MILTER = (
    "tls_certificate",
    "xclient_from",
    "xforward_from",
    "proxy_from",
    "bare_line_ends",
)


def _milter_errors(settings: Settings, listener: Listener, key: str) -> Iterator[tuple[str, str]]:
    if listener.role != "milter":
        for name in _FOR_MILTER:
            if name in listener.model_fields_set:
                yield f"{key}.{name}", "is for role milter; remove it"
        return
    holds = settings.mode is Mode.ENFORCE and listener.hold_with == "own" and not listener.outbound
    if holds and not listener.release_to:
        yield (
            f"{key}.release_to",
            "is required in enforce mode where a milter holds mail itself: name the server "
            "(host:port) that released mail goes to; or set hold_with = 'mta'",
        )
    first = next((one.release_to for one in settings.listen if one.release_to), None)
    if listener.release_to not in (None, first):
        yield (
            f"{key}.release_to",
            f"is another than {first} of a listener above; all released mail goes to one server",
        )
    for name in _NOT_FOR_MILTER:
        if name in listener.model_fields_set:
            yield f"{key}.{name}", "is not for role milter; remove it"


def _policy_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    names: set[str] = set()
    for index, row in enumerate(settings.policy):
        key = f"policy[{index}]"
        if row.name in names:
            yield f"{key}.name", f"{row.name!r} is used twice; names appear in verdicts"
        names.add(row.name)
        if row.quarantine_from_db < row.annotate_from_db:
            yield (
                f"{key}.quarantine_from_db",
                "is below annotate_from_db; a hold is the stronger act",
            )
        try:
            recipients = parse_recipients(row.recipients)
        except PatternError as error:
            yield f"{key}.recipients", str(error)
            continue
        yield from _overlaps(key, recipients, seen)
        seen.update(dict.fromkeys(recipients.names(), row.name))
    for index, allow in enumerate(settings.allow):
        try:
            parse_recipients((*allow.recipients, *allow.header_from))
        except PatternError as error:
            yield f"allow[{index}]", str(error)
        if "*" in allow.header_from:
            yield f"allow[{index}].header_from", "must name addresses or domains, not everybody"


def _overlaps(key: str, recipients: Recipients, seen: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Patterns that an earlier row has taken already: first match wins, so they are dead."""
    for name in sorted(recipients.names()):
        for taken_by in (name, name.rpartition("@")[2], "*"):
            if taken_by in seen:
                yield (
                    f"{key}.recipients",
                    f"{name!r} can never match: row {seen[taken_by]!r} has {taken_by!r} and comes "
                    "first; move this row up or remove the pattern",
                )
                break


def _weight_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        load_weights(settings)
    except WeightError as error:
        yield ("weights_file" if settings.weights_file else "weights"), str(error)


def _banner_errors(settings: Settings) -> Iterator[tuple[str, str]]:
    path = settings.annotate.banners_file
    if path is None:
        return
    try:
        parse_banner_texts(shipped_text("banners.toml"), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield "annotate.banners_file", f"cannot read {path}: {type(error).__name__}"
    except BannerTextsError as error:
        for problem in error.problems:
            yield "annotate.banners_file", f"{path}: {problem}"


def _warnings(settings: Settings, today: date) -> Iterator[tuple[str, str]]:
    if settings.mode is not Mode.OBSERVE and not settings.inner_hop_trusts_us:
        yield (
            "inner_hop_trusts_us",
            "is false: a banner breaks the sender's DKIM signature, and an inner filter that does "
            "not trust us may hold that against the mail; see docs/inner-server.md, then set true",
        )
    if settings.trusted_authserv_ids and all(one.role == "mx" for one in settings.listen):
        yield "trusted_authserv_ids", "has no effect in role mx: nobody stands in front of us"
    told = settings.authentication
    if told.trusted_arc_sealers and told.verify == "never":
        yield (
            "authentication.trusted_arc_sealers",
            "has no effect where nothing is verified; remove it, or set verify to 'auto'",
        )
    if told.verify == "always" and settings.trusted_authserv_ids:
        yield (
            "trusted_authserv_ids",
            "has no effect with authentication.verify = 'always': our own results count",
        )
    if settings.annotate.notice_for_protected and (
        settings.mode is Mode.OBSERVE or not settings.annotate.banner
    ):
        yield (
            "annotate.notice_for_protected",
            "has no effect in observe mode or without banners: it says what a banner would",
        )
    if settings.arc and settings.mode is Mode.OBSERVE:
        yield "arc", "has no effect in observe mode: nothing is edited, so nothing is sealed"
    if (
        settings.arc
        and settings.authentication.verify == "never"
        and not settings.trusted_authserv_ids
    ):
        yield "arc", "seals nothing: no results are verified, and no server's are believed"
    if settings.arc and all(key.begins > today for key in settings.arc.keys):
        yield "arc.keys", "no key's day has come: nothing is sealed until then"
    for index, allow in enumerate(settings.allow):
        if allow.expires < today:
            yield f"allow[{index}].expires", f"{allow.expires} is past: the row has no effect"
    if settings.contact is None:
        yield "contact", "is not set: banners name nobody to tell"


def _folder_problems(key: str, folder: Path) -> Iterator[tuple[str, str]]:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        yield key, f"{place} is no folder"
        return
    try:
        # Trying is the only honest answer: modes, ACLs and read-only mounts all count.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        yield key, f"{place} is not writable for us ({reason}); give it to the gateway's user"


def _tls_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    for index, listener in enumerate(settings.listen):
        for name in ("tls_certificate", "tls_key"):
            path = getattr(listener, name)
            if path is not None and not os.access(path, os.R_OK):
                yield f"listen[{index}].{name}", f"cannot read {path}"


def _socket_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    for index, listener in enumerate(settings.listen):
        if listener.socket is not None:
            yield from _folder_problems(f"listen[{index}].socket", listener.socket.parent)


def _port_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    wanted = [
        (f"listen[{i}].port", one.address, one.port)
        for i, one in enumerate(settings.listen)
        if one.socket is None
    ]
    wanted.append(("admin.port", settings.admin.address, settings.admin.port))
    for key, address, port in wanted:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                reason = re.sub(r"^\[Errno \d+\] ", "", error.strerror or "cannot be used")
                yield key, f"{address}:{port}: {reason}; choose another or stop what uses it"
