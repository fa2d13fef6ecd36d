"""A mail that comes back with our banner is judged without it, in every language and both forms."""

from dataclasses import replace
from email import message_from_bytes

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.act.plan import act_on
from milter.mail.edit import BannerOutcome, remove_edits
from milter.mail.reading import Reading
from milter.mail.verdict import Action, Disposition
from milter.read.message_reader import read_message
from tests.properties.test_edit_messages import FACTS, OPTIONS, VERDICT, act_as_read

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


def reply(annotated: bytes, how: str) -> bytes:
    """What a correspondent's program makes of an annotated mail that was answered."""
    text, page = (part for part in message_from_bytes(annotated).walk() if not part.is_multipart())
    words = text.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")
    quoted = "\r\n".join(f"> {line}".rstrip() for line in words.split("\n"))
    html = page.get_payload(decode=True).decode("utf-8")
    inner = html.partition("<body>")[2].partition("</body>")[0]
    head = b"From: a@sender.test\r\nTo: b@example.org\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\n"
    if how == "html":
        # Some programs rename classes.
        inner = inner.replace('class="lw-', 'class="x_lw-')
        body = f"<html><body><p>New words.</p><blockquote>{inner}</blockquote></body></html>"
        return head + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + body.encode()
    flowed = b"; format=flowed; delsp=yes" if how == "flowed" else b""
    body = "New words.\r\n\r\nA. Person wrote:\r\n" + quoted + "\r\n"
    return head + b"Content-Type: text/plain; charset=utf-8" + flowed + b"\r\n\r\n" + body.encode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("how", ["text", "flowed", "html"])
def test_a_banner_in_a_reply_is_not_judged_not_doubled_and_never_cut_out(language, how):
    first = act_as_read(RAW, language)
    raw = reply(first.raw, how)
    assert not any("lw:" in text or "=====" in text for text in texts(raw))
    assert any("New words." in text for text in texts(raw))
    again = act_as_read(raw, language)
    marker = "lw-" if how == "html" else "[lw:"
    assert raw.decode().count(marker) == 1
    # One for the new words, on top; the old one stays where the correspondent has put it.
    assert again.raw.decode().count(marker) == 2
    assert remove_edits(again.raw, again.edits) == raw
    assert not any("lw:" in text or "=====" in text for text in texts(again.raw))
    thrice = act_as_read(again.raw, language)
    assert [part.outcome for part in thrice.parts] == [BannerOutcome.ALREADY_THERE]
