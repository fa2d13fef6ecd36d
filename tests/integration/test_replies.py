"""What a peer hears while the next hop misbehaves at each stage, in role mx (design rules 1 to 5).

Replies to MAIL, RCPT, DATA and the end of data are the next hop's own words; whatever else is wrong
behind us is 451, and the mail comes again.
"""

import itertools
import time

import pytest

from milter.demo.inner_server import Fault
from tests.support.client import Peer
from tests.support.gateway import gateway
from tests.support.inner import copies, inner_server, misbehave
from tests.support.mails import mail, without_our_fields

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("replies")]

IDLE_SECONDS = 0.05
# The mail is judged before the next hop hears DATA: what it says to that comes after our 354.
HEARD_AT = {"data": "end_of_data", "content": "end_of_data"}
TRY_LATER = b"Temporary failure, please try again later"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def inner():
    with inner_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(inner, tmp_path_factory):
    with gateway(
        tmp_path_factory.mktemp("replies"),
        inner_port=inner.port,
        role="mx",
        next_hop=f"idle_seconds = {IDLE_SECONDS}\nreply_seconds = 1.5\nend_of_data_seconds = 1.5",
    ) as started:
        yield started


@pytest.fixture(autouse=True)
def well_again(inner):
    yield
    misbehave(inner)


@pytest.fixture
def name():
    return f"r{next(_numbers)}"


def replies(port: int, name: str, raw: bytes | None = None) -> dict[str, bytes]:
    """The replies of one transaction to NAME@example.org, up to the first that is not positive."""
    answers: dict[str, bytes] = {}
    with Peer(port) as peer:
        peer.hello()
        for stage, command in (
            ("mail", "MAIL FROM:<a@sender.test>"),
            ("rcpt", f"RCPT TO:<{name}@example.org>"),
            ("data", "DATA"),
        ):
            answers[stage] = peer.say(command)
            if answers[stage][:1] not in b"23":
                break
        else:
            answers["end_of_data"] = peer.content(raw or mail(name))
        assert peer.say("NOOP").startswith(b"250")
    return answers


def use_no_old_connection() -> None:
    """Wait until every idle connection to the next hop is too old to be used again."""
    time.sleep(2 * IDLE_SECONDS)


# What the next hop does, the stage that hears of it, and the words (an id may follow).
WORDS_OF_THE_NEXT_HOP = [
    pytest.param(stage, words, id=f"{stage}-{words[:3].decode()}")
    for stage in ("mail", "rcpt", "data", "end_of_data")
    for words in (
        b"450 4.2.0 Come back when the moon is up\r\n",
        b"452-4.3.1 The shelf is full\r\n452 4.3.1 and so is the floor\r\n",
        b"550 5.7.9 We do not care for it\r\n",
        b"554-5.7.1 Not here\r\n554-5.7.1 not there\r\n554 5.7.1 nowhere\r\n",
    )
]


@pytest.mark.parametrize(("stage", "words"), WORDS_OF_THE_NEXT_HOP)
def test_a_refusal_of_the_next_hop_reaches_the_peer_word_for_word(
    running, inner, name, stage, words
):
    misbehave(inner, Fault(stage=stage, reply=words))
    heard_at = HEARD_AT.get(stage, stage)
    answers = replies(running.port, name)
    assert list(answers)[-1] == heard_at
    assert answers[heard_at] == words
    assert copies(inner, f"{name}@example.org") == []


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
@pytest.mark.parametrize(
    ("fault", "enhanced"),
    [
        ({"reply": b"554 5.3.2 Not for you\r\n"}, b"4.4.0"),
        ({"reply": b"450 4.3.2 Not now\r\n"}, b"4.4.5"),
        ({"reply": b"421 4.3.2 Closing\r\n", "drop": True}, b"4.4.2"),
        ({"reply": b"what is this\r\n"}, b"4.4.0"),
        ({"drop": True}, b"4.4.2"),
    ],
    ids=["5xx", "4xx", "421", "malformed", "dropped"],
)
def test_a_next_hop_that_takes_no_connection_is_451(running, inner, name, stage, fault, enhanced):
    use_no_old_connection()
    failures = running.metric("lurewall_next_hop_failures_total", stage=stage)
    misbehave(inner, Fault(stage=stage, **fault))
    answers = replies(running.port, name)
    assert answers == {"mail": b"451 " + enhanced + b" " + TRY_LATER + b"\r\n"}
    assert running.metric("lurewall_next_hop_failures_total", stage=stage) > failures
    misbehave(inner)
    assert replies(running.port, name)["end_of_data"].startswith(b"250 2.0.0 Ok: queued")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content", "end_of_data"])
@pytest.mark.parametrize(
    "fault",
    [{"reply": b"421 4.3.2 Closing\r\n", "drop": True}, {"drop": True}],
    ids=["421", "dropped"],
)
def test_a_next_hop_that_hangs_up_is_451(running, inner, name, stage, fault):
    misbehave(inner, Fault(stage=stage, **fault))
    answers = replies(running.port, name)
    heard_at = HEARD_AT.get(stage, stage)
    assert list(answers)[-1] == heard_at
    assert answers[heard_at].startswith(b"451 4.4.2 ")
    assert TRY_LATER in answers[heard_at]
    misbehave(inner)
    raw = mail(name)
    assert replies(running.port, name, raw)["end_of_data"].startswith(b"250")
    delivered = copies(inner, f"{name}@example.org")
    # A lost reply to the final dot leaves open who has the mail: twice is better than never.
    assert len(delivered) == (2 if (stage, fault) == ("end_of_data", {"drop": True}) else 1)
    assert {without_our_fields(message.raw) for message in delivered} == {raw}


def test_a_connection_lost_while_the_mail_was_judged_costs_the_peer_nothing(running, inner, name):
    misbehave(inner, Fault(stage="data", drop=True, occurrence=1))
    assert replies(running.port, name)["end_of_data"].startswith(b"250")
    assert len(copies(inner, f"{name}@example.org")) == 1


@pytest.mark.parametrize(
    ("stage", "heard_at"),
    [("mail", "mail"), ("data", "end_of_data"), ("end_of_data", "end_of_data")],
)
def test_a_silent_next_hop_is_451(running, inner, name, stage, heard_at):
    use_no_old_connection()
    misbehave(inner, Fault(stage=stage, delay_seconds=6.0))
    answers = replies(running.port, name)
    assert list(answers)[-1] == heard_at
    assert answers[heard_at].startswith(b"451 4.4.2 ")


def test_an_unknown_recipient_is_refused_at_rcpt_and_the_others_get_the_mail(running, inner, name):
    unknown = f"{name}x@example.org"
    misbehave(
        inner, Fault(stage="rcpt", recipient=unknown.encode(), reply=b"550 5.1.1 Who is it\r\n")
    )
    with Peer(running.port) as peer:
        peer.hello()
        assert peer.say("MAIL FROM:<a@sender.test>").startswith(b"250")
        assert peer.say(f"RCPT TO:<{unknown}>") == b"550 5.1.1 Who is it\r\n"
        assert peer.say(f"RCPT TO:<{name}@example.org>").startswith(b"250")
        assert peer.say("DATA").startswith(b"354")
        assert peer.content(mail(name)).startswith(b"250")
    (message,) = copies(inner, f"{name}@example.org")
    assert message.recipients == (f"{name}@example.org".encode(),)


def test_only_unknown_recipients_and_no_data(running, inner, name):
    misbehave(inner, Fault(stage="rcpt", reply=b"550 5.1.1 Who is it\r\n"))
    with Peer(running.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        peer.raw(f"RCPT TO:<{name}@example.org>\r\nDATA\r\nRSET\r\n".encode())
        assert peer.reply().startswith(b"550 5.1.1")
        assert peer.reply().startswith(b"503 5.5.1")
        assert peer.reply().startswith(b"250")


def test_a_null_sender_stays_null(running, inner, name):
    with Peer(running.port) as peer:
        peer.hello()
        assert peer.send(mail(name), to=[f"{name}@example.org"], sender="").startswith(b"250")
    assert [message.reverse_path for message in copies(inner, f"{name}@example.org")] == [b""]


@pytest.mark.parametrize(
    "path",
    [
        "x@elsewhere.test",
        "x@sub.example.org",
        "x@example.org.elsewhere.test",
        "x%elsewhere.test@example.org",
        "elsewhere.test!x@example.org",
        '"x@elsewhere.test"@example.org',
        "@example.org:x@elsewhere.test",
        "@elsewhere.test:x@example.org",
        "x@[127.0.0.1]",
    ],
)
def test_a_foreign_domain_is_refused_before_the_next_hop_is_asked(running, inner, path):
    with Peer(running.port) as peer:
        peer.hello()
        assert peer.say("MAIL FROM:<a@sender.test>").startswith(b"250")
        answer = peer.say(f"RCPT TO:<{path}>")
        assert peer.say("RSET").startswith(b"250")
    assert answer.startswith((b"550 5.7.1 Relaying denied", b"501 5.1.3 "))
    assert [line for line in inner.commands if path.encode() in line] == []


def test_our_domain_is_ours_however_it_is_written(running, inner):
    with Peer(running.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        assert peer.say("RCPT TO:<ours@EXAMPLE.org>").startswith(b"250")
        assert peer.say("RCPT TO:<Postmaster>").startswith(b"250")
        assert peer.say("RSET").startswith(b"250")
    assert b"RCPT TO:<ours@EXAMPLE.org>" in inner.commands


def test_no_reply_of_ours_tells_of_our_insides(running, inner, name):
    for stage in ("greeting", "ehlo", "mail", "rcpt", "data", "content", "end_of_data"):
        use_no_old_connection()
        misbehave(inner, Fault(stage=stage, drop=True))
        for answer in replies(running.port, name).values():
            assert str(inner.port).encode() not in answer
            for word in (b"127.0.0.1", b"inner", b"Error", b"Traceback", b"milter", b"/"):
                assert word not in answer or answer.startswith(b"2")
