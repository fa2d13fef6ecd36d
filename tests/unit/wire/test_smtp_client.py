"""The client machine: replies in any split, violations, commands that cannot be injected."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.mail.address import NULL_PATH, Path
from milter.mail.envelope import Connection, Recipient
from milter.mail.reply import Reply
from milter.wire.smtp_client import (
    MAX_LINE_BYTES,
    MAX_LINES,
    Answer,
    Fault,
    SmtpClient,
    Stage,
    Violation,
    mail_line,
    parse_keywords,
    rcpt_line,
    xclient_lines,
    xforward_lines,
    xtext,
)


def greeted() -> SmtpClient:
    client = SmtpClient()
    client.receive(b"220 ready\r\n")
    return client


def test_the_greeting_answers_the_connection() -> None:
    assert SmtpClient().receive(b"220 inner ready\r\n") == [
        Answer(stage=Stage.GREETING, reply=Reply(code=220, lines=(b"inner ready",)))
    ]


@pytest.mark.parametrize(
    ("octets", "code", "lines"),
    [
        (b"250 2.1.0 Ok\r\n", 250, (b"2.1.0 Ok",)),
        (b"250\r\n", 250, (b"",)),
        (b"250 \r\n", 250, (b"",)),
        (
            b"550-5.1.1 No\r\n550-  indented\r\n550 5.1.1 end\r\n",
            550,
            (b"5.1.1 No", b"  indented", b"5.1.1 end"),
        ),
        (b"250-\r\n250 end\r\n", 250, (b"", b"end")),
        (
            b"450 4.2.0 line end of a careless server\n",
            450,
            (b"4.2.0 line end of a careless server",),
        ),
        (b"554 5.7.1 d\xc3\xa9sol\xc3\xa9\r\n", 554, (b"5.7.1 d\xc3\xa9sol\xc3\xa9",)),
    ],
)
def test_a_reply_is_kept_verbatim(octets: bytes, code: int, lines: tuple[bytes, ...]) -> None:
    client = greeted()
    client.command(Stage.MAIL, b"MAIL FROM:<>")

    assert client.receive(octets) == [Answer(stage=Stage.MAIL, reply=Reply(code=code, lines=lines))]
    assert not client.waits
    assert not client.has_rest


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"hello\r\n", Fault.NO_REPLY_CODE),
        (b"HTTP/1.1 400 Bad Request\r\n", Fault.NO_REPLY_CODE),
        (b"25 short\r\n", Fault.NO_REPLY_CODE),
        (b"2500 long\r\n", Fault.NO_REPLY_CODE),
        (b"150 not in SMTP\r\n", Fault.NO_REPLY_CODE),
        (b"650 no such class\r\n", Fault.NO_REPLY_CODE),
        (b"\r\n", Fault.NO_REPLY_CODE),
        (b"\xff\xfe\r\n", Fault.NO_REPLY_CODE),
        (b"250 split\ntext\r\n", Fault.NO_REPLY_CODE),
        (b"250-one\r\n251 two\r\n", Fault.CODES_DIFFER),
        (b"250-a\r\n" * (MAX_LINES + 1), Fault.TOO_MANY_LINES),
        (b"250 " + b"x" * MAX_LINE_BYTES + b"\r\n", Fault.LINE_TOO_LONG),
        (b"250 " + b"x" * MAX_LINE_BYTES, Fault.LINE_TOO_LONG),
        (b"354 send it\r\n", Fault.WRONG_CLASS),
    ],
)
def test_a_violation_ends_the_belief_in_the_peer(octets: bytes, fault: Fault) -> None:
    client = greeted()
    client.command(Stage.MAIL, b"MAIL FROM:<>")

    *_, last = client.receive(octets)

    assert isinstance(last, Violation)
    assert last.fault is fault
    assert client.receive(b"250 Ok\r\n") == []


def test_data_wants_354_and_nothing_positive_else() -> None:
    client = greeted()
    client.command(Stage.DATA, b"DATA")

    assert client.receive(b"250 Ok\r\n") == [Violation(stage=Stage.DATA, fault=Fault.WRONG_CLASS)]


def test_a_reply_that_nobody_waits_for_is_a_violation() -> None:
    assert greeted().receive(b"250 Ok\r\n") == [Violation(stage=None, fault=Fault.UNSOLICITED)]


def test_a_server_may_say_unasked_that_it_closes() -> None:
    [answer] = greeted().receive(b"421 4.4.2 idle\r\n")

    assert isinstance(answer, Answer)
    assert answer.is_closing


def test_replies_answer_a_pipelined_group_in_order() -> None:
    client = greeted()
    client.command(Stage.XFORWARD, b"XFORWARD ADDR=192.0.2.1")
    client.command(Stage.MAIL, b"MAIL FROM:<>")
    client.command(Stage.RCPT, b"RCPT TO:<a@example.org>")

    answers = client.receive(b"501 no\r\n250 2.1.0 Ok\r\n550 5.1.1 no\r\n")

    assert [answer.stage for answer in answers] == [Stage.XFORWARD, Stage.MAIL, Stage.RCPT]


@given(
    st.lists(st.integers(min_value=0, max_value=60), max_size=12),
    st.integers(min_value=1, max_value=3),
)
def test_any_split_gives_the_same_answers(cuts: list[int], replies: int) -> None:
    octets = b"250-one\r\n250-\r\n250 two three\r\n" * replies
    whole, split = greeted(), greeted()
    for client in (whole, split):
        client.expect(Stage.RCPT, replies)
    bounds = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]

    answers = []
    for start, end in itertools.pairwise(bounds):
        answers += split.receive(octets[start:end])

    assert answers == whole.receive(octets)
    assert len(answers) == replies


@given(st.binary(max_size=300))
def test_no_octets_raise(octets: bytes) -> None:
    client = greeted()
    client.expect(Stage.RCPT, 2)

    answers = client.receive(octets)

    assert all(isinstance(answer, (Answer, Violation)) for answer in answers)


def test_an_endless_line_is_bounded_and_cheap() -> None:
    client = greeted()
    client.expect(Stage.RCPT)

    answers = [answer for _ in range(100_000) for answer in client.receive(b"2")]

    assert answers == [Violation(stage=Stage.RCPT, fault=Fault.LINE_TOO_LONG)]


@pytest.mark.parametrize("octet", [b"\r", b"\n", b"\0", b"\r\n"])
def test_a_command_cannot_be_injected(octet: bytes) -> None:
    path = Path(raw=b"a@example.org>" + octet + b"RCPT TO:<b@example.org")

    with pytest.raises(ValueError, match="one line"):
        SmtpClient().command(Stage.MAIL, mail_line(path, ()))


def test_paths_and_parameters_go_out_as_they_came_in() -> None:
    recipient = Recipient(
        path=Path(raw=b'"odd name"@Example.ORG'),
        parameters=(b"NOTIFY=SUCCESS,FAILURE", b"ORCPT=rfc822;a+2Bb@example.org"),
    )

    assert (
        mail_line(NULL_PATH, (b"RET=HDRS", b"ENVID=x+3Dy")) == b"MAIL FROM:<> RET=HDRS ENVID=x+3Dy"
    )
    assert rcpt_line(recipient) == (
        b'RCPT TO:<"odd name"@Example.ORG> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@example.org'
    )


def test_keywords_are_upper_case_with_their_parameters() -> None:
    reply = Reply(
        code=250,
        lines=(
            b"inner.example.test greets",
            b"Size 1000",
            b"PIPELINING",
            b"8bitmime ",
            b"",
            b"XFORWARD NAME  ADDR",
            b"X\xff",
        ),
    )

    assert parse_keywords(reply) == {
        "SIZE": "1000",
        "PIPELINING": "",
        "8BITMIME": "",
        "XFORWARD": "NAME  ADDR",
        "X\ufffd": "",
    }


@given(st.text(max_size=80))
def test_xtext_has_only_xchars_and_can_be_undone(value: str) -> None:
    encoded = xtext(value)
    undone = bytearray()
    rest = encoded
    while rest:
        if rest[:1] == b"+":
            undone.append(int(rest[1:3], 16))
            rest = rest[3:]
        else:
            undone += rest[:1]
            rest = rest[1:]

    assert all(33 <= octet <= 126 and octet != ord("=") for octet in encoded)
    assert undone.decode("utf-8") == value


def test_xforward_says_what_is_announced_and_what_is_not_known() -> None:
    connection = Connection(client_ip="2001:db8::1", helo="mail one=a", client_port=2525)

    assert xforward_lines(connection, "name Addr PORT HELO UNHEARD source") == [
        b"XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=2525 HELO=mail+20one+3Da SOURCE=REMOTE"
    ]


def test_xforward_hands_on_what_a_listed_peer_forwarded() -> None:
    connection = Connection(
        client_ip="192.0.2.1", xforward=(("IDENT", "4AbC"), ("ADDR", "198.51.100.7"))
    )

    assert xforward_lines(connection, "ADDR IDENT") == [b"XFORWARD ADDR=198.51.100.7 IDENT=4AbC"]


def test_long_attributes_are_spread_over_several_commands() -> None:
    connection = Connection(
        client_ip="192.0.2.1", client_name="n" * 250, helo="h" * 250, protocol="p" * 256
    )

    lines = xforward_lines(connection, "NAME ADDR PROTO HELO")

    assert all(len(line) <= 510 for line in lines)
    assert b" ".join(lines).count(b"XFORWARD ") == 2
    assert b"PROTO=[UNAVAILABLE]" in b" ".join(lines)


def test_nothing_announced_is_no_command() -> None:
    assert xforward_lines(Connection(client_ip="192.0.2.1"), "") == []


@pytest.mark.parametrize(
    ("protocol", "said"), [("SMTP", b"SMTP"), ("ESMTPSA", b"ESMTP"), ("UTF8SMTP", b"ESMTP")]
)
def test_xclient_knows_two_protocols(protocol: str, said: bytes) -> None:
    connection = Connection(client_ip="192.0.2.1", protocol=protocol, auth_user="anna")

    assert xclient_lines(connection, "ADDR PROTO LOGIN") == [
        b"XCLIENT ADDR=192.0.2.1 PROTO=" + said + b" LOGIN=anna"
    ]
