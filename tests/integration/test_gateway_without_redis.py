"""A gateway whose Redis is not there yet: mail flows, and what it left is written when Redis comes."""

import pytest

from tests.support import redis_server
from tests.support.client import Peer
from tests.support.gateway import eventually, gateway
from tests.support.inner import inner_server
from tests.support.mails import mail
from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(redis_server.why_not()), reason=redis_server.why_not() or "-"),
]
LURE = "As discussed on LinkedIn, let us go on over WhatsApp: +44 7700 900123.\r\n"


def test_mail_flows_and_memory_catches_up(tmp_path) -> None:
    server = RedisServer(tmp_path / "redis")
    key = tmp_path / "history.key"
    key.write_text("cd" * 32 + "\n")
    key.chmod(0o600)
    memory = (
        f'[history]\nstore = "redis"\nkey_file = "{key}"\n[history.redis]\nurl = "{server.url}"\n'
    )
    with inner_server() as inner, gateway(
        tmp_path / "gateway", inner_port=inner.port, more=memory
    ) as running:  # fmt: skip
        for number in range(10):
            with Peer(running.port, timeout=20) as peer:
                peer.hello()
                assert peer.send(mail(f"m{number}", LURE), to=["jane@example.org"]).startswith(
                    b"250"
                )
        assert len(inner.messages) == 10
        waiting = running.metric("lurewall_history_journal_records")
        assert waiting >= 1
        assert running.metric("lurewall_history_breaker_open", operation="read") == 1
        try:
            server.start()
            eventually(lambda: running.metric("lurewall_history_journal_records") == 0, seconds=60)
            assert running.metric("lurewall_history_journal_replayed_total") == waiting
            assert running.metric("lurewall_history_journal_dropped_total") == 0
            assert server.command("DBSIZE") > 0
            eventually(
                lambda: running.metric("lurewall_history_breaker_open", operation="read") == 0,
                seconds=60,
            )
        finally:
            server.kill()
