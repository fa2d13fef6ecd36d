"""Shapes damaged at random places: nothing raises, nothing but an insertion happens, in any reading.

Where damage makes the standard library's parser read another structure than ours, its parts may
hold several insertions, but nothing of what it reads may be gone: it stands for the many readers
that are lenient in ways of their own.
"""

import random
import re

import pytest

from milter.act.banner_texts import LANGUAGES
from milter.mail.edit import remove_edits
from milter.read.integrity import verify
from tests.properties.test_edit_messages import FACTS, act_as_read
from tests.support.second_parser import leaves, payload
from tests.support.shapes import shape

COUNT, CHUNK = 2_000, 500
PIECES = [
    b"\r\n", b"\n", b"\r", b"=", b"<", b">", b'"', b"--b1", b"\r\n--b1--\r\n", b"\x1b$B", b"\x1b(B", b"=\r\n",
    b"charset=utf-16;", b"<!--", b"-->", b"<style>", b"\r\n\r\n", b"\xff\xfe", b" ", b"\0", b"; boundary=b1",
]  # fmt: skip


def damaged(number: int) -> bytes:
    """A shape after a few accidents."""
    rng = random.Random(number)
    octets = bytearray(shape(number).raw)
    for _ in range(rng.randrange(1, 6)):
        start = rng.randrange(len(octets) + 1)
        stop = min(len(octets), start + rng.randrange(1, 40))
        accident = rng.randrange(6)
        if accident == 0:
            octets[start:stop] = rng.randbytes(1)
        elif accident == 1:
            del octets[start:stop]
        elif accident == 2:
            octets[start:start] = octets[start:stop]
        elif accident == 3:
            octets[start:start] = rng.choice(PIECES)
        elif accident == 4:
            other = rng.randrange(len(octets) + 1)
            octets[start:start] = octets[other : other + rng.randrange(1, 200)]
        else:
            octets[start:stop] = bytes(rng.randrange(32, 127) for _ in range(stop - start))
    # No front lets a bare CR or LF in, and programs differ widely in what they make of one.
    return re.sub(rb"\r?\n|\r", b"\r\n", octets)


def is_kept(old: bytes, new: bytes) -> bool:
    """True if all of `old` stands in `new`, in its order."""
    rest = iter(new)
    return all(octet in rest for octet in old)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_damage_costs_a_banner_but_never_a_part(first: int) -> None:
    edited = 0
    for number in range(first, first + CHUNK):
        raw = damaged(number)
        acted = act_as_read(raw, LANGUAGES[number % len(LANGUAGES)])
        assert acted.problem == "", number
        assert remove_edits(acted.raw, acted.edits) == raw, number
        if not acted.edits_body:
            continue
        edited += 1
        if b"LUREWALL-ID" in raw:
            continue  # a forged field goes, however odd, and a header that it had ended goes on
        report = verify(raw, acted.raw, FACTS)
        assert (report.problem, report.detail) == ("", ""), number
        before, after = leaves(raw), leaves(acted.raw)
        assert [part.get_content_type() for part in before] == [
            part.get_content_type() for part in after
        ], number
        for old, new in zip(before, after, strict=True):
            if old.get_content_maintype() == "multipart":
                continue  # it cannot cut that one, and shows the label that changed
            assert is_kept(payload(old), payload(new)), (number, old.get_content_type())
    assert edited > CHUNK // 4
