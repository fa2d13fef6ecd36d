"""The services of `platforms.toml` as compiled rules, and what a deep link says about them.

One weight for all: nothing here ranks a service; names only tell channels apart.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from nlp import lexicon
from nlp.entities.phones import e164
from nlp.entities.urls import split_url

_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service; `handle` matches a whole handle, `nouns` and `not_after` what follows a name.

    `codes` says that its handles are codes that it hands out itself.
    """

    id: str
    kind: str
    by_phone: bool
    solo: bool
    codes: bool
    handle: re.Pattern[str] | None
    forms: frozenset[str]
    nouns: re.Pattern[str]
    not_after: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What a link leads to: a service and, where the link names one, a handle value."""

    service: str
    handle: str


def alternatives(phrases: list[str]) -> str:
    """A pattern of phrases, longest first; a trailing `*` lets a word go on."""
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(
        re.escape(phrase.removesuffix("*")) + (r"\w*" if phrase.endswith("*") else "")
        for phrase in ordered
    )


def _service(row: dict[str, Any]) -> Service:
    nouns = alternatives(row["nouns"]) if row.get("nouns") else ""
    return Service(
        id=row["id"],
        kind=row["kind"],
        by_phone=row.get("by_phone", False),
        solo=row.get("solo", False),
        codes=row.get("codes", False),
        handle=re.compile(row["handle"]) if "handle" in row else None,
        forms=frozenset(row.get("common", ())),
        nouns=re.compile(rf"[ -]?(?:{nouns})(?![a-z])") if nouns else _NEVER,
        not_after=re.compile(row["not_after"]) if "not_after" in row else _NEVER,
    )


_ROWS = lexicon.read("platforms")["service"]
SERVICES: dict[str, Service] = {row["id"]: _service(row) for row in _ROWS}


def _link_rules() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    rules: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for row in _ROWS:
        for host, pattern in row.get("links", ()):
            rules.setdefault(host, []).append((row["id"], re.compile(pattern)))
        for scheme, pattern in row.get("schemes", ()):
            rules.setdefault(f"{scheme}:", []).append((row["id"], re.compile(pattern)))
    return rules


_RULES = _link_rules()
_ALIASES: dict[str, str] = {alias: host for row in _ROWS for alias, host in row.get("aliases", ())}


def link_target(url: str) -> LinkTarget | None:
    """The service and handle that a URL leads to, or None if it is no service's link."""
    scheme, host, rest = split_url(url)
    if scheme in ("http", "https", "hxxp", "hxxps") or (not host and "." in scheme):
        return _web_target(host.lower().partition(":")[0].removeprefix("www."), rest)
    opaque = url[len(scheme) + 1 :]
    for service, pattern in _RULES.get(f"{scheme}:", ()):
        if match := pattern.search(opaque):
            return LinkTarget(service, _handle(service, match, international=False))
    return None


def _web_target(host: str, rest: str) -> LinkTarget | None:
    host = _ALIASES.get(host, host)
    if host.endswith(".t.me") and host != "t.me":
        return LinkTarget("telegram", f"telegram:{host.removesuffix('.t.me')}")
    while host.count("."):
        for service, pattern in _RULES.get(host, ()):
            if match := pattern.search(rest):
                return LinkTarget(service, _handle(service, match, international=True))
        host = host.partition(".")[2]
    return None


def _handle(service: str, match: re.Match[str], *, international: bool) -> str:
    groups = match.groupdict()
    if phone := groups.get("phone"):
        digits = e164(phone)
        # A click-to-chat link always holds the full international number, with or without "+".
        if international and not digits.startswith(("+", "0")):
            digits = e164(f"+{digits}")
        return f"{service}:{digits}"
    if name := groups.get("name"):
        return f"{service}:{unquote(name).lower().lstrip('~')}"
    if code := groups.get("code"):
        return f"{service}:{code}"
    return ""
