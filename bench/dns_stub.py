"""A name server of the loopback that knows one DKIM key and nothing else, and answers at once.

So that no peer waits for a network that a benchmark must not use. NXDOMAIN for all other names.
"""

import asyncio
from typing import Final, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

KEY_NAME: Final = "bench._domainkey.example.net."


class DnsStub(asyncio.DatagramProtocol):
    """Answers over UDP."""

    def __init__(self, key_record: str) -> None:
        self._key_record = key_record
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0] if query.question else None
        is_key = question is not None and question.name.to_text().lower() == KEY_NAME
        if question is not None and is_key and question.rdtype == dns.rdatatype.TXT:
            record = self._key_record
            pieces = " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))
            answer.answer.append(dns.rrset.from_text(KEY_NAME, 300, "IN", "TXT", pieces))
        elif not is_key:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)
