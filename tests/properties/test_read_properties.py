"""Reading holds for any octets: never an exception, every span inside its parent, offsets true."""

from email import message_from_bytes, policy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milter.authentication.results import parse_results
from milter.mail.message import scan_header
from milter.mail.reading import Facts
from milter.read.addresses import parse_mailboxes
from milter.read.decode import decode_charset, decode_transfer
from milter.read.encoded_words import decode_value
from milter.read.html import read_html
from milter.read.html_insertion import insertion_offset
from milter.read.message_reader import ReadResult, read_message
from milter.read.mime import Tree, scan_message
from milter.read.parameters import parse_parameters
from milter.read.text import split_text

FACTS = Facts(
    role="after_queue",
    own_authserv_id="gate.example.org",
    trusted_authserv_ids=("mx.example.org",),
    banner_key=b"key",
    wants_text=True,
)
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Octets that look like mail get further into the reader than random ones.
FRAGMENTS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b" ", b"\t", b";", b":", b"--", b"--b", b"--b--", b"\r\n--b\r\n",
        b"\r\n\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"Subject: =?utf-8?q?=C3",
        b"Content-Type: text/html; charset=utf-8\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n", b"Content-Type: message/rfc822\r\n",
        b"From: a@example.org\r\n", b"Received: from x by y\r\n", b"<body>", b"<!--", b"-->",
        b"<div style='display:none'>", b"</div>", b"=3D", b"=\r\n", b"=", b"YWJj", b"\0", b"\xff",
        b"\xc3\xa9", b"> quoted", b"On 1/2/2024 10:00, A wrote:", b"-- ", b"text", b"\xef\xbb\xbf",
        b"Authentication-Results: mx.example.org; dkim=pass header.d=x.test\r\n", b"(", b'"', b"<",
    ]
)  # fmt: skip
MAIL_LIKE = st.lists(FRAGMENTS | st.binary(max_size=8), max_size=40).map(b"".join)


def assert_sound(raw: bytes, tree: Tree) -> None:
    """Spans are ordered and nested, and every octet of a body belongs to one leaf at most."""
    last_leaf_end = 0
    for at, node in enumerate(tree.nodes):
        part = node.part
        assert 0 <= part.start <= part.body_start <= part.body_end <= len(raw)
        assert node.header.start == part.start
        assert part.start <= node.header.header_end <= part.body_start
        if at:
            assert 0 <= node.parent < at
            parent = tree.nodes[node.parent].part
            assert not tree.nodes[node.parent].is_leaf
            assert parent.body_start <= part.start <= part.body_end <= parent.body_end
        if node.is_leaf:
            assert part.start >= last_leaf_end
            last_leaf_end = part.body_end
    paths = [node.part.path for node in tree.nodes]
    assert len(set(paths)) == len(paths)


def assert_offsets_resolve(result: ReadResult) -> None:
    """Segments of one part do not overlap and lie in the order of their offsets."""
    ends: dict[tuple[str, bool], int] = {}
    for segment in result.segments:
        assert segment.text
        assert "\r" not in segment.text
        key = (segment.part, segment.source.value == "subject")
        assert segment.base >= ends.get(key, 0)
        ends[key] = segment.base + len(segment.text)


@QUICK
@given(MAIL_LIKE | st.binary(max_size=300))
def test_any_octets_can_be_read(raw: bytes) -> None:
    tree = scan_message(raw)
    assert_sound(raw, tree)
    for text_only in (False, True):
        result = read_message(raw, Facts(banner_key=b"key", wants_text=True, text_only=text_only))
        assert_offsets_resolve(result)
        assert bool(result.edit_sites) != bool(result.unsafe_to_edit)
    assert read_message(raw, FACTS).parts


@QUICK
@given(MAIL_LIKE)
def test_edit_sites_point_at_the_decoded_place(raw: bytes) -> None:
    result = read_message(raw, FACTS)
    for site in result.edit_sites:
        body = raw[site.body_start : site.body_end]
        octets, defect = decode_transfer(body, site.encoding)
        if site.encoding == "base64":
            assert 0 <= site.insert_at <= len(octets)
            continue
        assert site.body_start <= site.insert_at <= site.body_end
        before, unsound = decode_transfer(raw[site.body_start : site.insert_at], site.encoding)
        assert unsound is None
        assert octets.startswith(before)
        if defect is None:
            behind = decode_transfer(raw[site.insert_at : site.body_end], site.encoding)[0]
            assert before + behind == octets


@QUICK
@given(st.binary(max_size=300), st.integers(0, 20), st.integers(0, 300))
def test_any_header_can_be_scanned(raw: bytes, start: int, stop: int) -> None:
    start = min(start, len(raw))
    stop = max(start, min(stop, len(raw)))
    header = scan_header(raw, start=start, stop=stop)
    end = start
    for field in header.fields:
        assert end <= field.start < field.value_start <= field.end <= header.header_end
        end = field.end
    assert start <= header.header_end <= header.body_start <= stop


@QUICK
@given(
    st.binary(max_size=200), st.sampled_from(["", "base64", "quoted-printable", "x-uuencode", "?"])
)
def test_any_octets_can_be_decoded(octets: bytes, encoding: str) -> None:
    assert isinstance(decode_transfer(octets, encoding)[0], bytes)


@QUICK
@given(
    st.binary(max_size=200),
    st.sampled_from(["", "utf-8", "us-ascii", "gb2312", "utf-7", "utf-16", "hz", "big5", "no-such", "iso-2022-jp"])
    | st.text(max_size=12),
)  # fmt: skip
def test_any_octets_are_some_text(octets: bytes, label: str) -> None:
    text, _ = decode_charset(octets, label)
    assert text.encode("utf-8").decode("utf-8") == text


@QUICK
@given(st.binary(max_size=200) | MAIL_LIKE)
def test_any_field_value_can_be_parsed(value: bytes) -> None:
    assert isinstance(decode_value(value), str)
    assert isinstance(parse_parameters(value)[0], str)
    assert len(parse_mailboxes(value, 10)) <= 10
    assert all(result.method for result in parse_results(value.decode("latin-1")))


@QUICK
@given(st.text(max_size=200) | MAIL_LIKE.map(lambda octets: octets.decode("latin-1")))
def test_any_html_has_text_and_spans_in_it(html: str) -> None:
    read = read_html(html, banner_key=b"a key")
    for start, end in (*read.quoted, *read.indented, *read.signed):
        assert 0 <= start <= end <= len(read.text)
    octets = html.encode("utf-8", "replace")
    offset = insertion_offset(octets)
    assert offset is None or 0 <= offset <= len(octets)


LINES = st.sampled_from(
    ["", "hello", "> quoted", "-- ", "On Tue, Jan 2, 2024 at 3:04 PM A <a@example.org> wrote:",
     "-----Original Message-----", "From: a", "Sent: b", "To: c", "Subject: d", "Best regards,",
     "Jane", "Sent from my iPhone", "________________________________"]
)  # fmt: skip


@QUICK
@given(st.lists(LINES | st.text(max_size=10), max_size=30).map("\n".join))
def test_a_split_loses_nothing(text: str) -> None:
    runs = split_text(text)
    assert "".join(text[start:end] for _, start, end in runs) == text
    assert all(start < end for _, start, end in runs)


@st.composite
def entities(draw: st.DrawFn, depth: int = 0) -> tuple[bytes, list[object]]:
    """A MIME entity, and what it is made of: [type, body] or [type, children...]."""
    kind = draw(st.sampled_from(["leaf", "leaf", "mixed", "alternative", "message"]))
    if depth >= 3 or kind == "leaf":
        body = (
            draw(st.binary(max_size=40))
            .replace(b"--", b"-.")
            .replace(b"\r", b"")
            .replace(b"\n", b"\r\n")
        )
        media_type = draw(st.sampled_from(["text/plain", "text/html", "application/pdf"]))
        header = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        return header.encode() + body, [media_type, body]
    if kind == "message":
        inner, made_of = draw(entities(depth=depth + 1))
        return b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n" + inner, [
            "message/rfc822",
            made_of,
        ]
    # Boundaries that are prefixes of each other are the classic trap.
    boundary = "b" * (depth + 1) + draw(st.sampled_from(["", "=_x", " y z"]))
    children = draw(st.lists(entities(depth=depth + 1), min_size=1, max_size=4))
    pieces = [f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\npreamble'.encode()]
    for octets, _ in children:
        pieces.append(f"\r\n--{boundary}\r\n".encode() + octets)
    pieces.append(f"\r\n--{boundary}--\r\nepilogue".encode())
    return b"".join(pieces), [f"multipart/{kind}", *(made_of for _, made_of in children)]


def rebuilt(raw: bytes, tree: Tree, at: int = 0) -> list[object]:
    part = tree.nodes[at].part
    if tree.nodes[at].is_leaf:
        return [part.media_type, raw[part.body_start : part.body_end]]
    children = [child for child, node in enumerate(tree.nodes) if node.parent == at]
    return [part.media_type, *(rebuilt(raw, tree, child) for child in children)]


@QUICK
@given(entities())
def test_generated_trees_are_recovered_exactly(entity: tuple[bytes, list[object]]) -> None:
    raw, made_of = entity
    raw = b"From: a@example.org\r\nMIME-Version: 1.0\r\n" + raw
    tree = scan_message(raw)
    assert_sound(raw, tree)
    assert rebuilt(raw, tree) == made_of
    assert not tree.defects


@QUICK
@given(entities())
def test_the_standard_library_sees_the_same_parts(entity: tuple[bytes, list[object]]) -> None:
    raw = b"MIME-Version: 1.0\r\n" + entity[0]
    theirs = [
        part.get_content_type() for part in message_from_bytes(raw, policy=policy.compat32).walk()
    ]
    assert [node.part.media_type for node in scan_message(raw).nodes] == theirs
