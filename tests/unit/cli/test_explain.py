"""`explain`: the evidence in the text, the account, hostile mail, and inputs that are no mail."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from milter.app.files import FileJudge, FileOptions
from milter.cli import app
from milter.cli.explain_html import as_page
from milter.cli.explain_text import render
from milter.cli.explanation import explain_assessment, explanation_json
from milter.cli.highlight import is_unseen, marked, passages, runs
from milter.cli.options import settings_from
from milter.demo.samples import SAMPLES
from milter.examine import examine
from milter.judge.scoring import score
from milter.mail.finding import CheckOutcome, CheckStatus, Evidence, Finding, Source
from milter.mail.reading import Segment
from milter.ports import ExaminationFailed, Examined
from tests.support.mails import lure, mail

HOSTILE = (
    'From: "<script>alert(1)</script>" <desk.one@gmail.com>\r\nTo: a@example.org\r\n'
    "Subject: <img src=//evil.test/x onerror=alert(2)> paid \u202etxt\r\n"
    "Message-ID: <h@x.test>\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    "</div></mark><style>*{display:none}</style>{{ 7*7 }}\u200b\r\n"
    "A partner of ours, whom I cannot name, would like a short paper. 2,000 USD per paper, in cash.\r\n"
    'Write to me on Telegram: @desk_"<b>41 or https://t.me/desk41"><svg/onload=1>.\r\n'
    "--b\r\nContent-Type: application/pdf; name=\"<a href='javascript:1'>.pdf\"\r\n"
    "Content-Disposition: attachment\r\n\r\n%PDF\r\n--b--\r\n"
).encode()


READS = ("READS_LIKE_LURE", "READS_VERY_LIKE_LURE", "READS_MOST_LIKE_LURE")


class InProcess:
    """An examiner without processes of its own."""

    def __init__(self, failure: str = "", first_failure: str = "") -> None:
        self.failure, self.first_failure = failure, first_failure

    async def examine(self, raw, facts, deadline):
        if self.failure:
            raise ExaminationFailed(self.failure)
        return Examined(reading=examine(raw, facts), first_failure=self.first_failure)


async def explained(raw: bytes, **examiner: str):
    judge = FileJudge(FileOptions(settings=settings_from(None), wants_text=True))
    judge._pipeline._examiner = InProcess(**examiner)
    assessment = await judge.assess(raw)
    return assessment, explain_assessment("a.eml", assessment, judge.told)


def on_terminal(explanation, width: int = 100, colour: bool = False) -> str:
    output = io.StringIO()
    render(explanation, Console(file=output, width=width, force_terminal=colour, highlight=False))
    return output.getvalue()


class Elements(HTMLParser):
    """Tags with attributes, and the text outside of the style sheet."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in_style = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self._in_style = tag == "style"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if not self._in_style:
            self.text += data


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_the_account_of_a_sample_adds_up(sample):
    assessment, explanation = await explained(sample.raw)
    entry = explanation_json("a.eml", 0, assessment, explanation)
    ledger = entry["ledger"]
    total = sum(r["weight_db"] for r in ledger["rows"])
    total += sum(c["correction_db"] for c in ledger["caps"])
    assert total == pytest.approx(entry["verdict"]["score_db"], abs=0.006)
    odds = 10 ** ((ledger["prior_db"] + total) / 10)
    assert odds / (1 + odds) == pytest.approx(entry["verdict"]["probability"], abs=1e-4)
    assert f"{assessment.verdict.score_db:+.2f}" in on_terminal(explanation)


@pytest.mark.parametrize("raw", [lure("x"), HOSTILE, SAMPLES[1].raw], ids=["lure", "bad", "notice"])
async def test_highlights_are_exactly_the_evidence(raw):
    assessment, explanation = await explained(raw)
    whole = {}
    for passage, segment in zip(explanation.passages, assessment.reading.segments, strict=True):
        assert "".join(piece.text for piece in passage.pieces) == segment.text
        at = segment.base
        for piece in passage.pieces:
            for number in piece.numbers:
                whole.setdefault(number, set()).update(
                    (passage.source, passage.part, n) for n in range(at, at + len(piece.text))
                )
            at += len(piece.text)
    rows = {row.number: row for row in explanation.rows if row.number}
    for number, places in whole.items():
        assert places == {
            (one.source, one.part, n)
            for one in rows[number].weighed.finding.evidence
            for n in range(one.start, one.end)
        }
    assert whole or not explanation.side("for")


@given(
    st.text(max_size=30), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)
)
def test_any_spans_leave_the_text_whole(text, spans):
    segment = Segment(source=Source.BODY, part="1", text=text, base=5)
    evidence = {
        n: [Evidence(source=Source.BODY, part="1", start=a + 5, end=b + 5, text=text[a:b])]
        for n, (a, b) in enumerate(spans, start=1)
    }
    (passage,) = passages([segment], evidence)
    assert "".join(piece.text for piece in passage.pieces) == text
    for number, (start, end) in enumerate(spans, start=1):
        covered = "".join(p.text for p in passage.pieces if number in p.numbers)
        assert covered == (text[start:end] if 0 <= start < end <= len(text) else "")


def test_overlapping_evidence_names_both_rows():
    segment = Segment(source=Source.BODY, part="1", text="one two three")

    def span(start, end):
        return Evidence(
            source=Source.BODY, part="1", start=start, end=end, text=segment.text[start:end]
        )  # fmt: skip

    (passage,) = passages([segment], {1: [span(0, 7)], 2: [span(4, 13)]})
    assert [(p.text, p.numbers) for p in passage.pieces] == [
        ("one ", (1,)), ("two", (1, 2)), (" three", (2,)),
    ]  # fmt: skip


def test_evidence_that_does_not_stand_there_is_not_highlighted():
    segment = Segment(source=Source.BODY, part="1", text="one two")
    lies = Evidence(source=Source.BODY, part="1", start=0, end=3, text="two")
    (passage,) = passages([segment], {1: [lies]})
    assert [piece.numbers for piece in passage.pieces] == [()]


async def test_page_escapes_a_hostile_mail():
    _, explanation = await explained(HOSTILE)
    page = Elements(as_page(explanation))
    names = {name for name, _ in page.tags}
    assert not names & {"script", "img", "svg", "iframe", "link", "object", "form", "base"}
    assert [name for name, _ in page.tags].count("style") == 1
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    for shown in ("<script>alert(1)</script>", "<img src=//evil.test/x", "{{ 7*7 }}",
                  "<a href='javascript:1'>.pdf", '"><svg/onload=1>'):  # fmt: skip
        assert shown in page.text
    assert "\u202e" not in page.text
    assert "U+202E" in page.text
    assert "U+200B" in page.text


async def test_page_needs_nothing_from_outside_and_its_links_lead_somewhere():
    _, explanation = await explained(HOSTILE)
    text = as_page(explanation)
    page = Elements(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    links = [attributes["href"] for name, attributes in page.tags if name == "a"]
    assert len(ids) == len(set(ids))
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert not [a for _, attributes in page.tags for a in attributes if a in ("src", "style")]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a["content"] for n, a in page.tags if n == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of #rgb or #rrggbb."""
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_text_reach_contrast_aa(scheme):
    style = (files("milter.cli") / "explain.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): #(\w+)", light if scheme == "light" else dark))
    pairs = [("ground", "ink")]
    pairs += [("ink", on) for on in ("ground", "sheet", "for", "against", "fact")]
    pairs += [("soft", "ground"), ("soft", "sheet"), ("link", "ground"), ("unseen", "ground")]
    pairs += [("for-line", "ground"), ("against-line", "ground")]
    for text, ground in pairs:
        above, below = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (above + 0.05) / (below + 0.05) >= 4.5, (text, ground)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
async def test_terminal_view_keeps_its_width_and_obeys_nobody(width):
    _, explanation = await explained(HOSTILE.replace(b"7*7", b"\x1b[31m[bold]red[/bold]"))
    shown = on_terminal(explanation, width)
    assert max(len(line) for line in shown.splitlines()) <= width
    assert "\x1b" not in shown
    assert "<U+001B>" in shown
    assert "[bold]" in re.sub(r"\s", "", shown)
    assert "\x1b[" in on_terminal(explanation, width, colour=True)


async def test_screened_out_mail_says_that_language_did_not_run():
    _, explanation = await explained(mail("x"))
    assert "full language stage not run" in " ".join(on_terminal(explanation).split())
    assert "full language stage not run" in as_page(explanation)


async def test_degraded_mail_says_so():
    assessment, explanation = await explained(lure("x"), failure="crashed")
    assert explanation.passages == ()
    assert explanation.missing[0] == "examination: crashed"
    assert "Nothing could be read" in as_page(explanation)
    assert explanation_json("a", 0, assessment, explanation)["ledger"]["score_db"] == 0
    _, retried = await explained(lure("x"), first_failure="timeout")
    assert "text only after timeout" in on_terminal(retried)


async def test_a_row_that_is_silent_or_weak_says_why():
    _, explanation = await explained(lure("x"))
    notes = [row.note for row in explanation.rows]
    assert any("silent beside" in note for note in notes)


async def test_a_faint_sign_that_is_no_family_is_named():
    assessment, _ = await explained(mail("Good morning."))
    found = (
        *(Finding(code=code, check="t", strength=2) for code in READS),
        Finding(code="MODEL_SENSITIVE", check="t", strength=1),
    )
    outcome = CheckOutcome(check="t", status=CheckStatus.DONE, findings=found)
    told = FileJudge(FileOptions(settings=settings_from(None), wants_text=True)).told
    verdict = score([outcome], table=told.weights)
    explanation = explain_assessment("a.eml", replace(assessment, verdict=verdict), told)
    needed = {need.text: need.is_met for need in explanation.needs}
    assert needed["annotate: 2 families (has 1; one faint sign of substance is none)"] is False
    assert "one faint sign of substance is none" in on_terminal(explanation)


def test_unseen_characters_are_named():
    text = "a\u202eb\u200bc\x00d\u3164\ufe0f\n\t"
    assert marked(text) == "a<U+202E>b<U+200B>c<U+0000>d<U+3164>\ufe0f\n    "
    assert is_unseen("\ufe01")
    assert list(runs("é\u200d")) == [("é", ""), ("", "U+200D")]


def run(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(app, ["explain", *arguments], input=stdin)


def test_one_message_of_an_mbox_and_standard_input(tmp_path):
    box = tmp_path / "two.mbox"
    unix = [raw.replace(b"\r\n", b"\n") for raw in (mail("first"), lure("second"))]
    box.write_bytes(b"".join(b"From x@y Mon\n" + raw + b"\n" for raw in unix))
    second = run(str(box), "--index", "1", "--format", "json")
    assert second.exit_code == 0, second.stderr
    entry = json.loads(second.stdout)
    assert (entry["message_id"], entry["index"]) == ("<second@sender.test>", 1)
    assert entry["disposition"] == "quarantine"
    beyond = run(str(box), "--index", "2")
    assert beyond.exit_code == 1
    assert "has no message 2" in beyond.stderr
    page = tmp_path / "page.html"
    written = run("-", "--format", "html", "--output", str(page), stdin=unix[0])
    assert written.exit_code == 0, written.stderr
    assert "note first" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "octets", "code", "says"),
    [
        ("none.eml", None, 1, "No such file"),
        ("empty.eml", b"", 1, "is empty"),
        ("picture.eml", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "is no mail"),
        ("notes.txt", b"Remember: milk\n", 1, "is no mail"),
        ("broken.mbox.gz", b"\x1f\x8b\0", 1, "gzip"),
        ("", None, 2, "is a folder"),
    ],
)
def test_what_is_no_mail_is_a_clear_error(tmp_path, name, octets, code, says):
    path = tmp_path / name
    if octets is not None:
        path.write_bytes(octets)
    result = run(str(path))
    assert result.exit_code == code
    assert says in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_output_that_cannot_be_written(tmp_path):
    message = tmp_path / "a.eml"
    message.write_bytes(mail("x"))
    result = run(str(message), "--output", str(tmp_path / "none" / "page.html"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
