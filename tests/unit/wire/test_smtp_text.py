"""End of data, dots, line ends and replies on the wire."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milter.mail.reply import Reply, own_reply
from milter.wire.line_ends import dot_stuff
from milter.wire.smtp_text import (
    Content,
    ContentProblem,
    ContentReader,
    format_reply,
)

END = b"\r\n.\r\n"


def read(*chunks: bytes, normalise: bool = False, size: int = 1000, line: int = 100) -> Content:
    """Feed all chunks; the end must come in the last one."""
    reader = ContentReader(max_bytes=size, max_line_bytes=line, normalise=normalise)
    rests = [reader.feed(chunk) for chunk in chunks]
    assert rests[-1] is not None
    assert not any(rests[:-1])
    return reader.content()


@pytest.mark.parametrize(
    ("wire", "raw", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
        (b"..\r\n.\r\n", b".\r\n", b""),
        (b"a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n", b""),
        (b"...\r\n.\r\n", b"..\r\n", b""),
        # A dot that nobody doubled is taken away all the same (RFC 5321 §4.5.2).
        (b".a\r\n.\r\n", b"a\r\n", b""),
        (b"a.\r\n.\r\n.\r\n", b"a.\r\n", b".\r\n"),
        (b"\r\n..\r\n.\r\n", b"\r\n.\r\n", b""),
        (b"a\0b\r\n.\r\n", b"a\0b\r\n", b""),
    ],
)
def test_content_ends_at_the_lone_dot_and_loses_stuffed_dots(
    wire: bytes, raw: bytes, rest: bytes
) -> None:
    reader = ContentReader(max_bytes=1000, max_line_bytes=100, normalise=False)
    assert reader.feed(wire) == rest
    assert reader.content() == Content(raw=raw, size_bytes=len(raw))


# Each of these is an end of data to some server, and to none that heeds RFC 5321 §2.3.8.
SMUGGLED_ENDS = [
    b"\n.\n",
    b"\r\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n",
    b"\r\n\0.\0\r\n",
    b"\r\0\n.\r\n",
    b"\r\n.\r\0\n",
]


@pytest.mark.parametrize("end", SMUGGLED_ENDS)
def test_smuggled_end_is_refused_after_the_true_end(end: bytes) -> None:
    content = read(b"a" + end + b"MAIL FROM:<b@example.net>\r\n" + END)
    assert content.raw == b""
    assert content.problem in (
        ContentProblem.BARE_CR,
        ContentProblem.BARE_LF,
        ContentProblem.NUL_DOT,
    )


@pytest.mark.parametrize("end", SMUGGLED_ENDS)
def test_smuggled_end_normalised_is_a_stuffed_line_on_the_way_out(end: bytes) -> None:
    content = read(b"a" + end + b"MAIL FROM:<b@example.net>\r\n" + END, normalise=True)
    assert content.problem is None
    assert b"MAIL FROM" in content.raw
    out = dot_stuff(content.raw)
    for line in out.split(b"\r\n"):
        assert line.strip(b"\0") != b"."
        assert b"\r" not in line
        assert b"\n" not in line


def test_nul_elsewhere_is_content() -> None:
    wire = b"\0\r\n\0a.\r\na\0.\r\n..\0\r\n\0\0"
    assert read(wire + END).raw == b"\0\r\n\0a.\r\na\0.\r\n.\0\r\n\0\0\r\n"


@pytest.mark.parametrize(
    ("wire", "normalised"),
    [
        (b"a\nb", b"a\r\nb\r\n"),
        (b"a\rb", b"a\r\nb\r\n"),
        (b"a\r\r\nb", b"a\r\n\r\nb\r\n"),
        (b"a\n\rb", b"a\r\n\r\nb\r\n"),
        (b"a\r\n\nb", b"a\r\n\r\nb\r\n"),
        (b"\n..b", b"\r\n..b\r\n"),
        (b"\r\n..b\n", b"\r\n.b\r\n\r\n"),
    ],
)
def test_bare_line_ends_become_crlf(wire: bytes, normalised: bytes) -> None:
    assert read(wire + END, normalise=True).raw == normalised


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        (b"a" * 998, None),
        (b"a" * 999, ContentProblem.TOO_LARGE),
        (b"a\n" + b"a" * 1000, ContentProblem.TOO_LARGE),
        (b"a\rb", ContentProblem.BARE_CR),
        (b"a\nb", ContentProblem.BARE_LF),
        (b"a\nb\rc", ContentProblem.BARE_CR),
    ],
)
def test_problems(wire: bytes, problem: ContentProblem | None) -> None:
    content = read(wire + END, line=10_000)
    assert content.problem is problem
    assert bool(content.raw) == (problem is None)


@pytest.mark.parametrize("before", [b"", b"a\r\n" * 50, b"b" * 10 + b"\r\n"])
@pytest.mark.parametrize("after", [b"", b"\r\na" * 50])
@pytest.mark.parametrize(("length", "problem"), [(10, None), (11, ContentProblem.LINE_TOO_LONG)])
def test_line_length_counts_without_its_end(
    before: bytes, after: bytes, length: int, problem: ContentProblem | None
) -> None:
    wire = before + b"x" * length + after + END
    assert read(wire, line=10).problem is problem
    assert read(*(wire[i : i + 1] for i in range(len(wire))), line=10).problem is problem


def test_memory_is_bounded_past_the_limit() -> None:
    reader = ContentReader(max_bytes=100, max_line_bytes=10_000, normalise=False)
    for _ in range(1000):
        assert reader.feed(b"a" * 100) is None
        assert reader.kept_bytes <= 100
    assert reader.feed(END) == b""
    assert reader.content() == Content(
        raw=b"", size_bytes=100_002, problem=ContentProblem.TOO_LARGE
    )


def test_discarded_content_is_read_to_the_end() -> None:
    reader = ContentReader(max_bytes=1000, max_line_bytes=100, normalise=False)
    reader.feed(b"first\r\n")
    reader.discard()
    assert reader.kept_bytes == 0
    assert reader.feed(b"QUIT\r\n.\r\nNOOP\r\n") == b"NOOP\r\n"
    assert reader.content().problem is ContentProblem.DISCARDED


def test_no_content_before_the_end() -> None:
    reader = ContentReader(max_bytes=1000, max_line_bytes=100, normalise=False)
    reader.feed(b"a\r\n.")
    with pytest.raises(RuntimeError):
        reader.content()


_OCTETS = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"\0", b"a", b"\r\n.", b"x" * 9]),
    max_size=30,
).map(b"".join)


@given(body=_OCTETS, cuts=st.lists(st.integers(0, 300), max_size=20), normalise=st.booleans())
@example(body=b"a\r\n", cuts=list(range(20)), normalise=False)
def test_any_chunking_gives_the_same(body: bytes, cuts: list[int], normalise: bool) -> None:
    wire = body + END
    wire = wire[: (b"\r\n" + wire).index(END) - 2 + len(END)]  # up to the first true end
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    chunks = [wire[a:b] for a, b in itertools.pairwise(edges)]
    whole = read(wire, normalise=normalise, size=60, line=20)
    assert read(*chunks, normalise=normalise, size=60, line=20) == whole
    if whole.problem is None and not normalise:
        assert dot_stuff(whole.raw).replace(b"\r\n.", b"\r\n..").count(END) == 0


_LINES = st.lists(
    st.binary(max_size=8).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b".")),
    max_size=10,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@given(raw=_LINES)
def test_dot_stuffing_is_undone_by_the_reader(raw: bytes) -> None:
    content = read(dot_stuff(raw) + b".\r\n", normalise=False, size=10_000)
    if content.problem is not ContentProblem.NUL_DOT:
        assert content.raw == raw


@given(body=_OCTETS)
def test_normalised_content_has_one_end_only(body: bytes) -> None:
    wire = body + END
    wire = wire[: (b"\r\n" + wire).index(END) - 2 + len(END)]
    content = read(wire, normalise=True, size=10_000, line=10_000)
    assert content.problem is None
    out = b"\r\n" + dot_stuff(content.raw) + b".\r\n"
    assert out.index(END) == len(out) - len(END)
    stripped = out.replace(b"\r\n", b"")
    assert b"\r" not in stripped
    assert b"\n" not in stripped
    without_nul = out.replace(b"\0", b"")
    assert without_nul.index(END) == len(without_nul) - len(END)


def test_dot_stuff_returns_the_same_object_where_nothing_is_to_do() -> None:
    raw = b"a\r\nb.\r\n"
    assert dot_stuff(raw) is raw
    assert dot_stuff(b".\r\n.a\r\n..\r\n") == b"..\r\n..a\r\n...\r\n"


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (own_reply(250, "2.0.0", "Ok"), b"250 2.0.0 Ok\r\n"),
        (Reply(code=250, lines=()), b"250 \r\n"),
        (Reply(code=250, lines=(b"a", b"", b"c")), b"250-a\r\n250-\r\n250 c\r\n"),
        # A reply that would be two.
        (Reply(code=550, lines=(b"no\r\n250 yes\0",)), b"550 no  250 yes \r\n"),
        (Reply(code=451, lines=("né".encode(),)), b"451 n\xc3\xa9\r\n"),
    ],
)
def test_format_reply(reply: Reply, wire: bytes) -> None:
    assert format_reply(reply) == wire
