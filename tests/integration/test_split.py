"""Recipients whose mail differs: one reply that is true for all, with each failure in the middle.

One lure goes to three recipients: the policy tags it for the first, lets it pass for the second and
holds it for the third. Held first as pending, then a transaction each, then one decision (rule 8).
"""

import itertools
from dataclasses import dataclass

import pytest

from milter.demo.inner_server import Fault, InnerServer
from tests.support.client import Peer
from tests.support.gateway import Gateway, gateway
from tests.support.inner import copies, inner_server, misbehave
from tests.support.kept import held_mails
from tests.support.mails import lure, without_our_fields

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("split")]

POLICY = """
[[policy]]
name = "tag"
recipients = ["tagged.example.org"]
at_most = "annotate"

[[policy]]
name = "pass"
recipients = ["plain.example.org"]
at_most = "deliver"
"""
GROUPS = {"first": 1, "second": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One lure to three recipients through a running gateway."""

    name: str
    running: Gateway
    inner: InnerServer

    @property
    def tagged(self) -> str:
        return f"{self.name}@tagged.example.org"

    @property
    def plain(self) -> str:
        return f"{self.name}@plain.example.org"

    @property
    def held(self) -> str:
        return f"{self.name}@held.example.org"

    def send(self) -> bytes:
        with Peer(self.running.port) as peer:
            peer.hello()
            return peer.send(lure(self.name), to=[self.tagged, self.plain, self.held])

    def counts(self) -> tuple[int, int, int]:
        """How often each recipient has the mail: tagged, plain, held."""
        holds = held_mails(self.running)
        assert copies(self.inner, self.held) == []
        assert self.tagged not in holds
        assert self.plain not in holds
        held = holds.get(self.held, [])
        assert set(held) <= {lure(self.name)}
        delivered = (copies(self.inner, self.tagged), copies(self.inner, self.plain))
        return len(delivered[0]), len(delivered[1]), len(held)


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    with gateway(folder, inner_port=inner.port, mode="enforce", more=POLICY) as started:
        yield started


_numbers = itertools.count()


@pytest.fixture
def split(running, inner):
    yield Split(name=f"s{next(_numbers)}", running=running, inner=inner)
    misbehave(inner)


def test_each_recipient_gets_what_the_policy_says(split):
    assert split.send().startswith(b"250 2.0.0 Message accepted")
    assert split.counts() == (1, 1, 1)
    (tagged,) = copies(split.inner, split.tagged)
    (plain,) = copies(split.inner, split.plain)
    assert tagged.recipients == (split.tagged.encode(),)
    assert b"X-Lurewall-Verdict: lure" in tagged.raw
    assert without_our_fields(tagged.raw) != lure(split.name)
    assert without_our_fields(plain.raw) == lure(split.name)


# What fails, at which of the two transactions behind the split. `data` stands for the reply to
# DATA, `content` for a loss between 354 and the dot.
FAILURES = [
    pytest.param(stage, group, fault, id=f"{stage}-{group}-{what}")
    for stage in ("mail", "rcpt", "data", "content", "end_of_data")
    for group in GROUPS
    for what, fault in (
        ("4xx", {"reply": b"450 4.2.1 Later\r\n"}),
        ("5xx", {"reply": b"550 5.7.3 Never\r\n"}),
        ("421", {"reply": b"421 4.3.2 Closing\r\n", "drop": True}),
        ("dropped", {"drop": True}),
    )
    # There is no reply between 354 and the dot but that of a server that hangs up.
    if stage != "content" or what == "dropped"
]


@pytest.mark.parametrize(("stage", "group", "fault"), FAILURES)
def test_a_failure_in_the_middle(split, stage, group, fault):
    number = GROUPS[group]
    # Before the split all three are named once, in the transaction that is reset.
    before = {"mail": 1, "rcpt": 3}.get(stage, 0)
    misbehave(split.inner, Fault(stage=stage, occurrence=before + number, **fault))
    answer = split.send()
    first_arrived = number == 2
    is_permanent = fault.get("reply", b"").startswith(b"5")
    is_ambiguous = stage == "end_of_data" and "reply" not in fault

    if is_permanent:
        # The sender learns it for all; nothing is held, whoever got the mail has it.
        assert answer == b"550 5.7.3 Never\r\n"
        assert split.counts() == (int(first_arrived), 1 - int(first_arrived), 0)
        return
    assert answer.startswith(b"451 ")
    copies_of_lost_reply = int(is_ambiguous)
    assert split.counts() == (
        1 if first_arrived else copies_of_lost_reply,
        copies_of_lost_reply if first_arrived else 0,
        0,
    )

    misbehave(split.inner)
    assert split.send().startswith(b"250")
    tagged, plain, held = split.counts()
    # Who got it in the deferred transaction does not get it twice; a lost reply to the final dot
    # leaves it open, and then twice is better than never.
    assert (tagged, plain, held) == (
        1 + (is_ambiguous and not first_arrived),
        1 + (is_ambiguous and first_arrived),
        1,
    )


def test_the_connection_dies_before_the_split(split):
    misbehave(split.inner, Fault(stage="rset", drop=True, occurrence=1))
    assert split.send().startswith(b"250")
    assert split.counts() == (1, 1, 1)


def test_a_quarantine_that_cannot_be_written_defers_all(split):
    folder = split.running.folder / "state" / "quarantine"
    away = folder.with_name("away")
    folder.rename(away)
    try:
        failures = split.running.metric("lurewall_hold_failures_total")
        assert split.send().startswith(b"451 4.3.0 ")
        assert split.running.metric("lurewall_hold_failures_total") == failures + 1
        assert copies(split.inner, split.tagged) == copies(split.inner, split.plain) == []
    finally:
        away.rename(folder)
    assert split.send().startswith(b"250")
    assert split.counts() == (1, 1, 1)


def test_a_retry_with_other_recipients_loses_none(split):
    misbehave(split.inner, Fault(stage="end_of_data", reply=b"450 4.2.1 Later\r\n", occurrence=2))
    assert split.send().startswith(b"451")
    other = f"{split.name}-other@plain.example.org"
    with Peer(split.running.port) as peer:
        peer.hello()
        assert peer.send(lure(split.name), to=[split.tagged, other, split.held]).startswith(b"250")
    assert split.counts() == (1, 0, 1)
    assert len(copies(split.inner, other)) == 1
    assert split.send().startswith(b"250")
    tagged, plain, _held = split.counts()
    assert plain == 1
    assert tagged in (1, 2)
