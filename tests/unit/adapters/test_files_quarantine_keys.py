"""Key files: made once, closed to others, never replaced."""

import os
import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest

from milter.adapters.keys import load_key, load_or_create_key
from milter.ports import Unusable


def test_made_at_the_first_start_and_read_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "state" / "quarantine.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path) == load_key(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["quarantine.key"]


def test_two_first_starts_agree(tmp_path: Path) -> None:
    path = tmp_path / "key"
    barrier = Barrier(8)
    keys: list[bytes] = []

    def start() -> None:
        barrier.wait()
        keys.append(load_or_create_key(path))

    threads = [Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(Unusable, match=r"chmod 600 .*key"):
        load_or_create_key(path)


@pytest.mark.parametrize("octets", [b"", b"secret\n", b"0" * 63, b"0" * 65, b"0" * 64 + b"\nx"])
def test_what_is_no_key_is_refused_and_kept(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(Unusable, match="not a key"):
        load_or_create_key(path)
    assert path.read_bytes() == octets


def test_a_fifo_does_not_hang_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(Unusable, match="regular file"):
        load_or_create_key(tmp_path / "key")


def test_load_never_makes_a_key(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="No such file"):
        load_key(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_a_dangling_link_is_not_a_first_start(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "unmounted" / "key")
    with pytest.raises(Unusable, match="No such file"):
        load_or_create_key(tmp_path / "key")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match="cannot make the key"):
        load_or_create_key(tmp_path / "file" / "key")
