"""The MIME tree: paths, types, spans and defects of odd structures."""

import pytest

from milter.mail.reading import Defect, Protection
from milter.read.mime import scan_message

ROOT = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'


def bodies(raw: bytes) -> list[tuple[str, str, bytes]]:
    return [
        (node.part.path, node.part.media_type, raw[node.part.body_start : node.part.body_end])
        for node in scan_message(raw).leaves
    ]


def defects(raw: bytes) -> set[Defect]:
    return set(scan_message(raw).defects)


def test_a_single_part_is_section_one() -> None:
    assert bodies(b"Subject: x\r\n\r\nhello\r\n") == [("1", "text/plain", b"hello\r\n")]


def test_sections_are_numbered_as_in_imap() -> None:
    inner = b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nA\r\n--c\r\nContent-Type: text/html\r\n\r\nB\r\n--c--"
    raw = (
        ROOT + b"--b\r\n\r\nfirst\r\n--b\r\n" + inner
        + b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n" + inner
        + b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nplain"
        + b"\r\n--b--\r\n"
    )  # fmt: skip
    assert [(node.part.path, node.part.media_type) for node in scan_message(raw).nodes] == [
        ("", "multipart/mixed"),
        ("1", "text/plain"),
        ("2", "multipart/alternative"),
        ("2.1", "text/plain"),
        ("2.2", "text/html"),
        ("3", "message/rfc822"),
        ("3.TEXT", "multipart/alternative"),
        ("3.1", "text/plain"),
        ("3.2", "text/html"),
        ("4", "message/rfc822"),
        ("4.1", "text/plain"),
    ]
    assert [node.in_message for node in scan_message(raw).nodes] == [False] * 6 + [True] * 3 + [
        False,
        True,
    ]
    assert not defects(raw)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--b\r\n\r\nA\r\n--b--\r\n", [b"A"]),
        (b"--b\n\nA\n--b--\n", [b"A"]),
        (b"pre\r\n--b\r\n\r\nA\r\n--b--\r\nepi\r\n--b\r\n\r\nafter", [b"A"]),
        (b"--b \t\r\n\r\nA\r\n--b-- \r\n", [b"A"]),
        (b"--b\r\n\r\nA\r\n\r\n--b--", [b"A\r\n"]),
        (b"--b\r\n\r\nA\r\n--bc\r\nB\r\n--b--", [b"A\r\n--bc\r\nB"]),
        (b"--b\r\n\r\nA\r\n --b\r\nB\r\n--b--", [b"A\r\n --b\r\nB"]),
        (b"--b\r\n\r\nA--b\r\nB\r\n--b--", [b"A--b\r\nB"]),
        (b"--b\r\n--b\r\n\r\nA\r\n--b--", [b"", b"A"]),
        (b"--b\r\nContent-Type: text/plain\r\n\r\n--b--", [b""]),
        (b"--b\r\nContent-Type: text/plain\r\n--b--", [b""]),
        (b"--b\r\n\r\n\r\n--b--", [b""]),
        (b"--b\r\n\r\nA\n--b\n\nB\r\n--b--", [b"A", b"B"]),
    ],
)
def test_delimiters(body: bytes, expected: list[bytes]) -> None:
    assert [octets for _, _, octets in bodies(ROOT + body)] == expected


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nA\r\n--b--", Defect.MISSING_BOUNDARY),
        (ROOT + b"no delimiter here", Defect.MISSING_BOUNDARY),
        (ROOT + b"--b--\r\n", Defect.EMPTY_MULTIPART),
        (ROOT + b"--b\r\n\r\nA\r\n", Defect.UNTERMINATED_MULTIPART),
        (ROOT + b"--b\r\njunk\r\n\r\nA\r\n--b--", Defect.JUNK_LINE_IN_HEADER),
        (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nA", Defect.DUPLICATE_FIELD),
    ],
)
def test_what_is_wrong_is_said(raw: bytes, defect: Defect) -> None:
    assert defects(raw) == {defect}


def test_a_multipart_that_cannot_be_cut_is_one_leaf() -> None:
    raw = ROOT + b"no delimiter here"
    assert bodies(raw) == [("1", "multipart/mixed", b"no delimiter here")]


def test_an_inner_multipart_ends_with_the_outer() -> None:
    raw = (
        ROOT + b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nA\r\n--c\r\n\r\nB"
        b"\r\n--b\r\n\r\nC\r\n--b--"
    )  # fmt: skip
    assert [octets for _, _, octets in bodies(raw)] == [b"A", b"B", b"C"]
    assert defects(raw) == {Defect.UNTERMINATED_MULTIPART}


def test_nested_multiparts_with_one_boundary_lose_no_text() -> None:
    raw = (
        ROOT + b'--b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nA\r\n--b\r\n\r\nB'
        b"\r\n--b--\r\n--b--"
    )  # fmt: skip
    texts = [octets for _, kind, octets in bodies(raw) if kind == "text/plain"]
    assert texts == [b"A", b"B"]


def test_a_digest_holds_messages() -> None:
    raw = (
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: a\r\n\r\nA\r\n--b--"
    )
    assert [(path, kind) for path, kind, _ in bodies(raw)] == [("1.1", "text/plain")]


def test_an_encoded_message_is_not_descended_into() -> None:
    raw = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogYQ=="
    )
    assert [kind for _, kind, _ in bodies(raw)] == ["message/rfc822"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text/HTML", "text/html"),
        (b"text", "text/plain"),
        (b"", "text/plain"),
        (b"text/html (comment); charset=x", "text/html"),
        (b"nonsense here", "text/plain"),
        (b"text/html charset=utf-8", "text/html"),
    ],
)
def test_media_types(value: bytes, expected: str) -> None:
    node = scan_message(b"Content-Type: " + value + b"\r\n\r\nx").nodes[0]
    assert node.part.media_type == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"multipart/signed; boundary=b", Protection.SIGNED),
        (b"multipart/encrypted; boundary=b", Protection.ENCRYPTED),
        (b"application/pkcs7-mime; smime-type=enveloped-data", Protection.ENCRYPTED),
        (b"application/pkcs7-mime; smime-type=signed-data", Protection.SIGNED),
        (b"application/x-pkcs7-mime; name=smime.p7m", Protection.ENCRYPTED),
        (b"text/plain", Protection.NONE),
    ],
)
def test_protection(value: bytes, expected: Protection) -> None:
    assert (
        scan_message(b"Content-Type: " + value + b"\r\n\r\nx").nodes[0].part.protection is expected
    )


def test_what_is_within_a_signed_part_is_signed() -> None:
    raw = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nA\r\n--b--"
    assert {node.part.protection for node in scan_message(raw).nodes} == {Protection.SIGNED}


def test_leaves_have_digests_of_their_octets() -> None:
    first, second = scan_message(ROOT + b"--b\r\n\r\nA\r\n--b\r\nX-A: b\r\n\r\nA\r\n--b--").leaves
    assert first.part.digest == second.part.digest != ""
    assert scan_message(ROOT + b"--b\r\n\r\nA\r\n--b--", digests=False).nodes[1].part.digest == ""


def test_bounds_can_be_given() -> None:
    raw = ROOT + b"--b\r\n\r\nA\r\n" * 20 + b"--b--"
    tree = scan_message(raw, max_parts=5)
    assert len(tree.nodes) == 5
    assert Defect.TOO_MANY_PARTS in tree.defects
    tree = scan_message(raw, max_depth=0)
    assert [node.is_leaf for node in tree.nodes] == [True]
    assert tree.defects == (Defect.TOO_DEEP,)
