"""The filter dies in the middle of a message: the MTA's default action happens, and is counted.

A message is safe with the sender (451) or goes on unjudged, as the MTA was told; it is never held
and delivered, and mail that comes later is judged again.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.integration.test_milter import MTAS, POLICY, lure
from tests.support.behind import Behind, behind
from tests.support.client import Peer
from tests.support.gateway import eventually
from tests.support.kept import held_mails

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("milter")]
# What MTAs write into their log when a filter does not answer.
LOGGED = {"postfix": "warning: milter ", "sendmail": "Milter (lurewall): to error state"}


@pytest.fixture(scope="module", params=MTAS)
def defaults(request, tmp_path_factory) -> Iterator[dict[str, Behind]]:
    """The same filter behind an MTA for each default action."""
    kind, unix = request.param
    folder = tmp_path_factory.mktemp(f"gone-{kind}")
    with (
        behind(kind, folder, unix=unix, default="tempfail", readers=1, more=POLICY) as deferring,
        deferring.beside(default="accept") as accepting,
    ):
        yield {"tempfail": deferring, "accept": accepting}


def front(running: Behind) -> int:
    (pid,) = running.gateway.children("milter.app.front_process")
    return pid


def killed_in_content(running: Behind, raw: bytes, to: str) -> bytes:
    """SIGKILL when half of the message is on its way."""
    with Peer(running.mta.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        assert peer.say(f"RCPT TO:<{to}>").startswith(b"250")
        assert peer.say("DATA").startswith(b"354")
        half = raw.index(b"honorarium")
        peer.raw(raw[:half])
        os.kill(front(running), signal.SIGKILL)
        return peer.content(raw[half:])


def killed_at_the_end(running: Behind, raw: bytes, to: str) -> bytes:
    """The filter has the whole message, does not answer, and dies."""
    pid = front(running)
    with Peer(running.mta.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        assert peer.say(f"RCPT TO:<{to}>").startswith(b"250")
        assert peer.say("DATA").startswith(b"354")
        os.kill(pid, signal.SIGSTOP)
        peer.raw(raw + b".\r\n")
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        return peer.reply()


@pytest.mark.parametrize(
    ("kill", "default"),
    [
        (killed_in_content, "accept"),
        (killed_at_the_end, "accept"),
        (killed_at_the_end, "tempfail"),
    ],
)
def test_the_default_action_happens_and_the_next_mail_is_judged(
    defaults: dict[str, Behind], kill: Callable[[Behind, bytes, str], bytes], default: str
) -> None:
    running = defaults[default]
    name = f"{kill.__name__}-{default}"
    to = f"{name}@held.example.org"
    ended = running.gateway.metric("lurewall_fronts_ended_total")
    answer = kill(running, lure(name), to)
    if default == "tempfail":
        assert answer.startswith(b"451 4.")
        assert running.copies(to) == []
    else:
        assert answer.startswith(b"250")
        assert b"X-Lurewall" not in running.only(to).raw
    # Postfix has a process that writes the log, a moment later.
    eventually(lambda: LOGGED[running.where.kind] in running.mta.log())
    assert to not in held_mails(running.gateway)
    running.gateway.wait_ready()
    eventually(lambda: running.gateway.metric("lurewall_fronts_ended_total") == ended + 1)

    # As after a retry by the sender.
    assert running.send(lure(name), to).startswith(b"250")
    assert len(running.copies(to)) == (default == "accept")
    assert held_mails(running.gateway)[to] == [lure(name)]


def test_without_any_filter_the_default_action_happens(defaults):
    assert defaults["tempfail"].gateway.stop() == 0
    assert defaults["tempfail"].send(lure("gone"), "gone@held.example.org").startswith(b"4")
    assert defaults["accept"].send(lure("gone"), "gone@held.example.org").startswith(b"250")
    assert b"X-Lurewall" not in defaults["accept"].only("gone@held.example.org").raw
