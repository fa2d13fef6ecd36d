"""Fields on top, forged fields gone, a tag in the subject: exact, ASCII, without injection."""

from email import message_from_bytes
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.act.headers import (
    folded,
    forged_fields,
    insert_fields,
    results_field,
    tag_subject,
    verdict_fields,
)
from milter.authentication.results import parse_results
from milter.mail.edit import apply_edits, remove_edits
from milter.mail.message import field_value, scan_header
from milter.mail.reading import AuthResult, Facts
from milter.mail.verdict import Action, Label, Mode, Verdict
from milter.read.integrity import verify

VERDICT = Verdict(label=Label.LURE, score_db=27.04, probability=0.0912)


def with_fields(raw: bytes, *fields: tuple[str, str]) -> bytes:
    return apply_edits(raw, insert_fields(fields, raw, b"\r\n"))


def cleaned(raw: bytes, own: str = "mx.example.org") -> bytes:
    return apply_edits(raw, forged_fields(raw, scan_header(raw), own))


def tagged(raw: bytes, tag: str, decoded: str = "") -> bytes:
    return apply_edits(raw, tag_subject(raw, scan_header(raw), tag, decoded, b"\r\n"))


def subject_shown(raw: bytes) -> str:
    value = str(message_from_bytes(raw)["Subject"]).replace("\r\n", "")
    return str(make_header(decode_header(value)))


def test_the_verdict_in_words() -> None:
    fields = dict(
        verdict_fields(
            VERDICT,
            transaction_id="t1",
            action=Action.ANNOTATE,
            mode=Mode.ENFORCE,
            reasons=("OFFPLATFORM=+6.0", "R9=+10.0"),
        )
    )
    assert fields == {
        "X-Lurewall-Verdict": "lure; disposition=annotate; mode=enforce",
        "X-Lurewall-Score": "27.0 dB; probability=0.0912",
        "X-Lurewall-Reasons": "OFFPLATFORM=+6.0, R9=+10.0",
        "X-Lurewall-Id": "t1",
    }


def resinfo(method: str, result: str, *properties: tuple[str, str, str], reason: str = ""):
    return AuthResult(
        method=method, result=result, authserv_id="x", reason=reason, properties=properties
    )


def test_results_of_our_own_in_one_field() -> None:
    name, value = results_field(
        "mx.example.org",
        (
            resinfo(
                "dkim", "pass", ("header", "d", "example.com"), ("header", "b", "a+/b=c"),
                ("header", "i", "@example.com"),
            ),
            resinfo("spf", "permerror", ("smtp", "mailfrom", "example.net"), reason='a "b" \\ c'),
            resinfo("dmarc", "fail", ("header", "from", "example.com"), ("policy", "dmarc", "none")),
            resinfo("arc", "pass", ("smtp", "remote-ip", "2001:db8::1")),
        ),
    )  # fmt: skip
    assert name == "Authentication-Results"
    assert value == (
        'mx.example.org; dkim=pass header.d=example.com header.b="a+/b?c" header.i=@example.com; '
        'spf=permerror reason="a \\"b\\" \\\\ c" smtp.mailfrom=example.net; '
        "dmarc=fail header.from=example.com policy.dmarc=none; "
        'arc=pass smtp.remote-ip="2001:db8::1"'
    )


def test_many_signatures_do_not_push_out_what_was_found_of_the_author() -> None:
    signature = resinfo("dkim", "pass", ("header", "d", "x" * 170), ("header", "i", "y" * 170))
    author = resinfo(
        "dmarc", "fail", ("header", "from", "example.com"), ("policy", "dmarc", "none")
    )
    sender = resinfo("spf", "fail", ("smtp", "mailfrom", "z" * 170))
    _, value = results_field("mx.example.org", (*[signature] * 40, sender, author))
    assert len(value) < 4_000
    assert value.endswith("dmarc=fail header.from=example.com policy.dmarc=none")
    assert "spf=fail" in value
    assert 5 < value.count("dkim=pass") < 40


def test_nothing_verified_is_said_as_none() -> None:
    assert results_field("mx.example.org", ()) == ("Authentication-Results", "mx.example.org; none")


@given(st.lists(st.text(max_size=400), min_size=1, max_size=30))
def test_results_of_strangers_words_stay_one_field_and_parse_back(texts: list[str]) -> None:
    results = tuple(
        resinfo("spf", "pass", ("smtp", "helo", text), reason=text[::-1]) for text in texts
    )
    raw = with_fields(b"From: a@b.c\r\n\r\n", results_field("mx.example.org", results))
    header = scan_header(raw)
    assert [field.name for field in header.fields] == [b"authentication-results", b"from"]
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    parsed = parse_results(field_value(raw, header.fields[0]).decode("ascii"))
    assert parsed or not any(texts)
    assert {(one.method, one.result) for one in parsed} == {("spf", "pass")}


FORGERY = "; dmarc=pass header.from=bank.example ;"


@pytest.mark.parametrize("octet", ['"', "\\", " ", "a"])
@pytest.mark.parametrize("length", [60, 87, 88, 89, 90, 91, 100, 170, 179, 180, 181, 310])
def test_a_stranger_s_word_never_swallows_what_follows(octet: str, length: int) -> None:
    results = (
        resinfo("dkim", "fail", ("header", "i", octet * length + "@evil.example"), reason="x"),
        resinfo("spf", "none", ("smtp", "helo", FORGERY), reason=octet * length),
        resinfo("dmarc", "fail", ("header", "from", "bank.example")),
    )
    name, value = results_field("mx.example.org", results)
    parsed = parse_results(folded(name, value, b"\r\n").decode("ascii"))
    assert [(one.method, one.result) for one in parsed] == [
        ("dkim", "fail"), ("spf", "none"), ("dmarc", "fail"),
    ]  # fmt: skip
    # Nor for a program behind us that looks for the words and knows no quotes.
    assert "dmarc=pass" not in value


def test_our_fields_stand_on_top_in_order() -> None:
    raw = b"Received: from a\r\nFrom: b@example.net\r\n\r\nHello\r\n"
    assert with_fields(raw, ("X-Lurewall-Verdict", "clean"), ("X-Lurewall-Id", "t1")) == (
        b"X-Lurewall-Verdict: clean\r\nX-Lurewall-Id: t1\r\n" + raw
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"From a@b Wed\nFrom: x\n\nbody", b"From a@b Wed\nX-Lurewall-Id: t1\r\nFrom: x\n\nbody"),
        (b"", b"X-Lurewall-Id: t1\r\n"),
        (b"\r\nonly a body\r\n", b"X-Lurewall-Id: t1\r\n\r\nonly a body\r\n"),
    ],
)
def test_odd_beginnings(raw: bytes, expected: bytes) -> None:
    assert with_fields(raw, ("X-Lurewall-Id", "t1")) == expected


def test_long_values_are_folded_at_spaces() -> None:
    value = folded("X-Lurewall-Reasons", ", ".join(["OFFPLATFORM=+6.0"] * 30), b"\r\n")
    lines = (b"X-Lurewall-Reasons:" + value).split(b"\r\n")
    assert len(lines) > 5
    assert max(map(len, lines)) <= 78
    assert all(line.startswith(b" ") for line in lines[1:])
    assert b" ".join(value.split()) == ", ".join(["OFFPLATFORM=+6.0"] * 30).encode()


@given(st.text(max_size=300))
def test_no_value_can_inject_a_field(value: str) -> None:
    raw = b"From: a@example.net\r\n\r\nbody\r\n"
    edited = with_fields(raw, ("X-Lurewall-Reasons", value))
    message = message_from_bytes(edited)
    assert message.keys() == ["X-Lurewall-Reasons", "From"]
    assert message.get_payload() == "body\r\n"
    assert edited.isascii()
    assert max(map(len, edited.split(b"\r\n"))) <= 998


FORGED = [
    b"X-Lurewall-Verdict: clean\r\n",
    b"x-LUREWALL-anything:\r\n folded\r\n value\r\n",
    b"X-Lurewall-Score : 0\r\n",
    b"Authentication-Results: mx.example.org; dmarc=pass\r\n",
    b"AUTHENTICATION-RESULTS: MX.Example.ORG 1; none\r\n",
    b"Authentication-Results:\r\n (note (nested \\) one)) mx.example.org; spf=pass\r\n",
    b'Authentication-Results: "mx.example.org"; spf=pass\r\n',
    b'Authentication-Results: "mx\\.example.org"; spf=pass\r\n',
    b"Authentication-Results: mx.example.org.; spf=pass\r\n",
    b"Authentication-Results: (never closed mx.example.org; spf=pass\r\n",
    b"Authentication-Results: mx.example.org\r\n",
    b"Authentication-Results: mx.example.org\x00; dmarc=pass\r\n",
    b"Authentication-Results: mx.example.org/1; dmarc=pass\r\n",
    b"Authentication-Results: mx.example.org, x; dmarc=pass\r\n",
]
HONEST = [
    b"Authentication-Results: mx.example.net; dkim=pass\r\n",
    b"Authentication-Results: other.example.org; dkim=fail reason=mx.example.org\r\n",
    b"Authentication-Results: (mx.example.org) gate.example.net; spf=none\r\n",
    b"Authentication-Results: mx.example.org-2; dkim=pass\r\n",
    b"Authentication-Results: mx.example.org.example.net; dkim=pass\r\n",
    b"X-Lurewal-Verdict: clean\r\n",
    b"ARC-Authentication-Results: i=1; mx.example.org; spf=pass\r\n",
    b"Authentication-Results:\r\n",
]


@pytest.mark.parametrize("field", FORGED)
def test_a_field_that_claims_to_be_ours_goes(field: bytes) -> None:
    assert cleaned(b"A: 1\r\n" + field + b"B: 2\r\n\r\nbody") == b"A: 1\r\nB: 2\r\n\r\nbody"


@pytest.mark.parametrize("field", FORGED)
def test_what_is_removed_is_what_the_second_look_expects_to_go(field: bytes) -> None:
    raw = b"From: a@example.net\r\n" + field + b"Subject: s\r\n\r\nbody\r\n"
    # Else a sender of such a field would never get a banner: the edit could not be proved.
    report = verify(raw, cleaned(raw), Facts(own_authserv_id="mx.example.org"))
    assert report.problem == ""


@pytest.mark.parametrize("field", HONEST)
def test_a_field_of_others_stays(field: bytes) -> None:
    raw = b"A: 1\r\n" + field + b"B: 2\r\n\r\nbody"
    assert cleaned(raw) == raw


def test_every_forged_field_goes_and_is_counted_per_name() -> None:
    raw = HONEST[0] + b"".join(FORGED) + b"\r\nX-Lurewall-Verdict: in the body\r\n"
    edits = forged_fields(raw, scan_header(raw), "mx.example.org")
    assert apply_edits(raw, edits) == HONEST[0] + b"\r\nX-Lurewall-Verdict: in the body\r\n"
    results = [edit.occurrence for edit in edits if edit.name == b"authentication-results"]
    assert results == list(range(2, 13))
    assert remove_edits(apply_edits(raw, edits), edits) == raw


def test_a_forged_field_cannot_hide_behind_thousands_of_others() -> None:
    raw = b"A: 1\r\n" * 5_000 + FORGED[0] + FORGED[3] + HONEST[0] + b"\r\nbody"
    assert cleaned(raw) == b"A: 1\r\n" * 5_000 + HONEST[0] + b"\r\nbody"


def test_without_an_id_of_our_own_only_our_names_go() -> None:
    raw = FORGED[0] + FORGED[3] + b"\r\n"
    assert cleaned(raw, "") == FORGED[3] + b"\r\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" A small study", b" [outside] A small study"),
        (b"A small study", b" [outside] A small study"),
        (b" =?utf-8?B?w6ljbGFpcg==?=", b" [outside] =?utf-8?B?w6ljbGFpcg==?="),
        (
            b"\r\n =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=",
            b" [outside]\r\n =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=",
        ),
        (b" caf\xe9 \xff raw", b" [outside] caf\xe9 \xff raw"),
        (b"", b" [outside]"),
        (b" ", b" [outside] "),
        (b"\ttabbed", b" [outside]\ttabbed"),
    ],
)
def test_the_tag_goes_in_front_and_the_rest_keeps_its_octets(value: bytes, expected: bytes) -> None:
    raw = b"From: a\r\nSubject:" + value + b"\r\nTo: b\r\n\r\nbody"
    assert tagged(raw, "[outside]") == b"From: a\r\nSubject:" + expected + b"\r\nTo: b\r\n\r\nbody"


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        (b"Hello", "[extérieur] Hello"),
        (b"=?utf-8?B?w6ljbGFpcg==?=", "[extérieur] éclair"),
        (b"\r\n =?utf-8?B?w6ljbGFpcg==?=", "[extérieur] éclair"),
    ],
)
def test_a_tag_in_other_letters_is_an_encoded_word(subject: bytes, shown: str) -> None:
    edited = tagged(b"Subject: " + subject + b"\r\n\r\n", "[extérieur]")
    assert edited.isascii()
    assert subject_shown(edited) == shown


def test_a_long_tag_takes_several_encoded_words() -> None:
    tag = "[" + "外部招聘提醒" * 6 + "]"
    edited = tagged(b"Subject: Hello\r\n\r\n", tag)
    assert subject_shown(edited) == f"{tag} Hello"
    assert all(len(word) <= 75 for word in edited.split())


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"Subject: [outside] Hello\r\n\r\n", ""),
        (b"Subject: Re: [outside] Hello\r\n\r\n", ""),
        (b"Subject: =?utf-8?B?W291dHNpZGVdIEhp?=\r\n\r\n", "[outside] Hi"),
    ],
)
def test_a_tag_is_not_doubled(raw: bytes, decoded: str) -> None:
    assert tagged(raw, "[outside]", decoded) == raw


def test_an_encoded_tag_is_not_doubled() -> None:
    once = tagged(b"Subject: Hello\r\n\r\n", "[extérieur]")
    assert tagged(once, "[extérieur]") == once


def test_every_subject_field_is_tagged_because_programs_differ_in_which_they_show() -> None:
    raw = b"Subject: one\r\nSubject: two\r\n\r\n"
    assert tagged(raw, "[x]") == b"Subject: [x] one\r\nSubject: [x] two\r\n\r\n"


def test_a_subject_of_full_length_is_folded_after_the_tag() -> None:
    value = b"w" * 985
    edited = tagged(b"Subject: " + value + b"\r\n\r\n", "[outside]")
    assert edited == b"Subject: [outside]\r\n " + value + b"\r\n\r\n"


@pytest.mark.parametrize("tag", ["[outside]", "[extérieur]", "[" + "外部招聘提醒" * 6 + "]"])
@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?B?" + b"w6ljbGFpcg==" * 4 + b"?=",
        b"=?utf-8?Q?" + b"=C3=A9" * 8 + b"?=\r\n =?utf-8?Q?" + b"=C3=A9" * 8 + b"?=",
        b"plain words that are followed by =?utf-8?Q?=C3=A9clair?=",
        b"\r\n =?utf-8?Q?=C3=A9clair?=",
    ],
)
def test_no_line_with_encoded_words_becomes_too_long(tag: str, subject: bytes) -> None:
    """RFC 2047 §2: seventy-six; what was there keeps its octets."""
    raw = b"Subject: " + subject + b"\r\n\r\n"
    before = subject_shown(raw)
    edited = tagged(raw, tag)
    assert edited.removesuffix(b"\r\n\r\n").endswith(subject.lstrip())
    assert max(map(len, edited.split(b"\r\n"))) <= 76
    assert subject_shown(edited).split() == [*tag.split(), *before.split()]
    assert tagged(edited, tag) == edited


def test_a_subject_below_a_line_that_is_no_field_is_not_tagged() -> None:
    raw = b"From: a\r\nno field\r\nSubject: Hello\r\n\r\nbody"
    assert tagged(raw, "[outside]") == raw


def test_a_message_without_subject_keeps_none() -> None:
    raw = b"From: a\r\n\r\nbody"
    assert tagged(raw, "[outside]") == raw
