"""Five thousand shapes of mail: a banner where it can be, never a lost or changed part.

Three oracles beside the edits themselves: the standard library's parser, the reader's second look,
and the hashes of the untouched spans. What a shape deserves is said by its generator, not by us.
`LUREWALL_SHAPES` makes more of them or fewer; `make shapes` writes the table in docs/banner.md.
"""

import hashlib
import os
from collections import Counter
from email.message import Message

import pytest
from selectolax.lexbor import LexborHTMLParser

from milter.act.banner_plain import RULE
from milter.act.banner_texts import LANGUAGES
from milter.act.plan import Acted
from milter.mail.charsets import python_codec
from milter.mail.edit import BannerOutcome, remove_edits
from milter.mail.handback import Handback
from milter.mail.marker import MARKER
from milter.mail.reply import own_reply
from milter.read.integrity import verify
from milter.wire.milter_edits import modifications
from tests.properties.test_edit_messages import FACTS, act_as_read
from tests.support.flowed import paragraphs
from tests.support.mta_message import Manner, MtaMessage
from tests.support.second_parser import compare, payload
from tests.support.shapes import Shape, shape
from tests.support.shapes_table import PAGE, SHAPES, between, of_shape, shapes_table

COUNT = int(os.environ.get("LUREWALL_SHAPES", "5000"))
CHUNK = 500
CHUNKS = pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
ACCEPTED = own_reply(250, "2.0.0", "ok")


def numbers(first: int) -> range:
    return range(first, min(first + CHUNK, COUNT))


def text(part: Message) -> str:
    codec = python_codec((part.get_content_charset() or "us-ascii").lower()) or "ascii"
    return payload(part).decode(codec, "replace")


def assert_untouched(one: Shape, acted: Acted) -> None:
    """Every octet outside the edits, by hashes alone."""
    for span in acted.untouched:
        there = acted.raw[span.edited_start :][: span.end - span.start]
        assert hashlib.sha256(there).hexdigest() == span.sha256
    covered = sum(span.end - span.start for span in acted.untouched)
    removed = sum(len(edit.splice.removed) for edit in acted.edits)
    assert covered + removed == len(one.raw)


def assert_readable(old: Message, new: Message) -> None:
    """One banner, on top, which nothing of the mail swallows or flows into."""
    before, after = text(old), text(new)
    assert len(MARKER.findall(after)) == len(MARKER.findall(before)) + 1
    if new.get_content_type() == "text/html":
        page = LexborHTMLParser(after)
        banner = page.css_first('div[class^="lw-"][role="note"]')
        assert banner is not None
        words = banner.text().split()
        for node in page.css("style, script, title"):
            node.decompose()
        shown = page.body.text().removeprefix("\ufeff").split() if page.body else []
        assert shown[: len(words)] == words
        return
    assert after.removeprefix("\ufeff").startswith(RULE)
    if str(new.get_param("format", "")).lower() == "flowed":
        delsp = str(new.get_param("delsp", "")).lower() == "yes"
        was, now = (
            paragraphs(before.removeprefix("\ufeff"), delsp=delsp),
            paragraphs(after, delsp=delsp),
        )
        assert now[len(now) - len(was) :] == was
        assert now[len(now) - len(was) - 1] == (0, "")


@CHUNKS
def test_every_shape_is_edited_exactly_or_not_at_all(first: int) -> None:
    outcomes: Counter[bool] = Counter()
    for number in numbers(first):
        one = shape(number)
        acted = of_shape(one)
        try:
            assert acted.problem == ""
            assert remove_edits(acted.raw, acted.edits) == one.raw
            assert_untouched(one, acted)
            changed = compare(one.raw, acted.raw)
            assert len(changed) == sum(part.outcome.is_edit for part in acted.parts)
            for old, new in changed:
                assert_readable(old, new)
            if one.raw.isascii():
                assert acted.raw.isascii()
            if acted.edits_body:
                report = verify(one.raw, acted.raw, FACTS)
                assert (report.problem, report.detail) == ("", "")
            if one.takes_banner is not None:
                assert acted.edits_body is one.takes_banner
        except AssertionError as failure:
            raise AssertionError(f"{one.name}: {acted.banner}: {failure}") from failure
        outcomes[acted.edits_body] += 1
    assert outcomes[True] > 0.4 * outcomes.total()


@CHUNKS
def test_a_second_pass_adds_no_second_banner(first: int) -> None:
    for number in numbers(first)[::3]:
        one = shape(number)
        once = of_shape(one)
        language = LANGUAGES[number % len(LANGUAGES)]
        twice = act_as_read(once.raw, language)
        edits = [part.outcome for part in twice.parts if part.outcome.is_edit]
        assert not edits, (one.name, twice.parts)
        if once.edits_body:
            assert BannerOutcome.ALREADY_THERE in {part.outcome for part in twice.parts}, one.name


def obeyed(one: Shape, acted: Acted, manner: Manner, *, leading_space: bool) -> bytes:
    """The message that an MTA makes of the edits when they come as packets of the milter protocol."""
    mta = MtaMessage.of(one.raw, leading_space=leading_space, manner=manner)
    handback = Handback(reply=ACCEPTED, raw=acted.raw, edits=acted.edits)
    body = b""
    for packet in modifications(handback, {}, keeps_space=leading_space):
        letter, data = packet[4:5], packet[5:]
        strings = data[4:] if letter in b"im" else data
        if letter == b"b":
            body += data
            continue
        name, value = strings.split(b"\0")[:2]
        if letter == b"h":
            mta.add(name, value)
        elif letter == b"i":
            mta.insert(int.from_bytes(data[:4]), name, value)
        else:
            assert letter == b"m"
            mta.change(int.from_bytes(data[:4]), name, value)
    mta.body = body or mta.body
    return mta.raw()


@CHUNKS
@pytest.mark.parametrize("manner", ["postfix", "sendmail"])
def test_an_mta_that_is_told_the_edits_makes_the_same_message(first: int, manner: Manner) -> None:
    told = 0
    for number in numbers(first):
        one = shape(number)
        # What a milter never sees as it is: files with an mbox line or without carriage returns.
        if one.damage in ("mbox line", "line feeds only", "junk in header"):
            continue
        acted = of_shape(one)
        assert obeyed(one, acted, manner, leading_space=True) == acted.raw, one.name
        told += acted.edits_body
    assert told > 0.3 * len(numbers(first))


@pytest.mark.skipif(COUNT != SHAPES, reason="the page counts another number of shapes")
def test_the_page_says_what_became_of_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    start, end = between(page, "shapes")
    assert _without_versions(page[start:end]) == _without_versions(shapes_table())


def _without_versions(table: str) -> list[str]:
    """Which version of the text fits hangs on its words, which a translator may better."""
    return [line for line in table.splitlines() if not line.startswith("| which is")]
