"""XCLIENT and XFORWARD: what a listed peer says about the client behind it.

Pure: attributes in, a new `Connection` out. Who may use them and when is the dialogue's decision.

Standards: Postfix XCLIENT_README and XFORWARD_README; RFC 3461 §4 (xtext).
Failure: ValueError for anything malformed; nothing is then applied.
"""

import re
from dataclasses import replace

from milter.listen.peers import canonical_address
from milter.mail.envelope import Connection

XCLIENT_ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN")
XFORWARD_ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")

_XTEXT = re.compile(rb"(?:[!-*,-<>-~\x80-\xff]|\+[0-9A-Fa-f]{2})*")
_HEX = re.compile(rb"\+([0-9A-Fa-f]{2})")
_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]", ""})
_MAX_VALUE = 255


def parse_attributes(argument: bytes, known: tuple[str, ...]) -> dict[str, str]:
    """`NAME=xtext` pairs with their values decoded; names outside `known` are an error."""
    attributes: dict[str, str] = {}
    for pair in argument.split():
        raw_name, equals, raw_value = pair.partition(b"=")
        name = raw_name.decode("ascii", "replace").upper()
        if not equals or name not in known or name in attributes:
            raise ValueError("unknown, repeated or incomplete attribute")
        attributes[name] = _decoded(raw_value)
    if not attributes:
        raise ValueError("no attribute")
    return attributes


def described(connection: Connection, attributes: dict[str, str]) -> Connection:
    """The connection with the client that the attributes describe."""
    if "ADDR" in attributes:
        connection = replace(connection, client_ip=_address(attributes["ADDR"]))
    if "NAME" in attributes:
        connection = replace(connection, client_name=_known(attributes["NAME"], "unknown"))
    if "PORT" in attributes:
        connection = replace(connection, client_port=_port(attributes["PORT"]))
    if "HELO" in attributes:
        connection = replace(connection, helo=_known(attributes["HELO"], ""))
    if "PROTO" in attributes:
        connection = replace(connection, protocol=_known(attributes["PROTO"].upper(), "ESMTP"))
    if "LOGIN" in attributes:
        connection = replace(connection, auth_user=_known(attributes["LOGIN"], ""))
    return connection


def forwarded(connection: Connection, attributes: dict[str, str]) -> Connection:
    """The connection with XFORWARD attributes applied and kept for the next hop.

    Several commands add up. IDENT and SOURCE describe no client; they are only passed on.
    """
    kept = {**dict(connection.xforward), **attributes}
    return replace(described(connection, attributes), xforward=tuple(kept.items()))


def _decoded(xtext: bytes) -> str:
    if not _XTEXT.fullmatch(xtext):
        raise ValueError("no xtext")
    value = _HEX.sub(lambda match: bytes([int(match.group(1), 16)]), xtext)
    text = value.decode("utf-8", "replace")
    if len(value) > _MAX_VALUE or not text.isprintable():
        raise ValueError("value too long or with control characters")
    return text


def _known(value: str, unknown: str) -> str:
    return unknown if value.upper() in _UNKNOWN else value


def _address(value: str) -> str:
    """An address in canonical form; a client whose address is not known is `unknown`."""
    if value.upper() in _UNKNOWN:
        return "unknown"
    return canonical_address(value[5:] if value[:5].upper() == "IPV6:" else value)


def _port(value: str) -> int:
    if value.upper() in _UNKNOWN:
        return 0
    if not value.isascii() or not value.isdigit() or not 0 <= int(value[:6]) <= 65535:
        raise ValueError("no port")
    return int(value[:6])
