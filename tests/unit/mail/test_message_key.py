"""A retry has the key of the first attempt; another message has not."""

import pytest

from milter.mail.message_key import message_key

RAW = (
    b"Received: by mx.example.net; Mon, 1 Jan 2026 00:00:00 +0000\r\n"
    b"From: Anna <anna@example.org>\r\n"
    b"Subject: a long\r\n subject\r\n"
    b"MESSAGE-ID : <1@example.org>\r\n"
    b"Date: Mon, 1 Jan 2026 00:00:00 +0000\r\n"
    b"\r\nDate: of the body\r\n"
)


@pytest.mark.parametrize(
    "changed",
    [
        b"Received: by mx2.example.net\r\n" + RAW,
        RAW.replace(b"Mon, 1 Jan 2026 00:00:00 +0000\r\nFrom", b"Tue, 2 Jan 2026\r\nFrom"),
        b"X-Trace: 7\r\n" + RAW,
    ],
    ids=["new trace field", "other time in Received", "other field"],
)
def test_trace_fields_do_not_matter(changed: bytes) -> None:
    assert message_key(changed) == message_key(RAW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"of the body", b"of another body"),
        (b" subject\r\n", b" object\r\n"),
        (b"<1@", b"<2@"),
        (b"Anna", b"Bo"),
        (b"Date: Mon, 1 Jan", b"Date: Mon, 8 Jan"),
    ],
)
def test_body_and_identifying_fields_do(old: bytes, new: bytes) -> None:
    assert message_key(RAW.replace(old, new)) != message_key(RAW)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no blank line",
        b"Date: today\r\nX-A: 1\r\n",
        b"\r\nDate: this is the body\r\nA\r\n\r\nB",
        b"From: a\r\nX-A: 1\r\n\r\nbody",
    ],
    ids=["empty", "no header", "no body", "empty header", "no date and no id"],
)
def test_what_cannot_be_told_apart_is_taken_whole(raw: bytes) -> None:
    assert message_key(raw + b"A") != message_key(raw)
    assert message_key(b"X" + raw) != message_key(raw)
