"""The index of a hunt: hostile names and days, and pages that go on where the last one ended."""

import os
from pathlib import Path

from milter.cli import hunt_state
from milter.cli.hunt_state import HuntState


def put(folder: Path, name: bytes, date: str) -> None:
    text = f"From: a@b.test\r\nDate: {date}\r\nSubject: {name.hex()}\r\n\r\nx\r\n"
    (folder / os.fsdecode(name)).write_bytes(text.encode())


def test_names_that_are_no_utf8_and_days_past_all_calendars(tmp_path, monkeypatch):
    monkeypatch.setattr(hunt_state, "_BATCH", 2)
    mail = tmp_path / "mail"
    mail.mkdir()
    put(mail, b"c\xff.eml", "Mon, 1 Jan 2024 00:00:00 +0000")
    put(mail, b"a.eml", "Fri, 31 Dec 9999 23:59:59 +0000")
    for day in range(2, 7):
        put(mail, b"%d.eml" % day, f"Mon, {day} Jan 2024 00:00:00 +0000")
    state = HuntState(tmp_path / "state")
    assert state.index([str(mail)], told=lambda count: None) == []
    found = [(dated.position, Path(path).name) for dated, path, _ in state.messages()]
    names = ["a.eml", "c\udcff.eml", *(f"{day}.eml" for day in range(2, 7))]
    assert found == list(enumerate(names))
    assert next(state.messages())[0].at.year < 9990
    state.advance(3, [(1, {"path": "c\udcff.eml"})])
    assert state.rows() == [{"path": "c\udcff.eml"}]
    assert [dated.position for dated, *_ in state.messages()] == [3, 4, 5, 6]
    state.close()


def test_what_could_not_be_read_is_told_after_a_resume_too(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    put(mail, b"a.eml", "Mon, 1 Jan 2024 00:00:00 +0000")
    (mail / "bad.mbox.gz").write_bytes(b"no gzip at all")
    told = []
    for _ in range(2):
        state = HuntState(tmp_path / "state")
        found = state.index([str(mail)], told=lambda count: None)
        told.append([(Path(one.path).name, one.reason) for one in found])
        state.close()
    assert told[0] == told[1] == [("bad.mbox.gz", "is no complete gzip file")]
