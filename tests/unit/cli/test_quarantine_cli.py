"""`lurewall quarantine`: what is printed, what is sent, how it exits."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from milter.adapters.files_quarantine import FilesQuarantine
from milter.app.quarantine_access import QuarantineAccess
from milter.cli import quarantine as command
from milter.mail.quarantine import Hold, HoldState
from milter.mail.reply import Reply
from milter.ports import CannotKeep, Unusable
from tests.support.holds import (
    NOW,
    RELEASE_RAW,
    Clock,
    ScriptedHop,
    days,
    failure,
    held,
    hold,
    open_store,
)

REFUSED = Reply(code=550, lines=(b"5.1.1 No such \x1b[31muser",))


class Desk:
    """The command with a store and a scripted next hop."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.hop = ScriptedHop()
        monkeypatch.setattr(command, "open_quarantine", self._open)
        monkeypatch.setattr(command, "settings_from", lambda config, quiet: None)
        monkeypatch.setenv("SUDO_USER", "ina")

    @asynccontextmanager
    async def _open(self, _: object) -> AsyncIterator[QuarantineAccess]:
        store = self.store()
        yield QuarantineAccess(
            store=store, next_hop=self.hop, milter_next_hop=self.hop, clock=Clock()
        )
        store.close()

    def store(self) -> FilesQuarantine:
        return open_store(self.folder)

    def hold(self, *holds: Hold) -> tuple[str, ...]:
        return asyncio.run(held(self.store(), *holds))

    def state(self, quarantine_id: str) -> HoldState:
        return asyncio.run(self.store().find(quarantine_id)).state

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(command.app, arguments, input=typed)

    def acts(self) -> list[tuple[str, str, str]]:
        lines = map(json.loads, (self.folder / "audit.log").read_text().splitlines())
        return [(one["who"], one["act"], one["quarantine_id"]) for one in lines]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def printed(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list(desk: Desk) -> None:
    old, new = desk.hold(hold(received_at=NOW - days(9)), hold())
    result = desk.run("list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [old, new]
    assert "mara@consult.example.net -> ina@example.org +1  Report" in result.stdout
    assert desk.acts() == [("cli:ina", "list", "")]


def test_list_json(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    (record,) = printed(desk.run("list", "--format", "json"))
    assert record["id"] == quarantine_id
    assert record["state"] == "held"
    assert record["recipients"] == [
        {"address": "ina@example.org", "released": False},
        {"address": "ole@example.org", "released": False},
    ]
    assert record["verdict"] == {"label": "lure", "score_db": 36.5, "probability": 0.97}
    assert record["findings"][0]["evidence"] == ["another channel"]
    assert record["expires_at"] == "2026-04-01T09:30:00+00:00"


def test_list_shows_what_is_finished_only_if_asked(desk: Desk) -> None:
    kept, gone = desk.hold(hold(), hold())
    assert desk.run("delete", gone, "--yes").exit_code == 0
    assert [one["id"] for one in printed(desk.run("list", "--format", "json"))] == [kept]
    everything = printed(desk.run("list", "--format", "json", "--all"))
    assert {one["id"]: one["state"] for one in everything} == {kept: "held", gone: "deleted"}
    assert {one["decided_by"] for one in everything} == {"", "cli:ina"}


def test_list_by_rule_and_time(desk: Desk) -> None:
    old, new, other = desk.hold(
        hold(received_at=NOW - days(9)), hold(), hold(rule="board", received_at=NOW - days(1))
    )
    arguments = ("list", "--format", "json")
    since = (*arguments, "--since", "2026-02-28")
    assert {one["id"] for one in printed(desk.run(*since))} == {new, other}
    assert {one["id"] for one in printed(desk.run(*since, "--all-of-rule", "default"))} == {new}
    assert {one["id"] for one in printed(desk.run(*arguments, "--all-of-rule", "board"))} == {other}
    assert old not in desk.run(*since).stdout


def test_list_names_damaged_holds_and_shows_the_others(desk: Desk) -> None:
    broken, sound = desk.hold(hold(), hold())
    (desk.folder / "holds" / f"{broken}.held").write_bytes(b"")
    result = desk.run("list")
    assert result.exit_code == 1
    assert sound in result.stdout
    assert broken in result.stderr


def test_show(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    result = desk.run("show", quarantine_id)
    assert result.exit_code == 0
    for words in (
        "OFFPLATFORM: Moves the talk to another channel (+8.0 dB)",
        "body: another channel",
        "From: Mara Lind <mara@consult.example.net>",
        "Write to me on another channel.",
        "State         held",
        "Rule          default",
    ):
        assert words in result.stdout
    assert result.stdout.count("A line of no interest.") < 100
    assert desk.acts() == [("cli:ina", "view", quarantine_id)]


def test_show_neutralises_what_a_terminal_would_obey(desk: Desk) -> None:
    raw = (
        b"Subject: \x1b]0;owned\x07 \xe2\x80\xaetxt.exe\r\nFrom: a@example.net\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"=1B[2J=9B31m hidden=E2=80=8B=00 end=85"
    )
    changes = {"subject": "\x1b[2J\u202e", "header_from": "\x9ba@example.net"}
    (quarantine_id,) = desk.hold(hold(raw=raw, release_raw=raw, **changes))
    for output in ("table", "json"):
        result = desk.run("show", quarantine_id, "--format", output)
        assert result.exit_code == 0
        text = result.stdout.replace("\n", "")
        assert text.isprintable()
        assert "<U+001B>[2J" in text
        assert "txt.exe" in text
    assert "<U+202E>" in text


def test_show_html_without_running_it(desk: Desk) -> None:
    raw = b"Content-Type: text/html\r\n\r\n<p>Dear <b>Ole</b>,</p><script>alert(1)</script>"
    (quarantine_id,) = desk.hold(hold(raw=raw, release_raw=raw))
    result = desk.run("show", quarantine_id)
    assert "Dear Ole" in result.stdout
    assert "<p>" not in result.stdout


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"no header", b"Content-Type: image/png\r\n\r\n\x89PNG", b"\x00" * 1000]
)
def test_show_never_fails_over_content(desk: Desk, raw: bytes) -> None:
    (quarantine_id,) = desk.hold(hold(raw=raw, release_raw=raw))
    result = desk.run("show", quarantine_id)
    assert result.exit_code == 0
    assert result.stdout.replace("\n", "").isprintable()


def test_raw_is_exact_and_audited(desk: Desk) -> None:
    raw = b"Subject: x\r\n\r\n" + bytes(range(256)) + b"\r\r\n\n"
    (quarantine_id,) = desk.hold(hold(raw=raw))
    result = desk.run("show", "--raw", quarantine_id)
    assert result.stdout_bytes == raw
    assert desk.acts() == [("cli:ina", "view_raw", quarantine_id)]


def test_release(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    result = desk.run("release", quarantine_id)
    assert result.exit_code == 0
    assert result.stdout == f"{quarantine_id}: released: 250 2.0.0 Ok: queued as 4F\n"
    assert desk.hop.sent[0][3] == RELEASE_RAW
    assert desk.acts() == [
        ("cli:ina", "release", quarantine_id),
        ("cli:ina", "released", quarantine_id),
    ]
    again = desk.run("release", quarantine_id)
    assert again.exit_code == 0
    assert "released before, by cli:ina" in again.stdout
    assert len(desk.hop.sent) == 1


def test_release_refused_shows_the_reply(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    desk.hop = ScriptedHop(rcpt={b"ina@example.org": REFUSED, b"ole@example.org": REFUSED})
    result = desk.run("release", quarantine_id)
    assert result.exit_code == 1
    assert "held for ina@example.org, ole@example.org: 550 5.1.1 No such <U+001B>" in result.stderr
    assert desk.state(quarantine_id) is HoldState.HELD


def test_release_of_unknown_outcome(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    desk.hop = ScriptedHop(data=failure("end_of_data", ambiguous=True))
    for _ in range(2):
        result = desk.run("release", quarantine_id)
        assert result.exit_code == 1
        assert "outcome unknown" in result.stderr
    assert len(desk.hop.sent) == 1
    desk.hop = ScriptedHop()
    result = desk.run("release", "--again", quarantine_id, "--format", "json")
    assert result.exit_code == 0
    (record,) = printed(result)
    assert (record["state"], record["sent"]) == ("released", True)
    assert record["reply"] == "250 2.0.0 Ok: queued as 4F"


def test_release_to_one_recipient(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    result = desk.run("release", quarantine_id, "--to", "ole@example.org")
    assert result.exit_code == 0
    assert "held for ina@example.org" in result.stdout
    assert desk.run("release", quarantine_id, "--to", "<ole@example.org>").exit_code == 1
    assert [one.path.raw for one in desk.hop.sent[0][2]] == [b"ole@example.org"]


def test_bulk_goes_on_after_a_failure(desk: Desk) -> None:
    first, gone, last = desk.hold(hold(), hold(), hold())
    desk.run("delete", gone, "--yes")
    result = desk.run("release", first, gone, "20260302-000000000000", last)
    assert result.exit_code == 1
    assert len(desk.hop.sent) == 2
    assert f"{gone}: is deleted" in result.stderr
    assert "20260302-000000000000: not found" in result.stderr


def test_all_of_a_rule(desk: Desk) -> None:
    one, other, two = desk.hold(hold(), hold(rule="board"), hold())
    assert desk.run("release", "--all-of-rule", "default").exit_code == 0
    assert desk.state(one) is desk.state(two) is HoldState.RELEASED
    assert desk.state(other) is HoldState.HELD
    result = desk.run("delete", "--since", "2026-01-01", "--yes")
    assert result.exit_code == 0
    assert desk.state(other) is HoldState.DELETED


def test_delete_asks(desk: Desk) -> None:
    (quarantine_id,) = desk.hold()
    assert desk.run("delete", quarantine_id, typed="n\n").exit_code == 1
    assert desk.state(quarantine_id) is HoldState.HELD
    assert desk.run("delete", quarantine_id, typed="y\n").exit_code == 0
    assert desk.state(quarantine_id) is HoldState.DELETED
    assert desk.run("delete", quarantine_id, "--yes").exit_code == 1


def test_a_pending_hold_is_busy(desk: Desk) -> None:
    store = desk.store()
    (quarantine_id,) = asyncio.run(store.write_pending([hold()]))
    result = desk.run("release", quarantine_id)
    assert result.exit_code == 1
    assert "another process" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("release",),
        ("delete", "--yes"),
        ("release", "20260302-000000000000", "--all-of-rule", "x"),
        ("show",),
        ("show", "--raw", "a", "b"),
        ("list", "--since", "yesterday"),
        ("list", "--format", "xml"),
        ("nonsense",),
    ],
)
def test_wrong_usage(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run(*arguments).exit_code == 2


@pytest.mark.parametrize("name", ["20260302-000000000000", "../../etc/passwd", "\x1b[2J"])
def test_unknown_ids(desk: Desk, name: str) -> None:
    for act in ("show", "release"):
        result = desk.run(act, "--", name)
        assert result.exit_code == 1
        assert "not found" in result.stderr
        assert "\x1b" not in result.stderr


def test_a_store_that_cannot_be_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def unusable(_: object) -> AsyncIterator[QuarantineAccess]:
        raise Unusable("/x/key: chmod 600 /x/key")
        yield

    monkeypatch.setattr(command, "open_quarantine", unusable)
    result = desk.run("list")
    assert (result.exit_code, result.stderr) == (2, "lurewall: /x/key: chmod 600 /x/key\n")


def test_without_audit_nothing_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (quarantine_id,) = desk.hold()

    async def full(*_: object) -> None:
        raise CannotKeep("no space")

    monkeypatch.setattr(FilesQuarantine, "audit", full)
    for arguments in (("list",), ("show", quarantine_id), ("show", "--raw", quarantine_id)):
        result = desk.run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "could not be written" in result.stderr


def test_since() -> None:
    assert command.parse_since("2026-03-02") == datetime(2026, 3, 2, tzinfo=UTC)
    assert command.parse_since("2026-03-02T10:00+02:00") == datetime(2026, 3, 2, 8, tzinfo=UTC)
    since = command.parse_since("2d")
    assert timedelta(days=2) <= datetime.now(UTC) - since < timedelta(days=2, hours=1)
    with pytest.raises(typer.BadParameter):
        command.parse_since("2 days")
