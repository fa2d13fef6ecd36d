"""The pool with real processes: whatever a message does to its reader, the next is unharmed."""

import asyncio
import os
import signal
import time

import pytest

from milter.ports import ExaminationFailed
from milter.readers.pool import ReadersUnavailable
from tests.unit.readers.conftest import FACTS, is_alive, proc, targets_of, threads_of, until


async def test_a_message_and_its_facts_arrive_unchanged(bench) -> None:
    b = await bench()
    for size in (0, 60_000, 300_000, 5_000_000):
        examined = await b.examine("ok", size=size)
        assert examined.reading.size_bytes == size + 4
        assert examined.first_failure == ""
        assert examined.reading.text_only is False
    assert b.events.ends == []
    assert len(b.events.waits) == 4


@pytest.mark.parametrize(
    ("order", "reason", "end", "detail"),
    [
        ("abort", "crash", "crash", "SIGABRT"),
        ("segfault", "crash", "crash", "SIGSEGV"),
        ("exit", "crash", "crash", "exit code 0"),
        ("memory", "crash", "exception", "MemoryError at "),
        ("exception", "crash", "exception", "ValueError at "),
        ("open 100", "crash", "exception", "OSError at "),
        ("hang", "timeout", "timeout", ""),
        ("spin", "timeout", "timeout", ""),
        # A head that announces more than a reply may be.
        ("speak 0000000102ffffffff", "crash", "garbage", ""),
        # A status that there is not.
        ("speak 000000010900000000", "crash", "garbage", ""),
        # The right request, but no reading.
        ("speak 0000000102000000028101", "crash", "garbage", ""),
        # A well-formed reply to a request that was never made.
        ("speak 000000070200000000", "crash", "garbage", ""),
        # A second greeting.
        ("speak 000000010100000000", "crash", "garbage", ""),
        # Half a head, and then nothing.
        ("speak 00000001", "timeout", "timeout", ""),
    ],
)
async def test_a_failure_costs_attachments_not_the_judgement(
    bench, order: str, reason: str, end: str, detail: str
) -> None:
    b = await bench()
    seconds = 1.5 if reason == "timeout" else 30.0
    examined = await b.examine(f"unless text only: {order}", seconds=seconds)
    assert examined.first_failure == reason
    assert examined.reading.text_only is True
    await until(lambda: b.events.ends != [])
    [(ended, told)] = b.events.ends
    assert ended == end
    assert told.startswith(detail)
    assert "secret" not in told
    unharmed = await b.examine("ok")
    assert (unharmed.first_failure, unharmed.reading.text_only) == ("", False)


@pytest.mark.parametrize(("order", "reason"), [("abort", "crash"), ("hang", "timeout")])
async def test_two_failures_are_the_end_of_it_within_the_deadline(
    bench, order: str, reason: str
) -> None:
    b = await bench()
    started_at = time.monotonic()
    with pytest.raises(ExaminationFailed) as failed:
        await b.examine(order, seconds=2.0)
    assert failed.value.reason == reason
    assert time.monotonic() - started_at < 10.0
    assert (await b.examine("ok")).first_failure == ""


async def test_nothing_that_a_reader_prints_gets_out(bench, capfd) -> None:
    b = await bench()
    await b.examine("print")
    assert capfd.readouterr() == ("", "")


async def test_a_full_queue_is_overload_at_once(bench) -> None:
    b = await bench(queue_limit=1)
    running = [asyncio.create_task(b.examine("slow 0.5")) for _ in range(2)]
    await until(lambda: b.pool.busy == 1)
    with pytest.raises(ExaminationFailed) as failed:
        await b.examine("ok")
    assert failed.value.reason == "overload"
    assert [examined.first_failure for examined in await asyncio.gather(*running)] == ["", ""]


async def test_the_wait_in_the_queue_is_bounded(bench) -> None:
    b = await bench()
    running = asyncio.create_task(b.examine("slow 1.5"))
    await until(lambda: b.pool.busy == 1)
    with pytest.raises(ExaminationFailed) as failed:
        await b.examine("ok", seconds=0.5)
    assert failed.value.reason == "overload"
    assert (await running).first_failure == ""


async def test_a_second_attempt_goes_before_those_who_wait(bench) -> None:
    b = await bench(readers=1)
    order: list[str] = []

    async def examine(name: str, command: str) -> None:
        await b.examine(command)
        order.append(name)

    first = asyncio.create_task(examine("failed first", "unless text only: abort"))
    await asyncio.sleep(0)
    second = asyncio.create_task(examine("waited", "ok"))
    await asyncio.gather(first, second)
    assert order == ["failed first", "waited"]


async def test_a_caller_who_gives_up_costs_no_reader(bench) -> None:
    b = await bench()
    pid = await b.reader_pid()
    caller = asyncio.create_task(b.examine("slow 0.3"))
    await until(lambda: b.pool.busy == 1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await b.reader_pid() == pid
    waiting = [asyncio.create_task(b.examine("slow 0.1")) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await b.reader_pid() == pid
    assert b.events.ends == []


async def test_a_killed_reader_is_replaced_whether_it_works_or_waits(bench) -> None:
    b = await bench()
    idle = await b.reader_pid()
    os.kill(idle, signal.SIGKILL)
    await until(lambda: b.events.ends == [("crash", "SIGKILL")])
    await until(lambda: b.pool.idle == 1)
    busy = await b.reader_pid()
    assert busy != idle
    running = asyncio.create_task(b.examine("unless text only: hang"))
    await until(lambda: b.pool.busy == 1)
    os.kill(busy, signal.SIGKILL)
    assert (await running).first_failure == "crash"


async def test_readers_outlive_their_template_and_a_new_one_forks_again(bench) -> None:
    b = await bench(readers=2)
    template, *readers = b.pool.pids
    assert b.pool.problem == ""
    os.kill(template, signal.SIGKILL)
    await until(lambda: b.events.templates == ["SIGKILL"])
    assert (await b.examine("ok")).first_failure == ""
    assert all(map(is_alive, readers))
    assert (await b.examine("unless text only: abort")).first_failure == "crash"
    await until(lambda: b.pool.idle == 2)
    assert b.pool.pids[0] not in (0, template)


async def test_template_and_readers_ignore_the_signals_of_a_group(bench) -> None:
    b = await bench()
    for pid in b.pool.pids:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
    assert (await b.examine("slow 0.1")).first_failure == ""
    assert b.events.ends == []


async def test_a_reader_is_recycled_after_its_messages(bench) -> None:
    b = await bench(recycle_after=2)
    pids = [await b.reader_pid() for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    await until(lambda: len(b.events.ends) == 2)
    assert {reason for reason, _ in b.events.ends} == {"recycled"}


async def test_verification_is_tried_again_but_never_text_only(bench) -> None:
    b = await bench()
    deadline = time.monotonic() + 30
    report = await b.pool.verify(b"ok\r\n", b"ok\r\nmore", FACTS, deadline)
    assert (report.problem, report.detail) == ("changed", "False")
    same = await b.pool.verify(
        b"ok\r\n" + b"y" * 700_000, b"ok\r\n" + b"y" * 700_000, FACTS, deadline
    )
    assert same.problem == ""
    with pytest.raises(ExaminationFailed):
        await b.pool.verify(b"abort\r\n", b"", FACTS, deadline)
    await until(lambda: len(b.events.ends) == 2)


async def test_a_reader_is_confined(bench) -> None:
    b = await bench()
    template, reader = b.pool.pids
    status = proc(reader, "status")
    assert "NoNewPrivs:\t1" in status
    limits = proc(reader, "limits")
    rows = {line[:25].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert rows["Max core file size"] == "0"
    assert rows["Max open files"] == "32"
    assert rows["Max address space"] != "unlimited"
    targets = targets_of(reader)
    assert len(targets) == 4, "three streams to nowhere and one socket"
    assert {targets[stream] for stream in "012"} == {"/dev/null"}
    assert threads_of(template) == threads_of(reader) == 1
    assert "OMP_NUM_THREADS=1" in proc(template, "environ")


async def test_no_secret_of_the_environment_reaches_a_reader(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUREWALL_SECRET", "key material")
    b = await bench()
    assert "key material" not in proc(b.pool.pids[0], "environ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_as_root_a_reader_becomes_the_configured_user(bench) -> None:
    b = await bench(user="nobody")
    reader = b.pool.pids[1]
    status = proc(reader, "status")
    ids = {line.split()[0]: set(line.split()[1:]) for line in status.splitlines() if line}
    assert "0" not in ids["Uid:"] | ids["Gid:"]
    assert ids["CapEff:"] == {"0" * 16}
    assert (await b.examine("unless text only: hang", seconds=2.0)).first_failure == "timeout"


@pytest.mark.parametrize(
    "fault", [{"warm": "tests.support.fake_examine:warm_fails"}, {"user": "nobody-such"}]
)
async def test_a_template_that_cannot_start_fails_at_once(bench, capfd, fault) -> None:
    with pytest.raises(ReadersUnavailable):
        await bench(**fault)
    assert "Error" in capfd.readouterr().err


async def test_a_template_that_hangs_fails_in_time(bench) -> None:
    with pytest.raises(ReadersUnavailable):
        await bench(warm="signal:pause", start_seconds=0.5)
