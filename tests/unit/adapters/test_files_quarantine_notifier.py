"""Notices: no loop, no live link, nothing of a stranger that acts, nothing missing."""

import email
import email.policy
import re
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from milter.adapters.notifier import MailNotifier, NoticeOptions
from milter.mail.quarantine import QuarantineRecord
from milter.mail.reply import Reply
from milter.ports import NoticeFailed
from tests.support.holds import Clock, ScriptedHop, failure, held, hold, open_store, recipient

REFUSED = Reply(code=550, lines=(b"5.7.1 No",))
OPTIONS = NoticeOptions(
    contact="security@example.org", header_from="lurewall@gw.example.org", hostname="gw.example.org"
)


async def record_of(tmp_path: Path, **changes: Any) -> QuarantineRecord:
    store = open_store(tmp_path)
    (quarantine_id,) = await held(store, hold(**changes))
    return await store.find(quarantine_id)


def notifier(hop: ScriptedHop, **changes: Any) -> MailNotifier:
    return MailNotifier(hop, replace(OPTIONS, **changes), Clock())


def read(raw: bytes) -> tuple[EmailMessage, str]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message, message.get_content()


async def test_a_notice_says_what_why_and_how(tmp_path: Path) -> None:
    record = await record_of(tmp_path)
    hop = ScriptedHop()
    await notifier(hop).held(record)
    ((reverse_path, parameters, recipients, raw),) = hop.sent
    assert (reverse_path, parameters) == (b"", ())
    assert [one.path.raw for one in recipients] == [b"security@example.org"]
    message, text = read(raw)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Lurewall <lurewall@gw.example.org>"
    assert message["To"] == "security@example.org"
    assert message["Date"] == "Mon, 02 Mar 2026 09:30:00 +0000"
    assert message["Message-ID"].endswith("@gw.example.org>")
    assert record.quarantine_id in message["Subject"]
    assert message.get_content_type() == "text/plain"
    for words in (
        "ina[at]example[.]org, ole[at]example[.]org",
        "mara[at]consult[.]example[.]net",
        "Report",
        "2026-03-02 09:30 UTC",
        "2026-04-01 09:30 UTC",
        "OFFPLATFORM: Moves the talk to another channel (+8.0 dB)",
        "lure, 36.5 dB",
        f"lurewall quarantine release {record.quarantine_id}",
    ):
        assert words in text
    assert "NOTED" not in text
    assert hop.closed == 1


async def test_nothing_in_it_can_be_clicked_or_acts(tmp_path: Path) -> None:
    record = await record_of(
        tmp_path,
        subject="Go https://evil.example.com/x?a=b \u202egpj.exe\r\nBcc: x@example.com "
        "www.evil.example.com tel:+15550100 \u200b" + "a" * 5000,
        header_from="<script>@evil.example.com",
        envelope=replace(
            hold().envelope,
            recipients=tuple(recipient(f"a{number}@example.org") for number in range(500)),
        ),
    )
    hop = ScriptedHop()
    await notifier(hop).held(record)
    raw = hop.sent[0][3]
    message, text = read(raw)
    assert message["Bcc"] is None
    assert not re.search(r"https?://|www\.|\w@\w|example\.", text)
    assert "\u202e" not in text
    assert "<U+202E>" in text
    assert "and 495 more" in text
    assert len(raw) < 4_000
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_a_digest_names_each(tmp_path: Path) -> None:
    records = [await record_of(tmp_path / str(number)) for number in range(100)]
    hop = ScriptedHop()
    await notifier(hop).digest(records)
    message, text = read(hop.sent[0][3])
    assert "100" in message["Subject"]
    assert all(record.quarantine_id in text for record in records)


async def test_coming_expiry(tmp_path: Path) -> None:
    record = await record_of(tmp_path)
    hop = ScriptedHop()
    await notifier(hop).expiring([record])
    message, text = read(hop.sent[0][3])
    assert "expire" in message["Subject"]
    assert "will be erased" in text
    assert record.quarantine_id in text


async def test_in_the_contacts_language(tmp_path: Path) -> None:
    record = await record_of(tmp_path)
    hop = ScriptedHop()
    await notifier(hop, language="fr").expiring([record])
    message, text = read(hop.sent[0][3])
    assert message["Subject"] == "Lurewall : messages retenus bientôt effacés (1)"
    assert "effacés" in text
    assert hop.sent[0][3].isascii()
    await notifier(hop, language="de").held(record)
    assert "has not been delivered" in read(hop.sent[1][3])[1]


async def test_a_contact_beyond_ascii(tmp_path: Path) -> None:
    record = await record_of(tmp_path)
    hop = ScriptedHop()
    await notifier(hop, contact="sûreté@example.org").held(record)
    _, parameters, recipients, raw = hop.sent[0]
    assert parameters == (b"SMTPUTF8",)
    assert recipients[0].path.raw == "sûreté@example.org".encode()
    assert "To: sûreté@example.org".encode() in raw


async def test_a_notice_that_is_tried_again_keeps_its_message_id(tmp_path: Path) -> None:
    record = await record_of(tmp_path)
    hop = ScriptedHop()
    for _ in range(2):
        await notifier(hop).held(record)
    await notifier(hop).expiring([record])
    ids = [read(sent[3])[0]["Message-ID"] for sent in hop.sent]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "hop",
    [
        ScriptedHop(opening=failure("connect")),
        ScriptedHop(mail=REFUSED),
        ScriptedHop(rcpt={b"security@example.org": REFUSED}),
        ScriptedHop(data=failure("end_of_data", ambiguous=True)),
    ],
    ids=["connect", "mail", "rcpt", "dot"],
)
async def test_a_failing_notice_says_where(tmp_path: Path, hop: ScriptedHop) -> None:
    record = await record_of(tmp_path)
    with pytest.raises(NoticeFailed, match=r"connect|mail: 550|rcpt: 550|end_of_data"):
        await notifier(hop).held(record)
    assert hop.closed == len(hop.connections) - (hop._opening is not None)
