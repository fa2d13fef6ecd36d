"""The command as people run it: a configuration file, a key, a folder, a server behind."""

import asyncio
from pathlib import Path

from typer.testing import CliRunner, Result

from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.keys import load_or_create_key
from milter.cli import app
from milter.demo.inner_server import InnerServer
from tests.support.holds import RELEASE_RAW, held


def configuration(folder: Path, port: int) -> Path:
    file = folder / "gateway.toml"
    file.write_text(
        f'state_dir = "{folder}"\n'
        '[[listen]]\nrole = "before_queue"\n'
        f'[next_hop]\nhost = "127.0.0.1"\nport = {port}\n'
    )
    return file


async def run(*arguments: str) -> Result:
    """In a thread: the command has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["quarantine", *arguments])


async def test_list_and_release_through_the_configured_next_hop(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path / "quarantine.key")
    store = FilesQuarantine(tmp_path / "quarantine", key)
    (quarantine_id,) = await held(store)
    async with InnerServer() as inner:
        config = str(configuration(tmp_path, inner.port))
        listed = await run("list", "--config", config)
        assert quarantine_id in listed.stdout
        released = await run("release", quarantine_id, "--config", config)
        assert released.exit_code == 0, released.stderr
        assert f"{quarantine_id}: released: 250" in released.stdout
        assert [message.raw for message in inner.messages] == [RELEASE_RAW]
    store.close()


async def test_without_a_key_there_is_nothing_to_open(tmp_path: Path) -> None:
    result = await run("list", "--config", str(configuration(tmp_path, 25)))
    assert result.exit_code == 2
    assert "cannot read the key" in result.stderr
    assert not (tmp_path / "quarantine").exists()
