"""From the settings to a memory that runs."""

import pytest

from milter.adapters.history.guard import GuardedStore
from milter.adapters.history.redis_store import RedisStore
from milter.app.clock import SystemClock
from milter.app.history import RunningHistory, redis_options
from milter.ports import Unusable
from milter.settings.load import load_settings
from tests.support.troubled_store import Watcher

SETTINGS = """
mode = "observe"
state_dir = "{folder}"
[[listen]]
role = "after_queue"
port = 10025
[next_hop]
host = "127.0.0.1"
port = 10026
[history]
store = "redis"
key_file = "{folder}/history.key"
[history.redis]
{redis}
"""


@pytest.fixture
def settings(tmp_path):
    key = tmp_path / "history.key"
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)

    def made(redis: str):
        text = SETTINGS.format(folder=tmp_path, redis=redis)
        return load_settings(text.encode(), source="test").settings

    return made


def test_what_the_settings_say_reaches_the_store(settings, tmp_path) -> None:
    (tmp_path / "password").write_text("a secret\n")
    told = settings(
        f"""
        sentinels = ["10.0.0.1:26379", "[2001:db8::1]:26380"]
        service = "memory"
        username = "gateway"
        password_file = "{tmp_path}/password"
        tls_ca_file = "{tmp_path}/ca.pem"
        database = 3
        connections = 5
        """
    )
    options = redis_options(told)
    assert options.sentinels == (("10.0.0.1", 26379), ("2001:db8::1", 26380))
    assert (options.service, options.username, options.password) == (
        "memory",
        "gateway",
        "a secret",
    )
    assert (options.tls_ca, options.database, options.connections) == (tmp_path / "ca.pem", 3, 5)


def test_a_password_that_cannot_be_read_is_named(settings, tmp_path) -> None:
    told = settings(f'url = "redis://127.0.0.1"\npassword_file = "{tmp_path}/none"')
    with pytest.raises(Unusable, match="none: cannot read the password"):
        redis_options(told)


async def test_a_front_s_store_is_guarded_and_a_person_s_is_not(settings) -> None:
    told = settings('url = "redis://127.0.0.1:1"')
    front = RunningHistory(told, SystemClock(), told=lambda _what: None, watch=Watcher())
    person = RunningHistory(told, SystemClock(), told=lambda _what: None)
    assert isinstance(front.sealed.store, GuardedStore)
    assert isinstance(person.sealed.store, RedisStore)
    await front.aclose()
    await person.aclose()
