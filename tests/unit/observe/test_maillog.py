"""The mail log: each event one JSON line, and nothing of a mail in it."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

import pytest

from milter.mail.address import NULL_PATH, Mailbox, Path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.plan import Fate, Outcome
from milter.mail.quarantine import Hold
from milter.mail.reply import Reply, own_reply
from milter.mail.verdict import Action, Disposition, Label, Verdict, WeighedFinding
from milter.observe.maillog import Addresses, MailLog, MailLogSettings

NOW = datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
SECRETS = ("secret subject", "secret content", "secret reply")


def path(local_part: str, domain: str) -> Path:
    mailbox = Mailbox(local_part=local_part, domain=domain, domain_unicode=domain)
    raw = f"{local_part}@{domain}".encode("utf-8", "surrogatepass")
    return Path(raw=raw, mailbox=mailbox)


RECIPIENTS = (
    Recipient(path=path("ann", "example.org")),
    Recipient(path=path("bob", "example.org")),
    Recipient(path=path("cy", "example.net")),
)
ENVELOPE = Envelope(reverse_path=path("scout", "example.com"), recipients=RECIPIENTS)
TRANSACTION = Transaction(
    transaction_id="t1",
    role="mx",
    received_at=NOW,
    connection=Connection(client_ip="192.0.2.7", helo="secret content"),
    envelope=ENVELOPE,
    raw=b"Subject: secret subject\r\n\r\nsecret content\r\n",
)
EVIDENCE = Evidence(source=Source.BODY, part="1", start=0, end=6, text="secret content")
FINDING = Finding(code="OFFPLATFORM", check="language", evidence=(EVIDENCE,), note="secret content")
VERDICT = Verdict(
    label=Label.LURE,
    score_db=23.456,
    probability=0.1,
    findings=(
        WeighedFinding(finding=FINDING, family="channel", weight_db=6.0, summary="secret content"),
    ),
    degraded=("relationship",),
    language="fr",
)
OUTCOME = Outcome(
    reply=Reply(code=250, lines=(b"2.0.0 secret reply",)),
    is_next_hops=True,
    stage="done",
    fates=tuple(zip(RECIPIENTS, (Fate.DELIVERED, Fate.DELIVERED, Fate.HELD), strict=True)),
    quarantine_ids=("q1",),
)
DISPOSITIONS = (
    Disposition(action=Action.ANNOTATE, rule="staff", recipients=RECIPIENTS[:2]),
    Disposition(action=Action.QUARANTINE, rule="board", recipients=RECIPIENTS[2:]),
)
HOLD = Hold(
    transaction_id="t1",
    envelope=ENVELOPE,
    role="mx",
    raw=b"secret content",
    release_raw=b"secret content",
    verdict=VERDICT,
    rule="board",
    received_at=NOW,
    client_ip="192.0.2.7",
    subject="secret subject",
    header_from="scout@example.com",
)


class Written:
    """A log in memory and the lines in it."""

    def __init__(self, addresses: Addresses = Addresses.DOMAIN, key: bytes = b"k") -> None:
        self.stream = io.BytesIO()
        settings = MailLogSettings(addresses=addresses, address_key=key)
        self.log = MailLog(settings, process="front 1.0", now=lambda: NOW, stream=self.stream)

    def line(self) -> dict[str, Any]:
        [line] = self.stream.getvalue().splitlines()
        event: dict[str, Any] = json.loads(line)
        return event

    def message(self, **more: Any) -> dict[str, Any]:
        self.log.message(TRANSACTION, OUTCOME, verdict=VERDICT, dispositions=DISPOSITIONS, **more)
        return self.line()


def test_a_message_is_told_in_full_without_a_word_of_it() -> None:
    line = Written().message(seconds={"total": 0.01234567}, header_from="ann.scout@example.com")
    assert line == {
        "time": "2026-03-04T05:06:07.891+00:00",
        "level": "info",
        "event": "message",
        "process": "front 1.0",
        "transaction_id": "t1",
        "role": "mx",
        "queue_id": "",
        "client_ip": "192.0.2.7",
        "reverse_path": "@example.com",
        "recipients": ["@example.org", "@example.net"],
        "recipient_count": 3,
        "size_bytes": len(TRANSACTION.raw),
        "header_from": "@example.com",
        "rules": ["board=quarantine", "staff=annotate"],
        "fates": {"delivered": 2, "held": 1},
        "intended": "",
        "reply_code": 250,
        "enhanced_code": "2.0.0",
        "is_next_hops": True,
        "stage": "done",
        "cause": "",
        "ambiguous": False,
        "quarantine_ids": ["q1"],
        "banner": "",
        "seal": "",
        "authentication": [],
        "first_failure": "",
        "seconds": {"total": 0.0123},
        "label": "lure",
        "score_db": 23.5,
        "findings": ["OFFPLATFORM"],
        "degraded": ["relationship"],
        "language": "fr",
    }


@pytest.mark.parametrize("addresses", list(Addresses))
def test_no_event_ever_holds_content(addresses: Addresses) -> None:
    written = Written(addresses)
    log = written.log
    error = ValueError("secret content")
    log.started(version="1", configuration="c", mode="observe", listeners=["127.0.0.1:25"])
    log.connection(TRANSACTION.connection, seconds=1.0)
    log.message(TRANSACTION, OUTCOME, verdict=VERDICT, dispositions=DISPOSITIONS)
    log.hold("q1", HOLD)
    log.release(quarantine_id="q1", outcome="released", decided_by="eve@example.org")
    log.problem("internal", error=error, transaction_id="t1")
    log.reload(accepted=True, configuration="c")
    log.stopped(reason="told to stop")
    text = written.stream.getvalue().decode()
    assert len(text.splitlines()) == 8
    for secret in SECRETS:
        assert secret not in text
    shows_people = any(name in text for name in ("ann@", "scout@", "eve@"))
    assert shows_people == (addresses is Addresses.FULL)
    assert ("192.0.2.7" in text) == (addresses is not Addresses.HASH)
    assert ("example.com" in text) == (addresses is not Addresses.HASH)


def test_hashes_are_keyed_and_the_same_for_the_same_address() -> None:
    first, same = Written(Addresses.HASH).message(), Written(Addresses.HASH).message()
    other = Written(Addresses.HASH, key=b"other").message()
    assert first["reverse_path"] == same["reverse_path"] != other["reverse_path"]
    assert len(set(first["recipients"])) == 3


def test_the_null_path_and_postmaster_have_their_names() -> None:
    written = Written()
    envelope = Envelope(
        reverse_path=NULL_PATH, recipients=(Recipient(path=Path(raw=b"Postmaster")),)
    )
    written.log.message(replace(TRANSACTION, envelope=envelope), OUTCOME)
    line = written.line()
    assert (line["reverse_path"], line["recipients"]) == ("<>", ["postmaster"])


def test_a_crowd_of_recipients_makes_no_endless_line() -> None:
    written = Written(Addresses.FULL)
    crowd = tuple(Recipient(path=path(f"r{n}", "example.org")) for n in range(1000))
    envelope = replace(ENVELOPE, recipients=crowd)
    written.log.message(replace(TRANSACTION, envelope=envelope), OUTCOME)
    line = written.line()
    assert line["recipient_count"] == 1000
    assert len(line["recipients"]) == 20


def test_what_went_wrong_is_a_warning() -> None:
    assert Written().message(first_failure="timeout")["level"] == "warning"
    written = Written()
    refused = replace(OUTCOME, reply=own_reply(451, "4.3.0", "Try again later"))
    written.log.message(TRANSACTION, refused)
    assert written.line()["level"] == "warning"


def test_a_problem_names_type_and_place_and_its_detail_is_plain() -> None:
    written = Written()
    try:
        Path(raw=b"x").mailbox.address  # type: ignore[union-attr]  # noqa: B018
    except AttributeError as error:
        written.log.problem("internal", error=error, detail='a"b\n\x1b[31m<x>' + "y" * 1000)
    line = written.line()
    assert line["error"].startswith("AttributeError at ")
    assert line["level"] == "error"
    assert line["detail"].startswith("a?b??[31m?x?yyy")
    assert len(line["detail"]) == 200


@pytest.mark.parametrize("surrogate", ["\udcff", "\ud83d"])  # noqa: PT014 (two, to us)
def test_octets_that_are_no_text_cannot_break_a_line(surrogate: str) -> None:
    hashed = Written(Addresses.HASH)
    written = Written(Addresses.FULL)
    odd = path(f"a{surrogate}\n", "example.org")
    transaction = replace(TRANSACTION, envelope=replace(ENVELOPE, reverse_path=odd))
    for log in (hashed.log, written.log):
        log.message(transaction, OUTCOME)
    assert ascii(surrogate).strip("'") in written.line()["reverse_path"]
    assert len(hashed.line()["reverse_path"]) == 16


def test_a_full_disk_costs_lines_and_is_counted() -> None:
    lost: list[int] = []
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        log = MailLog(MailLogSettings(), process="p", stream=full, on_lost=lambda: lost.append(1))
        log.stopped(reason="x")
    log.stopped(reason="the stream is closed now")
    assert lost == [1, 1]


def test_a_file_is_appended_to(tmp_path: FilePath) -> None:
    file = tmp_path / "mail.log"
    for process in ("one", "two"):
        log = MailLog(MailLogSettings(file=file), process=process)
        log.stopped(reason="x")
        log.close()
    assert [json.loads(line)["process"] for line in file.read_text().splitlines()] == ["one", "two"]
