"""Many mails over many SMTP connections at once, cheaply: the load must not be what is measured."""

import asyncio
from collections.abc import Sequence

Mail = tuple[str, bytes]
"""Recipient and octets."""


def send_all(
    port: int, mails: Sequence[Mail], *, parallel: int, seconds: float = 120
) -> list[bytes]:
    """Send them over `parallel` connections; the replies to the mails, in their order."""
    return asyncio.run(asyncio.wait_for(_send_all(port, mails, parallel), seconds))


async def _send_all(port: int, mails: Sequence[Mail], parallel: int) -> list[bytes]:
    waiting = list(range(len(mails)))
    answers = [b""] * len(mails)
    await asyncio.gather(*(_session(port, mails, waiting, answers) for _ in range(parallel)))
    return answers


async def _session(
    port: int, mails: Sequence[Mail], waiting: list[int], answers: list[bytes]
) -> None:
    """One client: mail after mail until none waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _reply(reader)
    await _say(reader, writer, b"EHLO client.test")
    while waiting:
        number = waiting.pop()
        recipient, raw = mails[number]
        for line in (
            b"MAIL FROM:<a@sender.test>",
            b"RCPT TO:<" + recipient.encode() + b">",
            b"DATA",
        ):
            answer = await _say(reader, writer, line)
            assert answer[:1] in b"23", answer
        answers[number] = await _say(reader, writer, raw + b".")
    await _say(reader, writer, b"QUIT")
    writer.close()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line + b"\r\n")
    return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line
