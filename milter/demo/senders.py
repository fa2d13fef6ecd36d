"""Who vouches for the demo's mail: keys made at its start, and a name server that publishes them.

The honest senders sign with dkimpy and publish SPF and DMARC, as real ones do; the gateway then
verifies by its own code and look-ups, against a name server on the loopback. Nothing is asked
outside of this machine.

**Standards:** RFC 6376 (signature, key record), RFC 7208, RFC 9989 (records).
**Failure:** none; a name that is not published is answered NXDOMAIN.
"""

import asyncio
from collections.abc import Iterable
from typing import cast

import dkim
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_SELECTOR = "demo"
_TTL_SECONDS = 300
_STRING_OCTETS = 200
_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]
_OF_NETWORKS = [b"x-linkedin-class", b"x-linkedin-template"]


def signing_key(bits: int = 2048) -> tuple[bytes, str]:
    """A new RSA key as dkimpy takes it (PKCS#1, PEM), and the record of its public half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])


class Senders:
    """The domains that sign, with one key for all of them."""

    def __init__(self, domains: Iterable[str]) -> None:
        self._pem, record = signing_key()
        self._zone = {
            name: text
            for domain in domains
            for name, text in (
                (f"{_SELECTOR}._domainkey.{domain}.", record),
                (f"{domain}.", "v=spf1 ip4:127.0.0.1 -all"),
                (f"_dmarc.{domain}.", "v=DMARC1; p=reject"),
            )
        }

    def signed(self, raw: bytes, domain: str) -> bytes:
        """The message with a DKIM signature of `domain` on top."""
        names = _SIGNED + [name for name in _OF_NETWORKS if b"\n" + name in raw.lower()]
        field: bytes = dkim.sign(
            raw, _SELECTOR.encode(), domain.encode(), self._pem, include_headers=names
        )
        return field + raw

    async def serve(self) -> tuple[asyncio.DatagramTransport, int]:
        """Answer on a port of the loopback until the transport is closed."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _NameServer(self._zone), local_addr=("127.0.0.1", 0)
        )
        port: int = transport.get_extra_info("sockname")[1]
        return transport, port


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, zone: dict[str, str]) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query, recursion_available=True)
        (question,) = query.question
        name = question.name.to_text().lower()
        text = self._zone.get(name)
        if text is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT:
            strings = " ".join(
                f'"{text[at : at + _STRING_OCTETS]}"' for at in range(0, len(text), _STRING_OCTETS)
            )
            answer.answer.append(dns.rrset.from_text(name, _TTL_SECONDS, "IN", "TXT", strings))
        self._transport.sendto(answer.to_wire(), addr)
