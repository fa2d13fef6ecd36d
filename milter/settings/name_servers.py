"""Name servers as people write them: `192.0.2.53`, `2001:db8::53`, `127.0.0.1:5353`, `[::1]:5353`.

Failure: ValueError with the end of a sentence that begins with what was written.
"""

from ipaddress import ip_address

_PORT = 53


def parse_name_server(text: str) -> tuple[str, int]:
    """Address and port; names are refused: who would look them up?"""
    address, port = text.strip(), str(_PORT)
    if address.startswith("["):
        address, bracket, rest = address[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("is no address; write [address]:port")
        port = rest[1:] or port
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    try:
        ip_address(address)
    except ValueError:
        raise ValueError("is no IP address; write one, as in /etc/resolv.conf") from None
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("has no usable port")
    return address, int(port)
