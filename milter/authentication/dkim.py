"""DKIM: every signature of a message, its result kept apart from all others.

At most eight signatures are verified, the topmost; the rest is counted in one result. A signature
passes only if the whole body and every From field is signed: what a reader of the mail sees.

**Standards:** RFC 6376 §3.5, §3.6.1 (flags), §6.1 (verification), §8.15 (a second From),
RFC 8601 §2.7.1 (results and properties), RFC 6008 §4 (header.b).
**Failure:** never raises.
"""

from collections.abc import Iterator
from dataclasses import replace

from milter.authentication.canonical import CanonicalForms
from milter.authentication.keys import Refusal, find_key
from milter.authentication.signature import (
    Signature,
    judge_time,
    name_of_key,
    read_signature,
    read_tags,
    verify_signature,
)
from milter.authentication.taglist import Tags, without_white
from milter.mail.address import to_a_labels
from milter.mail.dns import Answers, Question
from milter.mail.message import Header
from milter.mail.reading import AuthResult

MAX_SIGNATURES = 8
_FIELD = b"dkim-signature"
_MAX_IDENTITY = 320

Properties = tuple[tuple[str, str, str], ...]


def dkim_questions(raw: bytes, header: Header) -> Iterator[Question]:
    """Where the keys are, of all signatures that are well formed and not too many."""
    for number in () if header.is_cut else _numbers(header)[:MAX_SIGNATURES]:
        signature, _ = _read(raw, header, number)
        if isinstance(signature, Signature):
            yield signature.question


def dkim_results(forms: CanonicalForms, answers: Answers, unix_time: int) -> tuple[AuthResult, ...]:
    """One result a signature, top first; one that says none where there is no signature."""
    if forms.header.is_cut:
        return (_result("neutral", "the header is too large"),)
    numbers = _numbers(forms.header)
    if not numbers:
        return (_result("none", "no signature"),)
    results = [_verify(forms, number, answers, unix_time) for number in numbers[:MAX_SIGNATURES]]
    left = len(numbers) - MAX_SIGNATURES
    if left > 0:
        results.append(_result("policy", f"{left} more signatures were not looked at"))
    return tuple(results)


def _numbers(header: Header) -> list[int]:
    return [number for number, field in enumerate(header.fields) if field.name == _FIELD]


def _read(raw: bytes, header: Header, number: int) -> tuple[Signature | Refusal, Properties]:
    """The signature, and what of it may be named in a result."""
    tags = read_tags(raw, header.fields[number])
    if isinstance(tags, Refusal):
        return tags, ()
    properties = _properties(tags)
    if tags.get("v") != "1":
        return Refusal(result="neutral", reason="unknown version"), properties
    signature = read_signature(tags, number)
    if isinstance(signature, Refusal):
        return signature, properties
    identity = tags.get("i", "@" + signature.domain)
    domain = to_a_labels(identity.rpartition("@")[2])
    if "@" not in identity or domain is None or len(identity) > _MAX_IDENTITY:
        return Refusal(result="neutral", reason="i= is no identity"), properties
    if domain != signature.domain and not domain.endswith("." + signature.domain):
        return Refusal(result="permerror", reason="i= is not within d="), properties
    if b"from" not in signature.names:
        return Refusal(result="permerror", reason="From is not signed"), properties
    return replace(signature, identity=identity), properties


def _verify(forms: CanonicalForms, number: int, answers: Answers, unix_time: int) -> AuthResult:
    signature, properties = _read(forms.raw, forms.header, number)
    if isinstance(signature, Refusal):
        return _result(signature.result, signature.reason, properties)
    refusal = _judge(forms, signature, answers, unix_time)
    if refusal is not None:
        return _result(refusal.result, refusal.reason, properties)
    return _result("pass", "", properties)


def _judge(
    forms: CanonicalForms, signature: Signature, answers: Answers, unix_time: int
) -> Refusal | None:
    """None if the signature passes."""
    key = find_key(answers, signature.question)
    if isinstance(key, Refusal):
        return key
    identity_domain = to_a_labels(signature.identity.rpartition("@")[2])
    if key.is_strict and identity_domain != signature.domain:
        return Refusal(result="permerror", reason="the key is not for subdomains")
    problem = (
        verify_signature(forms, signature, key)
        or judge_time(signature, unix_time)
        or _judge_from(forms, signature)
    )
    if key.is_test:
        # RFC 6376 §3.6.1: no other than an unsigned mail, pass or fail.
        return Refusal(result="neutral", reason="the domain only tests its key")
    return problem


def _judge_from(forms: CanonicalForms, signature: Signature) -> Refusal | None:
    """A second From that is not signed is what some readers would show (RFC 6376 §8.15)."""
    present = len(forms.numbers(b"from"))
    if not present:
        return Refusal(result="permerror", reason="there is no From")
    if present > signature.names.count(b"from"):
        return Refusal(result="policy", reason="a From field is not signed")
    return None


def _properties(tags: Tags) -> Properties:
    """What Authentication-Results may say of a signature, well formed or not."""
    domain, selector = name_of_key(tags)
    identity = tags.get("i", "")
    found = (
        ("d", domain),
        ("i", identity if len(identity) <= _MAX_IDENTITY else ""),
        ("s", selector),
        ("a", without_white(tags.get("a", ""))[:40]),
        ("b", without_white(tags.get("b", ""))[:8]),
    )
    return tuple(("header", name, value) for name, value in found if value)


def _result(result: str, reason: str, properties: Properties = ()) -> AuthResult:
    return AuthResult(
        method="dkim", result=result, authserv_id="", reason=reason, properties=properties
    )
