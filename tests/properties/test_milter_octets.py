"""Whatever octets come on a milter connection: whole messages, a protocol error, or silence."""

import struct
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from milter.mail.edit import InsertField, RemoveField, SpliceBody, apply_edits
from milter.mail.handback import Handback
from milter.mail.reply import OK
from milter.wire.milter_codec import MilterProtocolError
from tests.support.milter_machine import Machine, mta_of
from tests.support.mta import Mail
from tests.support.mta_wire import FunctionWire, packet

RAW = b"Subject: x\r\nX-A: 1\r\nX-A: 2\r\n\r\nbody\r\n"


class Recorder(FunctionWire):
    """Keeps what the MTA sent."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.sent = b""

    def send(self, octets: bytes) -> None:
        self.sent += octets
        super().send(octets)


def conversation() -> bytes:
    """Octets of an MTA that delivers two messages."""
    mta = mta_of(Machine())
    mta.wire = Recorder(mta.wire._machine)  # type: ignore[attr-defined]
    mta.start()
    for _ in range(2):
        mta.deliver(Mail(raw=RAW, recipients=(b"one@example.org", b"two@example.org")))
    mta.quit()
    return mta.wire.sent


TALK = conversation()


def fed(octets: bytes, cuts: list[int]) -> tuple[Machine, bytes, str]:
    """A machine after these octets in these pieces, what it said, and its protocol error."""
    machine = Machine()
    said = b""
    edges = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(edges):
            said += machine(octets[start:end])
    except MilterProtocolError as error:
        return machine, said + machine.session.take_output(), str(error)
    return machine, said, ""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_pieces_do_not_matter(cuts: list[int]):
    whole, answers, _ = fed(TALK, [])
    machine, said, error = fed(TALK, cuts)
    assert error == ""
    assert said == answers
    assert machine.messages == whole.messages
    assert [message.raw for message in machine.messages] == [RAW, RAW]


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(TALK)), st.integers(0, 12), st.binary(max_size=12)),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(0, 10_000), max_size=4),
)
@example([(0, 4, struct.pack(">I", 0xFFFFFFFF))], [])
@example([(len(TALK), 0, packet(b"E"))], [])
def test_damaged_octets_end_in_an_error_or_in_messages(damage, cuts):
    octets = TALK
    for at, length, other in damage:
        octets = octets[:at] + other + octets[at + length :]
    machine, said, error = fed(octets, cuts)
    assert error or len(machine.messages) <= 3
    for message in machine.messages:
        assert message.envelope.recipients
        assert b"\r\n" in message.raw
    # Every answer is a whole packet of a letter that the protocol has.
    while said:
        (length,) = struct.unpack_from(">I", said)
        assert said[4:5] in (b"O", b"c", b"a", b"s", b"p")
        assert len(said) >= 4 + length
        said = said[4 + length :]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_octets_of_any_kind_never_make_a_message(octets: bytes):
    machine, _, _ = fed(octets, [])
    assert machine.messages == []


NAMES = st.sampled_from([b"X-A", b"x-a", b"Subject", b"Received", b"X-B"])
VALUES = st.binary(max_size=30).map(lambda octets: b" " + bytes(c for c in octets if 32 < c < 127))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=8),
    st.data(),
    st.sampled_from(["postfix", "sendmail"]),
    st.booleans(),
)
def test_edits_over_the_protocol_give_what_they_give_on_octets(fields, data, manner, spaces):
    raw = b"".join(name + b":" + value + b"\r\n" for name, value in fields) + b"\r\nbody\r\n"
    edits = [
        InsertField(index=n, start=0, name=b"X-New-%d" % n, value=b" %d\r\n\tmore" % n)
        for n in range(data.draw(st.integers(0, 3)))
    ]
    position, seen = 0, {}
    for name, value in fields:
        octets = name + b":" + value + b"\r\n"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        if data.draw(st.booleans()):
            edits.append(
                RemoveField(
                    name=name, occurrence=seen[name.lower()], start=position, removed=octets
                )
            )
        position += len(octets)
    if data.draw(st.booleans()):
        edits.append(SpliceBody(part="1", start=position + 2, removed=b"", octets=b"banner\r\n"))
    expected = apply_edits(raw, edits)
    machine = Machine(lambda _message: Handback(reply=OK, edits=tuple(edits), raw=expected))
    mta = mta_of(machine, manner=manner, protocol=0x1FFFFF if spaces else 0x0FFFFF)
    outcome = mta.start().deliver(Mail(raw=raw, recipients=(b"one@example.org",)))
    if spaces:
        assert outcome.raw == expected
    else:
        assert outcome.raw.replace(b": ", b":") == expected.replace(b": ", b":")
