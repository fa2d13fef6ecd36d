"""The folder of sealed files: secrecy, damage, full disks, what it refuses to open."""

import asyncio
import json
import os
import stat
import threading
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.hold_folder import HoldFolder
from milter.mail.quarantine import AuditAct, AuditEntry, HoldState
from milter.ports import CannotKeep, HoldDamaged, Unusable
from tests.support.holds import NOW, RAW, RELEASE_RAW, held, hold, open_store


def files_of(folder: Path, quarantine_id: str) -> dict[str, Path]:
    found = (folder / "holds").glob(f"{quarantine_id}.*")
    return {path.suffix[1:]: path for path in found}


def test_nothing_of_a_mail_is_readable_on_disk(tmp_path: Path) -> None:
    asyncio.run(held(open_store(tmp_path)))
    secrets = (b"Report", b"mara", b"ina@", b"channel", b"192.0.2.7", b"OFFPLATFORM")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not [secret for secret in secrets if secret in path.read_bytes()], path


async def test_files_are_closed_to_others(tmp_path: Path) -> None:
    store = open_store(tmp_path / "q")
    await held(store)
    await store.audit(AuditEntry(at=NOW, who="cli:ina", act=AuditAct.LIST))
    for path in (tmp_path / "q").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_the_same_mail_never_looks_the_same(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    one, other = await held(store, hold(), hold())
    first, second = (files_of(tmp_path, each)["mail"].read_bytes() for each in (one, other))
    assert len(first) == len(second)
    assert first[40:80] != second[40:80]


@pytest.mark.parametrize(
    ("raw", "release_raw"),
    [
        (RAW, RELEASE_RAW),
        (RAW, RAW),
        (RAW, b""),
        (b"", RAW),
        (b"", b""),
        (RAW, b"other"),
        (RAW, RAW[:-1]),
        (b"x" * 3_000_000, b"head" + b"x" * 3_000_000),
        (b"x" * 3_000_000, b"x" * 2_000_000),
        (os.urandom(1 << 20), os.urandom(1 << 20)),
    ],
)
async def test_octets_come_back_exactly(tmp_path: Path, raw: bytes, release_raw: bytes) -> None:
    store = open_store(tmp_path)
    (quarantine_id,) = await held(store, hold(raw=raw, release_raw=release_raw))
    assert await store.read_raw(quarantine_id) == raw
    assert await store.read_release(quarantine_id) == release_raw


async def test_a_shared_tail_is_stored_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    raw = os.urandom(2_000_000)
    (quarantine_id,) = await held(store, hold(raw=raw, release_raw=b"X: y\r\n" + raw))
    assert files_of(tmp_path, quarantine_id)["mail"].stat().st_size < 2_020_000


@pytest.mark.parametrize(
    ("ending", "damage"),
    # A record that is gone is no hold: recovery removes its content (the crash tests).
    [("mail", "gone"), *product(("mail", "held"), ("flip", "cut", "empty", "grow_head", "other"))],
)
async def test_a_damaged_hold_is_said_and_harms_no_other(
    tmp_path: Path, ending: str, damage: str
) -> None:
    store = open_store(tmp_path)
    broken, sound = await held(store, hold(), hold())
    path = files_of(tmp_path, broken)[ending]
    octets = path.read_bytes()
    match damage:
        case "flip":
            path.write_bytes(octets[:60] + bytes([octets[60] ^ 1]) + octets[61:])
        case "cut":
            path.write_bytes(octets[:-1] if ending == "held" else octets[:-17])
        case "empty":
            path.write_bytes(b"")
        case "grow_head":
            path.write_bytes(octets[:28] + octets[28:29] + b"\x7f" * 8 + octets[37:])
        case "gone":
            path.unlink()
        case "other":
            path.write_bytes(files_of(tmp_path, sound)[ending].read_bytes())
    with pytest.raises(HoldDamaged, match=broken):
        await _read_everything(store, broken)
    records, damaged = await store.read_all()
    if ending == "held":
        assert damaged == (broken,)
        assert [one.quarantine_id for one in records] == [sound]
    assert await store.read_raw(sound) == RAW


async def _read_everything(store: FilesQuarantine, quarantine_id: str) -> None:
    await store.find(quarantine_id)
    await store.read_release(quarantine_id)


async def test_a_hold_without_content_is_never_released(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    (quarantine_id,) = await held(store)
    files_of(tmp_path, quarantine_id)["mail"].unlink()
    with pytest.raises(HoldDamaged):
        async with store.exclusive(quarantine_id):
            pass


async def test_content_of_another_state_of_the_key_is_not_opened(tmp_path: Path) -> None:
    await held(open_store(tmp_path / "a"))
    (quarantine_id,) = await held(open_store(tmp_path / "b"))
    other = FilesQuarantine(tmp_path / "c", bytes(32), reserve_bytes=0)
    for path in files_of(tmp_path / "b", quarantine_id).values():
        path.rename(tmp_path / "c" / "holds" / path.name)
    with pytest.raises(HoldDamaged, match="another key"):
        await other.find(quarantine_id)


async def test_another_key_is_refused_at_the_start(tmp_path: Path) -> None:
    await held(open_store(tmp_path))
    with pytest.raises(Unusable, match="another key"):
        FilesQuarantine(tmp_path, bytes(32))
    assert len(await open_store(tmp_path).list_records()) == 1


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q").write_text("no folder")
    with pytest.raises(Unusable, match="cannot be used"):
        open_store(tmp_path / "q")


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(Unusable, match="not writable"):
        open_store(tmp_path)


async def test_a_nearly_full_disk_takes_no_holds_but_lets_people_act(tmp_path: Path) -> None:
    (quarantine_id,) = await held(open_store(tmp_path))
    full = open_store(tmp_path, reserve_bytes=1 << 62)
    with pytest.raises(CannotKeep, match="space"):
        await full.write_pending([hold()])
    async with full.exclusive(quarantine_id) as record:
        await full.replace(replace(record, state=HoldState.DELETED))
    assert [one.state for one in await full.entries()] == [HoldState.DELETED]


@pytest.mark.parametrize("call", ["open", "fsync", "rename", "fdopen"])
async def test_a_failing_disk_keeps_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = open_store(tmp_path)
    original = getattr(os, call)

    def failing(*arguments: Any, **options: Any) -> Any:
        if "mail" in str(arguments[0]) or call in ("fsync", "fdopen"):
            raise OSError(28, "No space left on device")
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(CannotKeep):
            await store.write_pending([hold(), hold()])
    assert await store.entries() == ()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "holds").iterdir()) == []
    assert await held(store)


async def test_after_a_failed_commit_the_hold_is_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    quarantine_ids = await store.write_pending([hold()])

    def failing(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", failing)
        with pytest.raises(CannotKeep, match="Input/output"):
            await store.commit(quarantine_ids)
    assert await store.recover(NOW) == quarantine_ids


async def test_a_hold_whose_caller_is_cancelled_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    written: list[str] = []
    write = HoldFolder.write_pending

    def slowly(self: HoldFolder, holds: Any) -> Any:
        go_on.wait(30)
        written.extend(write(self, holds))
        return tuple(written)

    monkeypatch.setattr(HoldFolder, "write_pending", slowly)
    store = open_store(tmp_path)
    writing = asyncio.create_task(store.write_pending([hold()]))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    for _ in range(300):
        await asyncio.sleep(0.02)
        if written and not await store.entries():
            break
    store.close()
    assert list((tmp_path / "holds").iterdir()) == []


async def test_thousands_of_names_are_seen_without_opening_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    for number in range(2_000):
        (tmp_path / "holds" / f"20260302-{number:012d}.held").touch()
        (tmp_path / "holds" / f"20260302-{number:012d}.mail").touch()
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened a file"))
    entries = await store.entries()
    assert len(entries) == 2_000
    assert await store.recover(NOW) == ()


async def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    foreign = tmp_path / "holds" / "README.held"
    foreign.write_text("not ours")
    assert await store.entries() == ()
    await store.recover(NOW)
    assert foreign.exists()


async def test_the_audit_log_is_json_lines_and_only_grows(tmp_path: Path) -> None:
    first, second = open_store(tmp_path), open_store(tmp_path)
    entry = AuditEntry(at=NOW, who="cli:ina", act=AuditAct.VIEW, quarantine_id="x")
    await first.audit(entry)
    await second.audit(replace(entry, act=AuditAct.RELEASED, detail="250"))
    lines = (tmp_path / "audit.log").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"at": "2026-03-02T09:30:00Z", "who": "cli:ina", "act": "view", "quarantine_id": "x",
         "detail": ""},
        {"at": "2026-03-02T09:30:00Z", "who": "cli:ina", "act": "released", "quarantine_id": "x",
         "detail": "250"},
    ]  # fmt: skip


async def test_a_torn_audit_line_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    entry = AuditEntry(at=NOW, who="cli:ina", act=AuditAct.LIST)
    await store.audit(entry)
    whole = (tmp_path / "audit.log").read_bytes()
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, octets: write(file, octets[:5]))
        with pytest.raises(CannotKeep):
            await store.audit(entry)
    assert (tmp_path / "audit.log").read_bytes() == whole


def test_what_root_makes_belongs_to_the_folders_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, user, group: owners.append((user, group)))
    monkeypatch.setattr(os, "fchown", lambda file, user, group: owners.append((user, group)))
    folder = tmp_path.stat()
    open_store(tmp_path)
    assert set(owners) == {(folder.st_uid, folder.st_gid)}
