"""PROXY protocol header, version 1 (text) and 2 (binary), from a listed load balancer.

Sans-IO: shown what has come so far, it says "more" or gives the client's address. Type-length
values of version 2 are skipped.

Standards: HAProxy proxy-protocol.txt, versions 1 and 2.
Failure: ValueError; the listener closes without a word, for such a peer speaks no SMTP yet.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from milter.listen.peers import canonical_address

_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V2_FIXED = 16
_V1_MAX = 107
# Room for addresses and any sane set of type-length values; the field itself would allow 65,535.
_V2_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeader:
    """The client that the balancer speaks for (None: for itself) and the header's length."""

    client: tuple[str, int] | None
    length: int


def parse_proxy_header(octets: bytes) -> ProxyHeader | None:
    """The header at the start of a connection, or None while it is not complete."""
    if octets[: len(_V2_SIGNATURE)] == _V2_SIGNATURE[: len(octets)]:
        return _version_2(octets)
    if octets[:6] == b"PROXY "[: len(octets)]:
        return _version_1(octets)
    raise ValueError("no PROXY header")


def _version_1(octets: bytes) -> ProxyHeader | None:
    end = octets.find(b"\r\n", 0, _V1_MAX)
    if end < 0:
        if len(octets) >= _V1_MAX:
            raise ValueError("PROXY line too long")
        return None
    length = end + 2
    words = octets[:end].decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        return ProxyHeader(client=None, length=length)
    if len(words) != 6:
        raise ValueError("PROXY line malformed")
    _, family, source, destination, source_port, destination_port = words
    address_type = {"TCP4": IPv4Address, "TCP6": IPv6Address}.get(family)
    if address_type is None:
        raise ValueError("PROXY family unknown")
    address_type(destination)
    _port(destination_port)
    client = canonical_address(str(address_type(source))), _port(source_port)
    return ProxyHeader(client=client, length=length)


def _port(word: str) -> int:
    if not word.isdigit() or len(word) > 5 or int(word) > 65535:
        raise ValueError("PROXY port malformed")
    return int(word)


def _version_2(octets: bytes) -> ProxyHeader | None:
    if len(octets) < _V2_FIXED:
        return None
    version_command, family = octets[12], octets[13]
    length = _V2_FIXED + int.from_bytes(octets[14:16], "big")
    if version_command not in (0x20, 0x21) or length > _V2_MAX:
        raise ValueError("PROXY version, command or length unknown")
    if len(octets) < length:
        return None
    # LOCAL is the balancer's own health check; other families than TCP name no client.
    if version_command == 0x20 or family not in (0x11, 0x21):
        return ProxyHeader(client=None, length=length)
    width = 4 if family == 0x11 else 16
    if length < _V2_FIXED + 2 * width + 4:
        raise ValueError("PROXY addresses cut short")
    source = octets[_V2_FIXED : _V2_FIXED + width]
    port_at = _V2_FIXED + 2 * width
    port = int.from_bytes(octets[port_at : port_at + 2], "big")
    address = IPv4Address(source) if width == 4 else IPv6Address(source)
    return ProxyHeader(client=(canonical_address(str(address)), port), length=length)
