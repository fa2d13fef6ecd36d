"""Messages that broke other programs: read whole, with sound spans, in bounded time."""

import time
from email import message_from_bytes, policy
from email.message import Message

import pytest

from milter.mail.reading import Facts
from milter.read.message_reader import read_message
from milter.read.mime import Tree, scan_message
from tests.support import corpora

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not() or "present"),
]

FACTS = Facts(role="file", banner_key=b"key", wants_text=True)
# Folded boundaries, twin delimiters: read one by one, ours is what RFC 2046 says.
SEEN_OTHERWISE = 0.02


def assert_sound(name: str, raw: bytes, tree: Tree) -> None:
    for at, node in enumerate(tree.nodes):
        part = node.part
        assert 0 <= part.start <= part.body_start <= part.body_end <= len(raw), name
        if at:
            parent = tree.nodes[node.parent].part
            assert parent.body_start <= part.start <= part.body_end <= parent.body_end, name
    assert len({node.part.path for node in tree.nodes}) == len(tree.nodes), name


def test_every_torture_file_is_read_with_sound_spans() -> None:
    count = 0
    for name, raw in corpora.torture():
        started = time.perf_counter()
        result = read_message(raw, FACTS)
        assert time.perf_counter() - started < 5, name
        assert bool(result.edit_sites) != bool(result.unsafe_to_edit), name
        for segment in result.segments:
            assert segment.text.encode("utf-8"), name
        count += 1
    assert count > 1_000


def test_spans_are_sound_with_either_line_end() -> None:
    for name, raw in corpora.torture():
        assert_sound(name, raw, scan_message(raw))
        crlf = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert_sound(name, crlf, scan_message(crlf))


def test_text_only_mode_reads_them_too() -> None:
    facts = Facts(role="file", text_only=True)
    for name, raw in corpora.torture():
        result = read_message(raw, facts)
        assert result.text_only, name


def leaves(message: Message) -> list[str]:
    return [part.get_content_type() for part in message.walk() if not part.is_multipart()]


def test_the_standard_library_finds_the_same_leaves() -> None:
    """But for all of message/*, which it cuts into header blocks, and for malformed headers."""
    differing: list[str] = []
    count = 0
    for name, raw in corpora.torture():
        tree = scan_message(raw)
        ours = [node.part.media_type for node in tree.leaves]
        if tree.defects or any(kind.startswith("message/") for kind in ours):
            continue
        count += 1
        if leaves(message_from_bytes(raw, policy=policy.compat32)) != ours:
            differing.append(name)
    assert count > 1_000
    assert len(differing) <= SEEN_OTHERWISE * count, differing
