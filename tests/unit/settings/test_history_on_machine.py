"""What check-config asks of this machine for the memory: keys, password, authorities; no store."""

from pathlib import Path

import pytest

from milter.adapters.keys import load_or_create_key
from milter.app.service_plan import machine_problems
from milter.settings import load_settings
from tests.support.certificate import self_signed
from tests.unit.settings.test_wrong_configurations import GOOD

SHARED = """
[history]
store = "redis"
key_file = "{folder}/history.key"
old_key_files = ["{folder}/former.key"]
[history.redis]
url = "{url}"
password_file = "{folder}/password"
tls_ca_file = "{folder}/ca.pem"
"""


def problems(folder: Path, url: str = "rediss://127.0.0.1:1") -> dict[str, str]:
    text = f'state_dir = "{folder}/state"\n{GOOD}{SHARED.format(folder=folder, url=url)}'
    settings = load_settings(text.encode(), source="gateway.toml").settings
    return {one.key: one.message for one in machine_problems(settings, source="gateway.toml")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("history.key", "former.key"):
        load_or_create_key(tmp_path / name)
    (tmp_path / "password").write_text("secret\n")
    self_signed(tmp_path)[1].rename(tmp_path / "ca.pem")
    return tmp_path


def test_a_store_that_is_away_is_no_problem(folder):
    assert problems(folder) == {}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("history.key", "history.key_file"),
        ("former.key", "history.old_key_files[0]"),
        ("password", "history.redis.password_file"),
        ("ca.pem", "history.redis.tls_ca_file"),
    ],
)
def test_a_file_that_is_missing_or_unfit_is_told_by_its_key(folder, name, key):
    (folder / name).write_bytes(b"\xff")
    (told,) = problems(folder).items()
    assert told[0] == key
    assert str(folder / name) in told[1]
    (folder / name).unlink()
    assert set(problems(folder)) == {key}


def test_a_url_that_the_client_refuses_is_told(folder):
    assert set(problems(folder, "redis://127.0.0.1:1?socket_timeout=9")) == {"history.redis.url"}
