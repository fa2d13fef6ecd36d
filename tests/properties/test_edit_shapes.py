"""Five thousand shapes of mail: a banner where it can be, never a lost or changed part.

Three oracles beside the edits themselves: the standard library's parser, the reader's second look,
and the hashes of the untouched spans. What a shape deserves is said by its generator, not by us.
`LUREWALL_SHAPES` says how many are made (`make shapes`: five thousand, and a table).
"""

import hashlib
import os
from collections import Counter
from email.message import Message

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.act.plan import Acted
from milter.mail.charsets import python_codec
from milter.mail.edit import remove_edits
from milter.mail.marker import MARKER
from milter.read.integrity import verify
from milter.read.message_reader import read_message
from tests.properties.test_edit_messages import FACTS, act
from tests.support.second_opinion import compare, payload
from tests.support.shapes import Shape, shape

COUNT = int(os.environ.get("LUREWALL_SHAPES", "5000"))
CHUNK = 500


def edited(one: Shape) -> Acted:
    language = LANGUAGES[one.number % len(LANGUAGES)]
    return act(one.raw, read_message(one.raw, FACTS).edit_sites, language)


def assert_untouched(one: Shape, acted: Acted) -> None:
    """Every octet outside the edits, by hashes alone."""
    for span in acted.untouched:
        there = acted.raw[span.edited_start :][: span.end - span.start]
        assert hashlib.sha256(there).hexdigest() == span.sha256, one.name
    covered = sum(span.end - span.start for span in acted.untouched)
    removed = sum(len(edit.splice.removed) for edit in acted.edits)
    assert covered + removed == len(one.raw), one.name


def text(part: Message) -> str:
    codec = python_codec((part.get_content_charset() or "us-ascii").lower()) or "ascii"
    return payload(part).decode(codec, "replace")


def assert_proved(one: Shape, acted: Acted) -> None:
    assert acted.problem == "", one.name
    assert remove_edits(acted.raw, acted.edits) == one.raw, one.name
    assert_untouched(one, acted)
    changed = compare(one.raw, acted.raw)
    assert len(changed) == sum(part.outcome.is_edit for part in acted.parts), one.name
    for old, new in changed:
        assert len(MARKER.findall(text(new))) == len(MARKER.findall(text(old))) + 1, one.name
    if acted.edits_body:
        report = verify(one.raw, acted.raw, FACTS)
        assert (report.problem, report.detail) == ("", ""), one.name


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_every_shape_is_edited_exactly_or_not_at_all(first: int) -> None:
    outcomes: Counter[bool | None] = Counter()
    for number in range(first, min(first + CHUNK, COUNT)):
        one = shape(number)
        acted = edited(one)
        try:
            assert_proved(one, acted)
        except AssertionError as failure:
            raise AssertionError(f"{one.name}: {failure}") from failure
        if one.takes_banner is not None:
            assert acted.edits_body is one.takes_banner, (one.name, acted.banner.value)
        outcomes[acted.edits_body] += 1
    assert outcomes[True] > 0.4 * CHUNK
