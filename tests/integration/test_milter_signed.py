"""What a real MTA hands to its milter is exact enough for the strictest signature.

rspamd and others rebuilt header fields with a guessed space, and DKIM in its simple form failed.
"""

from collections.abc import Iterator

import pytest

from tests.integration.test_milter import content
from tests.support import postfix, sendmail
from tests.support.behind import Behind, behind
from tests.support.signing import DOMAIN, MESSAGE, SELECTOR, ed25519_key, record, rsa_key, sign
from tests.support.zone import DnsServer, Zone

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("milter"),
    pytest.mark.skipif(bool(postfix.why_not()), reason=postfix.why_not()),
]
ZONE = Zone(
    {
        f"{SELECTOR}._domainkey.{DOMAIN}": [f"TXT {record(rsa_key()).decode()}"],
        f"ed._domainkey.{DOMAIN}": [f"TXT {record(ed25519_key()).decode()}"],
        DOMAIN: ["TXT v=spf1 -all"],
        f"_dmarc.{DOMAIN}": ["TXT v=DMARC1; p=reject"],
    }
)
ODD = MESSAGE.replace(b"To: b@", b"to:b@").replace(
    b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nX-Empty:\r\nX-Tab:\tvalue\r\nX-Spaces:   \r\n"
)
NAMES = "from:to:subject:date:message-id:mime-version:x-empty:x-tab:x-spaces"


@pytest.fixture(scope="module")
def mtas(tmp_path_factory) -> Iterator[dict[str, Behind]]:
    """One gateway that verifies, asked by each MTA."""
    with DnsServer(ZONE) as server:
        told = f'verify = "always"\nnameservers = ["127.0.0.1:{server.port}"]'
        folder = tmp_path_factory.mktemp("signed")
        with behind("postfix", folder, unix=False, readers=1, authentication=told) as first:
            if sendmail.why_not():
                yield {"postfix": first}
            else:
                with first.beside(kind="sendmail") as second:
                    yield {"postfix": first, "sendmail": second}


@pytest.mark.parametrize("canonical", ["simple/simple", "relaxed/simple", "relaxed/relaxed"])
@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
@pytest.mark.parametrize("kind", ["postfix", pytest.param("sendmail", marks=pytest.mark.skipif(
    bool(sendmail.why_not()), reason=sendmail.why_not()))])  # fmt: skip
def test_a_signature_verifies_behind_the_mta(mtas, kind, algorithm, canonical):
    running = mtas[kind]
    is_rsa = algorithm == "rsa"
    raw = sign(
        ODD,
        rsa_key() if is_rsa else ed25519_key(),
        canonical=canonical,
        names=NAMES,
        selector=SELECTOR if is_rsa else "ed",
    )
    to = f"{kind}-{algorithm}-{canonical.replace('/', '-')}@example.org"
    assert running.send(raw, to).startswith(b"250")
    (event,) = [one for one in running.gateway.events("message") if one["recipients"] == [to]]
    assert {"dkim=pass", "dmarc=pass"} <= set(event["authentication"])
    arrived = running.only(to).raw
    assert arrived.startswith(b"Authentication-Results: gateway.test; dkim=pass")
    # What leaves for the inner server is still what was signed.
    assert content(arrived) == raw
