"""Frames: what goes in comes out, and what is no frame of ours is refused."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.mail.analysis import Analysis, Entity, Intent
from milter.mail.finding import CheckOutcome, CheckStatus, Evidence, Finding, Source
from milter.mail.reading import (
    AuthResult,
    Defect,
    Facts,
    HeaderFacts,
    IntegrityReport,
    NamedMailbox,
    Part,
    Protection,
    Reading,
    Segment,
)
from milter.readers import frames
from milter.readers.frames import FrameError, ReplyStatus, ReplyStream, RequestKind

EVIDENCE = Evidence(source=Source.BODY, part="1.2", start=3, end=9, text="薇信 vx")
READING = Reading(
    size_bytes=1234,
    header=HeaderFacts(
        header_from=(
            NamedMailbox(display_name="É", address="a@example.org", domain="example.org"),
        ),
        subject="Une question 🙂",
    ),
    parts=(
        Part(
            path="1",
            media_type="text/plain",
            charset="utf-8",
            encoding="8bit",
            disposition="",
            filename="",
            start=0,
            body_start=10,
            body_end=20,
            defects=(Defect.NUL_OCTET,),
            protection=Protection.SIGNED,
        ),
    ),
    defects=(Defect.TOO_DEEP, Defect.BARE_LINE_END),
    auth_results=(
        AuthResult(
            method="dkim",
            result="pass",
            authserv_id="mx.example.org",
            properties=(("header", "d", "example.net"),),
        ),
    ),
    link_hosts=("example.net",),
    segments=(Segment(source=Source.QUOTED, part="1", text="…", base=7),),
    analysis=Analysis(
        language="fr",
        intents=(Intent(label="offplatform", strength=2, evidence=(EVIDENCE,)),),
        entities=(
            Entity(
                type="handle",
                text="x",
                value="x",
                platform="signal",
                source=Source.QR,
                part="3",
                start=0,
                end=1,
            ),
        ),
    ),
    outcomes=(
        CheckOutcome(
            check="language",
            status=CheckStatus.DONE,
            findings=(Finding(code="OFFPLATFORM", check="language", evidence=(EVIDENCE,)),),
            elapsed_seconds=0.25,
        ),
    ),
    elapsed_seconds=(("read", 0.001),),
)


def test_a_reading_crosses_the_border_whole() -> None:
    assert frames.decode_reading(frames.encode_value(READING)) == READING


def test_a_report_crosses_the_border_whole() -> None:
    report = IntegrityReport(problem="changed", parts=3, edited_parts=("1", "2.1"), detail="x")
    assert frames.decode_report(frames.encode_value(report)) == report


def test_a_request_carries_facts_and_lengths() -> None:
    facts = Facts(role="mx", banner_key=bytes(range(256)), own_domains=("example.org",))
    octets = frames.encode_request(7, RequestKind.VERIFY, facts, (b"abc", b"de"), 1.5)
    head = frames.decode_request_head(octets[: frames.REQUEST_HEAD_BYTES])
    assert (head.request_id, head.kind, head.budget_seconds) == (7, RequestKind.VERIFY, 1.5)
    assert (head.first_bytes, head.second_bytes) == (3, 2)
    encoded = octets[frames.REQUEST_HEAD_BYTES :]
    assert len(encoded) == head.facts_bytes
    assert frames.decode_facts(encoded) == facts


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"size_bytes": 1},
        {"size_bytes": 1, "header": 1},
        {"size_bytes": "1", "header": {}},
        {"size_bytes": 1, "header": {}, "defects": ["no such defect"]},
        {"size_bytes": 1, "header": {}, "parts": [{"path": "1"}]},
        {"size_bytes": 1, "header": {"received_count": 2**65}},
        {"size_bytes": 1, "header": {}, "elapsed_seconds": [["a", 1.0, 2.0]]},
        [1, 2, 3],
        None,
        "text",
        datetime(2026, 1, 1, tzinfo=UTC),
    ],
)
def test_what_does_not_fit_the_types_is_no_reading(forged: object) -> None:
    try:
        octets = msgspec.msgpack.encode(forged)
    except OverflowError:
        octets = b"\x81\xaasize_bytes\xcf"
    with pytest.raises(FrameError):
        frames.decode_reading(octets)


@given(st.binary(max_size=200))
def test_any_octets_are_a_value_or_a_frame_error(octets: bytes) -> None:
    for decode in (frames.decode_reading, frames.decode_report, frames.decode_facts):
        try:
            value = decode(octets)
        except FrameError:
            continue
        assert isinstance(value, Facts | IntegrityReport)


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1a"])
def test_nesting_without_end_is_refused(opening: bytes) -> None:
    with pytest.raises(FrameError):
        frames.decode_reading(b"\x81\xa1x" + opening * 200_000)


@given(st.binary(max_size=300), st.lists(st.integers(0, 320), max_size=6))
def test_any_cut_of_the_stream_gives_the_same_reply(body: bytes, cuts: list[int]) -> None:
    octets = frames.encode_reply(9, ReplyStatus.DONE, body)
    stream = ReplyStream()
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    replies = [stream.feed(octets[start:end]) for start, end in pairwise(places)]
    assert all(reply is None for reply in replies[:-1])
    assert replies[-1] == frames.Reply(request_id=9, status=ReplyStatus.DONE, body=body)
    assert stream.feed(b"") is None


@pytest.mark.parametrize(
    "octets",
    [
        frames.encode_reply(1, ReplyStatus.DONE, b"x") + b"y",
        b"\0\0\0\1\2\xff\xff\xff\xff",
        b"\0\0\0\1\0\0\0\0\0",
        b"\0\0\0\1\x63\0\0\0\0",
    ],
)
def test_a_stream_that_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(FrameError):
        ReplyStream().feed(octets)


def test_an_own_reply_too_large_is_refused_before_it_is_sent() -> None:
    with pytest.raises(FrameError):
        frames.encode_reply(1, ReplyStatus.DONE, b"x" * (frames.MAX_REPLY_BYTES + 1))


def test_a_request_head_with_wrong_kind_or_size_is_refused() -> None:
    facts = Facts()
    octets = bytearray(frames.encode_request(1, RequestKind.EXAMINE, facts, (b"",), 1.0))
    octets[4] = 9
    with pytest.raises(FrameError):
        frames.decode_request_head(bytes(octets[: frames.REQUEST_HEAD_BYTES]))
    octets[4] = 1
    octets[17] = 0xFF
    with pytest.raises(FrameError):
        frames.decode_request_head(bytes(octets[: frames.REQUEST_HEAD_BYTES]))
