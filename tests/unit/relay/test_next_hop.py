"""The next hop against a real socket: each stage with each fault, pool, TLS, LMTP, big mail."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from milter.demo.inner_server import DEFAULT_KEYWORDS, Fault, InnerServer
from milter.mail.address import NULL_PATH
from milter.mail.envelope import Connection, Recipient
from milter.mail.reply import Reply
from milter.ports import DataReply, NextHopFailed
from milter.relay import pool
from milter.relay.next_hop import SmtpNextHop
from milter.relay.options import NextHopOptions, Timeouts, TlsPolicy
from tests.support.next_hop import CONNECTION, SENDER, FixedClock, recipient

HopTo = Callable[..., SmtpNextHop]
RAW = b"Subject: hello\r\n\r\n.\r\n..\r\n.dot first\r\nno dot.\r\n"
OK = Reply(code=250, lines=(b"2.1.0 Ok",))


async def send(
    hop: SmtpNextHop, raw: bytes = RAW, *recipients: Recipient, connection: Connection = CONNECTION
) -> DataReply:
    """One message from MAIL to the end of data."""
    session = await hop.open(connection)
    try:
        reply = await session.mail(SENDER, ())
        for one in recipients or (recipient("bo"),):
            if not reply.is_positive:
                return DataReply(reply=reply, stage="mail")
            reply = await session.rcpt(one)
        if not reply.is_positive:
            return DataReply(reply=reply, stage="rcpt")
        return await session.data(raw)
    finally:
        await session.close()


# What goes through.


@pytest.mark.parametrize(
    "raw",
    [
        RAW,
        b"",
        b".",
        b".\r\n",
        b"no line end",
        b"\r\n.\r\n",
        b"From: a\r\n\r\n\x00\x80\xff\r\n" + b"x" * 5000 + b"\r\n",
        (b"." * 63 + b"\r\n") * 10_000,
    ],
    ids=["dots", "empty", "dot", "dot line", "no end", "early end", "octets", "many dots"],
)
async def test_content_arrives_octet_by_octet(hop_to: HopTo, raw: bytes) -> None:
    async with InnerServer() as server:
        answer = await send(hop_to(server), raw)

        assert answer.reply.code == 250
        # SMTP cannot carry an unended last line (RFC 5321 §4.1.1.4).
        assert server.messages[0].raw == raw + (
            b"" if not raw or raw.endswith(b"\r\n") else b"\r\n"
        )


async def test_the_envelope_arrives_as_the_peer_wrote_it(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        session = await hop_to(server).open(CONNECTION)
        odd = Recipient(
            path=type(SENDER)(raw="jürgen@пример.test".encode()),
            parameters=(b"NOTIFY=NEVER", b"ORCPT=rfc822;a+2Bb@example.org"),
        )
        await session.mail(NULL_PATH, (b"BODY=8BITMIME", b"SMTPUTF8", b"RET=HDRS", b"ENVID=q+3D1"))
        await session.rcpt(odd)
        await session.data(RAW)
        await session.close()

        [message] = server.messages
        assert message.reverse_path == b""
        assert message.mail_parameters == (
            b"BODY=8BITMIME",
            b"SMTPUTF8",
            b"RET=HDRS",
            b"ENVID=q+3D1",
        )
        assert message.recipients == ("jürgen@пример.test".encode(),)
        assert message.rcpt_parameters == ((b"NOTIFY=NEVER", b"ORCPT=rfc822;a+2Bb@example.org"),)


async def test_a_mail_of_25_megabytes_passes_with_little_memory(hop_to: HopTo) -> None:
    raw = b"Subject: big\r\n\r\n" + (b"." + b"z" * 75 + b"\r\n") * 320_000
    async with InnerServer() as server:
        answer = await send(hop_to(server), raw)

        assert answer.reply.code == 250
        assert server.messages[0].raw == raw


async def test_five_hundred_recipients(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        everybody = tuple(recipient(f"r{number}") for number in range(500))
        await send(hop_to(server), RAW, *everybody)

        assert server.messages[0].recipients == tuple(one.path.raw for one in everybody)


async def test_a_unix_socket_will_do(hop_to: HopTo, tmp_path: FilePath) -> None:
    async with InnerServer(unix_path=str(tmp_path / "lmtp"), lmtp=True) as server:
        answer = await send(hop_to(server))

        assert answer.reply.code == 250
        assert server.commands[0] == b"LHLO localhost"


# Replies of the next hop to a message pass verbatim (design rule 4).

LONG_WORDS = [
    (
        b"450-4.2.0 Mailbox is busy\r\n450-  see http://help.example.test/\r\n450 4.2.0 come again\r\n",
        450,
    ),
    (b"550-5.1.1 Unknown\r\n550 \r\n", 550),
    (b"452 4.2.2 \xc3\x89\xff\r\n", 452),
    (b"554\r\n", 554),
]


@pytest.mark.parametrize(("words", "code"), LONG_WORDS)
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end_of_data"])
async def test_refusals_of_a_message_pass_verbatim(
    hop_to: HopTo, stage: str, words: bytes, code: int
) -> None:
    async with InnerServer(faults=[Fault(stage=stage, reply=words, occurrence=1)]) as server:
        hop = hop_to(server)

        answer = await send(hop)

        assert answer.stage == stage
        assert answer.reply.code == code
        assert answer.reply.lines == tuple(line[4:] for line in words.split(b"\r\n")[:-1])
        assert not server.messages
        # A refusal of a message is no fault of the connection.
        assert (await send(hop)).reply.code == 250
        assert server.connections == 1


# Everything else is a failure with a 451 of ours.

BEFORE_A_MESSAGE = [
    (b"554 5.7.1 go away\r\n", "refused", b"4.4.0"),
    (b"421 4.3.2 shutting down\r\n", "closing", b"4.4.2"),
    (b"450 4.3.2 busy\r\n", "busy", b"4.4.5"),
    (b"SSH-2.0-server\r\n", "malformed", b"4.4.0"),
    (b"354 what\r\n", "malformed", b"4.4.0"),
]


@pytest.mark.parametrize(("words", "cause", "enhanced"), BEFORE_A_MESSAGE)
@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
async def test_no_session_no_5xx(
    hop_to: HopTo, stage: str, words: bytes, cause: str, enhanced: bytes
) -> None:
    async with InnerServer(faults=[Fault(stage=stage, reply=words)]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await hop_to(server).open(CONNECTION)

    assert (failure.value.stage, failure.value.cause) == (stage, cause)
    assert failure.value.reply.code == 451
    assert failure.value.reply.lines[0].startswith(enhanced + b" ")
    assert not failure.value.ambiguous


ANYWHERE = [
    (Fault(stage="", reply=b"421 4.3.2 shutting down\r\n"), "closing", b"4.4.2"),
    (Fault(stage="", reply=b"garbage\r\n"), "malformed", b"4.4.0"),
    (Fault(stage="", reply=b"250-half a rep", drop=True), "lost", b"4.4.2"),
    (Fault(stage="", drop=True), "lost", b"4.4.2"),
    (Fault(stage="", delay_seconds=5), "timeout", b"4.4.2"),
]


def impatient_at(stage: str) -> Timeouts:
    """Short where the server will be silent, generous everywhere else."""
    name = stage if stage in ("greeting", "end_of_data") else "command"
    return replace(Timeouts(), **{name: 0.25})


@pytest.mark.parametrize(("fault", "cause", "enhanced"), ANYWHERE)
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "end_of_data"])
async def test_a_broken_conversation_is_451_at_any_stage(
    hop_to: HopTo, stage: str, fault: Fault, cause: str, enhanced: bytes
) -> None:
    async with InnerServer(faults=[replace(fault, stage=stage)]) as server:
        hop = hop_to(server, timeouts=impatient_at(stage) if fault.delay_seconds else Timeouts())
        with pytest.raises(NextHopFailed) as failure:
            await send(hop)

        assert (failure.value.stage, failure.value.cause) == (stage, cause)
        assert failure.value.reply.code == 451
        assert failure.value.reply.lines[0].startswith(enhanced + b" ")
        # Only a lost final dot is ambiguous; a 421 says plainly that the mail was not taken.
        assert failure.value.ambiguous == (stage == "end_of_data" and cause != "closing")
        assert hop.idle_connections == 0


async def test_nobody_listens(hop_to: HopTo) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        hop = hop_to(InnerServer(port=unused.getsockname()[1]))
        with pytest.raises(NextHopFailed) as failure:
            await hop.open(CONNECTION)

    assert (failure.value.stage, failure.value.cause) == ("connect", "unreachable")
    assert failure.value.reply.lines[0].startswith(b"4.4.1 ")


async def test_no_reply_of_ours_tells_what_the_next_hop_said(hop_to: HopTo) -> None:
    fault = Fault(stage="greeting", reply=b"554 5.7.1 inner-7.corp.test has no room\r\n")
    async with InnerServer(faults=[fault]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await hop_to(server).open(CONNECTION)

    assert b"corp" not in b" ".join(failure.value.reply.lines)
    assert failure.value.detail == "554 5.7.1 inner-7.corp.test has no room"


# In the middle of the content nothing is ambiguous yet.

BIG = b"Subject: big\r\n\r\n" + (b"y" * 76 + b"\r\n") * 200_000


async def test_a_connection_lost_within_the_content_is_not_ambiguous(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="content", drop=True)]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await send(hop_to(server), BIG)

    assert (failure.value.stage, failure.value.cause) == ("data", "lost")
    assert not failure.value.ambiguous


async def test_a_next_hop_that_stops_reading_is_given_up(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="content", delay_seconds=5)]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await send(hop_to(server, timeouts=Timeouts(block=0.25)), BIG)

    assert (failure.value.stage, failure.value.cause) == ("data", "timeout")
    assert not failure.value.ambiguous


async def test_a_refusal_before_the_end_is_believed_and_the_rest_is_spared(hop_to: HopTo) -> None:
    fault = Fault(stage="content", reply=b"552 5.3.4 too big\r\n", delay_seconds=0.05)
    async with InnerServer(faults=[fault]) as server:
        answer = await send(hop_to(server), BIG)

    assert answer == DataReply(
        reply=Reply(code=552, lines=(b"5.3.4 too big",)), stage="end_of_data"
    )


async def test_a_250_before_the_end_is_not_believed(hop_to: HopTo) -> None:
    fault = Fault(stage="content", reply=b"250 2.0.0 sure\r\n", delay_seconds=0.05)
    async with InnerServer(faults=[fault]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await send(hop_to(server), BIG)

    assert failure.value.cause == "malformed"
    assert not failure.value.ambiguous


async def test_data_without_a_recipient_is_ended_by_a_lone_dot(hop_to: HopTo) -> None:
    fault = Fault(stage="data", reply=b"354 go ahead\r\n", occurrence=1)
    async with InnerServer(faults=[fault]) as server:
        hop = hop_to(server)
        session = await hop.open(CONNECTION)
        await session.mail(SENDER, ())
        with pytest.raises(NextHopFailed) as failure:
            await session.data(RAW)
        await session.close()

        assert failure.value.reply.code == 451
        assert not failure.value.ambiguous
        assert not server.messages
        assert (await send(hop)).reply.code == 250
        assert server.connections == 1


# The pool.


async def test_connections_are_used_again(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        for _ in range(5):
            await send(hop)

        assert (server.connections, hop.idle_connections) == (1, 1)
        assert server.commands.count(b"RSET") == 0


async def test_an_abandoned_transaction_is_reset_before_the_connection_is_used_again(
    hop_to: HopTo,
) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        session = await hop.open(CONNECTION)
        await session.mail(SENDER, ())
        await session.rcpt(recipient("nobody"))
        await session.close()
        await session.close()
        await send(hop)

        assert server.connections == 1
        assert server.messages[0].recipients == (b"bo@example.net",)


async def test_sessions_at_the_same_time_do_not_share_a_connection(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server, pool_size=2)
        answers = await asyncio.gather(*(send(hop) for _ in range(5)))

        assert [answer.reply.code for answer in answers] == [250] * 5
        assert server.connections == 5
        assert hop.idle_connections == 2


async def test_a_closed_session_never_touches_the_connection_of_another(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        first = await hop.open(CONNECTION)
        await first.close()
        second = await hop.open(CONNECTION)
        await second.mail(SENDER, ())

        with pytest.raises(NextHopFailed):
            await first.mail(SENDER, ())
        assert (await second.rcpt(recipient("bo"))).code == 250
        assert server.connections == 1
        await second.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(stage="mail", drop=True, occurrence=2),
        Fault(stage="mail", reply=b"421 4.4.2 idle too long\r\n", drop=True, occurrence=2),
        Fault(stage="mail", reply=b"250 2.1", drop=True, occurrence=2),
    ],
    ids=["drop", "421", "half a reply"],
)
async def test_a_pooled_connection_that_dies_before_mail_is_answered_is_replaced(
    hop_to: HopTo, fault: Fault
) -> None:
    async with InnerServer(faults=[fault]) as server:
        hop = hop_to(server)
        await send(hop)

        assert (await send(hop)).reply.code == 250
        assert server.connections == 2


async def test_a_fresh_connection_that_dies_at_mail_is_not_tried_again(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="mail", drop=True)]) as server:
        hop = hop_to(server)
        with pytest.raises(NextHopFailed):
            await send(hop)

        assert server.connections == 1


async def test_a_pooled_connection_that_was_cut_is_not_even_tried(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        await send(hop)
        await server.cut()
        await asyncio.sleep(0.02)

        assert (await send(hop)).reply.code == 250
        assert server.connections == 2
        # The second message met no dead connection: nothing had to be said twice.
        assert server.commands.count(b"MAIL FROM:<anna@example.org>") == 2


async def test_a_next_hop_that_was_restarted_is_found_again(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        await send(hop)
        await server.stop()
        with pytest.raises(NextHopFailed):
            await send(hop)
        await server.start()

        assert (await send(hop)).reply.code == 250


@pytest.mark.parametrize(
    ("faults", "connections"),
    [
        ([], 1),
        ([Fault(stage="rset", drop=True)], 2),
        ([Fault(stage="rset", reply=b"502 5.5.1 no\r\n")], 2),
        ([Fault(stage="rset", delay_seconds=5)], 2),
    ],
    ids=["alive", "dead", "refuses", "silent"],
)
async def test_a_connection_that_was_idle_for_long_is_asked_first(
    hop_to: HopTo, monkeypatch: pytest.MonkeyPatch, faults: list[Fault], connections: int
) -> None:
    monkeypatch.setattr("milter.relay.next_hop._PROBE_AFTER_SECONDS", 0.0)
    async with InnerServer(faults=faults) as server:
        hop = hop_to(server, timeouts=Timeouts(rset=0.25))
        await send(hop)

        assert (await send(hop)).reply.code == 250
        assert server.connections == connections
        assert server.commands.count(b"RSET") == 1


async def test_after_keep_none_a_connection_serves_one_message(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        await send(hop)
        hop.keep_none()
        assert hop.idle_connections == 0
        await send(hop)
        assert (server.connections, hop.idle_connections) == (2, 0)
        assert len(server.messages) == 2


async def test_idle_connections_end_with_quit(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server, idle_seconds=0.02)
        await send(hop)
        for _ in range(1000):
            if b"QUIT" in server.commands:
                break
            await asyncio.sleep(0.01)

        assert b"QUIT" in server.commands
        assert hop.idle_connections == 0


async def test_old_connections_are_not_kept(hop_to: HopTo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_AGE_SECONDS", -1.0)
    async with InnerServer() as server:
        hop = hop_to(server)
        await send(hop)

        assert hop.idle_connections == 0


async def test_after_the_end_no_connection_is_kept(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        session = await hop.open(CONNECTION)
        await hop.aclose()
        await session.close()

        assert hop.idle_connections == 0


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end_of_data"])
async def test_a_cancelled_command_spoils_the_connection(hop_to: HopTo, stage: str) -> None:
    async with InnerServer(faults=[Fault(stage=stage, delay_seconds=0.2, occurrence=1)]) as server:
        hop = hop_to(server)
        task = asyncio.create_task(send(hop))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        # Its late reply would have answered somebody else's command.
        assert hop.idle_connections == 0
        assert (await send(hop)).reply.code == 250


# What the next hop announces.


async def test_keywords_are_asked_once_for_all(hop_to: HopTo, clock: FixedClock) -> None:
    async with InnerServer(keywords=["SIZE 1000", "8bitmime"]) as server:
        hop = hop_to(server)
        answers = await asyncio.gather(*(hop.keywords() for _ in range(20)))

        assert answers == [{"SIZE": "1000", "8BITMIME": ""}] * 20
        assert server.connections == 1

        server.keywords = ["DSN"]
        assert await hop.keywords() == {"SIZE": "1000", "8BITMIME": ""}
        await server.cut()
        await asyncio.sleep(0.02)
        clock.seconds += 61
        assert await hop.keywords() == {"DSN": ""}


async def test_keywords_of_a_next_hop_that_is_down(hop_to: HopTo) -> None:
    async with InnerServer(
        faults=[Fault(stage="greeting", reply=b"554 no\r\n", occurrence=1)]
    ) as server:
        hop = hop_to(server)
        answers = await asyncio.gather(*(hop.keywords() for _ in range(3)), return_exceptions=True)

        assert all(isinstance(answer, NextHopFailed) for answer in answers)
        assert server.connections == 1
        assert "PIPELINING" in await hop.keywords()


async def test_one_who_stops_asking_does_not_take_the_answer_from_the_others(hop_to: HopTo) -> None:
    async with InnerServer(faults=[Fault(stage="ehlo", delay_seconds=0.1)]) as server:
        hop = hop_to(server)
        first = asyncio.create_task(hop.keywords())
        second = asyncio.create_task(hop.keywords())
        await asyncio.sleep(0.02)
        first.cancel()

        assert "PIPELINING" in await second
        assert server.connections == 1


# XFORWARD, XCLIENT, PIPELINING.


async def test_xforward_goes_before_each_mail_in_one_packet(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        hop = hop_to(server)
        await send(hop)
        other = Connection(client_ip="2001:db8::2", xforward=(("IDENT", "4Abc"),))
        await send(hop, connection=other)

        first, second = (dict(message.xforward) for message in server.messages)
        assert (first["ADDR"], first["NAME"]) == ("192.0.2.7", "mail.example.org")
        assert (second["ADDR"], second["IDENT"]) == ("IPV6:2001:db8::2", "4Abc")
        assert server.pipelined_reads == 2


@pytest.mark.parametrize("keywords", [(), ("XFORWARD ADDR",), ("PIPELINING",)])
async def test_nothing_is_used_that_is_not_announced(
    hop_to: HopTo, keywords: tuple[str, ...]
) -> None:
    async with InnerServer(keywords=keywords) as server:
        answer = await send(hop_to(server))

        assert answer.reply.code == 250
        assert server.pipelined_reads == 0
        assert server.commands[1:-3] == [b"XFORWARD ADDR=192.0.2.7"] * ("XFORWARD ADDR" in keywords)


@pytest.mark.parametrize("pipelining", ["PIPELINING", "NOOP"])
async def test_a_refused_xforward_costs_no_mail(hop_to: HopTo, pipelining: str) -> None:
    faults = [Fault(stage="xforward", reply=b"550 5.7.0 not you\r\n")]
    keywords = (pipelining, "XFORWARD ADDR")
    async with InnerServer(faults=faults, keywords=keywords) as server:
        answer = await send(hop_to(server))

        assert answer.reply.code == 250


async def test_xforward_can_be_switched_off(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        await send(hop_to(server, send_xforward=False))

        assert server.messages[0].xforward == ()


async def test_xclient_names_each_peer_on_a_connection_that_is_used_again(hop_to: HopTo) -> None:
    keywords = (*DEFAULT_KEYWORDS, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN")
    async with InnerServer(keywords=keywords) as server:
        hop = hop_to(server, send_xclient=True)
        peers = ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        for peer in peers:
            await send(hop, connection=Connection(client_ip=peer))

        assert [dict(message.xclient)["ADDR"] for message in server.messages] == list(peers)
        assert server.connections == 1
        assert sum(line.startswith(b"XCLIENT") for line in server.commands) == 2


async def test_a_connection_that_takes_no_other_name_is_not_used_for_another(hop_to: HopTo) -> None:
    async with InnerServer(keywords=("XCLIENT ADDR",)) as server:
        hop = hop_to(server, send_xclient=True)
        session = await hop.open(CONNECTION)
        session.keywords.clear()
        await session.close()
        await send(hop, connection=Connection(client_ip="192.0.2.9"))

        assert dict(server.messages[0].xclient) == {"ADDR": "192.0.2.9"}
        assert server.connections == 2


async def test_a_dead_connection_is_noticed_at_xclient(hop_to: HopTo) -> None:
    faults = [Fault(stage="xclient", drop=True, occurrence=2)]
    async with InnerServer(keywords=("XCLIENT ADDR",), faults=faults) as server:
        hop = hop_to(server, send_xclient=True)
        await send(hop)
        answer = await send(hop, connection=Connection(client_ip="192.0.2.9"))

        assert answer.reply.code == 250
        assert server.connections == 2


# LMTP.


async def test_lmtp_answers_for_each_recipient(hop_to: HopTo) -> None:
    faults = [
        Fault(stage="rcpt", recipient=b"gone@example.net", reply=b"550 5.1.1 gone\r\n"),
        Fault(stage="end_of_data", recipient=b"full@example.net", reply=b"452 4.2.2 full\r\n"),
        Fault(stage="end_of_data", recipient=b"shut@example.net", reply=b"552 5.2.0 shut\r\n"),
    ]
    async with InnerServer(lmtp=True, faults=faults) as server:
        session = await hop_to(server).open(CONNECTION)
        await session.mail(SENDER, ())
        for name in ("a", "gone", "full", "shut", "b"):
            await session.rcpt(recipient(name))
        answer = await session.data(RAW)
        await session.close()

        assert [reply.code for reply in answer.per_recipient] == [250, 452, 552, 250]
        assert answer.reply == Reply(code=452, lines=(b"4.2.2 full",))
        assert [message.recipients for message in server.messages] == [
            (b"a@example.net",),
            (b"b@example.net",),
        ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(stage="end_of_data", drop=True, occurrence=2),
        Fault(stage="end_of_data", reply=b"421 4.3.2 down\r\n", drop=True, occurrence=2),
    ],
    ids=["lost", "421"],
)
async def test_lmtp_replies_that_came_are_known_although_the_rest_is_lost(
    hop_to: HopTo, fault: Fault
) -> None:
    async with InnerServer(lmtp=True, faults=[fault]) as server:
        answer = await send(hop_to(server), RAW, *map(recipient, ("a", "b", "c")))

    assert [reply.code for reply in answer.per_recipient] == [250, 451, 451]
    assert answer.reply.code == 451


async def test_lmtp_that_answers_nobody_is_ambiguous(hop_to: HopTo) -> None:
    async with InnerServer(lmtp=True, faults=[Fault(stage="end_of_data", drop=True)]) as server:
        with pytest.raises(NextHopFailed) as failure:
            await send(hop_to(server), RAW, recipient("a"), recipient("b"))

    assert failure.value.ambiguous


async def test_smtp_where_lmtp_was_meant_is_451(hop_to: HopTo) -> None:
    async with InnerServer(lmtp=False) as server:
        with pytest.raises(NextHopFailed) as failure:
            await hop_to(server, lmtp=True).open(CONNECTION)

    assert (failure.value.stage, failure.value.cause) == ("ehlo", "refused")


# TLS.


def certificate(folder: FilePath, name: str) -> tuple[ssl.SSLContext, FilePath]:
    """A server's context with a certificate of its own, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret = folder / f"{name}.key"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


async def test_tls_is_used_and_the_certificate_verified(hop_to: HopTo, tmp_path: FilePath) -> None:
    context, pem = certificate(tmp_path, "inner.example.test")
    trust = ssl.create_default_context(cafile=str(pem))
    async with InnerServer(tls_context=context) as server:
        hop = hop_to(server, tls=TlsPolicy.VERIFY, ssl_context=trust, tls_name="inner.example.test")
        session = await hop.open(CONNECTION)
        assert "STARTTLS" not in session.keywords
        await session.close()

        assert (await send(hop, BIG)).reply.code == 250
        assert server.messages[0].tls
        assert server.messages[0].raw == BIG
        assert server.connections == 1


@pytest.mark.parametrize("name", ["inner.example.test", "other.example.test"])
async def test_an_untrusted_or_wrong_certificate_is_451(
    hop_to: HopTo, tmp_path: FilePath, name: str
) -> None:
    context, pem = certificate(tmp_path, name)
    trusted = name == "other.example.test"
    trust = ssl.create_default_context(cafile=str(pem) if trusted else None)
    async with InnerServer(tls_context=context) as server:
        hop = hop_to(server, tls=TlsPolicy.VERIFY, ssl_context=trust, tls_name="inner.example.test")
        with pytest.raises(NextHopFailed) as failure:
            await hop.open(CONNECTION)

        assert (failure.value.stage, failure.value.cause) == ("starttls", "tls")
        assert failure.value.reply.lines[0].startswith(b"4.4.0 ")
        assert b"MAIL" not in b" ".join(server.commands)


async def test_tls_that_is_required_must_be_offered(hop_to: HopTo) -> None:
    async with InnerServer() as server:
        with pytest.raises(NextHopFailed) as failure:
            await hop_to(server, tls=TlsPolicy.VERIFY).open(CONNECTION)

    assert (failure.value.stage, failure.value.cause) == ("starttls", "tls")


async def test_opportunistic_tls_takes_any_certificate_and_plain_text(
    hop_to: HopTo, tmp_path: FilePath
) -> None:
    context, _ = certificate(tmp_path, "whoever.example.test")
    async with InnerServer(tls_context=context) as server, InnerServer() as plain:
        await send(hop_to(server, tls=TlsPolicy.OPPORTUNISTIC))
        await send(hop_to(plain, tls=TlsPolicy.OPPORTUNISTIC))

        assert server.messages[0].tls
        assert not plain.messages[0].tls


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (b"454 4.7.0 not now\r\n", "busy"),
        (b"554 5.7.0 never\r\n", "refused"),
        (b"220 go\r\n250-injected.example.test\r\n", "malformed"),
        (b"220 go\r\n250 injected\r\n", "malformed"),
        (b"220 go\r\n250 inj", "malformed"),
        (b"220 go\r\n421 4.4.2 bye\r\n", "malformed"),
    ],
)
@pytest.mark.parametrize("policy", [TlsPolicy.OPPORTUNISTIC, TlsPolicy.VERIFY])
async def test_starttls_that_fails_is_451_and_never_plain_text(
    hop_to: HopTo, tmp_path: FilePath, words: bytes, cause: str, policy: TlsPolicy
) -> None:
    context, _ = certificate(tmp_path, "inner.example.test")
    faults = [Fault(stage="starttls", reply=words, delay_seconds=0.0)]
    async with InnerServer(tls_context=context, faults=faults) as server:
        with pytest.raises(NextHopFailed) as failure:
            await hop_to(server, tls=policy).open(CONNECTION)

        assert (failure.value.stage, failure.value.cause) == ("starttls", cause)
        assert b"MAIL" not in b" ".join(server.commands)


def test_a_next_hop_is_one_place() -> None:
    with pytest.raises(ValueError, match="host or a Unix socket"):
        NextHopOptions()
    with pytest.raises(ValueError, match="host or a Unix socket"):
        NextHopOptions(host="inner.example.test", unix_path="/run/lmtp")
