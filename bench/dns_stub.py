"""A name server of the loopback that answers at once: one DKIM key, one SPF and one DMARC record.

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
_SOA: Final = "ns.test. hostmaster.test. 1 3600 600 86400 300"
_RECORDS: Final = {
    "letters.example.net.": "v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.0/8 -all",
    "_dmarc.example.net.": "v=DMARC1; p=none",
}


class DnsStub(asyncio.DatagramProtocol):
    """Answers over UDP."""

    def __init__(self, key_record: str) -> None:
        self._records = {**_RECORDS, KEY_NAME: key_record}
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0] if query.question else None
        name = question.name.to_text().lower() if question is not None else ""
        record = self._records.get(name)
        if question is not None and record and question.rdtype == dns.rdatatype.TXT:
            pieces = " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", pieces))
        elif record is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            # As real servers do: without it nobody may remember that there is no such name.
            zone = ".".join(name.rstrip(".").split(".")[-2:]) + "."
            answer.authority.append(dns.rrset.from_text(zone, 300, "IN", "SOA", _SOA))
        self._transport.sendto(answer.to_wire(), addr)
