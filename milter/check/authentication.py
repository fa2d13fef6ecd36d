"""Who vouches for a message: asks the DNS for what SPF, DKIM, ARC and DMARC need, and decides.

Runs in the front, beside the reader: keys are asked for first, since the reader verifies with them;
SPF and the way up to the author's DMARC record are looked up while it works; DMARC is decided when
signatures are known. Look-ups are counted for each of the three apart, so that a sender's tangled
SPF record cannot use up what the author's DMARC record needs; all end with the message's deadline.

Refuses to parse bodies and to verify signatures (the reader does), and to judge: a result is a
fact. Verifies only where we are the first of our house to meet the mail (`Authenticator.wants`);
elsewhere the results of trusted servers count (`read.authentication`).

Standards: RFC 8601 §2.7 (results), RFC 8617 §7.2 (a trusted sealer's word), RFC 9989 §5.3.
Failure: none; a dead DNS gives temperror, and the mail flows.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import TypeVar

from milter.authentication.dmarc import (
    DmarcAnswer,
    author_of,
    check_dmarc,
    likely_questions,
)
from milter.authentication.signatures import key_answers, key_questions
from milter.authentication.spf import check_spf, spf_identity
from milter.mail.dns import Answer, Answers, AnswerStatus, Needs, Question
from milter.mail.envelope import Transaction
from milter.mail.message import Header, field_value, scan_header
from milter.mail.reading import ArcChain, AuthResult, Facts, Reading
from milter.ports import Clock, Resolver

CHECK = "authentication"

_FAILED = Answer(status=AnswerStatus.FAILED)
_LAST_SECONDS = 1.0
_TOGETHER = 8  # all that a walk up to a DMARC record, or the signatures of an honest mail, need
_MAX_FROM_OCTETS = 4_000
_FROM_DOMAIN = re.compile(rb"@([A-Za-z0-9._-]{1,253})")
# Not `is_private`: that also holds for networks of documentation, which are no house of ours.
_INSIDE = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
            *("::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationOptions:
    """`[authentication]` as this check takes it; `believes_others`: trusted results are listed."""

    authserv_id: str
    verify: str = "auto"
    believes_others: bool = False
    lookups: int = 40
    seconds: float = 5.0
    trusted_arc_sealers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """What we found ourselves, in the order of our field: DKIM, SPF, DMARC, ARC.

    `organisation` is the author's organisational domain, '' where the DNS did not name it.
    `sealer` is the listed ARC sealer whose word for the author counts, or ''. `problem` names a
    fault of our own.
    """

    results: tuple[AuthResult, ...]
    organisation: str = ""
    sealer: str = ""
    lookups: int = 0
    seconds: float = 0.0
    problem: str = ""

    @property
    def leaves_author_open(self) -> bool:
        """True where only the DNS can say whether the author is genuine, and it did not."""
        return any(one.method == "dmarc" and one.result == "temperror" for one in self.results)


class Authenticator:
    """One per front."""

    def __init__(self, *, resolver: Resolver, clock: Clock, options: AuthenticationOptions) -> None:
        self._resolver = resolver
        self._clock = clock
        self._options = options

    def wants(self, transaction: Transaction) -> bool:
        """Are we the first of our house to meet this mail, and do we know who brought it?"""
        options, connection = self._options, transaction.connection
        if options.verify == "never" or transaction.role == "file" or connection.auth_user:
            return False
        if options.verify == "always" or transaction.role == "mx":
            return True
        if transaction.role == "after_queue" or options.believes_others:
            return False
        return not _is_inside(connection.client_ip)

    def begin(self, transaction: Transaction, deadline: float) -> "Authentication":
        """Start to ask for what this message needs."""
        return Authentication(transaction, self._resolver, self._clock, self._options, deadline)


class Authentication:
    """The authentication of one message while it goes on; `close` it whatever happens."""

    def __init__(
        self,
        transaction: Transaction,
        resolver: Resolver,
        clock: Clock,
        options: AuthenticationOptions,
        deadline: float,
    ) -> None:
        self._transaction = transaction
        self._clock = clock
        self._options = options
        self._started = clock.monotonic()
        self._deadline = deadline
        # A DNS that does not answer leaves half of the time to the reader.
        until = self._started + min(options.seconds, (deadline - self._started) / 2)
        self._header = scan_header(transaction.raw)
        self._keys, self._spf, self._dmarc = (
            _Asker(resolver, clock, options.lookups, until) for _ in range(3)
        )
        self._key_task = asyncio.create_task(self._ask_keys())
        self._spf_task = asyncio.create_task(self._check_spf())
        self._walk_task = asyncio.create_task(self._ask_for_author())

    async def told(self, facts: Facts) -> Facts:
        """The facts for the reader, with the keys it needs."""
        await asyncio.wait([self._key_task])
        return replace(
            facts,
            verify_signatures=True,
            key_answers=key_answers(tuple(self._keys.answers), self._keys.answers),
            unix_time=int(self._transaction.received_at.timestamp()),
        )

    async def finish(self, reading: Reading | None) -> Authenticated:
        """All results; without a reading nothing is said of signatures, nor of DMARC."""
        try:
            results, answer, sealer = await self._finish(reading)
            problem = ""
        except Exception as error:  # our own bug must not cost the mail
            results, answer, sealer = (), None, ""
            problem = f"raised {type(error).__name__}"
        return Authenticated(
            results=results,
            organisation=answer.organisation if answer else "",
            sealer=sealer,
            lookups=sum(asker.asked for asker in (self._keys, self._spf, self._dmarc)),
            seconds=self._clock.monotonic() - self._started,
            problem=problem,
        )

    def close(self) -> None:
        """Ask no further."""
        for task in (self._key_task, self._spf_task, self._walk_task):
            task.cancel()

    async def _finish(
        self, reading: Reading | None
    ) -> tuple[tuple[AuthResult, ...], DmarcAnswer | None, str]:
        await self._key_task
        spf = await self._spf_task
        await self._walk_task
        if reading is None:
            return (spf,), None, ""
        authserv_id = self._options.authserv_id
        dkim = tuple(replace(result, authserv_id=authserv_id) for result in reading.dkim)
        from_fields = sum(1 for _ in self._header.named(b"from"))
        author = author_of(reading.header.header_from, from_fields=from_fields)
        self._dmarc.until = min(self._deadline, self._clock.monotonic() + _LAST_SECONDS)
        answer = await self._dmarc.solve(
            lambda answers: check_dmarc(author, (*dkim, spf), answers, authserv_id=authserv_id)
        )
        chain = reading.arc or ArcChain()
        sealer = _vouching_sealer(chain, author.domain, self._options.trusted_arc_sealers)
        dmarc = _overridden(answer.result, sealer)
        return (*dkim, spf, dmarc, self._arc_result(chain)), answer, sealer

    async def _ask_keys(self) -> None:
        await self._keys.ask(key_questions(self._transaction.raw, self._header))

    async def _check_spf(self) -> AuthResult:
        identity = spf_identity(self._transaction.connection, self._transaction.envelope)
        authserv_id = self._options.authserv_id
        return await self._spf.solve(
            lambda answers: check_spf(identity, answers, authserv_id=authserv_id)
        )

    async def _ask_for_author(self) -> None:
        domains = _from_domains(self._transaction.raw, self._header)
        await self._dmarc.ask(likely_questions(domains))

    def _arc_result(self, chain: ArcChain) -> AuthResult:
        remote = ("smtp", "remote-ip", self._transaction.connection.client_ip)
        return AuthResult(
            method="arc",
            result=chain.result,
            authserv_id=self._options.authserv_id,
            reason=chain.reason,
            properties=(remote,) if chain.instances else (),
        )


class _Asker:
    """Asks on behalf of one method, within its own number of look-ups.

    Few at a time: a sender whose forty names are silent must not keep the resolver from all others.
    """

    def __init__(self, resolver: Resolver, clock: Clock, lookups: int, until: float) -> None:
        self._resolver = resolver
        self._clock = clock
        self._left = lookups
        self.until = until
        self.asked = 0
        self.answers: dict[Question, Answer] = {}

    async def ask(self, questions: tuple[Question, ...]) -> None:
        """Have an answer to each of them; beyond the number allowed it is FAILED."""
        fresh = [one for one in dict.fromkeys(questions) if one not in self.answers]
        allowed = fresh[: self._left]
        self._left -= len(allowed)
        self.answers.update(dict.fromkeys(fresh, _FAILED))
        for start in range(0, len(allowed), _TOGETHER):
            if start and self._clock.monotonic() >= self.until:
                break
            asked = allowed[start : start + _TOGETHER]
            self.asked += len(asked)
            self.answers.update(await self._resolver.ask(asked, self.until))

    async def solve(self, evaluate: Callable[[Answers], Found | Needs]) -> Found:
        """Evaluate until nothing is open; each round answers at least one new question."""
        while isinstance(found := evaluate(self.answers), Needs):
            await self.ask(found.questions)
        return found


def _is_inside(client_ip: str) -> bool:
    """True for our own networks, and where nobody told us the client."""
    try:
        address = ip_address(client_ip)
    except ValueError:
        return True
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in _INSIDE)


def _from_domains(raw: bytes, header: Header) -> tuple[str, ...]:
    """What is likely the author's domain: a guess that only saves time, the reader parses."""
    field = header.first(b"from")
    if field is None:
        return ()
    found = _FROM_DOMAIN.findall(field_value(raw, field)[:_MAX_FROM_OCTETS])
    return (found[-1].decode("ascii"),) if found else ()


def _vouching_sealer(chain: ArcChain, author: str, trusted: frozenset[str]) -> str:
    """The last sealer of a good chain, if it is listed and found DMARC to pass for this author."""
    if not author or chain.result != "pass" or not chain.sets:
        return ""
    sealer = chain.sealers[-1].lower()
    if sealer not in trusted:
        return ""
    saw = any(
        result.method == "dmarc"
        and result.result == "pass"
        and any(
            (ptype, name) == ("header", "from") and value.rpartition("@")[2].lower() == author
            for ptype, name, value in result.properties
        )
        for result in chain.newest_results
    )
    return sealer if saw else ""


def _overridden(dmarc: AuthResult, sealer: str) -> AuthResult:
    """RFC 9989 §5.4: a failure stays one, but by our own policy nothing follows from it."""
    if dmarc.result != "fail" or not sealer:
        return dmarc
    kept = (one for one in dmarc.properties if one[:2] != ("policy", "dmarc"))
    return replace(
        dmarc,
        reason=f"trusted ARC sealer {sealer} saw it pass",
        properties=(*kept, ("policy", "dmarc", "none")),
    )
