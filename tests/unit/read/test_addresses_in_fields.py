"""Address lists of header fields, as written by anybody."""

import pytest

from milter.read.addresses import parse_mailboxes, to_a_label


def read(value: str | bytes) -> list[tuple[str, str, str]]:
    octets = value if isinstance(value, bytes) else value.encode()
    return [(box.display_name, box.address, box.domain) for box in parse_mailboxes(octets, 20)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jane@example.org", [("", "jane@example.org", "example.org")]),
        ("<jane@example.org>", [("", "jane@example.org", "example.org")]),
        ("Jane Roe <Jane@EXAMPLE.org>", [("Jane Roe", "Jane@example.org", "example.org")]),
        ('"Roe, Jane" <jane@example.org>', [("Roe, Jane", "jane@example.org", "example.org")]),
        (r'"Jane \"J\" Roe" <j@example.org>', [('Jane "J" Roe', "j@example.org", "example.org")]),
        ("jane@example.org (Jane Roe)", [("Jane Roe", "jane@example.org", "example.org")]),
        ("a@example.org, b@example.net", [("", "a@example.org", "example.org"), ("", "b@example.net", "example.net")]),
        ("a@example.org; b@example.net", [("", "a@example.org", "example.org"), ("", "b@example.net", "example.net")]),
        ("Team: a@example.org, B <b@example.net>;", [("", "a@example.org", "example.org"), ("B", "b@example.net", "example.net")]),
        ("undisclosed-recipients:;", []),
        ("", []),
        (",,,", []),
        ("=?utf-8?q?J=C3=A9r?= =?utf-8?q?=C3=B4me?= <j@example.org>", [("Jérôme", "j@example.org", "example.org")]),
        ('"=?utf-8?q?J=C3=A9r?=" <j@example.org>', [("Jér", "j@example.org", "example.org")]),
        ("王小明 <w@example.org>", [("王小明", "w@example.org", "example.org")]),
        (b"J\xe9r <j@example.org>", [("Jér", "j@example.org", "example.org")]),
        ("<@a.test,@b.test:u@example.org>", [("", "u@example.org", "example.org")]),
        ('"a b"@example.org', [("", '"a b"@example.org', "example.org")]),
        ("j@bücher.test", [("", "j@xn--bcher-kva.test", "xn--bcher-kva.test")]),
        ("((nested) comment) j@example.org", [("(nested) comment", "j@example.org", "example.org")]),
        ("Jane <j@example.org", [("Jane", "j@example.org", "example.org")]),
        # An address in the display name is shown, not believed.
        ('"ceo@example.org" <x@evil.test>', [("ceo@example.org", "x@evil.test", "evil.test")]),
        ("ceo@example.org <x@evil.test>", [("ceo@example.org", "x@evil.test", "evil.test")]),
        # No usable address: an empty domain, never a near miss (CVE-2019-16056, CVE-2023-27043).
        ("a@evil.test@example.org", [("a@evil.test@example.org", "", "")]),
        ("alice@example.org]@evil.test", [("alice@example.org]@evil.test", "", "")]),
        ("Jane", [("Jane", "", "")]),
        ("Jane <jane at example>", [("Jane", "", "")]),
        ("<>", [("", "", "")]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]", "")]),
        ("a@-bad-.test", [("", "a@-bad-.test", "")]),
    ],
)  # fmt: skip
def test_mailboxes(value: str | bytes, expected: list[tuple[str, str, str]]) -> None:
    assert read(value) == expected


def test_the_number_is_bounded() -> None:
    value = b", ".join(b"a%d@example.org" % number for number in range(100))
    assert len(parse_mailboxes(value, 7)) == 7


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("Example.ORG.", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
        ("", ""),
        ("a..b", ""),
        ("-a.example", ""),
        ("a b.example", ""),
        ("x" * 300 + ".example", ""),
        ("é" * 200, ""),
    ],
)
def test_domains(domain: str, expected: str) -> None:
    assert to_a_label(domain) == expected
