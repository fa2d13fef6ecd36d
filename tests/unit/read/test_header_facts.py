"""The header fields that checks ask about."""

import pytest

from milter.mail.message import scan_header
from milter.mail.reading import Defect, HeaderFacts
from milter.read.facts import read_facts


def read(*lines: str) -> tuple[HeaderFacts, tuple[Defect, ...]]:
    raw = "\r\n".join([*lines, "", ""]).encode()
    return read_facts(raw, scan_header(raw))


def test_all_fields() -> None:
    facts, defects = read(
        "Received: from a by b",
        "Received: from c by d",
        "From: =?utf-8?q?J=C3=A9r?= <j@example.org>",
        "Reply-To: Other <o@example.net>",
        "To: a@example.com",
        "Cc: b@example.com",
        "Subject: =?utf-8?b?Y2Fmw6k=?= and\r\n more",
        "Message-ID: <1@example.org>",
        "Date: Tue, 2 Jan 2024 15:04:05 +0000",
        "In-Reply-To: <0@example.org>",
    )
    assert [(box.display_name, box.domain) for box in facts.header_from] == [("Jér", "example.org")]
    assert [box.address for box in facts.reply_to] == ["o@example.net"]
    assert [box.address for box in facts.to] == ["a@example.com", "b@example.com"]
    assert facts.subject == "café and more"
    assert facts.message_id == "<1@example.org>"
    assert facts.date == "Tue, 2 Jan 2024 15:04:05 +0000"
    assert facts.in_reply_to == "<0@example.org>"
    assert facts.received_count == 2
    assert not facts.is_bulk
    assert not facts.is_automatic
    assert defects == ()


def test_all_from_fields_count_and_are_reported() -> None:
    facts, defects = read("From: a@example.org", "From: b@example.net", "Subject: x", "Subject: y")
    assert [box.address for box in facts.header_from] == ["a@example.org", "b@example.net"]
    assert facts.subject == "x"
    assert defects == (Defect.DUPLICATE_FIELD,)


def test_the_last_reference_stands_in_for_in_reply_to() -> None:
    assert (
        read("References: <1@example.org>\r\n <2@example.org>")[0].in_reply_to == "<2@example.org>"
    )


@pytest.mark.parametrize(
    "line",
    ["List-Id: <l.example.org>", "List-Unsubscribe: <https://example.org/>", "Precedence: Bulk",
     "Precedence: list", "Feedback-ID: a:b", "List-Post: <mailto:l@example.org>"],
)  # fmt: skip
def test_bulk(line: str) -> None:
    assert read(line)[0].is_bulk


@pytest.mark.parametrize(
    "line",
    ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "X-Autoreply: yes",
     "Precedence: auto_reply", "Return-Path: <>", "Content-Type: multipart/report; boundary=b"],
)  # fmt: skip
def test_automatic(line: str) -> None:
    assert read(line)[0].is_automatic


@pytest.mark.parametrize(
    "line", ["Auto-Submitted: no", "Return-Path: <a@example.org>", "Precedence: first-class"]
)
def test_by_hand(line: str) -> None:
    facts, _ = read(line)
    assert not facts.is_automatic
    assert not facts.is_bulk


def test_values_are_bounded() -> None:
    facts, _ = read("Subject: " + "x" * 100_000, "To: " + "a@example.org, " * 3_000)
    assert len(facts.subject) == 2_000
    assert len(facts.to) == 500
