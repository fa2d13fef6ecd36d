"""Requests of a person, rulings, keys: the commands over a real SQLite memory."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from milter.app.clock import SystemClock
from milter.app.history import RunningHistory
from milter.cli import app
from milter.mail.engagement import (
    Conduct,
    Inquiry,
    Memories,
    Origin,
    PlatformContact,
    Sighting,
    Stage,
    Trait,
    TraitKind,
)
from milter.settings import load_settings

DARIA, ROBIN, SAM = "daria@northbridge.test", "robin@example.org", "sam@example.org"
NOW = datetime.now(UTC).replace(microsecond=0)


def origin(number: int) -> Origin:
    return Origin(
        event_id=f"e{number}", at=NOW - timedelta(days=number), message_id=f"<{number}@x>"
    )


MEMORIES = Memories(
    events=(
        (
            ROBIN,
            PlatformContact(
                origin=origin(3),
                platform="linkedin",
                persona="Daria Kamau",
                hints=(Trait(TraitKind.ADDRESS, DARIA),),
            ),
        ),
        (ROBIN, Conduct(origin=origin(2), address=DARIA, stage=Stage.TASK)),
        (SAM, Conduct(origin=origin(1), address="other@firm.test", stage=Stage.MOVE)),
    ),
    sightings=(
        Sighting(
            trait=Trait(TraitKind.PHONE, "+447700900123"),
            origin=origin(2),
            persona=DARIA,
            recipient=ROBIN,
        ),
        Sighting(
            trait=Trait(TraitKind.PHONE, "+447700900456"),
            origin=origin(1),
            persona="other@firm.test",
            recipient=SAM,
        ),
    ),
)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'domains = ["example.org"]\nstate_dir = "{tmp_path}/state"\n'
        '[[listen]]\nrole = "mx"\n[next_hop]\nhost = "127.0.0.1"\n'
    )
    with_memory(path, lambda running: running.history.remember(MEMORIES))
    return path


def with_memory(path, work):
    async def run():
        settings = load_settings(path.read_bytes(), source="test").settings
        running = RunningHistory(settings, SystemClock(), told=pytest.fail)
        try:
            return await work(running)
        finally:
            await running.aclose()

    return asyncio.run(run())


def dossier(path, recipient):
    asked = Inquiry(recipients=(recipient,))
    recalled = with_memory(path, lambda running: running.history.recall(asked))
    return recalled.dossiers[0].events


def run(*words):
    return CliRunner().invoke(app, list(words))


def audit(path):
    lines = (path.parent / "state/quarantine/audit.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def exported(config, address):
    done = run("export", address, "--config", str(config))
    assert done.exit_code == 0
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_export_tells_a_persona_what_is_kept(config):
    records = exported(config, "Daria@Northbridge.TEST")
    assert [(one["record"], one["as"]) for one in records] == [
        ("platformcontact", "persona"),
        ("conduct", "persona"),
        ("sighting", "persona"),
    ]
    assert records[1]["origin"]["message_id"] == "<2@x>"


def test_export_tells_a_recipient_what_is_kept(config):
    records = exported(config, SAM)
    assert [(one["record"], one["as"]) for one in records] == [
        ("conduct", "recipient"),
        ("sighting", "recipient"),
    ]


def test_erase_leaves_nothing_of_the_person_and_all_of_the_others(config):
    done = run("erase", DARIA, "--config", str(config))
    assert (done.exit_code, done.stdout) == (0, "erased 3 records\n")
    assert exported(config, DARIA) == []
    assert len(exported(config, SAM)) == 2
    assert dossier(config, ROBIN) == ()


def test_every_request_is_in_the_audit_log_without_the_address(config):
    run("export", SAM, "--config", str(config))
    run("erase", SAM, "--config", str(config))
    entries = audit(config)
    assert [one["act"] for one in entries] == ["export", "erase"]
    assert all(one["who"] for one in entries)
    assert SAM not in json.dumps(entries)
    assert entries[0]["detail"] == entries[1]["detail"].split()[0]


def test_a_ruling_stands_in_the_dossier(config):
    words = ["rule", DARIA, "--for", ROBIN, "--stage", "approach", "--reason", "known to us"]
    assert run("memory", *words, "--config", str(config)).exit_code == 0
    ruling = dossier(config, ROBIN)[-1]
    assert (ruling.address, ruling.stage, ruling.reason) == (DARIA, Stage.APPROACH, "known to us")
    assert [one["act"] for one in audit(config)] == ["rule"]


@pytest.mark.parametrize(
    "words",
    [
        ("erase", "nobody"),
        ("export", "@x.test"),
        ("memory", "rule", DARIA, "--for", ROBIN, "--stage", "escalate"),
    ],
)
def test_what_is_no_address_or_stage_is_refused(config, words):
    assert run(*words, "--config", str(config)).exit_code == 2


def test_counts(config):
    done = run("memory", "counts", "--config", str(config))
    counts = json.loads(done.stdout)
    assert (counts["dossiers"], counts["entries"], counts["marks"]) == (2, 3, 2)


def test_a_key_is_made_once(tmp_path):
    key = tmp_path / "shared.key"
    assert run("memory", "new-key", str(key)).exit_code == 0
    made = key.read_bytes()
    assert run("memory", "new-key", str(key)).exit_code == 2
    assert key.read_bytes() == made


def test_without_memory_there_is_nothing_to_ask(config):
    config.write_text(config.read_text() + '[history]\nstore = "none"\n')
    assert run("erase", SAM, "--config", str(config)).exit_code == 2
