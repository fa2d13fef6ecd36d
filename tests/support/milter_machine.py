"""The milter session as a machine for the MTA of the tests: octets in, octets out, no IO."""

from collections.abc import Callable

from milter.mail.handback import Handback
from milter.mail.reply import OK
from milter.wire.milter_session import Ended, MilterMessage, MilterSession
from tests.support.mta import Mta
from tests.support.mta_wire import FunctionWire

Judge = Callable[[MilterMessage], Handback]


def let_through(_message: MilterMessage) -> Handback:
    """Nothing to change."""
    return Handback(reply=OK)


class Machine:
    """A session and a judge; keeps what the session told."""

    def __init__(self, judge: Judge = let_through, **options) -> None:
        options.setdefault("may_keep", lambda _octets: "")
        self.session = MilterSession(name="milter", **options)
        self.judge = judge
        self.messages: list[MilterMessage] = []
        self.events: list[Ended] = []

    def __call__(self, octets: bytes) -> bytes:
        for event in self.session.receive(octets):
            if isinstance(event, MilterMessage):
                self.messages.append(event)
                self.session.hand_back(self.judge(event))
            else:
                self.events.append(event)
        return self.session.take_output()


def mta_of(machine: Machine, **options) -> Mta:
    """An MTA that talks to it."""
    return Mta(wire=FunctionWire(machine), **options)
