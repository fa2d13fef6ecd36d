"""PROXY protocol headers, whole, cut and broken."""

import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.listen.proxy_header import parse_proxy_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = socket.inet_aton("192.0.2.9") + socket.inet_aton("198.51.100.1") + b"\x12\x67\0\x19"
V6 = (
    socket.inet_pton(socket.AF_INET6, "2001:db8::9")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + b"\x12\x67\0\x19"
)


def v2(body: bytes, *, command: int = 0x21, family: int = 0x11) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


WHOLE = [
    (b"PROXY TCP4 192.0.2.9 198.51.100.1 4711 25\r\n", ("192.0.2.9", 4711)),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 25\r\n", ("2001:db8::9", 4711)),
    (b"PROXY TCP6 ::ffff:192.0.2.9 ::1 4711 25\r\n", ("192.0.2.9", 4711)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    (v2(V4), ("192.0.2.9", 4711)),
    (v2(V4 + b"\x04\0\x01x"), ("192.0.2.9", 4711)),
    (v2(V6, family=0x21), ("2001:db8::9", 4711)),
    (v2(b"", command=0x20, family=0), None),
    (v2(V4, command=0x20), None),
    (v2(b"x" * 216, family=0x31), None),
]


@pytest.mark.parametrize(("header", "client"), WHOLE)
def test_whole_headers(header: bytes, client: tuple[str, int] | None) -> None:
    parsed = parse_proxy_header(header + b"EHLO x\r\n")
    assert parsed is not None
    assert (parsed.client, parsed.length) == (client, len(header))


@pytest.mark.parametrize(("header", "_client"), WHOLE)
def test_every_part_of_a_header_asks_for_more(header: bytes, _client: object) -> None:
    assert {parse_proxy_header(header[:length]) for length in range(len(header))} == {None}


@pytest.mark.parametrize(
    "header",
    [
        b"EHLO x\r\n",
        b"PROXY\r\n",
        b"PROXY \r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP5 192.0.2.9 198.51.100.1 4711 25\r\n",
        b"PROXY TCP4 2001:db8::9 2001:db8::1 4711 25\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 99999 25\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 -1 25\r\n",
        b"PROXY TCP4 192.0.2.9  198.51.100.1 4711 25\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 4711\r\n",
        "PROXY TCP4 ١92.0.2.9 198.51.100.1 4711 25\r\n".encode(),
        b"PROXY " + b"x" * 200,
        v2(V4, command=0x31),
        v2(V4, command=0x22),
        v2(V4[:-1]),
        v2(b"x" * 60_000),
        SIGNATURE[:-1] + b"x",
    ],
)
def test_broken_headers(header: bytes) -> None:
    with pytest.raises(ValueError):
        parse_proxy_header(header)


@given(st.binary(max_size=60), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE]))
def test_no_octets_raise_anything_else(octets: bytes, start: bytes) -> None:
    with suppress(ValueError):
        parse_proxy_header(start + octets)
