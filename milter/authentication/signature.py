"""One signature field, read and checked as far as that goes without a key: DKIM's and ARC's alike.

**Standards:** RFC 6376 §3.5 (tags), §6.1.1 (checks before a key is asked for), RFC 8301 §3.1
(rsa-sha1 is refused), RFC 8463 §3 (ed25519-sha256), RFC 8616 (UTF-8 in d=, s= and i=).
**Failure:** never raises; a field that cannot be used gives a `Refusal`.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from milter.authentication.canonical import CanonicalForms, Mode
from milter.authentication.keys import PublicKey, Refusal
from milter.authentication.taglist import Tags, decode_base64, parse_tags, without_white
from milter.mail.address import to_a_labels
from milter.mail.dns import Question
from milter.mail.message import HeaderField, field_value

MAX_FIELD_OCTETS = 16_000
# Clocks differ; what is signed an hour ahead is not.
CLOCK_SKEW_SECONDS = 3_600

_DIGITS = re.compile(r"[0-9]{1,12}")
_LENGTH = re.compile(r"[0-9]{1,76}")
_FIELD_NAME = re.compile(r"[!-9<-~]+")  # without colon and, in a tag list, semicolon
_KINDS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_MODES: dict[str, tuple[Mode, Mode]] = {
    "simple": ("simple", "simple"),
    "relaxed": ("relaxed", "simple"),
    "simple/simple": ("simple", "simple"),
    "simple/relaxed": ("simple", "relaxed"),
    "relaxed/simple": ("relaxed", "simple"),
    "relaxed/relaxed": ("relaxed", "relaxed"),
}

_SYNTAX = Refusal(result="neutral", reason="the field is not well formed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that is worth a key. `length` is l=; times are Unix time, -1 where absent."""

    number: int
    kind: str
    algorithm: str
    domain: str
    selector: str
    identity: str
    header_mode: Mode
    body_mode: Mode
    names: tuple[bytes, ...]
    body_digest: bytes
    signature: bytes
    length: int = -1
    signed_at: int = -1
    expires_at: int = -1

    @property
    def question(self) -> Question:
        """Where its key is."""
        return key_question(self.selector, self.domain)


def key_question(selector: str, domain: str) -> Question:
    """The name of a key (RFC 6376 §3.6.2.1)."""
    return Question(f"{selector}._domainkey.{domain}", "TXT")


def read_tags(raw: bytes, field: HeaderField) -> Tags | Refusal:
    """The tag list of a field, within bounds."""
    if field.end - field.value_start > MAX_FIELD_OCTETS:
        return Refusal(result="neutral", reason="the field is too long")
    tags = parse_tags(field_value(raw, field))
    return _SYNTAX if tags is None else tags


def read_signature(tags: Tags, number: int) -> Signature | Refusal:
    """What DKIM-Signature and ARC-Message-Signature have in common; v= and i= are the caller's."""
    algorithm = without_white(tags.get("a", "")).lower()
    kind = _KINDS.get(algorithm)
    if kind is None:
        return refuse_algorithm(algorithm)
    modes = _MODES.get(without_white(tags.get("c", "simple/simple")).lower())
    domain, selector = name_of_key(tags)
    names = _field_names(tags.get("h", ""))
    signature, digest = decode_base64(tags.get("b", "")), decode_base64(tags.get("bh", ""))
    times = [_number(tags, "t", _DIGITS), _number(tags, "x", _DIGITS), _number(tags, "l", _LENGTH)]
    if not domain or not selector or not names or not signature or not digest or None in times:
        return _SYNTAX
    signed_at, expires_at, length = (-1 if one is None else one for one in times)
    if 0 <= expires_at <= signed_at:
        return _SYNTAX  # §3.5: x= must be greater than t=
    if modes is None:
        return Refusal(result="neutral", reason="unknown canonicalisation")
    if "dns/txt" not in without_white(tags.get("q", "dns/txt")).split(":"):
        return Refusal(result="neutral", reason="the key is not in the DNS")
    return Signature(
        number=number,
        kind=kind,
        algorithm=algorithm,
        domain=domain,
        selector=selector,
        identity="",
        header_mode=modes[0],
        body_mode=modes[1],
        names=names,
        body_digest=digest,
        signature=signature,
        length=length,
        signed_at=signed_at,
        expires_at=expires_at,
    )


def refuse_algorithm(algorithm: str) -> Refusal:
    """Why an algorithm is not taken (RFC 8301 §3.1: one of old has failed for good)."""
    if algorithm == "rsa-sha1":
        return Refusal(result="permerror", reason="rsa-sha1 proves nothing any more")
    return Refusal(result="neutral", reason="unknown algorithm") if algorithm else _SYNTAX


def name_of_key(tags: Tags) -> tuple[str, str]:
    """Domain and selector as A-labels, '' where they are no names that the DNS could have."""
    domain = to_a_labels(tags.get("d", "")) or ""
    selector = to_a_labels(tags.get("s", "")) or ""
    if len(domain) + len(selector) + len("._domainkey.") > 253:
        return "", ""
    return (domain if "." in domain else ""), selector


def judge_time(signature: Signature, unix_time: int) -> Refusal | None:
    """What is wrong with t= and x= at that time (0: nothing is)."""
    if not unix_time:
        return None
    if signature.signed_at > unix_time + CLOCK_SKEW_SECONDS:
        return Refusal(result="policy", reason="signed in the future")
    if 0 <= signature.expires_at < unix_time - CLOCK_SKEW_SECONDS:
        return Refusal(result="policy", reason="the signature has expired")
    return None


def verify_signature(forms: CanonicalForms, signature: Signature, key: PublicKey) -> Refusal | None:
    """None if body and header are what was signed."""
    if key.kind != signature.kind:
        return Refusal(result="permerror", reason="the key is for another algorithm")
    length = forms.body_length(signature.body_mode)
    if signature.length > length:
        return Refusal(result="fail", reason="the body is shorter than l= says")
    if 0 <= signature.length < length:
        # What follows could be anybody's, so it is no matter whether the beginning is as signed.
        return Refusal(result="policy", reason="l= leaves a part of the body unsigned")
    if forms.body_digest(signature.body_mode) != signature.body_digest:
        return Refusal(result="fail", reason="the body was changed")
    if not key.verifies(signature.signature, _header_digest(forms, signature)):
        return Refusal(result="fail", reason="the header was changed")
    return None


def _header_digest(forms: CanonicalForms, signature: Signature) -> bytes:
    mode, number = signature.header_mode, signature.number
    signed = forms.signed_fields(signature.names, mode, without=number)
    return sha256(signed + forms.unsigned_field(number, mode)).digest()


def _field_names(value: str) -> tuple[bytes, ...]:
    """The names of h=; an empty one between two colons, as some write it, stands for nothing."""
    names = [name for name in without_white(value.lower()).split(":") if name]
    if not all(_FIELD_NAME.fullmatch(name) for name in names):
        return ()
    return tuple(name.encode("ascii") for name in names)


def _number(tags: Tags, name: str, form: re.Pattern[str]) -> int | None:
    """The number of a tag, -1 where it is absent, None where it is no number."""
    value = tags.get(name)
    if value is None:
        return -1
    return int(value) if form.fullmatch(value) else None
