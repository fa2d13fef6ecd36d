"""The milter front over real sockets: one MTA or many, those that misbehave, and its end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from ipaddress import ip_network
from pathlib import Path

import pytest

from milter.listen import milter_server
from milter.listen.admission import Admission, AdmissionLimits
from milter.listen.milter_server import MilterListener
from milter.listen.options import MilterOptions
from milter.listen.refusal import RefusalReason
from milter.mail.edit import SpliceBody
from milter.mail.envelope import Transaction
from milter.mail.handback import Handback
from milter.mail.reply import OK
from milter.wire import milter_session
from tests.support.front import NOW, FakeObserver, FixedClock, until
from tests.support.mta import Mail, Mta
from tests.support.mta_wire import CHUNK, SocketWire, packet

MAIL = Mail(raw=b"Subject: x\r\n\r\nbody\r\n", recipients=(b"one@example.org",))
LOOPBACK = (ip_network("127.0.0.0/8"),)


class FakeFilter:
    """Lets everything through; waits or raises as told; keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Transaction] = []
        self.still_asked: list[Callable[[], bool]] = []
        self.wait = asyncio.Event()
        self.wait.set()
        self.error: Exception | None = None
        self.handback = Handback(reply=OK)

    async def submit(self, transaction, *, fields_agree, still_asked):
        self.seen.append(transaction)
        self.still_asked.append(still_asked)
        await self.wait.wait()
        if self.error:
            raise self.error
        return self.handback


class Running:
    """A listener, and MTAs in threads: they block."""

    def __init__(self, address: int | str, gateway: FakeFilter, observer: FakeObserver) -> None:
        self.address = address
        self.filter = gateway
        self.observer = observer
        self.listener: MilterListener

    async def deliver(self, mail: Mail = MAIL, *, quit: bool = True, **options):
        def work():
            wire = SocketWire(self.address, timeout=10)
            try:
                mta = Mta(wire=wire, **options).start()
                outcome = mta.deliver(mail)
                if quit:
                    mta.quit()
                return outcome
            finally:
                wire.close()

        return await asyncio.to_thread(work)


@asynccontextmanager
async def running(folder: Path | None = None, limits=None, **options) -> AsyncIterator[Running]:
    gateway, observer = FakeFilter(), FakeObserver()
    listener = MilterListener(
        options=MilterOptions(**({"allow_from": LOOPBACK} | options)),
        gateway=gateway,
        observer=observer,
        admission=Admission(limits or AdmissionLimits()),
        clock=FixedClock(),
        new_id=lambda: "0123456789abcdef",
    )
    if folder is None:
        sock = socket.create_server(("127.0.0.1", 0))
        address: int | str = sock.getsockname()[1]
    else:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address = str(folder / "milter.sock")
        sock.bind(address)
        sock.listen()
    sock.setblocking(False)
    await listener.start_on([sock])
    what = Running(address, gateway, observer)
    what.listener = listener
    try:
        yield what
    finally:
        gateway.wait.set()
        await listener.drain(0.05)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_a_message_is_judged_and_answered(kind: str, tmp_path: Path):
    async with running(tmp_path if kind == "unix" else None) as front:
        outcome = await front.deliver()
        assert outcome.fate == "accept"
        assert outcome.raw == MAIL.raw
    (transaction,) = front.filter.seen
    assert transaction.role == "milter"
    assert transaction.received_at == NOW
    assert transaction.raw == MAIL.raw
    assert transaction.queue_id == MAIL.queue_id.decode()
    assert [one.client_ip for one in front.observer.connections] == ["192.0.2.7"]
    assert len(front.observer.ended) == 1
    assert [reply.code for reply, gone in front.observer.replies if not gone] == [250]


async def test_a_unix_socket_stays_for_other_fronts_when_one_ends(tmp_path: Path):
    async with running(tmp_path) as front:
        await front.listener.drain(0.05)
        assert (tmp_path / "milter.sock").is_socket()


async def test_many_mtas_at_once_each_get_their_own_answer():
    async with running() as front:
        mails = [
            Mail(raw=b"Subject: %d\r\n\r\n%d\r\n" % (n, n), recipients=(b"one@example.org",))
            for n in range(40)
        ]
        outcomes = await asyncio.gather(*(front.deliver(mail) for mail in mails))
    assert [one.raw for one in outcomes] == [mail.raw for mail in mails]
    assert sorted(one.raw for one in front.filter.seen) == sorted(mail.raw for mail in mails)


async def test_a_fault_of_ours_is_451_with_the_id():
    async with running() as front:
        front.filter.error = RuntimeError("secret detail")
        outcome = await front.deliver()
    assert outcome.reply == b"451 4.3.0 Temporary failure, try again later (0123456789abcdef)"
    assert [str(error) for _, error in front.observer.failures] == ["secret detail"]


async def test_an_answer_that_cannot_be_made_is_no_silence(monkeypatch: pytest.MonkeyPatch):
    """The MTA would wait for minutes; cut off it does its default action at once."""

    def fail(*_arguments, **_options):
        raise RuntimeError("no words for it")

    async with running() as front:
        monkeypatch.setattr(milter_session, "modifications", fail)
        with pytest.raises(ConnectionError):
            await front.deliver()
        await until(lambda: front.observer.failures)
    assert [str(error) for _, error in front.observer.failures] == ["no words for it"]


async def test_progress_is_told_while_work_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(milter_server, "_PROGRESS_SECONDS", 0.01)
    async with running() as front:
        front.filter.wait.clear()
        asyncio.get_running_loop().call_later(0.2, front.filter.wait.set)
        outcome = await front.deliver()
    assert outcome.fate == "accept"
    assert outcome.progress >= 3


async def test_an_mta_that_goes_away_while_we_judge_is_known_to_be_gone():
    async with running() as front:
        front.filter.wait.clear()

        def leave():
            mta = Mta(wire=SocketWire(front.address, timeout=10)).start()
            mta.mail(b"a@sender.test")
            mta.rcpt(b"one@example.org")
            mta.command(b"N")
            mta.raw(packet(b"E"))
            while not front.filter.seen:
                pass
            mta.wire.close()

        await asyncio.to_thread(leave)
        await until(lambda: not front.filter.still_asked[0]())
        front.filter.wait.set()
        await until(lambda: bool(front.observer.replies))
    assert front.observer.replies[0][1] is True


def asked_and_not_answered(front: Running, *, then: bytes = b"") -> Mta:
    """An MTA that waits for the answer to a message; `then` comes right behind its end."""
    mta = Mta(wire=SocketWire(front.address, timeout=10)).start()
    mta.mail(b"a@sender.test")
    mta.rcpt(b"one@example.org")
    mta.command(b"N")
    mta.raw(packet(b"E") + then)
    return mta


NEXT = (
    packet(b"M", b"<b@sender.test>\0")
    + packet(b"R", b"<two@example.org>\0")
    + packet(b"N")
    + packet(b"E")
)


@pytest.mark.parametrize("over", [packet(b"A"), packet(b"K"), packet(b"Q"), packet(b"!")])
async def test_whatever_ends_a_message_that_is_judged_ends_the_connection(over: bytes):
    """Or its answer would go to the next message, and holds would be kept for nobody."""
    async with running() as front:
        front.filter.wait.clear()
        mta = await asyncio.to_thread(asked_and_not_answered, front, then=over + NEXT)
        await until(lambda: bool(front.filter.seen))
        asked = [one() for one in front.filter.still_asked]
        front.filter.wait.set()
        with pytest.raises(ConnectionError), closing(mta.wire):
            await asyncio.to_thread(mta.receive)
        await until(lambda: bool(front.observer.replies))
        assert asked == [False]
        assert [gone for _, gone in front.observer.replies] == [True]
        await until(lambda: front.listener.admission.connections == 0)
        assert front.listener.admission.bytes_in_flight == 0


async def test_what_is_not_kept_needs_no_room():
    async with running(max_message_bytes=CHUNK) as front:

        def half():
            mta = Mta(wire=SocketWire(front.address, timeout=10)).start()
            mta.mail(b"a@sender.test")
            mta.rcpt(b"one@example.org")
            mta.command(b"N")
            assert mta.command(b"B", b"x" * 60_000).verdict == "continue"
            assert front.listener.admission.bytes_in_flight > 60_000
            assert mta.command(b"B", b"x" * 60_000).verdict == "skip"
            return mta

        mta = await asyncio.to_thread(half)
        assert front.listener.admission.bytes_in_flight == 0
        await asyncio.to_thread(mta.quit)


async def test_a_message_given_up_leaves_its_room_to_others():
    async with running() as front:

        def give_up():
            mta = Mta(wire=SocketWire(front.address, timeout=10)).start()
            mta.mail(b"a@sender.test")
            mta.rcpt(b"one@example.org")
            mta.command(b"N")
            mta.command(b"B", b"x" * 1000)
            taken = front.listener.admission.bytes_in_flight
            mta.abort()
            mta.mail(b"a@sender.test")
            return mta, taken

        mta, taken = await asyncio.to_thread(give_up)
        assert taken > 1000
        assert front.listener.admission.bytes_in_flight == 0
        await asyncio.to_thread(mta.quit)


async def test_a_peer_that_never_says_anything_does_not_stay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(milter_server, "_NEGOTIATION_SECONDS", 0.05)
    async with running() as front:
        with closing(SocketWire(front.address, timeout=5)) as wire:
            assert await asyncio.to_thread(wire.receive) == b""
        assert front.listener.admission.connections == 0


async def test_a_peer_that_is_not_listed_is_turned_away():
    async with running(allow_from=(ip_network("192.0.2.0/24"),)) as front:
        with pytest.raises(ConnectionError):
            await front.deliver()
    assert front.observer.refusals == [RefusalReason.EXTENSION_PEER]
    assert front.filter.seen == []


async def test_more_connections_than_may_be_are_turned_away():
    async with running(limits=AdmissionLimits(connections=1)) as front:
        first = await asyncio.to_thread(
            lambda: Mta(wire=SocketWire(front.address, timeout=10)).start()
        )
        with pytest.raises(ConnectionError):
            await front.deliver()
        await asyncio.to_thread(first.quit)
    assert front.observer.refusals == [RefusalReason.CONNECTIONS]


async def test_a_peer_that_is_gone_before_we_look_is_no_fault():
    class Gone:
        """As uvloop shows a connection that was reset."""

        aborted = False

        def get_extra_info(self, name: str):
            return ours if name == "socket" else None

        def abort(self) -> None:
            self.aborted = True

    async with running() as front:
        ours = socket.socket()
        transport = Gone()
        connection = milter_server.MilterConnection(front.listener)
        connection.connection_made(transport)
        assert transport.aborted
        connection.connection_lost(None)
        ours.close()
        assert front.listener.admission.connections == 0
        assert front.observer.refusals == []


@pytest.mark.parametrize(
    "claim",
    [b"X-Lurewall-A:\r\n", b"x-lurewall-verdict: clean\r\n", b"Authentication-Results: a\r\n"],
)
async def test_thousands_of_forged_fields_are_refused(claim: bytes):
    """Each would be deleted alone, and Postfix counts to each anew: an hour for one mail."""
    async with running() as front:
        few = Mail(
            raw=claim * 500 + b"Subject: x\r\n\r\n" + claim * 600, recipients=MAIL.recipients
        )
        assert (await front.deliver(few)).fate == "accept"
        many = Mail(raw=claim * 501 + MAIL.raw, recipients=MAIL.recipients)
        outcome = await front.deliver(many)
    assert outcome.reply.startswith(b"554 5.6.0 ")
    assert outcome.reply.endswith(b"(0123456789abcdef)")
    assert front.observer.refusals == [RefusalReason.FORGED_FIELDS]
    assert len(front.filter.seen) == 1


@pytest.mark.parametrize("defer", [False, True])
async def test_what_is_too_large_is_let_through_or_deferred(defer: bool):
    async with running(max_message_bytes=CHUNK, defer_too_large=defer) as front:
        large = Mail(raw=MAIL.raw + b"x" * 4 * CHUNK, recipients=MAIL.recipients)
        outcome = await front.deliver(large)
        assert (await front.deliver()).fate == "accept"
    assert len(front.filter.seen) == 1
    if defer:
        assert outcome.reply.startswith(b"452 4.3.4")
        assert front.observer.refusals == [RefusalReason.TOO_LARGE]
    else:
        assert outcome.raw == large.raw
        assert front.observer.let_through == [RefusalReason.TOO_LARGE]


async def test_without_room_a_message_is_deferred_and_the_room_comes_back():
    async with running(limits=AdmissionLimits(bytes_in_flight=2_000)) as front:
        large = Mail(raw=MAIL.raw + b"x" * 3_000, recipients=MAIL.recipients)
        assert (await front.deliver(large)).reply.startswith(b"452 4.3.1")
        for _ in range(300):
            assert (await front.deliver(quit=False)).fate == "accept"
    assert front.observer.refusals == [RefusalReason.NO_ROOM]


@pytest.mark.parametrize(
    "octets", [b"EHLO there\r\n", packet(b"O", b"\0\0\0\2" + b"\0" * 8), b"\0\0\0\0"]
)
async def test_what_speaks_no_milter_is_hung_up_on_and_others_are_served(octets: bytes):
    async with running() as front:

        def talk():
            wire = SocketWire(front.address, timeout=10)
            wire.send(octets)
            try:
                return wire.receive()
            except ConnectionError:
                return b""
            finally:
                wire.close()

        assert await asyncio.to_thread(talk) == b""
        assert (await front.deliver()).fate == "accept"
    assert len(front.observer.broken) == 1


async def test_a_drain_answers_the_message_under_way():
    async with running() as front:
        front.filter.wait.clear()
        delivery = asyncio.create_task(front.deliver())
        await until(lambda: bool(front.filter.seen))
        drain = asyncio.create_task(front.listener.drain(0.05))
        await asyncio.sleep(0.2)
        assert not drain.done()
        front.filter.wait.set()
        assert (await delivery).fate == "accept"
        await drain


LARGE = b"Subject: x\r\n\r\n" + b"y" * 20_000_000


async def test_a_drain_waits_until_the_answer_is_sent():
    """A hold is safe by then: an MTA that hears nothing sends the mail again, a double."""
    async with running() as front:
        edit = SpliceBody(part="1", start=len(MAIL.raw), removed=b"", octets=b"y")
        front.filter.handback = Handback(reply=OK, edits=(edit,), raw=LARGE)
        mta = await asyncio.to_thread(asked_and_not_answered, front)
        await until(lambda: bool(front.observer.replies))
        drain = asyncio.create_task(front.listener.drain(0.05))
        await asyncio.sleep(0.2)
        assert not drain.done()
        with closing(mta.wire):
            answer = await asyncio.to_thread(mta.answer, b"E")
        assert answer.verdict == "accept"
        assert sum(len(data) for _, data in answer.edits) == 20_000_000
        await drain


async def test_an_answer_that_is_not_read_yet_keeps_its_room():
    """Or MTAs that read slowly would fill the memory that other mail is promised."""
    async with running() as front:
        edit = SpliceBody(part="1", start=len(MAIL.raw), removed=b"", octets=b"y")
        front.filter.handback = Handback(reply=OK, edits=(edit,), raw=LARGE)
        mta = await asyncio.to_thread(asked_and_not_answered, front)
        await until(lambda: bool(front.observer.replies))
        assert front.listener.admission.bytes_in_flight > 0
        await asyncio.to_thread(mta.answer, b"E")
        await until(lambda: front.listener.admission.bytes_in_flight == 0)
        await asyncio.to_thread(mta.quit)


@pytest.mark.parametrize("read", [False, True])
async def test_no_room_is_kept_for_an_mta_that_is_gone(read: bool):
    async with running() as front:
        front.filter.handback = Handback(reply=OK, edits=(), raw=b"")
        front.filter.wait.clear()
        mta = await asyncio.to_thread(asked_and_not_answered, front)
        await until(lambda: bool(front.filter.seen))
        if not read:
            mta.wire.close()
            await until(lambda: front.listener.admission.connections == 0)
            assert front.listener.admission.bytes_in_flight > 0
        front.filter.wait.set()
        await until(lambda: front.listener.admission.bytes_in_flight == 0)
        mta.wire.close()


async def test_a_drain_leaves_time_to_a_judgement_before_its_grace_is_over():
    """After it the process is killed."""
    async with running() as front:
        idle = await asyncio.to_thread(
            lambda: Mta(wire=SocketWire(front.address, timeout=10)).start()
        )
        drain = asyncio.create_task(front.listener.drain(2.0))
        with pytest.raises(ConnectionError), closing(idle.wire):
            await asyncio.to_thread(idle.receive)
        await asyncio.wait_for(drain, 0.5)


async def test_a_message_that_comes_during_the_end_of_a_drain_is_answered_or_cut_off():
    """One connection is at work, another sends its message after the grace."""
    async with running() as front:
        front.filter.wait.clear()
        late = await asyncio.to_thread(
            lambda: Mta(wire=SocketWire(front.address, timeout=10)).start()
        )
        early = await asyncio.to_thread(asked_and_not_answered, front)
        await until(lambda: bool(front.filter.seen))
        drain = asyncio.create_task(front.listener.drain(0.05))
        await asyncio.sleep(0.2)
        with pytest.raises(ConnectionError), closing(late.wire):
            await asyncio.to_thread(late.deliver, MAIL)
        front.filter.wait.set()
        with closing(early.wire):
            assert (await asyncio.to_thread(early.answer, b"E")).verdict == "accept"
        await drain
        assert not front.listener.judging
    assert len(front.filter.seen) == 1
