"""Our MTA peer edits as real Postfix and real Sendmail do; with them it may judge the milter front."""

import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from milter.demo.inner_server import InnerServer
from tests.support import postfix, sendmail
from tests.support.client import Peer
from tests.support.gateway import eventually
from tests.support.inner import inner_server
from tests.support.mta import Mail, Mta
from tests.support.mta_wire import SocketWire, packet
from tests.support.scripted_filter import (
    CONTINUE,
    ScriptedFilter,
    at_end,
    changed,
    inserted,
    serving,
)

RAW = (
    b"From: <a@example.com>\r\nTo: <to@example.com>\r\nSubject: test\r\n"
    b"Date: Fri, 10 Mar 2023 23:29:35 +0000\r\nMessage-ID: <id@example.com>\r\n"
    b"X-Twice: one\r\nx-twice: two\r\n folded\r\n"
    b"Received: from x by y; Fri, 10 Mar 2023 23:29:35 +0000\r\n\r\none\r\n"
)
EDITS = {
    "none": (),
    "on top": (inserted(0, b"X-A", b" a"), inserted(0, b"X-B", b" b")),
    "on top in order": (
        inserted(0, b"X-A", b" a"),
        inserted(1, b"X-B", b" b"),
        inserted(2, b"X-C", b" c\n\td"),
    ),
    "add": (packet(b"h", b"X-A\0 a\0"),),
    "change first": (changed(1, b"x-twice", b" new"),),
    "change last": (changed(2, b"x-twice", b" new\n more"),),
    "change Received of another": (changed(1, b"Received", b" new"),),
    "delete": (changed(1, b"Subject", b""),),
    "delete what is not there": (changed(3, b"x-twice", b""),),
    "delete first, then change first": (changed(1, b"x-twice", b""), changed(1, b"x-twice", b" n")),
    "delete from the last": (changed(2, b"x-twice", b""), changed(1, b"x-twice", b"")),
    "delete, then insert": (
        changed(2, b"X-Twice", b""),
        changed(1, b"X-Twice", b""),
        inserted(0, b"X-Twice", b" ours"),
    ),
    "insert, then change": (inserted(0, b"X-Twice", b" a"), changed(1, b"X-Twice", b" b")),
    "insert, then change second": (inserted(0, b"X-Twice", b" a"), changed(2, b"X-Twice", b" b")),
    "body": (packet(b"b", b"two\r\nth"), packet(b"b", b"ree\r\n")),
    "recipient": (packet(b"-", b"<to@example.org>\0"),),
    "reverse-path": (packet(b"e", b"<new@example.com>\0"),),
}
ONLY_POSTFIX = {
    "below the top": (inserted(2, b"X-A", b" a"),),
    "delete, then insert below": (changed(1, b"To", b""), inserted(3, b"X-A", b" a")),
    "change beyond the last": (changed(3, b"x-twice", b" new"),),
}

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("postfix"),
    pytest.mark.skipif(bool(postfix.why_not()), reason=postfix.why_not()),
]
with_sendmail = pytest.mark.skipif(bool(sendmail.why_not()), reason=sendmail.why_not())


class Stage:
    """An MTA with a scripted filter between a client and a sink."""

    def __init__(self, stack: ExitStack, manner: str) -> None:
        self.manner = manner
        self.edits: tuple[bytes, ...] = ()
        self.sink: InnerServer = stack.enter_context(inner_server())
        self.filter_port = stack.enter_context(serving(self._filter))
        if manner == "sendmail":
            filters = sendmail.Filter(socket=sendmail.inet(self.filter_port), name="scripted")
            self.port = stack.enter_context(sendmail.sendmail(self.sink.port, filters)).port
        else:
            settings = {
                "smtpd_milters": f"inet:127.0.0.1:{self.filter_port}",
                "default_transport": f"smtp:[127.0.0.1]:{self.sink.port}",
            }
            self.port = stack.enter_context(postfix.postfix("mta", settings=settings)).port

    def _filter(self) -> ScriptedFilter:
        edits = b"".join(self.edits) + CONTINUE
        return ScriptedFilter(lambda command, data: edits if command == b"E" else CONTINUE)

    def really(self, edits: tuple[bytes, ...], recipients: list[str]) -> tuple:
        """What the MTA hands on: reverse-path, recipients, octets without its own Received."""
        self.edits = edits
        before = len(self.sink.messages)
        with Peer(self.port) as peer:
            peer.hello()
            assert peer.send(RAW, to=recipients, sender="s@example.com").startswith(b"250")
        eventually(lambda: len(self.sink.messages) > before)
        message = self.sink.messages[-1]
        return message.reverse_path, sorted(message.recipients), _without_received(message.raw)

    def modelled(self, edits: tuple[bytes, ...], recipients: list[str]) -> tuple:
        self.edits = edits
        peer = Mta(SocketWire(self.filter_port), manner=self.manner, own=(OWN,)).start()
        addresses = tuple(address.encode() for address in recipients)
        outcome = peer.deliver(Mail(raw=RAW, recipients=addresses, reverse_path=b"s@example.com"))
        peer.quit()
        return outcome.reverse_path, sorted(outcome.recipients), _without_received(outcome.raw)


# What the MTA that was played has on top.
OWN = b"Received: from client.test\r\n\tby mta.test\r\n"


def _without_received(raw: bytes) -> bytes:
    """Without the field of the MTA, which names it."""
    lines = raw.split(b"\r\n")
    start = next(number for number, line in enumerate(lines) if b"from client.test" in line)
    end = next(
        number for number, line in enumerate(lines) if number > start and line[:1] not in b"\t "
    )
    return b"\r\n".join(lines[:start] + lines[end:])


@pytest.fixture(scope="module")
def stages() -> Iterator[Callable[[str], Stage]]:
    """Each MTA with its filter, started when it is first asked for."""
    with ExitStack() as stack:
        yield functools.cache(lambda manner: Stage(stack, manner))


CASES = [
    *(pytest.param("postfix", name, id=f"postfix-{name}") for name in EDITS | ONLY_POSTFIX),
    *(pytest.param("sendmail", name, id=f"sendmail-{name}", marks=with_sendmail) for name in EDITS),
]


@pytest.mark.parametrize(("manner", "name"), CASES)
def test_the_peer_edits_as_the_mta_does(stages, manner, name):
    stage = stages(manner)
    edits = (EDITS | ONLY_POSTFIX)[name]
    recipients = ["to@example.org", "other@example.org"]
    assert stage.really(edits, recipients) == stage.modelled(edits, recipients)


def test_a_chrooted_postfix_finds_a_socket_below_its_queue_directory():
    """A path without a leading slash is the same inside and outside (docs/milter.md)."""
    settings = {"smtpd_milters": "unix:lurewall/milter.sock"}
    made = inserted(0, b"X-A", b" a") + CONTINUE
    with (
        inner_server() as sink,
        postfix.postfix(
            "jailed",
            chroot=True,
            settings={**settings, "default_transport": f"smtp:[127.0.0.1]:{sink.port}"},
        ) as mta,
    ):
        folder = mta.folder / "spool" / "lurewall"
        folder.mkdir(mode=0o750)
        shutil.chown(folder, group="postfix")
        path = folder / "milter.sock"
        with serving(lambda: ScriptedFilter(at_end(made)), path), Peer(mta.port) as peer:
            path.chmod(0o660)
            shutil.chown(path, group="postfix")
            peer.hello()
            assert peer.send(RAW, to=["jailed@example.org"]).startswith(b"250"), mta.log()
            eventually(lambda: sink.messages)
    assert sink.messages[0].raw.startswith(b"X-A: a\r\n")
