"""The MTA peer itself: its octets, its edits, and that it catches filters that break the protocol."""

import struct

import pytest

from tests.support.mta import Mail, Mta
from tests.support.mta_message import Broken, MtaMessage
from tests.support.mta_wire import (
    ADD_HEADER,
    DELETE_RECIPIENT,
    LEADING_SPACE,
    SET_MACROS,
    FunctionWire,
    packet,
)
from tests.support.scripted_filter import (
    CONTINUE,
    ScriptedFilter,
    at_end,
    changed,
    inserted,
)

OWN = (b"Received: by mta.example.org\r\n",)
RAW = (
    b"From: <a@example.com>\r\nTo: <to@example.com>\r\nSubject: test\r\n"
    b"X-Twice: one\r\nx-twice: two\r\n folded\r\n\r\none\r\n"
)
MAIL = Mail(raw=RAW, recipients=(b"to@example.com", b"other@example.com"))


def mta(script, split=0, manner="postfix", **options) -> tuple[Mta, ScriptedFilter]:
    machine = ScriptedFilter(script, **options)
    peer = Mta(FunctionWire(machine.receive), own=OWN, split=split, manner=manner)
    return peer, machine


def delivered(*packets, mail=MAIL, **options):
    peer, _ = mta(at_end(*packets), **options)
    return peer.start().deliver(mail)


def test_octets_of_the_negotiation_are_those_of_the_documentation():
    peer, machine = mta(at_end(CONTINUE))
    sent = bytearray()
    inner = machine.receive
    peer.wire = FunctionWire(lambda octets: (sent.extend(octets), inner(octets))[1])
    peer.negotiate()
    assert bytes(sent) == bytes.fromhex("0000000d 4f 00000006 000001ff 001fffff")


def test_octets_of_the_commands_are_those_of_the_documentation():
    peer, machine = mta(at_end(CONTINUE))
    peer.send_macros = False
    peer.start().deliver(
        Mail(raw=b"A: b\r\n\r\nc\r\n", recipients=(b"r@e.test",), reverse_path=b"s@e.test",
             mail_parameters=(b"SIZE=5",))
    )  # fmt: skip
    assert machine.heard[1:] == [
        (b"C", b"client.example.com\x004\x9c\x40192.0.2.7\0"),
        (b"H", b"client.example.com\0"),
        (b"M", b"<s@e.test>\0SIZE=5\0"),
        (b"R", b"<r@e.test>\0"),
        (b"T", b""),
        (b"L", b"A\0 b\0"),
        (b"N", b""),
        (b"B", b"c\r\n"),
        (b"E", b""),
    ]


def test_macros_go_before_their_command_and_only_those_asked_for():
    peer, machine = mta(at_end(CONTINUE), more=struct.pack(">I", 5) + b"i\0")
    peer.start().deliver(MAIL)
    macros = machine.data_of(b"D")
    assert macros[0] == b"Cj\0mta.example.org\0{daemon_name}\0mta\0"
    assert macros[-1] == b"Ei\x004RqX1z0Yh9z1\0"


def test_macros_without_the_right_to_ask_are_caught():
    peer, _ = mta(at_end(CONTINUE), more=struct.pack(">I", 5) + b"i\0", actions=ADD_HEADER)
    with pytest.raises(Broken, match="macros"):
        peer.negotiate()


@pytest.mark.parametrize("split", [0, 1, 3])
def test_without_edits_the_message_is_as_it_was(split):
    outcome = delivered(CONTINUE, split=split)
    assert outcome.fate == "accept"
    assert outcome.raw == OWN[0] + RAW
    assert outcome.recipients == MAIL.recipients


def test_index_0_is_above_the_mtas_own_fields():
    outcome = delivered(inserted(0, b"X-First", b" 1"), inserted(0, b"X-Second", b" 2"), CONTINUE)
    assert outcome.raw == b"X-Second: 2\r\nX-First: 1\r\n" + OWN[0] + RAW


def test_add_appends_to_the_header():
    outcome = delivered(packet(b"h", b"X-Last\0 a\n\tb\0"), CONTINUE)
    assert outcome.raw.endswith(b"x-twice: two\r\n folded\r\nX-Last: a\r\n\tb\r\n\r\none\r\n")


def test_without_leading_space_the_mta_writes_it():
    outcome = delivered(packet(b"h", b"X-Last\0a\0"), CONTINUE, protocol=0)
    assert b"\r\nX-Last: a\r\n\r\n" in outcome.raw


@pytest.mark.parametrize(
    ("occurrence", "value", "left"),
    [
        (1, b" new", [b" new", b" two\n folded"]),
        (2, b" new", [b" one", b" new"]),
        (1, b"", [b" two\n folded"]),
        (2, b"", [b" one"]),
        (3, b" new", [b" one", b" two\n folded", b" new"]),
        (3, b"", [b" one", b" two\n folded"]),
    ],
)
def test_change_counts_from_one_whatever_the_case(occurrence, value, left):
    outcome = delivered(changed(occurrence, b"X-TWICE", value), CONTINUE)
    assert outcome.message.values(b"x-twice") == left


def test_a_deleted_field_counts_on_in_sendmail_only():
    edits = (changed(1, b"x-twice", b""), changed(1, b"x-twice", b" new"), CONTINUE)
    assert delivered(*edits).message.values(b"x-twice") == [b" new"]
    in_sendmail = delivered(*edits, manner="sendmail").message.values(b"x-twice")
    assert in_sendmail == [b" new", b" two\n folded"]


def test_the_place_of_an_insertion_below_the_top_is_unknown_in_sendmail():
    edits = (inserted(0, b"X-A", b" a"), inserted(2, b"X-B", b" b"), CONTINUE)
    assert b"\r\nReceived: by mta.example.org\r\nX-B: b\r\n" in delivered(*edits).raw
    with pytest.raises(Broken, match="nobody knows"):
        delivered(*edits, manner="sendmail")


def test_a_new_body_comes_in_several_chunks():
    outcome = delivered(packet(b"b", b"two\r\nth"), packet(b"b", b"ree\r\n"), CONTINUE)
    assert outcome.raw.endswith(b"\r\n\r\ntwo\r\nthree\r\n")


def test_recipients_are_deleted_and_nobody_left_means_discard():
    assert delivered(packet(b"-", b"<to@example.com>\0"), CONTINUE).recipients == (
        b"other@example.com",
    )
    gone = delivered(
        packet(b"-", b"to@example.com\0"), packet(b"-", b"<other@example.com>\0"), CONTINUE
    )
    assert (gone.fate, gone.recipients) == ("discard", ())


def test_quarantine_and_progress():
    outcome = delivered(packet(b"p"), packet(b"p"), packet(b"q", b"held\0"), CONTINUE)
    assert (outcome.held, outcome.progress) == (b"held", 2)


def test_a_body_goes_in_chunks_until_the_filter_has_enough():
    answers = {b"B": packet(b"s")}
    peer, machine = mta(
        lambda command, data: answers.get(command, CONTINUE), protocol=LEADING_SPACE | 0x400
    )
    body = b"x" * 78 + b"\r\n"
    mail = Mail(raw=b"A: b\r\n\r\n" + body * 2000, recipients=(b"to@example.com",))
    assert peer.start().deliver(mail).fate == "accept"
    assert [len(chunk) for chunk in machine.data_of(b"B")] == [65535]


def test_a_refused_recipient_is_not_the_end_of_the_others():
    def script(command, data):
        if command == b"R" and b"to@" in data:
            return packet(b"y", b"550 5.1.1 100%% not here\0")
        return CONTINUE

    outcome = mta(script)[0].start().deliver(MAIL)
    assert outcome.recipients == (b"other@example.com",)
    assert outcome.refused[b"to@example.com"].text == b"550 5.1.1 100% not here"


def test_several_messages_in_one_connection_and_the_next_connection():
    peer, machine = mta(at_end(CONTINUE))
    peer.start()
    assert [peer.deliver(MAIL).fate for _ in range(3)] == ["accept"] * 3
    peer.next_connection()
    peer.connect()
    peer.helo()
    assert peer.deliver(MAIL).fate == "accept"
    peer.quit()
    assert [command for command, _ in machine.heard if command in b"KQ"] == [b"K", b"Q"]


@pytest.mark.parametrize(
    ("packets", "what"),
    [
        ([packet(b"h", b"X-A\0 a\r\n b\0"), CONTINUE], "CR"),
        ([packet(b"h", b"X-A\0 a\nb\0"), CONTINUE], "fold"),
        ([packet(b"h", b"X A\0 a\0"), CONTINUE], "name"),
        ([packet(b"h", b"X-A\0 a"), CONTINUE], "NUL"),
        ([packet(b"-", b"<nobody@example.com>\0"), CONTINUE], "no recipient"),
        ([packet(b"y", b"550 4.7.1 no\0")], "two classes"),
        ([packet(b"y", b"250 2.0.0 yes\0")], "4xx or 5xx"),
        ([packet(b"y", b"550 5.7.1 100% no\0")], "bare %"),
        ([packet(b"b", b"a\nb\r\n"), CONTINUE], "bare LF"),
        ([packet(b"?")], "unknown"),
        ([b"\0\2\0\0b" + b"x" * 10], "packet of 131072"),
        ([CONTINUE, CONTINUE], "nobody waits"),
    ],
)
def test_filters_that_break_the_protocol_are_caught(packets, what):
    peer, _ = mta(at_end(*packets))
    peer.start()
    with pytest.raises(Broken, match=what):
        peer.deliver(MAIL)


def test_an_edit_that_was_not_agreed_is_caught():
    peer, _ = mta(at_end(packet(b"q", b"held\0"), CONTINUE), actions=DELETE_RECIPIENT | SET_MACROS)
    with pytest.raises(Broken, match="not agreed"):
        peer.start().deliver(MAIL)


def test_an_edit_before_the_end_is_caught():
    peer, _ = mta(lambda command, data: packet(b"q", b"early\0") + CONTINUE)
    peer.negotiate()
    with pytest.raises(Broken, match="before the end"):
        peer.connect()


def test_a_header_without_folding_rules_is_kept_octet_for_octet():
    raw = b"Subject:no space\r\nX:\r\nY:  two\r\n\tfolded  \r\n\r\n\r\nbody\r\n"
    assert MtaMessage.of(raw).raw() == raw
