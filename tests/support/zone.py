"""A DNS of a test's own: records by name, as values, as a resolver, or served on loopback.

A record is a line: `TXT v=spf1 -all`, `A 192.0.2.1`, `MX 10 mail.example.com`, `CNAME other`.
`FAIL` makes a name SERVFAIL, `SILENT` gives no answer at all, `FAIL TXT` only for that type.
A TXT record is cut into strings of 255 octets. Names that have others below them exist.
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from milter.mail.dns import Answer, Answers, AnswerStatus, Needs, Question

Records = Mapping[str, Sequence[str]]


class Zone:
    """What is published; `names` may be changed while it is served."""

    def __init__(self, records: Records) -> None:
        self.names = {name.lower(): list(lines) for name, lines in records.items()}

    def answer(self, question: Question, *, aliases: int = 0) -> Answer:
        """The value that a resolver would give."""
        lines = self.names.get(question.name)
        if lines is None:
            below = any(name.endswith("." + question.name) for name in self.names)
            return Answer(status=AnswerStatus.NO_RECORD if below else AnswerStatus.NO_NAME)
        if any(line in ("FAIL", "SILENT", f"FAIL {question.kind}") for line in lines):
            return Answer(status=AnswerStatus.FAILED)
        found = [value for kind, value in map(_split, lines) if kind == question.kind]
        alias = [value for kind, value in map(_split, lines) if kind == "CNAME"]
        if alias and not found:
            if aliases > 8:
                return Answer(status=AnswerStatus.FAILED)
            return self.answer(Question(alias[0].lower(), question.kind), aliases=aliases + 1)
        if not found:
            return Answer(status=AnswerStatus.NO_RECORD)
        return Answer(
            status=AnswerStatus.FOUND, records=tuple(one.encode("utf-8") for one in found)
        )


class FakeResolver:
    """Implements `ports.Resolver` over a zone, at once, and counts."""

    def __init__(self, zone: Zone | Records) -> None:
        self.zone = zone if isinstance(zone, Zone) else Zone(zone)
        self.asked: list[Question] = []

    async def ask(self, questions: Sequence[Question], deadline: float) -> Answers:
        self.asked.extend(questions)
        return {question: self.zone.answer(question) for question in questions}


def solve(evaluate, zone: Zone | Records, *, asked: list[Question] | None = None):
    """Evaluate until nothing is open."""
    zone = zone if isinstance(zone, Zone) else Zone(zone)
    answers: dict[Question, Answer] = {}
    while isinstance(found := evaluate(answers), Needs):
        fresh = [one for one in found.questions if one not in answers]
        assert fresh, "it asks for what it has"
        answers.update({one: zone.answer(one) for one in fresh})
        if asked is not None:
            asked.extend(fresh)
    return found


class DnsServer:
    """The zone on a loopback port over UDP and TCP, in threads of this process."""

    def __init__(self, zone: Zone | Records, *, udp_octets: int = 1232, ttl: int = 300) -> None:
        self.zone = zone if isinstance(zone, Zone) else Zone(zone)
        self.asked: Counter[Question] = Counter()
        self.over_tcp: Counter[Question] = Counter()
        self._udp_octets = udp_octets
        self._ttl = ttl
        self._tcp, self._udp = _on_one_port()
        self.port = self._tcp.getsockname()[1]
        self._threads = [
            threading.Thread(target=serve, daemon=True)
            for serve in (self._serve_udp, self._serve_tcp)
        ]

    def __enter__(self) -> "DnsServer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes both threads.
        self._closed = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", ("127.0.0.1", self.port))
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()

    _closed = False

    def respond(self, query: dns.message.Message) -> dns.message.Message | None:
        """The response, or None where the server stays silent; a test may override it."""
        response = dns.message.make_response(query, recursion_available=True)
        asked = query.question[0]
        name = _plain(asked.name)
        kind = dns.rdatatype.to_text(asked.rdtype)
        question = Question(name, kind)
        self.asked[question] += 1
        for _ in range(12):
            lines = self.zone.names.get(name)
            if lines is not None and "SILENT" in lines:
                return None
            if lines is not None and ("FAIL" in lines or f"FAIL {kind}" in lines):
                response.set_rcode(dns.rcode.SERVFAIL)
                return response
            alias = self._add(response, name, kind, lines or [])
            if not alias:
                break
            name = alias
        if not response.answer or response.answer[-1].rdtype != asked.rdtype:
            self._add_absence(response, Question(name, kind))
        return response

    def _add(
        self, response: dns.message.Message, name: str, kind: str, lines: Sequence[str]
    ) -> str:
        for wanted in (kind, "CNAME"):
            values = [value for one, value in map(_split, lines) if one == wanted]
            if values:
                rdtype = dns.rdatatype.from_text(wanted)
                response.answer.append(
                    dns.rrset.from_rdata_list(
                        dns.name.Name(
                            [*(label.encode("latin-1") for label in name.split(".")), b""]
                        ),
                        self._ttl,
                        [_rdata(rdtype, v) for v in values],
                    )
                )
                return values[0].lower() if wanted == "CNAME" and kind != "CNAME" else ""
        return ""

    def _add_absence(self, response: dns.message.Message, question: Question) -> None:
        if self.zone.answer(question).status is AnswerStatus.NO_NAME:
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(
            dns.rrset.from_text("test.", 60, "IN", "SOA", "ns.test. post.test. 1 60 60 60 60")
        )

    def _serve_udp(self) -> None:
        while not self._closed:
            octets, peer = self._udp.recvfrom(4096)
            if self._closed or not octets:
                continue
            response = self.respond(dns.message.from_wire(octets))
            if response is None:
                continue
            wire = response.to_wire(max_size=65_535)
            if len(wire) > self._udp_octets:
                response.answer.clear()
                response.flags |= dns.flags.TC
                wire = response.to_wire()
            self._udp.sendto(wire, peer)

    def _serve_tcp(self) -> None:
        while not self._closed:
            connection, _ = self._tcp.accept()
            with connection:
                if self._closed:
                    return
                connection.settimeout(5)
                head = connection.recv(2)
                if len(head) < 2:
                    continue
                octets = connection.recv(struct.unpack(">H", head)[0])
                query = dns.message.from_wire(octets)
                asked = query.question[0]
                name = _plain(asked.name)
                self.over_tcp[Question(name, dns.rdatatype.to_text(asked.rdtype))] += 1
                response = self.respond(query)
                if response is not None:
                    wire = response.to_wire(max_size=65_535)
                    connection.sendall(struct.pack(">H", len(wire)) + wire)


def _on_one_port() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket with the same number; the second may be taken already."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


def _plain(name: dns.name.Name) -> str:
    """Labels with dots between, nothing escaped."""
    return b".".join(name.labels[:-1]).decode("latin-1").lower()


def _split(line: str) -> tuple[str, str]:
    kind, _, value = line.partition(" ")
    return kind, value


def _rdata(rdtype: dns.rdatatype.RdataType, value: str) -> dns.rdata.Rdata:
    if rdtype == dns.rdatatype.TXT:
        octets = value.encode("utf-8")
        pieces = [octets[at : at + 255] for at in range(0, max(1, len(octets)), 255)]
        value = " ".join('"' + "".join(f"\\{octet:03d}" for octet in one) + '"' for one in pieces)
    elif rdtype in (dns.rdatatype.CNAME, dns.rdatatype.PTR, dns.rdatatype.MX):
        value += "." if not value.endswith(".") else ""
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, value)
