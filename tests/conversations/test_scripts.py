"""Conversations with the SMTP front, one text file each.

A file has a head and a dialogue, and blank lines and lines with `#` that are not read:

    ! role before_queue            an option of the listener (Python literal or plain word)
    ! answer rcpt x@example.org 550 5.1.1 Nobody here     reply of the next hop (`\\n`: more lines)
    ! answer keywords down         the next hop cannot be reached there (also `open`, `rcpt`)
    ! announce PIPELINING SIZE=1000                       what the next hop announces
    -> EHLO client.example.net     a line of the client; neighbouring ones go in one segment
    => a\\nb                       octets as written, without a line end
    <- 250-mx.example.org          a line of ours; `*` stands for anything
    <! closed                      we hang up
    half-close / hang-up           the client ends its side, or goes away
    b -> EHLO other                a second connection
    = messages 1                   what the gateway has got in the end, see `_claims`
"""

import ast
import fnmatch
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from milter.mail.reply import Reply
from tests.support.front import UNREACHABLE, FakeGateway, Peer, RunningFront, running_front, until

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.txt"))
_NETWORKS = {"xclient_from", "xforward_from", "proxy_from"}


def _option(name: str, value: str) -> Any:
    if name in _NETWORKS:
        return tuple(ip_network(word) for word in value.split())
    try:
        return ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return value


def _answer(words: str) -> Reply | Exception:
    if words == "down":
        return UNREACHABLE
    if words == "raises":
        return RuntimeError("a secret of ours")
    lines = words.split("\\n")
    return Reply(code=int(lines[0][:3]), lines=tuple(line[4:].encode() for line in lines))


def _head(lines: list[str]) -> tuple[FakeGateway, dict[str, Any]]:
    gateway = FakeGateway()
    options: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.removeprefix("! ").partition(" ")
        if name == "answer":
            words = value.split(" ")
            by_path = words[0] in ("mail", "rcpt") and "@" in words[1]
            stage = " ".join(words[: 1 + by_path])
            gateway.answers[stage] = _answer(value[len(stage) + 1 :])
        elif name in ("announce", "session"):
            keywords = dict(word.partition("=")[::2] for word in value.split())
            if name == "announce":
                gateway.announced = keywords
            else:
                gateway.session_keywords = keywords
        else:
            options[name] = _option(name, value)
    return gateway, options


def _octets(text: str) -> bytes:
    """Python's escapes, with UTF-8 for everything above ASCII."""
    return text.encode().decode("unicode_escape").encode("latin-1")


def _claims(front: RunningFront) -> dict[str, str]:
    """What a script may say at its end."""
    claims = {
        "messages": str(len(front.gateway.submitted)),
        "sessions": str(len(front.gateway.sessions)),
        "open-sessions": str(sum(not session.closed for session in front.gateway.sessions)),
        "refusals": " ".join(front.observer.refusals),
        "failures": str(len(front.observer.failures)),
    }
    if front.gateway.submitted:
        last = front.gateway.submitted[-1]
        envelope, connection = last.envelope, last.connection
        claims |= {
            "reverse-path": f"<{envelope.reverse_path.raw.decode()}>",
            "mail-parameters": b" ".join(envelope.mail_parameters).decode(),
            "recipients": " ".join(
                b" ".join((b"<" + r.path.raw + b">", *r.parameters)).decode()
                for r in envelope.recipients
            ),
            "content": repr(last.raw)[2:-1],
            "client": f"{connection.client_name} [{connection.client_ip}]:{connection.client_port}",
            "helo": connection.helo,
            "protocol": connection.protocol,
            "user": connection.auth_user,
            "xforward": " ".join(f"{name}={value}" for name, value in connection.xforward),
        }
    return claims


class _Conversation:
    """Plays a script against a running front."""

    def __init__(self, front: RunningFront) -> None:
        self._front = front
        self._peers: dict[str, Peer] = {}
        self._unsent: dict[str, bytes] = {}

    async def play(self, lines: list[str]) -> None:
        for number, line in enumerate(lines):
            head, _, rest = line.partition(" ")
            name, verb, text = "", head, rest
            if head.isalpha() and head not in ("half-close", "hang-up"):
                name = head
                verb, _, text = rest.partition(" ")
            if verb not in ("->", "=>"):
                await self._send(name)
            try:
                await self._step(name, verb, text)
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"line {number + 1}: {line}: {error}") from error
        for name in list(self._unsent):
            await self._send(name)

    def _claim(self, claim: str) -> str:
        return _claims(self._front).get(claim, "")

    async def _peer(self, name: str) -> Peer:
        if name not in self._peers:
            self._peers[name] = await self._front.connect()
        return self._peers[name]

    async def _send(self, name: str) -> None:
        octets = self._unsent.pop(name, b"")
        if octets:
            (await self._peer(name)).send(octets)

    async def _step(self, name: str, verb: str, text: str) -> None:
        peer = await self._peer(name)
        match verb:
            case "->":
                self._unsent[name] = self._unsent.get(name, b"") + text.encode() + b"\r\n"
            case "=>":
                self._unsent[name] = self._unsent.get(name, b"") + _octets(text)
            case "<-":
                got = (await peer.line()).decode()
                assert fnmatch.fnmatchcase(got, text.replace("[", "[[]")), f"got {got!r}"
            case "<!":
                got = (await peer.line()).decode()
                assert got == "", f"got {got!r}"
            case "half-close":
                peer.writer.write_eof()
            case "hang-up":
                await peer.close()
            case "=":
                claim, _, value = text.partition(" ")
                pattern = value.replace("[", "[[]")
                try:
                    await until(lambda: fnmatch.fnmatchcase(self._claim(claim), pattern))
                except TimeoutError:
                    raise AssertionError(f"got {self._claim(claim)!r}") from None
            case _:
                raise AssertionError("no such step")


def _lines(script: Path) -> list[str]:
    return [line for line in script.read_text().splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
async def test_conversation(script: Path) -> None:
    lines = _lines(script)
    head = [line for line in lines if line.startswith("! ")]
    gateway, options = _head(head)
    async with running_front(gateway=gateway, **options) as front:
        await _Conversation(front).play(lines[len(head) :])
