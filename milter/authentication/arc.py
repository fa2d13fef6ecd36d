"""ARC: the chain of those who passed a message on, and whether each can be held to its word.

The chain is read whole before any key is asked for: what has not the form of a chain costs no
question. Of the message signatures only the newest is verified (the edits of later hops break the
older ones), of the seals all. Refuses to trust a sealer: a passing chain only says who said what.

**Standards:** RFC 8617 §4 (fields, instances), §5.2 (validation), §5.2.1 (no failure is temporary).
**Failure:** never raises; whatever is wrong, the chain fails and the reason says why.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from milter.authentication.canonical import CanonicalForms
from milter.authentication.keys import Refusal, find_key
from milter.authentication.results import authserv_id, parse_results
from milter.authentication.signature import (
    Signature,
    judge_time,
    key_question,
    name_of_key,
    read_signature,
    read_tags,
    verify_signature,
)
from milter.authentication.taglist import Tags, decode_base64, without_white
from milter.mail.dns import Answers, Question
from milter.mail.message import Header, HeaderField, field_value
from milter.mail.reading import ArcChain, ArcSet

MAX_INSTANCES = 50
_MAX_RESULTS_OCTETS = 16_000
_MAX_RESULTS_KEPT = 20

_SEAL = b"arc-seal"
_MESSAGE_SIGNATURE = b"arc-message-signature"
_RESULTS = b"arc-authentication-results"
_NAMES = frozenset({_SEAL, _MESSAGE_SIGNATURE, _RESULTS})
_INSTANCE = re.compile(r"[0-9]{1,2}")
_CFWS = rb"(?:\s|\([^()\\]*+\))*+"  # comments do not nest here
_RESULTS_INSTANCE = re.compile(
    _CFWS + rb"i" + _CFWS + rb"=" + _CFWS + rb"([0-9]{1,2})" + _CFWS + rb";"
)
_ANY_INSTANCE = re.compile(rb"[:;\s]i\s*=\s*([0-9]{1,2})(?=[\s;])")
_KINDS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One ARC set: field numbers, and of the seal what verifying it takes."""

    instance: int
    results_number: int
    message_number: int
    seal_number: int
    kind: str
    domain: str
    selector: str
    status: str
    signature: bytes

    @property
    def question(self) -> Question:
        return key_question(self.selector, self.domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain that has the form of one; `newest` is its last message signature."""

    seals: tuple[Seal, ...]
    newest: Signature


class BrokenChain(Exception):
    """The fields have not the form of a chain; the text is the reason."""


def arc_questions(raw: bytes, header: Header) -> Iterator[Question]:
    """Where the keys of the chain are; none where it fails without them."""
    try:
        chain = read_chain(raw, header)
    except BrokenChain:
        return
    if chain is None or chain.seals[-1].status == "fail":
        return
    yield chain.newest.question
    for seal in chain.seals:
        yield seal.question


def arc_chain(forms: CanonicalForms, answers: Answers, unix_time: int) -> ArcChain:
    """The chain as it came."""
    try:
        chain = read_chain(forms.raw, forms.header)
    except BrokenChain as broken:
        return ArcChain(
            result="fail",
            reason=str(broken),
            instances=highest_instance(forms.raw, forms.header),
        )
    if chain is None:
        return ArcChain()
    problem = _judge(forms, chain, answers, unix_time)
    return ArcChain(
        result="pass" if problem is None else "fail",
        reason="" if problem is None else problem.reason,
        is_temporary=problem is not None and problem.result == "temperror",
        is_closed=chain.seals[-1].status == "fail",
        instances=len(chain.seals),
        sets=tuple(_told(forms.raw, forms.header, seal) for seal in chain.seals),
    )


def read_chain(raw: bytes, header: Header) -> Chain | None:
    """The chain, None where there is none; raises BrokenChain (RFC 8617 §5.2 steps 1 to 3)."""
    if header.is_cut:
        raise BrokenChain("the header is too large")  # who knows what stands in the rest
    fields = [number for number, field in enumerate(header.fields) if field.name in _NAMES]
    if not fields:
        return None
    if len(fields) > 3 * MAX_INSTANCES:
        raise BrokenChain("more than 50 sets")
    found: dict[bytes, dict[int, tuple[int, Tags]]] = {name: {} for name in _NAMES}
    for number in fields:
        field = header.fields[number]
        tags = {} if field.name == _RESULTS else _tags(raw, field)
        instance = _instance(raw, field, tags)
        if instance in found[field.name]:
            raise BrokenChain("an instance stands twice")
        found[field.name][instance] = (number, tags)
    count = max(max(one, default=0) for one in found.values())
    if any(one.keys() != set(range(1, count + 1)) for one in found.values()):
        raise BrokenChain("a set is not whole")
    results, messages, seals = (found[name] for name in (_RESULTS, _MESSAGE_SIGNATURE, _SEAL))
    sets = [
        _seal(instance, results[instance][0], messages[instance][0], seals[instance])
        for instance in range(1, count + 1)
    ]
    number, tags = messages[count]
    newest = read_signature(tags, number)
    if isinstance(newest, Refusal):
        raise BrokenChain(f"the newest message signature: {newest.reason}")
    if b"from" not in newest.names:
        raise BrokenChain("a message signature does not cover From")  # RFC 6376 §5.4
    if _SEAL in newest.names:
        raise BrokenChain("a message signature covers seals")  # §4.1.2
    return Chain(seals=tuple(sets), newest=newest)


def is_arc_field(field: HeaderField) -> bool:
    """Is it one of the three?"""
    return field.name in _NAMES


def highest_instance(raw: bytes, header: Header) -> int:
    """The highest instance that any ARC field names, in a broken chain too; 0 if there is none."""
    named = [field for field in header.fields if field.name in _NAMES]
    found = (
        _ANY_INSTANCE.search(raw, field.value_start - 1, min(field.end, field.value_start + 2_000))
        for field in named[: 4 * MAX_INSTANCES]
    )
    return max((int(match[1]) for match in found if match), default=0)


def _tags(raw: bytes, field: HeaderField) -> Tags:
    tags = read_tags(raw, field)
    if isinstance(tags, Refusal):
        raise BrokenChain(tags.reason)
    return tags


def _instance(raw: bytes, field: HeaderField, tags: Tags) -> int:
    """The instance of a field; raises BrokenChain where it has none between 1 and 50."""
    if field.name == _RESULTS:
        if field.end - field.value_start > _MAX_RESULTS_OCTETS:
            raise BrokenChain("the field is too long")
        match = _RESULTS_INSTANCE.match(raw, field.value_start, field.end)
        text = match[1].decode("ascii") if match else ""
    else:
        text = tags.get("i", "")
    instance = int(text) if _INSTANCE.fullmatch(text) else 0
    if not 1 <= instance <= MAX_INSTANCES:
        raise BrokenChain("no valid instance")
    return instance


def _seal(instance: int, results_number: int, message_number: int, seal: tuple[int, Tags]) -> Seal:
    """One set; raises BrokenChain where the seal is none."""
    number, tags = seal
    algorithm = without_white(tags.get("a", "")).lower()
    domain, selector = name_of_key(tags)
    signature = decode_base64(tags.get("b", ""))
    status = tags.get("cv", "").lower()
    if algorithm not in _KINDS:
        raise BrokenChain("a seal has an unknown or refused algorithm")
    if not domain or not selector or not signature or "h" in tags:
        raise BrokenChain("a seal is not well formed")
    # §5.2 step 3; a chain that was sealed as failed has failed (step 2), whatever follows.
    if status != "fail" and status != ("none" if instance == 1 else "pass"):
        raise BrokenChain("a seal has another cv= than its place needs")
    return Seal(
        instance=instance,
        results_number=results_number,
        message_number=message_number,
        seal_number=number,
        kind=_KINDS[algorithm],
        domain=domain,
        selector=selector,
        status=status,
        signature=signature,
    )


def _judge(forms: CanonicalForms, chain: Chain, answers: Answers, unix_time: int) -> Refusal | None:
    """None if the chain passes (RFC 8617 §5.2 steps 2, 4 and 6)."""
    if any(seal.status == "fail" for seal in chain.seals):
        return Refusal(result="fail", reason="the chain had failed before")
    key = find_key(answers, chain.newest.question)
    if isinstance(key, Refusal):
        return key
    problem = verify_signature(forms, chain.newest, key) or judge_time(chain.newest, unix_time)
    if problem is not None:
        return Refusal(result="fail", reason=f"the newest message signature: {problem.reason}")
    # Every seal covers all sets before it, so the hash is carried on instead of begun anew.
    before = sha256()
    for seal in chain.seals:
        for number in (seal.results_number, seal.message_number):
            before.update(forms.field(number, "relaxed"))
        here = before.copy()
        here.update(forms.unsigned_field(seal.seal_number, "relaxed"))
        before.update(forms.field(seal.seal_number, "relaxed"))
        key = find_key(answers, seal.question)
        if isinstance(key, Refusal):
            return key
        if key.kind != seal.kind or not key.verifies(seal.signature, here.digest()):
            return Refusal(result="fail", reason=f"seal {seal.instance} is broken")
    return None


def _told(raw: bytes, header: Header, seal: Seal) -> ArcSet:
    """What a hop says of itself and of what it got."""
    value = field_value(raw, header.fields[seal.results_number]).decode("utf-8", "replace")
    payload = value.partition(";")[2]
    return ArcSet(
        instance=seal.instance,
        domain=seal.domain,
        authserv_id=authserv_id(payload)[:255],
        results=parse_results(payload)[:_MAX_RESULTS_KEPT],
    )
