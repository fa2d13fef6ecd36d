"""Whoever changes a signed notice on its way gets the same contact as without, or none."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.notices import AT, TO, Notice, signed
from tests.unit.check.engagement.test_contacts import judged

GENUINE = signed(Notice(headline="Senior Consultant at Northbridge Advisory").raw())
HTML_ONLY = (
    b"".join(
        line + b"\r\n"
        for line in Notice(parts=()).raw().partition(b"\r\n\r\n")[0].split(b"\r\n")
        if not line.startswith(b"Content-Type")
    )
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\nMara Quell\r\n\r\n"
    b"d3JpdGUgdG8gbWU= write to mara@northbridge-advisory.example =41=42\r\n"
)
SINGLE = signed(HTML_ONLY)
NAMES = [
    "From", "To", "Cc", "Bcc", "Subject", "Date", "Reply-To", "Sender", "Content-Type",
    "Content-Transfer-Encoding", "MIME-Version", "X-LinkedIn-Template", "X-LinkedIn-Class", "Message-ID",
    "DKIM-Signature", "Received", "Return-Path", "Resent-To", "Resent-From", "X-Other", "List-Id",
]  # fmt: skip
VALUES = [
    "Mara Quell <mara@firm.example>", "<other@werk.test>", f"Robin <{TO}>", "another subject",
    "Thu, 14 Jan 2027 15:00:00 +0000", "text/html; charset=utf-16", 'multipart/mixed; boundary="x"',
    'multipart/alternative; boundary="=_b"', "base64", "quoted-printable", "7bit", "email_member_message_v2",
    "INMAIL", "v=1; a=rsa-sha256; d=linkedin.com; s=d2048-202701-00; h=From:To:Subject:Date; bh=AA==; b=AA==",
]  # fmt: skip


def contact(raw, *recipients):
    found, _ = asyncio.run(judged(raw, *recipients, at=AT + timedelta(minutes=1)))
    return found


@pytest.mark.parametrize("raw", [GENUINE, SINGLE], ids=["multipart", "single part"])
def test_fields_added_or_octets_changed_give_no_other_contact(raw):
    genuine = contact(raw)
    assert genuine is not None
    fields = raw.partition(b"\r\n\r\n")[0].count(b"\r\n")

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(NAMES), st.sampled_from(VALUES), st.integers(0, fields),
        st.none() | st.tuples(st.integers(0, len(raw) - 1), st.binary(min_size=1, max_size=3)),
        st.sampled_from([TO, "other@werk.test"]),
    )  # fmt: skip
    def holds(name, value, line, change, recipient):
        lines = raw.split(b"\r\n")
        lines.insert(line, f"{name}: {value}".encode())
        changed = b"\r\n".join(lines)
        if change is not None:
            at, octets = change
            changed = changed[:at] + octets + changed[at + len(octets) :]
        found = contact(changed, recipient)
        assert found is None or found.recipients == (TO,) == (recipient,)
        assert found is None or _said(found.contact) == _said(genuine.contact)

    holds()


def _said(contact):
    return (
        contact.platform, contact.notice, contact.persona, contact.first_name_only, contact.thread,
        contact.organisation, contact.role, contact.subject, contact.hints,
    )  # fmt: skip
