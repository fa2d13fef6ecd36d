"""`python -m bench.authentication`: what SPF, DMARC and the DNS cost a front, beside the reader.

CPU milliseconds of this machine's event loop alone; the name server runs in a thread of its own. The
sender is one as large organisations are: five SPF records by includes, forty networks, a DMARC record.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

from bench.dns_stub import DnsStub
from milter.adapters.dns_resolver import DnsResolver, NameServer, ResolverOptions
from milter.app.clock import SystemClock
from milter.authentication.spf import SpfIdentity, check_spf, spf_identity
from milter.authentication.spf_record import parse_record
from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.mail.address import parse_path
from milter.mail.dns import Answer, Answers, AnswerStatus, Needs, Question
from milter.mail.envelope import Connection, Envelope, Transaction
from milter.mail.reading import AuthResult, Facts, HeaderFacts, NamedMailbox, Reading

_NETWORKS = " ".join(f"ip4:198.51.100.{number}" for number in range(13))
_TEXTS = {
    "sender.example": "v=spf1 include:_spf.sender.example -all",
    "_spf.sender.example": "v=spf1 " + " ".join(f"include:_n{n}.sender.example" for n in range(3)),
    "_n0.sender.example": f"v=spf1 {_NETWORKS} ~all",
    "_n1.sender.example": f"v=spf1 {_NETWORKS} ~all",
    "_n2.sender.example": f"v=spf1 {_NETWORKS} ip4:203.0.113.1 ~all",
    "_dmarc.sender.example": "v=DMARC1; p=reject",
}
_RAW = b"From: A Person <a@sender.example>\r\nSubject: Minutes\r\n\r\nThey are on the shelf.\r\n"
_QUESTIONS = 500
_MAILS = 1_000


class _Known:
    """Implements `ports.Resolver` for the names above, at once."""

    async def ask(self, questions: object, deadline: float) -> Answers:
        assert isinstance(questions, list)
        return {question: _answer(question) for question in questions}


def _answer(question: Question) -> Answer:
    text = _TEXTS.get(question.name)
    if text is None:
        return Answer(status=AnswerStatus.NO_NAME)
    return Answer(status=AnswerStatus.FOUND, records=(text.encode(),))


def main() -> None:
    """Print a line for each."""
    identity = _transaction_identity()
    answers: dict[Question, Answer] = {}
    rounds = 0
    while isinstance(needs := check_spf(identity, answers, authserv_id="us"), Needs):
        answers.update({question: _answer(question) for question in needs.questions})
        rounds += 1
    print(f"SPF, records new to us, {rounds + 1} rounds: {_spf_ms(identity, forget=True):.3f} ms")
    print(f"SPF, records known:                {_spf_ms(identity, forget=False):.3f} ms")
    asyncio.run(_measured())


def _spf_ms(identity: SpfIdentity, *, forget: bool) -> float:
    started = time.thread_time()
    for _ in range(_MAILS):
        if forget:
            parse_record.cache_clear()
        answers: dict[Question, Answer] = {}
        while isinstance(needs := check_spf(identity, answers, authserv_id="us"), Needs):
            answers.update({question: _answer(question) for question in needs.questions})
    return (time.thread_time() - started) / _MAILS * 1_000


async def _measured() -> None:
    clock = SystemClock()
    options = AuthenticationOptions(authserv_id="us.example")
    authenticator = Authenticator(resolver=_Known(), clock=clock, options=options)
    box = NamedMailbox(display_name="", address="a@sender.example", domain="sender.example")
    none = AuthResult(method="dkim", result="none", authserv_id="")
    reading = Reading(size_bytes=1, header=HeaderFacts(header_from=(box,)), dkim=(none,))

    async def one() -> None:
        running = authenticator.begin(_transaction(), clock.monotonic() + 5)
        await running.told(Facts())
        found = await running.finish(reading)
        running.close()
        assert [result.result for result in found.results] == ["none", "pass", "pass", "none"]

    print(f"all of a mail, answers at hand:    {await _each(one, _MAILS):.3f} ms")
    port = _serve()
    servers = (NameServer(address="127.0.0.1", port=port),)
    resolver = DnsResolver(ResolverOptions(servers=servers), clock)
    questions = [Question(f"n{number}.example", "TXT") for number in range(_QUESTIONS)]

    async def ask() -> None:
        answers = await resolver.ask(questions, clock.monotonic() + 30)
        assert {answer.status for answer in answers.values()} == {AnswerStatus.NO_NAME}

    print(f"a question to the DNS:             {await _each(ask, 1) / _QUESTIONS:.3f} ms")
    print(f"the same from the cache:           {await _each(ask, 10) / _QUESTIONS:.4f} ms")
    await resolver.aclose()


async def _each(work: Callable[[], Awaitable[None]], times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        await work()
    return (time.thread_time() - started) / times * 1_000


def _serve() -> int:
    """A name server in a thread that ends with the process; its port."""
    ports: list[int] = []
    ready = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: DnsStub("none"), local_addr=("127.0.0.1", 0)
        )
        ports.append(transport.get_extra_info("sockname")[1])
        ready.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    ready.wait(10)
    return ports[0]


def _transaction_identity() -> SpfIdentity:
    transaction = _transaction()
    return spf_identity(transaction.connection, transaction.envelope)


def _transaction() -> Transaction:
    path, _ = parse_path(b"<a@sender.example>", smtputf8=False)
    return Transaction(
        transaction_id="bench",
        role="mx",
        received_at=SystemClock().now(),
        connection=Connection(client_ip="203.0.113.1", helo="mx.sender.example"),
        envelope=Envelope(reverse_path=path),
        raw=_RAW,
    )


if __name__ == "__main__":
    main()
