"""Senders that never tire: mail after mail, each over a connection of its own, until told to end."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from milter.demo.inner_server import InnerServer
from tests.support.client import Peer
from tests.support.gateway import eventually
from tests.support.mails import mail

SENDERS = 6


class Sender(threading.Thread):
    """Sends `make(name)` to `name` (`names`-0 and so on), with a pause behind each.

    `cut` holds what must not be: transactions that were begun and got no final reply. `refused` are
    connections that failed without one; `told_later` those that heard 421 before one began.
    """

    def __init__(
        self,
        names: str,
        port: int,
        ended: threading.Event,
        make: Callable[[str], bytes],
        pause: float,
    ) -> None:
        super().__init__(daemon=True)
        self.names = names
        self.port = port
        self.ended = ended
        self.make = make
        self.pause = pause
        self.replies: list[tuple[str, bytes]] = []
        self.cut: list[str] = []
        self.refused: list[str] = []
        self.told_later: list[bytes] = []

    def run(self) -> None:
        while not self.ended.is_set():
            name = f"{self.names}-{len(self.replies)}"
            raw = self.make(name)
            stage = "connect"
            try:
                with Peer(self.port, timeout=40) as peer:
                    stage = "hello"
                    answer = peer.reply()
                    for command in ("EHLO client.test", "MAIL FROM:<a@sender.test>"):
                        if answer.startswith(b"2"):
                            answer = peer.say(command)
                    if not answer:
                        raise ConnectionResetError
                    if not answer.startswith(b"2"):
                        # Told so, whatever it was about to say; the connection ends behind it.
                        self.told_later.append(answer)
                        continue
                    stage = "transaction"
                    peer.say(f"RCPT TO:<{name}@example.org>")
                    peer.say("DATA")
                    self.replies.append((name, peer.content(raw)))
            except OSError as error:
                (self.cut if stage == "transaction" else self.refused).append(
                    f"{name} {stage} {type(error).__name__}"
                )
                time.sleep(0.01)
            self.ended.wait(self.pause)


class Load:
    """Some senders at work; `with` it."""

    def __init__(
        self,
        port: int,
        make: Callable[[str], bytes] = mail,
        *,
        names: str = "u",
        senders: int = SENDERS,
        pause: float = 0.0,
    ) -> None:
        self._ended = threading.Event()
        self.senders = [
            Sender(f"{names}{number}", port, self._ended, make, pause) for number in range(senders)
        ]

    def __enter__(self) -> "Load":
        for sender in self.senders:
            sender.start()
        self.wait_for_more()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for sender in self.senders:
            sender.join(60)
            assert not sender.is_alive()

    def wait_for_more(self, more: int = 5) -> None:
        """Until every sender has had some more replies."""
        wanted = {sender: len(sender.replies) + more for sender in self.senders}
        eventually(lambda: all(len(one.replies) >= count for one, count in wanted.items()))

    @property
    def replies(self) -> list[tuple[str, bytes]]:
        return [reply for sender in self.senders for reply in sender.replies]

    @property
    def failed(self) -> list[str]:
        """Connections that a client found closed, and transactions without an end."""
        return [one for sender in self.senders for one in (*sender.cut, *sender.refused)]


def delivered(inner: InnerServer) -> Counter[str]:
    """How often the inner server took a mail, by the local part of its recipient."""
    return Counter(
        recipient.decode().partition("@")[0]
        for message in inner.messages
        for recipient in message.recipients
    )
