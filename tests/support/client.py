"""A plain SMTP client for tests: says what it is told, octet for octet, and keeps every reply."""

import socket
from types import TracebackType


class Peer:
    """One connection; `say` sends a line and gives the reply, `raw` sends octets."""

    def __init__(self, port: int, *, timeout: float = 60.0, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=timeout, source_address=(source, 0)
        )
        self._file = self.socket.makefile("rb")

    @classmethod
    def over(cls, connected: socket.socket) -> "Peer":
        """A peer on a socket that is connected already, after STARTTLS say."""
        peer = cls.__new__(cls)
        peer.socket = connected
        peer._file = connected.makefile("rb")
        return peer

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def raw(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> bytes:
        """One whole reply; b'' at the end of the stream."""
        lines = []
        while True:
            line = self._file.readline()
            lines.append(line)
            if line[3:4] != b"-":
                return b"".join(lines)

    def say(self, line: str | bytes) -> bytes:
        octets = line.encode() if isinstance(line, str) else line
        self.raw(octets + b"\r\n")
        return self.reply()

    def hello(self) -> bytes:
        """Greeting and EHLO."""
        assert self.reply().startswith(b"220")
        return self.say("EHLO client.test")

    def content(self, raw: bytes) -> bytes:
        """The message after 354, dot-stuffed, and the final reply."""
        stuffed = raw.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        end = b".\r\n" if stuffed.endswith(b"\r\n") or not stuffed else b"\r\n.\r\n"
        self.raw(stuffed + end)
        return self.reply()

    def send(
        self, raw: bytes, *, to: list[str], sender: str = "a@sender.test", parameters: str = ""
    ) -> bytes:
        """One transaction; the reply that ends it."""
        answer = self.say(f"MAIL FROM:<{sender}>{parameters}")
        if not answer.startswith(b"2"):
            return answer
        answers = [self.say(f"RCPT TO:<{address}>") for address in to]
        if not any(answer.startswith(b"2") for answer in answers):
            self.say("RSET")
            return answers[0]
        answer = self.say("DATA")
        return self.content(raw) if answer.startswith(b"354") else answer
