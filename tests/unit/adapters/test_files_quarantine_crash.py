"""kill -9 at every step: what was promised is there after recovery, what was not is gone or whole."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from milter.adapters.hold_folder import HoldFolder
from milter.mail.quarantine import HoldState
from milter.ports import HoldBusy, HoldMissing
from tests.support.holds import KEY, NOW, RAW, RELEASE_RAW, days, hold, in_child

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

STEPS = ("fsync", "rename", "unlink", "write")
BOUND = timedelta(hours=2)
OTHER_RAW = b"Subject: other\r\n\r\nshort\r\n"


def open_folder(path: Path) -> HoldFolder:
    folder = HoldFolder(path, KEY, retention=timedelta(days=30), reserve_bytes=0)
    folder.prepare()
    return folder


def recovered(path: Path) -> dict[str, HoldState]:
    """States after recovery; checks that nothing half-done is left and that it is final."""
    folder = open_folder(path)
    folder.recover(NOW, BOUND)
    assert folder.recover(NOW, BOUND) == ()
    assert list((path / "tmp").iterdir()) == []
    states = {entry.quarantine_id: entry.state for entry in folder.entries()}
    names = {file.name for file in (path / "holds").iterdir()}
    expected = {f"{quarantine_id}.{state}" for quarantine_id, state in states.items()}
    expected |= {
        f"{quarantine_id}.mail"
        for quarantine_id, state in states.items()
        if state in (HoldState.HELD, HoldState.RELEASING)
    }
    assert names == expected
    return states


def assert_whole(path: Path, quarantine_id: str) -> None:
    folder = open_folder(path)
    raw = folder.read_raw(quarantine_id)
    assert (raw, folder.read_release(quarantine_id)) in [
        (RAW, RELEASE_RAW),
        (OTHER_RAW, OTHER_RAW),
    ]
    assert folder.find(quarantine_id).size_bytes == len(raw)


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """SIGKILL right after the step-th system call that changes the disk."""
    left = step

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            result = call(*arguments, **options)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counting

    originals = {name: getattr(os, name) for name in STEPS}
    for name, call in originals.items():
        setattr(os, name, counted(call))
    try:
        yield
    finally:
        for name, call in originals.items():
            setattr(os, name, call)


def crash_everywhere(
    tmp_path: Path,
    prepare: Callable[[HoldFolder], Any],
    work: Callable[[HoldFolder, Any, int], Any],
) -> Iterator[tuple[Path, Any, bytes]]:
    """Run `work` in a child that dies after its first step, after its second, and so on."""
    for step in range(1, 200):
        path = tmp_path / str(step)
        prepared = prepare(open_folder(path))

        def child(pipe: int, path: Path = path, prepared: Any = prepared, step: int = step) -> None:
            folder = open_folder(path)
            with killed_at(step):
                work(folder, prepared, pipe)

        status, said = in_child(child)
        assert status in (0, -signal.SIGKILL)
        yield path, prepared, said
        if status == 0:
            assert step > 3
            return
    raise AssertionError("never ended")


def committed(folder: HoldFolder) -> str:
    (quarantine_id,) = folder.write_pending([hold()])
    folder.commit([quarantine_id])
    return quarantine_id


def say(pipe: int, word: bytes) -> None:
    with os.fdopen(os.dup(pipe), "wb", buffering=0) as file:
        file.write(word)


def test_a_kill_while_holding_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    def work(folder: HoldFolder, _: None, pipe: int) -> None:
        holds = [hold(), hold(raw=OTHER_RAW, release_raw=OTHER_RAW)]
        quarantine_ids = folder.write_pending(holds)
        say(pipe, b"promised ")
        folder.commit(quarantine_ids)

    outcomes = set()
    for path, _, said in crash_everywhere(tmp_path, lambda folder: None, work):
        states = recovered(path)
        assert set(states.values()) <= {HoldState.HELD}
        for quarantine_id in states:
            assert_whole(path, quarantine_id)
        if said:
            assert len(states) == 2
        outcomes.add((said, len(states)))
    assert (b"", 0) in outcomes


def test_a_kill_while_dropping_leaves_a_duplicate_at_worst(tmp_path: Path) -> None:
    def work(folder: HoldFolder, _: None, pipe: int) -> None:
        quarantine_ids = folder.write_pending([hold(), hold()])
        folder.drop(quarantine_ids)
        say(pipe, b"dropped")

    for path, _, said in crash_everywhere(tmp_path, lambda folder: None, work):
        states = recovered(path)
        assert set(states.values()) <= {HoldState.HELD}
        for quarantine_id in states:
            assert_whole(path, quarantine_id)
        if said:
            assert states == {}


def test_a_kill_while_releasing_never_loses_content_before_the_end(tmp_path: Path) -> None:
    def work(folder: HoldFolder, quarantine_id: str, pipe: int) -> None:
        with folder.exclusive(quarantine_id) as record:
            folder.replace(replace(record, state=HoldState.RELEASING))
            say(pipe, b"dot ")
            folder.replace(replace(record, state=HoldState.RELEASED))
            say(pipe, b"done")

    seen = set()
    for path, quarantine_id, said in crash_everywhere(tmp_path, committed, work):
        states = recovered(path)
        state = states[quarantine_id]
        seen.add(state)
        if state is HoldState.RELEASED:
            assert b"dot" in said
        else:
            assert_whole(path, quarantine_id)
        if b"dot" in said:
            assert state is not HoldState.HELD
        if b"done" in said:
            assert state is HoldState.RELEASED
    assert seen == {HoldState.HELD, HoldState.RELEASING, HoldState.RELEASED}


def test_a_kill_while_deleting_ends_held_or_deleted(tmp_path: Path) -> None:
    def work(folder: HoldFolder, quarantine_id: str, pipe: int) -> None:
        with folder.exclusive(quarantine_id) as record:
            folder.replace(replace(record, state=HoldState.DELETED, decided_by="ina"))
            say(pipe, b"done")

    for path, quarantine_id, said in crash_everywhere(tmp_path, committed, work):
        state = recovered(path)[quarantine_id]
        assert state in (HoldState.HELD, HoldState.DELETED)
        if state is HoldState.DELETED:
            assert open_folder(path).find(quarantine_id).decided_by == "ina"
        assert state is HoldState.DELETED or not said


def test_a_kill_during_recovery_is_recovered(tmp_path: Path) -> None:
    def prepare(folder: HoldFolder) -> Any:
        def die_pending(pipe: int) -> None:
            folder.write_pending([hold(), hold(raw=OTHER_RAW, release_raw=OTHER_RAW)])
            os._exit(0)

        in_child(die_pending)

    def work(folder: HoldFolder, _: None, pipe: int) -> None:
        folder.recover(NOW, BOUND)

    for step, (path, _, _) in enumerate(crash_everywhere(tmp_path, prepare, work), start=1):
        if step > 1:
            states = recovered(path)
            assert list(states.values()) == [HoldState.HELD, HoldState.HELD]


def test_content_is_synced_before_its_name_and_the_folder_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_folder(tmp_path)
    steps: list[str] = []

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        # A draft is called ID.ENDING.TOKEN, the folder holds.
        steps.append(f"sync {[*name.split('.'), name][1]}")

    def rename(source: Any, target: Any, real: Callable[..., None] = os.rename) -> None:
        steps.append(f"rename {Path(target).suffix[1:]}")
        real(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    quarantine_ids = folder.write_pending([hold()])
    steps.append("promise")
    folder.commit(quarantine_ids)
    assert steps == [
        "sync mail",
        "rename mail",
        "sync pending",
        "rename pending",
        "sync holds",
        "promise",
        "rename held",
        "sync holds",
    ]


def test_recovery_waits_for_the_owner_to_die(tmp_path: Path) -> None:
    """Another front may be in the middle of its transaction; its death frees the hold."""
    folder = open_folder(tmp_path)

    def front(pipe: int) -> None:
        (quarantine_id,) = open_folder(tmp_path).write_pending([hold()])
        say(pipe, quarantine_id.encode())
        os.kill(os.getpid(), signal.SIGSTOP)

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        front(writing)
        os._exit(0)
    os.close(writing)
    try:
        quarantine_id = os.read(reading, 100).decode()
        os.waitpid(pid, os.WUNTRACED)
        assert folder.recover(NOW, BOUND) == ()
        with pytest.raises(HoldBusy), folder.exclusive(quarantine_id):
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
    assert folder.recover(NOW, BOUND) == (quarantine_id,)
    assert recovered(tmp_path) == {quarantine_id: HoldState.HELD}


def test_a_pending_hold_older_than_any_transaction_commits(tmp_path: Path) -> None:
    front, other = open_folder(tmp_path), open_folder(tmp_path)
    (quarantine_id,) = front.write_pending([hold()])
    written = (tmp_path / "holds" / f"{quarantine_id}.pending").stat().st_mtime
    just_before = datetime.fromtimestamp(written, NOW.tzinfo) + BOUND - timedelta(seconds=1)
    assert other.recover(just_before, BOUND) == ()
    assert other.recover(just_before + timedelta(seconds=2), BOUND) == (quarantine_id,)
    front.drop([quarantine_id])
    assert_whole(tmp_path, quarantine_id)
    front.commit([quarantine_id])
    assert front.find(quarantine_id).state is HoldState.HELD


def test_the_act_that_meets_an_orphan_recovers_it(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    _, said = in_child(lambda pipe: say(pipe, folder.write_pending([hold()])[0].encode()))
    with folder.exclusive(said.decode()) as record:
        assert record.state is HoldState.HELD


def test_two_processes_write_side_by_side(tmp_path: Path) -> None:
    """And a third recovers all the time, as a front that restarts does."""
    folder = open_folder(tmp_path)

    def front(pipe: int) -> None:
        mine = open_folder(tmp_path)
        for _ in range(20):
            quarantine_ids = mine.write_pending([hold(), hold()])
            mine.commit(quarantine_ids[:1])
            mine.drop(quarantine_ids[1:])
        say(pipe, b"done")

    with ThreadPoolExecutor(2) as threads:
        fronts = [threads.submit(in_child, front) for _ in range(2)]
        while not all(one.done() for one in fronts):
            assert folder.recover(NOW, BOUND) == ()
    assert [one.result() for one in fronts] == [(0, b"done")] * 2
    states = recovered(tmp_path)
    assert list(states.values()) == [HoldState.HELD] * 40
    for quarantine_id in states:
        assert_whole(tmp_path, quarantine_id)


def test_tombstones_go_only_by_forget(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    quarantine_id = committed(folder)
    with folder.exclusive(quarantine_id) as record:
        folder.replace(replace(record, state=HoldState.EXPIRED, decided_at=NOW))
    assert recovered(tmp_path) == {quarantine_id: HoldState.EXPIRED}
    folder.recover(NOW + days(1000), BOUND)
    folder.forget(quarantine_id)
    with pytest.raises(HoldMissing):
        folder.find(quarantine_id)
