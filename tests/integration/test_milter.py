"""Real Postfix and real Sendmail with the gateway as their milter: each disposition, each edit."""

import functools
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support import postfix, sendmail
from tests.support.behind import Behind, behind
from tests.support.client import Peer
from tests.support.gateway import eventually
from tests.support.kept import held_mails
from tests.support.mails import LURE_TEXT, PLAIN_TEXT, mail, signed
from tests.support.scripted_filter import CONTINUE, ScriptedFilter, at_end, inserted, serving
from tests.support.smtp_load import send_all

POLICY = """
[[policy]]
name = "tag"
recipients = ["tagged.example.org"]
at_most = "annotate"

[[policy]]
name = "pass"
recipients = ["plain.example.org"]
at_most = "deliver"

[[policy]]
name = "refuse"
recipients = ["refused.example.org"]
hold_as = "reject"

[annotate]
subject_tag = "[unusual offer]"
notice_for_protected = true
"""
DATED = "Date: Wed, 25 Nov 2026 09:03:27 +0000\r\n"
OURS_ON_TOP = re.compile(rb"\A(?:X-Lurewall-[A-Za-z]+: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*){4}")

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("milter")]
# The MTAs, and whether they speak with the filter over a Unix socket (where the MTA holds mail
# itself, it is the other way round).
MTAS = [
    pytest.param(("postfix", True), id="postfix-unix", marks=pytest.mark.skipif(
        bool(postfix.why_not()), reason=postfix.why_not())),
    pytest.param(("sendmail", False), id="sendmail-tcp", marks=pytest.mark.skipif(
        bool(sendmail.why_not()), reason=sendmail.why_not())),
]  # fmt: skip


def lure(name: str, *, header: str = "") -> bytes:
    return mail(name, LURE_TEXT, header=DATED + header)


def plain(name: str, *, header: str = "") -> bytes:
    return mail(name, PLAIN_TEXT, header=DATED + header)


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Callable[[str, bool], Behind]]:
    """Each MTA with its gateway, started when it is first asked for."""
    with ExitStack() as stack:

        def start(kind: str, unix: bool) -> Behind:
            folder = tmp_path_factory.mktemp(f"milter-{kind}")
            top = 'trusted_authserv_ids = ["verifier.test"]'
            return stack.enter_context(behind(kind, folder, unix=unix, top=top, more=POLICY))

        yield functools.cache(start)


@pytest.fixture(params=MTAS)
def running(request, started) -> Behind:
    return started(*request.param)


@pytest.fixture(params=MTAS[:1])
def with_postfix(request, started) -> Behind:
    return started(*request.param)


def content(raw: bytes) -> bytes:
    """All below the field of the MTA: what it had from the client, as edited."""
    received = re.search(rb"^Received: from client\.test .*\r\n(?:[ \t].*\r\n)*", raw, re.MULTILINE)
    assert received is not None
    return raw[received.end() :]


def test_an_honest_mail_gets_fields_and_is_else_unchanged(running):
    assert running.send(plain("honest"), "honest@example.org").startswith(b"250")
    raw = running.only("honest@example.org").raw
    assert OURS_ON_TOP.match(raw)
    assert b"X-Lurewall-Verdict: clean" in raw
    assert content(raw) == plain("honest")


def test_a_lure_gets_fields_a_tag_and_a_banner(running):
    assert running.send(lure("tag"), "tag@tagged.example.org").startswith(b"250")
    raw = running.only("tag@tagged.example.org").raw
    assert OURS_ON_TOP.match(raw)
    assert b"X-Lurewall-Verdict: lure" in raw
    assert b"\r\nSubject: [unusual offer] note tag\r\n" in raw
    body = raw.partition(b"\r\n\r\n")[2]
    assert body.endswith(LURE_TEXT.encode())
    assert b"[lw:" in body.removesuffix(LURE_TEXT.encode())


def test_forged_fields_go_and_foreign_ones_stay(running):
    forged = (
        "X-Lurewall-Verdict: clean\r\nX-Other: stays\r\nx-lurewall-verdict: clean;\r\n really\r\n"
        "Authentication-Results: gateway.test; dkim=pass header.d=forged.test\r\n"
        "Authentication-Results: other.test; dkim=none\r\nX-LUREWALL-VERDICT: clean\r\n"
    )
    assert running.send(lure("forged", header=forged), "f@tagged.example.org").startswith(b"250")
    raw = running.only("f@tagged.example.org").raw
    assert re.findall(rb"(?im)^x-lurewall-verdict: (\w+)", raw) == [b"lure"]
    assert b"forged.test" not in raw
    assert b"\r\nX-Other: stays\r\nAuthentication-Results: other.test; dkim=none\r\n" in raw


def test_a_held_mail_leaves_the_mta_and_is_kept_as_it_came(running):
    assert running.send(lure("held"), "held@example.org").startswith(b"250")
    assert running.copies("held@example.org") == []
    assert held_mails(running.gateway)["held@example.org"] == [lure("held")]


def test_one_lure_to_recipients_of_three_policies(running):
    to = ("p@plain.example.org", "p@tagged.example.org", "p@held.example.org")
    assert running.send(lure("parts"), *to).startswith(b"250")
    message = running.only("p@tagged.example.org")
    # Who gets it gets the same octets: a milter cannot split, so the strictest marks are for both.
    assert sorted(message.recipients) == [b"p@plain.example.org", b"p@tagged.example.org"]
    assert b"[lw:" in message.raw
    assert running.copies("p@held.example.org") == []
    held = held_mails(running.gateway)
    assert held["p@held.example.org"] == [lure("parts")]
    assert not {"p@plain.example.org", "p@tagged.example.org"} & held.keys()


def test_a_mail_that_policy_refuses_is_550(running):
    answer = running.send(lure("refuse"), "r@refused.example.org")
    assert answer.startswith(b"550 5.7.1 ")
    assert running.copies("r@refused.example.org") == []
    assert "r@refused.example.org" not in held_mails(running.gateway)


def test_where_only_some_refuse_their_mail_is_held(running):
    to = ("s@refused.example.org", "s@tagged.example.org")
    assert running.send(lure("some"), *to).startswith(b"250")
    assert running.only("s@tagged.example.org").recipients == (b"s@tagged.example.org",)
    assert held_mails(running.gateway)["s@refused.example.org"] == [lure("some")]


def test_a_hold_that_cannot_be_written_is_451(running):
    folder = running.gateway.folder / "state" / "quarantine"
    away = folder.with_name("away")
    folder.rename(away)
    try:
        answer = running.send(lure("defer"), "d@example.org", "d@tagged.example.org")
        assert answer.startswith(b"451 4.3.0 ")
    finally:
        away.rename(folder)
    assert running.copies("d@example.org") == running.copies("d@tagged.example.org") == []
    assert running.send(lure("defer"), "d@example.org", "d@tagged.example.org").startswith(b"250")
    assert running.only("d@tagged.example.org").recipients == (b"d@tagged.example.org",)


def test_a_released_mail_passes_the_filter_once_and_is_not_caught_again(running):
    assert running.send(lure("release"), "release@example.org").startswith(b"250")
    (record,) = [
        one for one in running.gateway.held()
        if "release@example.org" in [to["address"] for to in one["recipients"]]
    ]  # fmt: skip
    passed = running.gateway.metric("lurewall_released_passed_total")
    done = subprocess.run(
        [sys.executable, "-m", "milter", "quarantine", "release", record["id"],
         "--config", str(running.gateway.configuration)],
        check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    message = running.only("release@example.org")
    assert message.reverse_path == b"a@sender.test"
    assert b"X-Lurewall-Verdict: lure" in message.raw
    assert b"X-Lurewall-Release" not in message.raw
    assert message.raw.count(b"[lw:") == 1
    assert message.raw.endswith(LURE_TEXT.encode())
    # Notices to the contact come back with a token, too.
    assert running.gateway.metric("lurewall_released_passed_total") > passed


def test_a_signed_lure_stays_whole_and_its_notice_passes_the_filter(running):
    passed = running.gateway.metric("lurewall_released_passed_total")
    raw = signed("signed", header=DATED)
    assert running.send(raw, "signed@tagged.example.org").startswith(b"250")
    eventually(lambda: len(running.copies("signed@tagged.example.org")) == 2)
    notice, original = sorted(
        running.copies("signed@tagged.example.org"), key=lambda one: b"boundary=b1" in one.raw
    )
    assert original.raw.endswith(raw.partition(b"\r\n\r\n")[2])
    assert b"banner=signed" in original.raw
    assert notice.reverse_path == b""
    assert b"\r\nIn-Reply-To: <signed@sender.test>\r\n" in notice.raw
    assert b"X-Lurewall-" not in notice.raw
    # Notices to the contact come back with a token, too.
    assert running.gateway.metric("lurewall_released_passed_total") > passed


def test_a_forged_release_token_helps_nobody(running):
    forged = lure("token", header="X-Lurewall-Release: 0123456789abcdef0123456789abcdef\r\n")
    assert running.send(forged, "token@example.org").startswith(b"250")
    assert running.copies("token@example.org") == []
    assert running.send(forged, "token@tagged.example.org").startswith(b"250")
    assert b"X-Lurewall-Release" not in running.only("token@tagged.example.org").raw


def test_null_sender(running):
    assert running.send(lure("null"), "null@tagged.example.org", sender="").startswith(b"250")
    message = running.only("null@tagged.example.org")
    assert message.reverse_path == b""
    assert b"X-Lurewall-Verdict" in message.raw


def test_7_megabytes(running):
    body = "x" * 76 + "\r\n"
    raw = mail("big", LURE_TEXT + body * (7_000_000 // 78), header=DATED)
    assert running.send(raw, "big@tagged.example.org").startswith(b"250")
    arrived = running.only("big@tagged.example.org").raw
    assert OURS_ON_TOP.match(arrived)
    assert arrived.endswith(raw.partition(b"\r\n\r\n")[2])


def test_100_recipients_half_of_them_held(running):
    tagged = [f"n{number}@tagged.example.org" for number in range(50)]
    held = [f"n{number}@held.example.org" for number in range(50)]
    mixed = [address for pair in zip(tagged, held, strict=True) for address in pair]
    assert running.send(lure("many"), *mixed).startswith(b"250")
    eventually(lambda: running.copies(tagged[-1]))
    got = [to.decode() for m in running.sink.messages for to in m.recipients if to[:1] == b"n"]
    assert sorted(to for to in got if to[1].isdigit()) == sorted(tagged)
    kept = held_mails(running.gateway)
    assert all(kept[address] == [lure("many")] for address in held)


# Words of clients that MTAs take for a mailbox at held.example.org.
ODD_WORDS = (
    '<"quoted name"@held.example.org>',
    "<UPPER@Held.Example.ORG>",
    "<plus+tag@held.example.org>",
    "<comment(x)@held.example.org>",
    "<dot@held.example.org.>",
    "bare@held.example.org",
    "<twice@held.example.org>",
    "<twice@held.example.org>",
    "<@relay.test:routed@held.example.org>",
    "<Some One <phrase@held.example.org>>",
    "<percent%held.example.org>",
    "<o'hara@held.example.org> NOTIFY=NEVER",
)


def test_held_recipients_leave_whatever_the_client_called_them(running):
    with Peer(running.mta.port) as peer:
        peer.hello()
        peer.say("MAIL FROM:<a@sender.test>")
        for words in ("<odd@tagged.example.org>", *ODD_WORDS):
            assert peer.say(f"RCPT TO:{words}").startswith(b"250")
        peer.say("DATA")
        assert peer.content(lure("odd")).startswith(b"250")
    message = running.only("odd@tagged.example.org")
    assert message.recipients == (b"odd@tagged.example.org",)
    held = [to for to, mails in held_mails(running.gateway).items() if lure("odd") in mails]
    assert len(held) == len(set(ODD_WORDS))


def test_several_mails_in_one_session(running):
    with Peer(running.mta.port) as peer:
        peer.hello()
        for number, raw in enumerate((plain("s0"), lure("s1"), plain("s2"), lure("s3"))):
            assert peer.send(raw, to=[f"session{number}@tagged.example.org"]).startswith(b"250")
            peer.say("MAIL FROM:<given@up.test>")
            peer.say("RCPT TO:<given-up@tagged.example.org>")
            assert peer.say("RSET").startswith(b"250")
    for number, is_lure in enumerate((False, True, False, True)):
        raw = running.only(f"session{number}@tagged.example.org").raw
        assert (b"[lw:" in raw) == is_lure
        assert f"note s{number}".encode() in raw
    assert running.copies("given-up@tagged.example.org") == []


def test_dots_and_odd_lines_arrive_as_they_came(running):
    odd = ".\r\n..\r\n.dot\r\n" + "y" * 900 + "\r\n\r\n \r\nend without line\r\n"
    raw = mail("dots", odd, header=DATED)
    assert running.send(raw, "dots@example.org").startswith(b"250")
    assert content(running.only("dots@example.org").raw) == raw


def test_the_log_names_the_queue_id_of_the_mta(running):
    answer = running.send(plain("queue"), "queue@example.org")
    match = re.search(rb"(?:queued as |2\.0\.0 )(\w{8,})", answer)
    assert match
    eventually(lambda: any(
        event.get("queue_id") == match[1].decode() for event in running.gateway.events("message")
    ))  # fmt: skip


def test_1000_mails_at_50_in_parallel_none_lost_or_doubled(running):
    mails = [
        (f"m{n}@held.example.org", lure(f"load{n}")) if n % 10 == 0
        else (f"m{n}@plain.example.org", plain(f"load{n}"))
        for n in range(1000)
    ]  # fmt: skip
    refused = running.gateway.metric("lurewall_refusals_total")
    answers = send_all(running.mta.port, mails, parallel=50)
    assert {answer[:3] for answer in answers} == {b"250"}
    expected = {to: raw for to, raw in mails if "plain" in to}
    eventually(lambda: len(loaded(running)) >= len(expected), seconds=60)
    assert Counter(to for to, _ in loaded(running)) == Counter(expected.keys())
    for to, raw in loaded(running):
        assert OURS_ON_TOP.match(raw)
        assert content(raw) == expected[to]
    held = held_mails(running.gateway)
    assert {to: kept for to, kept in held.items() if to[1].isdigit() and to[0] == "m"} == {
        to: [raw] for to, raw in mails if "held" in to
    }
    assert running.gateway.metric("lurewall_refusals_total") == refused


def loaded(running: Behind) -> list[tuple[str, bytes]]:
    """Recipient and octets of all mails of the load that arrived."""
    each = [(to.decode(), one.raw) for one in running.sink.messages for to in one.recipients]
    return [(to, raw) for to, raw in each if to[0] == "m" and to[1].isdigit()]


# Held by the MTA itself: Postfix's hold queue, Sendmail's quarantine.


def held(running: Behind) -> dict[str, str]:
    """Queue ids, and the reasons where the MTA keeps them."""
    if isinstance(running.mta, sendmail.Instance):
        return running.mta.quarantined()
    return dict.fromkeys(running.mta.on_hold(), "")


def release(running: Behind, queue_id: str) -> None:
    """As an operator does it."""
    if isinstance(running.mta, postfix.Instance):
        running.mta.run("postsuper", "-H", queue_id)
        running.mta.run("postqueue", "-i", queue_id)
    else:
        running.mta.release(queue_id)


def test_held_by_the_mta_it_waits_in_the_queue_marked_until_released_there(running):
    with running.beside(held_by_mta=True) as holding:
        check_one_hold(holding)
        check_a_hold_for_all(holding)


def check_one_hold(running: Behind) -> None:
    assert running.send(plain("free"), "free@held.example.org").startswith(b"250")
    assert running.send(lure("kept"), "kept@held.example.org").startswith(b"250")
    running.only("free@held.example.org")
    assert running.copies("kept@held.example.org") == []
    ((queue_id, reason),) = held(running).items()
    assert reason in ("", "held by Lurewall")
    (event,) = [
        event for event in running.gateway.events("message") if event["queue_id"] == queue_id
    ]
    assert "quarantine" in str(event)

    release(running, queue_id)
    message = running.only("kept@held.example.org")
    assert b"X-Lurewall-Verdict: lure" in message.raw
    assert message.raw.endswith(LURE_TEXT.encode())
    assert held(running) == {}


def check_a_hold_for_all(running: Behind) -> None:
    """A queue knows no recipients: where one is to be held, it is held for all."""
    to = ("all@tagged.example.org", "all@held.example.org")
    assert running.send(lure("all"), *to).startswith(b"250")
    assert running.copies("all@tagged.example.org") == []
    (queue_id,) = held(running)
    release(running, queue_id)
    message = running.only("all@tagged.example.org")
    assert sorted(message.recipients) == sorted(address.encode() for address in to)
    eventually(lambda: not held(running))


def test_results_of_a_filter_that_is_asked_first_are_seen(running):
    results = b" verifier.test; dkim=pass header.d=corp.test;\n\tspf=pass smtp.mailfrom=corp.test"
    edits = inserted(0, b"Authentication-Results", results) + CONTINUE
    with (
        serving(lambda: ScriptedFilter(at_end(edits))) as port,
        running.beside(first=port) as second,
    ):
        assert second.send(plain("second"), "second@plain.example.org").startswith(b"250")
        raw = second.only("second@plain.example.org").raw
    (event,) = [
        one for one in running.gateway.events("message")
        if one["recipients"] == ["second@plain.example.org"]
    ]  # fmt: skip
    assert "dkim=pass" in event["authentication"]
    ours, _, below = raw.partition(b"Authentication-Results: verifier.test; dkim=pass")
    assert OURS_ON_TOP.match(ours)
    assert content(below) == plain("second")


# What only Postfix has, or one MTA is enough for.


def test_a_reload_under_load_loses_and_doubles_nothing(with_postfix):
    mails = [(f"r{n}@tagged.example.org", plain(f"reload{n}")) for n in range(200)]
    (before,) = with_postfix.gateway.children("milter.app.front_process")
    timer = threading.Timer(0.2, with_postfix.gateway.signal, [signal.SIGHUP])
    timer.start()
    answers = send_all(with_postfix.mta.port, mails, parallel=20)
    timer.join()
    assert {answer[:3] for answer in answers} == {b"250"}
    with_postfix.mta.wait_empty()
    got = Counter(to.decode() for one in with_postfix.sink.messages for to in one.recipients)
    assert {to: got[to] for to, _ in mails} == {to: 1 for to, _ in mails}
    judged = [one.raw for one in with_postfix.sink.messages if b"note reload" in one.raw]
    assert all(OURS_ON_TOP.match(raw) for raw in judged)
    eventually(
        lambda: before not in with_postfix.gateway.children("milter.app.front_process"), seconds=90
    )


def test_mail_of_the_local_pickup_is_judged(with_postfix):
    arguments = ("-i", "-f", "local@sender.test")
    mta = with_postfix.mta
    mta.run("sendmail", *arguments, "pickup@tagged.example.org", content=lure("pickup"))
    message = with_postfix.only("pickup@tagged.example.org")
    assert message.reverse_path == b"local@sender.test"
    assert b"X-Lurewall-Verdict: lure" in message.raw
    assert b"[lw:" in message.raw
    addressed = lure("pickup-t").replace(b"someone@example.org", b"t@held.example.org")
    mta.run("sendmail", "-t", *arguments, content=addressed.replace(b"\r\n", b"\n"))
    eventually(lambda: "t@held.example.org" in held_mails(with_postfix.gateway))
    assert with_postfix.copies("t@held.example.org") == []


def test_smtputf8(with_postfix):
    to = ("utf8-用户@tagged.example.org", "utf8-用户@held.example.org")
    raw = lure("utf8").replace(b"Subject: note", "Subject: заметка".encode())
    answer = with_postfix.send(raw, *to, sender="пётр@sender.test", parameters=" SMTPUTF8")
    assert answer.startswith(b"250")
    message = with_postfix.only(to[0])
    assert message.recipients == (to[0].encode(),)
    assert message.reverse_path == "пётр@sender.test".encode()
    assert b"SMTPUTF8" in message.mail_parameters
    assert b"X-Lurewall-Verdict: lure" in message.raw
    assert held_mails(with_postfix.gateway)[to[1]] == [raw]
