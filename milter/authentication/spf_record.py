"""SPF records as values: which mechanisms and modifiers a published record has.

The whole record is checked before any of it counts, so that one misspelt term never lets half a
policy through. Macros are checked here and expanded in `spf_macros`; nothing is looked up.

Standards: RFC 7208 §4.5 (which record), §4.6 (syntax first), §5 and §6 (terms), §7.1 and §12
(grammar). Where a name is malformed only after expansion, see `spf`.
Failure: `RecordError` with a few words; the result is permerror.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

MAX_RECORD_OCTETS = 8_192
MAX_TERMS = 400

MACRO = re.compile(r"%\{([slodiphcrtv])([0-9]*)(r?)([-.+,/_=]*)\}|%([%_-])", re.IGNORECASE)
_LITERAL = re.compile(r"[!-$&-~]*")
_VERSION = re.compile(rb"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)")
_DIRECTIVE = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9]*)(.*)")
_DOMAIN_AND_PREFIXES = re.compile(r"(?::(.+?))?(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?")
_TOP_LABEL = re.compile(r"\.([0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?)\.?\Z")
_IP4 = re.compile(r":(\d{1,3}(?:\.\d{1,3}){3})(?:/(0|[1-9]\d?))?")
_IP6 = re.compile(r":([0-9A-Fa-f:.]+)(?:/(0|[1-9]\d{0,2}))?")
_ONLY_IN_EXPLANATIONS = frozenset("crt")


class RecordError(ValueError):
    """The record is no SPF record; the words may be shown to its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A mechanism with its qualifier; `domain` is unexpanded, '' for the current domain."""

    qualifier: str
    mechanism: str
    domain: str = ""
    network: IPv4Network | IPv6Network | None = None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The terms that count; `redirect` is unexpanded, '' where there is none."""

    directives: tuple[Directive, ...] = ()
    redirect: str = ""


def spf_records(texts: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those TXT records that say they are SPF (§4.5)."""
    return tuple(text for text in texts if _VERSION.match(text))


@lru_cache(maxsize=256)  # an evaluation begins anew several times, and most mail is of few senders
def parse_record(octets: bytes) -> Record:
    """All terms of one record; raises RecordError at the first that is none."""
    if len(octets) > MAX_RECORD_OCTETS:
        raise RecordError("record too long")
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError:
        raise RecordError("record is not ASCII") from None
    terms = [term for term in text.split(" ")[1:] if term]
    if len(terms) > MAX_TERMS:
        raise RecordError("too many terms")
    directives: list[Directive] = []
    once: dict[str, str] = {}
    for term in terms:
        modifier = _MODIFIER.fullmatch(term)
        if modifier is None:
            directives.append(_directive(term))
            continue
        name, value = modifier[1].lower(), modifier[2]
        if name not in ("redirect", "exp"):
            _check_macros(value)  # §6: others are ignored, however often, but must be well formed
            continue
        if name in once:
            raise RecordError(f"{name}= twice")
        _check_domain(value)
        once[name] = value
    return Record(directives=tuple(directives), redirect=once.get("redirect", ""))


def _directive(term: str) -> Directive:
    match = _DIRECTIVE.fullmatch(term)
    if match is None:
        raise RecordError("unknown mechanism")
    qualifier, name, rest = match[1] or "+", match[2].lower(), match[3]
    if name == "all":
        if rest:
            raise RecordError("all takes nothing")
        return Directive(qualifier=qualifier, mechanism=name)
    if name in ("ip4", "ip6"):
        return Directive(qualifier=qualifier, mechanism=name, network=_network(name, rest))
    if name in ("a", "mx"):
        return _address_directive(qualifier, name, rest)
    if name not in ("include", "exists", "ptr"):
        raise RecordError("unknown mechanism")
    if not rest and name == "ptr":
        return Directive(qualifier=qualifier, mechanism=name)
    if not rest.startswith(":"):
        raise RecordError(f"{name} without a domain")
    _check_domain(rest[1:])
    return Directive(qualifier=qualifier, mechanism=name, domain=rest[1:])


def _address_directive(qualifier: str, name: str, rest: str) -> Directive:
    match = _DOMAIN_AND_PREFIXES.fullmatch(rest)
    if match is None:
        raise RecordError(f"bad {name}")
    domain, prefix4, prefix6 = match[1] or "", int(match[2] or 32), int(match[3] or 128)
    if prefix4 > 32 or prefix6 > 128:
        raise RecordError("bad prefix length")
    if domain:
        _check_domain(domain)
    return Directive(
        qualifier=qualifier, mechanism=name, domain=domain, prefix4=prefix4, prefix6=prefix6
    )


def _network(name: str, rest: str) -> IPv4Network | IPv6Network:
    match = (_IP4 if name == "ip4" else _IP6).fullmatch(rest)
    if match is None:
        raise RecordError(f"bad {name}")
    try:
        if name == "ip4":
            return IPv4Network((match[1], int(match[2] or 32)), strict=False)
        return IPv6Network((match[1], int(match[2] or 128)), strict=False)
    except ValueError:
        raise RecordError(f"bad {name}") from None


def _check_domain(spec: str) -> None:
    """domain-spec (§7.1): a macro string that ends in a top label or in a macro."""
    literal = _check_macros(spec, for_names=True)
    if not spec:
        raise RecordError("empty domain")
    if not literal:
        return
    top = _TOP_LABEL.search(literal)
    if top is None or top[1].isdigit():
        raise RecordError("bad domain")


def _check_macros(text: str, *, for_names: bool = False) -> str:
    """Raise RecordError unless this is a macro-string; the literal text behind its last macro."""
    position = 0
    while True:
        literal = _LITERAL.match(text, position)
        position = literal.end() if literal else position
        if position == len(text):
            return literal[0] if literal else ""
        macro = MACRO.match(text, position)
        if macro is None:
            raise RecordError("bad macro")
        if macro[1]:
            if macro[2] and not int(macro[2][:9]):
                raise RecordError("bad macro")
            if for_names and macro[1].lower() in _ONLY_IN_EXPLANATIONS:
                raise RecordError("macro for explanations only")
        position = macro.end()
