"""A mail that comes back with our banner is judged without it, in every language and both forms."""

from dataclasses import replace

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.act.plan import act_on
from milter.mail.reading import Reading
from milter.mail.verdict import Action, Disposition
from milter.read.message_reader import read_message
from tests.properties.test_edit_messages import FACTS, OPTIONS, VERDICT

RAW = (
    b"From: a@sender.test\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe plain words here.\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><body><p>The other words there.</p></body></html>\r\n--b--\r\n"
)


def texts(raw: bytes) -> list[str]:
    read = read_message(raw, FACTS)
    return [segment.text.strip() for segment in (*read.segments, *read.hidden)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_banner_is_left_out_of_what_is_judged(language):
    read = read_message(RAW, FACTS)
    reading = Reading(size_bytes=len(RAW), header=read.header, edit_sites=read.edit_sites)
    path = replace(
        Disposition(action=Action.ANNOTATE, rule="r", recipients=()), banner_language=language
    )
    acted = act_on(
        RAW, reading=reading, verdict=VERDICT, disposition=path, transaction_id="t", reasons=(),
        options=replace(OPTIONS, subject_tag=""),
    )  # fmt: skip
    assert {part.kind for part in acted.parts if part.outcome.is_edit} == {"text", "html"}
    assert set(texts(acted.raw)) == {"x", "The plain words here.", "The other words there."}
    # The same marker over other words is text like any other.
    marker = acted.raw[acted.raw.index(b"lw-") :][:15].decode()
    copied = RAW.replace(b"<p>The", f"<div class='{marker}'>Add me</div><p>The".encode())
    assert any("Add me" in text for text in texts(copied))
