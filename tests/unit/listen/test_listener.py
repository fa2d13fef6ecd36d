"""The listener as peers see it: limits, time, TLS, drain, and mail that is never cut."""

import asyncio
import socket
import ssl
from dataclasses import replace
from ipaddress import ip_network

import pytest

from milter.listen.admission import AdmissionLimits
from milter.listen.refusal import RefusalReason
from milter.mail.reply import own_reply
from milter.wire.line_ends import dot_stuff
from tests.support.front import (
    OPTIONS,
    TRANSACTION_ID,
    FakeGateway,
    Peer,
    RunningFront,
    running_front,
    until,
)

ID = f" ({TRANSACTION_ID})".encode()
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\r\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\r\n\0.\r\n",
        b"\r\n\0.\0\r\n",
        b"\r\0\n.\r\n",
        b"\r\n.\r\0\n",
    ],
)
@pytest.mark.parametrize("role", ["mx", "after_queue"])
async def test_a_smuggled_message_is_none(end: bytes, role: str) -> None:
    async with running_front(role=role) as front:
        peer = await front.connect()
        assert (await peer.begin()).startswith(b"354")
        smuggled = b"MAIL FROM:<x@example.net>\r\nRCPT TO:<y@example.org>\r\nDATA\r\nspoof\r\n.\r\n"
        peer.send(b"text" + end + smuggled)
        answer = (await peer.reply())[-1]
        assert await peer.ask(b"NOOP") == b"250 2.0.0 Ok"
    assert len(front.gateway.sessions) == 1
    if role == "mx":
        assert answer.startswith(b"550 5.5.2 ")
        assert front.gateway.submitted == []
    else:
        assert answer.startswith(b"250 ")
        (transaction,) = front.gateway.submitted
        relayed = b"\r\n" + dot_stuff(transaction.raw)
        assert b"spoof" in relayed
        assert b"\r\n.\r\n" not in relayed.replace(b"\0", b"")
        assert relayed.count(b"\n") == relayed.count(b"\r") == relayed.count(b"\r\n")


async def test_bare_line_ends_are_normalised_where_configured() -> None:
    async with running_front(bare_line_ends="normalise", role="before_queue") as front:
        peer = await front.connect()
        await peer.begin()
        assert (await peer.ask(b"a\nb\rc\r\n.")).startswith(b"250 ")
    assert front.gateway.submitted[0].raw == b"a\r\nb\r\nc\r\n"


async def test_500_recipients_in_one_segment() -> None:
    async with running_front() as front:
        peer = await front.connect()
        await peer.reply()
        await peer.ask(b"EHLO client.example.net")
        commands = [b"RCPT TO:<r%d@example.org>" % number for number in range(500)]
        peer.send(b"\r\n".join([b"MAIL FROM:<>", *commands, b"DATA", b""]))
        answers = [(await peer.reply())[-1] for _ in range(502)]
        assert answers[-1].startswith(b"354")
        assert {answer[:3] for answer in answers[:-1]} == {b"250"}
        assert (await peer.ask(b".")).startswith(b"250")
    paths = [r.path.raw for r in front.gateway.submitted[0].envelope.recipients]
    assert paths == [b"r%d@example.org" % number for number in range(500)]


async def test_25_megabytes_arrive_to_the_octet() -> None:
    raw = (b"." + b"y" * 69 + b"\r\n") * 350_000
    async with running_front(role="before_queue") as front:
        peer = await front.connect()
        await peer.begin()
        peer.send(dot_stuff(raw))
        assert await peer.ask(b".") == b"250 2.0.0 Ok: queued as 4711"
        assert front.admission.bytes_in_flight == 0
    assert front.gateway.submitted[0].raw == raw


async def test_a_peer_that_goes_away_after_the_dot_cuts_nothing() -> None:
    gateway = FakeGateway()
    gateway.may_finish.clear()
    async with running_front(gateway=gateway) as front:
        peer = await front.connect()
        await peer.begin()
        peer.send(b"text\r\n.\r\n")
        await gateway.submitting.wait()
        peer.writer.transport.abort()
        await until(lambda: front.observer.received != [])
        await asyncio.sleep(0.05)
        assert gateway.submitted == []
        assert gateway.sessions[0].closed == 0
        gateway.may_finish.set()
        await until(lambda: gateway.sessions[0].closed == 1)
        await until(lambda: front.admission.connections == 0)
        assert len(gateway.submitted) == 1
        ((reply, peer_gone),) = front.observer.replies
        assert (reply.code, peer_gone) == (250, True)


async def test_nothing_of_a_fault_reaches_the_peer() -> None:
    gateway = FakeGateway(answers={"submit": ValueError("secret of the house")})
    async with running_front(gateway=gateway) as front:
        peer = await front.connect()
        await peer.begin()
        answer = await peer.ask(b"text\r\n.")
    assert answer == b"451 4.3.0 Temporary failure, try again later" + ID
    assert [(i, str(e)) for i, e in front.observer.failures] == [
        (TRANSACTION_ID, "secret of the house")
    ]


async def test_own_replies_to_the_message_carry_the_transaction_id() -> None:
    gateway = FakeGateway(answers={"submit": own_reply(250, "2.0.0", "Message accepted")})
    async with running_front(gateway=gateway) as front:
        peer = await front.connect()
        await peer.begin()
        assert await peer.ask(b"text\r\n.") == b"250 2.0.0 Message accepted" + ID


# Admission.


async def _turned_away(front: RunningFront) -> None:
    peer = await front.connect()
    assert (await peer.line()).startswith(b"421 4.7.0 ")
    assert await peer.line() == b""


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (AdmissionLimits(connections=2), RefusalReason.CONNECTIONS),
        (AdmissionLimits(connections_per_address=2), RefusalReason.CONNECTIONS_OF_ADDRESS),
        (AdmissionLimits(connections_per_network=2), RefusalReason.CONNECTIONS_OF_NETWORK),
    ],
)
async def test_connections_are_limited(limits: AdmissionLimits, reason: RefusalReason) -> None:
    async with running_front(limits=limits) as front:
        peers = [await front.connect(), await front.connect()]
        for peer in peers:
            assert (await peer.line()).startswith(b"220")
        await _turned_away(front)
        assert front.observer.refusals == [reason]
        assert (await peers[0].ask(b"QUIT")).startswith(b"221")
        await until(lambda: front.admission.connections == 1)
        peer = await front.connect()
        assert (await peer.line()).startswith(b"220")
    assert front.admission.connections == 0


async def test_a_network_is_limited_over_its_addresses() -> None:
    async with running_front(limits=AdmissionLimits(connections_per_network=2)) as front:
        for host in ("127.0.0.2", "127.0.0.3"):
            peer = await front.connect(local_addr=(host, 0))
            assert (await peer.line()).startswith(b"220")
        await _turned_away(front)
        other = await front.connect(local_addr=("127.0.1.1", 0))
        assert (await other.line()).startswith(b"220")


@pytest.mark.parametrize("options", [{"role": "before_queue"}, {"xclient_from": LOOPBACK}])
async def test_an_mta_before_us_is_no_crowd(options: dict[str, object]) -> None:
    async with running_front(limits=AdmissionLimits(connections_per_address=1), **options) as front:
        for _ in range(3):
            peer = await front.connect()
            assert (await peer.line()).startswith(b"220")


async def test_the_client_behind_a_balancer_is_counted_not_the_balancer() -> None:
    limits = AdmissionLimits(connections_per_address=1)
    async with running_front(limits=limits, proxy_from=LOOPBACK) as front:
        for client, greeting in (
            ("192.0.2.1", b"220"),
            ("198.51.100.1", b"220"),
            ("192.0.2.1", b"421"),
        ):
            peer = await front.connect()
            peer.send(f"PROXY TCP4 {client} 127.0.0.1 4711 25\r\n".encode())
            assert (await peer.line()).startswith(greeting)


async def test_octets_in_flight_are_limited_over_connections() -> None:
    gateway = FakeGateway()
    gateway.may_finish.clear()
    async with running_front(
        gateway=gateway, limits=AdmissionLimits(bytes_in_flight=1000)
    ) as front:
        first = await front.connect()
        await first.begin()
        first.send(b"x" * 60 + b"\r\n.\r\n")
        await gateway.submitting.wait()
        assert front.admission.bytes_in_flight == 62

        second = await front.connect()
        await second.reply()
        await second.ask(b"EHLO client.example.net")
        await second.ask(b"MAIL FROM:<a@example.net> SIZE=999")
        await second.ask(b"RCPT TO:<b@example.org>")
        assert (await second.ask(b"DATA")).startswith(b"452 4.3.1 ")
        # Not declared, so found out on the way: read to the end, kept nowhere.
        await second.ask(b"RSET")
        await second.ask(b"MAIL FROM:<a@example.net>")
        await second.ask(b"RCPT TO:<b@example.org>")
        assert (await second.ask(b"DATA")).startswith(b"354 ")
        second.send(b"QUIT\r\n" * 300 + b".\r\n")
        assert (await second.reply())[
            -1
        ] == b"452 4.3.1 Insufficient system storage, try again later" + ID
        assert await second.ask(b"NOOP") == b"250 2.0.0 Ok"
        assert front.admission.bytes_in_flight == 62

        gateway.may_finish.set()
        assert (await first.reply())[-1].startswith(b"250")
        assert front.admission.bytes_in_flight == 0
        assert front.observer.refusals == [RefusalReason.NO_ROOM, RefusalReason.NO_ROOM]


# Time.


async def test_a_silent_peer_gets_421() -> None:
    async with running_front(command_seconds=0.05) as front:
        peer = await front.connect()
        assert (await peer.line()).startswith(b"220")
        assert await peer.line() == b"421 4.4.2 Timeout exceeded"
        assert await peer.line() == b""
    assert front.observer.refusals == [RefusalReason.TIMEOUT]


async def test_a_command_octet_by_octet_has_one_time_limit() -> None:
    async with running_front(command_seconds=0.2) as front:
        peer = await front.connect()
        await peer.line()
        answer = asyncio.ensure_future(peer.line())
        while not answer.done():
            peer.send(b"x")
            await asyncio.sleep(0.02)
        assert answer.result() == b"421 4.4.2 Timeout exceeded"


@pytest.mark.parametrize("limit", ["data_block_seconds", "data_seconds"])
async def test_slow_content_gets_421_and_is_not_delivered(limit: str) -> None:
    async with running_front(**{limit: 0.1}) as front:
        peer = await front.connect()
        await peer.begin()
        answer = asyncio.ensure_future(peer.line())
        while not answer.done():
            if limit == "data_seconds":
                peer.send(b"x\r\n")
            await asyncio.sleep(0.02)
        assert answer.result() == b"421 4.4.2 Timeout exceeded" + ID
        await until(lambda: front.gateway.sessions[0].closed == 1)
    assert front.gateway.submitted == []


async def test_no_timer_runs_while_we_work() -> None:
    gateway = FakeGateway()
    gateway.may_finish.clear()
    async with running_front(
        gateway=gateway, command_seconds=0.2, data_block_seconds=0.2, data_seconds=0.3
    ) as front:
        peer = await front.connect()
        await peer.begin()
        peer.send(b"text\r\n.\r\n")
        await gateway.submitting.wait()
        await asyncio.sleep(0.5)
        gateway.may_finish.set()
        assert (await peer.line()).startswith(b"250 ")


async def _flood(peer: socket.socket) -> None:
    async with asyncio.timeout(10):
        while True:
            await asyncio.get_running_loop().sock_sendall(peer, b"NOOP\r\n" * 10_000)


async def test_a_peer_that_reads_no_replies_is_dropped() -> None:
    async with running_front(command_seconds=0.3, max_errors=10**9) as front:
        host, port = front.listener.addresses[0]
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(peer, (host, port))
            flood = asyncio.ensure_future(_flood(peer))
            with pytest.raises(ConnectionError):
                await flood
            await until(lambda: front.admission.connections == 0)
    assert front.observer.failures == []


async def test_slow_peers_and_floods_do_not_hold_up_others() -> None:
    async with running_front(max_errors=10**9) as front:
        slow = [await front.connect() for _ in range(40)]
        for peer in slow:
            peer.send(b"E")
        flood = await front.connect()
        flood.send(b"NOOP\r\n" * 20_000)
        fast = await front.connect()
        await fast.begin()
        assert (await fast.ask(b"text\r\n.")).startswith(b"250 ")
        for _ in range(20_001):
            assert (await flood.line())[:3] in (b"220", b"250")
        for peer in slow:
            peer.send(b"HLO client.example.net\r\n")
            await peer.reply()
            assert (await peer.reply())[0] == b"250-mx.example.org"


# TLS.


async def _upgrade(peer: Peer, *, before: bytes = b"") -> bytes:
    """STARTTLS with `before` in the same segment; the reply to it."""
    peer.send(b"STARTTLS\r\n" + before)
    reply = (await peer.reply())[-1]
    if reply.startswith(b"220"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        async with asyncio.timeout(10):
            await peer.writer.start_tls(context)
    return reply


async def test_tls_starts_a_new_session(tls_context: ssl.SSLContext) -> None:
    async with running_front(tls_context=tls_context, require_tls=True) as front:
        peer = await front.connect()
        await peer.reply()
        peer.send(b"EHLO client.example.net\r\n")
        assert (await peer.reply())[-1] == b"250 STARTTLS"
        refusal = await peer.ask(b"MAIL FROM:<a@example.net>")
        assert refusal == b"530 5.7.0 Must issue a STARTTLS command first"
        assert await _upgrade(peer) == b"220 2.0.0 Ready to start TLS"
        assert (await peer.ask(b"MAIL FROM:<a@example.net>")).startswith(b"503 5.5.1")
        peer.send(b"EHLO client.example.net\r\n")
        assert b"STARTTLS" not in b" ".join(await peer.reply())
        assert (await peer.ask(b"STARTTLS")).startswith(b"503 5.5.1")
        for command in (b"MAIL FROM:<a@example.net>", b"RCPT TO:<b@example.org>", b"DATA"):
            await peer.ask(command)
        assert (await peer.ask(b"text\r\n.")).startswith(b"250 ")
        assert (await peer.ask(b"QUIT")).startswith(b"221 ")
        await until(lambda: front.admission.connections == 0)
        (transaction,) = front.gateway.submitted
        assert transaction.connection.tls
        assert b" with ESMTPS id " in transaction.raw
        assert len(front.observer.connections) == len(front.observer.ended) == 1


async def test_a_transaction_in_the_clear_ends_with_starttls(tls_context: ssl.SSLContext) -> None:
    async with running_front(tls_context=tls_context) as front:
        peer = await front.connect()
        await peer.reply()
        for command in (b"EHLO client.example.net", b"MAIL FROM:<a@example.net>"):
            await peer.ask(command)
        await _upgrade(peer)
        assert (await peer.ask(b"RCPT TO:<b@example.org>")).startswith(b"503 ")
        assert front.gateway.sessions[0].closed == 1


async def test_commands_sent_before_tls_are_forgotten(tls_context: ssl.SSLContext) -> None:
    async with running_front(tls_context=tls_context) as front:
        peer = await front.connect()
        await peer.reply()
        await peer.ask(b"EHLO client.example.net")
        injected = b"RSET\r\nEHLO evil.example.net\r\nMAIL FROM:<evil@example.net>\r\n"
        await _upgrade(peer, before=injected)
        assert await peer.ask(b"NOOP") == b"250 2.0.0 Ok"
        assert (await peer.ask(b"RCPT TO:<b@example.org>")).startswith(b"503 5.5.1 Send EHLO")
    assert front.gateway.sessions == []


async def test_a_failed_handshake_ends_that_connection_only(tls_context: ssl.SSLContext) -> None:
    async with running_front(tls_context=tls_context) as front:
        peer = await front.connect()
        await peer.reply()
        assert (await peer.ask(b"STARTTLS")).startswith(b"220")
        peer.send(b"NOOP this is no TLS\r\n" * 20)
        assert b"250" not in await peer.line()
        await until(lambda: front.admission.connections == 0)
        gone = await front.connect()
        await gone.reply()
        assert (await gone.ask(b"STARTTLS")).startswith(b"220")
        await gone.close()
        await until(lambda: front.admission.connections == 0)
        other = await front.connect()
        assert (await other.line()).startswith(b"220")
    assert front.observer.failures == []


async def test_a_large_message_over_tls(tls_context: ssl.SSLContext) -> None:
    raw = b"z" * 70 + b"\r\n"
    async with running_front(tls_context=tls_context, role="before_queue") as front:
        peer = await front.connect()
        await peer.reply()
        await peer.ask(b"EHLO client.example.net")
        await _upgrade(peer)
        # All at once, with the first TLS record that carries anything.
        peer.send(b"EHLO client.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        peer.send(raw * 30_000 + b".\r\n")
        codes = [(await peer.reply())[-1][:3] for _ in range(5)]
        assert codes == [b"250", b"250", b"250", b"354", b"250"]
    assert front.gateway.submitted[0].raw == raw * 30_000


# The end.


async def test_drain_lets_a_transaction_end_and_tells_the_idle() -> None:
    gateway = FakeGateway()
    gateway.may_finish.clear()
    async with running_front(gateway=gateway) as front:
        idle, sending, submitted = [await front.connect() for _ in range(3)]
        await idle.reply()
        await sending.begin()
        await submitted.begin()
        submitted.send(b"text\r\n.\r\n")
        await gateway.submitting.wait()
        drain = asyncio.ensure_future(front.listener.drain(30))
        assert await idle.line() == b"421 4.3.2 Service is shutting down, try again later"
        assert await idle.line() == b""
        sending.send(b"text\r\n.\r\n")
        await asyncio.sleep(0.05)
        gateway.may_finish.set()
        for peer in (sending, submitted):
            assert (await peer.line()).startswith(b"250 ")
            assert (await peer.line()).startswith(b"421 4.3.2 ")
        async with asyncio.timeout(10):
            await drain
        assert front.listener.connections == 0
        assert front.listener.addresses == ()
    assert len(gateway.submitted) == 2


async def test_after_the_grace_only_messages_past_their_dot_go_on() -> None:
    gateway = FakeGateway()
    gateway.may_finish.clear()
    async with running_front(gateway=gateway) as front:
        sending, opened, submitted = [await front.connect() for _ in range(3)]
        await sending.begin()
        sending.send(b"half a mess")
        await opened.reply()
        await opened.ask(b"HELO client.example.net")
        await opened.ask(b"MAIL FROM:<a@example.net>")
        await submitted.begin()
        submitted.send(b"text\r\n.\r\n")
        await gateway.submitting.wait()
        drain = asyncio.ensure_future(front.listener.drain(0.05))
        for peer in (sending, opened):
            assert (await peer.line()).startswith(b"421 4.3.2 ")
        assert not drain.done()
        gateway.may_finish.set()
        assert (await submitted.line()).startswith(b"250 ")
        async with asyncio.timeout(10):
            await drain
    assert len(gateway.submitted) == 1
    assert all(session.closed == 1 for session in gateway.sessions)


async def test_new_rules_are_for_new_connections() -> None:
    async with running_front() as front:
        old = await front.connect()
        await old.reply()
        options = replace(OPTIONS, hostname="new.example.org")
        front.listener.reconfigure(options=options, gateway=front.gateway)
        assert await old.ask(b"HELO client.example.net") == b"250 mx.example.org"
        new = await front.connect()
        assert await new.line() == b"220 new.example.org ESMTP"


async def test_sockets_of_a_parent_and_a_port_in_use() -> None:
    async with running_front() as front:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            await front.listener.start_on([sock.dup()])
            port = sock.getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await reader.readline()).startswith(b"220")
            writer.close()
            await writer.wait_closed()
        with pytest.raises(OSError):
            await front.listener.start("127.0.0.1", front.listener.addresses[0][1])


async def test_the_last_reply_reaches_a_peer_that_is_still_sending() -> None:
    async with running_front(role="mx") as front:
        peer = await front.connect()
        await peer.reply()
        await peer.ask(b"EHLO client.test")
        # What stands behind QUIT is never read: closing on it would reset the connection, and the
        # 221 with it.
        peer.send(b"QUIT\r\n" + b"NOOP\r\n" * 20_000)
        await asyncio.sleep(0.2)
        assert (await peer.reply())[-1].startswith(b"221 ")
        await until(lambda: front.listener.connections == 0)
