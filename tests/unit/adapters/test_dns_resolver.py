"""The resolver against a name server on loopback that misbehaves in every way."""

import asyncio
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from milter.adapters.dns_resolver import DnsResolver, NameServer, ResolverOptions
from milter.mail.dns import Answer, AnswerStatus, Question
from tests.support.zone import DnsServer

RECORDS = {
    "example.test": ["A 192.0.2.1", "A 192.0.2.2", "TXT v=spf1 -all", "MX 10 Mail.example.test", "AAAA 2001:db8::1"],
    "long.test": ["TXT " + "k" * 700],
    "big.test": ["TXT " + "p" * 30_000],
    "huge.test": ["TXT " + "p" * 60_000],
    "some.test": [f"A 198.51.100.{n}" for n in range(200)],
    "many.test": [f"A 198.51.{n // 250}.{n % 250}" for n in range(2_000)],
    "alias.test": ["CNAME other.test"],
    "other.test": ["CNAME example.test"],
    "dangling.test": ["CNAME nothing.test"],
    "ring1.test": ["CNAME ring2.test"],
    "ring2.test": ["CNAME ring1.test"],
    "self.test": ["CNAME self.test"],
    **{f"c{n}.test": [f"CNAME c{n + 1}.test"] for n in range(40)},
    "c40.test": ["A 192.0.2.40"],
    "broken.test": ["FAIL"],
    "quiet.test": ["SILENT"],
    "null.test": ["MX 0 ."],
    "1.2.0.192.in-addr.arpa": ["PTR Host.example.test"],
    "a b@c.test": ["A 127.0.0.2"],
}  # fmt: skip


class Clock:
    """Real time, and more where a test says so."""

    ahead = 0.0

    def now(self):
        raise AssertionError("nobody asks for the date")

    def monotonic(self):
        return time.monotonic() + self.ahead


class Place:
    def __init__(self, server, **options):
        self.server = server
        self.clock = Clock()
        self.told = []
        servers = options.pop("servers", (NameServer(address="127.0.0.1", port=server.port),))
        told = {"try_seconds": 3.0, "question_seconds": 6.0, **options}
        self.resolver = DnsResolver(
            ResolverOptions(servers=servers, **told),
            self.clock,
            told=lambda outcome, _seconds: self.told.append(outcome),
        )

    async def ask(self, name, kind="A", *, seconds=10.0) -> Answer:
        question = Question(name, kind)
        deadline = self.clock.monotonic() + seconds
        return (await self.resolver.ask([question], deadline))[question]


@pytest.fixture
def server():
    with DnsServer(RECORDS) as running:
        yield running


@pytest.fixture
async def place(server):
    place = Place(server)
    yield place
    await place.resolver.aclose()


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("example.test", "A", (b"192.0.2.1", b"192.0.2.2")),
        ("example.test", "AAAA", (b"2001:db8::1",)),
        ("example.test", "TXT", (b"v=spf1 -all",)),
        ("1.2.0.192.in-addr.arpa", "PTR", (b"Host.example.test",)),
        ("example.test", "MX", (b"10 Mail.example.test",)),
        ("null.test", "MX", (b"0 .",)),
        ("long.test", "TXT", (b"k" * 700,)),
        ("alias.test", "A", (b"192.0.2.1", b"192.0.2.2")),
        ("a b@c.test", "A", (b"127.0.0.2",)),
    ],
)
async def test_records_are_as_a_zone_file_has_them(place, name, kind, records):
    answer = await place.ask(name, kind)
    assert answer.status is AnswerStatus.FOUND
    assert sorted(answer.records) == sorted(records)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("nothing.test", "A", AnswerStatus.NO_NAME),
        ("example.test", "PTR", AnswerStatus.NO_RECORD),
        ("alias.test", "PTR", AnswerStatus.NO_RECORD),
        ("dangling.test", "A", AnswerStatus.NO_NAME),
        ("broken.test", "A", AnswerStatus.FAILED),
        ("ring1.test", "A", AnswerStatus.FAILED),
        ("self.test", "A", AnswerStatus.FAILED),
        ("c0.test", "A", AnswerStatus.FAILED),
        ("a..test", "A", AnswerStatus.NO_NAME),
        ("", "A", AnswerStatus.NO_NAME),
        ("x" * 64 + ".test", "A", AnswerStatus.NO_NAME),
        (".".join(["x" * 60] * 5), "A", AnswerStatus.NO_NAME),
        ("müller.test", "A", AnswerStatus.NO_NAME),
        ("a\\.b.test", "A", AnswerStatus.NO_NAME),
    ],
)
async def test_absence_and_failure_are_told_apart(place, name, kind, status):
    assert await place.ask(name, kind) == Answer(status=status)


async def test_a_chain_of_a_few_aliases_is_followed(place):
    assert (await place.ask("c34.test")).records == (b"192.0.2.40",)


@pytest.mark.parametrize(
    ("name", "kind", "octets"), [("big.test", "TXT", 30_000), ("huge.test", "TXT", 60_000)]
)
async def test_a_truncated_answer_is_fetched_over_tcp(place, server, name, kind, octets):
    answer = await place.ask(name, kind)
    assert len(answer.records[0]) == octets
    assert server.over_tcp[Question(name, kind)] == 1


async def test_an_answer_of_thousands_of_records_is_refused_and_not_asked_for_again(place, server):
    question = Question("many.test", "A")
    for ahead in (0, 600):
        place.clock.ahead = ahead
        assert (await place.ask("many.test")).status is AnswerStatus.FAILED
    assert server.over_tcp[question] == 1


async def test_an_answer_of_two_hundred_records_is_one(place):
    assert len((await place.ask("some.test")).records) == 200


async def test_a_tcp_answer_that_never_ends_costs_a_bounded_time():
    class Slow(DnsServer):
        def respond(self, query):
            if self.over_tcp:
                time.sleep(0.5)
            return super().respond(query)

    with Slow(RECORDS) as server:
        place = Place(server, try_seconds=0.1, question_seconds=2.0)
        assert (await place.ask("big.test", "TXT")).status is AnswerStatus.FAILED
        await place.resolver.aclose()


async def test_equal_questions_under_way_are_asked_once(place, server):
    answers = await asyncio.gather(*(place.ask("example.test") for _ in range(20)))
    assert {answer.status for answer in answers} == {AnswerStatus.FOUND}
    assert server.asked[Question("example.test", "A")] == 1
    assert place.told.count("joined") == 19


async def test_an_answer_is_kept_for_its_time(place, server):
    question = Question("example.test", "A")
    for ahead, asked in ((0, 1), (299, 1), (301, 2)):
        place.clock.ahead = ahead
        await place.ask("example.test")
        assert server.asked[question] == asked
    assert place.told == ["found", "cached", "found"]


async def test_an_absence_is_kept_as_its_zone_says(place, server):
    question = Question("nothing.test", "A")
    for ahead, asked in ((0, 1), (59, 1), (61, 2)):
        place.clock.ahead = ahead
        assert (await place.ask("nothing.test")).status is AnswerStatus.NO_NAME
        assert server.asked[question] == asked


async def test_a_failure_is_kept_for_seconds_only(place, server):
    question = Question("broken.test", "A")
    await place.ask("broken.test")
    tries = server.asked[question]
    await place.ask("broken.test")
    assert server.asked[question] == tries
    place.clock.ahead = 4
    server.zone.names["broken.test"] = ["A 192.0.2.9"]
    assert (await place.ask("broken.test")).records == (b"192.0.2.9",)


@pytest.mark.parametrize(("ttl", "kept"), [(0, 5), (1_000_000, 3_600)])
async def test_times_to_live_are_bounded(ttl, kept):
    with DnsServer(RECORDS, ttl=ttl) as server:
        place = Place(server)
        for ahead, asked in ((0, 1), (kept - 1, 1), (kept + 1, 2)):
            place.clock.ahead = ahead
            await place.ask("example.test")
            assert server.asked[Question("example.test", "A")] == asked
        await place.resolver.aclose()


async def test_the_cache_has_bounds_of_number_and_size(server):
    place = Place(server, cached_questions=10, cached_octets=70_000)
    for number in range(30):
        await place.ask(f"n{number}.test")
    assert len(place.resolver._cache) == 10
    await place.ask("big.test", "TXT")
    await place.ask("huge.test", "TXT")
    assert place.resolver._octets <= 70_000
    assert (await place.ask("huge.test", "TXT")).status is AnswerStatus.FOUND
    await place.resolver.aclose()


async def test_who_asks_with_little_time_does_not_wait_and_others_still_get_it(place, server):
    question = Question("example.test", "A")
    answers = await place.resolver.ask([question], place.clock.monotonic() - 1)
    assert answers[question].status is AnswerStatus.FAILED
    assert (await place.ask("example.test")).status is AnswerStatus.FOUND
    assert server.asked[question] == 1


async def test_a_silent_server_costs_a_bounded_time(server):
    place = Place(server, try_seconds=0.1, question_seconds=5.0)
    started = time.monotonic()
    assert (await place.ask("quiet.test", seconds=30)).status is AnswerStatus.FAILED
    assert time.monotonic() - started < 2
    assert server.asked[Question("quiet.test", "A")] == 2
    await place.resolver.aclose()


async def test_a_question_costs_a_bounded_time_whatever_is_tried(server):
    place = Place(server, try_seconds=5.0, question_seconds=0.2)
    started = time.monotonic()
    assert (await place.ask("quiet.test", seconds=30)).status is AnswerStatus.FAILED
    assert time.monotonic() - started < 2
    await place.resolver.aclose()


async def test_the_deadline_wins_over_everything(place):
    started = time.monotonic()
    questions = [Question("quiet.test", kind) for kind in ("A", "TXT", "MX")]
    answers = await place.resolver.ask(questions, place.clock.monotonic() + 0.1)
    assert {answer.status for answer in answers.values()} == {AnswerStatus.FAILED}
    assert time.monotonic() - started < 1


async def test_the_next_server_is_asked_and_then_first(server):
    with DnsServer({"example.test": ["SILENT"], "other.example.test": ["SILENT"]}) as dead:
        servers = tuple(NameServer(address="127.0.0.1", port=one.port) for one in (dead, server))
        place = Place(server, servers=servers, try_seconds=0.2)
        assert (await place.ask("example.test")).status is AnswerStatus.FOUND
        assert (await place.ask("example.test", "MX")).status is AnswerStatus.FOUND
        assert sum(dead.asked.values()) == 1
        await place.resolver.aclose()


async def test_without_any_server_all_fails_at_once(server):
    place = Place(server, servers=())
    assert not place.resolver.has_servers
    started = time.monotonic()
    assert (await place.ask("example.test")).status is AnswerStatus.FAILED
    assert time.monotonic() - started < 0.1


async def test_where_nobody_listens_it_fails(server):
    place = Place(server, servers=(NameServer(address="127.0.0.1", port=1),), try_seconds=0.1)
    assert (await place.ask("example.test")).status is AnswerStatus.FAILED


class Odd(DnsServer):
    """A server whose response a test changes."""

    change = staticmethod(lambda query, response: response)

    def respond(self, query):
        return self.change(query, super().respond(query))


def _refused(query, response):
    response.set_rcode(dns.rcode.REFUSED)
    return response


def _referral(query, response):
    lame = dns.message.make_response(query)
    lame.authority.append(dns.rrset.from_text("test.", 60, "IN", "NS", "ns.test."))
    return lame


def _of_another_name(query, response):
    other = dns.message.make_response(query, recursion_available=True)
    other.answer.append(dns.rrset.from_text("evil.test.", 60, "IN", "A", "192.0.2.66"))
    return other


def _with_another_question(query, response):
    return dns.message.make_response(dns.message.make_query("evil.test.", "A", id=query.id))


def _with_another_id(query, response):
    response.id = (query.id + 1) % 65_536
    return response


def _name_error_with_records(query, response):
    response.set_rcode(dns.rcode.NXDOMAIN)
    return response


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (_refused, AnswerStatus.FAILED),
        (_referral, AnswerStatus.FAILED),
        (_of_another_name, AnswerStatus.NO_RECORD),
        (_with_another_question, AnswerStatus.FAILED),
        (_with_another_id, AnswerStatus.FAILED),
        (_name_error_with_records, AnswerStatus.NO_NAME),
    ],
)
async def test_odd_responses_are_never_believed(change, status):
    with Odd(RECORDS) as server:
        server.change = change
        place = Place(server, try_seconds=0.2)
        assert await place.ask("example.test") == Answer(status=status)
        await place.resolver.aclose()


async def test_garbage_is_waited_out(server):
    with Odd(RECORDS) as odd:
        odd.change = lambda query, response: _Garbage()
        servers = tuple(NameServer(address="127.0.0.1", port=one.port) for one in (odd, server))
        place = Place(server, servers=servers, try_seconds=0.2)
        assert (await place.ask("example.test")).status is AnswerStatus.FOUND
        await place.resolver.aclose()


class _Garbage:
    def to_wire(self, **_):
        return b"\xff" * 40


async def test_an_alias_that_leads_out_of_the_response_is_asked_for():
    def cut(query, response):
        del response.answer[1:]
        response.authority.clear()
        return response

    with Odd(RECORDS) as server:
        server.change = cut
        place = Place(server)
        assert len((await place.ask("alias.test")).records) == 2
        assert server.asked[Question("other.test", "A")] == 1
        await place.resolver.aclose()


async def test_no_more_than_the_allowed_number_is_under_way():
    with DnsServer({f"n{n}.test": ["A 192.0.2.1"] for n in range(50)}) as server:
        place = Place(server, concurrent=2, question_seconds=5.0)
        questions = [Question(f"n{n}.test", "A") for n in range(50)]
        answers = await place.resolver.ask(questions, place.clock.monotonic() + 5)
        assert {answer.status for answer in answers.values()} == {AnswerStatus.FOUND}
        await place.resolver.aclose()


class Sometimes(DnsServer):
    """Answers nothing while it is dead; `root_only` answers for the root alone."""

    dead = False
    root_only = False

    def respond(self, query):
        is_root = len(query.question[0].name.labels) == 1
        if self.dead and not (is_root and self.root_only):
            return None
        return super().respond(query)


async def down_or_not(server, *, down):
    place = Place(
        server, try_seconds=0.05, unheard_questions=3, probe_seconds=0.05, failure_seconds=0.0
    )
    heard: asyncio.Queue[bool] = asyncio.Queue()
    place.resolver._down = heard.put_nowait
    for number in range(5):
        await place.ask(f"n{number}.test")
    if down:
        assert await asyncio.wait_for(heard.get(), 5)
    else:
        await place.ask("n5.test")
    assert heard.empty()
    return place, heard


async def test_while_the_dns_is_down_nobody_waits_and_it_comes_back():
    with Sometimes(RECORDS) as server:
        server.dead = True
        place, heard = await down_or_not(server, down=True)
        started = time.monotonic()
        for number in range(20):
            assert (await place.ask(f"m{number}.test")).status is AnswerStatus.FAILED
        assert time.monotonic() - started < 0.1
        server.dead = False
        assert not await asyncio.wait_for(heard.get(), 5)
        assert (await place.ask("example.test")).status is AnswerStatus.FOUND
        await place.resolver.aclose()


async def test_strangers_silence_does_not_bring_the_dns_down():
    with Sometimes(RECORDS) as server:
        server.dead = server.root_only = True
        place, _ = await down_or_not(server, down=False)
        server.dead = False
        assert (await place.ask("example.test")).status is AnswerStatus.FOUND
        await place.resolver.aclose()
