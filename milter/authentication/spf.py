"""SPF: may this client use this domain in MAIL FROM, or in HELO where the reverse-path is null?

Pure: it reads from the answers there are and names the next open questions instead of asking them.
An evaluation is begun anew with each set of answers, which costs less than a thread and leaves
nothing behind. At most ten terms that ask, two empty answers, ten hosts a term (RFC 7208 §4.6.4).
`exp=` is checked but never fetched: what a stranger wrote is shown to nobody.

Refuses to guess: there is no "best guess" record, and no local policy is woven in.

Standards: RFC 7208; RFC 8616 (names beyond ASCII); RFC 8601 §2.7.2 (results and properties).
Choices that the RFC leaves open: a name that is malformed after expansion does not match (§4.8);
void answers are counted by the term (§4.6.4), so that hosts of an `mx` and names of a `ptr` do not
count: else every IPv6 client would meet the limit at hosts without an AAAA record.
Failure: none; permerror and temperror are results.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice

from milter.authentication.spf_macros import (
    NoSuchName,
    checked_name,
    dotted_address,
    expand,
)
from milter.authentication.spf_record import (
    Directive,
    Record,
    RecordError,
    parse_record,
    spf_records,
)
from milter.mail.address import to_a_labels
from milter.mail.dns import Answer, Answers, AnswerStatus, Needs, Question
from milter.mail.envelope import Connection, Envelope
from milter.mail.reading import AuthResult

MAX_ASKING_TERMS = 10
MAX_VOID_ANSWERS = 2
MAX_HOSTS = 10
MAX_ADDRESSES = 256  # of one name: honest ones have fewer, and a response has room for thousands

_FORESEEN = 5
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfIdentity:
    """Who claims what: `scope` is mailfrom or helo; `client` is None where it is no address."""

    scope: str
    client: Address | None
    helo: str
    local_part: str
    domain: str


def spf_identity(connection: Connection, envelope: Envelope) -> SpfIdentity:
    """The identity to check (§2.4): MAIL FROM, or for the null reverse-path the HELO name."""
    helo = to_a_labels(connection.helo) or connection.helo.lower()
    mailbox = envelope.reverse_path.mailbox
    return SpfIdentity(
        scope="helo" if mailbox is None else "mailfrom",
        client=_client(connection.client_ip),
        helo=helo,
        local_part="postmaster" if mailbox is None else mailbox.local_part,
        domain=helo if mailbox is None else mailbox.domain,
    )


def check_spf(identity: SpfIdentity, answers: Answers, *, authserv_id: str) -> AuthResult | Needs:
    """The result for one identity, or what has to be asked first."""
    reason = ""
    try:
        result = _Evaluation(identity, answers).result(identity.domain)
    except _Open as still_open:
        return Needs(questions=still_open.questions)
    except _TemporaryError:
        result, reason = "temperror", "DNS failure"
    except (_PermanentError, RecordError) as error:
        result, reason = "permerror", str(error)
    return AuthResult(
        method="spf",
        result=result,
        authserv_id=authserv_id,
        reason=reason,
        properties=(("smtp", identity.scope, identity.domain),),
    )


class _Open(Exception):
    def __init__(self, questions: Iterable[Question]) -> None:
        super().__init__()
        self.questions = tuple(dict.fromkeys(questions))


class _TemporaryError(Exception):
    pass


class _PermanentError(Exception):
    pass


class _Evaluation:
    """One run of check_host() with its counters; the domain changes with include and redirect."""

    def __init__(self, identity: SpfIdentity, answers: Answers) -> None:
        self._identity = identity
        self._answers = answers
        self._asking_terms = 0
        self._void_answers = 0
        self._has_validated = False

    def result(self, domain: str) -> str:
        """check_host() (§4): the result for a domain; raises for errors and open questions."""
        client = self._identity.client
        try:
            name = checked_name(domain)
        except NoSuchName:
            return "none"
        if client is None or "." not in name or name.startswith("["):
            return "none"
        record = self._record(name)
        if record is None:
            return "none"
        for number, directive in enumerate(record.directives):
            if directive.mechanism == "include":
                self._foresee(record.directives[number:])
            if self._matches(directive, name, client):
                return _RESULTS[directive.qualifier]
        if not record.redirect:
            return "neutral"
        self._count_term()
        try:
            target = self._expanded(record.redirect, name)
        except NoSuchName:
            raise _PermanentError("redirect to no domain") from None
        redirected = self.result(target)
        if redirected == "none":
            raise _PermanentError("redirect to a domain without a record")
        return redirected

    def _foresee(self, directives: tuple[Directive, ...]) -> None:
        """Where the next include is open, the few behind it are asked for in the same round."""
        first = directives[0].domain
        if "%" in first or _record_at(first) in self._answers:
            return
        if self._asking_terms < MAX_ASKING_TERMS:
            named = (
                _record_at(one.domain)
                for one in directives
                if one.mechanism == "include" and "%" not in one.domain
            )
            still_open = (question for question in named if question not in self._answers)
            raise _Open(islice(still_open, _FORESEEN))

    def _record(self, domain: str) -> Record | None:
        answer = self._ask(Question(domain, "TXT"))
        records = spf_records(answer.records)
        if len(records) > 1:
            raise _PermanentError("more than one record")
        return parse_record(records[0]) if records else None

    def _matches(self, directive: Directive, domain: str, client: Address) -> bool:
        mechanism = directive.mechanism
        if mechanism == "all":
            return True
        if directive.network is not None:
            return client.version == directive.network.version and client in directive.network
        self._count_term()
        try:
            target = self._expanded(directive.domain, domain)
        except NoSuchName:
            if mechanism == "include":
                raise _PermanentError("include of no domain") from None
            return False
        if mechanism == "include":
            return self._includes(target)
        if mechanism == "exists":
            return bool(self._ask_counted(Question(target, "A")).records)
        if mechanism == "ptr":
            names = self._validated_names(client, is_term=True)
            return any(_is_within(name, target) for name in names)
        hosts = (target,) if mechanism == "a" else self._mail_hosts(target)
        return self._is_at(hosts, directive, client, is_term=mechanism == "a")

    def _includes(self, target: str) -> bool:
        """§5.2: only a pass matches, and a domain without a record is an error."""
        included = self.result(target)
        if included == "none":
            raise _PermanentError("include of a domain without a record")
        return included == "pass"

    def _mail_hosts(self, target: str) -> tuple[str, ...]:
        """§5.4: at most ten hosts; `.` stands for none (RFC 7505)."""
        answer = self._ask_counted(Question(target, "MX"))
        exchanges = sorted(_exchange(record) for record in answer.records)
        hosts = tuple(host for _preference, host in exchanges if host)
        if len(hosts) > MAX_HOSTS:
            raise _PermanentError("too many MX hosts")
        return hosts

    def _is_at(
        self, hosts: tuple[str, ...], directive: Directive, client: Address, *, is_term: bool
    ) -> bool:
        kind = "A" if client.version == 4 else "AAAA"
        prefix = directive.prefix4 if client.version == 4 else directive.prefix6
        questions = [Question(host, kind) for host in hosts]
        self._require(questions)
        for question in questions:
            answer = self._ask(question)
            if is_term and not answer.records:
                self._count_void()
            if any(_covers(record, prefix, client) for record in answer.records[:MAX_ADDRESSES]):
                return True
        return False

    def _validated_names(self, client: Address, *, is_term: bool = False) -> tuple[str, ...]:
        """§5.5: names of the client that lead back to it; errors here only mean fewer names."""
        pointer = Question(client.reverse_pointer, "PTR")
        answer = self._require([pointer])[pointer]
        if is_term and not answer.records and answer.status is not AnswerStatus.FAILED:
            self._count_void()
        self._has_validated = True
        names: list[str] = []
        for record in answer.records[:MAX_HOSTS]:
            try:
                names.append(checked_name(record.decode("ascii", "replace")))
            except NoSuchName:
                continue
        kind, prefix = ("A", 32) if client.version == 4 else ("AAAA", 128)
        found = self._require([Question(name, kind) for name in names])
        return tuple(
            question.name
            for question, answer in found.items()
            if any(_covers(record, prefix, client) for record in answer.records[:MAX_ADDRESSES])
        )

    def _expanded(self, spec: str, domain: str) -> str:
        if not spec:
            return domain
        return expand(spec, lambda letter: self._macro(letter, domain))

    def _macro(self, letter: str, domain: str) -> str:
        identity, client = self._identity, self._identity.client
        assert client is not None
        if letter in "sl" and not identity.local_part.isascii():
            raise NoSuchName
        match letter:
            case "s":
                return f"{identity.local_part}@{identity.domain}"
            case "l":
                return identity.local_part
            case "o":
                return identity.domain
            case "d":
                return domain
            case "h":
                return identity.helo
            case "v":
                return "in-addr" if client.version == 4 else "ip6"
            case "p":
                return self._validated_domain(client, domain)
            case _:
                return dotted_address(client)

    def _validated_domain(self, client: Address, domain: str) -> str:
        """The `p` macro (§7.3); its look-up counts like a term that asks (§4.6.4)."""
        if not self._has_validated:
            self._count_term()
        names = self._validated_names(client)
        within = [name for name in names if _is_within(name, domain)]
        if domain in within:
            return domain
        return next(iter((*within, *names)), "unknown")

    def _ask_counted(self, question: Question) -> Answer:
        answer = self._ask(question)
        if not answer.records:
            self._count_void()
        return answer

    def _ask(self, question: Question) -> Answer:
        answer = self._require([question])[question]
        if answer.status is AnswerStatus.FAILED:
            raise _TemporaryError
        return answer

    def _require(self, questions: list[Question]) -> dict[Question, Answer]:
        """The answers to all of them, or all that are open at once."""
        still_open = [question for question in questions if question not in self._answers]
        if still_open:
            raise _Open(still_open)
        return {question: self._answers[question] for question in questions}

    def _count_term(self) -> None:
        self._asking_terms += 1
        if self._asking_terms > MAX_ASKING_TERMS:
            raise _PermanentError("too many DNS look-ups")

    def _count_void(self) -> None:
        self._void_answers += 1
        if self._void_answers > MAX_VOID_ANSWERS:
            raise _PermanentError("too many empty DNS answers")


def _record_at(domain: str) -> Question:
    return Question(domain.lower().removesuffix("."), "TXT")


def _client(client_ip: str) -> Address | None:
    """The client's address; an IPv4 client on an IPv6 socket is an IPv4 client (§5)."""
    try:
        address = ip_address(client_ip.removeprefix("IPv6:").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _exchange(record: bytes) -> tuple[int, str]:
    preference, _, host = record.decode("ascii", "replace").partition(" ")
    try:
        return int(preference), checked_name(host)
    except (ValueError, NoSuchName):
        return 0, ""


def _covers(record: bytes, prefix: int, client: Address) -> bool:
    try:
        address = type(client)(record.decode("ascii"))
    except ValueError:
        return False
    beyond = client.max_prefixlen - prefix
    return int(address) >> beyond == int(client) >> beyond


def _is_within(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)
