"""How much ordinary real mail passes the screen: a ceiling on a fixed sample of each set.

The sets lie beside the project and are not shipped; without them these tests are skipped.
"""

import email
import gzip
import json
from collections.abc import Iterator
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from nlp.analysis import TextSegment
from nlp.screen import Screen

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
EVERY = 12

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="the real mail is not beside the project"),
]


def mails(name: str, labels: set[str]) -> Iterator[tuple[str, str]]:
    """Subject and first plain text, quoted lines left out, of every twelfth message."""
    with gzip.open(CORPORA / name / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for index, line in enumerate(lines):
            if index % EVERY:
                continue
            record = json.loads(line)
            if record["label"] not in labels:
                continue
            if "text" in record:
                yield "", record["text"]
                continue
            message = email.message_from_bytes(record["raw"].encode("latin-1"))
            try:
                subject = str(make_header(decode_header(message.get("Subject", ""))))
            except (UnicodeError, LookupError, ValueError):
                subject = ""
            yield subject, plain_text(message)


def plain_text(message: email.message.Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            raw = part.get_payload(decode=True)
            text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
            text = text.replace("\r\n", "\n")
            return "\n".join(line for line in text.split("\n") if not line.startswith(">"))
    return ""


@pytest.mark.parametrize(
    ("name", "labels", "ceiling"),
    [
        ("enron", {"ham"}, 0.045),
        ("list_mail", {"list_mail"}, 0.03),
        ("spamassassin", {"ham"}, 0.04),
        ("csdmc2010", {"ham"}, 0.03),
        ("lingspam_bare", {"ham"}, 0.10),  # calls for papers: invited talks, travel, fees
    ],
)
def test_few_ordinary_mails_pass(name: str, labels: set[str], ceiling: float) -> None:
    screen = Screen()
    seen = passed = 0
    for subject, body in mails(name, labels):
        segments = [
            TextSegment(source="subject", part="", text=subject),
            TextSegment(source="body", part="1", text=body),
        ]
        seen += 1
        passed += screen.passes(segments).passed
    assert seen > 50
    assert passed / seen <= ceiling
