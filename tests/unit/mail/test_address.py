"""The path grammar, mailboxes, A-labels and U-labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.mail.address import (
    NULL_PATH,
    Mailbox,
    PathError,
    parse_mailbox,
    parse_path,
    to_a_labels,
    to_u_labels,
)


@pytest.mark.parametrize(
    ("octets", "raw", "address", "rest"),
    [
        (b"<a@example.org>", b"a@example.org", "a@example.org", b""),
        (b"<A.B@EXAMPLE.Org> SIZE=1", b"A.B@EXAMPLE.Org", "A.B@example.org", b" SIZE=1"),
        (b"<a@localhost>", b"a@localhost", "a@localhost", b""),
        (b'<"a b@c"@example.org>', b'"a b@c"@example.org', '"a b@c"@example.org', b""),
        (b'<"a>\\"b"@example.org>', b'"a>\\"b"@example.org', '"a>\\"b"@example.org', b""),
        (b'<""@example.org>', b'""@example.org', '""@example.org', b""),
        (b"<a+b=c/d'e@example.org>", b"a+b=c/d'e@example.org", "a+b=c/d'e@example.org", b""),
        # Carriers hand these out, and the inner server takes them.
        (b"<a..b.@example.org>", b"a..b.@example.org", "a..b.@example.org", b""),
        (b"<a@_dmarc.x_y.example>", b"a@_dmarc.x_y.example", "a@_dmarc.x_y.example", b""),
        (b"<a@[192.0.2.1]>", b"a@[192.0.2.1]", "a@[192.0.2.1]", b""),
        (b"<a@[IPv6:2001:db8::1]>", b"a@[IPv6:2001:db8::1]", "a@[ipv6:2001:db8::1]", b""),
        (b"<@x.example,@y.example:a@z.example>", b"@x.example,@y.example:a@z.example", "a@z.example", b""),
        (b"<" + b"l" * 300 + b"@example.org>", b"l" * 300 + b"@example.org", "l" * 300 + "@example.org", b""),
    ],
)  # fmt: skip
def test_paths(octets: bytes, raw: bytes, address: str, rest: bytes) -> None:
    path, behind = parse_path(octets, smtputf8=False)
    assert path.raw == raw
    assert path.mailbox is not None
    assert path.mailbox.address == address
    assert behind == rest
    assert not path.is_null


def test_null_path_and_postmaster_name_no_mailbox() -> None:
    assert parse_path(b"<> RET=HDRS", smtputf8=False) == (NULL_PATH, b" RET=HDRS")
    assert NULL_PATH.is_null
    path, _ = parse_path(b"<PostMaster>", smtputf8=False)
    assert path.raw == b"PostMaster"
    assert path.mailbox is None
    assert not path.is_null


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"a@example.org",
        b"<a@example.org",
        b"a@example.org>",
        b"<a@example.org>SIZE=1",
        b"<<a@example.org>>",
        b"<a>",
        b"<@example.org>",
        b"<a@>",
        b"< >",
        b"< a@example.org>",
        b"<a b@example.org>",
        b"<a@b@example.org>",
        b"<a@example..org>",
        b"<a@.example.org>",
        b"<a@example.org.>",
        b"<a@-example.org>",
        b"<a@example-.org>",
        b"<a@" + b"x" * 64 + b".org>",
        b"<a@" + b"x." * 130 + b"org>",
        b"<a@exa mple.org>",
        b"<a@example.org\0>",
        b"<a\0@example.org>",
        b"<a\r\n@example.org>",
        b'<"a@example.org>',
        b'<"a\\"@example.org>',
        b"<a(comment)@example.org>",
        b"<a@example.org,b@example.org>",
        b"<@x.example:>",
        b"<@:a@example.org>",
        b"<a@[192.0.2]>",
        b"<a@[IPv6:nonsense]>",
        b"<a@[x:y]>",
        b"<a@[192.0.2.1>",
        "<é@example.org>".encode(),
        "<a@é.example>".encode(),
    ],
)
def test_no_path(octets: bytes) -> None:
    with pytest.raises(PathError):
        parse_path(octets, smtputf8=False)


def test_utf8_paths_only_on_request_and_only_as_utf8() -> None:
    path, _ = parse_path("<é@bücher.example>".encode(), smtputf8=True)
    assert path.mailbox == Mailbox(
        local_part="é", domain="xn--bcher-kva.example", domain_unicode="bücher.example"
    )
    for octets in (b"<\xff@example.org>", b"<a@\xc3.example>"):
        with pytest.raises(PathError):
            parse_path(octets, smtputf8=True)


@pytest.mark.parametrize(
    ("unicode", "ascii_form"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｅｘａｍｐｌｅ.org", "example.org"),
        ("Example.ORG", "example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_labels(unicode: str, ascii_form: str) -> None:
    assert to_a_labels(unicode) == ascii_form


@pytest.mark.parametrize(
    "domain",
    ["", ".", "a..b", "é\u202eb.example", "é b.example", "é＠b.example", "é" * 64, "a/b", "é/b"],
)
def test_no_domain(domain: str) -> None:
    assert to_a_labels(domain) is None


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--strae-oqa.xn--p1ai", "straße.рф"),
        # Labels that lead to nothing, or back to another label, are shown as they are.
        ("xn--zzzzzz999999999.example", "xn--zzzzzz999999999.example"),
        ("xn--x-sy8h.example", "xn--x-sy8h.example"),
        ("example.org", "example.org"),
    ],
)
def test_u_labels(domain: str, shown: str) -> None:
    assert to_u_labels(domain) == shown
    assert to_a_labels(shown) == domain


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" a@example.org ", "a@example.org"),
        ("é@BÜCHER.example", "é@xn--bcher-kva.example"),
        ("postmaster@example.org", "postmaster@example.org"),
        ("", None),
        ("a", None),
        ("<a@example.org>", None),
        ("a@example.org, b@example.org", None),
        ("a@example.org\n", "a@example.org"),
        ("a\udcff@example.org", None),
    ],
)
def test_mailbox_of_text(text: str, address: str | None) -> None:
    mailbox = parse_mailbox(text)
    assert (mailbox.address if mailbox else None) == address


@given(st.text())
def test_no_text_raises(text: str) -> None:
    mailbox = parse_mailbox(text)
    assert mailbox is None or mailbox.domain.isascii()
    to_u_labels("xn--" + text)
    a_labels = to_a_labels(text)
    assert a_labels is None or to_a_labels(a_labels) == a_labels


@given(st.binary(max_size=60), st.booleans())
def test_a_path_is_kept_verbatim_or_refused(octets: bytes, smtputf8: bool) -> None:
    try:
        path, rest = parse_path(b"<" + octets, smtputf8=smtputf8)
    except PathError:
        return
    assert b"<" + path.raw + b">" + rest == b"<" + octets
