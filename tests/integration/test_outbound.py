"""Role outbound in a real gateway: octets as they came, from our own servers only."""

import pytest

from tests.support.client import Peer
from tests.support.gateway import gateway
from tests.support.inner import inner_server
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("outbound")]

LURE = (
    b"From: R. Lefort <r.lefort@example.org>\r\nTo: x@firm.test\r\nSubject: Re: paper\r\n"
    b"X-Lurewall-Verdict: mine\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\n\r\n"
    b"As discussed on LinkedIn, my WhatsApp is +44 7700 900123; my client stays unnamed and pays "
    b"1,500 USD for a written report.\r\n"
)


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def out_port():
    return free_port()


@pytest.fixture(scope="module", params=["127.0.0.0/8", "192.0.2.0/24"])
def running(request, inner, out_port, tmp_path_factory):
    port = free_port()
    listen = (
        f'\n[[listen]]\nrole = "outbound"\nport = {port}\nallow_from = ["{request.param}"]\n'
        f'relay_to = "127.0.0.1:{inner.port}"\n'
    )
    with gateway(
        tmp_path_factory.mktemp("out"), inner_port=inner.port, role="mx", listen=listen
    ) as started:
        yield started, port, request.param


def test_outgoing_mail(running, inner):
    started, port, network = running
    with Peer(port) as peer:
        peer.hello()
        peer.say(b"MAIL FROM:<r.lefort@example.org>")
        answer = peer.say(b"RCPT TO:<x@firm.test>")
        if network != "127.0.0.0/8":
            assert answer.startswith(b"550 5.7.1")
            return
        assert answer.startswith(b"250")
        peer.say(b"DATA")
        assert peer.content(LURE).startswith(b"250")
    assert inner.messages[-1].raw == LURE
    (event,) = [one for one in started.events("message") if one["role"] == "outbound"]
    assert event["fates"] == {"delivered": 1}
    assert started.metric("lurewall_messages_total", role="outbound") == 1
