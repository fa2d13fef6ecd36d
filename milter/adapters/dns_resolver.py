"""The DNS over UDP and TCP, with a cache: implements `ports.Resolver`.

Equal questions that are under way are asked once. A name server that does not answer costs its
share of the time, then the next one is asked; a truncated answer is fetched over TCP. Aliases are
followed here, so that nobody above meets one. Hostile answers (loops of aliases, garbage, records
of other names, more than 256 records) end as FAILED and never raise.

Where nobody answers ten questions running, and not even one for the root, the DNS is down: all
questions fail at once until the root is answered again, so that mail does not wait for nothing.
Strangers whose servers are silent cannot bring that about: no stranger serves the root.

Refuses to validate DNSSEC: that is the configured resolver's, which should stand beside us.

Standards: RFC 1035, RFC 2181 §5 (sets, TTL), RFC 2308 §5 and §7 (negative answers, failures),
RFC 6891 (EDNS), RFC 7766 (TCP).
Failure: what cannot be had in time is FAILED. Failures are remembered for a few seconds only.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

from milter.mail.dns import Answer, Answers, AnswerStatus, Question
from milter.ports import Clock

_PAYLOAD = 1_232
_MAX_ALIASES = 8
# A record takes some 40 microseconds to read, and an answer has room for thousands.
MAX_RECORDS = 256
_RECORD_COUNTS = (6, 8, 10)  # RFC 1035 §4.1.1
_FAILED = Answer(status=AnswerStatus.FAILED)
_ENTRY_OCTETS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class NameServer:
    """An address to ask at."""

    address: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverOptions:
    """Whom to ask, how long, how much to keep. Times are seconds."""

    servers: tuple[NameServer, ...]
    try_seconds: float = 2.0
    question_seconds: float = 6.0
    concurrent: int = 200
    cached_questions: int = 20_000
    cached_octets: int = 32_000_000
    longest_ttl: float = 3_600.0
    shortest_ttl: float = 5.0
    longest_negative_ttl: float = 900.0
    failure_seconds: float = 3.0
    unheard_questions: int = 10
    probe_seconds: float = 1.0


class _TooManyRecords(Exception):
    """An answer that will not be smaller if it is asked for again."""


def _nobody(outcome: str, seconds: float) -> None:
    pass


def _nothing(is_down: bool) -> None:
    pass


class DnsResolver:
    """One per front; `told` hears of each question: cached, joined, or how asking it ended.

    `down` hears when the DNS goes down and when it is back.
    """

    def __init__(
        self,
        options: ResolverOptions,
        clock: Clock,
        *,
        told: Callable[[str, float], None] = _nobody,
        down: Callable[[bool], None] = _nothing,
    ) -> None:
        self._options = options
        self._clock = clock
        self._told = told
        self._down = down
        self._unheard = 0
        self._probing: asyncio.Task[None] | None = None
        self._is_down = False
        self._cache: OrderedDict[Question, tuple[float, Answer]] = OrderedDict()
        self._octets = 0
        self._asking: dict[Question, asyncio.Task[Answer]] = {}
        self._slots = asyncio.Semaphore(options.concurrent)
        self._servers = options.servers
        self._backend = dns.asyncbackend.get_backend("asyncio")

    @property
    def has_servers(self) -> bool:
        """False where every question fails, because nobody can be asked."""
        return bool(self._servers)

    async def ask(self, questions: Sequence[Question], deadline: float) -> Answers:
        """All answers that can be had by then; the others are FAILED."""
        answers: dict[Question, Answer] = {}
        waiting: dict[Question, asyncio.Task[Answer]] = {}
        for question in questions:
            cached = self._cached(question)
            if cached is not None:
                answers[question] = cached
                self._told("cached", 0.0)
            else:
                waiting[question] = self._task(question)
        left = deadline - self._clock.monotonic()
        if waiting:
            # A task that comes late still fills the cache for the next mail.
            await asyncio.wait(waiting.values(), timeout=max(0.0, left))
        for question, task in waiting.items():
            answers[question] = _outcome(task)
        return answers

    async def aclose(self) -> None:
        """End what is under way."""
        tasks: list[asyncio.Task[Any]] = list(self._asking.values())
        if self._probing is not None:
            tasks.append(self._probing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, question: Question) -> asyncio.Task[Answer]:
        task = self._asking.get(question)
        if task is not None:
            self._told("joined", 0.0)
            return task
        task = asyncio.create_task(self._resolve(question))
        self._asking[question] = task
        task.add_done_callback(lambda _: self._asking.pop(question, None))
        return task

    async def _resolve(self, question: Question) -> Answer:
        started = self._clock.monotonic()
        if self._is_down:
            self._told(AnswerStatus.FAILED.value, 0.0)
            return _FAILED
        try:
            async with asyncio.timeout(self._options.question_seconds), self._slots:
                answer, keep_seconds = await self._follow(question)
        except _TooManyRecords:
            answer, keep_seconds = _FAILED, self._options.longest_negative_ttl
        except Exception:  # a timeout; and hostile octets must not end more than their question
            answer, keep_seconds = self._failure()
        self._keep(question, answer, keep_seconds)
        self._told(answer.status.value, self._clock.monotonic() - started)
        return answer

    async def _follow(self, question: Question) -> tuple[Answer, float]:
        """Ask, and go on where an alias leads out of the response."""
        try:
            name = _dns_name(question.name)
        except (dns.exception.DNSException, ValueError):
            return Answer(status=AnswerStatus.NO_NAME), self._options.longest_negative_ttl
        kind = dns.rdatatype.from_text(question.kind)
        seen: set[dns.name.Name] = set()
        ttl = self._options.longest_ttl
        while True:
            response = await self._exchange(name, kind)
            if response is None:
                return self._failure()
            end, found, ttl = _chain(response, name, kind, seen, ttl)
            if found is not None:
                answer = Answer(status=AnswerStatus.FOUND, records=tuple(map(_octets, found)))
                return answer, max(ttl, self._options.shortest_ttl)
            if end in seen or len(seen) > _MAX_ALIASES:
                return self._failure()
            if end == name or _is_final(response):
                return self._absence(response)
            name = end

    async def _exchange(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.message.Message | None:
        """The first usable response; each server is asked twice before there is none."""
        for server in self._servers * 2:
            query = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD)
            try:
                response = await self._ask(query, server)
            except (dns.exception.DNSException, OSError, EOFError, ValueError):
                response = None
            self._unheard = self._unheard + 1 if response is None else 0
            if response is not None and _is_usable(response):
                return response
            # The next question begins with another one.
            if self._servers[0] is server:
                self._servers = (*self._servers[1:], server)
        if self._unheard >= self._options.unheard_questions * 2 and self._probing is None:
            self._probing = asyncio.create_task(self._probe())
        return None

    async def _probe(self) -> None:
        """Is anybody there? If not, say so, and go on asking until somebody is."""
        query = dns.message.make_query(dns.name.root, dns.rdatatype.NS)
        while not await self._answers_any(query):
            if not self._is_down:
                self._is_down = True
                self._down(True)
            await asyncio.sleep(self._options.probe_seconds)
        if self._is_down:
            self._down(False)
        self._is_down, self._unheard, self._probing = False, 0, None

    async def _answers_any(self, query: dns.message.Message) -> bool:
        for server in self._servers:
            try:
                await self._ask(query, server)
            except (dns.exception.DNSException, OSError, EOFError, ValueError, _TooManyRecords):
                continue
            return True
        return False

    async def _ask(self, query: dns.message.Message, server: NameServer) -> dns.message.Message:
        """One question to one server; raises what the libraries raise."""
        try:
            return await dns.asyncquery.udp(
                query,
                server.address,
                timeout=self._options.try_seconds,
                port=server.port,
                ignore_unexpected=True,
                ignore_errors=True,
                raise_on_truncation=True,
                backend=self._backend,
            )
        except dns.message.Truncated:
            async with asyncio.timeout(self._options.try_seconds):
                return await _over_tcp(query, server)

    def _failure(self) -> tuple[Answer, float]:
        return _FAILED, self._options.failure_seconds

    def _absence(self, response: dns.message.Message) -> tuple[Answer, float]:
        """No such name or no such record, and how long that may be believed (RFC 2308 §5)."""
        is_missing = response.rcode() == dns.rcode.NXDOMAIN
        status = AnswerStatus.NO_NAME if is_missing else AnswerStatus.NO_RECORD
        options = self._options
        seconds = options.shortest_ttl
        for authority in response.authority:
            if authority.rdtype == dns.rdatatype.SOA and authority:
                said = min(authority.ttl, authority[0].minimum)
                seconds = min(max(float(said), seconds), options.longest_negative_ttl)
        return Answer(status=status), seconds

    def _cached(self, question: Question) -> Answer | None:
        entry = self._cache.get(question)
        if entry is None:
            return None
        until, answer = entry
        if until <= self._clock.monotonic():
            self._forget(question)
            return None
        self._cache.move_to_end(question)
        return answer

    def _keep(self, question: Question, answer: Answer, seconds: float) -> None:
        options = self._options
        if question in self._cache:
            self._forget(question)
        self._cache[question] = (self._clock.monotonic() + seconds, answer)
        self._octets += _size(question, answer)
        while len(self._cache) > options.cached_questions or self._octets > options.cached_octets:
            self._forget(next(iter(self._cache)))

    def _forget(self, question: Question) -> None:
        _, answer = self._cache.pop(question)
        self._octets -= _size(question, answer)


def system_servers() -> tuple[NameServer, ...]:
    """The name servers of this machine; none where it names none."""
    try:
        found = dns.resolver.Resolver(configure=True).nameservers
    except (dns.resolver.NoResolverConfiguration, OSError):
        return ()
    return tuple(NameServer(address=str(address)) for address in found)


def _outcome(task: asyncio.Task[Answer]) -> Answer:
    return task.result() if task.done() and not task.cancelled() else _FAILED


def _size(question: Question, answer: Answer) -> int:
    return _ENTRY_OCTETS + len(question.name) + sum(60 + len(record) for record in answer.records)


def _dns_name(name: str) -> dns.name.Name:
    """Labels as they are: a backslash of a stranger's local part is no escape."""
    return dns.name.Name([*(label.encode("ascii") for label in name.split(".")), b""])


async def _over_tcp(query: dns.message.Message, server: NameServer) -> dns.message.Message:
    """The whole answer (RFC 7766), unless it has so many records that reading it would block us."""
    reader, writer = await asyncio.open_connection(server.address, server.port)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        octets = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    finally:
        writer.close()
    records = sum(int.from_bytes(octets[at : at + 2]) for at in _RECORD_COUNTS)
    if records > MAX_RECORDS:
        raise _TooManyRecords
    response = dns.message.from_wire(octets)
    if not query.is_response(response):
        raise dns.exception.FormError
    return response


def _is_usable(response: dns.message.Message) -> bool:
    """An answer, or an absence from a server that knows: no failure, refusal or mere referral."""
    if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return False
    return bool(response.answer or response.flags & (dns.flags.RA | dns.flags.AA))


def _is_final(response: dns.message.Message) -> bool:
    """Is the end of a chain of aliases known to have nothing, or is it only not told here?"""
    if response.rcode() == dns.rcode.NXDOMAIN:
        return True
    return any(authority.rdtype == dns.rdatatype.SOA for authority in response.authority)


def _chain(
    response: dns.message.Message,
    name: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    seen: set[dns.name.Name],
    ttl: float,
) -> tuple[dns.name.Name, dns.rrset.RRset | None, float]:
    """Where aliases lead from `name` in one response, the records there, and the smallest TTL."""
    sets = {(found.name, found.rdtype): found for found in response.answer}
    while True:
        records = sets.get((name, kind))
        if records and response.rcode() == dns.rcode.NOERROR:
            return name, records, min(ttl, records.ttl)
        alias = sets.get((name, dns.rdatatype.CNAME))
        if not alias or name in seen or len(seen) > _MAX_ALIASES:
            return name, None, ttl
        seen.add(name)
        name, ttl = alias[0].target, min(ttl, alias.ttl)


def _octets(record: Any) -> bytes:
    """One record as `mail.dns.Answer` has it."""
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings)
    if record.rdtype == dns.rdatatype.MX:
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True)}".encode()
    if record.rdtype == dns.rdatatype.PTR:
        return str(record.target.to_text(omit_final_dot=True)).encode()
    return str(record.address).encode()
