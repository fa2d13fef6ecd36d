"""One SQLite file, several processes: killed in the middle of writing, and writing at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from milter.adapters.history.sqlite_store import SqliteStore
from tests.support.plain_store import PlainStore
from tests.support.records import NOW, everything, key
from tests.support.sqlite_writer import PARTS, batch


def _writer(path: Path, seed: int, batches: int) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tests.support.sqlite_writer",
        str(path),
        str(seed),
        str(batches),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def _parts(store: SqliteStore, number: int) -> int:
    """How many of the entries of this batch are there."""
    places = [key(f"d{part}-{number % 40}") for part in range(PARTS)]
    answer = await store.read(places, [], NOW)
    name = key(f"{number:06}")
    return sum(any(one.event_id == name for one in kept) for kept in answer.dossiers)


@pytest.mark.parametrize("acknowledged", [1, 60, 400])
async def test_killed_while_writing_it_keeps_what_it_acknowledged(
    tmp_path: Path, acknowledged: int
) -> None:
    path, told = tmp_path / "m" / "memory.db", []
    for seed in (1, 2):
        writer = _writer(path, seed, 5_000)
        assert writer.stdout is not None
        told += [int(writer.stdout.readline()) for _ in range(acknowledged)]
        writer.kill()
        # Lines that were on their way are promises too.
        told += [int(line) for line in writer.stdout.read().splitlines()]
        writer.stdout.close()
        assert writer.wait() == -9
        store = SqliteStore(path)
        assert {number: await _parts(store, number) for number in told} == dict.fromkeys(
            told, PARTS
        )
        others = set(range(5_000)) - set(told)
        parts = [await _parts(store, number) for number in sorted(others)[:800]]
        assert set(parts) <= {0, PARTS}
        for part in range(PARTS):
            (trail,) = (await store.read([], [key(f"t{part}")], NOW)).trails
            assert {one.field for one in trail.marks} >= {key(f"f{number % 50}") for number in told}
        await store.close()


async def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path, batches = tmp_path / "m" / "memory.db", 300
    writers = [_writer(path, seed, batches) for seed in (3, 4)]
    outputs = [writer.communicate()[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(output.splitlines()) for output in outputs] == [batches, batches]
    oracle, store = PlainStore(), SqliteStore(path)
    for number in range(batches):
        await oracle.write(batch(number), NOW)
    assert await everything(store) == await everything(oracle)
    await store.close()
