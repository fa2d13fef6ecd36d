"""For any message that the generator can make: an edit is exact, or there is none.

Two oracles that share nothing with `act`: the parser of the standard library, and the reader's own
second look. Removing the edits gives the original octet for octet.
"""

import re
from base64 import b64encode
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milter.act.plan import Acted, ActOptions, act_on
from milter.mail.edit import remove_edits
from milter.mail.marker import MARKER
from milter.mail.reading import EditSite, Facts, HeaderFacts, Reading
from milter.mail.verdict import Action, Disposition, Label, Mode, Verdict
from milter.read.integrity import verify
from milter.read.message_reader import read_message
from tests.unit.act.by_hand import TEXTS, TOP, Laid, Leaf, Multipart, content, html, lay, plain

KEY = b"a key of the test"
FACTS = Facts(banner_key=KEY, own_authserv_id="mx.example.org")
OPTIONS = ActOptions(
    mode=Mode.ENFORCE,
    texts=TEXTS,
    banner_key=KEY,
    own_authserv_id="mx.example.org",
    subject_tag="[outside]",
    contact="security@example.org",
)
VERDICT = Verdict(label=Label.LURE, score_db=27.0, probability=0.09)

ALPHABETS = {
    "us-ascii": "ab =.-<>&\t",
    "utf-8": "ab =.\té漢🙂\u00a0",
    "iso-8859-1": "ab =.\té\u00a0ÿ",
    "windows-1252": "ab =.\té“€",
    "windows-1251": "ab =.\tжё",
    "koi8-r": "ab =.\tжё",
    "gb18030": "ab =.\t漢丂é🙂",
    "big5": "ab =.\t漢許功蓋",
    "shift_jis": "ab =.\t漢ソ表ｱ",
    "iso-2022-jp": "ab =.\t漢ソ表",
    "euc-kr": "ab =.\t한글漢",
}
PIECES = [
    "From here",
    ".",
    "..",
    "-- ",
    "=20",
    "=",
    "--b",
    "--b1--",
    "",
    "=\t",
    "x" * 90,
    "= " * 60,
]
boundaries = st.sampled_from([b"b", b"b1", b"b1-", b"--", b"=_x'y()+,./:=?", b"a b", b"B" * 70])


@st.composite
def texts(draw: st.DrawFn, charset: str) -> str:
    line = st.one_of(st.text(ALPHABETS[charset], max_size=100), st.sampled_from(PIECES))
    end = draw(st.sampled_from(["", "\r\n", "\r\n\r\n"]))
    return "\r\n".join(draw(st.lists(line, max_size=6))) + end


@st.composite
def text_leaves(draw: st.DrawFn) -> Leaf:
    charset = draw(st.sampled_from(sorted(ALPHABETS)))
    encoding = draw(st.sampled_from(["7bit", "8bit", "quoted-printable", "base64"]))
    width = draw(st.sampled_from([4, 20, 61, 76]))
    text = draw(texts(charset))
    if encoding == "7bit":
        text = text.encode("ascii", "ignore").decode("ascii")
    if draw(st.booleans()):
        return plain(text, charset=charset, encoding=encoding, width=max(width, 20))
    before = draw(
        st.sampled_from(["", "<body>", "<html>\r\n<body\tclass='é'>\r\n", "<!-- <body> --><body>"])
    )
    before = before.encode(charset, "ignore").decode(charset)
    if encoding == "7bit":
        before = before.encode("ascii", "ignore").decode("ascii")
    after = "<p>" + text
    return html(before, after, charset=charset, encoding=encoding, width=max(width, 20))


@st.composite
def attachments(draw: st.DrawFn) -> Leaf:
    octets = draw(st.binary(max_size=200))
    media = draw(st.sampled_from([b"application/pdf", b"image/png", b"text/calendar"]))
    fields = content(media, encoding=b"base64") + b"Content-Disposition: attachment\r\n"
    return Leaf(fields, b64encode(octets) + draw(st.sampled_from([b"", b"\r\n", b"\r\n\r\n"])))


def multiparts(children: st.SearchStrategy[Leaf | Multipart]) -> st.SearchStrategy[Multipart]:
    return st.builds(
        Multipart,
        subtype=st.sampled_from([b"mixed", b"alternative", b"related"]),
        boundary=boundaries,
        children=st.lists(children, min_size=1, max_size=3).map(tuple),
        preamble=st.sampled_from([b"", b"preamble\r\n", b"--not it\r\n"]),
        epilogue=st.sampled_from([b"", b"epilogue", b"--b1\r\n\r\nlate\r\n"]),
        closed=st.booleans(),
        padding=st.sampled_from([b"", b" ", b"\t "]),
    )


leaves = st.one_of(text_leaves(), attachments())
trees = st.recursive(leaves, multiparts, max_leaves=6)


def distinct(node: Leaf | Multipart, depth: int = 0) -> Leaf | Multipart:
    """The tree with an own boundary on every level: what one level means stays its own."""
    if isinstance(node, Leaf):
        return node
    children = tuple(
        distinct(child, depth * 4 + number) for number, child in enumerate(node.children, 1)
    )
    boundary = node.boundary[:50] + b"x%d" % depth
    return replace(node, boundary=boundary, children=children)


def laid_out(tree: Leaf | Multipart) -> Laid:
    return lay(replace(tree, fields=TOP + tree.fields))


def act(raw: bytes, sites: tuple[EditSite, ...], language: str) -> Acted:
    """Annotate where these claims say."""
    reading = Reading(size_bytes=len(raw), header=HeaderFacts(), edit_sites=sites)
    return _act(raw, reading, language)


def act_as_read(raw: bytes, language: str) -> Acted:
    """Annotate where a reader says."""
    read = read_message(raw, FACTS)
    reading = Reading(
        size_bytes=len(raw),
        header=read.header,
        protection=read.protection,
        edit_sites=read.edit_sites,
        unsafe_to_edit=read.unsafe_to_edit,
    )
    return _act(raw, reading, language)


def _act(raw: bytes, reading: Reading, language: str) -> Acted:
    return act_on(
        raw,
        reading=reading,
        verdict=VERDICT,
        disposition=Disposition(
            action=Action.ANNOTATE, rule="default", recipients=(), banner_language=language
        ),
        transaction_id="t-1",
        reasons=(),
        options=OPTIONS,
    )


def parsed(raw: bytes) -> list[Message]:
    return list(message_from_bytes(raw).walk())


def decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode(part.get_content_charset() or "ascii", "surrogateescape")


def assert_exact(raw: bytes, acted: Acted) -> None:
    assert acted.problem == ""
    assert remove_edits(acted.raw, acted.edits) == raw
    before, after = parsed(raw), parsed(acted.raw)
    assert [part.get_content_type() for part in before] == [
        part.get_content_type() for part in after
    ]
    banners = 0
    for old, new in zip(before, after, strict=True):
        if old.is_multipart():
            continue
        old_text, new_text = decoded(old), decoded(new)
        if old_text == new_text:
            continue
        banners += 1
        assert len(MARKER.findall(new_text)) == 1
        grown = len(new_text) - len(old_text)
        same = next(
            (i for i, (a, b) in enumerate(zip(old_text, new_text, strict=False)) if a != b),
            min(len(old_text), len(new_text)),
        )
        assert new_text[:same] + new_text[same + grown :] == old_text
    assert banners == sum(part.outcome.is_edit for part in acted.parts)


def longest_encoded_line(raw: bytes) -> int:
    """The longest line of any quoted-printable or base64 part."""
    longest = 0
    for part in parsed(raw):
        encoding = str(part.get("Content-Transfer-Encoding", "")).lower()
        if not part.is_multipart() and encoding in ("quoted-printable", "base64"):
            lines = re.split(r"\r?\n", str(part.get_payload()))
            longest = max(longest, *map(len, lines))
    return longest


RELAXED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
languages = st.sampled_from(["en", "fr", "zh-hans", "ar"])


@RELAXED
@given(trees, languages)
def test_what_a_reader_finds_is_edited_exactly(tree: Leaf | Multipart, language: str) -> None:
    raw = laid_out(distinct(tree)).raw
    acted = act_as_read(raw, language)
    assert_exact(raw, acted)
    assert longest_encoded_line(acted.raw) <= max(76, longest_encoded_line(raw))
    if acted.edits_body:
        report = verify(raw, acted.raw, FACTS)
        assert (report.problem, report.detail) == ("", "")


@RELAXED
@given(trees, languages)
def test_what_the_layout_says_is_edited_exactly(tree: Leaf | Multipart, language: str) -> None:
    laid = laid_out(distinct(tree))
    assert_exact(laid.raw, act(laid.raw, laid.claims, language))


@RELAXED
@given(trees, st.data())
def test_claims_of_a_captured_reader_never_harm_what_they_do_not_name(
    tree: Leaf | Multipart, data: st.DataObject
) -> None:
    """Any claim gives either an edit inside one body, or none; the rest is the original."""
    raw = laid_out(tree).raw
    offset = st.integers(-2, len(raw) + 2)
    claim = st.builds(
        EditSite,
        part=st.sampled_from(["1", "1.2", ""]),
        kind=st.sampled_from(["text", "html"]),
        encoding=st.sampled_from(["7bit", "8bit", "quoted-printable", "base64", "x"]),
        charset=st.sampled_from(["us-ascii", "utf-8", "iso-8859-1", "koi8-r"]),
        header_end=offset,
        body_start=offset,
        body_end=offset,
        insert_at=offset,
    )
    honest = st.sampled_from(laid_out(tree).claims) if laid_out(tree).claims else claim
    shifted = st.builds(
        lambda base, **shift: replace(
            base, **{name: getattr(base, name) + by for name, by in shift.items()}
        ),
        honest,
        header_end=st.integers(-1, 1),
        body_start=st.integers(-1, 1),
        body_end=st.integers(-1, 1),
        insert_at=st.integers(-3, 3),
    )
    claims = data.draw(st.lists(st.one_of(claim, honest, shifted), max_size=3).map(tuple))
    acted = act(raw, claims, "fr")
    assert acted.problem == ""
    assert remove_edits(acted.raw, acted.edits) == raw
