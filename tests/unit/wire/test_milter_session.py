"""What an MTA hears of the milter session, and what the session makes of its packets."""

import struct

import pytest

from milter.mail.address import parse_path
from milter.mail.edit import InsertField, RemoveField, ReplaceField, SpliceBody, apply_edits
from milter.mail.envelope import Recipient
from milter.mail.handback import Handback
from milter.mail.message import scan_header
from milter.mail.reply import OK, own_reply
from milter.wire.milter_codec import MilterProtocolError
from milter.wire.milter_session import Ended, MilterMessage
from tests.support.milter_machine import Machine, let_through, mta_of
from tests.support.mta import Mail
from tests.support.mta_wire import ALL_ACTIONS, ALL_PROTOCOL, CHUNK, packet

RAW = (
    b"Received: from a.test\r\n\tby b.test; Mon, 2 Mar 2026 10:00:00 +0000\r\n"
    b"Subject:no space\r\nFrom: A <a@sender.test>\r\nX-Odd:  two spaces\r\n"
    b"X-Odd: second\r\n\r\nfirst line\r\n\r\nlast line"
)
TO = (b"one@example.org", b"two@example.org")
MANNERS = ["postfix", "sendmail"]


def message_of(raw: bytes = RAW, **options) -> MilterMessage:
    machine = Machine()
    mta_of(machine, **options).start().deliver(Mail(raw=raw, recipients=TO))
    (message,) = machine.messages
    return message


@pytest.mark.parametrize("split", [0, 1, 2, 7])
def test_a_message_is_rebuilt_octet_for_octet(split: int):
    message = message_of(split=split)
    assert message.raw == RAW
    assert message.fields_agree
    assert message.queue_id == "4RqX1z0Yh9z1"
    assert [one.path.raw for one in message.envelope.recipients] == list(TO)
    assert message.envelope.reverse_path.raw == b"sender@example.com"
    assert message.connection.client_ip == "192.0.2.7"
    assert message.connection.client_name == "client.example.com"
    assert message.connection.client_port == 40000
    assert message.connection.helo == "client.example.com"


def test_without_leading_space_mode_a_space_stands_after_each_colon():
    message = message_of(protocol=ALL_PROTOCOL & ~0x100000)
    assert b"Subject: no space\r\n" in message.raw
    assert message.fields_agree


@pytest.mark.parametrize("send_macros", [True, False])
def test_macros_are_optional(send_macros: bool):
    message = message_of(send_macros=send_macros)
    assert message.queue_id == ("4RqX1z0Yh9z1" if send_macros else "")
    assert message.connection.auth_user == ""


def test_an_mta_that_waits_for_every_answer_gets_them():
    assert message_of(protocol=0).raw.startswith(b"Received:")


def test_an_mta_without_macro_lists_gets_none():
    machine = Machine()
    mta = mta_of(machine, actions=ALL_ACTIONS & ~0x100)
    assert mta.start().deliver(Mail(raw=RAW, recipients=TO)).fate == "accept"
    assert mta.asked_macros == {}


@pytest.mark.parametrize(
    ("version", "actions", "word"),
    [(2, ALL_ACTIONS, "version 2"), (5, ALL_ACTIONS, "version 5"), (6, 0x21, "CHANGE_BODY")],
)
def test_an_mta_that_cannot_do_what_we_need_is_refused_clearly(version, actions, word):
    with pytest.raises(MilterProtocolError, match=word):
        mta_of(Machine(), version=version, actions=actions).negotiate()


def test_ipv6_and_local_clients():
    for family, address, expected in (
        (b"6", b"IPv6:2001:DB8::1", "2001:db8::1"),
        (b"6", b"2001:db8::1", "2001:db8::1"),
        (b"L", b"/run/socket", ""),
        (b"U", b"", ""),
    ):
        machine = Machine()
        mta = mta_of(machine)
        mta.negotiate()
        mta.connect(address=address, family=family)
        mta.deliver(Mail(raw=RAW, recipients=TO))
        assert machine.messages[0].connection.client_ip == expected


def test_several_messages_in_one_connection_do_not_mix():
    machine = Machine()
    mta = mta_of(machine).start()
    for number in range(3):
        raw = b"Subject: %d\r\n\r\nbody %d\r\n" % (number, number)
        mta.deliver(Mail(raw=raw, recipients=(b"r%d@example.org" % number,)))
    assert [m.raw for m in machine.messages] == [
        b"Subject: %d\r\n\r\nbody %d\r\n" % (n, n) for n in range(3)
    ]
    assert [len(m.envelope.recipients) for m in machine.messages] == [1, 1, 1]


def test_a_transaction_given_up_leaves_nothing_behind():
    machine = Machine()
    mta = mta_of(machine).start()
    mta.mail(b"old@sender.test")
    mta.rcpt(b"old@example.org")
    mta.abort()
    mta.mail(b"older@sender.test")
    mta.rcpt(b"old@example.org")
    # No ABORT: a new MAIL begins anew.
    mta.deliver(Mail(raw=RAW, recipients=TO))
    (message,) = machine.messages
    assert [one.path.raw for one in message.envelope.recipients] == list(TO)


def test_the_next_client_on_the_same_wire():
    machine = Machine()
    mta = mta_of(machine).start()
    mta.deliver(Mail(raw=RAW, recipients=TO))
    mta.next_connection()
    mta.connect(address=b"198.51.100.9")
    mta.deliver(Mail(raw=RAW, recipients=TO))
    mta.quit()
    assert [m.connection.client_ip for m in machine.messages] == ["192.0.2.7", "198.51.100.9"]
    assert machine.events == [Ended.CONNECTED, Ended.DISCONNECTED, Ended.CONNECTED, Ended.QUIT]


@pytest.mark.parametrize("judged", [True, False])
def test_mail_of_clients_that_logged_in_is_let_through_unless_it_shall_be_judged(judged: bool):
    machine = Machine(pass_authenticated=not judged)
    mta = mta_of(machine, macros={"{auth_authen}": b"ina"}).start()
    outcome = mta.deliver(Mail(raw=RAW, recipients=TO))
    assert outcome.fate == "accept"
    assert len(machine.messages) == int(judged)
    assert outcome.stage == ("end_of_body" if judged else "mail")


def test_parameters_and_odd_paths_stay_as_they_came():
    machine = Machine()
    mta = mta_of(machine).start()
    mta.deliver(
        Mail(
            raw=RAW,
            recipients=(b"no path at all", b"one@example.org"),
            reverse_path=b"",
            mail_parameters=(b"SIZE=10", b"SMTPUTF8"),
            rcpt_parameters=(b"NOTIFY=NEVER",),
        )
    )
    envelope = machine.messages[0].envelope
    assert envelope.reverse_path.is_null
    assert envelope.mail_parameters == (b"SIZE=10", b"SMTPUTF8")
    assert envelope.smtputf8
    assert envelope.recipients[0].path.raw == b"no path at all"
    assert envelope.recipients[0].path.mailbox is None
    assert envelope.recipients[1].parameters == (b"NOTIFY=NEVER",)


def test_macros_of_one_recipient_or_message_are_never_those_of_the_next():
    """A stale mailbox would take another recipient out of the mail."""
    machine = Machine(lambda message: Handback(reply=OK, removed=message.envelope.recipients[1:]))
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test", auth_authen=b"")
    mta.rcpt(b"one@example.org")
    mta.send_macros = False
    mta.rcpt(b"two@example.org")
    mta.command(b"N")
    mta.define(b"E", i=b"4RqX1z0Yh9z1")
    answer = mta.command(b"E")
    assert [data for kind, data in answer.edits if kind == b"-"] == [b"<two@example.org>\0"]


def test_the_newest_value_of_a_macro_counts():
    machine = Machine()
    mta = mta_of(machine)
    mta.start()
    for queue_id in (b"first", b"second"):
        mta.deliver(Mail(raw=RAW, recipients=TO, queue_id=queue_id))
    mta.send_macros = False
    mta.deliver(Mail(raw=RAW, recipients=TO))
    assert [message.queue_id for message in machine.messages] == ["first", "second", ""]


def test_what_is_not_kept_is_skipped_and_said():
    machine = Machine(may_keep=lambda octets: "too_large" if octets > 100_000 else "")
    outcome = mta_of(machine).start().deliver(Mail(raw=RAW + b"x" * 10 * CHUNK, recipients=TO))
    assert outcome.fate == "accept"
    assert machine.messages[0].unkept == "too_large"
    assert machine.messages[0].raw == b""


def test_a_message_without_body_and_one_without_header():
    for raw in (b"Subject: x\r\n\r\n", b"\r\nbody\r\n", b"\r\n"):
        assert message_of(raw).raw == raw


def test_fields_that_our_scanner_sees_otherwise_are_noticed():
    machine = Machine()
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test")
    mta.rcpt(b"one@example.org")
    for name, value in ((b"Subject", b" x"), (b"odd name", b" y"), (b"Subject", b" z\nnot folded")):
        mta.command(b"L", name + b"\0" + value + b"\0")
    mta.command(b"N")
    mta.command(b"E")
    assert not machine.messages[0].fields_agree


@pytest.mark.parametrize(
    ("name", "value", "agrees"),
    [
        (b"X-A", b" plain", True),
        (b"X-A", b"", True),
        (b"X-A", b" folded\n\tmore\n ", True),
        (b"From", b" a@sender.test", True),
        (b"X-A", b" cut\n\nby an empty line", False),
        (b"X-A", b" ends with a line\n", False),
        (b"X-A", b" \nX-B: hidden", False),
        (b"", b" no name", False),
        ("größe".encode(), b" 8 bit", False),
        (b"X-A:X-B", b" two colons", False),
        (b"X-A", b" nul\0inside", False),
    ],
)
def test_fields_agree_where_each_is_one_field_for_our_scanner(
    name: bytes, value: bytes, agrees: bool
):
    machine = Machine()
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test")
    mta.rcpt(b"one@example.org")
    mta.command(b"L", name + b"\0" + value + b"\0")
    mta.command(b"N")
    mta.command(b"E")
    (message,) = machine.messages
    assert message.fields_agree == agrees
    names = [field.name for field in scan_header(message.raw).fields]
    assert (names == [name.lower()]) or not agrees


def test_more_fields_than_our_scanner_lists_are_still_counted_alike():
    """Or many fields would keep forged ones of ours in the mail."""
    message = message_of(b"X-A: 1\r\n" * 2500 + b"\r\nbody\r\n")
    assert message.fields_agree


# Answers.


def answered(handback: Handback, manner: str = "postfix", raw: bytes = RAW, **options):
    machine = Machine(lambda _message: handback)
    return mta_of(machine, manner=manner, **options).start().deliver(Mail(raw=raw, recipients=TO))


def edited(*edits) -> Handback:
    return Handback(reply=OK, edits=edits, raw=apply_edits(RAW, edits))


def field(index: int, name: bytes, value: bytes) -> InsertField:
    return InsertField(index=index, start=0, name=name, value=value)


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("protocol", [ALL_PROTOCOL, ALL_PROTOCOL & ~0x100000])
def test_new_fields_stand_on_top_in_their_order(manner: str, protocol: int):
    handback = edited(field(0, b"X-A", b" 1"), field(1, b"X-B", b" 2;\r\n\tfolded"))
    outcome = answered(handback, manner, protocol=protocol)
    assert outcome.raw.startswith(b"X-A: 1\r\nX-B: 2;\r\n\tfolded\r\nReceived:")


@pytest.mark.parametrize("manner", MANNERS)
def test_edits_give_the_octets_that_they_give_without_an_mta(manner: str):
    raw = RAW
    first = raw.index(b"X-Odd:  two")
    second = raw.index(b"X-Odd: second")
    subject = raw.index(b"no space")
    body = raw.index(b"last line")
    edits = (
        field(0, b"X-A", b" 1"),
        field(1, b"X-B", b" 2"),
        ReplaceField(
            name=b"Subject", occurrence=1, start=subject, removed=b"no space", value=b" [t] x"
        ),
        RemoveField(name=b"X-Odd", occurrence=1, start=first, removed=b"X-Odd:  two spaces\r\n"),
        RemoveField(name=b"x-odd", occurrence=2, start=second, removed=b"X-Odd: second\r\n"),
        SpliceBody(part="1", start=body, removed=b"", octets=b"banner\r\n"),
    )
    outcome = answered(edited(*edits), manner)
    assert outcome.raw == apply_edits(raw, edits)


def test_a_large_new_body_goes_in_chunks():
    new = b"y" * (3 * CHUNK + 5)
    edit = SpliceBody(part="1", start=len(RAW), removed=b"", octets=new)
    assert answered(edited(edit)).raw == RAW + new


def test_an_empty_new_body_and_a_label_that_was_missing():
    end = RAW.index(b"\r\n\r\n") + 2
    label = InsertField(index=5, start=end, name=b"MIME-Version", value=b" 1.0")
    edit = SpliceBody(part="1", start=end + 2, removed=b"first", octets=b"First")
    outcome = answered(edited(label, edit))
    assert outcome.raw == apply_edits(RAW, (label, edit))


def test_held_recipients_leave_and_the_others_stay():
    machine = Machine(lambda message: Handback(reply=OK, removed=(message.envelope.recipients[0],)))
    outcome = mta_of(machine).start().deliver(Mail(raw=RAW, recipients=TO))
    assert outcome.recipients == TO[1:]
    assert outcome.raw == RAW


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("odd", [b"@relay.test:two@example.org", b"Foo <two@example.org>"])
def test_a_held_recipient_leaves_however_it_was_named(manner: str, odd: bytes):
    """Postfix delivers to the mailbox, and does not find it by the words of the client."""
    machine = Machine(lambda message: Handback(reply=OK, removed=message.envelope.recipients[1:]))
    mail = Mail(raw=RAW, recipients=(b"one@example.org", odd))
    outcome = mta_of(machine, manner=manner).start().deliver(mail)
    assert outcome.recipients == (b"one@example.org",)


def test_a_recipient_that_is_no_path_is_whom_the_mta_takes_it_for():
    machine = Machine()
    mail = Mail(raw=RAW, recipients=(b"Foo <two@example.org>",))
    mta_of(machine).start().deliver(mail)
    (recipient,) = machine.messages[0].envelope.recipients
    assert recipient.path == parse_path(b"<two@example.org>", smtputf8=False)[0]


@pytest.mark.parametrize(
    ("words", "known", "taken_for"),
    [
        (b"boss%held.example.org@example.org", b"boss@held.example.org", "boss@held.example.org"),
        (b"held.example.org!boss@example.org", b"boss@held.example.org", "boss@held.example.org"),
        (b'"boss@held.example.org"@example.org', b"boss@held.example.org", "boss@held.example.org"),
        # Sendmail names a local user without domain, and what an alias stands for.
        (b"ten%@example.org", b"ten%", "ten%@example.org"),
        (b"sales@example.org", b"ina@inner.example.org", "sales@example.org"),
    ],
)
def test_policy_is_that_of_the_mailbox_to_which_a_route_leads(words, known, taken_for):
    """Or a sender could choose the row, by the name of another domain of the house."""
    machine = Machine(lambda message: Handback(reply=OK, removed=message.envelope.recipients))
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test")
    mta.define(b"R", rcpt_addr=known)
    mta.command(b"R", b"<" + words + b">\0")
    mta.command(b"N")
    told = [data for kind, data in mta.command(b"E").edits if kind == b"-"]
    (recipient,) = machine.messages[0].envelope.recipients
    assert recipient.path.mailbox.address == taken_for
    assert told == [b"<" + words + b">\0", b"<" + known + b">\0"]


def test_all_words_for_one_recipient_are_told():
    machine = Machine(lambda message: Handback(reply=OK, removed=message.envelope.recipients[1:]))
    mta = mta_of(machine)
    mail = Mail(raw=RAW, recipients=(TO[0], b"Foo <two@example.org>", b"two@example.org"))
    assert mta.start().deliver(mail).recipients == TO[:1]


def test_discard_hold_refuse_and_defer():
    assert answered(Handback(reply=OK, discard=True)).fate == "discard"
    held = answered(Handback(reply=OK, hold_reason="held by us"))
    assert (held.fate, held.held) == ("accept", b"held by us")
    refused = answered(Handback(reply=own_reply(550, "5.7.1", "100 % refused")))
    assert (refused.fate, refused.reply) == ("reply", b"550 5.7.1 100 % refused")
    deferred = answered(Handback(reply=own_reply(451, "4.3.0", "later")))
    assert deferred.reply.startswith(b"451 4.3.0")


def test_progress_while_a_message_is_judged():
    machine = Machine()

    def slow(message: MilterMessage) -> Handback:
        machine.session.progress()
        machine.session.progress()
        return let_through(message)

    machine.judge = slow
    outcome = mta_of(machine).start().deliver(Mail(raw=RAW, recipients=TO))
    assert outcome.progress == 2
    machine.session.progress()
    assert machine.session.take_output() == b""


# A broken MTA.


@pytest.mark.parametrize("letter", [b"A", b"K", b"Q"])
def test_a_message_that_is_given_up_while_it_is_judged_is_over(letter: bytes):
    """An answer to it would be taken for one to the next message."""
    machine = Machine()
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test")
    mta.rcpt(b"one@example.org")
    mta.command(b"N")
    message, ended = machine.session.receive(packet(b"E") + packet(letter))
    assert isinstance(message, MilterMessage)
    assert ended in Ended
    with pytest.raises(MilterProtocolError, match="no message waits"):
        machine.session.hand_back(Handback(reply=OK))
    assert machine.session.take_output() == b""


@pytest.mark.parametrize(
    ("packets", "word"),
    [
        ([packet(b"M", b"<a@b.test>\0")], "mail cannot come now"),
        ([packet(b"O", b"\0")], "cut short"),
        ([packet(b"!", b"")], "unknown command"),
        ([struct.pack(">I", 0)], "0 octets"),
        ([struct.pack(">I", 1 << 30)], "packet of"),
    ],
)
def test_what_is_no_protocol_is_an_error(packets: list[bytes], word: str):
    with pytest.raises(MilterProtocolError, match=word):
        Machine()(b"".join(packets))


@pytest.mark.parametrize("letter", [b"R", b"T", b"L", b"N", b"B", b"E", b"O"])
def test_a_command_at_the_wrong_time_is_an_error(letter: bytes):
    machine = Machine()
    mta_of(machine).start()
    with pytest.raises(MilterProtocolError, match="cannot come now"):
        machine(packet(letter, b"x\0"))


def test_a_message_without_recipients_is_let_through():
    machine = Machine()
    mta = mta_of(machine).start()
    mta.mail(b"a@sender.test")
    mta.command(b"L", b"Subject\0 x\0")
    assert mta.command(b"E").verdict == "accept"
    assert machine.messages == []


def test_an_answer_that_nobody_asked_for_is_our_own_bug():
    machine = Machine()
    mta_of(machine).start()
    with pytest.raises(MilterProtocolError):
        machine.session.hand_back(Handback(reply=OK))


def test_a_handback_refuses_what_contradicts_itself():
    somebody = (Recipient(path=message_of().envelope.recipients[0].path),)
    with pytest.raises(ValueError, match="refused"):
        Handback(reply=own_reply(550, "5.7.1", "no"), removed=somebody)
    with pytest.raises(ValueError, match="discarded"):
        Handback(reply=OK, discard=True, hold_reason="x")
