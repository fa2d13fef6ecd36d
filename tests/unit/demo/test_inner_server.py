"""The inner server seen by a client that is not ours."""

import asyncio
import json
import re
import smtplib
import sys
from pathlib import Path

import pytest

from milter.demo.inner_server import Fault, InnerServer

RAW = b"Subject: x\r\n\r\n.\r\n..\r\nplain\r\n"


def send(port: int, raw: bytes = RAW) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail(
            "anna@example.org",
            ["bo@example.net", "cy@example.net"],
            raw,
            ["BODY=8BITMIME"],
            ["NOTIFY=NEVER"],
        )


async def test_it_keeps_what_a_client_sent(tmp_path: Path) -> None:
    async with InnerServer(folder=tmp_path) as server:
        await asyncio.to_thread(send, server.port)

        [message] = server.messages
        assert message.raw == RAW
        assert message.reverse_path == b"anna@example.org"
        assert message.mail_parameters == (b"size=28", b"BODY=8BITMIME")
        assert message.recipients == (b"bo@example.net", b"cy@example.net")
        assert message.rcpt_parameters == ((b"NOTIFY=NEVER",),) * 2
    assert (tmp_path / "000001.eml").read_bytes() == RAW
    assert json.loads((tmp_path / "000001.json").read_text())["reverse_path"] == "anna@example.org"
    # A restart goes on counting.
    async with InnerServer(folder=tmp_path) as server:
        await asyncio.to_thread(send, server.port)
    assert (tmp_path / "000002.eml").read_bytes() == RAW


async def test_commands_out_of_order_are_refused() -> None:
    async with InnerServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"RCPT TO:<a@b.test>\r\nDATA\r\nWHAT\r\nLHLO x\r\nSTARTTLS\r\nNOOP\r\nQUIT\r\n"
        )
        answers = (await reader.read()).decode()
        writer.close()

    assert re.findall(r"^\d{3}", answers, re.M) == [
        "220",
        "503",
        "503",
        "500",
        "500",
        "502",
        "250",
        "221",
    ]


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (Fault(stage="end_of_data", reply=b"451 4.3.0 no\r\n"), 0),
        (Fault(stage="end_of_data", reply=b"250 2.0.0 yes\r\n"), 1),
        (Fault(stage="end_of_data", reply=b"451 4.3.0 no\r\n", occurrence=2), 1),
        (Fault(stage="rcpt", reply=b"550 5.1.1 no\r\n", recipient=b"cy@example.net"), 1),
        (Fault(stage="rcpt", reply=b"550 5.1.1 no\r\n"), 0),
    ],
)
async def test_a_fault_decides_what_is_kept(fault: Fault, kept: int) -> None:
    async with InnerServer(faults=[fault]) as server:
        try:
            await asyncio.to_thread(send, server.port)
        except smtplib.SMTPException:
            assert kept == 0
        assert len(server.messages) == kept


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path, unused_tcp_port: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "milter.demo.inner_server",
        "--port",
        str(unused_tcp_port),
        "--folder",
        str(tmp_path),
    )
    try:
        for _ in range(500):
            try:
                await asyncio.to_thread(send, unused_tcp_port)
                break
            except ConnectionError:
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        await process.wait()

    # What got 250 outlives a kill.
    assert (tmp_path / "000001.eml").read_bytes() == RAW
