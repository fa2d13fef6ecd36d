"""One message read whole: segments by source, twins, protection, text-only mode."""

import pytest

from milter.mail.finding import Source
from milter.mail.marker import banner_token
from milter.mail.reading import Defect, Facts, Protection, Segment
from milter.read.message_reader import ReadResult, read_message

KEY = b"a key"
HEAD = "From: =?utf-8?q?J=C3=A9r?= <j@example.org>\r\nTo: Ann <a@example.com>\r\nSubject: S\r\n"


def read(entity: str, *, text_only: bool = False) -> ReadResult:
    facts = Facts(banner_key=KEY, wants_text=True, text_only=text_only)
    return read_message((HEAD + entity).encode(), facts)


def said(result: ReadResult) -> list[tuple[Source, str, str]]:
    return [(s.source, s.part, s.text.strip()) for s in result.segments[1:]]


def parts(subtype: str, *entities: str) -> str:
    body = "".join(f"--b\r\n{entity}\r\n" for entity in entities)
    return f"Content-Type: multipart/{subtype}; boundary=b\r\n\r\n{body}--b--\r\n"


PLAIN = "Content-Type: text/plain\r\n\r\n"
HTML = "Content-Type: text/html\r\n\r\n"


def test_a_plain_reply() -> None:
    result = read(
        "\r\nnew\r\n\r\nOn 2 Jan 2024, at 15:04, A <a@example.org> wrote:\r\n> old\r\n"
        "\r\nBest regards,\r\nJane\r\n"
    )
    assert result.segments[0] == Segment(source=Source.SUBJECT, part="", text="S")
    assert said(result) == [
        (Source.BODY, "1", "new"),
        (Source.QUOTED, "1", "On 2 Jan 2024, at 15:04, A <a@example.org> wrote:\n> old"),
        (Source.BODY, "1", "Best regards,"),
        (Source.SIGNATURE, "1", "Jane"),
    ]
    assert result.names == ("Jér", "Ann")
    assert result.defects == ()
    assert [stage for stage, _ in result.elapsed_seconds] == [
        "mime",
        "header",
        "text",
        "carried",
        "edit_sites",
    ]


def test_bases_count_in_the_decoded_text_of_the_part() -> None:
    result = read("Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9\r\n> old\r\nnew\r\n")
    whole = "é\n> old\nnew\n"
    for segment in result.segments[1:]:
        assert whole[segment.base : segment.base + len(segment.text)] == segment.text


@pytest.mark.parametrize(
    ("plain", "html", "expected"),
    [
        ("Hello there, dear Jane.", "<p>Hello there, <b>dear</b> Jane.</p>", ["2"]),
        ("Hello there. https://example.org/long", "<p>Hello there.</p>", ["2"]),
        ("Hello there, my messenger address stands only here.", "<p>Hello there.</p>", ["1", "2"]),
        ("Hello", "<p>Hello<span style='display:none'> hidden words of this mail</span></p>", ["2"]),
        ("Hello hidden words of this mail", "<p>Hello<b hidden> hidden words of this mail</b></p>", ["1", "2"]),
    ],
)  # fmt: skip
def test_a_plain_twin_is_left_out(plain: str, html: str, expected: list[str]) -> None:
    result = read(parts("alternative", PLAIN + plain, HTML + html))
    assert [part for _, part, _ in said(result)] == expected


def test_parts_of_a_mixed_message_are_no_twins() -> None:
    result = read(parts("mixed", PLAIN + "same", HTML + "<p>same</p>"))
    assert [part for _, part, _ in said(result)] == ["1", "2"]


def test_hidden_text_and_links() -> None:
    result = read(
        HTML + "<p>seen</p><p style='display:none'>gone</p><a href='https://x.test/'>y</a>"
    )
    assert [segment.text for segment in result.hidden] == ["gone"]
    assert [(link.target, link.shown, link.part) for link in result.links] == [
        ("https://x.test/", "y", "1")
    ]


def test_attachments_and_others() -> None:
    result = read(
        parts(
            "mixed",
            PLAIN + "body",
            'Content-Type: text/plain; name="n.txt"\r\nContent-Disposition: attachment\r\n\r\nnotes',
            "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:a talk\r\nUID:1\r\n",
            "Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nTEL;TYPE=cell:+44 7700 900123\r\n",
            "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner",
            "Content-Type: application/pdf; name=a.pdf\r\n\r\nJVBERi0",
        )
    )
    assert said(result) == [
        (Source.BODY, "1", "body"),
        (Source.ATTACHMENT, "2", "notes"),
        (Source.ICS, "3", "a talk"),
        (Source.VCARD, "4", "tel: +44 7700 900123"),
        (Source.QUOTED, "5.1", "inner"),
    ]
    assert result.uninspected == ("6",)
    assert result.file_names == ("n.txt", "a.pdf")


def test_text_only_mode_reads_bodies_and_nothing_else() -> None:
    result = read(
        parts(
            "mixed",
            HTML + "<p>a</p><p hidden>b</p>",
            "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
            "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nnotes",
        ),
        text_only=True,
    )
    assert said(result) == [(Source.BODY, "1", "a\nb")]
    assert result.uninspected == ("2", "3")
    assert result.defects == (Defect.HTML_NOT_ANALYSED,)
    assert result.text_only


@pytest.mark.parametrize(
    ("entity", "protection"),
    [
        (PLAIN + "x", Protection.NONE),
        (parts("signed", PLAIN + "x"), Protection.SIGNED),
        (parts("encrypted", PLAIN + "x"), Protection.ENCRYPTED),
        (PLAIN + "-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nx", Protection.INLINE_PGP),
        (PLAIN + "> -----BEGIN PGP MESSAGE-----", Protection.NONE),
        (parts("mixed", "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--"), Protection.SIGNED),
        (parts("mixed", PLAIN + "x", "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--"), Protection.NONE),
    ],
)  # fmt: skip
def test_protection_of_the_message(entity: str, protection: Protection) -> None:
    assert read(entity).protection is protection


def test_inline_pgp_is_marked_on_its_part() -> None:
    result = read(PLAIN + "-----BEGIN PGP MESSAGE-----\r\n\r\nx")
    assert result.parts[0].protection is Protection.INLINE_PGP


def test_lines_in_the_header_that_are_no_fields_are_read_as_text() -> None:
    result = read("this line is no field\r\nX-A: b\r\n\r\nbody")
    assert (Source.BODY, "", "this line is no field\nX-A: b") in said(result)
    assert result.unsafe_to_edit == "malformed"


def test_text_of_a_multipart_that_cannot_be_cut_is_read() -> None:
    result = read("Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing but text\r\n")
    assert (Source.BODY, "1", "nothing but text") in said(result)


@pytest.mark.parametrize(
    ("octets", "defect"),
    [
        (b"A: b\r\n\r\na\0b", Defect.NUL_OCTET),
        (b"A: b\r\n\r\na\nb\r\n", Defect.BARE_LINE_END),
        (b"A: b\r\n\r\na\rb\r\n", Defect.BARE_LINE_END),
        (b"Content-Transfer-Encoding: x\r\n\r\na", Defect.UNKNOWN_TRANSFER_ENCODING),
        (b"Content-Type: text/plain; charset=no-such\r\n\r\na", Defect.UNKNOWN_CHARSET),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff", Defect.CHARSET_MISMATCH),
        (b"A: b\r\n\r\n" + b"word " * 50_000, Defect.TEXT_TRUNCATED),
        (b"Subject: a\r\nSubject: b\r\n\r\n", Defect.DUPLICATE_FIELD),
    ],
)
def test_defects(octets: bytes, defect: Defect) -> None:
    assert read_message(octets, Facts()).defects == (defect,)


def test_lf_only_is_no_defect() -> None:
    assert read_message(b"A: b\n\na\nb\n", Facts()).defects == ()


def banner(words: str, *, signed: str = "", quote: str = "") -> str:
    rule = "=" * 72
    lines = [rule, *words.split("\n"), rule, f"[lw:{banner_token(KEY, signed or words)}]", ""]
    return "".join(f"{quote}{line}\r\n" for line in lines)


@pytest.mark.parametrize("quote", ["", "> ", ">> "])
def test_our_own_text_banner_is_left_out(quote: str) -> None:
    ours = banner("Careful.\n\nMore advice.", quote=quote)
    result = read(f"\r\nabove\r\n{ours}below\r\n")
    text = "".join(segment.text for segment in result.segments)
    assert "Careful" not in text
    assert "advice" not in text
    assert "above" in text
    assert "below" in text


def test_other_words_under_a_marker_of_ours_are_text() -> None:
    result = read(f"\r\n{banner('My WhatsApp is below.', signed='Careful.')}below\r\n")
    assert "My WhatsApp is below." in "".join(segment.text for segment in result.segments)


def test_the_amount_of_text_is_bounded() -> None:
    attachment = (
        "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n" + "word " * 40_000
    )
    result = read(parts("mixed", *[attachment] * 6))
    assert sum(len(segment.text) for segment in result.segments) <= 800_000
    assert result.uninspected


HTML_REPLIES = {
    "gmail": "<div dir='ltr'>NEW</div><br><div class='gmail_quote'><div dir='ltr' class='gmail_attr'>"
    "On Tue, Jan 2, 2024 at 3:04 PM Jane &lt;<a href='mailto:j@example.org'>j@example.org</a>&gt;"
    " wrote:<br></div><blockquote class='gmail_quote'><div>OLD</div></blockquote></div>",
    "gmail forward": "<div>NEW</div><div class='gmail_quote'>---------- Forwarded message ---------"
    "<br>From: <b>Jane</b><br>Date: Tue<br>Subject: x<br>To: y<br><br><div>OLD</div></div>",
    "outlook": "<p>NEW</p><hr><div id='divRplyFwdMsg'><font face='Calibri'><b>From:</b> Jane<br>"
    "<b>Sent:</b> Tuesday<br><b>To:</b> John<br><b>Subject:</b> x</font></div><div>OLD</div>",
    "outlook, word": "<p class='MsoNormal'>NEW<o:p></o:p></p><div style='border:none;border-top:"
    "solid #E1E1E1 1.0pt'><p><b>Von:</b> Jana<br><b>Gesendet:</b> Dienstag<br><b>An:</b> Max<br>"
    "<b>Betreff:</b> x<o:p></o:p></p></div><p>OLD</p>",
    "thunderbird": "<p>NEW</p><div class='moz-cite-prefix'>Am 02.01.24 um 15:04 schrieb Jana:<br>"
    "</div><blockquote type='cite' cite='mid:1@example.org'><p>OLD</p></blockquote>",
    "apple": "NEW<div><br><blockquote type='cite'><div>Le 2 janv. 2024 à 15:04, Jane &lt;j@example.org"
    "&gt; a écrit :</div><br><div>OLD</div></blockquote></div>",
    "yahoo": "<div>NEW</div><div id='yahoo_quoted_1' class='yahoo_quoted'><div>El martes, 2 de enero "
    "de 2024, 15:04:05 CET, Jane &lt;j@example.org&gt; escribió:</div><div>OLD</div></div>",
    "proton": "<div>NEW</div><div class='protonmail_quote'>On Tuesday, January 2nd, 2024 at 3:04 PM,"
    " Jane &lt;j@example.org&gt; wrote:<br><blockquote class='protonmail_quote'>OLD</blockquote></div>",
    "qq": "<div>NEW</div><div>------------------&nbsp;原始邮件&nbsp;------------------</div>"
    "<div><b>发件人:</b> Jane;</div><div><b>发送时间:</b> 2024年1月2日</div><div>OLD</div>",
    "163": "<div>NEW</div><div>---- 回复的原邮件 ----</div><table><tr><td>发件人</td><td>Jane</td></tr>"
    "</table><blockquote id='isReplyContent'>OLD</blockquote>",
}  # fmt: skip


@pytest.mark.parametrize("html", HTML_REPLIES.values(), ids=HTML_REPLIES.keys())
def test_replies_in_html(html: str) -> None:
    result = read(f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}")
    new = "".join(text for source, _, text in said(result) if source is Source.BODY)
    old = "".join(text for source, _, text in said(result) if source is Source.QUOTED)
    assert new == "NEW"
    assert old.endswith("OLD")


def test_answers_between_blocks_of_a_quotation_in_html() -> None:
    quote = "<blockquote class='gmail_quote'>{}</blockquote>"
    html = f"<div class='gmail_quote'>{quote.format('old')}<div>ANSWER</div>{quote.format('older')}</div>"
    assert [source for source, _, _ in said(read(HTML + html))] == [
        Source.QUOTED,
        Source.BODY,
        Source.QUOTED,
    ]
